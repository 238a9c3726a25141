--- Standing statistics: the means over batches, each with its own weight.
local lg = require "lugano"
local check = require "check"
local nn = lg.nn

local tolerance <const> = 1e-5

local function make(momentum)
  return nn.Sequential { name = "G", input = { 1 }, nn.BatchNorm { momentum = momentum } }
end

local batches <const> = { { 1, 2, 3, 6 }, { 0, 0, 4, 4 }, { -1, 1, -1, 1 } }

local function batch(i)
  local rows <const> = {}
  for k, x in ipairs(batches[i]) do rows[k] = { x } end
  return lg.tensor(rows)
end

local function statistics(net)
  return net:parameter "1.running_mean":item(), net:parameter "1.running_var":item()
end

check.case("they are the means over the batches, whatever the momentum", function()
  for _, momentum in ipairs { 0.1, 0.9, 1 } do
    local net <const> = make(momentum):eval()
    net:parameter "1.running_mean":copy(lg.tensor { 55 })
    check.equal(net:standing_statistics(3, function(i) net(batch(i)) end), net)
    local mean <const>, var <const> = statistics(net)
    check.close(mean, (3 + 2 + 0) / 3, tolerance)
    check.close(var, (14 / 3 + 16 / 3 + 4 / 3) / 3, tolerance)
    check.equal(net.training, false)
    check.equal(net[1].training, false)
  end
end)

check.case("several calls in one step count each", function()
  local net <const> = make(0.3)
  net:standing_statistics(1, function()
    for i = 1, 3 do net(batch(i)) end
  end)
  check.close(statistics(net), 5 / 3, tolerance)
  check.equal(net[1].training, true)
end)

check.case("only batch norms are in training, and no history is made", function()
  local seen = {}
  local net <const> = nn.Module {
    name = "M", input = { 2 }, norm = nn.BatchNorm(), drop = nn.Dropout { 0.5 },
    forward = function(m, x)
      local y <const> = m.drop(m.norm(x))
      seen[#seen + 1] = { m.norm.training, m.drop.training }
      return y
    end }
  net:eval()
  seen = {}
  net:standing_statistics(2, function()
    local y <const> = net(lg.randn(4, 2):track())
    check.raises("grad", function() lg.grad(y:sum(), net:parameters()) end)
  end)
  check.equal(#seen, 2)
  for _, modes in ipairs(seen) do
    check.equal(modes[1], true)
    check.equal(modes[2], false)
  end
end)

check.case("a failure, and a norm that is not called, change nothing", function()
  local net <const> = nn.Module {
    name = "M", input = { 1 }, a = nn.BatchNorm(), b = nn.BatchNorm(),
    forward = function(m, x, short) return short and m.a(x) or m.b(m.a(x)) end }
  net(batch(1))
  local function all()
    local list = {}
    for i, t in ipairs(net:state()) do list[i] = t.tensor:item() end
    return table.concat(list, " ")
  end
  local before <const>, b <const> = all(), net.b:parameter "running_mean":item()
  check.raises("enough", function()
    net:standing_statistics(5, function(i)
      net(batch(1))
      if i == 3 then error "enough" end
    end)
  end)
  check.equal(all(), before)
  net:standing_statistics(2, function() net(batch(2), true) end)
  check.equal(net.b:parameter "running_mean":item(), b)
  check.close(net.a:parameter "running_mean":item(), 2, tolerance)
end)

check.case("what cannot be is told", function()
  local net <const> = make(0.1)
  for _, wrong in ipairs { { 0, print }, { 1.5, print }, { print, 3 }, { 3 } } do
    check.raises("standing_statistics takes a whole number and a function that runs the "
      .. "net on a batch", function() net:standing_statistics(wrong[1], wrong[2]) end)
  end
  check.raises("standing_statistics: there is no layer with running statistics in D",
    function()
      nn.Sequential { name = "D", input = { 2 }, nn.Linear { 1 } }
        :standing_statistics(1, print)
    end)
  check.raises("standing_statistics: G.1 (BatchNorm) has momentum 0, and keeps no "
    .. "statistics", function() make(0):standing_statistics(1, print) end)
end)

check.report()

--- Copies of nets: numbers, gradients, what is shared, modes, random streams.
local lg = require "lugano"
local check = require "check"
local nn = lg.nn

local function distance(a, b) return (a - b):abs():sum():item() end

local function names(net)
  local list = {}
  for i, p in ipairs(net:state()) do list[i] = p.name end
  return table.concat(list, " ")
end

local function make()
  local shared <const> = nn.Linear { 4 }
  return nn.Module {
    name = "G", input = { 3 }, w = lg.ones(1, 4):track(), table = lg.ones(4),
    shared = shared,
    body = { nn.Linear { 4, norm = "batch", act = "relu" }, false, shared,
             nn.Dropout { 0.5 } },
    options = { depth = 3 }, hello = function(m) return m.options.depth end,
    forward = function(m, x)
      return m.body(x) * m.w + m.shared(m.table:expand(x:size(1), 4))
    end }
end

check.case("a clone computes the same with numbers of its own", function()
  local G <const>, x <const> = make():eval(), lg.randn(5, 3)
  local H <const> = G:clone()
  check.equal(names(H), names(G))
  check.equal(distance(G(x), H(x)), 0)
  check.equal(H:hello(), 3)
  check.equal(H.options, G.options, "what is no tensor and no part is the original's")
  check.equal(H.body[2], false)
  check.equal(#H.body, 4)
  local y <const> = G(x)
  lg.optim.SGD(H, { lr = 0.1 }):minimize(H(x):square():sum())
  check.equal(distance(G(x), y), 0, "the original is as it was")
  check.equal(distance(H(x), y) > 0, true)
  for i, t in ipairs(G:state()) do
    local own <const> = H:state()[i]
    check.equal(own.buffer, t.buffer, t.name)
    t.tensor:copy(t.tensor * 0 + 7)
    check.equal(distance(own.tensor, t.tensor) > 0, true, t.name)
  end
end)

check.case("what is shared in a net is shared in its clone", function()
  local G <const> = make()
  local H <const> = G:clone()
  check.equal(H.shared, H.body[3])
  check.equal(H.shared ~= G.shared, true)
  check.equal(H.body[1].norm ~= G.body[1].norm, true)
  check.equal(#H:parameters(), #G:parameters())
end)

check.case("an untracked clone makes no history, and lets gradients through", function()
  local G <const> = make():eval()
  local H <const> = G:clone { tracked = false }
  local x <const> = lg.randn(2, 3)
  check.raises("grad", function() lg.grad(H(x):sum(), x) end)
  for _, p in ipairs(H:parameters()) do
    check.raises("grad", function() lg.grad(H(x):sum(), p) end)
  end
  local input <const> = x:track()
  check.equal(distance(lg.grad(H(input):sum(), input),
                       lg.grad(G(input):sum(), input)), 0)
  check.equal(#H:parameters(), #G:parameters(), "they are parameters nevertheless")
  local I <const> = H:clone()
  check.equal(#lg.grad(I(x):sum(), I), #G:parameters(), "tracked again")
end)

check.case("a clone keeps modes, paths and streams, unless it is named", function()
  local G <const> = make()
  G.body[4]:eval()
  local H <const> = G:clone()
  check.equal(H.training, true)
  check.equal(H.body[4].training, false)
  H:eval()
  check.equal(G.training, true)
  check.raises("G.body.1 (Linear)", function() H(lg.ones(2, 9)) end)
  check.raises("G2.body.1 (Linear)",
               function() G:clone { name = "G2" } (lg.ones(2, 9)) end)
  local D <const> = nn.Sequential { name = "D", input = { 200 }, nn.Dropout { 0.5 } }
  local ones <const> = lg.ones(1, 200)
  local function mask(net)
    lg.seed(5)
    return net(ones)
  end
  check.equal(distance(mask(D), mask(D:clone())), 0)
  check.equal(distance(mask(D), mask(D:clone())), 0)
  check.equal(tostring(D:clone { name = "E" }):match "^%w+", "E")
end)

check.case("inner parts, clones and spectral norms are cloned", function()
  local G <const> = make()
  local norm <const> = G.body[1]:clone()
  check.equal(names(norm), names(G.body[1]))
  local S <const> = nn.Sequential { name = "S", input = { 3 },
                                    nn.Linear { 4, spectral = true } }
  local T <const>, x <const> = S:clone():clone(), lg.randn(2, 3)
  for _ = 1, 3 do check.equal(distance(S(x), T(x)), 0) end
end)

check.case("a clone has no taps", function()
  local G <const>, calls = make(), 0
  G:tap("body.1", function() calls = calls + 1 end)
  G:clone()(lg.ones(2, 3))
  check.equal(calls, 0)
  G(lg.ones(2, 3))
  check.equal(calls, 1)
end)

check.case("wrong options are refused", function()
  local G <const> = make()
  check.raises("clone has no option 'traked' (did you mean 'tracked'?)",
               function() G:clone { traked = false } end)
  check.raises("clone: tracked must be true or false, not no",
               function() G:clone { tracked = "no" } end)
  check.raises("clone: name must be a word", function() G:clone { name = "a.b" } end)
  check.raises("clone takes a table of options, not a boolean",
               function() G:clone(false) end)
end)

check.report()

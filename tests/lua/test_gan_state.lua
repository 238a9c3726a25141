--- test_gan_state.lua - what is kept from step to step: gan.ema, pool, lecam, path.
local lg <const>, check <const> = require "lugano", require "check"
local gan <const>, nn <const>, optim <const> = lg.gan, lg.nn, lg.optim
local double <const> = lg.element == "double"
local tolerance <const> = double and 1e-12 or 1e-5

local function largest(t) return t:abs():amax():item() end

--- Copies the state of one object to another, as a resumed run does.
local function restore(to, from)
  local shapes <const> = {}
  for _, s in ipairs(from:state()) do shapes[s.name] = s.tensor.shape end
  if to.reserve then to:reserve(shapes) end
  local list <const> = to:state()
  for i, s in ipairs(from:state()) do
    check.equal(list[i].name, s.name)
    list[i].tensor:copy(s.tensor)
  end
  to:numbers(from:numbers())
end

-- The average

local function net_of(name)
  return nn.Sequential { name = name, input = { 3 }, nn.Linear { 4, norm = "batch",
    act = "relu" }, nn.Linear { 2 } }
end

--- Sets every tensor of a net to one number.
local function fill(net, value)
  for _, s in ipairs(net:state()) do s.tensor:copy(lg.full(s.tensor.shape, value)) end
end

--- The numbers of a net of which all parameters, and all buffers, are alike.
local function values(net)
  local parameter, buffer
  for _, s in ipairs(net:state()) do
    check.equal(largest(s.tensor - s.tensor:mean()) < 1e-6, true)
    if s.buffer then buffer = s.tensor:mean():item() else
      parameter = s.tensor:mean():item()
    end
  end
  return parameter, buffer
end

check.case("an average begins as a copy, in eval mode, without gradients", function()
  local G <const> = net_of "G"
  local ema <const> = gan.ema(G)
  local x <const> = lg.randn(5, 3)
  G:eval()
  check.equal(largest(ema.model(x) - G(x)), 0)
  G:train()
  check.equal(ema.model.training, false)
  check.raises("the result has no history",
               function() lg.grad(ema.model(x):sum(), ema.model) end)
  for i, s in ipairs(ema:state()) do check.equal(s.name, G:state()[i].name) end
  fill(G, 7)
  check.equal(largest(ema.model(x) - 7) > 1, true, "its numbers are its own")
end)

check.case("it moves by its decay: running statistics, too", function()
  local G <const> = net_of "G"
  fill(G, 0)
  local ema <const> = gan.ema(G, { decay = 0.9 })
  fill(G, 1)
  check.equal(ema:update(), ema)
  local p, b = values(ema.model)
  check.close(p, 0.1, tolerance)
  check.close(b, 0.1, tolerance)
  ema:update()
  p = values(ema.model)
  check.close(p, 0.19, tolerance)
  ema:update(3)                                -- as three updates
  p = values(ema.model)
  check.close(p, 1 - 0.9 ^ 5, tolerance)
  check.equal(ema:numbers().seen, 5)
end)

check.case("an update has the bits of from + (to - from) * kept", function()
  local G <const> = lg.nn.Sequential { name = "G", input = { 150 }, lg.nn.Linear { 150 } }
  local ema <const> = gan.ema(G, { decay = 0.75 })
  for _, p in ipairs(G:state()) do p.tensor:copy(lg.randn(p.tensor.shape)) end
  local wanted <const> = {}
  for i, s in ipairs(ema:state()) do
    local from <const> = G:state()[i].tensor
    wanted[i] = from + (s.tensor - from) * 0.5 ^ (1 / (math.log(0.5) / math.log(0.75)))
  end
  ema:update()
  for i, s in ipairs(ema:state()) do check.equal(largest(s.tensor - wanted[i]), 0) end
end)

check.case("buffers are copied where that is wanted", function()
  local G <const> = net_of "G"
  fill(G, 0)
  local ema <const> = gan.ema(G, { decay = 0.9, buffers = "copy" })
  fill(G, 1)
  local p <const>, b <const> = values(ema:update().model)
  check.close(p, 0.1, tolerance)
  check.equal(b, 1)
end)

check.case("half-life, in images; ramp-up; a start", function()
  local G <const> = net_of "G"
  local function after(options, counts)
    fill(G, 0)
    local ema <const> = gan.ema(G, options)
    fill(G, 1)
    for _, n in ipairs(counts) do ema:update(n) end
    return (values(ema.model))
  end
  check.close(after({ halflife = 100 }, { 100 }), 0.5, tolerance)
  check.close(after({ halflife = 100 }, { 50, 50, 100 }), 0.75, tolerance)
  check.close(after({}, { 1 }), 0.001, tolerance)
  check.close(after({ decay = 0 }, { 1 }), 1, tolerance)
  check.close(after({ halflife = 100, start = 64 }, { 64 }), 1, tolerance)
  -- With a ramp-up of 0.1 the first update copies: nothing was seen before it.
  check.close(after({ halflife = 1000, rampup = 0.1 }, { 64 }), 1, tolerance)
  fill(G, 0)
  local ema <const> = gan.ema(G, { halflife = 1000, rampup = 0.1 })
  ema:update(100)
  fill(G, 1)
  check.close(values(ema:update(10).model), 0.5, tolerance)      -- half-life 100 * 0.1
  ema:numbers { seen = 1e6 }
  fill(G, 0)
  check.close(values(ema:update(1000).model), 0.25, tolerance)   -- then it is 1000
end)

check.case("an average of what does not move is exact", function()
  local G <const> = net_of "G"
  local ema <const> = gan.ema(G, { decay = 0.999 })
  for _ = 1, 50 do ema:update() end
  for i, s in ipairs(ema:state()) do
    check.equal(largest(s.tensor - G:state()[i].tensor), 0)
  end
end)

check.case("an average goes on from its state to the same bits", function()
  local G <const> = net_of "G"
  local opt <const> = optim.Adam(G, { lr = 0.05 })
  local x <const> = lg.randn(8, 3)
  local a <const> = gan.ema(G, { halflife = 30, rampup = 0.5 })
  local b <const> = gan.ema(G, { halflife = 30, rampup = 0.5 })
  local function step(...)
    opt:minimize((G(x) - 1):square():mean())
    for _, ema in ipairs { ... } do ema:update(8) end
  end
  for _ = 1, 3 do step(a) end
  restore(b, a)
  for _ = 1, 3 do step(a, b) end
  for i, s in ipairs(a:state()) do
    check.equal(largest(s.tensor - b:state()[i].tensor), 0, s.name)
  end
end)

check.case("training goes on between two uses of the average", function()
  local G <const>, x <const> = net_of "G", lg.randn(8, 3)
  local opt <const>, ema <const> = optim.Adam(G), gan.ema(G, { decay = 0.5 })
  local y <const> = ema.model(x)
  local loss <const> = (G(x) - y):square():mean()
  ema:update()
  check.equal(opt:minimize(loss) > 0, true)
end)

-- The pool

check.case("a pool returns what it gets, and when it is full about half of it", function()
  local pool <const> = gan.pool(20)
  local first <const> = lg.randn(12, 2)
  check.equal(largest(pool(first) - first), 0)
  check.equal(pool:numbers().count, 12)
  pool(lg.randn(8, 2))
  check.equal(pool:numbers().count, 20)
  local kept = 0
  for i = 1, 50 do
    local x <const> = lg.full({ 8, 2 }, i)
    local y <const> = pool(x)
    kept = kept + lg.eq(y, x):mean():item() / 50
    check.equal(largest(y:narrow(2, 1, 1) - y:narrow(2, 2, 1)) < 5, true)
  end
  check.equal(kept > 0.4 and kept < 0.7, true, "returned: " .. kept)
end)

check.case("a pool loses and doubles nothing", function()
  local pool <const> = gan.pool(7)
  local alive <const>, given = {}, 0
  local function count(list, by)
    for _, v in ipairs(list) do alive[v] = (alive[v] or 0) + by end
  end
  for _ = 1, 40 do
    local x <const> = lg.arange(given + 1, given + 5)
    given = given + 5
    count(x:totable(), 1)
    local copied <const> = pool.count < 7 and math.min(5, 7 - pool.count) or 0
    count(pool(x):totable(), -1)
    count(x:slice(1, 1, math.max(copied, 1)):totable(), copied > 0 and 1 or 0)
  end
  local left = 0
  for _, n in pairs(alive) do
    check.equal(n == 0 or n == 1, true, "each is there once")
    left = left + n
  end
  check.equal(left, 7)
  count(pool:state()[1].tensor:totable(), -1)
  for _, n in pairs(alive) do check.equal(n, 0, "and in the pool") end
end)

check.case("what a pool returned does not change when the pool does", function()
  local pool <const> = gan.pool(3)
  pool(lg.zeros(3, 2))
  local seen <const> = {}
  for i = 1, 20 do
    local y <const> = pool(lg.full({ 3, 2 }, i))
    seen[i] = { y, y:totable() }
  end
  for _, s in ipairs(seen) do
    check.equal(largest(s[1] - lg.tensor(s[2])), 0)
  end
end)

check.case("a pool has no history, draws from the engine, and goes on from its state",
           function()
  local a <const>, b <const> = gan.pool(6), gan.pool(6)
  check.equal(#a:state(), 0)
  for _ = 1, 3 do a(lg.randn(4, 1, 3, 3)) end
  restore(b, a)
  local x <const>, w <const> = lg.randn(4, 1, 3, 3), lg.ones(1):track()
  lg.seed(6)
  local y <const> = a(x * w)
  lg.seed(6)
  check.equal(largest(y - b(x)), 0)
  check.raises("no history", function() lg.grad(y:sum(), w) end)
  check.equal(tostring(a), "gan.pool of 6 samples, room for 6")
  check.equal(largest(gan.pool(0)(x) - x), 0)
  check.raises("the checkpoint's pool has room for 6 samples, and this one for 5",
               function() restore(gan.pool(5), a) end)
end)

-- LeCam

check.case("lecam: averages that begin with the first scores, and the penalty", function()
  local lecam <const> = gan.lecam { decay = 0.9 }
  local r <const>, f <const> = lg.tensor { 1, 3 }:track(), lg.tensor { -1, 0 }:track()
  local loss <const> = lecam(r, f)
  check.close(loss:item(), (1.5 ^ 2 + 3.5 ^ 2) / 2 + (3 ^ 2 + 2 ^ 2) / 2, tolerance)
  local g <const> = lg.grad(loss, { r, f })
  check.close(g[1]:at(2), 3.5, tolerance)
  check.close(g[2]:at(1), -3, tolerance)
  lecam(lg.tensor { 12 }, lg.tensor { 9.5 })
  check.close(lecam:numbers().real, 3, tolerance)
  check.close(lecam:numbers().fake, 0.5, tolerance)
end)

check.case("lecam, one-sided, and with a start", function()
  local lecam <const> = gan.lecam { one_sided = true }
  local loss <const> = lecam(lg.tensor { 1, -3 }, lg.tensor { 0, 0, 3 })
  -- The averages are -1 and 1: of the real nothing is above 1, of the fake below -1 none.
  check.close(loss:item(), 0, tolerance)
  local sure <const> = gan.lecam { one_sided = true }(lg.tensor { 3, 1 }, lg.tensor { 0 })
  check.close(sure:item(), (9 + 1) / 2 + 4, tolerance)
  local late <const> = gan.lecam { start = 2, decay = 0.5 }
  check.equal(late(lg.tensor { 5 }, lg.tensor { 1 }):item(), 0)
  check.equal(late(lg.tensor { 1 }, lg.tensor { 0 }):item(), 0)
  check.equal(late.real, 1, "until then the latest mean")
  check.close(late(lg.tensor { 3 }, lg.tensor { 0 }):item(), 9 + 4, tolerance)
end)

check.case("lecam goes on from its numbers; a NaN does not spoil it", function()
  local a <const>, b <const> = gan.lecam(), gan.lecam()
  for i = 1, 5 do a(lg.full({ 3 }, i), lg.full({ 3 }, -i)) end
  restore(b, a)
  a(lg.tensor { 0 / 0 }, lg.tensor { 1 / 0 })
  check.equal(a.real, b.real)
  check.equal(a.fake, b.fake)
  local r <const>, f <const> = lg.randn(4), lg.randn(4)
  check.equal(a(r, f):item(), b(r, f):item())
end)

-- Path length

check.case("path_length of a linear G: lengths, mean, penalty, gradient", function()
  local m <const> = lg.randn(3, 12):track()
  local function G(w) return w:matmul(m):reshape(-1, 3, 2, 2) end
  local path <const> = gan.path_length { decay = 0.75 }
  local w <const> = lg.randn(5, 3)
  lg.seed(2)
  local loss <const> = path(G, w)
  lg.seed(2)
  local noise <const> = lg.randn(5, 3, 2, 2) / 2
  local g <const> = noise:reshape(5, 12):matmul(m, { transpose_b = true })
  local lengths <const> = g:norm(2)
  local mean <const> = lengths:mean():item() / 4
  check.close(path.mean, mean, tolerance)
  local expected <const> = (lengths - mean):square():mean()
  check.close(loss:item(), expected:item(), tolerance)
  check.equal(largest(lg.grad(loss, m) - lg.grad(expected, m)) < tolerance * 10, true)
end)

check.case("path_length: layers' latents, a mapping before w, conditions", function()
  local z <const>, a <const> = lg.randn(4, 6), lg.randn(6, 6):track()
  local function G(w, scale) return (w:sum(2) * scale):reshape(4, 3, 1, 2) end

  local path <const> = gan.path_length()
  local sums <const>, one <const> = {}, gan.path_length { decay = 0 }
  for i, w in ipairs { z, (z / 5):reshape(4, 1, 6):expand(4, 5, 6) } do
    lg.seed(7)
    one(function(s) return G(i == 1 and s:unsqueeze(2) or s, 2):square() end, w)
    sums[i] = one.mean
  end
  check.close(sums[1], sums[2], tolerance * 10, "the mean over layers")
  local function mapping()
    return z:matmul(a):tanh():reshape(4, 1, 6):expand(4, 5, 6)
  end
  check.equal(path(G, mapping(), 2):item() > 0, true)
  local loss <const> = path(function(s) return G(s:square(), 2) end, mapping())
  check.equal(largest(lg.grad(loss, a)) > 0, true, "the mapping learns, too")
  local b <const> = gan.path_length()
  restore(b, path)
  lg.seed(3)
  local first <const> = path(G, mapping(), 2):item()
  lg.seed(3)
  check.equal(b(G, mapping(), 2):item(), first)
  check.equal(b:numbers().steps, 3)
end)

check.case("path_length of a G that ignores w has the gradient 0", function()
  local m <const> = lg.zeros(3, 4):track()
  local path <const> = gan.path_length()
  path.mean = 2
  local penalty <const> = path(function(z) return z:matmul(m):reshape(-1, 1, 2, 2) end,
                               lg.randn(5, 3))
  check.equal(lg.grad(penalty, m):abs():amax():item(), 0)
end)

check.case("path_length of a net is differentiated as by differences", function()
  if not double then check.skip "differences need double" end
  local path <const> = gan.path_length()
  lg.gradcheck(function(m, w)
    path:numbers { mean = 0.3, steps = 1 }
    path.options.decay = 1                     -- the mean is a constant here
    return path(function(s) return s:matmul(m):tanh():reshape(2, 1, 2, 2) end, w)
  end, { lg.randn(3, 4), lg.randn(2, 3) }, { order = 1 })
end)

local G <const> = net_of "G"
local refused <const> = {
  { "has no shapes yet; declare `input = {...}`",
    function() gan.ema(nn.Sequential { nn.Linear { 1 } }) end },
  { "gan.ema takes a net, not a tensor", function() gan.ema(lg.zeros(2)) end },
  { "gan.ema has no option 'decai' (did you mean 'decay'?)",
    function() gan.ema(G, { decai = 0.9 }) end },
  { "gan.ema: decay must be a number from 0 to below 1, not 1",
    function() gan.ema(G, { decay = 1 }) end },
  { "gan.ema takes decay or halflife, not both; a decay of 0.5 has the half-life 1",
    function() gan.ema(G, { decay = 0.5, halflife = 10 }) end },
  { "gan.ema: buffers must be 'average' or 'copy', not 'avarage' (did you mean "
    .. "'average'?)",
    function() gan.ema(G, { buffers = "avarage" }) end },
  { "gan.ema: update: n must be a number above 0, not 0",
    function() gan.ema(G):update(0) end },
  { "gan.pool: n must be a whole number of 0 or more, not a nil",
    function() gan.pool() end },
  { "gan.pool: x is {2,4}, and the pool has {5,3}; a pool keeps samples of one shape",
    function()
      local pool <const> = gan.pool(5)
      pool(lg.zeros(2, 3))
      pool(lg.zeros(2, 4))
    end },
  { "gan.lecam: fake must be a tensor, not a nil",
    function() gan.lecam()(lg.zeros(2)) end },
  { "gan.lecam: start must be a whole number of 0 or more, not 1.5",
    function() gan.lecam { start = 1.5 } end },
  { "gan.path_length: G must be a net or a function, not a tensor",
    function() gan.path_length()(lg.zeros(2), lg.zeros(2, 3)) end },
  { "gan.path_length: w must be {n,dim} or {n,layers,dim}, and is {3}",
    function() gan.path_length()(G, lg.zeros(3)) end },
  { "gan.path_length: x must be images, {n,c,h,w}, and is {2,2}",
    function() gan.path_length()(G, lg.zeros(2, 3)) end },
}
for _, case in ipairs(refused) do
  check.case(case[1], function() check.raises(case[1], case[2]) end)
end

check.report()

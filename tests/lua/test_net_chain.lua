--- Layers one after the other are called at once: nobody must be able to tell.
local lg = require "lugano"
local check = require "check"
local nn = lg.nn

local function distance(a, b) return (a - b):abs():amax():item() end

local function net(name)
  return nn.Sequential { name = name, input = { 6 },
    nn.Linear { 8, norm = "batch", act = "relu" }, { "leaky_relu", 0.2 }, false,
    { nn.Linear { 5, act = "tanh" }, "softplus" },
    nn.Sequential { nn.Linear { 4 }, "sigmoid" }, nn.Linear { 2 } }
end

--- Its layers, called one at a time.
local function by_parts(G, x)
  for _, i in ipairs { 1, 2, 4, 5, 6 } do
    local part <const> = G[i]
    if part[1] then
      for k = 1, #part do x = part[k](x) end
    else
      x = part(x)
    end
  end
  return x
end

check.case("a chain computes what its parts do, and has their gradients", function()
  local G <const>, x <const> = net "G", lg.randn(7, 6):track()
  G:eval()                                     -- running statistics stay
  local y <const>, z <const> = G(x), by_parts(G, x)
  check.equal(distance(y, z), 0)
  local all <const> = { x, table.unpack(G:parameters()) }
  local a <const> = lg.grad(y:square():sum(), all)
  for i, b in ipairs(lg.grad(z:square():sum(), all)) do
    check.equal(distance(a[i], b), 0)
  end
end)

check.case("a chain writes over what is nobody's alone", function()
  for _, parts in ipairs {
    { "relu", { "leaky_relu", 0.2 }, "relu" },
    { { "dropout", 0.5 }, "relu" }, { nn.Reshape { 3, 4 }, "relu", "flatten", "relu" },
    { "tanh", "relu" }, { "softplus", "relu", "tanh" } } do
    local G <const> = nn.Sequential(table.move(parts, 1, #parts, 1, { input = { 12 } }))
    for _, mode in ipairs { "train", "eval" } do
      G[mode](G)
      local x <const> = lg.randn(5, 12):track()
      local held <const>, before <const> = x:detach(), lg.zeros(5, 12):copy(x)
      local seed <const> = lg.randn(table.unpack(G(x).shape))
      local was <const> = lg.zeros(table.unpack(seed.shape)):copy(seed)
      lg.seed(3)
      local y <const> = G(x)
      local g <const> = lg.grad(y, x, { seed = seed })
      lg.seed(3)
      local z = x
      for k = 1, #parts do z = G[k](z) end
      check.equal(distance(y, z), 0)
      check.equal(distance(g, lg.grad(z, x, { seed = seed, create_graph = true })), 0)
      check.equal(distance(held, before), 0)
      check.equal(distance(seed, was), 0)
    end
  end
end)

check.case("activations are computed with what makes their input, and alike", function()
  for _, size in ipairs { 5, 14, 16 } do
    local G <const> = nn.Sequential { input = { 16, size, size },
      nn.Conv2d { 32, kernel = 3, padding = 1, norm = "batch",
                  act = { "leaky_relu", 0.2 } },
      nn.Conv2d { 16, kernel = 4, stride = 2, padding = 1, act = "relu" }, "relu",
      nn.ConvTranspose2d { 20, kernel = 4, stride = 2, padding = 1, act = "relu" },
      nn.Conv2d { 16, kernel = 3, padding = 1, spectral = true }, nn.BatchNorm {},
      "relu" }
    G(lg.randn(3, 16, size, size))
    G:eval()                                   -- spectral vectors stay
    for i = 1, #G do if G[i].norm then G[i].norm:train() end end
    local x <const> = lg.randn(3, 16, size, size):track()
    local all <const> = { x, table.unpack(G:parameters()) }
    local y <const> = G(x)
    local seed <const> = lg.randn(table.unpack(y.shape))
    local a <const> = lg.grad(y, all, { seed = seed })
    lg.anomaly(true)                           -- each operator by itself
    local z <const> = G(x)
    local b <const> = lg.grad(z, all, { seed = seed })
    lg.anomaly(false)
    check.equal(distance(y, z), 0)
    for i = 1, #all do check.equal(distance(a[i], b[i]), 0) end
  end
end)

check.case("modes, and running statistics, are those of each call", function()
  local G <const>, H <const>, x <const> = net "G", net "G", lg.randn(9, 6)
  for _, training in ipairs { true, false, true } do
    G:train(training)
    H:train(training)
    check.equal(distance(G(x), by_parts(H, x)), 0)
  end
  check.equal(distance(G[1].norm.running_mean, H[1].norm.running_mean), 0)
end)

check.case("a tap looks into a chain from the next call on, until closed", function()
  local G <const>, x <const>, seen = net "G", lg.randn(3, 6), {}
  local y <const> = G:eval()(x)
  local tap <const> = G:tap("4.1.act", function(t) seen[#seen + 1] = t end)
  check.equal(distance(G(x), y), 0)
  check.equal(#seen, 1)
  check.equal(distance(seen[1], G[4][1](G[2](G[1](x)))), 0)
  check.equal(#seen, 2)
  tap:close()
  G(x)
  check.equal(#seen, 2)
end)

check.case("what fails in a chain is named with its layer", function()
  local G <const> = net "G"
  G(lg.randn(2, 6))
  local why = check.raises("was built for 6 input features, got 5",
                           function() G(lg.randn(2, 5)) end)
  assert(why:find("\n  in      G.1  (Linear, defined at ", 1, true), why)
  why = check.raises("takes a tensor, not a nil", function() G(nil) end)
  assert(why:find("\n  in      G.1  (Linear", 1, true), why)
  local H <const> = nn.Sequential { name = "H", "tanh",
                                    nn.Sequential { "relu", nn.Linear { 3 } } }
  H(lg.randn(2, 5))
  why = check.raises("expected {batch,features}", function() H(lg.randn(2, 5, 2)) end)
  assert(why:find("\n  in      H.2.2  (Linear, defined at ", 1, true), why)
  check.equal(select(2, why:gsub("\n  in ", "")), 1)
end)

check.case("functions and modules stand between layers; inputs go to one", function()
  local calls = 0
  local G <const> = nn.Sequential { name = "G", input = { { 3 }, { 3 } },
    nn.Module { forward = function(_, a, b) return a + b end }, nn.Linear { 4 }, "relu",
    function(x) calls = calls + 1 return x * 2 end, nn.Linear { 2 }, "tanh" }
  local a <const>, b <const> = lg.randn(5, 3), lg.randn(5, 3)
  local before <const> = calls
  check.equal(distance(G(a, b), G[6](G[5](G[3](G[2](a + b)) * 2))), 0)
  check.equal(calls, before + 1)
end)

check.case("a layer of several results keeps them", function()
  local cell <const> = nn.LSTMCell { 4 }
  local x <const> = lg.randn(2, 3)
  cell(x)
  check.equal(select("#", cell(x)), 2)
  check.equal(select("#", nn.Sequential { cell }(x)), 1)
  local G <const> = nn.Sequential { name = "G", nn.GRUCell { 4 }, "relu" }
  G(x)
  check.equal(distance(G(x, nil), G(x)), 0)
end)

check.report()

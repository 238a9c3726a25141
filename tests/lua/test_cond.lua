--- Layers of several inputs, as scripts use them, and a conditional GAN made of them.
local lg <const>, check <const> = require "lugano", require "check"
local nn <const> = lg.nn

local function shape(x) return table.concat(x.shape, ",") end

local function names(net)
  local list <const> = {}
  for i, p in ipairs(net:state()) do list[i] = p.name end
  return table.concat(list, " ")
end

check.case("a layer takes its inputs in a row", function()
  local x <const>, labels <const> = lg.randn(3, 8, 4, 4), lg.tensor { 1, 10, 3 }
  local norm <const> = nn.ConditionalBatchNorm { classes = 10 }
  check.equal(shape(norm(x, labels)), "3,8,4,4")
  check.equal(names(norm), "bias running_mean running_var weight")
  check.equal(shape(norm:state()[1].tensor), "10,8")
  check.equal(shape(nn.ConditionalBatchNorm {}(x, lg.randn(3, 5))), "3,8,4,4")
  check.equal(shape(nn.AdaIN {}(x, lg.randn(3, 5))), "3,8,4,4")
  check.equal(shape(nn.ProjectionHead { 10 }(x:flatten(), labels)), "3,1")
  local up <const> = nn.ModulatedConv2d { 6, upsample = true, act = "relu" }
  check.equal(shape(up(x, lg.randn(3, 5))), "3,6,8,8")
end)

check.case("cells give their states, and begin without", function()
  local lstm <const>, gru <const> = nn.LSTMCell { 5 }, nn.GRUCell { 5 }
  local x <const> = lg.randn(2, 3)
  local h, c = lstm(x)
  check.equal(shape(h) .. " " .. shape(c), "2,5 2,5")
  h, c = lstm(x, h, c)
  check.equal(#lstm:parameters(), 4)
  local state = gru(x)
  for _ = 1, 3 do state = gru(x, state) end
  check.equal(shape(state), "2,5")
  local zeros <const> = lg.zeros(2, 5)
  check.equal(lstm(x):sum():item(), (lstm(x, zeros, zeros)):sum():item())
  check.equal(lstm(x, nil, c):sum():item(), (lstm(x, zeros, c)):sum():item())
end)

local function small_net(options)
  return nn.Module {
    name = "G", input = options.input,
    conv = nn.Conv2d { 4, padding = 1, bias = false },
    norm = nn.ConditionalBatchNorm { classes = 10 },
    forward = function(m, x, labels) return m.norm(m.conv(x), labels):relu() end }
end

check.case("a module declares what its inputs are", function()
  local net <const> = small_net { input = { { 8, 4, 4 }, "index" } }
  check.equal(names(net), "conv.weight norm.bias norm.running_mean norm.running_var "
    .. "norm.weight")
  check.equal(shape(net(lg.randn(3, 8, 4, 4), lg.tensor { 1, 10, 3 })), "3,4,4,4")
  local styled <const> = nn.Module {
    name = "S", input = { { 8, 4, 4 }, { 16 } },
    conv = nn.ModulatedConv2d { 4, equalized = true }, norm = nn.AdaIN {},
    forward = function(m, x, style) return m.norm(m.conv(x, style), style) end }
  check.equal(names(styled), "conv.bias conv.style_bias conv.style_weight conv.weight "
    .. "norm.bias norm.weight")
  check.equal(shape(styled(lg.randn(2, 8, 4, 4), lg.randn(2, 16))), "2,4,4,4")
end)

check.case("errors name the layer in the net", function()
  local net <const> = small_net {}
  local x <const> = lg.randn(3, 8, 4, 4)
  check.raises("G.norm (ConditionalBatchNorm): label 11 is out of 1..10: number 2 of {3}",
               function() net(x, lg.tensor { 1, 11, 3 }) end)
  check.raises("label 0 is out of 1..10: number 1 of {3}; labels count from 1",
               function() net(x, lg.tensor { 0, 1, 2 }) end)
  check.raises("labels must be {3}, a whole number for each sample, got {2}",
               function() net(x, lg.tensor { 1, 2 }) end)
  check.raises("G.norm (ConditionalBatchNorm) takes x, y, not a",
               function() net(x) end)
  local why <const> = check.raises("label 11", function() net(x, lg.full({ 3 }, 11)) end)
  for _, part in ipairs { "in      G.norm", "test_cond.lua" } do
    if not why:find(part, 1, true) then error("no path and place in " .. why) end
  end
end)

check.case("state moves to a clone of several inputs", function()
  local net <const> = small_net { input = { { 8, 4, 4 }, "index" } }
  local x <const>, labels <const> = lg.randn(3, 8, 4, 4), lg.tensor { 1, 10, 3 }
  net(x, labels)
  local twin <const> = small_net { input = { { 8, 4, 4 }, "index" } }
  twin:load_state(net)
  local a <const>, b <const> = net:eval()(x, labels), twin:eval()(x, labels)
  check.equal((a - b):abs():sum():item(), 0)
end)

-- A toy that is learned in 30 steps: the label says which quarter of 4x4 pixels is light.

local classes <const>, batch <const> = 4, 32

local function quarters(labels)
  local x <const> = {}
  for i, label in ipairs(labels:totable()) do
    local top <const>, left <const> = (label - 1) // 2, (label - 1) % 2
    x[i] = { {} }
    for row = 0, 3 do
      x[i][1][row + 1] = {}
      for col = 0, 3 do
        local light <const> = row // 2 == top and col // 2 == left
        x[i][1][row + 1][col + 1] = light and 0.8 or -0.8
      end
    end
  end
  return lg.tensor(x) + 0.1 * lg.randn(#x, 1, 4, 4)
end

local function generator()
  return nn.Module {
    name = "G", input = { { 8 }, "index" },
    first = nn.Linear { 16 * 2 * 2 }, image = nn.Reshape { 16, 2, 2 },
    norm = nn.ConditionalBatchNorm { classes = classes },
    up = nn.ConvTranspose2d { 1, kernel = 2, stride = 2, act = "tanh" },
    forward = function(m, z, labels)
      return m.up(m.norm(m.image(m.first(z)), labels):relu())
    end }
end

local function critic()
  return nn.Module {
    name = "D", input = { { 1, 4, 4 }, "index" },
    body = { nn.Conv2d { 16, kernel = 2, stride = 2, act = { "leaky_relu", 0.2 } },
             "flatten", nn.Linear { 32, act = { "leaky_relu", 0.2 } } },
    head = nn.ProjectionHead { classes },
    forward = function(m, x, labels) return m.head(m.body(x), labels) end }
end

--- The share of pictures whose lightest quarter is the one that the label says.
local function share_right(G)
  local labels <const> = lg.randint(1, classes, { 200 })
  local light <const> = G(lg.randn(200, 8), labels):avg_pool2d { kernel = 2 }:flatten()
  return lg.eq(light:argmax(2), labels):mean():item()
end

check.case("a conditional GAN learns what its labels say", function()
  lg.seed(3)
  local G <const>, D <const> = generator(), critic()
  local optG <const> = lg.optim.Adam(G, { lr = 0.06, betas = { 0, 0.9 } })
  local optD <const> = lg.optim.Adam(D, { lr = 0.06, betas = { 0, 0.9 } })
  local before <const> = share_right(G)
  for _ = 1, 30 do
    local labels <const> = lg.randint(1, classes, { batch })
    local real <const> = quarters(labels)
    local fake <const> = G(lg.randn(batch, 8), labels)
    optD:minimize((1 - D(real, labels)):relu():mean()
                  + (1 + D(fake, labels)):relu():mean())
    optG:minimize(-D(fake, labels):mean())
  end
  local after <const> = share_right(G:eval())
  if before > 0.45 or after < 0.65 then      -- by chance it is 0.25
    error(("of the pictures %.2f are right, before it was %.2f"):format(after, before))
  end
end)

check.report()

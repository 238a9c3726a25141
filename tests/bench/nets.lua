--- nets.lua - seven GANs of known cost: the same nets, losses and options as in peer.py.
--
-- gflop is the arithmetic of the products that a step needs, in thousands of millions of
-- operations, convolutions counted by their definition: however they are computed, and
-- without the critic's weight gradients in the generator's step.

local lg <const> = require "lugano"
local nn <const> = lg.nn

local leaky <const>, leakier <const> = { "leaky_relu", 0.2 }, { "leaky_relu", 0.3 }

local function conv(c, kernel, stride, padding, more)
  local options <const> = { c, kernel = kernel, stride = stride, padding = padding }
  for key, value in pairs(more or {}) do options[key] = value end
  return options
end

local function down(...) return nn.Conv2d(conv(...)) end
local function up(...) return nn.ConvTranspose2d(conv(...)) end

local nets <const> = {}

--- Two-dimensional points.
nets.tiny_ring = { batch = 256, noise = { 2 }, data = { 2 }, loss = "logits",
  gflop = 0.0942, adam = { lr = 1e-3 },
  make = function()
    local function net(name, out)
      return nn.Sequential { name = name, input = { 2 }, nn.Linear { 128, act = "relu" },
                             nn.Linear { 128, act = "relu" }, nn.Linear { out } }
    end
    return net("G", 2), net("D", 1)
  end }

--- Perceptrons of one hidden layer.
nets.mlp_seed = { batch = 100, noise = { 100 }, data = { 784 }, loss = "bce",
  gflop = 0.186, adam = { lr = 1e-3 },
  make = function()
    local function net(name, input, out, act)
      return nn.Sequential { name = name, input = { input },
                             nn.Linear { 128, act = "relu" }, nn.BatchNorm {},
                             nn.Linear { out, act = act } }
    end
    return net("G", 100, 784, "tanh"), net("D", 784, 1, "sigmoid")
  end }

--- Perceptrons with wide layers and an eps of 0.8, as many tutorials have them.
nets.mlp_big = { batch = 64, noise = { 100 }, data = { 784 }, loss = "bce",
  gflop = 1.019, adam = { lr = 2e-4, betas = { 0.5, 0.999 } },
  make = function()
    local function block(n)
      return { nn.Linear { n }, nn.BatchNorm { eps = 0.8 }, leaky }
    end
    local G <const> = nn.Sequential { name = "G", input = { 100 },
      nn.Linear { 128, act = leaky }, block(256), block(512), block(1024),
      nn.Linear { 784, act = "tanh" } }
    local D <const> = nn.Sequential { name = "D", input = { 784 },
      nn.Linear { 512, act = leaky }, nn.Linear { 256, act = leaky },
      nn.Linear { 1, act = "sigmoid" } }
    return G, D
  end }

--- Kernels of 5 x 5 on 28 x 28, with dropout.
nets.dcgan28 = { batch = 256, noise = { 100 }, data = { 1, 28, 28 }, loss = "logits",
  gflop = 120.9, adam = { lr = 1e-4 },
  make = function()
    local normed <const> = { norm = "batch", act = leakier }
    local wider <const> = { norm = "batch", act = leakier, output_padding = 1 }
    local G <const> = nn.Sequential { name = "G", input = { 100 },
      nn.Linear { 7 * 7 * 256, norm = "batch", act = leakier }, nn.Reshape { 256, 7, 7 },
      up(128, 5, 1, 2, normed), up(64, 5, 2, 2, wider),
      up(1, 5, 2, 2, { output_padding = 1, bias = false, act = "tanh" }) }
    local D <const> = nn.Sequential { name = "D", input = { 1, 28, 28 },
      down(64, 5, 2, 2, { act = leakier }), { "dropout", 0.3 },
      down(128, 5, 2, 2, { act = leakier }), { "dropout", 0.3 }, "flatten",
      nn.Linear { 1 } }
    return G, D
  end }

--- Kernels of 4 x 4: Radford et al. 2015. The images have size x size pixels, a power of
-- two from 8; c channels are those of the widest layers, twice as many at half the size.
local function dcgan(size, c, act)
  local normed <const> = { norm = "batch", act = "relu" }
  local critic <const> = { norm = "batch", act = leaky }
  local G <const>, D <const> = {}, { down(c, 4, 2, 1, { bias = false, act = leaky }) }
  local widest <const> = c * size // 8                 -- at 4 x 4
  G[1] = up(widest, 4, 1, 0, normed)
  for i = 2, math.tointeger(math.log(size, 2)) - 2 do
    G[i] = up(widest >> i - 1, 4, 2, 1, normed)
    D[i] = down(c << i - 1, 4, 2, 1, critic)
  end
  table.move({ up(3, 4, 2, 1, { bias = false, act = "tanh" }) }, 1, 1, #G + 1, G)
  table.move({ down(1, 4, 1, 0, { bias = false }), "flatten", act }, 1, 3, #D + 1, D)
  G.name, G.input, D.name, D.input = "G", { 100, 1, 1 }, "D", { 3, size, size }
  return nn.Sequential(G), nn.Sequential(D)
end

--- On 64 x 64 in color.
nets.dcgan64 = { batch = 64, noise = { 100, 1, 1 }, data = { 3, 64, 64 }, loss = "bce",
  gflop = 145.6, adam = { lr = 2e-4, betas = { 0.5, 0.999 } },
  make = function() return dcgan(64, 64, "sigmoid") end }

--- Thousands of millions of operations of a step of dcgan: a convolution is done forward
-- and for both gradients, but for the images and the noise, and in the critic on real
-- images, on made ones, and, without its weights' gradients, for the generator.
local function dcgan_gflop(batch, size, c)
  local first <const> = batch * 100 * (c * size // 8) * 16     -- from noise to 4 x 4
  local images <const> = batch * 3 * c * 16 * (size // 2) ^ 2  -- to images, and from them
  local last <const> = batch * (c * size // 8) * 16            -- from 4 x 4 to a score
  local between = 0
  for i = 1, math.tointeger(math.log(size, 2)) - 3 do
    between = between + batch * (c << i - 1) * (c << i) * 16 * (size >> i + 1) ^ 2
  end
  local G <const> = 3 * (first + between + images) - first
  local D <const> = 8 * (images + between + last) - 2 * images
  return 2e-9 * (G + D)
end

--- The same at any size, to see how cost grows.
nets.scaled = {
  options = { batch = { 64, "images of a step" },
              size = { 32, "their height and width: a power of two from 8" },
              channels = { 32, "of the widest layers" } },
  scale = function(opt)
    local batch <const>, size <const>, c <const> = opt.batch, opt.size, opt.channels
    return { batch = batch, noise = { 100, 1, 1 }, data = { 3, size, size },
             loss = "logits", adam = { lr = 2e-4, betas = { 0.5, 0.999 } },
             gflop = dcgan_gflop(batch, size, c),
             make = function() return dcgan(size, c) end }
  end }

--- A critic whose slope is held at 1: Gulrajani et al. 2017, with one step of each net.
nets.wgangp28 = { batch = 64, noise = { 128 }, data = { 1, 28, 28 }, loss = "wgan-gp",
  gflop = 45.1, adam = { lr = 1e-4, betas = { 0.5, 0.9 } },
  make = function()
    local G <const> = nn.Sequential { name = "G", input = { 128 },
      nn.Linear { 4 * 4 * 256, act = "relu" }, nn.Reshape { 256, 4, 4 },
      up(128, 5, 2, 2, { act = "relu" }),
      up(64, 5, 2, 2, { act = "relu", output_padding = 1 }),
      up(1, 5, 2, 2, { act = "tanh", output_padding = 1 }) }
    local D <const> = nn.Sequential { name = "D", input = { 1, 28, 28 },
      down(64, 5, 2, 2, { act = leaky }), down(128, 5, 2, 2, { act = leaky }),
      down(256, 5, 2, 2, { act = leaky }), "flatten", nn.Linear { 1 } }
    return G, D
  end }

local function critic_block(c, halves)                 -- n,c',h,w becomes n,c,h,w or half
  local bounded <const> = { spectral = true }
  return nn.Module {
    main = { "relu", down(c, 3, 1, 1, bounded), "relu", down(c, 3, 1, 1, bounded) },
    skip = down(c, 1, 1, 0, bounded),
    forward = function(m, x)
      local y <const> = m.main(x) + m.skip(x)
      return halves and y:avg_pool2d(2) or y
    end }
end

local function generator_block(c)                      -- n,c,h,w becomes n,c,2h,2w
  return nn.Module {
    main = { nn.BatchNorm {}, "relu", { "upsample", 2 }, down(c, 3, 1, 1),
             nn.BatchNorm {}, "relu", down(c, 3, 1, 1) },
    skip = { { "upsample", 2 }, down(c, 1, 1, 0) },
    forward = function(m, x) return m.main(x) + m.skip(x) end }
end

--- Residual nets with spectral normalization on 32 x 32 in color: Miyato et al. 2018.
nets.sngan32 = { batch = 64, noise = { 128 }, data = { 3, 32, 32 }, loss = "hinge",
  gflop = 106.5, adam = { lr = 2e-4, betas = { 0, 0.9 } },
  make = function()
    local c <const> = 64
    local G <const> = nn.Sequential { name = "G", input = { 128 },
      nn.Linear { 4 * 4 * c }, nn.Reshape { c, 4, 4 },
      generator_block(c), generator_block(c), generator_block(c),
      nn.BatchNorm {}, "relu", down(3, 3, 1, 1, { act = "tanh" }) }
    local D <const> = nn.Sequential { name = "D", input = { 3, 32, 32 },
      critic_block(c, true), critic_block(c, true), critic_block(c, false), "relu",
      function(x) return x:sum { 3, 4 } end, nn.Linear { 1, spectral = true } }
    return G, D
  end }

return nets

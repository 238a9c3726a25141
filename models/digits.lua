-- digits.lua - handwritten digits from a convolutional GAN (Radford et al. 2015).
--
--   lugano models/digits.lua                 the defaults: digits in one to two minutes
--   lugano models/digits.lua --epochs=5      sooner, rougher; --help lists the options
--
-- It learns from 4,500 handwritten digits of 28 x 28 pixels, which come with Lugano, and
-- leaves out/digits: a grid of samples for each pass, the losses, the nets.

local lg <const> = require "lugano"
local nn <const>, optim <const> = lg.nn, lg.optim

local opt <const> = lg.options {
  epochs = { 30, "passes over the data" },
  batch = { 64, "images in a step" },
  lr = { 4e-4, "learning rate of both optimizers" },
  noise = { 64, "numbers the generator starts from" },
  width = { 32, "channels of the widest image, times one and two" },
  seed = 1,
}

local init <const> = "normal 0.02"

local function up(c)                                   -- doubles height and width
  return nn.ConvTranspose2d { c, kernel = 4, stride = 2, padding = 1, init = init,
                              norm = "batch", act = "relu" }
end

local function down(c, norm)                           -- halves them
  return nn.Conv2d { c, kernel = 4, stride = 2, padding = 1, init = init,
                     norm = norm, act = { "leaky_relu", 0.2 } }
end

local G <const> = nn.Sequential { name = "G", input = { opt.noise },
  nn.Linear { 7 * 7 * 2 * opt.width, init = init, norm = "batch", act = "relu" },
  nn.Reshape { 2 * opt.width, 7, 7 },
  up(opt.width),                                       -- 14 x 14
  nn.ConvTranspose2d { 1, kernel = 4, stride = 2, padding = 1, init = init,
                       act = "tanh" } }

local D <const> = nn.Sequential { name = "D", input = { 1, 28, 28 },
  down(opt.width), down(2 * opt.width, "batch"), "flatten", nn.Linear { 1, init = init } }

local adam <const> = { lr = opt.lr, betas = { 0.5, 0.999 } }
local optG <const>, optD <const> = optim.Adam(G, adam), optim.Adam(D, adam)
local run <const> = lg.run("digits", opt, { G = G, D = D, optG = optG, optD = optD })
local fixed <const> = lg.randn(64, opt.noise)          -- the same 64 samples in each grid

-- Logistic losses on D's scores, without saturation for G (Goodfellow et al. 2014).
local function critic_loss(real, fake)
  return (-real):softplus():mean() + fake:softplus():mean()
end
local function generator_loss(fake) return (-fake):softplus():mean() end

for epoch = run.epoch, opt.epochs do
  for x in run:progress(lg.data.digits():batches(opt.batch)) do      -- x: n,1,28,28
    local fake <const> = G(lg.randn(#x, opt.noise))
    run:log { D = optD:minimize(critic_loss(D(x), D(fake))),
              G = optG:minimize(generator_loss(D(fake))) }
  end
  G:eval()
  run:image("samples", lg.no_grad(function() return G(fixed) end)):checkpoint()
  G:train()
end

print(("trained %d steps; the samples are in %s/samples"):format(run.step, run.folder))

-- digits.lua - handwritten digits from a convolutional GAN (Radford et al. 2015).
--
--   lugano models/digits.lua                 the defaults: digits in about two minutes
--   lugano models/digits.lua --epochs=10     sooner, rougher; --help lists the options
--
-- It learns from 4,500 handwritten digits of 28 x 28 pixels, which come with Lugano, and
-- leaves out/digits: a grid of samples for each pass, the losses, the nets.

local lg <const> = require "lugano"
local nn <const>, optim <const>, gan <const> = lg.nn, lg.optim, lg.gan

local opt <const> = lg.options {
  epochs = { 38, "passes over the data" },
  batch = { 64, "images in a step" },
  lr = { 1e-3, "learning rate of the generator; the critic's is 0.3 of it" },
  noise = { 32, "numbers the generator starts from" },
  width = { 32, "channels of the widest image, times one and two" },
  seed = 1,
}

local init <const> = "normal 0.02"
local leaky <const> = { "leaky_relu", 0.2 }

local function full(n, act)                            -- every input to every output
  return nn.Linear { n, init = init, norm = "batch", act = act }
end

local function up(c)                                   -- doubles height and width
  return nn.ConvTranspose2d { c, kernel = 4, stride = 2, padding = 1, init = init,
                              norm = "batch", act = "relu" }
end

local function down(c, norm)                           -- halves them
  return nn.Conv2d { c, kernel = 4, stride = 2, padding = 1, init = init,
                     norm = norm, act = leaky }
end

local G <const> = nn.Sequential { name = "G", input = { opt.noise },
  full(256, "relu"), full(256, "relu"), full(7 * 7 * 2 * opt.width, "relu"),
  nn.Reshape { 2 * opt.width, 7, 7 },
  up(opt.width),                                       -- 14 x 14
  nn.ConvTranspose2d { 1, kernel = 4, stride = 2, padding = 1, init = init,
                       act = "tanh" } }

-- The layer of 128 sees the whole image: the last one alone would only add up parts.
local D <const> = nn.Sequential { name = "D", input = { 1, 28, 28 },
  down(opt.width), down(2 * opt.width, "batch"), "flatten", full(128, leaky),
  nn.Linear { 1, init = init } }

local betas <const> = { 0.5, 0.999 }
local optG <const> = optim.Adam(G, { lr = opt.lr, betas = betas })
local optD <const> = optim.Adam(D, { lr = 0.3 * opt.lr, betas = betas })
local loss <const>, ema <const> = gan.loss "non_saturating", gan.ema(G, { decay = 0.995 })
local run <const> = lg.run("digits", opt, { G = G, D = D, optG = optG, optD = optD,
                                            ema = ema })
local fixed <const> = lg.randn(64, opt.noise)          -- the same 64 samples in each grid

for epoch = run.epoch, opt.epochs do
  -- From the middle on the steps grow smaller: strokes settle.
  local rate <const> = opt.lr * math.min(1, 2 * (1 - (epoch - 1) / opt.epochs))
  optG.lr, optD.lr = rate, 0.3 * rate
  for x in run:progress(lg.data.digits():batches(opt.batch)) do      -- x: n,1,28,28
    local fake <const> = G(lg.randn(#x, opt.noise))
    run:log { D = optD:minimize(loss.discriminator(D(x), D(fake))),
              G = optG:minimize(loss.generator(D(fake))) }
    ema:update()
  end
  run:image("samples", ema.model(fixed)):checkpoint()
end

print(("trained %d steps; the samples are in %s/samples"):format(run.step, run.folder))

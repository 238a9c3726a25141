-- cgan.lua - digits on demand: a conditional GAN (Mirza and Osindero 2014).
--
--   lugano models/cgan.lua                 about two minutes
--   lugano models/cgan.lua --epochs=10     sooner, rougher; --help lists the options
--
-- Both nets are told the digit, the critic by projection (Miyato and Koyama 2018). It
-- leaves out/cgan: column 1 of each picture has zeros, column 2 ones, and so on. The last
-- line counts the samples that are nearest to the mean of the digit that they should be.

local lg <const> = require "lugano"
local nn <const>, optim <const>, gan <const> = lg.nn, lg.optim, lg.gan

local opt <const> = lg.options {
  epochs = { 20, "passes over the data" },
  batch = { 64, "images in a step" },
  lr = { 1e-3, "learning rate of the generator; the critic's is 0.3 of it" },
  noise = { 32, "numbers the generator starts from" },
  width = { 32, "channels of the widest image" },
  seed = 1,
}
local classes <const> = 10
local init <const>, leaky <const> = "normal 0.02", { "leaky_relu", 0.2 }

local function up(c, norm, act)
  return nn.ConvTranspose2d { c, kernel = 4, stride = 2, padding = 1, init = init,
                              norm = norm, act = act }
end
local function down(c, norm)
  return nn.Conv2d { c, kernel = 4, stride = 2, padding = 1, init = init, norm = norm,
                     act = leaky }
end

local G <const> = nn.Module { name = "G", input = { { opt.noise }, "index" },
  digits = nn.Embedding { classes, 16 },
  body = nn.Sequential {
    nn.Linear { 256, init = init, norm = "batch", act = "relu" },
    nn.Linear { 7 * 7 * 2 * opt.width, init = init, norm = "batch", act = "relu" },
    nn.Reshape { 2 * opt.width, 7, 7 }, up(opt.width, "batch", "relu"),
    up(1, nil, "tanh") },
  forward = function(m, z, digit) return m.body(lg.cat({ z, m.digits(digit) }, 2)) end }

local D <const> = nn.Module { name = "D", input = { { 1, 28, 28 }, "index" },
  body = nn.Sequential {
    down(opt.width), down(2 * opt.width, "batch"), "flatten",
    nn.Linear { 128, init = init, norm = "batch", act = leaky } },
  head = nn.ProjectionHead { classes, init = init },
  forward = function(m, x, digit) return m.head(m.body(x), digit) end }

local betas <const> = { 0.5, 0.999 }
local optG <const> = optim.Adam(G, { lr = opt.lr, betas = betas })
local optD <const> = optim.Adam(D, { lr = 0.3 * opt.lr, betas = betas })
local loss <const>, ema <const> = gan.loss "non_saturating", gan.ema(G, { decay = 0.99 })
local run <const> = lg.run("cgan", opt, { G = G, D = D, optG = optG, optD = optD,
                                          ema = ema })
local digits <const> = lg.data.digits():labels_from(1)         -- label 1 is a zero
local wanted <const> = lg.arange(1, classes):tile(10)          -- 1, 2, ... 10, ten times
local fixed <const> = lg.randn(100, opt.noise)

for _ = run.epoch, opt.epochs do
  for x, digit in run:progress(digits:batches(opt.batch)) do   -- x: n,1,28,28; digit: n
    local fake <const> = G(lg.randn(#x, opt.noise), digit)
    run:log { D = optD:minimize(loss.discriminator(D(x, digit), D(fake, digit))),
              G = optG:minimize(loss.generator(D(fake, digit))) }
    ema:update()
  end
  run:image("samples", ema.model(fixed, wanted), { columns = classes }):checkpoint()
end

local x <const>, digit <const> = digits:batches(#digits)()
local is <const> = lg.one_hot(digit, classes)                  -- n,10
local sums <const> = is:transpose(1, 2):matmul(x:flatten())    -- 10,784
local means <const> = sums / is:sum(1):unsqueeze(2)
local y <const> = ema.model(fixed, wanted):reshape(100, 784)
local away <const> = (y:unsqueeze(2) - means:unsqueeze(1)):square():sum(3)     -- 100,10
print(("%d of 100 samples are nearest to the mean of their own digit"):format(
  away:argmin(2):eq(wanted):sum():item()))

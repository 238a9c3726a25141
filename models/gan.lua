-- gan.lua - the deeper fully connected GAN of many collections: 100-128-256-512-1024-784.
--
--   lugano models/gan.lua                  about two minutes
--   lugano models/gan.lua --epochs=20      sooner, rougher; --help lists the options
--
-- No convolutions: every layer sees the whole image. It leaves out/gan. The last line
-- tells how far apart the samples are, as a part of how far apart the digits are.

local lg <const> = require "lugano"
local nn <const>, optim <const>, gan <const> = lg.nn, lg.optim, lg.gan

local opt <const> = lg.options {
  epochs = { 60, "passes over the data" },
  batch = { 64, "images in a step" },
  lr = { 2e-4, "learning rate" },
  noise = { 100, "numbers the generator starts from" },
  penalty = { 10.0, "weight of R1: the critic must not learn the data by heart" },
  seed = 1,
}

local leaky <const> = { "leaky_relu", 0.2 }
local function full(n, norm) return nn.Linear { n, norm = norm, act = leaky } end

local G <const> = nn.Sequential { name = "G", input = { opt.noise },
  full(128), full(256, "batch"), full(512, "batch"), full(1024, "batch"),
  nn.Linear { 784, act = "tanh" }, nn.Reshape { 1, 28, 28 } }
local D <const> = nn.Sequential { name = "D", input = { 1, 28, 28 },
  "flatten", full(512), full(256), nn.Linear { 1 } }

local betas <const> = { 0.5, 0.999 }
local optG <const> = optim.Adam(G, { lr = opt.lr, betas = betas })
local optD <const> = optim.Adam(D, { lr = opt.lr, betas = betas })
local loss <const>, ema <const> = gan.loss "non_saturating", gan.ema(G, { decay = 0.99 })
local run <const> = lg.run("gan", opt, { G = G, D = D, optG = optG, optD = optD,
                                         ema = ema })
local fixed <const> = lg.randn(64, opt.noise)

for _ = run.epoch, opt.epochs do
  for x in run:progress(lg.data.digits():batches(opt.batch)) do        -- x: n,1,28,28
    local fake <const> = G(lg.randn(#x, opt.noise))
    local real_scores <const>, fake_scores <const> = D(x), D(fake)
    local critic <const> = loss.discriminator(real_scores, fake_scores)
                           + opt.penalty / 2 * gan.r1(D, x)
    run:log { D = optD:minimize(critic), G = optG:minimize(loss.generator(D(fake))),
              ["D(x)"] = real_scores:sigmoid():mean(),
              ["D(G(z))"] = fake_scores:sigmoid():mean() }
    ema:update()
  end
  run:image("samples", ema.model(fixed)):checkpoint()
end

print(("after %d steps the samples are %.2f as far apart as the digits"):format(
  run.step, gan.spread(ema.model(fixed)) / gan.spread((lg.data.digits():rows(64)))))

-- tutorial.lua - the first GAN of every beginner's article, made to work.
--   lugano models/tutorial.lua     half a minute; ten pictures in out/tutorial/samples
local lg <const> = require "lugano"
local nn <const>, optim <const>, gan <const> = lg.nn, lg.optim, lg.gan
local opt <const> = lg.options { epochs = 10, batch = 100, lr = 1e-3, seed = 1 }

local G <const> = nn.Sequential { name = "G", input = { 100 },
  nn.Linear { 128, act = "relu" }, nn.BatchNorm {}, nn.Linear { 784, act = "tanh" } }
local D <const> = nn.Sequential { name = "D", input = { 784 },
  nn.Linear { 128, act = "relu" }, nn.BatchNorm {}, nn.Linear { 1 } }

local falling <const> = optim.schedule.linear { from = opt.lr, to = 0, steps = 6000 }
local adam <const> = { lr = falling, betas = { 0.5, 0.999 } }
local optG <const>, optD <const> = optim.Adam(G, adam), optim.Adam(D, adam)
local loss <const>, ema <const> = gan.loss "non_saturating", gan.ema(G, { decay = 0.998 })
local images <const> = lg.data.digits():stream(opt.batch)      -- again and again
local run <const> = lg.run("tutorial", opt, { G = G, D = D, optG = optG, optD = optD,
                                              ema = ema, images = images })
local fixed <const> = lg.randn(64, 100)

-- Real and fake as one batch: normalized each by itself, both would score the same.
local function scores(real, fake)
  return table.unpack(D(lg.cat { real, fake }):split(opt.batch))
end

for _ = run.epoch, opt.epochs do
  for _ in run:progress(600) do                        -- as many as a pass over MNIST
    local real <const>, fake <const> = images():flatten(), G(lg.randn(opt.batch, 100))
    local penalty <const> = gan.r1(function(x) return (scores(x, fake)) end, real)
    run:log { D = optD:minimize(loss.discriminator(scores(real, fake)) + 10 * penalty),
              G = optG:minimize(loss.generator(select(2, scores(real, fake)))) }
    ema:update()
  end
  run:image("samples", ema.model(fixed):reshape(64, 1, 28, 28)):checkpoint()
end
print(("tutorial: %d steps, the pictures are in %s/samples"):format(run.step, run.folder))

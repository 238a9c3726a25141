-- dcgan.lua - the deep convolutional GAN (Radford et al. 2015), for 28 and 64 pixels.
--
--   lugano models/dcgan.lua                          28 x 28 digits: five minutes
--   lugano models/dcgan.lua --size=64 --epochs=10    64 x 64: about half an hour
--   lugano models/dcgan.lua --size=64 --folder=DIR   your own pictures, PNG or JPEG
--
-- The paper's recipe: strided convolutions and no pooling, batch norm in both nets but
-- not at their ends, weights from N(0, 0.02), Adam 2e-4 with beta 0.5. It leaves
-- out/dcgan. The last line tells how far apart the samples are, as a part of how far
-- apart the pictures are. --help lists the options.

local lg <const> = require "lugano"
local nn <const>, optim <const>, gan <const> = lg.nn, lg.optim, lg.gan

local opt <const> = lg.options {
  size = { 28, "pixels of a side: 28 or 64" },
  folder = { "", "of pictures; the digits if there is none" },
  epochs = { 25, "passes over the data" },
  batch = { 64, "images in a step" },
  lr = { 2e-4, "learning rate" },
  noise = { 100, "numbers the generator starts from" },
  width = { 64, "channels of the widest image" },
  seed = 1,
}

local data <const> = opt.folder == "" and lg.data.digits():resize(opt.size)
                     or lg.data.folder(opt.folder, { size = opt.size })
local channels <const> = data.shape[2]
local doublings <const> = opt.size == 64 and 4 or 2    -- from 4 x 4, or from 7 x 7
local start <const>, most <const> = opt.size >> doublings, opt.width << (doublings - 1)

local init <const> = "normal 0.02"
local function up(c, norm, act)
  return nn.ConvTranspose2d { c, kernel = 4, stride = 2, padding = 1, init = init,
                              norm = norm, act = act }
end
local function down(c, norm)
  return nn.Conv2d { c, kernel = 4, stride = 2, padding = 1, init = init, norm = norm,
                     act = { "leaky_relu", 0.2 } }
end

local G <const> = nn.Sequential { name = "G", input = { opt.noise },
  nn.Linear { start * start * most, init = init, norm = "batch", act = "relu" },
  nn.Reshape { most, start, start },
  nn.Repeat(doublings - 1, function(i) return up(most >> i, "batch", "relu") end),
  up(channels, nil, "tanh") }
local D <const> = nn.Sequential { name = "D", input = { channels, opt.size, opt.size },
  nn.Repeat(doublings, function(i)
    return down(opt.width << (i - 1), i > 1 and "batch" or nil)
  end),
  "flatten", nn.Linear { 1, init = init } }

local adam <const> = { lr = opt.lr, betas = { 0.5, 0.999 } }
local optG <const>, optD <const> = optim.Adam(G, adam), optim.Adam(D, adam)
local loss <const>, ema <const> = gan.loss "non_saturating", gan.ema(G, { decay = 0.99 })
local run <const> = lg.run("dcgan", opt, { G = G, D = D, optG = optG, optD = optD,
                                           ema = ema })
local fixed <const> = lg.randn(64, opt.noise)

for _ = run.epoch, opt.epochs do
  for x in run:progress(data:batches(opt.batch)) do    -- x: n,c,h,w
    local fake <const> = G(lg.randn(#x, opt.noise))
    local real_scores <const>, fake_scores <const> = D(x), D(fake)
    run:log { D = optD:minimize(loss.discriminator(real_scores, fake_scores)),
              G = optG:minimize(loss.generator(D(fake))),
              ["D(x)"] = real_scores:sigmoid():mean(),
              ["D(G(z))"] = fake_scores:sigmoid():mean() }
    ema:update()
  end
  run:image("samples", ema.model(fixed)):checkpoint()
end

print(("after %d steps the samples are %.2f as far apart as the pictures"):format(
  run.step, gan.spread(ema.model(fixed)) / gan.spread((data:rows(64)))))

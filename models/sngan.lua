-- sngan.lua - residual nets, spectral normalization, hinge loss (Miyato et al. 2018).
--
--   lugano models/sngan.lua                about five minutes
--   lugano models/sngan.lua --epochs=5     sooner, rougher; --help lists the options
--
-- Every weight of the critic is divided by its largest singular value, which bounds how
-- fast its score can change: it needs no penalty and no batch norm. The digits have 32 x
-- 32 pixels here. It leaves out/sngan. The last line tells how far apart the samples are,
-- as a part of how far apart the digits are.

local lg <const> = require "lugano"
local nn <const>, optim <const>, gan <const> = lg.nn, lg.optim, lg.gan

local opt <const> = lg.options {
  epochs = { 20, "passes over the data" },
  batch = { 64, "images in a step" },
  lr = { 5e-4, "learning rate" },
  noise = { 64, "numbers the generator starts from" },
  width = { 16, "channels of the widest image" },
  seed = 1,
}

local function conv(c, kernel, spectral)               -- keeps height and width
  return nn.Conv2d { c, kernel = kernel, padding = kernel // 2, spectral = spectral,
                     init = "xavier" }
end

-- A block adds what two convolutions make of x to x itself, resized the same way.
local function up_block(c)                             -- n,c',h,w becomes n,c,2h,2w
  return nn.Module {
    skip = conv(c, 1), norm1 = nn.BatchNorm {}, conv1 = conv(c, 3),
    norm2 = nn.BatchNorm {}, conv2 = conv(c, 3),
    forward = function(m, x)
      local h <const> = m.conv1(m.norm1(x):relu():upsample(2))
      return m.conv2(m.norm2(h):relu()) + m.skip(x:upsample(2))
    end }
end
local function down_block(c, first)                    -- n,c',h,w becomes n,c,h/2,w/2
  return nn.Module {
    skip = conv(c, 1, true), conv1 = conv(c, 3, true), conv2 = conv(c, 3, true),
    forward = function(m, x)
      local h <const> = m.conv1(first and x or x:relu()):relu()
      return m.conv2(h):avg_pool2d(2) + m.skip(x:avg_pool2d(2))
    end }
end

local w <const> = opt.width
local G <const> = nn.Sequential { name = "G", input = { opt.noise },
  nn.Linear { 4 * 4 * 2 * w }, nn.Reshape { 2 * w, 4, 4 },
  up_block(2 * w), up_block(w), up_block(w),
  nn.BatchNorm {}, "relu", conv(1, 3), "tanh" }
local D <const> = nn.Sequential { name = "D", input = { 1, 32, 32 },
  down_block(w, true), down_block(2 * w), down_block(2 * w), "relu",
  function(x) return x:sum { 3, 4 } end, nn.Linear { 1, spectral = true } }

local adam <const> = { lr = opt.lr, betas = { 0, 0.9 } }
local optG <const>, optD <const> = optim.Adam(G, adam), optim.Adam(D, adam)
local loss <const>, ema <const> = gan.loss "hinge", gan.ema(G, { decay = 0.99 })
local run <const> = lg.run("sngan", opt, { G = G, D = D, optG = optG, optD = optD,
                                           ema = ema })
local fixed <const>, data <const> = lg.randn(64, opt.noise), lg.data.digits():resize(32)

for _ = run.epoch, opt.epochs do
  for x in run:progress(data:batches(opt.batch)) do    -- x: n,1,32,32
    local fake <const> = G(lg.randn(#x, opt.noise))
    run:log { D = optD:minimize(loss.discriminator(D(x), D(fake))),
              G = optG:minimize(loss.generator(D(fake))) }
    ema:update()
  end
  run:image("samples", ema.model(fixed)):checkpoint()
end

print(("after %d steps the samples are %.2f as far apart as the digits"):format(
  run.step, gan.spread(ema.model(fixed)) / gan.spread((data:rows(64)))))

-- ring.lua - eight Gaussians on a ring: does a GAN find them all? (Metz et al. 2017)
--
--   lugano models/ring.lua                 about ten seconds
--   lugano models/ring.lua --modes=12      a harder ring; --help lists the options
--
-- Two small nets in two dimensions, so that every sample can be judged. It leaves
-- out/ring: pictures of 512 samples. The last line counts the modes that were found.

local lg <const> = require "lugano"
local nn <const>, optim <const>, gan <const> = lg.nn, lg.optim, lg.gan

local opt <const> = lg.options {
  epochs = { 10, "pictures" },
  each = { 500, "steps from one picture to the next" },
  batch = { 128, "points in a step" },
  lr = { 1e-3, "learning rate" },
  modes = { 8, "Gaussians on the ring" },
  penalty = { 0.05, "weight of R1, which keeps the nets from circling each other" },
  seed = 1,
}
local noise <const> = 16

local function net(name, input, out)
  return nn.Sequential { name = name, input = { input }, nn.Linear { 128, act = "relu" },
                         nn.Linear { 128, act = "relu" }, nn.Linear { out } }
end

local G <const>, D <const> = net("G", noise, 2), net("D", 2, 1)
local adam <const> = { lr = opt.lr, betas = { 0, 0.99 } }
local optG <const>, optD <const> = optim.Adam(G, adam), optim.Adam(D, adam)
local loss <const>, ema <const> = gan.loss "non_saturating", gan.ema(G, { decay = 0.99 })
local points <const> = lg.data.ring { 20000, modes = opt.modes, radius = 1 }
local stream <const> = points:stream(opt.batch)
local run <const> = lg.run("ring", opt, { G = G, D = D, optG = optG, optD = optD,
                                          ema = ema, stream = stream })
local fixed <const> = lg.randn(512, noise)

local function distances(a, b)                         -- a: n,2; b: m,2; gives n,m
  return (a:unsqueeze(2) - b:unsqueeze(1)):square():sum(3):sqrt()
end

-- A picture of points n,2: a pixel is the brighter, the more of them are near.
local side <const> = 96
local line <const> = lg.linspace(-1.4, 1.4, side)
local pixels <const> = lg.stack({ line:tile(side),
                                  line:unsqueeze(2):tile(1, side):flatten(1) }, 2)
local function picture(y)
  local light <const> = (distances(pixels, y) * -60):exp():sum(2)      -- 9216
  return ((light * -0.5):exp() * -2 + 1):reshape(1, 1, side, side)
end

for _ = run.epoch, opt.epochs do
  for _ in run:progress(opt.each) do
    local x <const>, fake <const> = stream(), G(lg.randn(opt.batch, noise))    -- 128,2
    local critic <const> = loss.discriminator(D(x), D(fake)) + opt.penalty * gan.r1(D, x)
    run:log { D = optD:minimize(critic), G = optG:minimize(loss.generator(D(fake))) }
    ema:update()
  end
  run:image("samples", picture(ema.model(fixed))):checkpoint()
end

local away <const> = distances(ema.model(lg.randn(2000, noise)), points.centers)
local good <const> = away:amin(2):lt(4 * points.std)           -- 2000: 1 where it is one
local hits <const> = lg.one_hot(away:argmin(2), opt.modes) * good:unsqueeze(2)
print(("%d of %d modes found, %.0f %% of the samples within 4 deviations of one"):format(
  hits:sum(1):gt(0):sum():item(), opt.modes, 100 * good:mean():item()))

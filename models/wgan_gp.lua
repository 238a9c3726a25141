-- wgan_gp.lua - a Wasserstein GAN with gradient penalty (Gulrajani et al. 2017).
--
--   lugano models/wgan_gp.lua              about three minutes
--   lugano models/wgan_gp.lua --epochs=9   sooner, rougher; --help lists the options
--
-- The critic's loss, negated, estimates how far the samples are from the digits: it falls
-- as they get better, which no other loss of a GAN does. The critic has no batch norm,
-- since the penalty is on the gradient of each sample by itself, and makes several steps
-- for each of the generator's. It leaves out/wgan_gp. The last line has the estimate.

local lg <const> = require "lugano"
local nn <const>, optim <const>, gan <const> = lg.nn, lg.optim, lg.gan

local opt <const> = lg.options {
  epochs = { 30, "passes over the data" },
  batch = { 64, "images in a step" },
  lr = { 1e-3, "learning rate of both nets" },
  critic = { 2, "steps of the critic for each of the generator's" },
  penalty = { 10.0, "weight of the gradient penalty" },
  noise = { 64, "numbers the generator starts from" },
  width = { 32, "channels of the widest image" },
  seed = 1,
}

local function up(c, norm, act)                        -- doubles height and width
  return nn.ConvTranspose2d { c, kernel = 4, stride = 2, padding = 1, norm = norm,
                              act = act }
end
local function down(c)                                 -- halves them
  return nn.Conv2d { c, kernel = 4, stride = 2, padding = 1, act = { "leaky_relu", 0.2 } }
end

local G <const> = nn.Sequential { name = "G", input = { opt.noise },
  nn.Linear { 7 * 7 * 2 * opt.width, norm = "batch", act = "relu" },
  nn.Reshape { 2 * opt.width, 7, 7 }, up(opt.width, "batch", "relu"), up(1, nil, "tanh") }
local D <const> = nn.Sequential { name = "D", input = { 1, 28, 28 },
  down(opt.width), down(2 * opt.width), "flatten",
  nn.Linear { 128, act = { "leaky_relu", 0.2 } }, nn.Linear { 1 } }

local adam <const> = { lr = opt.lr, betas = { 0, 0.9 } }
local optG <const>, optD <const> = optim.Adam(G, adam), optim.Adam(D, adam)
local loss <const>, ema <const> = gan.loss "wasserstein", gan.ema(G, { decay = 0.99 })
local run <const> = lg.run("wgan_gp", opt, { G = G, D = D, optG = optG, optD = optD,
                                             ema = ema })
local fixed <const> = lg.randn(64, opt.noise)

local distance                                         -- of the latest step
for _ = run.epoch, opt.epochs do
  for x in run:progress(lg.data.digits():batches(opt.batch)) do        -- x: n,1,28,28
    local fake <const> = lg.no_grad(function() return G(lg.randn(#x, opt.noise)) end)
    local critic <const> = loss.discriminator(D(x), D(fake))
    local penalty <const> = gan.gradient_penalty(D, x, fake)
    optD:minimize(critic + opt.penalty * penalty)
    distance = -critic:item()
    run:log { distance = distance, penalty = penalty }
    if run.step % opt.critic == 0 then
      run:log { G = optG:minimize(loss.generator(D(G(lg.randn(#x, opt.noise))))) }
      ema:update()
    end
  end
  run:image("samples", ema.model(fixed)):checkpoint()
end

print(("after %d steps the critic sees a distance of %.2f"):format(run.step, distance))

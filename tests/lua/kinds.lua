--- kinds.lua - six kinds of GAN, small enough to be run hundreds of times.
--
-- Each is a function that makes one anew: its objects for lg.run, its data, a step, which
-- returns what is to be logged, and a picture of what it has learnt.
local lg <const> = require "lugano"
local nn <const>, optim <const>, gan <const> = lg.nn, lg.optim, lg.gan

local kinds <const> = {}
local batch <const>, noise <const> = 8, 4
local leaky <const> = { "leaky_relu", 0.2 }

local function z() return lg.randn(batch, noise) end

--- 200 points on a ring: 25 batches.
local function ring()
  local angle <const> = lg.arange(200) * (2 * math.pi / 8)
  local points <const> = lg.stack({ angle:cos(), angle:sin() }, 2)
  return lg.data.tensor(points + 0.02 * lg.randn(200, 2))
end

--- 200 pictures of 8 x 8 with a bright quarter, and which one it is, from 1.
local function quarters()
  local rows <const>, labels <const> = {}, {}
  for i = 1, 200 do
    local k <const> = i % 4
    local picture <const> = {}
    for y = 1, 8 do
      picture[y] = {}
      for x = 1, 8 do
        picture[y][x] = ((y > 4 and 2 or 0) + (x > 4 and 1 or 0)) == k and 0.8 or -0.8
      end
    end
    rows[i], labels[i] = { picture }, k + 1
  end
  return lg.data.tensor(lg.tensor(rows) + 0.05 * lg.randn(200, 1, 8, 8),
                        lg.tensor(labels))
end

local function mlp(name, input, out)
  return nn.Sequential { name = name, input = { input }, nn.Linear { 16, act = leaky },
                         nn.Linear { 16, act = leaky }, nn.Linear { out } }
end

local function points_picture(G)
  return function()
    local fixed <const> = lg.linspace(-1, 1, 16 * noise):reshape(16, noise)
    return lg.no_grad(function() return G(fixed):reshape(16, 1, 1, 2) end)
  end
end

kinds[1] = { name = "ring", make = function()
  local G <const>, D <const> = mlp("G", noise, 2), mlp("D", 2, 1)
  local optG <const>, optD <const> = optim.Adam(G, { lr = 2e-3 }),
                                     optim.Adam(D, { lr = 2e-3 })
  local loss <const> = gan.loss "non_saturating"
  return { G = G, D = D, optG = optG, optD = optD }, ring(), function(x)
    local fake <const> = G(z())
    local real <const>, false_ <const> = D(x), D(fake)
    return { D = optD:minimize(loss.discriminator(real, false_)),
             G = optG:minimize(loss.generator(D(fake))),
             ["D(x)"] = real:sigmoid():mean(), ["D(G(z))"] = false_:sigmoid():mean() }
  end, points_picture(G)
end }

kinds[2] = { name = "dcgan", make = function()
  local G <const> = nn.Sequential { name = "G", input = { noise },
    nn.Linear { 8 * 4 * 4, norm = "batch", act = "relu" }, nn.Reshape { 8, 4, 4 },
    nn.ConvTranspose2d { 1, kernel = 4, stride = 2, padding = 1, act = "tanh" } }
  local D <const> = nn.Sequential { name = "D", input = { 1, 8, 8 },
    nn.Conv2d { 8, kernel = 4, stride = 2, padding = 1, norm = "batch", act = leaky },
    "flatten", { "dropout", 0.3 }, nn.Linear { 1 } }
  local betas <const> = { 0.5, 0.999 }
  local optG <const> = optim.Adam(G, { lr = 2e-3, betas = betas })
  local optD <const> = optim.Adam(D, { lr = 2e-3, betas = betas })
  return { G = G, D = D, optG = optG, optD = optD }, quarters(), function(x)
    local fake <const> = G(z())
    return { D = optD:minimize((-D(x)):softplus():mean() + D(fake):softplus():mean()),
             G = optG:minimize((-D(fake)):softplus():mean(), { clip_norm = 1 }) }
  end, function()
    return lg.no_grad(function() return G(lg.randn(16, noise)) end)
  end
end }

kinds[3] = { name = "wgan-gp", make = function()
  local G <const>, D <const> = mlp("G", noise, 2), mlp("D", 2, 1)
  local optG <const> = optim.Adam(G, { lr = 1e-3, betas = { 0, 0.9 } })
  local optD <const> = optim.RMSprop(D, { lr = 1e-3 })
  local loss <const>, steps = gan.loss "wasserstein", 0
  local count <const> = { state = function() return {} end, numbers = function(_, t)
    if t then steps = t.steps end
    return { steps = steps }
  end }
  return { G = G, D = D, optG = optG, optD = optD, count = count }, ring(), function(x)
    local fake <const> = G(z())
    local penalty <const> = gan.gradient_penalty(D, x, fake)
    steps = steps + 1
    return { D = optD:minimize(loss.discriminator(D(x), D(fake)) + 10 * penalty),
             GP = penalty,
             G = steps % 2 == 0 and optG:minimize(loss.generator(D(fake))) or nil }
  end, points_picture(G)
end }

kinds[4] = { name = "conditional", make = function()
  local G <const> = nn.Module { name = "G", input = { { noise }, "index" },
    classes = nn.Embedding { 4, 4 },
    body = nn.Sequential { nn.Linear { 16, norm = "batch", act = "relu" },
                           nn.Linear { 64, act = "tanh" }, nn.Reshape { 1, 8, 8 } },
    forward = function(m, x, label)
      return m.body(lg.cat({ x, m.classes(label) }, 2))
    end }
  local D <const> = nn.Module { name = "D", input = { { 1, 8, 8 }, "index" },
    body = nn.Sequential { nn.Linear { 16, act = leaky }, nn.Linear { 1 } },
    forward = function(m, x, label)
      return m.body(lg.cat({ x:reshape(#x, 64), lg.one_hot(label, 4) }, 2))
    end }
  local optG <const>, optD <const> = optim.Adam(G, { lr = 2e-3 }),
                                     optim.Adam(D, { lr = 2e-3 })
  local loss <const> = gan.loss("least_squares", { smoothing = 0.1 })
  local ema <const> = gan.ema(G, { decay = 0.9, rampup = 0.05 })
  local objects <const> = { G = G, D = D, optG = optG, optD = optD, ema = ema }
  return objects, quarters(), function(x, label)
    local fake <const> = G(z(), label)
    local losses <const> = {
      D = optD:minimize(loss.discriminator(D(x, label), D(fake, label))),
      G = optG:minimize(loss.generator(D(fake, label))) }
    ema:update(#x)
    optG.lr = optG.lr * 0.999
    return losses
  end, function()
    return ema.model(lg.randn(16, noise), lg.cat({ lg.ones(8), lg.full({ 8 }, 4) }, 1))
  end
end }

kinds[5] = { name = "spectral", make = function()
  local function block()
    return nn.Residual { "relu",
      nn.Conv2d { 4, kernel = 3, padding = 1, spectral = true } }
  end
  local G <const> = nn.Sequential { name = "G", input = { noise }, nn.Linear { 64 },
    nn.Reshape { 4, 4, 4 }, "relu", nn.ConvTranspose2d { 1, kernel = 4, stride = 2,
      padding = 1, act = "tanh" } }
  local D <const> = nn.Sequential { name = "D", input = { 1, 8, 8 },
    nn.Conv2d { 4, kernel = 4, stride = 2, padding = 1, spectral = true }, block(),
    "relu", "flatten", nn.Linear { 1, spectral = true } }
  local optG <const>, optD <const> = optim.Adam(G, { lr = 2e-3, betas = { 0, 0.9 } }),
                                     optim.AdamW(D, { lr = 2e-3, betas = { 0, 0.9 } })
  local loss <const>, ada <const> = gan.loss "hinge", gan.ada { images = 400, p = 0.1 }
  local objects <const> = { G = G, D = D, optG = optG, optD = optD, ada = ada }
  return objects, quarters(), function(x)
    local function T(images) return gan.diffaugment(ada(images), "translation,cutout") end
    local fake <const>, real <const> = G(z()), D(T(x))
    local losses <const> = { D = optD:minimize(loss.discriminator(real, D(T(fake)))) }
    ada:update(real)
    losses.G = optG:minimize(loss.generator(D(T(fake))))
    losses.p = ada.p
    return losses
  end, function() return lg.no_grad(function() return G(lg.randn(16, noise)) end) end
end }

kinds[6] = { name = "cycle", make = function()
  local A <const>, B <const> = mlp("A", 2, 2), mlp("B", 2, 2)
  local D <const> = mlp("D", 2, 1)
  local optG <const> = optim.Adam({ A, B }, { lr = 2e-3 })
  local optD <const> = optim.SGD(D, { lr = 1e-2, momentum = 0.9 })
  local loss <const>, pool <const> = gan.loss "hinge", gan.pool(20)
  local lecam <const> = gan.lecam { decay = 0.9 }
  local objects <const> = { A = A, B = B, D = D, optG = optG, optD = optD, pool = pool,
                            lecam = lecam }
  return objects, ring(), function(x)
    local from <const> = lg.randn(batch, 2)
    local fake <const> = A(from)
    local real <const>, false_ <const> = D(x), D(pool(fake))
    local cycle <const> = (B(fake) - from):abs():mean()
    return { D = optD:minimize(loss.discriminator(real, false_)
                               + 0.3 * lecam(real, false_)),
             G = optG:minimize(loss.generator(D(fake)) + 5 * cycle), cycle = cycle }
  end, function()
    return lg.no_grad(function() return A(lg.randn(16, 2)):reshape(16, 1, 1, 2) end)
  end
end }

return kinds

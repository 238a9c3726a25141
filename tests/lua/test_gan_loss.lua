--- test_gan_loss.lua - gan.loss: values by their formulas, gradients, far scores, errors.
local lg <const>, check <const> = require "lugano", require "check"
local gan <const> = lg.gan
local double <const> = lg.element == "double"
local tolerance <const> = double and 1e-13 or 1e-6

local real_scores <const>, fake_scores <const> = { 0.5, -1.25, 2 }, { -0.75, 0.25, 1.5 }
local real <const>, fake <const> = lg.tensor(real_scores), lg.tensor(fake_scores)

local function softplus(x)
  return math.max(x, 0) + math.log(1 + math.exp(-math.abs(x)))
end

local function relu(x) return math.max(x, 0) end

--- The mean of f over scores, alone or in pairs.
local function mean(f, a, b)
  local sum = 0
  for i, x in ipairs(a) do sum = sum + f(x, b and b[i]) end
  return sum / #a
end

local function minus(x) return -x end
local mr <const> = mean(function(x) return x end, real_scores)
local mf <const> = mean(function(x) return x end, fake_scores)

--- -log p and -log(1 - p) of the probability that a score stands for.
local function entropy(x) return softplus(-x) end
local function other_entropy(x) return softplus(x) end

local expected <const> = {
  minimax = { mean(entropy, real_scores) + mean(other_entropy, fake_scores),
              -mean(other_entropy, fake_scores) },
  non_saturating = { mean(entropy, real_scores) + mean(other_entropy, fake_scores),
                     mean(entropy, fake_scores) },
  least_squares = {
    mean(function(x) return (x - 1) ^ 2 / 2 end, real_scores)
      + mean(function(x) return x ^ 2 / 2 end, fake_scores),
    mean(function(x) return (x - 1) ^ 2 / 2 end, fake_scores) },
  wasserstein = { mf - mr, mean(minus, fake_scores) },
  hinge = { mean(function(x) return relu(1 - x) end, real_scores)
              + mean(function(x) return relu(1 + x) end, fake_scores),
            mean(minus, fake_scores) },
  relativistic = {
    mean(function(r, f) return softplus(f - r) end, real_scores, fake_scores),
    mean(function(r, f) return softplus(r - f) end, real_scores, fake_scores) },
  relativistic_averaged = {
    mean(function(x) return softplus(-(x - mf)) end, real_scores)
      + mean(function(x) return softplus(x - mr) end, fake_scores),
    mean(function(x) return softplus(x - mf) end, real_scores)
      + mean(function(x) return softplus(-(x - mr)) end, fake_scores) },
}
local names <const> = { "hinge", "least_squares", "minimax", "non_saturating",
                        "relativistic", "relativistic_averaged", "wasserstein" }

for _, name in ipairs(names) do
  check.case(name .. " has the values of its formulas, whatever the shape", function()
    local loss <const> = gan.loss(name)
    check.equal(loss.name, name)
    for _, shape in ipairs { { 3 }, { 3, 1 }, { 1, 1, 1, 3 } } do
      local r <const>, f <const> = real:reshape(shape), fake:reshape(shape)
      local d <const>, g <const> = loss.discriminator(r, f), loss.generator(f, r)
      check.equal(#d.shape, 0)
      check.close(d:item(), expected[name][1], tolerance)
      check.close(g:item(), expected[name][2], tolerance)
    end
  end)

  check.case(name .. " has gradients of two orders", function()
    if not double then check.skip "differences need double" end
    local loss <const> = gan.loss(name)
    lg.gradcheck(loss.discriminator, { real, fake })
    lg.gradcheck(loss.generator, { fake, real })
  end)

  check.case(name .. " stays finite for scores of 100, and its gradient right", function()
    local loss <const> = gan.loss(name)
    for _, far in ipairs { 100, -100, 1e4, -1e4 } do
      local r <const> = lg.full({ 2, 1 }, far):track()
      local f <const> = lg.full({ 2, 1 }, -far):track()
      for _, value in ipairs { loss.discriminator(r, f), loss.generator(f, r) } do
        check.equal(math.abs(value:item()) < 1e9, true, "finite: " .. value:item())
        local g <const> = lg.grad(value, { r, f }, { allow_unused = true })
        for _, slope in ipairs { g[1] or lg.zeros(1), g[2] or lg.zeros(1) } do
          check.equal(slope:abs():amax():item() <= 1e4 + 1, true, "a finite gradient")
        end
      end
    end
  end)
end

check.case("non_saturating is binary cross-entropy of logits", function()
  local loss <const> = gan.loss "non_saturating"
  local r <const>, f <const> = lg.randn(5, 1) * 3, lg.randn(7, 1) * 3
  local bce <const> = lg.bce_with_logits(r, lg.ones(5, 1))
    + lg.bce_with_logits(f, lg.zeros(7, 1))
  check.close(loss.discriminator(r, f):item(), bce:item(), tolerance)
  check.close(loss.generator(f):item(), lg.bce_with_logits(f, lg.ones(7, 1)):item(),
              tolerance)
end)

check.case("a score that is sure has a gradient still", function()
  local f <const> = lg.tensor { 20 }:track()
  local loss <const> = gan.loss "non_saturating".generator(f)
  check.close(loss:item() / math.exp(-20), 1, 1e-4)
  check.close(lg.grad(loss, f):item() / -math.exp(-20), 1, 1e-4)
end)

check.case("labels are smoothed on the real side alone", function()
  local loss <const> = gan.loss("minimax", { smoothing = 0.1 })
  local bce <const> = lg.bce_with_logits(real, lg.full({ 3 }, 0.9))
    + lg.bce_with_logits(fake, lg.zeros(3))
  check.close(loss.discriminator(real, fake):item(), bce:item(), tolerance)
  check.close(loss.generator(fake):item(), gan.loss "minimax".generator(fake):item(), 0)
  local squares <const> = gan.loss("least_squares", { smoothing = 0.25, fake = -1 })
  check.close(squares.discriminator(real, fake):item(),
              ((real - 0.5):square():mean() + (fake + 1):square():mean()):item() / 2,
              tolerance)
end)

check.case("least_squares takes Mao's three labels", function()
  local loss <const> = gan.loss("least_squares", { real = 2, fake = -1, target = 0.5 })
  check.close(loss.discriminator(real, fake):item(),
              ((real - 2):square():mean() + (fake + 1):square():mean()):item() / 2,
              tolerance)
  check.close(loss.generator(fake):item(), (fake - 0.5):square():mean():item() / 2,
              tolerance)
end)

check.case("labels are flipped by chance, a sample at a time, and by the seed", function()
  local all <const> = gan.loss("non_saturating", { flip = 1 })
  local plain <const> = gan.loss "non_saturating"
  check.close(all.discriminator(real, fake):item(),
              plain.discriminator(fake, real):item(), tolerance)
  local smooth <const> = gan.loss("minimax", { flip = 1, smoothing = 0.1 })
  check.close(smooth.discriminator(real, fake):item(),
              (lg.bce_with_logits(real, lg.zeros(3))
               + lg.bce_with_logits(fake, lg.full({ 3 }, 0.9))):item(), tolerance)
  local squares <const> = gan.loss("least_squares", { flip = 1, smoothing = 0.5 })
  check.close(squares.discriminator(real, fake):item(),
              (real:square():mean() + (fake - 0.5):square():mean()):item() / 2, tolerance)
  local some <const> = gan.loss("non_saturating", { flip = 0.25, smoothing = 0.1 })
  local r <const> = lg.full({ 4000, 1, 1, 2 }, 3):track()
  lg.seed(5)
  local g <const> = lg.grad(some.discriminator(r, fake), r)
  lg.seed(5)
  local again <const> = lg.grad(some.discriminator(r, fake), r)
  check.equal((g - again):abs():sum():item(), 0)
  check.equal((g:narrow(4, 1, 1) - g:narrow(4, 2, 1)):abs():sum():item(), 0)
  local flipped <const> = lg.gt(g * 8000, 0.5):mean():item()
  check.equal(math.abs(flipped - 0.25) < 0.03, true, ("a quarter: %g"):format(flipped))
end)

check.case("every function of the kit's files is there, and nothing else", function()
  local root <const> = os.getenv "LUGANO_SOURCE" or "."
  local written <const>, n = {}, 0
  local pipe <close> = io.popen(("cat '%s'/lua/lugano/gan_*.lua"):format(root))
  for line in pipe:lines() do
    local name <const> = line:match "^function gan%.([%w_]+)"
    if name then written[name] = true end
  end
  for name, f in pairs(gan) do
    check.equal(type(f), "function", name)
    check.equal(written[name], true, name)
    n = n + 1
  end
  for _ in pairs(written) do n = n - 1 end
  check.equal(n, 0, "functions that are not listed")
end)

local refused <const> = {
  { "gan.loss: there is no loss 'hing' (did you mean 'hinge'?); there are hinge, "
    .. "least_squares, minimax, non_saturating, relativistic, relativistic_averaged, "
    .. "wasserstein", function() gan.loss "hing" end },
  { "there is no loss 'wgan' (did you mean 'wasserstein'?)",
    function() gan.loss "wgan" end },
  { "gan.loss takes the name of a loss, as in gan.loss \"hinge\", not a nil",
    function() gan.loss() end },
  { "gan.loss 'hinge' has no labels, so that it takes no 'smoothing'; least_squares, "
    .. "minimax, non_saturating have them",
    function() gan.loss("hinge", { smoothing = 0.1 }) end },
  { "gan.loss 'minimax' has no option 'smothing' (did you mean 'smoothing'?)",
    function() gan.loss("minimax", { smothing = 0.1 }) end },
  { "gan.loss 'minimax' has no option 'real'; it takes smoothing, flip",
    function() gan.loss("minimax", { real = 1 }) end },
  { "gan.loss 'minimax': smoothing must be a number from 0 to below 1, not 1",
    function() gan.loss("minimax", { smoothing = 1 }) end },
  { "gan.loss 'minimax': flip must be a number from 0 to 1, not 'no'",
    function() gan.loss("minimax", { flip = "no" }) end },
  { "gan.loss 'hinge': discriminator takes scores, and the fake ones are no tensor but a "
    .. "nil", function() gan.loss "hinge".discriminator(real) end },
  { "gan.loss 'relativistic': generator needs the real scores, too: "
    .. "loss.generator(D(fake), D(x))",
    function() gan.loss "relativistic".generator(fake) end },
  { "gan.loss 'relativistic_averaged': generator needs the real scores, too",
    function() gan.loss "relativistic_averaged".generator(fake) end },
  { "gan.loss 'relativistic' compares scores in pairs, and the real ones are {3} and the "
    .. "fake ones {4}",
    function() gan.loss "relativistic".discriminator(real, lg.zeros(4)) end },
  { "there is no gan.los (did you mean 'loss'?)", function() return gan.los end },
}
for _, case in ipairs(refused) do
  check.case(case[1], function()
    local why <const> = check.raises(case[1], case[2])
    check.equal(why:find "^[^\n]*test_gan_loss%.lua:%d+: " ~= nil, true,
                "names the script's line: " .. why)
  end)
end

check.report()

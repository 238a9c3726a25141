--- gan_loss.lua - gan.loss(name): what discriminator and generator minimize.
--
-- Scores are what D returns, before any sigmoid, in any shape; losses are means. All
-- logarithms of sigmoids are written as softplus or as the cross-entropy of logits, which
-- neither overflow nor lose the digits of a score that is far off.

local core <const> = ...
local lg <const> = core.lg
local nearest <const>, check <const> = core.load "nearest", core.load "gan_check"
local gan <const> = {}

-- Labels of the losses that have them: smoothed on the side of the real (Salimans et al.
-- 2016), and now and then flipped, a label a sample.
local label_options <const> = {
  { "smoothing", 0, least = 0, below = 1 },
  { "flip", 0, least = 0, most = 1 },
}

--- For each sample `label`, or with the chance that is asked for `other`.
local function labels(scores, label, other, o)
  if o.flip == 0 then return label end
  local shape <const> = {}
  for i in ipairs(scores.shape) do shape[i] = i == 1 and #scores or 1 end
  return lg.lt(lg.rand(shape), o.flip) * (other - label) + label
end

local function entropy_discriminator(real, fake, o)
  local one <const> = 1 - o.smoothing
  return real:bce_with_logits(labels(real, one, 0, o))
    + fake:bce_with_logits(labels(fake, 0, one, o))
end

local function squares(scores, label) return scores:mse(label) / 2 end

local function wasserstein_generator(fake) return -fake:mean() end

local least_squares_options <const> = {
  { "real", 1 }, { "fake", 0 }, { "target", 1 }, table.unpack(label_options) }

-- also: what others call it, for the hint alone. compares: the generator's loss has the
-- real scores, too. paired: and so many of them as of the fake ones.
local losses <const> = {
  { name = "hinge", also = "geometric",
    doc = "relu(1 - D(x)) + relu(1 + D(G(z))), and -D(G(z)) for the generator (Lim and "
       .. "Ye 2017; Miyato et al. 2018).",
    discriminator = function(real, fake)
      return real:hinge(1) + fake:hinge(-1)
    end,
    generator = wasserstein_generator },
  { name = "least_squares", also = "lsgan", options = least_squares_options,
    doc = "Half the squared distance of the scores from the labels real and fake, and "
       .. "for the generator from target (Mao et al. 2017).",
    discriminator = function(real, fake, o)
      local b <const> = o.real + o.smoothing * (o.fake - o.real)
      return squares(real, labels(real, b, o.fake, o))
        + squares(fake, labels(fake, o.fake, b, o))
    end,
    generator = function(fake, _, o) return squares(fake, o.target) end },
  { name = "minimax", also = "saturating", options = label_options,
    doc = "-log sigmoid(D(x)) - log(1 - sigmoid(D(G(z)))), and for the generator "
       .. "log(1 - sigmoid(D(G(z)))), whose gradient vanishes where the discriminator is "
       .. "sure (Goodfellow et al. 2014, equation 1).",
    discriminator = entropy_discriminator,
    generator = function(fake) return -fake:softplus():mean() end },
  { name = "non_saturating", also = "bce_with_logits", options = label_options,
    doc = "As minimax for the discriminator, and -log sigmoid(D(G(z))) for the generator "
       .. "(Goodfellow et al. 2014, section 3): binary cross-entropy of logits.",
    discriminator = entropy_discriminator,
    generator = function(fake) return fake:bce_with_logits(1) end },
  { name = "relativistic", also = "rpgan", compares = true, paired = true,
    doc = "-log sigmoid(D(x) - D(G(z))), sample by sample, and the reverse for the "
       .. "generator (Jolicoeur-Martineau 2018; R3GAN, Huang et al. 2024).",
    discriminator = function(real, fake) return (fake - real):softplus():mean() end,
    generator = function(fake, real) return (real - fake):softplus():mean() end },
  { name = "relativistic_averaged", also = "ragan", compares = true,
    doc = "Cross-entropy of D(x) less the mean of D(G(z)) with the label 1 and of "
       .. "D(G(z)) less the mean of D(x) with 0, and the reverse for the generator "
       .. "(Jolicoeur-Martineau 2018).",
    discriminator = function(real, fake)
      return (fake:mean() - real):softplus():mean()
        + (fake - real:mean()):softplus():mean()
    end,
    generator = function(fake, real)
      return (real - fake:mean()):softplus():mean()
        + (real:mean() - fake):softplus():mean()
    end },
  { name = "wasserstein", also = "wgan",
    doc = "-D(x) + D(G(z)), and -D(G(z)) for the generator (Arjovsky et al. 2017); D "
       .. "needs a gradient penalty or clipped weights.",
    discriminator = function(real, fake) return fake:mean() - real:mean() end,
    generator = wasserstein_generator },
}
core.gan_losses = losses               -- for the manual

local function find_loss(name)
  if type(name) ~= "string" then
    core.fail("gan.loss takes the name of a loss, as in gan.loss \"hinge\", not %s",
              check.show(name))
  end
  local words <const>, meant <const> = {}, {}
  for _, loss in ipairs(losses) do
    if loss.name == name then return loss end
    words[#words + 1], words[#words + 2] = loss.name, loss.also
    meant[loss.name], meant[loss.also] = loss.name, loss.name
  end
  local word <const> = meant[name] and name or nearest(name, words)
  local names <const> = {}
  for i, loss in ipairs(losses) do names[i] = loss.name end
  core.fail("gan.loss: there is no loss '%s'%s; there are %s", name,
            word and (" (did you mean '%s'?)"):format(meant[word]) or "",
            table.concat(names, ", "))
end

--- Labels cannot be smoothed where there are none; this says which losses have them.
local function check_labeled(loss, options)
  for _, o in ipairs(label_options) do
    local given <const> = type(options) == "table" and options[o[1]] or o[2]
    if given ~= o[2] and not loss.options then
      local labeled <const> = {}
      for _, other in ipairs(losses) do
        if other.options then labeled[#labeled + 1] = other.name end
      end
      core.fail("gan.loss '%s' has no labels, so that it takes no '%s'; %s have them",
                loss.name, o[1], table.concat(labeled, ", "))
    end
  end
end

local function check_scores(loss, who, what, scores)
  if not core.is_tensor(scores) then
    core.fail("gan.loss '%s': %s takes scores, and the %s ones are no tensor but %s",
              loss.name, who, what, check.show(scores))
  end
end

local function check_pair(loss, who, real, fake)
  check_scores(loss, who, "real", real)
  check_scores(loss, who, "fake", fake)
  local r <const>, f <const> = check.shape(real), check.shape(fake)
  if loss.paired and r ~= f then
    core.fail("gan.loss '%s' compares scores in pairs, and the real ones are %s and the "
              .. "fake ones %s", loss.name, r, f)
  end
end

--- The two sides of a GAN's loss, by name.
--
-- minimax, non_saturating, least_squares, wasserstein, hinge, relativistic (paired) and
-- relativistic_averaged. Scores are logits, tensors of any shape; what comes back is a
-- scalar to minimize, the mean over all scores of each kind.
--
--     local loss = gan.loss "hinge"
--     optD:minimize(loss.discriminator(D(x), D(fake)))
--     optG:minimize(loss.generator(D(fake)))             relativistic: D(fake), D(x)
--
-- Options of minimax, non_saturating and least_squares: smoothing = 0, how much the label
-- of the real comes toward that of the fake, 0.1 say (Salimans et al. 2016), and flip =
-- 0, the chance that a sample's label is exchanged; both for the discriminator alone. Of
-- least_squares, too: real = 1, fake = 0, target = 1 (Mao's b, a and c).
---@param name string
---@param options table  smoothing, flip, real, fake, target
---@return table  { name =, discriminator = f(real, fake), generator = f(fake, real) }
function gan.loss(name, options)
  local loss <const> = find_loss(name)
  check_labeled(loss, options)
  local who <const> = ("gan.loss '%s'"):format(loss.name)
  local o <const> = check.options(who, loss.options or label_options, options)
  local function discriminator(real, fake)
    check_pair(loss, "discriminator", real, fake)
    return loss.discriminator(real, fake, o)
  end
  local function generator(fake, real)
    check_scores(loss, "generator", "fake", fake)
    if loss.compares and real == nil then
      core.fail("gan.loss '%s': generator needs the real scores, too: "
                .. "loss.generator(D(fake), D(x))", loss.name)
    end
    if loss.compares then check_pair(loss, "generator", real, fake) end
    return loss.generator(fake, real, o)
  end
  return { name = loss.name, discriminator = discriminator, generator = generator }
end

return gan

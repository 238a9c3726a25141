--- gan_penalty.lua - penalties on the slope of D: WGAN-GP, R1, R2, DRAGAN.
--
-- Each returns a mean over the batch, a scalar with a history, and without its weight:
-- the script says that, `loss + 10 * gan.gradient_penalty(D, x, fake)`. A norm is that of
-- all numbers of a sample: taken over one axis of images it would be another penalty.

local core <const> = ...
local lg <const> = core.lg
local sorted_keys <const> = core.load "keys"
local check <const> = core.load "gan_check"
local gan <const> = {}

local weights <const> = { weight = true, lambda = true, gamma = true }

--- A weight is asked for by habit: the message says where it belongs.
local function read_options(who, known, first, ...)
  if type(first) == "table" and getmetatable(first) == nil then
    for _, key in ipairs(sorted_keys(first)) do
      if weights[key] then
        core.fail("%s has no option '%s'; multiply the result: loss + 10 * %s(...)", who,
                  key, who)
      end
    end
  end
  return check.leading_options(who, known, first, ...)
end

--- The gradients of D's scores by samples x {n,...}, a row for each: {n,numbers}. The
-- samples are taken as they are: no gradient flows to what made them.
local function slopes(who, D, x, ...)
  if not core.recording() then
    core.fail("%s needs the history of D, and lg.no_grad keeps none", who)
  end
  x = x:track()
  local scores <const> = D(x, ...)
  check.tensor(who, "what D returns", scores)
  if scores.shape[1] ~= x.shape[1] then
    core.fail("%s: D gave %s for %d samples; it must give a score, or a map of them, for "
              .. "each", who, check.shape(scores), #x)
  end
  return lg.grad(scores:sum(), x, { create_graph = true }):reshape { #x, -1 }
end

local function check_samples(who, what, D, x)
  check.callable(who, "D", D)
  check.tensor(who, what, x)
  if #x.shape == 0 or x:numel() == 0 then
    core.fail("%s: %s must have samples, and is %s", who, what, check.shape(x))
  end
end

--- A number for each sample of x, to be multiplied with it: {n,1,...}.
local function rand_each(x)
  local shape <const> = {}
  for i in ipairs(x.shape) do shape[i] = i == 1 and #x or 1 end
  return lg.rand(shape)
end

local distance_options <const> = {
  { "target", 1, least = 0 }, { "one_sided", false, kind = "flag" } }

--- The mean of (|slope| - target)^2, or of what is above target.
local function distance(g, o)
  local excess <const> = g:norm(2) - o.target
  return (o.one_sided and excess:relu() or excess):square():mean()
end

--- The gradient penalty of WGAN-GP (Gulrajani et al. 2017): the mean over the samples of
-- (|the gradient of D at x| - target)^2, where each x is at a random place between a real
-- sample and a fake one. The norm is over all axes of a sample. No gradient flows to
-- fake.
--
--     optD:minimize(loss.discriminator(D(x), D(fake))
--                   + 10 * gan.gradient_penalty(D, x, fake))
--
-- Options: target = 1 (0: Thanh-Tung et al. 2019); one_sided = false, true to punish only
-- what is steeper than target (Petzka et al. 2018). Further arguments, labels say, follow
-- the options or stand in their place, and are handed to D.
---@param D any           a net or a function: samples to scores, {n,...}
---@param real lugano.Tensor  {n,...}
---@param fake lugano.Tensor  of the same shape
---@param ... any         options, and what else D takes
---@return lugano.Tensor
function gan.gradient_penalty(D, real, fake, ...)
  local who <const> = "gan.gradient_penalty"
  local function run(o, ...)
    check_samples(who, "real", D, real)
    check.pair(who, "real", real, "fake", fake)
    local a <const>, b <const> = real:detach(), fake:detach()
    return distance(slopes(who, D, b + (a - b) * rand_each(a), ...), o)
  end
  return run(read_options(who, distance_options, ...))
end

local function square_slope(who, what, D, x, ...)
  local function run(_, ...)
    check_samples(who, what, D, x)
    return slopes(who, D, x, ...):square():sum(2):mean()
  end
  return run(read_options(who, {}, ...))
end

--- R1 (Mescheder et al. 2018): the mean over the real samples of |the gradient of D|^2,
-- without the factor gamma / 2 of the paper, `loss + gamma / 2 * gan.r1(D, x)`. The norm
-- is over all axes of a sample.
---@param D any           a net or a function: samples to scores, {n,...}
---@param real lugano.Tensor  {n,...}
---@param ... any         what else D takes: labels
---@return lugano.Tensor
function gan.r1(D, real, ...) return square_slope("gan.r1", "real", D, real, ...) end

--- R2 (Mescheder et al. 2018): R1 at fake samples. No gradient flows to what made them.
---@param D any           a net or a function: samples to scores, {n,...}
---@param fake lugano.Tensor  {n,...}
---@param ... any         what else D takes: labels
---@return lugano.Tensor
function gan.r2(D, fake, ...) return square_slope("gan.r2", "fake", D, fake, ...) end

local dragan_options <const> = {
  { "noise", 0.5, least = 0 }, table.unpack(distance_options) }

--- The penalty of DRAGAN (Kodali et al. 2017): the mean of (|the gradient of D at x| -
-- target)^2 round the real samples: at x + a noise s u, where s is the standard deviation
-- of all numbers of the batch, u is uniform from 0 to 1 for each number and a for each
-- sample, as in its authors' program. DRAGAN's weight is 10.
--
-- Options: noise = 0.5, target = 1, one_sided = false; further arguments are for D.
---@param D any           a net or a function: samples to scores, {n,...}
---@param real lugano.Tensor  {n,...}
---@param ... any         options, and what else D takes
---@return lugano.Tensor
function gan.dragan(D, real, ...)
  local who <const> = "gan.dragan"
  local function run(o, ...)
    check_samples(who, "real", D, real)
    local x <const> = real:detach()
    local spread <const> = x:std { correction = 0 } * o.noise
    local near <const> = x + spread * lg.rand(x.shape) * rand_each(x)
    return distance(slopes(who, D, near, ...), o)
  end
  return run(read_options(who, dragan_options, ...))
end

return gan

--- gan_consistency.lua - gan.consistency: D shall say the same of augmented samples.

local core <const> = ...
local check <const> = core.load "gan_check"
local diffaugment <const> = core.load("gan_diffaugment").diffaugment
local gan <const> = {}

--- Consistency regularization (Zhang et al. 2020): the mean of (D(x) - D(T(x)))^2, where
-- T is an augmentation that keeps the meaning. With the real samples it is CR, weighted
-- by 10 in the paper; bCR (Zhao et al. 2021) adds that of the fake ones. No gradient
-- flows to what made x.
--
--     loss + 10 * gan.consistency(D, x, T) + 10 * gan.consistency(D, fake, T)
---@param D any           a net or a function: samples to scores
---@param x lugano.Tensor  {n,...}
---@param augment any     a function of x, or a policy of gan.diffaugment; "translation"
-- if it isn't given
---@param ... any         what else D takes: labels
---@return lugano.Tensor
function gan.consistency(D, x, augment, ...)
  local who <const> = "gan.consistency"
  check.callable(who, "D", D)
  check.tensor(who, "x", x)
  x = x:detach()
  augment = augment == nil and "translation" or augment
  local changed
  if type(augment) == "string" then
    changed = diffaugment(x, augment)
  else
    check.callable(who, "augment", augment)
    changed = augment(x)
    check.tensor(who, "what augment returns", changed)
  end
  local plain <const>, other <const> = D(x, ...), D(changed, ...)
  check.pair(who, "D(x)", plain, "D of the augmented", other)
  return (plain - other):square():mean()
end

return gan

--- gan_lecam.lua - gan.lecam: scores held near the moving averages of the other side's.

local core <const> = ...
local lg <const> = core.lg
local check <const> = core.load "gan_check"
local gan <const> = {}

local LeCam <const> = { __name = "lugano.lecam" }
LeCam.__index = LeCam

local known <const> = {
  { "decay", 0.99, least = 0, below = 1 },
  { "start", 0, kind = "whole", least = 0 },
  { "one_sided", false, kind = "flag" },
}
local names <const> = { "real", "fake", "steps" }

--- Moves an average toward a mean; not toward one that is no number.
local function follow(average, mean, keep)
  if mean ~= mean or mean == math.huge or mean == -math.huge then return average end
  return average + (mean - average) * (1 - keep)
end

--- Counts scores real and fake in the averages, and gives the penalty: a scalar.
---@param real lugano.Tensor  D's scores of real samples
---@param fake lugano.Tensor  D's scores of fake samples
---@return lugano.Tensor
function LeCam:penalty(real, fake)
  check.tensor("gan.lecam", "real", real)
  check.tensor("gan.lecam", "fake", fake)
  local o <const> = self.options
  local keep <const> = (self.steps < 1 or self.steps < o.start) and 0 or o.decay
  self.real = follow(self.real, real:detach():mean():item(), keep)
  self.fake = follow(self.fake, fake:detach():mean():item(), keep)
  self.steps = self.steps + 1
  if self.steps <= o.start then return lg.tensor(0) end
  local above <const>, below <const> = real - self.fake, self.real - fake
  if o.one_sided then
    return above:relu():square():mean() + below:relu():square():mean()
  end
  return above:square():mean() + below:square():mean()
end

LeCam.__call = LeCam.penalty

--- Nothing but numbers is kept.
function LeCam:state() return {} end

--- What a checkpoint keeps, { real =, fake =, steps = }; with such a table, sets it.
function LeCam:numbers(numbers)
  if numbers then check.set_numbers("gan.lecam", self, names, numbers) end
  return { real = self.real, fake = self.fake, steps = self.steps }
end

--- The regularization of LeCam-GAN, for few data (Tseng et al. 2021): the mean of (D(x) -
-- the moving average of D(G(z)))^2 plus that of (D(G(z)) - the moving average of D(x))^2.
-- An object to be called with the scores at each update of D, and to be given to lg.run.
--
--     local lecam = gan.lecam { decay = 0.99 }
--     local real, fake = D(x), D(G(z))
--     optD:minimize(loss.discriminator(real, fake) + 0.3 * lecam(real, fake))
--
-- Options: decay = 0.99, of the averages, which begin with the first scores; start = 0, a
-- number of updates during which the averages are the latest means and the penalty is 0;
-- one_sided = false, true to punish only scores that are too sure, real ones above and
-- fake ones below, as the authors' program does.
---@param options table  decay, start, one_sided
---@return lugano.LeCam
function gan.lecam(options)
  local lecam <const> = { options = check.options("gan.lecam", known, options),
                          real = 0.0, fake = 0.0, steps = 0 }
  return core.load "unsaved".note(setmetatable(lecam, LeCam), "gan.lecam")
end

return gan

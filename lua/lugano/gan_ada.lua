--- gan_ada.lua - gan.ada: augmentation that adapts to how much D learns by heart.

local core <const> = ...
local lg <const> = core.lg
local check <const> = core.load "gan_check"
local geometry <const>, color <const> = core.load "gan_geometry", core.load "gan_color"
local gan <const> = {}

local Ada <const> = { __name = "lugano.ada" }
Ada.__index = Ada

-- What a policy may name: all steps, each once, and their groups.
local step_names <const>, groups <const> = {}, {}
for _, ops in ipairs { geometry.ops, color.ops, color.pixel_ops } do
  local seen <const> = {}
  for _, op in ipairs(ops) do
    if not seen[op.name] then
      seen[op.name] = true
      step_names[#step_names + 1] = op.name
      groups[op.group] = groups[op.group] or {}
      table.insert(groups[op.group], op.name)
    end
  end
end

local known <const> = {
  { "policy", "blit,geom,color", kind = "text" },
  { "p", 0, least = 0, most = 1 },
  { "target", 0.6, least = -1, most = 1 },
  { "images", 500000, kind = "whole", least = 1 },
  { "every", 4, kind = "whole", least = 1 },
}
local names <const> = { "p", "signs", "scores", "images", "updates" }

--- Augments images, with the chance p for each step of the policy; differentiable.
---@param x lugano.Tensor  {n,c,h,w}
---@return lugano.Tensor   of the shape of x
function Ada:augment(x)
  check.images("gan.ada", x)
  color.check(x, self.on)              -- now, not when p first leaves 0
  if self.p == 0 or #x == 0 then return x end
  x = geometry.run(x, self.on, self.p)
  x = color.run(x, self.on, self.p)
  return color.run_pixels(x, self.on, self.p)
end

Ada.__call = Ada.augment

--- Counts the signs of D's scores of augmented real samples, one update's, and every few
-- updates moves p: up where their mean is above the target, else down.
---@param scores lugano.Tensor  {n,...}
---@return number  p
function Ada:update(scores)
  check.tensor("gan.ada: update", "scores", scores)
  if #scores.shape == 0 or #scores == 0 then
    core.fail("gan.ada: update takes the scores of a batch, and got %s",
              check.shape(scores))
  end
  local o <const> = self.options
  local sum <const> = scores:detach():sign():sum():item()
  if sum == sum then
    self.signs, self.scores = self.signs + sum, self.scores + scores:numel()
  end
  self.images, self.updates = self.images + #scores, self.updates + 1
  if self.updates % o.every == 0 and self.scores > 0 then
    local excess <const> = self.signs / self.scores - o.target
    local way <const> = excess > 0 and 1 or excess < 0 and -1 or 0
    self.p = math.max(0, math.min(1, self.p + way * self.images / o.images))
    self.signs, self.scores, self.images = 0, 0, 0
  end
  return self.p
end

--- Nothing but numbers is kept.
function Ada:state() return {} end

--- What a checkpoint keeps: p, and what was counted since it moved; with such a table,
-- sets it.
function Ada:numbers(numbers)
  if numbers then check.set_numbers("gan.ada", self, names, numbers) end
  local all <const> = {}
  for _, name in ipairs(names) do all[name] = self[name] end
  return all
end

function Ada:__tostring() return ("gan.ada, p = %.3f"):format(self.p) end

--- Adaptive discriminator augmentation (Karras et al. 2020): an object that is called
-- with images and augments them, each step with the chance `ada.p`, and `ada:update(D's
-- scores of the real ones)` after each update of D, which raises p where D is too sure of
-- the real. All that D sees is augmented, in both players' updates. Gradients flow
-- through, of any order, R1's among them. To be given to lg.run.
--
--     local ada = gan.ada { images = 100000 }
--     local real = D(ada(x))
--     optD:minimize(loss.discriminator(real, D(ada(fake))))
--     ada:update(real)
--     optG:minimize(loss.generator(D(ada(fake))))
--
-- The policy names steps, or groups of them: blit (xflip, rotate90, xint, a translation
-- by whole pixels), geom (scale, rotate, aniso, xfrac, a translation), color (brightness,
-- contrast, lumaflip, hue, saturation, of which the last two leave gray images alone),
-- and corrupt (noise, cutout). Strengths are the paper's. Options: policy =
-- "blit,geom,color"; p = 0, to begin with; target = 0.6, the mean sign to hold; images =
-- 500000, how many real ones p takes from 0 to 1; every = 4, updates of D between changes
-- of p.
---@param options table  policy, p, target, images, every
---@return lugano.Ada
function gan.ada(options)
  local who <const> = "gan.ada"
  local o <const> = check.options(who, known, options)
  local ada <const> = { options = o, on = check.policy(who, o.policy, step_names, groups),
                        p = o.p, signs = 0, scores = 0, images = 0, updates = 0 }
  return core.load "unsaved".note(setmetatable(ada, Ada), who)
end

return gan

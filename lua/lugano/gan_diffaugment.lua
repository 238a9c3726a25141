--- gan_diffaugment.lua - gan.diffaugment(x, "color,translation,cutout").
--
-- "Differentiable Augmentation for Data-Efficient GAN Training" (Zhao et al. 2020). What
-- D sees, real and fake, is augmented in every update of D and of G, and gradients flow
-- through. Everything is linear in x or affine, so it is differentiable any number of
-- times.

local core <const> = ...
local lg <const> = core.lg
local check <const> = core.load "gan_check"
local gan <const> = {}

--- A number for each image, uniform from low to high: {n,1,1,1}.
local function rand_each(x, low, high)
  return lg.rand(#x, 1, 1, 1) * (high - low) + low
end

--- A whole number for each image, low to high: {n,1,1,1}.
local function randint_each(x, low, high) return lg.randint(low, high, #x, 1, 1, 1) end

--- Brightness by -0.5 .. 0.5, saturation by 0 .. 2, contrast by 0.5 .. 1.5.
local function color(x)
  x = x + rand_each(x, -0.5, 0.5)
  if x:size(2) > 1 then
    local gray <const> = x:mean(2, true)                             -- n,1,h,w
    x = gray + (x - gray) * rand_each(x, 0, 2)
  end
  local level <const> = x:mean({ 2, 3, 4 }, true)                    -- n,1,1,1
  return level + (x - level) * rand_each(x, 0.5, 1.5)
end

--- How many pixels a share of a size is.
local function pixels(size, share) return math.floor(size * share + 0.5) end

--- Places of all pixels for grid_sample, from -1 to 1: {1,1,w} and {1,h,1}.
local function places(h, w)
  local across <const> = (lg.arange(w) * 2 - 1) / w - 1
  local down <const> = (lg.arange(h) * 2 - 1) / h - 1
  return across:reshape(1, 1, w), down:reshape(1, h, 1)
end

--- Moves each image by whole pixels; zeros come in.
local function translation(x, o)
  local n <const>, h <const>, w <const> = #x, x:size(3), x:size(4)
  local most_h <const> = pixels(h, o.translation)
  local most_w <const> = pixels(w, o.translation)
  local down <const> = randint_each(x, -most_h, most_h):reshape(n, 1, 1)
  local right <const> = randint_each(x, -most_w, most_w):reshape(n, 1, 1)
  local across <const>, along <const> = places(h, w)
  local grid <const> = lg.stack({ (across + right * (2 / w)):expand(n, h, w),
                                  (along + down * (2 / h)):expand(n, h, w) }, 4)
  return lg.grid_sample(x, grid, "nearest")
end

--- 1 for each index of an axis within `size` from start on, a start an image.
local function inside(length, shape, start, size)
  local index <const> = lg.arange(length):reshape(shape)
  return lg.ge(index, start) * lg.lt(index, start + size)
end

--- Makes a rectangle of each image zero; part of it may lie outside.
local function cutout(x, o)
  local h <const>, w <const> = x:size(3), x:size(4)
  local size_h <const>, size_w <const> = pixels(h, o.cutout), pixels(w, o.cutout)
  local top <const> = randint_each(x, 1, h + 1 - size_h % 2) - size_h // 2
  local left <const> = randint_each(x, 1, w + 1 - size_w % 2) - size_w // 2
  local rows <const> = inside(h, { 1, 1, h, 1 }, top, size_h)
  local columns <const> = inside(w, { 1, 1, 1, w }, left, size_w)
  return x * (1 - rows * columns)                                    -- n,1,h,w
end

local order <const> = { "color", "translation", "cutout" }
local steps <const> = { color = color, translation = translation, cutout = cutout }
local known <const> = { { "translation", 0.125, least = 0, below = 1 },
                        { "cutout", 0.5, least = 0, most = 1 } }

--- Augments images, each in its own way, so that D learns little of them by heart (Zhao
-- et al. 2020). To be applied to all that D sees, in both players' updates; each call
-- draws anew, for real and fake alike.
--
--     local T = function(x) return gan.diffaugment(x, "color,translation,cutout") end
--     optD:minimize(loss.discriminator(D(T(x)), D(T(fake))))
--     optG:minimize(loss.generator(D(T(fake))))
--
-- The policy names what is done, in its order: color (brightness, saturation unless there
-- is one channel, contrast), translation by whole pixels, cutout of a square. Options:
-- translation = 0.125, the most as a share of the size; cutout = 0.5, its size as a
-- share.
---@param x lugano.Tensor  {n,c,h,w}
---@param policy string   "color,translation,cutout" if it isn't given
---@param options table   translation, cutout
---@return lugano.Tensor  of the shape of x
function gan.diffaugment(x, policy, options)
  local who <const> = "gan.diffaugment"
  check.images(who, x)
  policy = policy == nil and table.concat(order, ",") or policy
  check.policy(who, policy, order)
  local o <const> = check.options(who, known, options)
  for word in policy:gmatch "[%a_]+" do x = steps[word](x, o) end
  return x
end

return gan

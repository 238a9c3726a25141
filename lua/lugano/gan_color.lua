--- gan_color.lua - what gan.ada does to colors, and to pixels (Karras et al. 2020,
-- appendix B): one matrix an image, made of random ones; then noise, and a square that is
-- missing.

local core <const> = ...
local lg <const> = core.lg
local check <const> = core.load "gan_check"
local matrix <const> = core.load "gan_matrix"

local color <const> = {}

local function uniform(n) return lg.rand(n):totable() end
local function normal(n) return lg.randn(n):totable() end

--- In their order. colors: what gray images leave out.
color.ops = {
  { name = "brightness", group = "color", make = function(n)
    local z <const> = normal(n)
    return function(i) return matrix.color(1, 0.2 * z[i]) end
  end },
  { name = "contrast", group = "color", make = function(n)
    local z <const> = normal(n)
    return function(i) return matrix.color(2 ^ (0.5 * z[i]), 0) end
  end },
  { name = "lumaflip", group = "color", make = function(n)
    local u <const> = uniform(n)
    return function(i) return matrix.luma(u[i] < 0.5 and 1 or -1, 1) end
  end },
  { name = "hue", group = "color", colors = true, make = function(n)
    local u <const> = uniform(n)
    return function(i) return matrix.hue((u[i] * 2 - 1) * math.pi) end
  end },
  { name = "saturation", group = "color", colors = true, make = function(n)
    local z <const> = normal(n)
    return function(i) return matrix.luma(1, 2 ^ z[i]) end
  end },
}

--- A gray image is one whose three colors are equal; the result is their mean.
local function apply_gray(x, maps)
  local scale <const>, add <const> = {}, {}
  for k, m in ipairs(maps) do
    scale[k], add[k] = 0, 0
    for i = 1, 3 do
      scale[k] = scale[k] + (m[i][1] + m[i][2] + m[i][3]) / 3
      add[k] = add[k] + m[i][4] / 3
    end
  end
  return x * lg.tensor(scale):reshape(-1, 1, 1, 1) + lg.tensor(add):reshape(-1, 1, 1, 1)
end

local function apply_colors(x, maps)
  local m <const> = matrix.tensor(maps, 3)                           -- n,3,4
  local flat <const> = x:reshape(#x, 3, -1)
  local y <const> = lg.matmul(m:narrow(3, 1, 3), flat) + m:narrow(3, 4, 1)
  return y:reshape(x.shape)
end

local function reverse_mul(a, b) return matrix.mul(b, a) end

--- Fails unless images x have as many channels as the names in `on` need.
function color.check(x, on)
  local channels <const> = x:size(2)
  for _, op in ipairs(color.ops) do
    if on[op.name] and channels ~= 1 and channels ~= 3 then
      core.fail("gan.ada: '%s' is for images of 1 or 3 channels, and x is %s; leave "
                .. "it out of the policy", op.name, check.shape(x))
    end
  end
end

--- Changes the colors of images x as the names in `on` say, each with chance p.
function color.run(x, on, p)
  local channels <const>, maps <const>, any = x:size(2), {}, false
  for i = 1, #x do maps[i] = matrix.unit(4) end
  for _, op in ipairs(color.ops) do
    if on[op.name] and not (op.colors and channels == 1) then
      any = matrix.apply(maps, op.make(#x), p, reverse_mul) or any
    end
  end
  if not any then return x end
  return channels == 1 and apply_gray(x, maps) or apply_colors(x, maps)
end

-- Pixels

--- 1 for the images that a draw is for, else 0: {n,1,1,1}.
local function gates(x, p) return lg.lt(lg.rand(#x, 1, 1, 1), p) end

local function add_noise(x, p)
  local sigma <const> = lg.randn(#x, 1, 1, 1):abs() * 0.1 * gates(x, p)
  return x + lg.randn(x.shape) * sigma
end

--- 1 where an axis of this shape is in the half of its length round a middle.
local function middle_half(length, shape, middle)
  local at <const> = ((lg.arange(length) - 0.5) / length):reshape(shape)
  return lg.lt((at - middle):abs(), 0.25)
end

local function cut(x, p)
  local h <const>, w <const> = x:size(3), x:size(4)
  local on <const> = gates(x, p)
  local rows <const> = middle_half(h, { 1, 1, h, 1 }, lg.rand(#x, 1, 1, 1))
  local columns <const> = middle_half(w, { 1, 1, 1, w }, lg.rand(#x, 1, 1, 1))
  return x * (1 - rows * columns * on)
end

color.pixel_ops = { { name = "noise", group = "corrupt", run = add_noise },
                    { name = "cutout", group = "corrupt", run = cut } }

--- Adds noise to images x, or cuts a square out of them.
function color.run_pixels(x, on, p)
  for _, op in ipairs(color.pixel_ops) do
    if on[op.name] then x = op.run(x, p) end
  end
  return x
end

return color

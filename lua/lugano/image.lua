--- image.lua - lg.image: tensors as pictures. What is black and what white is said by the
-- range, never guessed from the picture.

local core <const> = ...
local image <const> = {}

local sorted_keys <const> = core.load "keys"
local padding <const> = 2                      -- pixels round each sample of a grid
local known <const> = { range = true, columns = true }

local function check_tensor(who, x)
  if core.is_tensor(x) then return end
  core.fail("%s takes a tensor, and got a %s", who, type(x))
end

local function check_path(who, path)
  if type(path) == "string" then return end
  core.fail("%s takes a path, and got a %s", who, type(path))
end

--- The options of a picture: lo, hi, columns.
local function picture_options(who, options)
  options = options == nil and {} or options
  if core.is_tensor(options) then
    core.fail("%s takes one tensor, and got two; a call that gives labels, too, goes in "
              .. "parentheses, as in (set:rows(64))", who)
  end
  if type(options) ~= "table" then
    core.fail("%s takes a table of options, { columns = 8 }, and got a %s", who,
              type(options))
  end
  for _, name in ipairs(sorted_keys(options)) do
    if not known[name] then
      core.fail("%s: no option '%s'; it takes range = {-1, 1} and columns = 8", who,
                tostring(name))
    end
  end
  local range <const> = options.range or { -1, 1 }
  if type(range) ~= "table" or type(range[1]) ~= "number"
     or type(range[2]) ~= "number" then
    core.fail("%s: range is what shall be black and white: {-1, 1}", who)
  end
  local columns <const> = options.columns or 0
  if math.type(columns) ~= "integer" or columns < 0 or columns > 16384 then
    core.fail("%s: columns is a whole number, and %s is not", who, tostring(columns))
  end
  return range[1], range[2], columns
end

--- The picture of a batch: n,c,h,w or n,h,w, side by side; c,h,w is one image.
---@param x table        tensor
---@param options table  range = {-1, 1}, columns = 8
---@return userdata      the picture, with methods save, show, size and pixels
---@return number, number  the parts of the numbers that clip, and that are none
function image.grid(x, options)
  check_tensor("image.grid", x)
  local lo <const>, hi <const>, columns <const> = picture_options("image.grid", options)
  return core.draw_grid(x, lo, hi, columns, padding)
end

--- Writes a tensor as PNG: one image c,h,w or h,w, or a batch as a grid.
function image.save(path, x, options)
  check_path("image.save", path)
  check_tensor("image.save", x)
  local shape <const> = x.shape
  local alone <const> = #shape == 2 or #shape == 3 and (shape[1] == 1 or shape[1] == 3)
  if alone then
    x = x:reshape(1, #shape == 3 and shape[1] or 1, shape[#shape - 1], shape[#shape])
  end
  local lo <const>, hi <const>, columns <const> = picture_options("image.save", options)
  core.draw_grid(x, lo, hi, columns, alone and 0 or padding):save(path)
end

--- Reads a PNG: c,h,w in [-1, 1], with 1 channel if it is gray, else 3.
---@param channels integer  1 or 3, to make it so
function image.load(path, channels)
  check_path("image.load", path)
  if channels ~= nil and channels ~= 1 and channels ~= 3 then
    core.fail("image.load: channels is 1 (gray) or 3 (RGB), and not %s",
              tostring(channels))
  end
  return core.read_png(path, channels or 0)
end

--- Shows the picture in the terminal; false where that is not possible.
function core.image_methods:show()
  if not core.show_picture then return false end
  local width <const>, height <const>, channels <const> = self:size()
  return core.show_picture(self:pixels(), width, height, channels) ~= false
end

return image

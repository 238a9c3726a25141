--- split.lua - lg.split and x:split: a tensor in parts along an axis.
--
-- How many parts there are depends on the arguments, so it is no operator: each part is
-- a narrow of its own, and only those that are used cost a gradient.

local core <const> = ...
local parts <const> = {}

local function whole(x) return math.type(x) and math.tointeger(x) end

--- The sizes of the parts, from one size or a table of them, checked against the axis.
local function sizes_of(sizes, length, shape, axis)
  local list <const>, one <const> = {}, whole(sizes)
  if one and one >= 1 then
    for first = 1, length, one do list[#list + 1] = math.min(one, length - first + 1) end
    if length == 0 then list[1] = 0 end
    return list
  elseif type(sizes) ~= "table" then
    core.fail("split: size must be a whole number from 1, or a table of sizes, not %s",
              type(sizes) == "number" and tostring(sizes) or "a " .. type(sizes))
  end
  local sum = 0
  for i, size in ipairs(sizes) do
    list[i] = whole(size)
    if not list[i] or list[i] < 0 then
      core.fail("split: size %d must be a whole number from 0, not %s", i, tostring(size))
    end
    sum = sum + list[i]
  end
  if sum ~= length then
    core.fail("split: the sizes {%s} add up to %d, and axis %d of {%s} has %d",
              table.concat(list, ","), sum, axis, table.concat(shape, ","), length)
  end
  return list
end

--- The parts of x along the axis dim, 1 if it isn't given, in a list. `size` is that of
-- each part, the last of which may be smaller; or a table of all their sizes, which must
-- add up to that of the axis. `lg.cat(x:split(size, dim), dim)` is x.
---@return table
function parts.split(x, size, dim)
  if not core.is_tensor(x) then
    core.fail("split: x must be a tensor, not a %s", type(x))
  end
  local shape <const>, axis = x.shape, whole(dim == nil and 1 or dim)
  if axis and axis < 0 then axis = axis + #shape + 1 end
  if not axis or not shape[axis] then
    core.fail("split: dim is %s, but {%s} has %d axes, counted from 1, or from -1 at the "
              .. "end", tostring(dim == nil and 1 or dim), table.concat(shape, ","),
              #shape)
  end
  local list <const>, first = {}, 1
  for i, length in ipairs(sizes_of(size, shape[axis], shape, axis)) do
    list[i] = x:narrow(axis, first, length)
    first = first + length
  end
  return list
end

return parts

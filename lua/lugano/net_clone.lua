--- net_clone.lua - copies of nets: G:clone().

local core <const> = ...
local lg <const> = core.lg
local net <const> = core.load "net"
local inner <const>, methods <const> = net.inner, net.methods

--- Of a Module's own tensors. One that is there twice is one in the clone, too.
local function copy_tensors(part, copy, how)
  for _, t in ipairs(part[inner].layer and {} or part[inner].tensors or {}) do
    local made = how.copies[t.tensor]
    if not made then
      made = lg.zeros(t.tensor.shape):copy(t.tensor)
      if how.tracked and not t.buffer then made = made:track() end
      how.copies[t.tensor] = made
    end
    net.add_tensor(copy, t.name, made, t.buffer)
  end
end

local function copy_part(part, how)
  if how.copies[part] then return how.copies[part] end
  local own <const> = part[inner]
  local copy <const> = net.new(own.kind, own.where, own.run)
  local to <const> = copy[inner]
  how.copies[part] = copy
  for _, key in ipairs { "name", "path", "shape", "numbers", "flops",
                        "training" } do
    to[key] = own[key]
  end
  to.layer = own.layer and own.layer:clone(how.tracked)
  for i, child in ipairs(own.parts) do
    to.keys[i], to.parts[i] = own.keys[i], copy_part(child, how)
  end
  copy_tensors(part, copy, how)
  for key, value in pairs(own.fields) do       -- each to its own: in any order
    to.fields[key] = value and how.copies[value]
  end
  for key, value in next, part do
    if key ~= inner then rawset(copy, key, value) end
  end
  return copy
end

local function check_clone_options(options)
  options = net.check_options("clone", options, { "tracked", "name" })
  local tracked <const>, name <const> = options.tracked, options.name
  if tracked ~= nil and type(tracked) ~= "boolean" then
    core.fail("clone: tracked must be true or false, not %s", tostring(tracked))
  end
  return tracked ~= false, net.check_name("clone", name)
end

--- A copy with parameters and buffers of its own, and the same numbers and mode. A part
-- that is shared in the net is shared in the clone. Tensors and parts in fields are
-- copied; other fields, and what Lua functions hold, are those of the original. The clone
-- keeps the paths, which errors name, unless it is given a name of its own. With
-- { tracked = false } no gradient flows to its parameters, and a forward of it makes no
-- history: for averages, and for frozen copies.
---@param options? table  tracked = false, name = "G2"
---@return lugano.Net
function methods:clone(options)
  local tracked <const>, name <const> = check_clone_options(options)
  self:state()                                 -- it must have its shapes
  local copy <const> = copy_part(self, { tracked = tracked, copies = {} })
  if name then
    net.each(copy, function(part) part[inner].path = nil end)
    copy[inner].name = name
    net.name_paths(copy, name)
  end
  return copy
end

return net

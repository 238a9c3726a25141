--- norms.lua - the gradient norms of a run's optimizers, each once for each update.

local core <const> = ...
local sorted_keys <const> = core.load "keys"

local Norms <const> = {}
Norms.__index = Norms

local function is_optimizer(object)
  local meta <const> = getmetatable(object)
  return type(meta) == "table" and meta.__name == "lugano.optimizer"
end

--- "optD.grad_norm" and its value, of each optimizer that made an update since the last
-- call: one that rests for a step has its norm counted once.
function Norms:fresh()
  local list <const> = {}
  for _, key in ipairs(self.keys) do
    local optimizer <const> = self.objects[key]
    local step <const> = optimizer:numbers().step
    local norm <const> = optimizer.grad_norm
    if step ~= self.steps[key] and type(norm) == "number" then
      list[#list + 1] = { name = key .. ".grad_norm", value = norm }
    end
    self.steps[key] = step
  end
  return list
end

return function(objects)
  local keys <const>, steps <const> = {}, {}
  for _, key in ipairs(sorted_keys(objects)) do
    if is_optimizer(objects[key]) then
      keys[#keys + 1], steps[key] = key, objects[key]:numbers().step
    end
  end
  return setmetatable({ objects = objects, keys = keys, steps = steps }, Norms)
end

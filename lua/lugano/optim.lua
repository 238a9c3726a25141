--- optim.lua - optimizers: optim.Adam(G, { lr = 2e-4 }), opt:minimize(loss).

local core <const> = ...
local net <const> = core.load "net"
local progress <const> = core.load "progress"

local optim <const> = {}
local inner <const> = {}               -- the key of what an optimizer keeps for itself
local Optimizer <const> = { __name = "lugano.optimizer" }
local methods <const> = {}

--- What is to be optimized, as a list of { name =, tensor = }; each tensor once.
local function named_tensors(who, target)
  local list <const>, seen <const> = {}, {}
  local function add(name, tensor)
    if not seen[tensor] then list[#list + 1] = { name = name, tensor = tensor } end
    seen[tensor] = true
  end
  local function add_net(prefix, part)
    for _, p in ipairs(part:state()) do
      if not p.buffer then add(prefix .. p.name, p.tensor) end
    end
  end
  if net.is_part(target) then
    add_net("", target)
  elseif type(target) == "table" then
    for i, item in ipairs(target) do
      if net.is_part(item) then
        add_net(i .. ".", item)
      elseif core.is_tensor(item) then
        add(tostring(i), item)
      else
        core.fail("%s: element %d of the list must be a net or a tensor, not a %s",
                  who, i, type(item))
      end
    end
  else
    core.fail("%s takes a net, or a list of nets and tensors, not a %s", who,
              type(target))
  end
  if #list == 0 then core.fail("%s: there are no parameters to optimize", who) end
  return list
end

local function make(type_name, target, options)
  local named <const> = named_tensors("optim." .. type_name, target)
  local tensors <const> = {}
  for i, p in ipairs(named) do tensors[i] = p.tensor end
  local c <const> = core.optimizer(type_name, tensors, options)
  return setmetatable({ [inner] = { c = c, named = named, kind = type_name } }, Optimizer)
end

--- Says once which parameters a loss does not reach.
local function tell_missed(own, missed, first)
  if missed == 0 or own.told then return end
  own.told = true
  local which <const> = own.named[first].name .. (missed > 1 and ", ..." or "")
  progress.say(("%s: optim.%s: the loss does not reach %d of %d parameters (%s); they "
                .. "stay as they are"):format(core.where(), own.kind, missed, #own.named,
                                              which))
end

local minimize_options <const> = { "clip_norm" }

local function check_minimize_options(options)
  if type(options) ~= "table" then
    core.fail("minimize takes the loss and a table of options, not a %s", type(options))
  end
  for key in pairs(options) do
    if key ~= "clip_norm" then
      core.fail("minimize has no option '%s'%s", tostring(key),
                net.hint(tostring(key), minimize_options))
    end
  end
  local norm <const> = options.clip_norm
  if norm ~= nil and not (type(norm) == "number" and norm > 0) then
    core.fail("minimize: clip_norm must be a positive number, not %s", tostring(norm))
  end
  return norm
end

--- Differentiates a loss with respect to the optimizer's own parameters alone, updates
-- them, and returns the loss as a number.
---@param options table  clip_norm: the most that the norm of all gradients may be
function methods:minimize(loss, options)
  local own <const> = self[inner]
  local value <const>, missed <const>, first <const> =
    own.c:minimize(loss, options and check_minimize_options(options))
  tell_missed(own, missed, first)
  return value
end

--- An update from gradients, in the order of the net's parameters, or false.
function methods:step(grads, options)
  local own <const> = self[inner]
  if core.is_tensor(grads) then grads = { grads } end
  if type(grads) ~= "table" then
    core.fail("step takes a list of gradients, as lg.grad gives it, not a %s",
              type(grads))
  end
  for key in pairs(grads) do
    if math.type(key) ~= "integer" or key > #own.named then
      core.fail("step: there are %d parameters, and gradient '%s' has none", #own.named,
                tostring(key))
    end
  end
  own.c:step(grads, options and check_minimize_options(options))
  return self
end

--- What the optimizer keeps: a list of { name = "2.weight.m", tensor = }.
function methods:state()
  local own <const>, list <const> = self[inner], {}
  for i, s in ipairs(own.c:state()) do
    list[i] = { name = own.named[s.index].name .. "." .. s.name, tensor = s.tensor }
  end
  return list
end

--- Its counts by name, { step = 12 }; with such a table, sets them.
function methods:numbers(numbers)
  local c <const> = self[inner].c
  return { step = c:steps(numbers and numbers.step) }
end

--- Options are fields: opt.lr can be read and set.
function Optimizer:__index(key)
  if methods[key] then return methods[key] end
  return self[inner].c:options()[key]
end

function Optimizer:__newindex(key, value)
  local own <const> = self[inner]
  local options <const>, names <const> = own.c:options(), {}
  if options[key] == nil then
    for name in pairs(options) do names[#names + 1] = name end
    table.sort(names)
    core.fail("optim.%s has no option '%s'%s", own.kind, tostring(key),
              net.hint(tostring(key), names))
  end
  options[key] = value
  own.c:options(options)
end

function Optimizer:__tostring()
  local own <const> = self[inner]
  return ("optim.%s of %d tensors, lr %g, after %d steps"):format(
    own.kind, #own.named, self.lr, own.c:steps())
end

local type_names <const> = {}
for type_name in pairs(core.optimizers()) do
  type_names[#type_names + 1] = type_name
  optim[type_name] = function(target, options) return make(type_name, target, options) end
end
table.sort(type_names)

return setmetatable(optim, { __index = function(_, name)
  name = tostring(name)
  core.fail("there is no optim.%s%s", name, net.hint(name, type_names))
end })

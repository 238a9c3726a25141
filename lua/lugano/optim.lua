--- optim.lua - optimizers: optim.Adam(G, { lr = 2e-4 }), opt:minimize(loss).
--
-- What an optimizer or one of its groups keeps for itself lies under the key `inner`:
--
--     c        the optimizer in C
--     kind     its type, "Adam"
--     named    its tensors, { name =, tensor = }, in order
--     groups   for each group: rule, what gives lr if it is not a number; assigned, was
--              lr set to a number later; start_rule and start_lr, what it was made with

local core <const> = ...
local net <const>, foreign <const> = core.load "net", core.load "foreign"
local progress <const>, sorted_keys <const> = core.load "progress", core.load "keys"
local schedule <const> = core.load "schedule"

local optim <const> = { schedule = schedule }
local inner <const> = {}
local Optimizer <const> = { __name = "lugano.optimizer" }
local Group <const> = { __name = "lugano.optimizer.group" }
local methods <const> = {}

-- Making one

--- A table of tensors that has options, too: { G.body, lr = 1e-4 }.
local function is_group(v) return type(v) == "table" and not net.is_part(v) end

--- The groups of what is to be optimized: each a list of nets and tensors, with options.
local function groups_of(who, target)
  if net.is_part(target) then return { { target } }, true end
  if type(target) ~= "table" then
    core.fail("%s takes a net, or a list of nets and tensors, not a %s", who,
              type(target))
  end
  if not is_group(target[1]) then return { target } end
  for i, group in ipairs(target) do
    if not is_group(group) then
      core.fail("%s: element 1 of the list is a group, and element %d is not; write a "
                .. "group as a table, too: { net, lr = 1e-4 }", who, i)
    end
  end
  return target
end

--- Adds the tensors of a group to a list of { name =, tensor =, group = }; each once.
local function add_group(who, list, group, number, first, alone)
  local function add(name, tensor)
    local known
    for _, p in ipairs(list) do known = known or p.tensor == tensor and p end
    if known and known.group ~= number then
      core.fail("%s: '%s' is in group %d and, as '%s', in group %d; it can have the "
                .. "options of one", who, known.name, known.group, name, number)
    end
    if not known then
      list[#list + 1] = { name = name, tensor = tensor, group = number }
    end
  end
  for i, item in ipairs(group) do
    local name <const> = tostring(first + i)
    if net.is_part(item) then
      for _, p in ipairs(item:state()) do
        if not p.buffer then add(alone and p.name or name .. "." .. p.name, p.tensor) end
      end
    elseif core.is_tensor(item) then
      add(name, item)
    else
      core.fail("%s: element %d of the list must be a net or a tensor, not a %s", who, i,
                type(item))
    end
  end
end

--- What is to be optimized, and how many tensors each group has.
local function named_tensors(who, groups, alone)
  local list <const>, counts <const>, first = {}, {}, 0
  for i, group in ipairs(groups) do
    local before <const> = #list
    add_group(who, list, group, i, first, alone)
    counts[i], first = #list - before, first + #group
    if counts[i] == 0 then
      core.fail("%s: there are no parameters to optimize%s", who,
                #groups > 1 and " in group " .. i or "")
    end
  end
  return list, counts
end

--- The options of a group, and the rule that gives its lr if it is not a number.
local function options_of(group, common)
  local options <const> = {}
  for _, source in ipairs { common, group } do
    for key, value in pairs(source) do
      if source ~= group or math.type(key) ~= "integer" then options[key] = value end
    end
  end
  local rule
  if core.is_rate_rule(options.lr) then rule, options.lr = options.lr, nil end
  return options, rule
end

local function make(type_name, target, options)
  local who <const> = "optim." .. type_name
  if options ~= nil and type(options) ~= "table" then
    core.fail("%s takes a net and a table of options, as in { lr = 1e-3 }, not a %s", who,
              type(options))
  end
  local groups <const>, alone <const> = groups_of(who, target)
  local named <const>, counts <const> = named_tensors(who, groups, alone)
  local tensors <const>, given <const>, own <const> = {}, {}, {}
  for i, p in ipairs(named) do tensors[i] = p.tensor end
  for i, group in ipairs(groups) do
    own[i] = {}
    given[i] = { n = counts[i] }
    given[i].options, own[i].rule = options_of(group, options or {})
  end
  local c <const> = core.optimizer(type_name, tensors, given)
  for i, group in ipairs(own) do
    group.start_rule, group.start_lr = group.rule, c:lr(i)
  end
  return setmetatable({ [inner] = { c = c, named = named, kind = type_name,
                                    groups = own } }, Optimizer)
end

-- Rates

--- The learning rate of a group in the next update.
local function rate_of(own, i)
  local rule <const> = own.groups[i].rule
  if not rule then return own.c:lr(i) end
  local step <const> = own.c:steps()
  local rate <const> = rule(step)
  if not (type(rate) == "number" and rate >= 0) then
    core.fail("optim.%s: lr gave %s for step %d; it must give a number of 0 or more",
              own.kind, tostring(rate), step)
  end
  return rate
end

--- Before each update: rates follow from its number alone.
local function set_rates(own)
  local ruled = false
  for i = 1, #own.groups do ruled = ruled or own.groups[i].rule end
  if not ruled then return end
  local rates <const> = {}
  for i, group in ipairs(own.groups) do
    rates[i] = group.rule and rate_of(own, i) or false
  end
  for i, rate in ipairs(rates) do
    if rate then own.c:lr(i, rate) end
  end
end

-- Updates

--- Says once which parameters a loss does not reach.
local function tell_missed(own, missed, first)
  if missed == 0 or own.told then return end
  own.told = true
  local which <const> = own.named[first].name .. (missed > 1 and ", ..." or "")
  progress.say(("%s: optim.%s: the loss does not reach %d of %d parameters (%s); they "
                .. "stay as they are"):format(core.where(), own.kind, missed, #own.named,
                                              which))
end

local clip_options <const> = { "clip_norm", "clip_value" }

--- The clips that options ask for, or nil.
local function read_clips(what, options)
  if options == nil then return end
  if type(options) ~= "table" then
    core.fail("%s takes a table of options behind what it is given, not a %s", what,
              type(options))
  end
  for _, key in ipairs(sorted_keys(options)) do
    if key ~= "clip_norm" and key ~= "clip_value" then
      core.fail("%s has no option '%s'%s", what, tostring(key),
                net.hint(tostring(key), clip_options))
    end
    local most <const> = options[key]
    if not (type(most) == "number" and most > 0) then
      core.fail("%s: %s must be a positive number, not %s", what, key, tostring(most))
    end
  end
  return options.clip_norm, options.clip_value
end

local function check_gradients(what, own, grads)
  if type(grads) ~= "table" then
    core.fail("%s takes a list of gradients, as lg.grad gives it, not a %s", what,
              type(grads))
  end
  local found = false
  for _, key in ipairs(sorted_keys(grads)) do
    found = found or grads[key]
    if math.type(key) ~= "integer" or key < 1 or key > #own.named then
      core.fail("%s: there are %d parameters, and gradient '%s' has none", what,
                #own.named, tostring(key))
    end
  end
  if not found then
    core.fail("%s: there is no gradient for any of the %d parameters", what, #own.named)
  end
end

local function update_by_loss(self, what, loss, options)
  local own <const> = self[inner]
  local norm <const>, most <const> = read_clips(what, options)
  set_rates(own)
  local value <const>, missed <const>, first <const> =
    own.c[what](own.c, loss, norm, most)
  tell_missed(own, missed, first)
  return value
end

local function update_by_gradients(self, what, grads, options)
  local own <const> = self[inner]
  check_gradients(what, own, grads)
  local norm <const>, most <const> = read_clips(what, options)
  set_rates(own)
  own.c[what](own.c, grads, norm, most)
  return self
end

--- Differentiates a loss with respect to the optimizer's own parameters alone, updates
-- them, and returns the loss as a number.
---@param options table  clip_norm, the most that the norm of all gradients may be; and
-- clip_value, the most that each of their numbers may be, after that
function methods:minimize(loss, options)
  return update_by_loss(self, "minimize", loss, options)
end

--- An update from gradients, in the order of the net's parameters, or false. Options as
-- for minimize.
function methods:step(grads, options)
  if core.is_tensor(grads) then grads = { grads } end
  return update_by_gradients(self, "step", grads, options)
end

--- The first half of a step of ExtraAdam or ExtraSGD, from a loss, which it returns as a
-- number, or from a list of gradients: the parameters go where a step would take them.
-- With a loss that is computed there, minimize then steps from where they were.
function methods:extrapolate(loss, options)
  if type(loss) == "table" then
    return update_by_gradients(self, "extrapolate", loss, options)
  end
  return update_by_loss(self, "extrapolate", loss, options)
end

-- State

--- What the optimizer keeps: a list of { name = "2.weight.m", tensor = }. The last ones
-- have a number for each parameter: `steps`, its updates so far.
function methods:state()
  local own <const>, list <const> = self[inner], {}
  for i, s in ipairs(own.c:state()) do
    local prefix <const> = s.index and own.named[s.index].name .. "." or ""
    list[i] = { name = prefix .. s.name, tensor = s.tensor }
  end
  return list
end

--- Brings back the lr that the script has set, or what the group was made with.
local function restore_lr(own, i, lr)
  local group <const> = own.groups[i]
  group.assigned = lr >= 0
  group.rule = not group.assigned and group.start_rule or nil
  own.c:lr(i, group.assigned and lr or group.start_lr)
end

--- The options but lr that the script has set in group i, as numbers by name.
local function assigned_numbers(own, i)
  local options <const>, all <const> = own.c:options(i), {}
  for key in pairs(own.groups[i].set or {}) do
    local value <const> = options[key]
    for k, part in ipairs(type(value) == "table" and value or { value }) do
      if type(part) == "boolean" then part = part and 1 or 0 end
      all[("assigned.%s.%d.%d"):format(key, i, k)] = part
    end
  end
  return all
end

--- Brings them back.
local function restore_assigned(own, i, numbers)
  local options <const>, set <const> = own.c:options(i), own.groups[i].set or {}
  own.groups[i].set = set
  for name, number in pairs(numbers) do
    local key <const>, group <const>, k <const> =
      name:match "^assigned%.([%w_]+)%.(%d+)%.(%d+)$"
    if key and options[key] ~= nil and math.tointeger(group) == i then
      set[key] = true
      if type(options[key]) == "table" then
        options[key][math.tointeger(k)] = number
      elseif type(options[key]) == "boolean" then
        options[key] = number ~= 0
      else
        options[key] = number
      end
    end
  end
  own.c:options(i, options)
end

--- The numbers that must be saved beside state(), by name: `step`, how many updates there
-- were; `assigned_lr`, what the script has set lr to, or -1; other options that it has
-- set; `extrapolated`, 1 between the halves of a step. With such a table, sets them.
function methods:numbers(numbers)
  local own <const>, all <const> = self[inner], {}
  local function number(name, get, set)
    if numbers and numbers[name] then set(numbers[name]) end
    all[name] = get()
  end
  number("step", function() return own.c:steps() end, function(n) own.c:steps(n) end)
  for i, group in ipairs(own.groups) do
    number(#own.groups == 1 and "assigned_lr" or "assigned_lr." .. i,
           function() return group.assigned and own.c:lr(i) or -1 end,
           function(lr) restore_lr(own, i, lr) end)
    if numbers then restore_assigned(own, i, numbers) end
    for name, value in pairs(assigned_numbers(own, i)) do all[name] = value end
  end
  if own.c:ahead() ~= nil then
    number("extrapolated", function() return own.c:ahead() and 1 or 0 end,
           function(n) own.c:ahead(n ~= 0) end)
  end
  return all
end

-- Options are fields: opt.lr can be read and set, and so can opt.groups[1].lr.

local function unknown_option(own, key, options)
  core.fail("optim.%s has no option '%s'%s", own.kind, tostring(key),
            net.hint(tostring(key), sorted_keys(options)))
end

--- Before the first update it is what the group was made with: a script that is resumed
-- sets it again by then, and a number that was saved takes its place.
local function set_rule(own, i, rule)
  local group <const> = own.groups[i]
  group.rule, group.assigned = rule, false
  if own.c:steps() == 0 then group.start_rule = rule end
end

local function set_option(own, i, key, value)
  local options <const>, group <const> = own.c:options(i), own.groups[i]
  if key == "lr" and core.is_rate_rule(value) then return set_rule(own, i, value) end
  if value == nil then
    core.fail("optim.%s: '%s' cannot be nil", own.kind, tostring(key))
  end
  options[key] = value
  own.c:options(i, options)
  if key == "lr" then
    group.rule, group.assigned = nil, true
  else
    group.set = group.set or {}
    group.set[key] = true
  end
end

local function get_option(own, i, key)
  if key == "lr" then return rate_of(own, i) end
  return own.c:options(i)[key]
end

--- `groups`, `grad_norm` (the norm of the latest update's gradients, before they were
-- clipped), or an option: of the first group, if there are several.
function Optimizer:__index(key)
  local own <const> = self[inner]
  if methods[key] then return methods[key] end
  if key == "grad_norm" then return (own.c:norm()) end
  if key ~= "groups" then
    local value <const>, why <const> = get_option(own, 1, key), foreign.advice(key)
    local ours <const> = value == nil and foreign.ours(key, sorted_keys(methods))
    if value == nil and why then core.fail("an optimizer has no '%s': %s", key, why) end
    if ours then
      core.fail("an optimizer has no '%s' (did you mean '%s'?); a run saves it by itself",
                key, ours)
    end
    return value
  end
  local list <const> = {}
  for i in ipairs(own.groups) do
    list[i] = setmetatable({ [inner] = { own = own, index = i } }, Group)
  end
  return list
end

--- Sets an option of all groups, or of none.
function Optimizer:__newindex(key, value)
  local own <const>, old <const> = self[inner], {}
  local options <const> = own.c:options(1)
  if key == "groups" or key == "grad_norm" then
    core.fail("optim.%s: '%s' can be read, but not set", own.kind, key)
  end
  if options[key] == nil then unknown_option(own, key, options) end
  for i = 1, #own.groups do
    old[i] = own.c:options(i)
    local ok <const>, why <const> = pcall(set_option, own, i, key, value)
    if not ok then
      for k = 1, i - 1 do own.c:options(k, old[k]) end
      error(why, 0)
    end
  end
end

function Group:__index(key)
  local g <const> = rawget(self, inner)
  return get_option(g.own, g.index, key)
end

function Group:__newindex(key, value)
  local g <const> = rawget(self, inner)
  local options <const> = g.own.c:options(g.index)
  if options[key] == nil then unknown_option(g.own, key, options) end
  set_option(g.own, g.index, key, value)
end

local function count_tensors(own, group)
  local n = 0
  for _, p in ipairs(own.named) do n = n + (p.group == group and 1 or 0) end
  return n
end

function Group:__tostring()
  local g <const> = rawget(self, inner)
  return ("group %d of optim.%s: %d tensors, lr %g"):format(g.index, g.own.kind,
    count_tensors(g.own, g.index), self.lr)
end

function Optimizer:__tostring()
  local own <const> = self[inner]
  local groups <const> = #own.groups > 1 and (" in %d groups"):format(#own.groups) or ""
  return ("optim.%s of %d tensors%s, lr %g, after %d steps"):format(
    own.kind, #own.named, groups, self.lr, own.c:steps())
end

local type_names <const> = { "schedule" }
for _, type_name in ipairs(sorted_keys(core.optimizers())) do
  type_names[#type_names + 1] = type_name
  optim[type_name] = function(target, options) return make(type_name, target, options) end
end

return setmetatable(optim, { __index = function(_, name)
  name = tostring(name)
  core.fail("there is no optim.%s%s", name, net.hint(name, type_names))
end })

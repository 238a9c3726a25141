--- schedule.lua - learning rates that change: optim.schedule.cosine { from = 1e-3, ... }.
--
-- A schedule is a function of a step, which is the number of updates that came before: 0
-- for the first. It remembers nothing, so a resumed run goes on with the same rates. Any
-- Lua function of a step can stand where a schedule can.

local core <const> = ...
local nearest <const>, sorted_keys <const> = core.load "nearest", core.load "keys"

local schedule <const> = {}
local inner <const> = {}               -- the key of what a schedule keeps for itself
local Schedule <const> = { __name = "lugano.schedule" }

--- Is it something that gives a rate for each step?
local function is_rule(v)
  return type(v) == "function" or getmetatable(v) == Schedule
end

-- What options may be

local function is_number(v) return type(v) == "number" and v - v == 0 end  -- finite
local function is_whole(v) return is_number(v) and v == v // 1 end

local function is_increasing(v)
  local last = -1
  for _, at in ipairs(type(v) == "table" and v or {}) do
    if not is_whole(at) or at <= last then return false end
    last = at
  end
  return last >= 0
end

local kinds <const> = {
  number = { is_number, "a number" },
  positive = { function(v) return is_number(v) and v > 0 end, "a number above 0" },
  count = { function(v) return is_whole(v) and v >= 1 end, "a whole number above 0" },
  warmup = { function(v) return is_whole(v) and v >= 0 end, "a whole number, 0 or more" },
  steps = { is_increasing, "whole numbers that increase, as in {3000, 6000}" },
}

-- The schedules: their options, { kind, default } by name, where false stands for none;
-- check(o), which says what is wrong; and value(o, k, step), the rate of a step that is
-- the k-th after the warm-up, from 0.

local needed <const> = {}              -- in the place of a default

--- How much of the steps is over, from 0 to 1.
local function along(o, k) return math.min(k / (o.steps - o.warmup), 1) end

local function check_steps(o)
  if o.steps <= o.warmup then
    return ("steps, %d, must be more than warmup, %d, which is a part of them"):format(
      o.steps, o.warmup)
  end
end

local definitions <const> = {}

definitions.constant = {
  options = { from = { "number", needed } },
  value = function(o) return o.from end,
}

definitions.linear = {
  options = { from = { "number", needed }, to = { "number", 0 },
              steps = { "count", needed } },
  check = check_steps,
  value = function(o, k) return o.from + (o.to - o.from) * along(o, k) end,
}

definitions.cosine = {
  options = { from = { "number", needed }, to = { "number", 0 },
              steps = { "count", needed } },
  check = check_steps,
  value = function(o, k)
    return o.to + (o.from - o.to) * (1 + math.cos(math.pi * along(o, k))) / 2
  end,
}

definitions.exponential = {
  options = { from = { "positive", needed }, to = { "positive", false },
              steps = { "count", false }, factor = { "positive", false } },
  check = function(o)
    if o.factor and not o.to and not o.steps then return nil end
    if o.factor or not (o.to and o.steps) then
      return "it takes either factor, for each update, or to and steps"
    end
    return check_steps(o)
  end,
  value = function(o, k)
    return o.from * (o.factor and o.factor ^ k or (o.to / o.from) ^ along(o, k))
  end,
}

definitions.step = {
  options = { from = { "number", needed }, factor = { "positive", 0.1 },
              every = { "count", false }, at = { "steps", false } },
  check = function(o)
    if (o.every and o.at) or not (o.every or o.at) then
      return "it takes either every, as in every = 3000, or at, as in at = {3000, 6000}"
    end
  end,
  value = function(o, k, step)
    local drops = o.every and k // o.every or 0
    for _, at in ipairs(o.at or {}) do
      if step >= at then drops = drops + 1 end
    end
    return o.from * o.factor ^ drops
  end,
}

local names <const> = sorted_keys(definitions)
table.insert(names, "warmup")

-- Making them

local function fail(name, format, ...)
  core.fail("optim.schedule.%s: %s", name, format:format(...))
end

local function shown(v)
  return type(v) == "number" and ("%.14g"):format(v) or type(v) == "string"
    and ("'%s'"):format(v) or "a " .. type(v)
end

local function check_option(name, key, option, value)
  local kind <const> = kinds[option[1]]
  if value == nil and option[2] == needed then
    fail(name, "it needs %s, %s", key, kind[2])
  end
  if value == nil then return option[2] or nil end
  if not kind[1](value) then
    fail(name, "%s must be %s, not %s", key, kind[2], shown(value))
  end
  return value
end

local function read_options(name, given)
  if type(given) ~= "table" then
    fail(name, "it takes a table, as in { from = 1e-3, ... }, not a %s", type(given))
  end
  local o <const> = { warmup = { "warmup", 0 } }
  for key, option in pairs(definitions[name].options) do o[key] = option end
  local known <const> = sorted_keys(o)
  for _, key in ipairs(sorted_keys(given)) do
    if not o[key] then
      local _, hint <const> = nearest(tostring(key), known)
      fail(name, "there is no option '%s'%s; it takes %s", tostring(key), hint,
           table.concat(known, ", "))
    end
  end
  for _, key in ipairs(known) do o[key] = check_option(name, key, o[key], given[key]) end
  local wrong <const> = definitions[name].check and definitions[name].check(o)
  if wrong then fail(name, "%s", wrong) end
  return o, known
end

--- "cosine { from = 0.001, steps = 10000, to = 0, warmup = 0 }"
local function describe(name, o, known)
  local parts <const> = {}
  for _, key in ipairs(known) do
    local v <const> = o[key]
    parts[#parts + 1] = v and ("%s = %s"):format(key, type(v) == "table"
      and "{" .. table.concat(v, ", ") .. "}" or ("%.14g"):format(v))
  end
  return ("%s { %s }"):format(name, table.concat(parts, ", "))
end

--- Rises in equal steps to what the rule begins with, and gives way to it.
local function warmed(n, rule)
  return function(step)
    if step < n then return rule(0, step) * (step + 1) / n end
    return rule(step - n, step)
  end
end

local function new(text, value)
  return setmetatable({ [inner] = { text = text, value = value } }, Schedule)
end

local function make(name, options)
  local o <const>, known <const> = read_options(name, options)
  local value <const> = definitions[name].value
  return new(describe(name, o, known), warmed(o.warmup, function(k, step)
    return value(o, k, step)
  end))
end

--- The same rate for all steps.
---@param options table  from; warmup = 0, how many updates it takes to rise to it
function schedule.constant(options) return make("constant", options) end

--- In a straight line from one rate to another, which then stays.
---@param options table  from, to = 0; steps, all there are; warmup = 0, a part of them
function schedule.linear(options) return make("linear", options) end

--- Along half a cosine from one rate to another, which then stays (Loshchilov and Hutter
-- 2017, without restarts).
---@param options table  from, to = 0; steps, all there are; warmup = 0, a part of them
function schedule.cosine(options) return make("cosine", options) end

--- Times a factor for each update; or from one rate to another, which then stays, by what
-- factor that takes.
---@param options table  from; either factor, or to and steps; warmup = 0
function schedule.exponential(options) return make("exponential", options) end

--- Times a factor every so many updates after the warm-up, or at the steps named.
---@param options table  from, factor = 0.1; either every, or at; warmup = 0
function schedule.step(options) return make("step", options) end

--- A warm-up before any rate: in n updates it rises in equal steps to what the rate
-- begins with; then comes the rate, from its own step 0.
---@param n integer  how many updates it takes
---@param rate any   a number, a schedule, or a function of a step
function schedule.warmup(n, rate)
  if not kinds.count[1](n) then
    fail("warmup", "it takes how many updates it lasts, a whole number above 0, not %s",
         shown(n))
  end
  if not (is_number(rate) or is_rule(rate)) then
    fail("warmup", "behind the number comes a rate: a number, a schedule or a function, "
         .. "not a %s", type(rate))
  end
  local text <const> = is_number(rate) and ("%.14g"):format(rate) or tostring(rate)
  return new(("warmup(%d, %s)"):format(n, text), warmed(n, function(k)
    local value <const> = is_number(rate) and rate or rate(k)
    if is_number(value) then return value end
    fail("warmup", "its rate gave %s for step %d; it must give a number",
         tostring(value), k)
  end))
end

--- The rate of a step: schedule(0) is that of the first update.
function Schedule:__call(step)
  if not (is_number(step) and step >= 0) then
    core.fail("a schedule is asked for the rate of a step, 0 or more, not %s",
              shown(step))
  end
  return self[inner].value(step)
end

function Schedule:__tostring() return self[inner].text end

function Schedule:__index(key)
  core.fail("a schedule has no '%s'; it is called with a step, as in s(0)", tostring(key))
end

function Schedule:__newindex(key) return self[key] end

core.is_rate_rule = is_rule            -- for optim.lua

return setmetatable(schedule, { __index = function(_, name)
  name = tostring(name)
  local _, hint <const> = nearest(name, names)
  core.fail("there is no optim.schedule.%s%s", name, hint)
end })

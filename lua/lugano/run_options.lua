--- run_options.lua - what lg.run takes as its fourth argument, checked by name.

local core <const> = ...
local nearest <const>, sorted_keys <const> = core.load "nearest", core.load "keys"

local known <const> = {
  keep = { 3, least = 1, doc = "checkpoints that stay, the last ones" },
  best = { 1, least = 0, doc = "checkpoints that stay, those of the best score" },
  better = { "lower", words = { "lower", "higher" }, doc = "which score is better" },
  on_nan = { "warn", words = { "warn", "rollback", "stop" },
             doc = "what is done when a value is not a number" },
  log_every = { 10, least = 1, doc = "steps whose mean is a line of metrics.jsonl" },
  alarms = { true, doc = "whether the run looks out for collapse and divergence" },
}

local function check_value(name, value)
  local o <const> = known[name]
  local need
  if o.least then
    local fits <const> = math.type(value) == "integer" and value >= o.least
    need = not fits and ("a whole number from %d"):format(o.least)
  elseif o.words then
    need = "one of '" .. table.concat(o.words, "', '") .. "'"
    for _, word in ipairs(o.words) do need = need and word ~= value and need end
  else
    need = type(value) ~= "boolean" and "true or false"
  end
  if need then
    core.fail("lg.run: the option '%s' is %s; %s is not", name, need, tostring(value))
  end
end

--- All options by name: those given, and the defaults.
return function(given)
  if given ~= nil and type(given) ~= "table" then
    core.fail("lg.run: its fourth argument is a table of options, { keep = 3 }, and no "
              .. "%s", type(given))
  end
  local names <const>, options <const> = sorted_keys(known), {}
  for _, name in ipairs(names) do options[name] = known[name][1] end
  for _, name in ipairs(sorted_keys(given or {})) do
    if not known[name] then
      local _, hint <const> = nearest(tostring(name), names)
      core.fail("lg.run has no option '%s'%s; it takes %s", tostring(name), hint,
                table.concat(names, ", "))
    end
    check_value(name, given[name])
    options[name] = given[name]
  end
  return options
end

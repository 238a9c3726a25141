--- differences.lua - why a checkpoint does not fit a run: a list of what differs.

local core <const> = ...
local json <const>, sorted_keys <const> = core.load "json", core.load "keys"
local exact <const> = core.load "exact"
local differences <const> = {}

local shown <const> = 10

-- These may differ when a run is resumed.
local free <const> = { epochs = true, out = true, threads = true, resume = true,
                       strict = true, tensorboard = true, steps = true }

--- What JSON can hold: it has neither infinity nor texts that are not UTF-8.
local function as_json(v)
  if type(v) == "number" and not exact.is_finite(v) then return exact.text(v) end
  if type(v) == "string" and not utf8.len(v) then
    return (v:gsub("[^\x20-\x7e]", function(c) return ("\\x%02x"):format(c:byte()) end))
  end
  return v
end

--- The options that a resumed run must share.
function differences.binding_options(opt)
  local bound <const> = {}
  for k, v in pairs(opt) do
    if not free[k] and type(v) ~= "table" then bound[k] = as_json(v) end
  end
  return bound
end

--- "--epochs, --out and --threads"
local function free_options()
  local words <const> = {}
  for i, name in ipairs(sorted_keys(free)) do words[i] = "--" .. name end
  return table.concat(words, ", ", 1, #words - 1) .. " and " .. words[#words]
end

local function refuse(path, format, ...)
  core.fail("cannot resume from '%s': %s", path, format:format(...))
end

--- One difference is a sentence; several are a list, ten at most and a count.
local function refuse_list(path, list)
  if #list == 0 then return end
  if #list == 1 then refuse(path, "%s", list[1]) end
  local lines <const> = table.move(list, 1, math.min(#list, shown), 1, {})
  if #list > shown then lines[#lines + 1] = ("and %d more"):format(#list - shown) end
  refuse(path, "%d things differ:\n  %s", #list, table.concat(lines, "\n  "))
end

--- Names of changed options, each with both values.
local function changed_options(old, new)
  local changes <const>, all <const> = {}, {}
  for k in pairs(old) do all[k] = true end
  for k in pairs(new) do all[k] = true end
  for _, k in ipairs(sorted_keys(all)) do
    if old[k] ~= new[k] then
      changes[#changes + 1] = ("--%s was %s and is %s"):format(k, tostring(old[k]),
                                                               tostring(new[k]))
    end
  end
  return changes
end

--- The run's name, the type of elements, and the options.
function differences.check_notes(run, path, notes)
  if notes["lugano.run"] ~= run.name then
    refuse(path, "it is of the run '%s', and this one is '%s'",
           notes["lugano.run"] or "?", run.name)
  end
  local element <const> = core.versions().element
  if notes["lugano.element"] ~= element then
    refuse(path, "its elements are %s, and this build's are %s",
           notes["lugano.element"] or "?", element)
  end
  local old <const> = json.decode(notes["lugano.options"] or "") or {}
  local changes <const> = changed_options(old, differences.binding_options(run.options))
  if #changes > 0 then
    refuse(path, "%s; only %s may differ", table.concat(changes, ", "), free_options())
  end
end

--- Which objects there are, and of which kind.
---@param kinds table  those of the run, by name
function differences.check_objects(path, notes, kinds)
  local old <const> = json.decode(notes["lugano.objects"] or "") or {}
  local list <const>, all <const> = {}, {}
  for key in pairs(old) do all[key] = true end
  for key in pairs(kinds) do all[key] = true end
  for _, key in ipairs(sorted_keys(all)) do
    if not old[key] then
      list[#list + 1] = ("it has no object '%s' (%s)"):format(key, kinds[key])
    elseif not kinds[key] then
      list[#list + 1] = ("this script has no object '%s' (%s)"):format(key, old[key])
    elseif old[key] ~= kinds[key] then
      list[#list + 1] = ("'%s' is a %s there and a %s here"):format(key, old[key],
                                                                    kinds[key])
    end
  end
  refuse_list(path, list)
end

--- The numbers that the objects will ask for.
function differences.check_numbers(path, notes, objects)
  local list <const> = {}
  for _, key in ipairs(sorted_keys(objects)) do
    local numbers <const> = objects[key].numbers and objects[key]:numbers() or {}
    for _, name in ipairs(sorted_keys(numbers)) do
      if not notes[key .. "." .. name] then
        list[#list + 1] = ("it has no number '%s.%s'"):format(key, name)
      end
    end
  end
  refuse_list(path, list)
end

--- Tensors that are missing, of other shapes, or unknown here.
---@param flexible table  objects that are not looked at: their tensors appear with use
function differences.check_tensors(path, archive, tensors, flexible)
  local there <const>, list <const> = {}, {}
  for _, name in ipairs(archive:names()) do there[name] = true end
  for _, t in ipairs(tensors) do
    local old <const> = there[t.name] and table.concat(archive:shape(t.name), ",")
    local new <const> = table.concat(t.tensor.shape, ",")
    if not old then
      list[#list + 1] = ("it has no '%s'"):format(t.name)
    elseif old ~= new then
      list[#list + 1] = ("'%s' is {%s} there and {%s} here"):format(t.name, old, new)
    end
    there[t.name] = nil
  end
  for _, name in ipairs(sorted_keys(there)) do
    if not flexible[name:match "^[^.]*"] then
      list[#list + 1] = ("this script has no '%s'"):format(name)
    end
  end
  refuse_list(path, list)
end

return differences

--- checkpoint.lua - a run's state as a safetensors file, and back.
--
-- The same run makes the same bytes: no time, path or number of threads goes in.

local core <const> = ...
local json <const>, sorted_keys <const> = core.load "json", core.load "keys"
local checkpoint <const> = {}

-- These may differ when a run is resumed.
local free <const> = { epochs = true, out = true, threads = true, resume = true,
                       strict = true }

local function binding_options(opt)
  local bound <const> = {}
  for k, v in pairs(opt) do
    if not free[k] and type(v) ~= "table" then bound[k] = v end
  end
  return bound
end

--- The tensors of all objects by their full names, G.2.weight, in a fixed order.
local function named_tensors(objects)
  local list <const> = {}
  for _, key in ipairs(sorted_keys(objects)) do
    for _, t in ipairs(objects[key]:state()) do
      list[#list + 1] = { name = key .. "." .. t.name, tensor = t.tensor }
    end
  end
  return list
end

local function notes_of(run)
  local seed <const>, drawn <const> = core.random_state()
  local notes <const> = {
    ["lugano.run"] = run.name,
    ["lugano.step"] = ("%d"):format(run.step),
    ["lugano.epoch"] = ("%d"):format(run.epoch),
    ["lugano.batch"] = ("%d"):format(run.batch),
    ["lugano.pass_over"] = tostring(run.pass_over),
    ["lugano.seed"] = ("%d"):format(seed),
    ["lugano.drawn"] = ("%d"):format(drawn),
    ["lugano.kernels"] = core.kernels(),
    ["lugano.element"] = core.versions().element,
    ["lugano.options"] = json.encode(binding_options(run.options)),
  }
  for _, key in ipairs(sorted_keys(run.objects)) do
    local object <const> = run.objects[key]
    for name, number in pairs(object.numbers and object:numbers() or {}) do
      notes[key .. "." .. name] = json.number(number)
    end
  end
  local list <const> = {}
  for _, key in ipairs(sorted_keys(notes)) do
    list[#list + 1] = { key = key, value = notes[key] }
  end
  return list
end

--- Writes the state of a run to each path: each is written whole or not at all.
function checkpoint.save(run, paths)
  local tensors <const>, notes <const> = named_tensors(run.objects), notes_of(run)
  for _, path in ipairs(paths) do core.save_tensors(path, tensors, notes) end
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

local function refuse(path, format, ...)
  core.fail("cannot resume from '%s': %s", path, format:format(...))
end

local function check_notes(run, path, notes)
  if notes["lugano.run"] ~= run.name then
    refuse(path, "it is of the run '%s', and this one is '%s'",
           notes["lugano.run"] or "?", run.name)
  end
  local element <const> = core.versions().element
  if notes["lugano.element"] ~= element then
    refuse(path, "its elements are %s, and this build's are %s", notes["lugano.element"],
           element)
  end
  local old <const> = json.decode(notes["lugano.options"] or "") or {}
  local changes <const> = changed_options(old, binding_options(run.options))
  if #changes > 0 then
    refuse(path, "%s; only --epochs, --out and --threads may differ",
           table.concat(changes, ", "))
  end
end

local function same_shape(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

--- Everything is checked before anything is changed.
local function check_tensors(path, archive, tensors)
  local there <const> = {}
  for _, name in ipairs(archive:names()) do there[name] = true end
  for _, t in ipairs(tensors) do
    if not there[t.name] then refuse(path, "it has no '%s'", t.name) end
    local old <const> = archive:shape(t.name)
    if not same_shape(old, t.tensor.shape) then
      refuse(path, "'%s' is {%s} there and {%s} here", t.name, table.concat(old, ","),
             table.concat(t.tensor.shape, ","))
    end
    there[t.name] = nil
  end
  local left <const> = sorted_keys(there)
  if #left > 0 then refuse(path, "this script has no '%s'", left[1]) end
end

local function numbers_of(object, key, notes)
  local numbers <const> = {}
  for name in pairs(object:numbers()) do
    numbers[name] = tonumber(notes[key .. "." .. name])
  end
  return numbers
end

--- Loads nets and optimizers, and returns where the run stood.
---@return table  step, epoch, batch, seed, drawn, kernels
function checkpoint.load(run, path)
  local archive <close> = core.open_tensors(path)
  local notes <const> = archive:metadata()
  check_notes(run, path, notes)
  local tensors <const> = named_tensors(run.objects)
  check_tensors(path, archive, tensors)
  for _, t in ipairs(tensors) do archive:copy(t.name, t.tensor) end
  for _, key in ipairs(sorted_keys(run.objects)) do
    local object <const> = run.objects[key]
    if object.numbers then object:numbers(numbers_of(object, key, notes)) end
  end
  local over <const> = notes["lugano.pass_over"] == "true"
  local function whole(name) return math.tointeger(tonumber(notes["lugano." .. name])) end
  return { step = whole "step", epoch = whole "epoch" + (over and 1 or 0),
           batch = over and 0 or whole "batch", seed = whole "seed",
           drawn = whole "drawn", kernels = notes["lugano.kernels"] }
end

return checkpoint

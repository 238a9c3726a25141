--- checkpoint.lua - a run's state as a safetensors file, and back.
--
-- What an object has to be saved by:
--     o:state()          a list of { name =, tensor = } in a fixed order, the live ones
--     o:numbers()        { name = number }, if it has numbers, too;
--     o:numbers(t)       sets them
--     o:reserve(shapes)  makes room for tensors that appear with use, before state()
--
-- The same run makes the same bytes: no time, path or number of threads goes in.

local core <const> = ...
local json <const>, sorted_keys <const> = core.load "json", core.load "keys"
local exact <const>, differences <const> = core.load "exact", core.load "differences"
local checkpoint <const> = {}

--- The tensors of an object by their full names, G.2.weight, in a fixed order.
local function named_tensors(key, object, list)
  for _, t in ipairs(object:state()) do
    list[#list + 1] = { name = key .. "." .. t.name, tensor = t.tensor }
  end
  return list
end

local function all_tensors(objects)
  local list <const> = {}
  for _, key in ipairs(sorted_keys(objects)) do named_tensors(key, objects[key], list) end
  return list
end

--- What kind of object it is, "lugano.net", so that a changed one is refused by name. An
-- optimizer's is its type, "lugano.optim.Adam": others have tensors of the same names.
local function kind_of(object)
  local meta <const> = getmetatable(object)
  if type(meta) == "table" and meta.__name == "lugano.optimizer" then
    return "lugano." .. tostring(object):match "^optim%.%w+"
  end
  return type(meta) == "table" and type(meta.__name) == "string" and meta.__name
         or type(object)
end

local function kinds_of(objects)
  local kinds <const> = {}
  for key, object in pairs(objects) do kinds[key] = kind_of(object) end
  return kinds
end

local function add_numbers(notes, key, object)
  for name, number in pairs(object.numbers and object:numbers() or {}) do
    if type(number) ~= "number" then
      core.fail("lg.run: '%s' of '%s' is a %s, and numbers() gives numbers alone",
                tostring(name), key, type(number))
    end
    notes[key .. "." .. name] = exact.text(number)
  end
end

local function notes_of(run)
  local seed <const>, drawn <const> = core.random_state()
  local notes <const> = {
    ["lugano.run"] = run.name,
    ["lugano.step"] = ("%d"):format(run.step),
    ["lugano.epoch"] = ("%d"):format(run.epoch),
    ["lugano.batch"] = ("%d"):format(run.batch),
    ["lugano.pass_over"] = tostring(run.pass_over),
    ["lugano.left"] = tostring(run.left),
    ["lugano.seed"] = ("%d"):format(seed),
    ["lugano.drawn"] = ("%d"):format(drawn),
    ["lugano.kernels"] = core.kernels(),
    ["lugano.element"] = core.versions().element,
    ["lugano.options"] = json.encode(differences.binding_options(run.options)),
    ["lugano.objects"] = json.encode(kinds_of(run.objects)),
  }
  for _, key in ipairs(sorted_keys(run.objects)) do
    add_numbers(notes, key, run.objects[key])
  end
  for key, part in pairs(run.parts) do
    notes["lugano." .. key] = json.encode(part:notes())
  end
  local list <const> = {}
  for _, key in ipairs(sorted_keys(notes)) do
    list[#list + 1] = { key = key, value = notes[key] }
  end
  return list
end

--- The first tensor of a run that has a number that is none, or is infinite; or nil. A
-- sum shows it: whatever is added to such a number, it stays one.
---@return string  its full name
function checkpoint.find_unsound(run)
  for _, t in ipairs(all_tensors(run.objects)) do
    local sum <const> = core.lg.no_grad(function() return t.tensor:sum():item() end)
    if not exact.is_finite(sum) then return t.name end
  end
end

--- Writes the state of a run to each path: each is written whole or not at all.
function checkpoint.save(run, paths)
  local tensors <const>, notes <const> = all_tensors(run.objects), notes_of(run)
  for _, path in ipairs(paths) do core.save_tensors(path, tensors, notes) end
end

--- The numbers of an object in the notes, by name.
local function numbers_of(key, notes)
  local numbers <const>, prefix <const> = {}, key .. "."
  for note, text in pairs(notes) do
    if note:sub(1, #prefix) == prefix then
      numbers[note:sub(#prefix + 1)] = exact.number(text)
    end
  end
  return numbers
end

local function shapes_of(key, archive)
  local shapes <const>, prefix <const> = {}, key .. "."
  for _, name in ipairs(archive:names()) do
    if name:sub(1, #prefix) == prefix then
      shapes[name:sub(#prefix + 1)] = archive:shape(name)
    end
  end
  return shapes
end

--- Objects whose tensors appear with use make room for them: after all that can be
-- checked before is checked.
local function reserve(objects, archive)
  for _, key in ipairs(sorted_keys(objects)) do
    if objects[key].reserve then objects[key]:reserve(shapes_of(key, archive)) end
  end
end

local function fixed_and_flexible(objects)
  local fixed <const>, flexible <const> = {}, {}
  for key, o in pairs(objects) do (o.reserve and flexible or fixed)[key] = o end
  return fixed, flexible
end

--- Sets tensors and numbers of all objects to those of an open file. Everything is
-- checked before anything is changed; the error lists what differs.
function checkpoint.restore_objects(run, archive, path)
  local notes <const> = archive:metadata()
  local fixed <const>, flexible <const> = fixed_and_flexible(run.objects)
  differences.check_objects(path, notes, kinds_of(run.objects))
  differences.check_numbers(path, notes, fixed)
  differences.check_tensors(path, archive, all_tensors(fixed), flexible)
  reserve(flexible, archive)
  local tensors <const> = all_tensors(run.objects)
  differences.check_tensors(path, archive, tensors, {})
  for _, t in ipairs(tensors) do archive:copy(t.name, t.tensor) end
  for _, key in ipairs(sorted_keys(run.objects)) do
    local object <const> = run.objects[key]
    if object.numbers then object:numbers(numbers_of(key, notes)) end
  end
end

--- Restores a run from an open file, and returns where it stood.
---@return table  step, epoch, batch, pass_over, left, seed, drawn, kernels
function checkpoint.load(run, archive, path)
  local notes <const> = archive:metadata()
  differences.check_notes(run, path, notes)
  checkpoint.restore_objects(run, archive, path)
  for _, key in ipairs(sorted_keys(run.parts)) do
    local kept <const> = json.decode(notes["lugano." .. key] or "")
    if kept then run.parts[key]:restore(kept) end
  end
  local function whole(name) return math.tointeger(tonumber(notes["lugano." .. name])) end
  return { step = whole "step", epoch = whole "epoch", batch = whole "batch",
           pass_over = notes["lugano.pass_over"] == "true",
           left = notes["lugano.left"] == "true", seed = whole "seed",
           drawn = whole "drawn", kernels = notes["lugano.kernels"] }
end

return checkpoint

--- tensors.lua - tensors in files: lg.save(path, tensors), lg.load(path).
--
-- The files are safetensors, which other programs read and write, too.

local core <const> = ...
local sorted_keys <const> = core.load "keys"
local tensors <const> = {}

--- All tensors of a safetensors file by name, and its notes: texts by key. Elements are
-- read whatever their type is; whole numbers become whole floats.
---@return table, table
function tensors.load(path)
  local archive <close> = core.open_tensors(path)
  local by_name <const> = {}
  for _, name in ipairs(archive:names()) do by_name[name] = archive:read(name) end
  return by_name, archive:metadata()
end

--- Writes tensors by name, and notes (texts by key), in the order of their names. An
-- earlier file stays until the new one is whole.
function tensors.save(path, by_name, notes)
  local named <const>, texts <const> = {}, {}
  if type(by_name) ~= "table" then
    core.fail("save: the second argument must be a table of tensors by name, not a %s",
              type(by_name))
  end
  for _, name in ipairs(sorted_keys(by_name)) do
    if type(name) ~= "string" or not core.is_tensor(by_name[name]) then
      core.fail("save: '%s' must be the name of a tensor, and is a %s that is a %s",
                tostring(name), type(name), type(by_name[name]))
    end
    named[#named + 1] = { name = name, tensor = by_name[name] }
  end
  for _, key in ipairs(sorted_keys(notes or {})) do
    texts[#texts + 1] = { key = key, value = tostring(notes[key]) }
  end
  core.save_tensors(path, named, texts)
end

return tensors

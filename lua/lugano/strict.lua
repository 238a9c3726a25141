--- strict.lua - globals must be set before they are read.
--
-- A misspelled name would be nil, and fail somewhere else or nowhere. Modules that live
-- elsewhere (in /usr/share/lua, say) are left alone: they ask for what may be missing.

local core <const> = ...

local declared <const> = {}            -- set at least once, if only to nil

--- Is this code the user's? What stands in another absolute folder, or in C, is not, nor
-- are our own files.
local function is_users(info, folder)
  local source <const> = info.source
  if info.what == "C" or source:sub(1, 8) == "=lugano/" then return false end
  return source:sub(1, 2) ~= "@/" or folder and source:sub(1, #folder) == folder
end

--- The names that a writer can have meant: the locals of the functions that run, from
-- `level` on outwards, and the globals.
local function known_names(level, folder)
  local names <const>, globals <const> = {}, {}
  for at = level, math.huge do
    local info <const> = debug.getinfo(at, "S")
    if not info then break end
    for i = 1, is_users(info, folder) and math.huge or 0 do
      local name <const> = debug.getlocal(at, i)
      if not name then break end
      if name:find "^[%a_]" then names[#names + 1] = name end
    end
  end
  for name in pairs(_G) do
    if type(name) == "string" then globals[#globals + 1] = name end
  end
  table.sort(globals)
  return table.move(globals, 1, #globals, #names + 1, names)
end

local function hint(name, level, folder)
  if name == "help" then return "; docs/guide.md begins at nothing; lugano --manual" end
  if name == "lg" then return '; write: local lg = require "lugano"' end
  if type(name) ~= "string" then return "" end
  if core.public(name) ~= nil then return (" (did you mean 'lg.%s'?)"):format(name) end
  local _, phrase <const> = core.load "nearest"(name, known_names(level + 1, folder))
  return phrase
end

--- Makes globals strict. script is the path of the script, whose folder is the user's.
return function(script)
  local folder = script:match "^(/.*/)[^/]*$"
  folder = folder and "@" .. folder
  setmetatable(_G, {
    __index = function(_, name)
      if declared[name] or not is_users(debug.getinfo(2, "S"), folder) then return nil end
      core.fail("global '%s' is not set%s", tostring(name), hint(name, 3, folder))
    end,
    __newindex = function(globals, name, value)
      local info <const> = debug.getinfo(2, "S")
      if not declared[name] and info.what == "Lua" and is_users(info, folder) then
        core.fail("global '%s' is set in a function, and nowhere before; write "
                  .. "'local %s', or set it outside of functions first", tostring(name),
                  tostring(name))
      end
      declared[name] = true
      rawset(globals, name, value)
    end,
  })
end

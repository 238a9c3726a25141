--- older.lua - a new run in the folder of an older one: the older one's files move to
-- old/ there; run_older.lua says what becomes of what moved there before. So who forgot
-- --resume loses nothing; and what no run has written stays where it is.

local core <const> = ...
local json <const> = core.load "json"
local older <const> = {}

local function names_in(folder)
  local ok <const>, names <const> = pcall(core.list_folder, folder)
  return ok and names or {}
end

local function read(path) return core.file_exists(path) and core.read_file(path) or "" end

--- Does the folder hold a run, and no more than files of the same names?
local function is_run(folder)
  local config <const> = json.decode(read(folder .. "/config.json"))
  return type(config) == "table" and config.name ~= nil
         and type(config.versions) == "table" and config.versions.lugano ~= nil
end

local checkpoints <const> = { "^%d+%.safetensors$", "^best%-%d+%.safetensors$",
                              "^last%.safetensors$" }
local unfinished <const> = { "^%d+%.safetensors%.tmp$", "^best%-%d+%.safetensors%.tmp$",
                             "^last%.safetensors%.tmp$" }

local function add_matching(list, folder, prefix, patterns)
  for _, name in ipairs(names_in(folder .. "/" .. prefix)) do
    for _, pattern in ipairs(patterns) do
      if name:find(pattern) then
        list[#list + 1] = prefix .. name
        break
      end
    end
  end
end

--- The pictures that its metrics tell of.
local function add_pictures(list, text)
  for line in text:gmatch "[^\n]+" do
    local path <const> = line:match '"path": "([%w_-]+/%d+%.png)"'
    if path then list[#list + 1] = path end
  end
end

--- The files of a run, by their paths in its folder; the steps that it had. What tells
-- of others comes after them: who is killed while they move goes on with the rest.
local function files_of(folder)
  local list <const>, metrics <const> = {}, read(folder .. "/metrics.jsonl")
  add_pictures(list, metrics)
  add_matching(list, folder, "", { "^metrics%.jsonl$", "^report%.html$",
                                   "^events%.out%.tfevents%.[%w._-]+$" })
  add_matching(list, folder, "checkpoints/", unfinished)
  local others <const> = #list
  add_matching(list, folder, "checkpoints/", checkpoints)
  local has_state <const> = #list > others
  add_matching(list, folder, "", { "^config%.json$" })
  local step
  for n in metrics:gmatch '"step": (%d+)' do step = n end
  return list, has_state, step
end

--- A file that isn't there has moved before, when the program was killed.
local function move_file(folder, path, to)
  local from <const> = folder .. "/" .. path
  if core.file_exists(from) and not core.rename_file(from, to .. "/" .. path) then
    core.fail("lg.run: cannot move '%s' to '%s'; the earlier run stays", from, to)
  end
end

--- Moves an older run aside. One without a checkpoint is only removed.
---@return string  the folder that it is in now, or nil
---@return string  how many steps it had, or nil
function older.move(folder)
  if not is_run(folder) then return end
  local files <const>, has_state <const>, steps <const> = files_of(folder)
  local to <const> = folder .. "/old"
  if has_state and is_run(to) then
    for _, path in ipairs(files_of(to)) do core.remove_file(to .. "/" .. path) end
  end
  for _, path in ipairs(files) do
    if has_state then
      core.make_folder(to .. "/" .. (path:match "^(.*)/" or ""))
      move_file(folder, path, to)
    else
      core.remove_file(folder .. "/" .. path)
    end
  end
  if has_state then return to, steps end
end

return older

--- run_older.lua - a new run takes the folder of an older one, which moves to old/ there.
-- The one that was in old/ goes, unless it had more steps: then it stays, as old2/ or
-- with the next number that is free. So who forgets --resume twice still has a long run.

local core <const> = ...
local kept <const>, progress <const> = core.load "kept", core.load "progress"

local function checkpoints_in(folder) return kept(folder .. "/checkpoints", {}) end

local function newest_step(checkpoints)
  local newest <const> = checkpoints:find()[1]
  return newest and newest.step
end

local function rename(from, to)
  if not core.rename_file(from, to) then
    core.fail("lg.run: cannot move '%s' to '%s'; the earlier run stays where it is", from,
              to)
  end
end

--- Was the program killed while it moved the older run, when config.json alone was left?
local function complete_move(folder, old)
  local from <const>, to <const> = folder .. "/config.json", old .. "/config.json"
  local is_left <const> = core.file_exists(from) and not core.file_exists(to)
                          and checkpoints_in(folder):is_empty()
  if is_left and not checkpoints_in(old):is_empty() then rename(from, to) end
end

local function free_folder(old)
  local n = 2
  while pcall(core.list_folder, old .. n) or core.file_exists(old .. n) do n = n + 1 end
  return old .. n
end

--- What is in old/ makes room for the run in the folder; says where it is, or that it
-- will be no more.
---@return string  or nil, if there is nothing
local function make_room(folder, old)
  local here <const>, there <const> = checkpoints_in(folder), checkpoints_in(old)
  if here:is_empty() or there:is_empty() or not core.file_exists(folder .. "/config.json")
     or not core.file_exists(old .. "/config.json") then
    return nil
  end
  local new <const>, steps <const> = newest_step(here), newest_step(there)
  if new and steps and steps <= new then
    return ("the one that was there, of %d steps, is removed"):format(steps)
  end
  local to <const> = free_folder(old)
  rename(old, to)
  return ("the one that was there, of %s steps, is now in %s"):format(steps or "?", to)
end

--- Moves an older run aside, and says so.
return function(folder)
  local old <const> = folder .. "/old"
  complete_move(folder, old)
  local said <const> = make_room(folder, old)
  local to <const>, steps <const> = core.load "older".move(folder)
  if to then
    progress.say(("the earlier run in %s, of %s steps, is now in %s; --resume would have "
                  .. "gone on with it"):format(folder, steps or "?", to))
  end
  if to and said then progress.say(said) end
end

--- recovery.lua - what a run does when a value is not a number: on_nan = "warn" goes on,
-- "stop" ends it, "rollback" returns to the last good checkpoint.
--
-- A rollback sets nets, optimizers and averages back; data and random numbers go on, or
-- the same would come again. Checkpoints never hold a number that is none.

local core <const> = ...
local checkpoint <const> = core.load "checkpoint"

local most <const> = 3                 -- rollbacks in a row

local Recovery <const> = {}
Recovery.__index = Recovery

local ordinals <const> = { "", ", the second time in a row", ", the third time in a row" }

--- What is wrong, until the step's end: "D is not a number".
function Recovery:notice(what)
  if self.policy ~= "warn" then self.bad = self.bad or what end
end

local function good_path(run)
  local path <const> = run.kept.good and run.kept:path(run.kept.good)
  return path and core.file_exists(path) and path or nil
end

local function stop(run, what)
  local path <const> = good_path(run)
  core.fail("%s at step %d, and on_nan is 'stop'; %s", what, run.step,
            path and "from '" .. path .. "', the last good state, --resume goes on"
            or "there is no checkpoint yet")
end

local function is_stream(object)
  local meta <const> = getmetatable(object)
  return type(meta) == "table" and meta.__name == "lugano.batches"
end

local function roll_back(self, run, what)
  local path <const> = good_path(run)
  if not path then
    core.fail("%s at step %d, and there is no checkpoint to return to", what, run.step)
  end
  if self.in_a_row >= most then
    core.fail("%s at step %d, after %d returns to '%s': try a smaller learning rate or "
              .. "clip_norm", what, run.step, most, path)
  end
  local archive <close>, places <const> = core.open_tensors(path), {}
  for key, object in pairs(run.objects) do
    places[key] = is_stream(object) and object:numbers() or nil
  end
  checkpoint.restore_objects(run, archive, path)
  for key, place in pairs(places) do run.objects[key]:numbers(place) end
  self.in_a_row, self.sound_steps = self.in_a_row + 1, 0
  run:forget_means()
  run:alarm("rollback", ("%s at step %d: back to the nets of step %d%s; data and random "
                         .. "numbers go on"):format(what, run.step, run.kept.good,
                                                    ordinals[self.in_a_row]), run.step)
end

--- At the end of a step: acts if something was noticed.
function Recovery:act(run)
  local what <const> = self.bad
  self.bad = nil
  if not what then
    self.sound_steps = self.sound_steps + 1
  elseif self.policy == "stop" then
    stop(run, what)
  else
    roll_back(self, run, what)
  end
end

--- Before a checkpoint: may this state be saved? Where it may not, that is said, or the
-- run acts as the script has chosen.
---@param by_script boolean  and not by Ctrl-C
function Recovery:allows(run, by_script)
  local name <const> = checkpoint.find_unsound(run)
  if not name then
    self.told = false
    if by_script and self.sound_steps > 0 then self.in_a_row = 0 end
    return true
  end
  local what <const> = ("'%s' has numbers that are none, or infinite"):format(name)
  if self.policy == "rollback" and run.kept.good then
    roll_back(self, run, what)
    return true
  end
  if self.policy == "stop" then stop(run, what) end
  if not self.told then
    run:alarm("nan", ("%s since step %d or before: nothing is saved any more"):format(
              what, run.step), run.step)
  end
  self.told = true
  return false
end

function Recovery:notes()
  return { in_a_row = self.in_a_row, sound_steps = self.sound_steps }
end

function Recovery:restore(notes)
  self.in_a_row, self.sound_steps = notes.in_a_row, notes.sound_steps
end

---@param policy string  "warn", "stop" or "rollback"
return function(policy)
  return setmetatable({ policy = policy, in_a_row = 0, sound_steps = 0 }, Recovery)
end

--- run_save.lua - a run's checkpoints: when they are written, and how a run goes on from
-- one.

local core <const> = ...
local checkpoint <const>, newest <const> = core.load "checkpoint", core.load "newest"
local sorted_keys <const>, progress <const> = core.load "keys", core.load "progress"
local ending <const> = core.load "run_ending"
local Run <const> = {}

--- The score of run:checkpoint { score = x }, or nil.
local function score_of(options)
  if options == nil then return nil end
  if type(options) ~= "table" then
    core.fail("run:checkpoint takes { score = x }, and got a %s", type(options))
  end
  for _, name in ipairs(sorted_keys(options)) do
    if name ~= "score" then
      core.fail("run:checkpoint has no option '%s'; it takes { score = x }",
                tostring(name))
    end
  end
  local score <const> = core.is_tensor(options.score) and options.score:item()
                        or options.score
  if score ~= nil and type(score) ~= "number" then
    core.fail("run:checkpoint: the score must be a number or a tensor with one element, "
              .. "not a %s", type(score))
  end
  return score == score and score or nil       -- one that is no number is not the best
end

--- Saves the state: checkpoints/STEP.safetensors, and the same as last.safetensors;
-- within a step, at its end. With { score = x } also as best-STEP.safetensors, if no more
-- than lg.run's option `best` were better.
function Run:checkpoint(options)
  local score <const> = score_of(options)
  if self.resumed then return self end
  if self.inside then
    self.due = { score = score }
    return self
  end
  self:save(score, true)
  if not self:is_last() then
    self.mirror:refresh()
    return self
  end
  self.mirror:finish()
  if self.shown or not self.picture then ending.let_go(self) end
  return self
end

--- Writes the files; of a pass that --steps cut, as of the moment when it did.
local function write_files(run, paths)
  local seed <const>, drawn <const> = core.random_state()
  if run.frozen then core.random_state(run.frozen[1], run.frozen[2]) end
  local ok <const>, why <const> = pcall(checkpoint.save, run, paths)
  core.random_state(seed, drawn)
  return ok, why
end

---@param by_script boolean  and not by Ctrl-C
function Run:save(score, by_script)
  self.due = nil
  core.load "unsaved".tell(function(text) self:say(text) end)
  if not self.recovery:allows(self, by_script) then return end
  local before <const> = self.kept:notes()
  local paths <const> = self.kept:paths(self.step, score, by_script)
  local ok <const>, why <const> = write_files(self, paths)
  if not ok then
    self.kept:restore(before)
    error(why, 0)
  end
  self.kept:prune(self.step)
  self.saved_step = self.step
  if self.pass_over then self.mark = { core.random_state() } end
end

--- Writes the files of the step that are missing: the state is that of the checkpoint.
local function complete(run, from, notes)
  local missing <const> = run.kept:missing(from.step, notes)
  if #missing == 0 then return end
  local seed <const>, drawn <const> = core.random_state()
  run.batch, run.pass_over, run.left = from.batch, from.pass_over, from.left
  core.random_state(from.seed, from.drawn)
  local ok <const>, why <const> = pcall(checkpoint.save, run, missing)
  core.random_state(seed, drawn)
  run.batch, run.pass_over, run.left = 0, false, false
  if not ok then error(why, 0) end
end

--- Takes the state of the newest whole checkpoint.
function Run:resume()
  local archive <close>, path <const>, damaged <const> = newest.open(self.kept)
  local from <const> = checkpoint.load(self, archive, path)
  self.step, self.epoch, self.saved_step = from.step, from.epoch, from.step
  complete(self, from, archive:metadata())
  self.kept:go_on(from.step)
  self.resumed = from
  self.epoch = from.epoch + (from.pass_over and 1 or 0)
  self.batch = from.pass_over and 0 or from.batch
  for _, d in ipairs(damaged) do progress.say(d.why .. "; an earlier one is taken") end
  progress.say(("resumed after step %d from %s"):format(from.step, path))
  if from.kernels ~= core.kernels() then
    progress.say(("it was computed with %s kernels, and this machine has %s: results "
                  .. "will differ in their last digits"):format(from.kernels,
                                                                core.kernels()))
  end
  if self:is_finished() then self.epoch = nil end      -- see run.lua
end

return Run

--- run_pass.lua - a run's passes and steps: where it stands, and how it is stopped.

local core <const> = ...
local json <const>, progress <const> = core.load "json", core.load "progress"
local Run <const> = {}

--- A pass over batches: `for x, labels in run:progress(data:batches(64)) do`. Also over
-- any function that returns the next thing or nil, or over a number of steps.
function Run:progress(source)
  if self.inside then
    core.fail("run:progress: the run is within a pass; an inner loop is a plain one, "
              .. "for i = 1, 5 do")
  end
  if self.stopped then error(core.stopped, 0) end       -- a pcall has caught it
  if self.started and self:is_enough() then
    self.frozen = self.frozen or self.mark      -- what comes now is of no pass
    return function() end
  end
  if self.started then self.epoch = self.epoch + 1 end
  self.started, self.batch, self.pass_over, self.left = true, 0, false, false
  if self.epoch > (self:epochs() or math.huge) and not self.told_passes then
    self.told_passes = true
    self:say(("%s: each run:progress is a pass, and this is pass %d of %d: a run with "
              .. "several in an epoch cannot be resumed; make them one, or leave the "
              .. "others to plain loops"):format(core.where(), self.epoch,
                                                 self:epochs()))
  end
  local from <const> = self.resumed
  self.resumed = nil
  if from and not from.pass_over then self.batch = from.batch end
  source = self:source(source)
  -- What is drawn between a checkpoint and the next pass counts in no run, since a
  -- resumed one does not draw it.
  if from then self.mark = { from.seed, from.drawn } end
  if self.mark then core.random_state(self.mark[1], self.mark[2]) end
  self.mark = nil
  self:open_pass()
  local function advance()
    if from and from.left and not from.pass_over then return nil end   -- by break
    if self.inside then self:end_step() end
    local x, y
    if not self:is_enough() then x, y = source() end
    self.inside = x ~= nil
    if not self.inside then self:end_pass(self:is_cut()) end
    if self.batch == 0 then self.health:batch(x) end
    return x, y
  end
  local function leave(_, why) self:leave_pass(why) end
  return advance, nil, nil, setmetatable({}, { __close = leave })
end

function Run:open_pass()
  local may_return <const> = self.settings.on_nan == "rollback"
  if may_return and not self.kept.good then self:save(nil, true) end
  local epochs <const> = self:epochs()
  local title <const> = "epoch " .. self.epoch .. (epochs and "/" .. epochs or "")
  if self.batch == 0 then self.pass_means:clear() end
  self.display = progress.open(title, self.steps_of_pass)
  self.display:skip(self.batch)
  core.graceful(true)
end

--- What gives the next batch; sets how many there will be, if that is known.
function Run:source(source)
  self.steps_of_pass = nil
  if math.type(source) == "integer" then
    local i = self.batch
    self.steps_of_pass = source
    return function()
      i = i + 1
      if i <= source then return i end
    end
  end
  local meta <const> = type(source) == "table" and getmetatable(source)
  if type(source) ~= "function" and not (meta and meta.__call) then
    core.fail("run:progress takes batches, a function that gives them, or a number of "
              .. "steps; it got a %s", type(source))
  end
  if meta and meta.__len and not source.endless then self.steps_of_pass = #source end
  if not (meta and source.seek) then
    for _ = 1, self.batch do source() end      -- to where the resumed run stood
  elseif source.endless then
    core.load "unsaved".forget(source)
    source:seek(1, self.step)                  -- it goes on where the last pass ended
  else
    source:seek(self.epoch, self.batch)
  end
  return source
end

function Run:end_step()
  self.inside, self.logged = false, false
  self.step, self.batch = self.step + 1, self.batch + 1
  for _, norm in ipairs(self.norms:fresh()) do self.window:add(norm.name, norm.value) end
  if self.step % self.settings.log_every == 0 then self:write_metrics() end
  self.recovery:act(self)
  local due <const> = self.due
  if due then self:save(due.score, true) end
  self.display:advance(function() return self.pass_means:text() end)
  if core.stop_asked() then
    if not due then self:save(nil, false) end
    self:stop()
  end
end

--- The pass is cut, and a resumed run goes on within it as if it had not been: so its
-- checkpoint has random numbers and means as of now, and not as they are after what the
-- script does behind its passes.
function Run:freeze()
  self.frozen = { core.random_state() }
  for _, key in ipairs { "window", "metrics", "health" } do
    local notes <const> = json.decode(json.encode(self.parts[key]:notes()))
    self.parts[key] = { notes = function() return notes end }
  end
end

--- is_cut: by --steps, so that a resumed run with more of them goes on within the pass.
function Run:end_pass(is_cut)
  self.pass_over, self.cut = not is_cut, is_cut
  if is_cut then self:freeze() end
  self:write_metrics()
  self.display:close(self.pass_means:text())
end

--- The loop is left: at its end, by break, or by an error. A step that has logged values
-- before its break is done. Between two passes Ctrl-C still waits for the next step;
-- after the last it works at once.
function Run:leave_pass(why)
  self.left = self.inside and not why
  if self.left and (self.due or self.logged) then self:end_step() end
  if not why then self:write_metrics() end
  self.inside, self.due = false, nil
  if not why and not self.cut then self.pass_over = true end
  self.display:abandon()
  self.display = nil
  if why and why ~= core.stopped then self.mirror:finish() end
  local goes_on <const> = self.pass_over and self:epochs() and not self:is_last()
  if not goes_on then core.graceful(false) end
end

--- How many passes the options ask for, if they say.
function Run:epochs()
  local epochs <const> = rawget(self.options, "epochs")
  return math.type(epochs) == "integer" and epochs or nil
end

--- Were those all the steps that --steps asks for?
function Run:is_enough()
  local steps <const> = rawget(self.options, "steps")
  return math.type(steps) == "integer" and steps > 0 and self.step >= steps
end

--- Was the pass not at its end when --steps were done? Of one that does not say how long
-- it is nobody knows, so it counts as one that goes on.
function Run:is_cut() return self:is_enough() and self.batch ~= self.steps_of_pass end

--- Is the last pass over?
function Run:is_last()
  local all <const> = self:epochs() ~= nil and self.epoch >= self:epochs()
  return self.cut or self.pass_over and (all or self:is_enough())
end

--- Is the script still before the pass in which a resumed run stands? What it does there
-- was done before, and counts no more.
function Run:is_waiting() return self.resumed ~= nil and not self:is_finished() end

--- Was the run resumed after its last pass?
function Run:is_finished()
  return self.resumed ~= nil and self:epochs() ~= nil and self.epoch > self:epochs()
end

--- Ctrl-C was pressed: the state is saved, and the script ends here.
function Run:stop()
  core.graceful(false)
  self.stopped = true
  self.mirror:finish()
  local last <const> = self.kept:last_path()
  core.stopped.message = self.saved_step == self.step
    and ("stopped after step %d; saved to %s"):format(self.step, last)
    or ("stopped after step %d; nothing was saved since step %d"):format(
       self.step, self.saved_step or 0)
  error(core.stopped, 0)
end

return Run

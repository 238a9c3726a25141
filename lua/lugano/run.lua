--- run.lua - lg.run: a training run, and the folder that it leaves behind.
--
--     out/NAME/config.json                     options, seed, versions
--              metrics.jsonl                   one object a line: means of ten steps
--              samples/000400.png              by step
--              checkpoints/000400.safetensors  the last three, by step
--              checkpoints/last.safetensors    the newest

local core <const> = ...
local json <const>, progress <const> = core.load "json", core.load "progress"
local sorted_keys <const> = core.load "keys"
local image <const>, checkpoint <const> = core.load "image", core.load "checkpoint"

local log_every <const>, kept_checkpoints <const> = 10, 3

local Run <const> = {}
Run.__index = Run
Run.__name = "lugano.run"

local function say(run, text)
  if run.display then run.display:say(text) else progress.say(text) end
end

local function start_folder(run)
  core.make_folder(run.folder .. "/checkpoints")
  local seed <const> = core.random_state()
  core.save_file(run.folder .. "/config.json", json.encode({
    name = run.name, options = run.options, seed = seed, threads = core.threads(),
    kernels = core.kernels(), versions = core.versions() }, "") .. "\n")
end

--- On resume: the lines of metrics up to the step from which the run goes on.
local function cut_metrics(path, step)
  local kept <const> = {}
  local text <const> = core.file_exists(path) and core.read_file(path) or ""
  for line in text:gmatch "[^\n]+" do
    local row <const> = json.decode(line)
    if type(row) == "table" and math.type(row.step) == "integer" and row.step <= step then
      kept[#kept + 1] = line .. "\n"
    end
  end
  return table.concat(kept)
end

local function resume(run)
  local path <const> = run.folder .. "/checkpoints/last.safetensors"
  if not core.file_exists(path) then
    core.fail("nothing to resume: there is no '%s'; run once without --resume", path)
  end
  local state <const> = checkpoint.load(run, path)
  run.step, run.epoch, run.resumed = state.step, state.epoch, state
  run.saved[1] = ("%s/checkpoints/%06d.safetensors"):format(run.folder, state.step)
  progress.say(("resumed after step %d from %s"):format(state.step, path))
  if state.kernels ~= core.kernels() then
    progress.say(("it was computed with %s kernels, and this machine has %s: results "
                  .. "will differ in their last digits"):format(state.kernels,
                                                                core.kernels()))
  end
end

--- A pass over batches: `for x, labels in run:progress(data:batches(64)) do`. Also over
-- any function that returns the next thing or nil, or over a number of steps.
function Run:progress(source)
  if self.started then self.epoch = self.epoch + 1 end
  self.started, self.batch, self.pass_over = true, 0, false
  local from <const> = self.resumed
  if from then self.batch, self.resumed = from.batch, nil end
  source = self:source(source)
  if from then core.random_state(from.seed, from.drawn) end
  local steps <const> = self.steps_of_pass
  local epochs <const> = self:epochs()
  local title <const> = "epoch " .. self.epoch .. (epochs and "/" .. epochs or "")
  self.pass_mean = {}
  self.display = progress.open(title, steps)
  self.display:skip(self.batch)
  core.graceful(true)
  local inside = false
  local function advance()
    if inside then self:end_step() end
    local x <const>, y <const> = source()
    inside = x ~= nil
    if not inside then self:end_pass() end
    return x, y
  end
  local function leave() self:leave_pass() end
  return advance, nil, nil, setmetatable({}, { __close = leave })
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
  if meta and source.seek then source:seek(self.epoch, self.batch) end
  if meta and meta.__len then self.steps_of_pass = #source end
  if not (meta and source.seek) then
    for _ = 1, self.batch do source() end      -- to where the resumed run stood
  end
  return source
end

function Run:end_step()
  self.step, self.batch = self.step + 1, self.batch + 1
  if self.step % log_every == 0 then self:write_metrics() end
  self.display:advance(function() return self:values() end)
  if core.stop_asked() then
    self:save()
    self:stop()
  end
end

function Run:end_pass()
  self.pass_over = true
  self:write_metrics()
  self.display:close(self:values())
end

--- The loop is left: at its end, by break, or by an error. Between two passes Ctrl-C
-- still waits for the next step; after the last it works at once.
function Run:leave_pass()
  self.display:abandon()
  self.display = nil
  local goes_on <const> = self.pass_over and self:epochs() and not self:is_last()
  if not goes_on then core.graceful(false) end
end

--- How many passes the options ask for, if they say.
function Run:epochs()
  local epochs <const> = rawget(self.options, "epochs")
  return math.type(epochs) == "integer" and epochs or nil
end

--- Is the last pass over?
function Run:is_last()
  return self.pass_over and self:epochs() ~= nil and self.epoch >= self:epochs()
end

--- Ctrl-C was pressed: the state is saved, and the script ends here.
function Run:stop()
  core.graceful(false)
  local path <const> = self.folder .. "/checkpoints/last.safetensors"
  core.stopped.message = ("stopped after step %d; saved to %s"):format(self.step, path)
  error(core.stopped, 0)
end

local function add_mean(means, name, value)
  local m <const> = means[name] or { sum = 0.0, count = 0 }
  m.sum, m.count = m.sum + value, m.count + 1
  means[name] = m
end

--- Notes the values of a step, run:log { D = 1.3, G = 0.8 }: numbers, or tensors with one
-- element. The display has their means so far, metrics.jsonl those of ten steps.
function Run:log(values)
  if type(values) ~= "table" then
    core.fail("run:log takes { name = value }, and got a %s", type(values))
  end
  for _, name in ipairs(sorted_keys(values)) do
    local value = values[name]
    if core.is_tensor(value) then value = value:item() end
    if type(value) ~= "number" then
      core.fail("run:log: '%s' is a %s; it must be a number or a tensor with one element",
                tostring(name), type(value))
    end
    if value ~= value and not self.told_nan then
      self.told_nan = true
      say(self, ("%s is not a number since step %d"):format(name, self.step + 1))
    end
    add_mean(self.window, name, value)
    add_mean(self.pass_mean, name, value)
  end
  return self
end

--- "D 1.312  G 0.845"
function Run:values()
  local parts <const> = {}
  for _, name in ipairs(sorted_keys(self.pass_mean)) do
    local mean <const> = self.pass_mean[name].sum / self.pass_mean[name].count
    parts[#parts + 1] = name .. " " .. (mean == mean and ("%.4g"):format(mean) or "nan")
  end
  return table.concat(parts, "  ")
end

function Run:write_metrics()
  if next(self.window) == nil then return end
  local row <const> = { step = self.step, epoch = self.epoch }
  for name, m in pairs(self.window) do row[name] = m.sum / m.count end
  self.window = {}
  core.append_file(self.folder .. "/metrics.jsonl", json.encode(row) .. "\n")
end

--- Writes a batch as a picture, NAME/STEP.png. What is black and white is the range, -1
-- to 1 unless it is given.
---@param options table  range = {0, 1}, columns = 8
function Run:image(name, x, options)
  if type(name) ~= "string" or not name:find "^[%w_-]+$" or name == "checkpoints" then
    core.fail("run:image: '%s' cannot be the name of a folder of pictures",
              tostring(name))
  end
  if not core.is_tensor(x) then
    core.fail("run:image takes a name and a tensor, and got a %s", type(x))
  end
  local picture <const>, clipped <const> = image.grid(x, options)
  core.make_folder(self.folder .. "/" .. name)
  local path <const> = ("%s/%s/%06d.png"):format(self.folder, name, self.step)
  picture:save(path)
  if clipped > 0.01 and not self.told_clip then
    self.told_clip = true
    say(self, ("%s: %.0f %% of the numbers lie outside of its range; name it: run:image("
               .. "'%s', x, { range = {0, 1} })"):format(path, 100 * clipped, name))
  end
  self.picture, self.picture_path, self.shown = picture, path, false
  if self.started and self:is_last() and not self.display then self:finish() end
  return self
end

--- Saves the state: checkpoints/STEP.safetensors, and the same as last.safetensors.
function Run:checkpoint()
  self:save()
  if core.stop_asked() and not self.display then self:stop() end
  return self
end

function Run:save()
  local folder <const> = self.folder .. "/checkpoints"
  local path <const> = ("%s/%06d.safetensors"):format(folder, self.step)
  checkpoint.save(self, { path, folder .. "/last.safetensors" })
  local saved <const> = self.saved
  if saved[#saved] ~= path then saved[#saved + 1] = path end
  if #saved > kept_checkpoints then core.remove_file(table.remove(saved, 1)) end
end

--- Shows the last picture, or says where it is. Called by itself at the end.
function Run:finish()
  if self.shown or not self.picture then return self end
  self.shown = true
  if core.terminal then self.picture:show() end
  say(self, self.picture_path)
  return self
end

local function check_objects(objects)
  for _, key in ipairs(sorted_keys(objects)) do
    if type(key) ~= "string" or not key:find "^%a[%w_]*$" or key == "lugano" then
      core.fail("lg.run: '%s' cannot be the name of an object", tostring(key))
    end
    local o <const> = objects[key]
    if type(o) ~= "table" and type(o) ~= "userdata" or not o.state then
      core.fail("lg.run: '%s' is a %s; it must be a net or an optimizer", key, type(o))
    end
  end
end

--- Begins a run, or goes on with it if the options say resume.
---@param name string    of the run: its folder is out/NAME, or that of --out
---@param opt table      what lg.options gave
---@param objects table  nets and optimizers by name: they are saved
return function(name, opt, objects)
  if type(name) ~= "string" or not name:find "^[%w_.-]+$" then
    core.fail("lg.run: '%s' cannot be the name of a run", tostring(name))
  end
  opt, objects = opt or core.options or {}, objects or {}
  check_objects(objects)
  local run <const> = setmetatable({
    name = name, options = opt, objects = objects,
    folder = rawget(opt, "out") or "out/" .. name,
    step = 0, epoch = 1, batch = 0, pass_over = false, window = {}, pass_mean = {},
    saved = {} }, Run)
  local metrics <const> = run.folder .. "/metrics.jsonl"
  local kept = ""
  if rawget(opt, "resume") then
    resume(run)
    kept = cut_metrics(metrics, run.step)
  end
  start_folder(run)
  core.save_file(metrics, kept)
  core.at_exit = core.at_exit or {}
  core.at_exit[#core.at_exit + 1] = function() run:finish() end
  return run
end

--- run_values.lua - what a run notes: values and their means, alarms, pictures.

local core <const> = ...
local image <const>, progress <const> = core.load "image", core.load "progress"
local sorted_keys <const>, exact <const> = core.load "keys", core.load "exact"
local ending <const> = core.load "run_ending"
local Run <const> = {}

--- Says a line to the user.
function Run:say(text)
  if self.display then self.display:say(text) else progress.say(text) end
end

--- Notes the values of a step, run:log { D = 1.3, G = 0.8 }: numbers, or tensors with one
-- element. The display has their means so far, metrics.jsonl those of ten steps; what is
-- logged after a pass is a line of its own.
function Run:log(values)
  if type(values) ~= "table" then
    core.fail("run:log takes { name = value }, and got a %s", type(values))
  end
  if self.resumed then return self end
  for _, name in ipairs { "step", "epoch" } do
    if values[name] ~= nil then
      core.fail("run:log: '%s' is noted by itself; leave it out, or give it another name",
                name)
    end
  end
  for _, name in ipairs(sorted_keys(values)) do
    local value = values[name]
    if core.is_tensor(value) then
      if value:numel() ~= 1 then
        core.fail("run:log: '%s' is {%s}; it must have one element: call :mean() first",
                  tostring(name), table.concat(value.shape, ","))
      end
      value = value:item()
    end
    if type(value) ~= "number" then
      core.fail("run:log: '%s' is a %s; it must be a number or a tensor with one element",
                tostring(name), type(value))
    end
    self:note_value(tostring(name), value)
  end
  if self.started and not self.display then self:write_metrics() end
  return self
end

function Run:note_value(name, value)
  self.logged = self.inside
  self.window:add(name, value)
  self.pass_means:add(name, value)
  self.health:value(name, value, self.step + 1)
  if not exact.is_finite(value) then
    self.recovery:notice(name .. (value ~= value and " is not a number"
                                  or " is infinite"))
  end
end

--- The means that are not complete are of no use: nets went back to an earlier state.
function Run:forget_means()
  self.window:clear()
  self.pass_means:clear()
  self.health:recovered()
end

function Run:write_metrics()
  if self.window:is_empty() then return end
  local row <const> = { step = self.step, epoch = self.epoch }
  for name, mean in self.window:each() do row[name] = mean end
  self.window:clear()
  self.history:add(row)
  self.mirror:row(row, self.step)
  ending.hold(self)
  row.step, row.epoch = nil, nil
  if self.display then self.health:row(row, self.step) end     -- a score is no loss
  self.mirror:refresh()
end

--- Says what is wrong, and notes it.
---@param kind string  one word: "collapse"
function Run:alarm(kind, text, step)
  self:say(text)
  ending.hold(self)
  self.history:add { step = step, epoch = self.epoch, alarm = kind, text = text }
end

local function check_samples(who, name, x)
  if type(name) ~= "string" or not name:find "^[%w_-]+$" or name == "checkpoints"
     or name:find "^old%d*$" then
    core.fail("%s: '%s' cannot be the name of a folder of pictures", who, tostring(name))
  end
  if not core.is_tensor(x) then
    core.fail("%s takes a name and a tensor, and got a %s", who, type(x))
  end
end

--- Writes a batch as a picture, NAME/STEP.png. What is black and white is the range, -1
-- to 1 unless it is given.
---@param options table  range = {0, 1}, columns = 8
function Run:image(name, x, options)
  check_samples("run:image", name, x)
  if self:is_waiting() then return self end
  local picture <const>, clipped <const> = image.grid(x, options)
  core.make_folder(self.folder .. "/" .. name)
  local file <const> = ("%s/%06d.png"):format(name, self.step)
  local path <const> = self.folder .. "/" .. file
  picture:save(path)
  if clipped > 0.01 and not self.told_clip then
    self.told_clip = true
    local range <const> = options and options.range or { -1, 1 }
    self:say(("%s: %.0f %% of the numbers lie outside of %g to %g, and are cut off; if "
               .. "they are meant to, name their range: run:image('%s', x, { range = "
               .. "{0, 1} })"):format(path, 100 * clipped, range[1], range[2], name))
  end
  local epoch <const> = self:is_finished() and self.resumed.epoch or self.epoch
  local row <const> = { step = self.step, epoch = epoch, image = name, path = file }
  local again <const> = self:is_finished() or self:is_enough()
  if again then self.history:add_once(row) else self.history:add(row) end
  self.mirror:picture(name, self.step, path)
  self.health:samples(name, x, self.step, options and options.range or { -1, 1 })
  self.picture, self.picture_path, self.shown = picture, path, false
  ending.hold(self)
  self.mirror:refresh()
  if self.started and self:is_last() and not self.display then self:finish() end
  return self
end

--- Looks whether samples that are no pictures, points n,2, have collapsed, as run:image
-- does with those that are.
function Run:watch(name, x)
  check_samples("run:watch", name, x)
  if not self.resumed then self.health:samples(name, x, self.step) end
  return self
end

--- Shows the last picture, or says where it is. Called by itself at the end.
function Run:finish()
  if self.shown or not self.picture then return self end
  self.shown = true
  if core.terminal then self.picture:show() end
  self:say(self.picture_path)
  return self
end

return Run

--- mirror.lua - what shows a run while it goes on: report.html and, with --tensorboard,
-- TensorBoard's files. They are for the eye alone: what they cannot do is said once, and
-- ends no run.

local core <const> = ...
local sorted_keys <const> = core.load "keys"

local every <const>, share <const> = 5, 30     -- seconds between two reports, at least;
                                               -- or so many times what one takes

local Mirror <const> = {}
Mirror.__index = Mirror

--- Calls f, and says its first failure.
function Mirror:try(what, f)
  if self.failed[what] then return end
  local ok <const>, why <const> = pcall(f)
  if ok then return end
  if type(why) ~= "string" or why:find ": interrupted$" then error(why, 0) end
  self.failed[what] = true
  self.say(("%s cannot be written, and the run goes on without: %s"):format(what, why))
end

function Mirror:row(row, step)
  if not self.events then return end
  self:try("TensorBoard's file", function()
    for _, name in ipairs(sorted_keys(row)) do
      if name ~= "step" and name ~= "epoch" then
        self.events:scalar(name, step, row[name])
      end
    end
  end)
end

function Mirror:picture(name, step, path)
  if not self.events then return end
  self:try("TensorBoard's file", function() self.events:image(name, step, path) end)
end

--- Makes report.html anew; it says whether the run still goes on.
function Mirror:write(live)
  local began <const> = core.now()
  self:try("the report", function() core.load "report".write(self.folder, live) end)
  self.written = core.now()
  self.pause = math.max(every, share * (self.written - began))
end

--- Makes report.html anew, if the last time is a while ago.
function Mirror:refresh()
  if core.now() - self.written >= self.pause then self:write(true) end
end

--- The run is over, for now.
function Mirror:finish() self:write(false) end

---@param tensorboard boolean
---@param step integer  after which the run goes on
---@param say function  says a line to the user
return function(folder, tensorboard, step, say)
  local mirror <const> = setmetatable({ folder = folder, say = say, failed = {},
                                        written = core.now(), pause = every }, Mirror)
  if tensorboard then
    mirror:try("TensorBoard's file", function()
      mirror.events = core.load "events".open(folder, step > 0 and step + 1 or 0)
    end)
  end
  return mirror
end

--- progress.lua - how far a pass is: a line that is rewritten, or plain lines.
--
-- core.terminal is what the command found out about a terminal, { width =, color = }, or
-- nil where there is none: then no escape codes, and one line every few seconds.

local core <const> = ...
local progress <const> = {}

local rewrite_every <const>, line_every <const> = 0.1, 10      -- seconds
local widest_bar <const>, narrowest_bar <const> = 20, 6

local function put(text)
  io.stdout:write(text)
  io.stdout:flush()
end

--- "0:07", "12:40", "3:07:12"
function progress.duration(seconds)
  local s <const> = math.floor(seconds + 0.5)
  if s < 3600 then return ("%d:%02d"):format(s // 60, s % 60) end
  return ("%d:%02d:%02d"):format(s // 3600, s // 60 % 60, s % 60)
end

local function rate_text(rate)
  if rate >= 100 then return ("%.0f steps/s"):format(rate) end
  if rate >= 1 then return ("%.1f steps/s"):format(rate) end
  return ("%.1f s/step"):format(1 / rate)
end

local Display <const> = {}
Display.__index = Display

--- title: "epoch 1/20"; steps: how many there will be, or nil.
function progress.open(title, steps)
  local now <const> = core.now()
  return setmetatable({ title = title, steps = steps, step = 0, began = now, shown = now,
                        first = 0, wide = 0,
                        widest = widest_bar, terminal = core.terminal }, Display)
end

--- The first steps of the pass were done before: a run is resumed.
function Display:skip(steps) self.step, self.first = steps, steps end

--- A bar that leaves room for `rest` more columns, or "". It never grows, so that it does
-- not tremble with the length of the numbers.
function Display:bar(rest)
  local wide <const> = math.min(self:columns() - rest - 4, self.widest)
  self.widest = wide
  if not self.steps or self.steps == 0 or wide < narrowest_bar then return "" end
  local full <const> = self.step * wide // self.steps
  return "  [" .. ("="):rep(full) .. (" "):rep(wide - full) .. "]"
end

--- The last column stays free: some terminals wrap when it is written.
function Display:columns() return (self.terminal.width or 80) - 1 end

--- values: "D 1.312  G 0.845"
function Display:text(values, over)
  local spent <const> = core.now() - self.began
  local rate <const> = spent > 0 and (self.step - self.first) / spent or 0
  local parts <const> = { "" }
  parts[#parts + 1] = self.steps and ("%d/%d"):format(self.step, self.steps)
                      or ("%d steps"):format(self.step)
  if rate > 0 then parts[#parts + 1] = rate_text(rate) end
  if over then
    parts[#parts + 1] = "in " .. progress.duration(spent)
  elseif self.steps and rate > 0 then
    parts[#parts + 1] = progress.duration((self.steps - self.step) / rate) .. " left"
  end
  parts[#parts + 1] = values ~= "" and values or nil
  local rest <const> = table.concat(parts, "  ")
  local bar <const> = self.terminal and not over and self:bar(#self.title + #rest) or ""
  return self.title .. bar .. rest
end

--- Rewrites the line; what an earlier, longer one left behind is painted over. Without
-- escape codes, so that any terminal will do.
function Display:rewrite(text)
  text = text:sub(1, self:columns())
  put("\r" .. text .. (" "):rep(self.wide - #text))
  self.wide = #text
end

--- A step is done. values is a function, called when the line is due.
function Display:advance(values)
  self.step = self.step + 1
  local now <const> = core.now()
  if now - self.shown < (self.terminal and rewrite_every or line_every) then return end
  self.shown = now
  local text <const> = self:text(values(), false)
  if self.terminal then self:rewrite(text) else put(text .. "\n") end
end

--- The pass is over: its last line stays.
function Display:close(values)
  if self.closed then return end
  self.closed = true
  local text <const> = self:text(values, true)
  if self.terminal then self:rewrite(text) end
  put((self.terminal and "" or text) .. "\n")
end

--- The pass was left early: what was shown stays.
function Display:abandon()
  if self.terminal and self.wide > 0 and not self.closed then put "\n" end
  self.closed = true
end

--- A line of text, above the one that is rewritten.
function Display:say(text)
  if self.terminal and self.wide > 0 and not self.closed then
    put("\r" .. (" "):rep(self.wide) .. "\r")
    self.wide = 0
  end
  put(text .. "\n")
end

function progress.say(text) put(text .. "\n") end

return progress

--- kept.lua - which checkpoints a run's folder holds: the last few by step, and those of
-- the best scores.
--
--     checkpoints/000400.safetensors       by step
--                 best-000300.safetensors  the best by the script's own score
--                 last.safetensors         the newest

local core <const> = ...
local exact <const> = core.load "exact"

local Kept <const> = {}
Kept.__index = Kept

local function list_names(folder)
  local ok <const>, names <const> = pcall(core.list_folder, folder)
  return ok and names or {}
end

function Kept:last_path() return self.folder .. "/last.safetensors" end

function Kept:path(step) return ("%s/%06d.safetensors"):format(self.folder, step) end

function Kept:best_path(step)
  return ("%s/best-%06d.safetensors"):format(self.folder, step)
end

--- Every checkpoint that has its step in its name, the newest first: { step =, path = }.
function Kept:find()
  local found <const> = {}
  for _, name in ipairs(list_names(self.folder)) do
    local best <const> = name:match "^best%-(%d+)%.safetensors$"
    local step <const> = best or name:match "^(%d+)%.safetensors$"
    if step and math.tointeger(tonumber(step)) then
      found[#found + 1] = { step = math.tointeger(tonumber(step)), best = best ~= nil,
                            path = self.folder .. "/" .. name }
    end
  end
  table.sort(found, function(a, b)
    if a.step ~= b.step then return a.step > b.step end
    return b.best and not a.best
  end)
  return found
end

function Kept:is_empty()
  return not core.file_exists(self:last_path()) and #self:find() == 0
end

function Kept:is_best(step)
  for _, s in ipairs(self.scores) do
    if s.step == step then return true end
  end
  return false
end

--- The run goes on after a step: what lies before it counts as its own, and what is too
-- much goes, if the program was killed before it could.
function Kept:go_on(step)
  self.steps = {}
  for _, file in ipairs(self:find()) do
    local is_own <const> = file.step <= step
    if is_own and not file.best then table.insert(self.steps, 1, file.step) end
    if is_own and file.best and not self:is_best(file.step) then
      core.remove_file(file.path)
    end
  end
  self:prune(step)
end

local function same_notes(a, b)
  for key, text in pairs(a) do
    if b[key] ~= text then return false end
  end
  return true
end

--- Files of this step that are not there, are damaged, or are of an earlier moment in it:
-- the program was killed between them.
---@param notes table  those of the checkpoint that is whole
function Kept:missing(step, notes)
  local paths <const> = {}
  local function need(path)
    local ok <const>, archive <const> = pcall(core.open_tensors, path)
    local same <const> = ok and same_notes(notes, archive:metadata())
    if ok then archive:close() end
    if not same then paths[#paths + 1] = path end
  end
  need(self:last_path())
  need(self:path(step))
  if self:is_best(step) then need(self:best_path(step)) end
  return paths
end

--- Where the state of this step is to be written, by its score if it has one. The last
-- one comes first: whenever the program is killed, it is the newest.
---@param by_script boolean  and not by Ctrl-C: then a rollback may return here
function Kept:paths(step, score, by_script)
  local paths <const> = { self:last_path(), self:path(step) }
  if by_script then self.good = step end
  if score and self:enter(step, score) then paths[3] = self:best_path(step) end
  return paths
end

--- Enters a score into the list of the best; is it one of them? Of equals the earlier.
function Kept:enter(step, score)
  local list <const>, sign <const> = self.scores, self.better == "lower" and 1 or -1
  local again = false                          -- a step is judged by its last score
  for i = #list, 1, -1 do
    if list[i].step == step then again = table.remove(list, i) ~= nil end
  end
  local place = #list + 1
  while place > 1 and sign * list[place - 1].score > sign * score do place = place - 1 end
  self.dropped = again and place > self.best and step or nil
  if place > self.best then return false end
  table.insert(list, place, { step = step, score = score })
  self.dropped = #list > self.best and table.remove(list).step or nil
  return true
end

--- The new files are there: those that are too many go.
function Kept:prune(step)
  local steps <const> = self.steps
  if steps[#steps] ~= step then steps[#steps + 1] = step end
  local i = 1
  while #steps > self.keep and i <= #steps do
    if steps[i] == self.good then
      i = i + 1
    else
      core.remove_file(self:path(table.remove(steps, i)))
    end
  end
  if self.dropped then core.remove_file(self:best_path(self.dropped)) end
  self.dropped = nil
end

--- What a checkpoint keeps. The last few are found by their names, since those that
-- Ctrl-C left would not be there in a run that was never stopped.
function Kept:notes()
  local scores <const> = {}
  for i, s in ipairs(self.scores) do scores[i] = { s.step, exact.text(s.score) } end
  return { good = self.good, scores = scores }
end

function Kept:restore(notes)
  self.good, self.scores, self.dropped = notes.good, {}, nil
  for i, s in ipairs(notes.scores) do
    self.scores[i] = { step = s[1], score = exact.number(s[2]) }
  end
end

---@param settings table  keep, best, better
return function(folder, settings)
  return setmetatable({ folder = folder, keep = settings.keep, best = settings.best,
                        better = settings.better, steps = {}, scores = {} }, Kept)
end

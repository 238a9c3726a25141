--- unsaved.lua - objects with a state of their own that a script has made, and that none
-- of its runs was given: a resumed run would begin them anew, and give other numbers.

local core <const> = ...
local unsaved <const> = {}
local made <const> = setmetatable({}, { __mode = "k" })    -- where, by object

--- Notes that an object was made, and returns it.
function unsaved.note(object, who)
  made[object] = { who = who, where = core.where() }
  return object
end

--- A run has it among its objects, or reads it in run:progress, which notes where.
function unsaved.forget(object) made[object] = nil end

--- Says once of each object that no run has what that means.
---@param say function  says a line to the user
function unsaved.tell(say)
  local lines <const> = {}
  for object, m in pairs(made) do
    made[object] = nil
    lines[#lines + 1] = ("%s: %s is not among the objects of lg.run: --resume would "
                         .. "begin it anew, and not go on to the same numbers"):format(
                         m.where, m.who)
  end
  table.sort(lines)
  for _, line in ipairs(lines) do say(line) end
end

return unsaved

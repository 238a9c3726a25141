--- run_ending.lua - what runs still have to do when the script ends: the last picture is
-- shown, and the report made. A run that has nothing left to do is let go, so that the
-- nets of a script with many runs are not all there at once.

local core <const> = ...
local ending <const> = {}

local held <const> = {}                        -- in the order of what they have to do

--- There is something to do for a run.
function ending.hold(run)
  if run.is_held then return end
  run.is_held = true
  held[#held + 1] = run
end

--- There is nothing to do any more, until it is held again.
function ending.let_go(run)
  run.is_held = false
  for i = #held, 1, -1 do
    if held[i] == run then table.remove(held, i) end
  end
end

local function settle(run)
  run:finish()
  run.mirror:finish()
  ending.let_go(run)
end

--- Is its last pass over? To ask a run for its epoch may set random numbers, see run.lua.
local function is_over(run)
  if run.display or not rawget(run, "epoch") then return false end
  return run:is_finished() or run.started and run:is_last()
end

--- Another run is to begin, in the same folder perhaps: those whose last pass is over do
-- now what they have to.
function ending.settle()
  for _, run in ipairs(table.move(held, 1, #held, 1, {})) do
    if is_over(run) then settle(run) end
  end
end

function ending.begin(run)
  ending.hold(run)
  core.at_exit = core.at_exit or { function()
    while held[1] do settle(held[1]) end
  end }
end

--- Has the script begun a run before?
function ending.any_begun() return core.at_exit ~= nil end

return ending

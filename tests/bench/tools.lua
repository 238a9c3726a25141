--- tools.lua - a clock, memory and medians for the programs of this folder.

local tools <const> = { start = os.clock() }           -- seconds until a script runs
local lg <const> = require "lugano"

--- The table that our own Lua files share has the clock, which no script needs.
local function find_core()
  local index <const> = getmetatable(lg).__index
  for i = 1, math.huge do
    local name <const>, value <const> = debug.getupvalue(index, i)
    if name == "core" then return value end
    if not name then error "lua/lugano/init.lua has no upvalue 'core'" end
  end
end

tools.core = find_core()
tools.now = tools.core.now             -- seconds
tools.threads = tools.core.threads

--- The most memory that the process has had, in bytes; 0 where /proc is not there.
function tools.most_memory()
  local file <const> = io.open "/proc/self/status"
  if not file then return 0 end
  local text <const> = file:read "a"
  file:close()
  return (tonumber(text:match "VmHWM:%s*(%d+)") or 0) * 1024
end

--- The element of a sorted list that is a part of the way through it.
function tools.quantile(sorted, part)
  return sorted[1 + math.floor(part * (#sorted - 1))]
end

function tools.median(list)
  local sorted <const> = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  return tools.quantile(sorted, 0.5)
end

--- Seconds of one call of f: the median of rounds that last a tenth of a second.
function tools.time(f, rounds)
  local calls, times <const> = 1, {}
  while true do
    local began <const> = tools.now()
    for _ = 1, calls do f() end
    if tools.now() - began > 0.1 then break end
    calls = calls * 2
  end
  for i = 1, rounds or 7 do
    local began <const> = tools.now()
    for _ = 1, calls do f() end
    times[i] = (tools.now() - began) / calls
  end
  return tools.median(times)
end

return tools

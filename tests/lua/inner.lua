--- inner.lua - the table core that our own Lua files get, for tests of what no script
-- calls by itself: core.load(name) gives what lua/lugano/NAME.lua returns.

local index <const> = getmetatable(require "lugano").__index
for i = 1, math.huge do
  local name <const>, value <const> = debug.getupvalue(index, i)
  if name == "core" then return value end
  if not name then error "lua/lugano/init.lua has no upvalue 'core'" end
end

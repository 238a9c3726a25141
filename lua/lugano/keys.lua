--- keys.lua - the keys of a table in an order of their own, which pairs does not give.

--- Text sorts as text, anything else by what it looks like, behind all text.
local function before(a, b)
  local ta <const>, tb <const> = type(a) == "string", type(b) == "string"
  if ta ~= tb then return ta end
  return tostring(a) < tostring(b)
end

return function(t)
  local keys <const> = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys, before)
  return keys
end

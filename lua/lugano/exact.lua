--- exact.lua - numbers as texts that read back as the same bits, not-a-number included.

local core <const> = ...
local json <const> = core.load "json"
local exact <const> = {}

local words <const> = { nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }

function exact.text(x)
  if x ~= x then return "nan" end
  if x == math.huge then return "inf" end
  return x == -math.huge and "-inf" or json.number(x)
end

--- The number of a text that exact.text made; nil if it is none.
function exact.number(text) return words[text] or tonumber(text) end

function exact.is_finite(x) return x == x and x ~= math.huge and x ~= -math.huge end

return exact

--- nearest.lua - what was probably meant: the known word that is nearest to a wrong one,
-- or that other programs call so.

local core <const> = ...
local foreign <const> = core.load "foreign"

--- The number of changed letters that lead from a to b (Levenshtein 1966).
local function distance(a, b)
  local row <const> = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local change <const> = a:byte(i) == b:byte(j) and 0 or 1
      corner, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, corner + change)
    end
  end
  return row[#b]
end

--- The nearest of the words, or nil if none is near; and, for a message, a phrase:
-- " (did you mean 'stride'?)", or "".
return function(word, words)
  local best = foreign.ours(word, words)
  local least = best and 0 or math.max(2, #word // 3) + 1
  for _, known in ipairs(words) do
    local begins <const> = #word > 2 and known:sub(1, #word) == word
    local d <const> = begins and 1 or distance(word, known)
    if d < least and d < #word then best, least = known, d end
  end
  return best, best and (" (did you mean '%s'?)"):format(best) or ""
end

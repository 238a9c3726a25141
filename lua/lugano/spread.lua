--- spread.lua - how different the samples of a batch are. Nothing is drawn at random, and
-- no history is recorded, so a run may look whenever it likes.

local core <const> = ...
local lg <const>, exact <const> = core.lg, core.load "exact"
local spread <const> = {}

local most_rows <const>, least_rows <const>, most_numbers <const> = 64, 8, 1 << 24

local function rows_of(x)              -- n,d
  return x:detach():reshape(x.shape[1], x:numel() // x.shape[1])
end

--- The root mean square distance of two samples: the mean of all pairs' squared distances
-- is twice the sum of the (unbiased) variances. Nil if a number is none.
function spread.distance(x)
  local squared <const> = lg.no_grad(function()
    local rows <const> = rows_of(x)
    local centered <const> = rows - rows:mean(1, true)
    return 2 * (centered * centered):sum():item() / (rows.shape[1] - 1)
  end)
  return exact.is_finite(squared) and math.sqrt(squared) or nil
end

local function has_twin(rows, i, near)
  local apart <const> = rows - rows:narrow(1, i, 1)
  local squared <const> = (apart * apart):sum(2):totable()
  for j, d in ipairs(squared) do
    if j ~= i and d <= near * near then return true end
  end
  return false
end

--- The part of the samples that have another within a thousandth of a distance. Of large
-- samples only the first are looked at.
function spread.twins(x, distance)
  return lg.no_grad(function()
    local rows = rows_of(x)
    local fit <const> = math.floor((most_numbers / rows.shape[2]) ^ 0.5)
    local n <const> = math.min(rows.shape[1], math.max(least_rows,
                                                       math.min(most_rows, fit)))
    rows = rows:narrow(1, 1, n)
    local count = 0
    for i = 1, n do
      if has_twin(rows, i, 0.001 * distance) then count = count + 1 end
    end
    return count / n
  end)
end

--- The part of the samples whose numbers differ by less than `least`; the mean of all.
function spread.constant(x, least)
  return lg.no_grad(function()
    local rows <const> = rows_of(x)
    local differ <const> = (rows:amax(2) - rows:amin(2)):totable()
    local count = 0
    for _, d in ipairs(differ) do
      if d < least then count = count + 1 end
    end
    return count / #differ, rows:mean():item()
  end)
end

return spread

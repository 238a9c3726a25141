-- test_anomaly.lua - lg.anomaly finds the first NaN or Inf, and says who made it.

local lg <const>, check <const> = require "lugano", require "check"

local nan <const> = 0 / 0

check.case("forward", function()
  lg.anomaly(true)
  check.raises("log made 1 NaN and 1 Inf of 3 numbers; x {3} from -1 to 1, mean 0",
               function() return lg.tensor { -1, 0, 1 }:log() end)
  local why <const> = check.raises("test_anomaly.lua:", function()
    return lg.tensor { 1, 0 } / 0
  end)
  assert(why:find("div made 1 NaN and 1 Inf", 1, true), why)
  lg.anomaly(false)
  assert(tostring(lg.tensor { -1 }:log()):find("nan 1", 1, true))
end)

check.case("backward", function()
  local x <const> = lg.tensor { 0, 1 }:track()
  local y <const> = x:sqrt():sum()
  lg.anomaly(true)
  check.raises("in the gradient of sqrt made", function() lg.grad(y, x) end)
  lg.anomaly(false)
  lg.grad(x:sqrt():sum(), x)
end)

--- One input of a sample, from its shape.
local function input(text)
  local shape = {}
  for d in text:match "^%s*([%d,%-]*)":gmatch "%d+" do shape[#shape + 1] = tonumber(d) end
  return lg.rand(shape) + 0.5
end

-- A planted NaN goes through, unless the operator decides by comparing; then no result
-- has it, and there is nothing to find.
check.case("a NaN planted in each input of each operator is found there", function()
  local found, silent = 0, 0
  for _, op in ipairs(lg.operators()) do
    local sample <const> = op.samples[1]
    if op.smooth and not op.args:find("...", 1, true) and not sample:find "index"
       and not sample:find "spd" then
      local inputs = {}
      for part in sample:gmatch "[^;]+" do
        if not part:find "=" and not part:find "none" then
          inputs[#inputs + 1] = input(part)
        end
      end
      for i = 1, #inputs do
        local args <const> = table.move(inputs, 1, #inputs, 1, {})
        args[i] = inputs[i] * nan
        lg.anomaly(true)
        local ok, why = pcall(lg[op.name], table.unpack(args))
        lg.anomaly(false)
        if not ok and tostring(why):find("anomaly: " .. op.name .. " made", 1, true) then
          found = found + 1
        elseif ok and inputs[i]:numel() > 0 then
          silent = silent + 1
        end
      end
    end
  end
  print(("%d found, %d without effect"):format(found, silent))
  assert(found > 60 and silent < 20, found .. " " .. silent)
end)

check.report()

--- A walk lets go of each operator's numbers when its gradient is there, not at its end.
local lg = require "lugano"
local check = require "check"

local n <const> = 1 << 18                      -- elements
local size <const> = n * (lg.element == "float" and 4 or 8)

local function deep(x)
  for _ = 1, 12 do x = x:tanh() end
  return x:sum()
end

check.case("differentiating takes little more than what was kept", function()
  local x <const> = lg.randn(n):track()
  local y <const> = deep(x)
  collectgarbage()
  local kept <const> = lg.bytes()
  assert(kept > 12 * size, kept)
  lg.grad(y, x)
  local _, most <const> = lg.bytes()
  assert(most - kept < 4.5 * size, (most - kept) / size)
  check.raises("was let go by an earlier grad", function() lg.grad(y, x) end)
end)

check.case("retain_graph and create_graph keep them", function()
  local x <const> = lg.randn(50):track()
  for _, option in ipairs { "retain_graph", "create_graph" } do
    local y <const> = deep(x)
    local a <const> = lg.grad(y, x, { [option] = true })
    check.equal((lg.grad(y, x) - a):abs():amax():item(), 0)
  end
end)

check.case("under a memory limit a walk that failed may be tried again", function()
  local x <const> = lg.randn(n):track()
  local y <const> = deep(x)
  collectgarbage()
  lg.memory_limit(lg.bytes() + size // 2)
  check.raises("out of memory", function() lg.grad(y, x) end)
  lg.memory_limit(0)
  assert(lg.grad(y, x))
end)

check.case("sums of gradients are those of the operator", function()
  local x <const> = lg.randn(40000):track()
  local terms <const>, sum = {}, nil
  for i = 1, 4 do
    terms[i] = lg.grad((x * i):tanh():sum(), x)
    local t <const> = (x * i):tanh():sum()
    sum = sum and sum + t or t
  end
  local g <const> = lg.grad(sum, x)
  local wanted <const> = terms[4] + terms[3] + terms[2] + terms[1]
  check.equal((g - wanted):abs():amax():item(), 0)
  local again <const> = (x * x):sum() + x:sum()
  check.equal((lg.grad(again, x) - (x + 1 + x)):abs():amax():item(), 0)
end)

check.report()

-- test_tensor.lua - tensors in Lua: creation, inspection, indexing, and every refusal.

local lg <const>, check <const> = require "lugano", require "check"

local function list(t) return table.concat(t, " ") end

check.case("creation", function()
  local t <const> = lg.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
  check.equal(list(t.shape), "2 3")
  check.equal(#t, 2)
  check.equal(t:size(-1), 3)
  check.equal(select("#", t:size()), 2)
  check.equal(t:numel(), 6)
  check.equal(list(t:totable()[2]), "4.0 5.0 6.0")
  check.equal(lg.tensor(2.5):item(), 2.5)
  check.equal(list(lg.tensor {}.shape), "0")
  check.equal(list(lg.zeros(3, 0, 2).shape), "3 0 2")
  check.equal(list(lg.zeros { 3, 2 }.shape), "3 2")
  check.equal(lg.full({ 2, 2 }, 7):at(2, 2), 7)
  check.equal(lg.ones_like(t):at(1, 1), 1)
  check.equal(list(lg.randn_like(t).shape), "2 3")
  check.equal(#lg.zeros().shape, 0)
end)

check.case("a seed gives the same numbers, another seed others", function()
  lg.seed(5)
  local a <const> = lg.randn(4):totable()
  lg.seed(5)
  check.equal(list(lg.randn(4):totable()), list(a))
  lg.seed(6)
  assert(list(lg.randn(4):totable()) ~= list(a))
  local u <const> = lg.rand(1000)
  assert(u:at(1) >= 0 and u:at(1) < 1 and math.abs(u:mean():item() - 0.5) < 0.05)
end)

check.case("rows, slices and elements", function()
  local t <const> = lg.tensor { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } }
  check.equal(list(t[2]:totable()), "4.0 5.0 6.0")
  check.equal(list(t[-1]:totable()), "7.0 8.0 9.0")
  check.equal(t[3][1]:item(), 7)
  check.equal(t:at(2, -1), 6)
  check.equal(list(t:slice(1, 2, 3)[1]:totable()), "4.0 5.0 6.0")
  check.equal(list(t:slice(2, -2)[1]:totable()), "2.0 3.0")
  check.equal(list(t:slice(1, 2, 1).shape), "0 3")
  check.raises("index 5 is outside of axis 1 of {3,3}", function() return t[5] end)
  check.equal(t[4], nil)
  local sum = 0
  for i, row in ipairs(t) do sum = sum + i * row:at(1) end
  check.equal(sum, 1 + 8 + 21)
  check.raises("index 0 is outside of axis 1", function() return t[0] end)
  check.raises("slice: 2 to 9 is outside of axis 2 of {3,3}", function()
    t:slice(2, 2, 9)
  end)
  check.raises("slice: {3,3} has no axis 3", function() t:slice(3, 1, 1) end)
  check.raises("at: {3,3} needs 2 indices, got 1", function() t:at(1) end)
  check.raises("at: index 4 is outside of axis 2 of {3,3}", function() t:at(1, 4) end)
  check.raises("size: {3,3} has no axis 3", function() t:size(3) end)
end)

check.case("a gradient flows through rows and slices", function()
  local t <const> = lg.randn(3, 4):track()
  local g <const> = lg.grad(t[2]:sum() + 2 * t:slice(2, 1, 2):sum(), t)
  check.equal(list(g[1]:totable()), "2.0 2.0 0.0 0.0")
  check.equal(list(g[2]:totable()), "3.0 3.0 1.0 1.0")
end)

check.case("text", function()
  check.equal(tostring(lg.tensor(0.5)), "0.5")
  local text <const> = tostring(lg.tensor { { 1, 2 }, { 3, 0 / 0 } })
  assert(text:find("tensor {2,2}  min 1", 1, true), text)
  assert(text:find("nan 1  inf 0", 1, true), text)
  assert(#tostring(lg.randn(100, 100)) < 1000)
  assert(tostring(lg.randn(2, 3, 4)):find "^tensor {2,3,4}  min [^\n]*$")
  assert(tostring(lg.zeros(0, 3)) == "tensor {0,3}")
end)

check.case("refusals name what came", function()
  check.raises("a size must be a whole number from 0, not -1", function()
    lg.zeros(-1)
  end)
  check.raises("a size must be a whole number from 0, not 1.5", function()
    lg.zeros(2, 1.5)
  end)
  check.raises("a size must be a whole number, not a string", function() lg.zeros "3" end)
  check.raises("at most 8 axes, not 9", function()
    lg.zeros(1, 1, 1, 1, 1, 1, 1, 1, 1)
  end)
  check.raises("has more than 2^40 elements", function() lg.zeros(2 ^ 31, 2 ^ 31) end)
  check.raises("must be a full block of numbers", function()
    lg.tensor { { 1, 2 }, { 3 } }
  end)
  check.raises("must be a full block of numbers", function() lg.tensor { 1, "x" } end)
  check.raises("needs a number or nested tables", function() lg.tensor "x" end)
  check.raises("item needs a tensor of one element, got {2}", function()
    lg.ones(2):item()
  end)
  check.raises("a tensor has no method 'foo'", function() lg.ones(2):foo() end)
  check.raises("a tensor is immutable", function() lg.ones(2)[1] = 3 end)
  check.raises("without axes has no length", function() return #lg.tensor(1) end)
  check.raises("copy: the target is {2} and the source {3}", function()
    lg.ones(2):copy(lg.ones(3))
  end)
end)

check.case("copy writes, and whoever shares the numbers sees it", function()
  local t <const> = lg.zeros(2)
  local same <const> = t:detach()
  t:copy(lg.ones(2))
  check.equal(same:at(1), 1)
end)

check.case("a finalizer may close a tensor at any allocation", function()
  local mode <const> = collectgarbage("incremental", 1, 1000, 2)
  for _ = 1, 200 do
    local x <const> = lg.randn(30, 30)
    setmetatable({}, { __gc = function() x:close() end })
    for _ = 1, 20 do
      if not pcall(function() return x:totable(), x.shape, x[1], x * 2 end) then break end
    end
  end
  collectgarbage(mode)
end)

check.case("the metatable is locked", function()
  check.equal(getmetatable(lg.ones(1)), "tensor")
end)

check.report()

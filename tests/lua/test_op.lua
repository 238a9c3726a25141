-- test_op.lua - operators in Lua: arguments by position and by name, and every refusal.

local lg <const>, check <const> = require "lugano", require "check"

local function shape(t) return table.concat(t.shape, " ") end

check.case("functions, methods, events and bare numbers", function()
  local a <const>, b <const> = lg.tensor { 1, 2 }, lg.tensor { 3, 5 }
  check.equal((a + b):at(2), 7)
  check.equal((a - 1):at(1), 0)
  check.equal((2 * b):at(2), 10)
  check.equal((b / 2):at(1), 1.5)
  check.equal((a ^ 2):at(2), 4)
  check.equal((-a):at(1), -1)
  check.equal(lg.add(a, 1):at(1), a:add(1):at(1))
  check.equal(lg.add(1, 2):item(), 3)
end)

check.case("attributes by position, by name, as a list", function()
  local x <const> = lg.randn(2, 3, 4)
  check.equal(shape(x:reshape(6, 4)), "6 4")
  check.equal(shape(x:reshape { 6, 4 }), "6 4")
  check.equal(shape(x:reshape { dims = { 6, -1 } }), "6 4")
  check.equal(shape(x:sum(2)), "2 4")
  check.equal(shape(x:sum(2, true)), "2 1 4")
  check.equal(shape(x:sum({ 1, -1 }, true)), "1 3 1")
  check.equal(shape(x:sum { dims = { 1, 3 } }), "3")
  check.equal(shape(x:sum { 2, 3, keepdim = true }), "2 1 1")
  check.equal(shape(x:sum()), "")
  check.equal(shape(x:softmax(2)), "2 3 4")
  check.equal(shape(x:softmax { dim = -1 }), "2 3 4")
  check.equal(shape(lg.cat({ x, x }, 2)), "2 6 4")
  check.equal(shape(lg.cat { x, x }), "4 3 4")
  check.equal(shape(x:flatten()), "2 12")
end)

check.case("optional inputs may be left out", function()
  local x <const>, w <const> = lg.randn(1, 2, 6, 6), lg.randn(3, 2, 3, 3)
  check.equal(shape(lg.conv2d(x, w)), "1 3 4 4")
  check.equal(shape(lg.conv2d(x, w, nil, { stride = 2 })), "1 3 2 2")
  check.equal(shape(lg.conv2d(x, w, { stride = { 2, 1 }, padding = 1 })), "1 3 3 6")
  check.equal(shape(lg.conv2d(x, w, lg.randn(3), 1, 1)), "1 3 6 6")
  check.equal(shape(x:conv2d(w, nil, { 2, 1 })), "1 3 2 4")
end)

check.case("refusals", function()
  local x <const> = lg.randn(2, 3)
  check.raises("sum has no option 'dim' (did you mean 'dims'?)", function()
    x:sum { dim = 2 }
  end)
  check.raises("softmax has no option 'colour'", function() x:softmax { colour = 1 } end)
  check.raises("softmax: dim is 3, but {2,3} has 2 axes", function() x:softmax(3) end)
  check.raises("softmax: dim must be a whole number, not 1.5", function()
    x:softmax(1.5)
  end)
  check.raises("softmax: dim must be a whole number, not a table", function()
    x:softmax { dim = {} }
  end)
  check.raises("add: {2,3} and {2} do not fit: aligned at the last axis", function()
    return x + lg.ones(2)
  end)
  check.raises("add: b must be a tensor or a number, not a string", function()
    return x + "1"
  end)
  check.raises("add: b is missing; it takes (a, b)", function() lg.add(x) end)
  check.raises("mse: reduction must be one of mean|sum|none, not 'median'", function()
    lg.mse(x, x, "median")
  end)
  check.raises("cat takes a list of tensors first", function() lg.cat(x, x) end)
  check.raises("cat: element 2 of the list must be a tensor, not a number", function()
    lg.cat { x, 3 }
  end)
  check.raises("cat: the list of tensors is empty", function() lg.cat {} end)
  check.raises("takes 1 arguments at most", function() x:exp(1) end)
end)

check.case("an error names the script's line", function()
  local _, why = pcall(function() return lg.ones(2) + lg.ones(3) end)
  assert(why:find "test_op.lua:%d+: add: ", why)
end)

check.case("descriptors as data", function()
  local by_name <const> = {}
  for _, op in ipairs(lg.operators()) do by_name[op.name] = op end
  assert(by_name.conv2d.args:find("stride: pair = 1", 1, true))
  assert(#by_name.conv2d.doc > 20 and #by_name.conv2d.samples > 3)
end)

check.report()

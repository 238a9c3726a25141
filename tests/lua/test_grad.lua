-- test_grad.lua - lg.grad: lists, nets, options, orders, and every refusal.

local lg <const>, check <const> = require "lugano", require "check"

check.case("one tensor gives a tensor, a list gives a list", function()
  local a <const>, b <const> = lg.tensor(2):track(), lg.tensor(3):track()
  check.equal(lg.grad(a * b, a):item(), 3)
  local g <const> = lg.grad(a * b, { b, a })
  check.equal(g[1]:item(), 2)
  check.equal(g[2]:item(), 3)
end)

check.case("a net stands for its parameters", function()
  local nn <const> = lg.nn
  local net <const> = nn.Sequential { input = { 3 }, nn.Linear { 2 } }
  local loss <const> = net(lg.randn(4, 3)):square():mean()
  local g <const> = lg.grad(loss, net)
  check.equal(#g, 2)
  check.equal(table.concat(g[1].shape, " "), table.concat(net:parameters()[1].shape, " "))
end)

check.case("a penalty on a gradient", function()
  local w <const> = lg.randn(3, 1):track()
  local x <const> = lg.randn(5, 3):track()
  local slope <const> = lg.grad(x:matmul(w):sum(), x, { create_graph = true })    -- 5,3
  local penalty <const> = (slope:norm(2) - 1):square():mean()
  local n <const> = w:norm():item()
  local g <const> = lg.grad(penalty, w)                -- 2 (|w| - 1) w / |w|
  for i = 1, 3 do
    check.close(g:at(i, 1), 2 * (n - 1) * w:at(i, 1) / n, 1e-4)
  end
end)

check.case("a seed weights the elements", function()
  local x <const> = lg.tensor { 1, 2 }:track()
  local g <const> = lg.grad(x * x, x, { seed = lg.tensor { 1, 10 } })
  check.equal(g:at(1), 2)
  check.equal(g:at(2), 40)
end)

check.case("a history is walked once, unless it is retained", function()
  local x <const> = lg.tensor(2):track()
  local y <const> = x * x
  lg.grad(y, x, { retain_graph = true })
  lg.grad(y, x)
  check.raises("was let go by an earlier grad or minimize", function() lg.grad(y, x) end)
end)

check.case("what doesn't depend", function()
  local x <const>, z <const> = lg.tensor(2):track(), lg.tensor(1):track()
  check.raises("does not depend on tensor 2 of those asked for, {}", function()
    lg.grad(x * 2, { x, z })
  end)
  local g <const> = lg.grad(x * 2, { x, z }, { allow_unused = true })
  check.equal(g[1]:item(), 2)
  check.equal(g[2], nil)
end)

check.case("partial: no gradient flows through one that was asked for", function()
  local x <const> = lg.tensor(3):track()
  local y <const> = x * x
  local z <const> = x * y
  local all <const> = lg.grad(z, { x, y }, { retain_graph = true })
  check.equal(all[1]:item(), 27)
  local g <const> = lg.grad(z, { x, y }, { partial = true })
  check.equal(g[1]:item(), 9)
  check.equal(g[2]:item(), 3)
  check.equal(lg.grad(y, x):item(), 6)         -- beyond y, the history is kept
end)

check.case("refusals", function()
  local x <const> = lg.randn(2):track()
  check.raises("needs a result of one element, got {2}; call :mean()", function()
    lg.grad(x * 2, x)
  end)
  check.raises("the result has no history", function() lg.grad(lg.tensor(1), x) end)
  check.raises("grad has no option 'create'", function()
    lg.grad(x:sum(), x, { create = true })
  end)
  check.raises("must be a tensor, a net or a list", function() lg.grad(x:sum(), 3) end)
  check.raises("element 1 of the list must be a tensor", function()
    lg.grad(x:sum(), { 3 })
  end)
  local y <const> = (x * x):sum()
  x:copy(lg.zeros(2))
  check.raises("which the gradient of mul needs, was changed since", function()
    lg.grad(y, x)
  end)
end)

check.case("no_grad records nothing, and ends with an error, too", function()
  local x <const> = lg.randn(2):track()
  local y <const> = lg.no_grad(function() return (x * x):sum() end)
  check.raises("the result has no history", function() lg.grad(y, x) end)
  check.raises("oops", function() lg.no_grad(function() error "oops" end) end)
  lg.grad((x * x):sum(), x)
end)

check.case("detach cuts, track begins anew", function()
  local x <const> = lg.tensor(3):track()
  check.equal(lg.grad(x * x:detach(), x):item(), 3)
  local leaf <const> = (x * x):track()
  check.equal(lg.grad(leaf * 2, leaf):item(), 2)
end)

check.report()

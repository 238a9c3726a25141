-- test_linalg.lua - operators on LAPACK: identities, gradients of vectors, refusals.

local lg <const>, check <const> = require "lugano", require "check"

local available <const>, why <const> = pcall(lg.inverse, lg.ones(1, 1))
if not available and tostring(why):find("needs LAPACK", 1, true) then
  check.case("operators on LAPACK", function() check.skip "OpenBLAS is not here" end)
  check.report()
end

local exact <const> = (lg.tensor(0.1):item() == 0.1)     -- elements are double
local tolerance <const> = exact and 1e-11 or 1e-4
local function same(a, b, what)
  check.close((a - b):abs():amax():item(), 0, tolerance, what)
end
local function turned(x) return x:transpose(-1, -2) end

--- Symmetric, eigenvalues between 1 and about 2 n, and apart.
local function spd(...)
  local n <const> = select(-1, ...)
  local a <const> = lg.randn(...)
  return a:matmul(a, false, true) / n + lg.eye(n) * lg.arange(1, n)
end

check.case("identities, of batches", function()
  lg.seed(1)
  local x <const> = spd(2, 3, 4, 4)
  local l <const> = x:cholesky()
  same(l:matmul(l, false, true), x, "cholesky")
  same(x:inverse():matmul(x), lg.eye(4), "inverse")
  local root <const> = x:sqrtm()
  same(root:matmul(root), x, "sqrtm")
  local w <const>, v <const> = x:eigh()
  same((v * w:unsqueeze(-2)):matmul(v, false, true), x, "eigh")
  local b <const> = lg.randn(3, 4, 2)
  same(x:matmul(x:solve(b)), b:expand(2, 3, 4, 2), "solve, broadcast")
  same(x:solve(lg.ones(4)):unsqueeze(-1), x:solve(lg.ones(4, 1)), "a vector")
  local a <const> = lg.randn(4, 4)
  same(turned(a):matmul(a:solve(lg.ones(4, 1), true)), lg.ones(4, 1), "transposed")
  for _, shape in ipairs { { 3, 5 }, { 2, 5, 3 }, { 4, 4 } } do
    local y <const> = lg.randn(shape)
    local u <const>, s <const>, q <const> = y:svd()
    same((u * s:unsqueeze(-2)):matmul(q, false, true), y, "svd")
    same(u:matmul(u, true), lg.eye(u:size(-1)), "u is orthonormal")
  end
  local c <const> = lg.randn(2, 3, 4, 4)
  local y <const> = x:lyapunov(c)
  same(x:matmul(y) + y:matmul(x), c, "lyapunov")
end)

check.case("signs are fixed, and roots of what is singular are there", function()
  local _, v <const> = lg.tensor { { 2, 1 }, { 1, 2 } }:eigh()
  assert(v:at(1, 1) > 0 and v:at(1, 2) > 0)
  same(lg.ones(3, 3):sqrtm(), lg.full({ 3, 3 }, 1 / math.sqrt(3)), "rank one")
end)

--- sum(second * the gradient of sum(first * f(x))): the slope, and its own gradient.
local function second_order(f, x)
  lg.seed(5)
  local t <const> = x:track()
  local y <const> = f(t)
  local g <const> = lg.grad((y * lg.randn(y.shape)):sum(), t, { create_graph = true })
  return (g * lg.randn(x.shape)):sum(), t
end

local function check_second(name, f, x)
  local value <const>, t <const> = second_order(f, x)
  local h <const> = lg.grad(value, t):reshape(-1):totable()
  for i = 1, x:numel() do
    local one <const> = lg.one_hot(lg.tensor(i), x:numel()):reshape(x.shape) * 1e-3
    local function at(k) return second_order(f, x + one * k):item() end
    local d <const> = (at(-2) - 8 * at(-1) + 8 * at(1) - at(2)) / 12e-3
    check.close(h[i], d, 1e-7, name)
  end
end

check.case("second order, of vectors too", function()
  if not exact then check.skip "differences need double" end
  lg.seed(2)
  local x <const> = spd(3, 3)
  check_second("vectors", function(t) return (select(2, t:eigh())) end, x)
  for k, name in ipairs { "u", "s", "v" } do
    check_second(name, function(t) return (select(k, t:svd())) end, lg.randn(3, 2))
    check_second(name, function(t) return (select(k, t:svd())) end, lg.randn(2, 3))
  end
end)

check.case("refusals", function()
  local bad <const> = lg.tensor { { 1, 2 }, { 2, 1 } }
  check.raises("cholesky: x {2,2} is not positive definite: its leading minor of order 2 "
    .. "is not positive", function() bad:cholesky() end)
  check.raises("sqrtm: x {2,2} has a negative eigenvalue, and no square root",
    function() bad:sqrtm() end)
  check.raises("inverse: matrix 2 of x {2,2,2} is singular, and has no inverse",
    function() lg.stack { bad, lg.ones(2, 2) }:inverse() end)
  check.raises("solve: a {2,2} is singular: the equations have no single solution",
    function() lg.ones(2, 2):solve(lg.ones(2)) end)
  check.raises("solve: a is {2,2} and b is {3}; b must have 2 rows", function()
    bad:solve(lg.ones(3))
  end)
  check.raises("eigh: x {2,2} has a NaN or an infinity", function()
    (bad / 0):eigh()
  end)
  check.raises("eigh: x must have square matrices in its last two axes, and is {2,3}",
    function() lg.ones(2, 3):eigh() end)
  check.raises("svd: x must have matrices in its last two axes, and is {3}", function()
    lg.ones(3):svd()
  end)
  check.raises("inverse: x is {0,20000,20000}, and matrices may have up to 16384 rows",
    function() lg.zeros(0, 20000, 20000):inverse() end)
  check.equal(bad:eigh():at(2), 3, "and it works on")
end)

check.report()

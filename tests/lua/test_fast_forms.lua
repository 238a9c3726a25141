--- test_fast_forms.lua - forms that only larger tensors take (short rows side by side,
-- runs of places, whole parts of a row), against loops over single numbers.

local lg <const>, check <const> = require "lugano", require "check"

local function equal(got, shape, f, what, within)
  local list <const>, i = got:reshape(-1):totable(), 0
  check.equal(table.concat(got.shape, " "), table.concat(shape, " "), what)
  local function walk(axis, at)
    if axis > #shape then
      i = i + 1
      local want <const> = f(table.unpack(at))
      local most <const> = (within or 0) * math.max(1, math.abs(want))
      if not (math.abs(list[i] - want) <= most) then
        check.equal(list[i], want, what .. " at " .. table.concat(at, " "))
      end
      return
    end
    for k = 1, shape[axis] do
      at[axis] = k
      walk(axis + 1, at)
    end
  end
  walk(1, {})
end

check.case("rows too short for a loop of their own", function()
  for _, n in ipairs { 2, 3, 5, 15, 16, 17, 23, 24, 25, 40 } do
    local rows <const> = 12000 // n
    local x <const>, c, r = lg.randn(rows, n), lg.randn(rows, 1), lg.randn(n)
    local X <const>, C <const> = x:totable(), c:reshape(-1):totable()
    local R <const> = r:totable()
    local one <const> = lg.full({ 1, 1 }, 3)
    equal(x - c, { rows, n }, function(i, j) return X[i][j] - C[i] end, "column", 1e-6)
    equal(x - r, { rows, n }, function(i, j) return X[i][j] - R[j] end, "row", 1e-6)
    equal(c - r, { rows, n }, function(i, j) return C[i] - R[j] end, "both", 1e-6)
    equal(lg.where(lg.gt(x, 0), c, one), { rows, n },
          function(i, j) return X[i][j] > 0 and C[i] or 3 end, "where")
    equal(c:expand(rows, n), { rows, n }, function(i) return C[i] end, "expand")
  end
  local a <const>, b <const> = lg.randn(7, 1, 13, 5), lg.randn(30, 1, 5)
  local A <const>, B <const> = a:totable(), b:totable()
  equal(a * b, { 7, 30, 13, 5 }, function(i, j, k, l)
    return A[i][1][k][l] * B[j][1][l]
  end, "two outer axes", 1e-6)
end)

check.case("totals of short rows", function()
  for _, n in ipairs { 2, 3, 7, 15, 16, 17, 31, 32, 33, 64 } do
    local rows <const> = 333
    local x <const> = lg.randn(rows, n)
    local X <const> = x:totable()
    local function total(i, f, first)
      local t = first
      for _, v in ipairs(X[i]) do t = f(t, v) end
      return t
    end
    local function sum(t, v) return t + v end
    equal(x:sum(2), { rows }, function(i) return total(i, sum, 0) end, "sum", 1e-6)
    equal(x:amax(2), { rows }, function(i) return total(i, math.max, -1 / 0) end, "amax")
    equal(x:amin(2), { rows }, function(i) return total(i, math.min, 1 / 0) end, "amin")
    equal(x:var(2), { rows }, function(i)
      local mean <const> = total(i, sum, 0) / n
      return total(i, function(t, v) return t + (v - mean) ^ 2 end, 0) / (n - 1)
    end, "var", 1e-5)
  end
end)

check.case("axes in another order", function()
  for _, c in ipairs { 2, 3, 4, 5 } do
    local x <const> = lg.randn(2, c, 37, 11)
    local X <const> = x:totable()
    local y <const> = x:permute(1, 3, 4, 2)
    equal(y, { 2, 37, 11, c }, function(n, i, j, k) return X[n][k][i][j] end, "last")
    equal(y:permute(1, 4, 2, 3), x.shape, function(n, k, i, j) return X[n][k][i][j] end,
          "and back")
  end
  local x <const> = lg.randn(3, 50, 37)
  local X <const> = x:totable()
  equal(x:flip(3), { 3, 50, 37 }, function(n, i, j) return X[n][i][38 - j] end, "flip")
  equal(x:flip { 2, 3 }, { 3, 50, 37 }, function(n, i, j) return X[n][51 - i][38 - j] end,
        "flip both")
  equal(x:roll({ 4, -9 }, { 2, 3 }), { 3, 50, 37 }, function(n, i, j)
    return X[n][(i - 5) % 50 + 1][(j + 8) % 37 + 1]
  end, "roll")
  equal(x:tile(1, 2, 11), { 3, 100, 407 }, function(n, i, j)
    return X[n][(i - 1) % 50 + 1][(j - 1) % 37 + 1]
  end, "tile")
end)

check.case("running sums, and indices far into a list", function()
  local x <const> = lg.randn(40, 70)
  local X <const> = x:totable()
  equal(x:cumsum(2), { 40, 70 }, function(i, j)
    local t = 0
    for k = 1, j do t = t + X[i][k] end
    return t
  end, "cumsum", 1e-5)
  local leaf <const> = x:track()
  equal(lg.grad(leaf:cumsum(2):sum(), leaf), { 40, 70 }, function(_, j) return 71 - j end,
        "its gradient")
  for _, bad in ipairs { 0, 41, 1.5, -1, 0 / 0, 1 / 0 } do
    local list <const> = {}
    for i = 1, 300 do list[i] = i % 40 + 1 end
    list[201] = bad
    check.raises("as its number 201", function() return x:embedding(lg.tensor(list)) end)
  end
end)

check.case("means of blocks", function()
  local x <const> = lg.randn(3, 2, 12, 20):track()
  local X <const>, w = x:totable(), lg.randn(3, 2, 4, 5)
  local W <const>, y = w:totable(), x:adaptive_avg_pool2d { 4, 5 }
  equal(y, { 3, 2, 4, 5 }, function(n, c, i, j)
    local t = 0
    for a = 1, 3 do
      for b = 1, 4 do t = t + X[n][c][3 * i - 3 + a][4 * j - 4 + b] end
    end
    return t / 12
  end, "adaptive_avg_pool2d", 1e-5)
  equal(lg.grad((y * w):sum(), x), { 3, 2, 12, 20 }, function(n, c, i, j)
    return W[n][c][(i + 2) // 3][(j + 3) // 4] / 12
  end, "its gradient", 1e-6)
end)

--- Where a place of the grid lies on an axis, in pixels from 0, before it is cut off.
local function reflected(u, low, span)
  u = math.abs(u - low) % (2 * span)
  return (u > span and 2 * span - u or u) + low
end

local function placed(g, size, options)
  local u = ((g + 1) * size - 1) / 2
  if options.padding == "reflection" then u = reflected(u, -0.5, size) end
  if options.padding ~= "zeros" then u = math.min(math.max(u, 0), size - 1) end
  return u
end

--- The pixels that a place reads, with their weights: {{i, weight}, ..}.
local function weighed(u, size, options)
  local list <const> = {}
  local low <const> = math.floor(options.mode == "nearest" and u + 0.5 or u)
  local past <const> = options.mode == "nearest" and 0 or u - low
  for k, weight in ipairs { 1 - past, past } do
    local i <const> = low + k
    if i >= 1 and i <= size then list[#list + 1] = { i, weight } end
  end
  return list
end

check.case("images read between their pixels", function()
  local n <const>, c <const>, h <const>, w <const> = 2, 19, 6, 9
  local oh <const>, ow <const> = 11, 13
  local grid <const> = lg.rand(n, oh, ow, 2) * 3 - 1.5
  local G <const> = grid:totable()
  for _, mode in ipairs { "bilinear", "nearest" } do
    for _, padding in ipairs { "zeros", "border", "reflection" } do
      local options <const> = { mode = mode, padding = padding }
      local x <const>, what = lg.randn(n, c, h, w):track(), mode .. " " .. padding
      local X <const> = x:totable()
      local y <const>, back = x:grid_sample(grid, options), {}
      local to <const> = lg.randn(n, c, oh, ow)
      local T <const> = to:totable()
      for i = 1, n * c * h * w do back[i] = 0 end
      equal(y, { n, c, oh, ow }, function(b, k, i, j)
        local sum, at = 0, G[b][i][j]
        for _, p in ipairs(weighed(placed(at[2], h, options), h, options)) do
          for _, q in ipairs(weighed(placed(at[1], w, options), w, options)) do
            local place <const> = (((b - 1) * c + k - 1) * h + p[1] - 1) * w + q[1]
            sum = sum + p[2] * q[2] * X[b][k][p[1]][q[1]]
            back[place] = back[place] + p[2] * q[2] * T[b][k][i][j]
          end
        end
        return sum
      end, what, 1e-4)
      local g <const> = lg.grad((y * to):sum(), x)
      equal(g:reshape(-1), { #back }, function(i) return back[i] end, what .. " back",
            1e-4)
    end
  end
end)

check.case("nothing of an infinity outside", function()
  local x <const> = lg.full({ 1, 1, 3, 3 }, 1 / 0)
  local y <const> = x:grid_sample(lg.full({ 1, 70, 1, 2 }, 5))
  check.equal(y:abs():amax():item(), 0)
end)

check.report()

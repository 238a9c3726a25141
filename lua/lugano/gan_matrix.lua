--- gan_matrix.lua - small square matrices as lists of rows: one for each image of a
-- batch.

local core <const> = ...
local lg <const> = core.lg

local matrix <const> = {}

function matrix.unit(n)
  local m <const> = {}
  for i = 1, n do
    m[i] = {}
    for j = 1, n do m[i][j] = i == j and 1 or 0 end
  end
  return m
end

function matrix.mul(a, b)
  local m <const>, n <const> = {}, #a
  for i = 1, n do
    m[i] = {}
    for j = 1, n do
      local sum = 0
      for k = 1, n do sum = sum + a[i][k] * b[k][j] end
      m[i][j] = sum
    end
  end
  return m
end

--- The product of all.
function matrix.chain(first, ...)
  local m = first
  for i = 1, select("#", ...) do m = matrix.mul(m, (select(i, ...))) end
  return m
end

-- Of the plane, in homogeneous coordinates x, y, 1

function matrix.scale(x, y) return { { x, 0, 0 }, { 0, y, 0 }, { 0, 0, 1 } } end

function matrix.translate(x, y) return { { 1, 0, x }, { 0, 1, y }, { 0, 0, 1 } } end

--- By the angle whose cosine and sine these are.
function matrix.rotate(c, s) return { { c, -s, 0 }, { s, c, 0 }, { 0, 0, 1 } } end

-- Of colors, in homogeneous coordinates r, g, b, 1

--- scale * (r, g, b) + add.
function matrix.color(scale, add)
  return { { scale, 0, 0, add }, { 0, scale, 0, add }, { 0, 0, scale, add },
           { 0, 0, 0, 1 } }
end

--- along * what is gray + across * what is not.
function matrix.luma(along, across)
  local m <const> = matrix.unit(4)
  for i = 1, 3 do
    for j = 1, 3 do m[i][j] = (along - across) / 3 + (i == j and across or 0) end
  end
  return m
end

--- A turn round the gray axis (Rodrigues).
function matrix.hue(angle)
  local c <const>, s <const> = math.cos(angle), math.sin(angle) / 3 ^ 0.5
  local m <const> = matrix.unit(4)
  for i = 1, 3 do
    for j = 1, 3 do
      local turn <const> = i == j and 0 or ((j - i) % 3 == 1 and -s or s)
      m[i][j] = (1 - c) / 3 + (i == j and c or 0) + turn
    end
  end
  return m
end

--- The first rows of each, as a tensor {n,rows,columns}.
function matrix.tensor(list, rows)
  local all <const> = {}
  for i, m in ipairs(list) do all[i] = table.move(m, 1, rows, 1, {}) end
  return lg.tensor(all)
end

--- Draws for each map of the list whether it is changed, with this chance, and joins
-- those with what make(i) gives. Returns whether any was.
function matrix.apply(list, make, chance, join)
  local gates <const>, changed = lg.rand(#list):totable(), false
  for i, gate in ipairs(gates) do
    if gate < chance then
      list[i], changed = join(list[i], make(i)), true
    end
  end
  return changed
end

return matrix

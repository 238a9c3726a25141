--- gan_latent.lua - the latent space: truncation, lines, arcs, and grids of latents.

local core <const> = ...
local lg <const> = core.lg
local check <const> = core.load "gan_check"
local gan <const> = {}

-- Truncation

--- One try for each number, and where it was refused: normal numbers beyond psi, or,
-- since of those few are near 0, uniform numbers that the bell curve leaves out.
local function propose(shape, psi)
  if psi > 1.2 then
    local z <const> = lg.randn(shape)
    return z, lg.gt(z:abs(), psi)
  end
  local z <const> = (lg.rand(shape) * 2 - 1) * psi
  return z, lg.ge(lg.rand(shape), (z:square() / -2):exp())
end

--- Normal random numbers, where those beyond -psi .. psi are drawn again (Brock et al.
-- 2019, the truncation trick): a smaller psi makes better pictures, and less various
-- ones.
---@param n integer     how many latents
---@param dim any       their size, or a table of sizes
---@param psi number    above 0
---@return lugano.Tensor  {n,dim}
function gan.truncated(n, dim, psi)
  local who <const> = "gan.truncated"
  check.value(who, "n", { kind = "whole", least = 0 }, n)
  check.value(who, "psi", { above = 0 }, psi)
  local shape <const> = { n }
  for i, size in ipairs(type(dim) == "table" and dim or { dim }) do
    shape[i + 1] = check.value(who, "dim", { kind = "whole", least = 1 }, size)
  end
  if #shape == 1 then core.fail("%s: dim must be the size of a latent", who) end
  return lg.no_grad(function()
    local z, refused = propose(shape, psi)
    while n > 0 and refused:amax():item() > 0 do
      local again <const>, still <const> = propose(shape, psi)
      z, refused = lg.where(refused, again, z), refused * still
    end
    return z
  end)
end

--- mean + psi * (w - mean): StyleGAN's truncation of intermediate latents (Karras et al.
-- 2019), where mean is that of many w.
---@param w lugano.Tensor   {n,...,dim}
---@param mean any          {dim}, or a number
---@param psi number        1 changes nothing, 0 makes all of them the mean
---@return lugano.Tensor
function gan.truncate(w, mean, psi)
  check.tensor("gan.truncate", "w", w)
  check.value("gan.truncate", "psi", {}, psi)
  return (w - mean) * psi + mean
end

-- Lines and arcs

--- a + (b - a) t: from a, at t = 0, to b, at t = 1, straight on.
---@param a lugano.Tensor
---@param b lugano.Tensor   of the shape of a
---@param t any             a number, or a tensor that broadcasts to them
---@return lugano.Tensor
function gan.lerp(a, b, t)
  check.pair("gan.lerp", "a", a, "b", b)
  if not core.is_tensor(t) then check.value("gan.lerp", "t", {}, t) end
  return a + (b - a) * t
end

--- What a and b count at t on an arc of this angle, which a line stands for where the arc
-- is not there (angle 0) or is one of many (half a turn).
local function arc_weights(angle, t)
  local s <const> = math.sin(angle)
  if s < 1e-6 then return 1 - t, t end
  return math.sin((1 - t) * angle) / s, math.sin(t * angle) / s
end

--- The angles between rows {n,dim}: of unit vectors u and v, that whose half has the
-- tangent |u - v| / |u + v|, which is exact for small angles, where arc cosines are not.
-- Zero vectors have none: 0.
local function angles(a, b)
  local u <const>, v <const> = a:normalize(2), b:normalize(2)
  local apart <const> = (u - v):norm(2):totable()
  local along <const> = (u + v):norm(2):totable()
  local lengths <const> = (u:norm(2) * v:norm(2)):totable()
  local list <const> = {}
  for i, d in ipairs(apart) do
    list[i] = lengths[i] < 0.5 and 0 or 2 * math.atan(d, along[i])
  end
  return list
end

--- t for each of n rows: a number, or a tensor {n}.
local function times(who, t, n)
  local list <const> = {}
  if core.is_tensor(t) then
    if t:numel() ~= n then
      core.fail("%s: t has %d numbers, and there are %d vectors", who, t:numel(), n)
    end
    return t:reshape { -1 }:totable()
  end
  check.value(who, "t", {}, t)
  for i = 1, n do list[i] = t end
  return list
end

local function weighted_arc(a, b, list)
  local wa <const>, wb <const> = {}, {}
  for i, angle in ipairs(angles(a, b)) do wa[i], wb[i] = arc_weights(angle, list[i]) end
  return a * lg.tensor(wa):reshape(-1, 1) + b * lg.tensor(wb):reshape(-1, 1)
end

--- Spherical interpolation (Shoemake 1985; White 2016): from a, at t = 0, to b, at t = 1,
-- along the arc between them, so that the length, on which a normal latent's meaning
-- depends, does not shrink midway. Vectors lie along the last axis; parallel, opposite
-- and zero ones are joined by a line. The result has no history.
---@param a lugano.Tensor   {dim} or {...,dim}
---@param b lugano.Tensor   of the shape of a
---@param t any             a number, or a tensor with one for each vector
---@return lugano.Tensor    of the shape of a
function gan.slerp(a, b, t)
  local who <const> = "gan.slerp"
  check.pair(who, "a", a, "b", b)
  local shape <const> = a.shape
  if #shape == 0 or a:numel() == 0 then
    core.fail("%s: a must be vectors, {...,dim}, and is %s", who, check.shape(a))
  end
  return lg.no_grad(function()
    local rows <const> = { -1, shape[#shape] }
    local p <const>, q <const> = a:reshape(rows), b:reshape(rows)
    return weighted_arc(p, q, times(who, t, #p)):reshape(shape)
  end)
end

-- Grids, for lg.image.grid and run:image

local path_options <const> = { { "spherical", true, kind = "flag" } }

--- The latents at `steps` equal steps between rows a and b {rows,dim}, both ends
-- included, row by row: {rows*steps,dim}.
local function steps_between(a, b, steps, spherical)
  local rows <const>, dim <const> = #a, a:size(2)
  local from <const> = a:unsqueeze(2):expand(rows, steps, dim):reshape(-1, dim)
  local to <const> = b:unsqueeze(2):expand(rows, steps, dim):reshape(-1, dim)
  local t <const> = lg.linspace(0, 1, steps):unsqueeze(1):expand(rows, steps)
                      :reshape { -1 }
  if spherical then return gan.slerp(from, to, t) end
  return gan.lerp(from, to, t:reshape(-1, 1))
end

local function check_latents(who, what, z)
  check.tensor(who, what, z)
  if #z.shape ~= 2 or z:numel() == 0 then
    core.fail("%s: %s must be latents, {rows,dim}, and is %s", who, what, check.shape(z))
  end
end

local function check_steps(who, what, n)
  return check.value(who, what, { kind = "whole", least = 2 }, n)
end

--- A row of steps from each of the latents a to that of b, for a grid of pictures:
--
--     local z = gan.interpolate(lg.randn(4, 100), lg.randn(4, 100), 8)
--     run:image("walk", ema.model(z), { columns = 8 })
---@param a lugano.Tensor    {rows,dim}
---@param b lugano.Tensor    {rows,dim}
---@param columns integer    steps a row, from 2, both ends included
---@param options table      spherical = true; false goes straight
---@return lugano.Tensor     {rows*columns,dim}
function gan.interpolate(a, b, columns, options)
  local who <const> = "gan.interpolate"
  check_latents(who, "a", a)
  check.pair(who, "a", a, "b", b)
  check_steps(who, "columns", columns)
  local o <const> = check.options(who, path_options, options)
  return lg.no_grad(steps_between, a, b, columns, o.spherical)
end

--- A field of latents between four, its corners: top left, top right, bottom left, bottom
-- right. Steps go down both sides, and across from side to side.
---@param corners lugano.Tensor  {4,dim}
---@param rows integer        from 2
---@param columns integer     from 2
---@param options table       spherical = true; false goes straight
---@return lugano.Tensor      {rows*columns,dim}
function gan.grid(corners, rows, columns, options)
  local who <const> = "gan.grid"
  check_latents(who, "corners", corners)
  if #corners ~= 4 then
    core.fail("%s: corners must be four latents, {4,dim}, and is %s", who,
              check.shape(corners))
  end
  check_steps(who, "rows", rows)
  check_steps(who, "columns", columns)
  local o <const> = check.options(who, path_options, options)
  return lg.no_grad(function()
    local sides <const> = steps_between(corners:narrow(1, 1, 2), corners:narrow(1, 3, 2),
                                        rows, o.spherical)
    return steps_between(sides:narrow(1, 1, rows), sides:narrow(1, rows + 1, rows),
                         columns, o.spherical)
  end)
end

--- Every latent with every class: a row a latent, a column a class.
--
--     local z, labels = gan.class_grid(lg.randn(8, 100), 10)
--     run:image("classes", ema.model(z, labels), { columns = 10 })
---@param z lugano.Tensor     {rows,dim}
---@param classes integer
---@return lugano.Tensor, lugano.Tensor  {rows*classes,dim}, and labels {rows*classes}
function gan.class_grid(z, classes)
  local who <const> = "gan.class_grid"
  check_latents(who, "z", z)
  check.value(who, "classes", { kind = "whole", least = 1 }, classes)
  return lg.no_grad(function()
    local rows <const>, dim <const> = #z, z:size(2)
    return z:unsqueeze(2):expand(rows, classes, dim):reshape(-1, dim),
      lg.arange(classes):tile { rows }
  end)
end

return gan

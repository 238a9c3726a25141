--- gan_geometry.lua - what gan.ada does to the places of pixels.
--
-- "Training Generative Adversarial Networks with Limited Data" (Karras et al. 2020,
-- appendix B): random affine maps are multiplied, and each image is read once through its
-- product. Where that keeps the raster, pixels are copied as they are; else the image is
-- read at twice the size, doubled and halved by an orthogonal wavelet against aliasing.

local core <const> = ...
local lg <const> = core.lg
local check <const> = core.load "gan_check"
local matrix <const> = core.load "gan_matrix"

local geometry <const> = {}

local function uniform(n) return lg.rand(n):totable() end
local function normal(n) return lg.randn(n):totable() end
local quarter <const> = { { 1, 0 }, { 0, 1 }, { -1, 0 }, { 0, -1 } }

--- A turn by any angle comes twice, before and after what is anisotropic: with the chance
-- p that either happens.
local function turn_chance(p) return 1 - (1 - math.min(p, 1)) ^ 0.5 end

local function turn(n)
  local u <const> = uniform(n)
  return function(i)
    local angle <const> = (u[i] * 2 - 1) * math.pi
    return matrix.rotate(math.cos(angle), math.sin(angle))
  end
end

--- The maps, in their order. make(n, w, h) draws for n images, and gives for each the map
-- from places of the result to places of the image, in pixels from the middle.
geometry.ops = {
  { name = "xflip", group = "blit", make = function(n)
    local u <const> = uniform(n)
    return function(i) return matrix.scale(u[i] < 0.5 and 1 or -1, 1) end
  end },
  { name = "rotate90", group = "blit", make = function(n)
    local u <const> = uniform(n)
    return function(i) return matrix.rotate(table.unpack(quarter[u[i] * 4 // 1 + 1])) end
  end },
  { name = "xint", group = "blit", make = function(n, w, h)
    local u <const>, v <const> = uniform(n), uniform(n)
    local function whole(t, size) return math.floor((t * 2 - 1) * 0.125 * size + 0.5) end
    return function(i) return matrix.translate(-whole(u[i], w), -whole(v[i], h)) end
  end },
  { name = "scale", group = "geom", make = function(n)
    local z <const> = normal(n)
    return function(i)
      local s <const> = 2 ^ (0.2 * z[i])
      return matrix.scale(1 / s, 1 / s)
    end
  end },
  { name = "rotate", group = "geom", chance = turn_chance, make = turn },
  { name = "aniso", group = "geom", make = function(n)
    local z <const> = normal(n)
    return function(i)
      local s <const> = 2 ^ (0.2 * z[i])
      return matrix.scale(1 / s, s)
    end
  end },
  { name = "rotate", group = "geom", chance = turn_chance, make = turn },
  { name = "xfrac", group = "geom", make = function(n, w, h)
    local a <const>, b <const> = normal(n), normal(n)
    return function(i)
      return matrix.translate(-0.125 * w * a[i], -0.125 * h * b[i])
    end
  end },
}

-- The low-pass filter of the wavelet sym6 (Daubechies 1992): its even shifts are
-- orthogonal to each other, so that reading what was doubled gives what there was. Its
-- middle is place 5, from 0.
local sym6 <const> = {
  0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633,
  0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
  -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036,
  -0.007800708325034148 }
local reach <const> = #sym6 // 4               -- pixels that it reaches to each side

--- Images n,c,h,w as n*c images of one channel, since all are filtered alike.
local function single(x) return x:reshape(-1, 1, x:size(3), x:size(4)) end

--- Twice the size: pixel i becomes pixel 2i, from 0, and what is between is filtered.
local function double(x)
  local f <const>, c <const> = lg.tensor(sym6) * 2 ^ 0.5, x:size(2)
  local y = lg.conv_transpose2d(single(x), f:reshape(1, 1, 1, 12), nil,
                                { stride = { 1, 2 }, padding = { 0, 5 } })
  y = lg.conv_transpose2d(y, f:reshape(1, 1, 12, 1), nil,
                          { stride = { 2, 1 }, padding = { 5, 0 } })
  return y:reshape(-1, c, y:size(3), y:size(4))
end

--- Half the size, and `reach` pixels less on each side: the transpose of double.
local function halve(x)
  local f <const>, c <const> = lg.tensor(sym6) / 2 ^ 0.5, x:size(2)
  local y = single(x):pad({ -1, -1, -1, -1 })
  y = lg.conv2d(y, f:reshape(1, 1, 1, 12), nil, { stride = { 1, 2 } })
  y = lg.conv2d(y, f:reshape(1, 1, 12, 1), nil, { stride = { 2, 1 } })
  return y:reshape(-1, c, y:size(3), y:size(4))
end

--- How many pixels beyond each edge maps read for a result with `more` on each side, by a
-- filter that reaches as far: left, right, top, bottom; as many as a reflection has, at
-- most. What is farther off is black.
local function margins(maps, w, h, more)
  local most <const> = { 0, 0, 0, 0 }
  local cx <const>, cy <const> = (w - 1) / 2, (h - 1) / 2
  for _, m in ipairs(maps) do
    for k = 0, 3 do
      local x <const> = (k % 2 == 0 and -1 or 1) * (cx + more)
      local y <const> = (k < 2 and -1 or 1) * (cy + more)
      local px <const> = m[1][1] * x + m[1][2] * y + m[1][3]
      local py <const> = m[2][1] * x + m[2][2] * y + m[2][3]
      most[1], most[2] = math.max(most[1], -px - cx), math.max(most[2], px - cx)
      most[3], most[4] = math.max(most[3], -py - cy), math.max(most[4], py - cy)
    end
  end
  for k = 1, 4 do
    local limit <const> = (k < 3 and w or h) - 1
    most[k] = math.floor(math.min(math.ceil(most[k] + more), limit))
  end
  return most
end

--- The places of all pixels of an h by w image, from -1 to 1: {h*w,3}.
local function base_grid(h, w)
  local x <const> = ((lg.arange(w) * 2 - 1) / w - 1):reshape(1, w):expand(h, w)
  local y <const> = ((lg.arange(h) * 2 - 1) / h - 1):reshape(h, 1):expand(h, w)
  return lg.stack({ x, y, lg.ones(h, w) }, 3):reshape(-1, 3)
end

--- Reads images x at the places that maps from -1 .. 1 to -1 .. 1 give: {n,c,h,w}.
local function read(x, maps, h, w, mode)
  local grid <const> = lg.matmul(base_grid(h, w), matrix.tensor(maps, 2),
                                 { transpose_b = true })             -- n,h*w,2
  return lg.grid_sample(x, grid:reshape(#x, h, w, 2), mode)
end

--- Around images the pixels that maps read; and the map that finds the middle again.
local function reflected(x, maps, more)
  local pad <const> = margins(maps, x:size(4), x:size(3), more)
  return x:pad(pad, "reflect"),
    matrix.translate((pad[1] - pad[2]) / 2, (pad[3] - pad[4]) / 2)
end

--- Copies pixels through maps that keep the raster, one for each image.
local function copy_pixels(x, maps)
  local h <const>, w <const>, places <const> = x:size(3), x:size(4), {}
  local framed <const>, middle <const> = reflected(x, maps, 0)
  local unit <const> = matrix.scale(2 / framed:size(4), 2 / framed:size(3))
  for i, m in ipairs(maps) do
    places[i] = matrix.chain(unit, middle, m, matrix.scale(w / 2, h / 2))
  end
  return read(framed, places, h, w, "nearest")
end

--- Reads doubled images through maps, one for each. Their pixels are half a pixel off the
-- middle, since pixel i is at 2i.
local function warp(x, maps)
  local framed <const>, middle <const> = reflected(x, maps, reach)
  local big <const>, places <const> = double(framed), {}
  local w <const>, h <const> = 2 * (x:size(4) + 2 * reach), 2 * (x:size(3) + 2 * reach)
  local before <const> = matrix.chain(matrix.scale(2 / big:size(4), 2 / big:size(3)),
                                      matrix.translate(-0.5, -0.5), matrix.scale(2, 2),
                                      middle)
  local behind <const> = matrix.chain(matrix.scale(0.5, 0.5), matrix.translate(0.5, 0.5),
                                      matrix.scale(w / 2, h / 2))
  for i, m in ipairs(maps) do places[i] = matrix.chain(before, m, behind) end
  return halve(read(big, places, h, w, "bilinear"))
end

--- Does a map take the middles of pixels to middles of pixels?
local function keeps_raster(m, w, h)
  for i = 1, 2 do
    for j = 1, 3 do
      if m[i][j] % 1 ~= 0 or j < 3 and math.abs(m[i][j]) > 1 then return false end
    end
  end
  return m[1][2] == 0 or (w - h) % 2 == 0
end

--- Each image by the way that its map needs: the order of the images stays.
local function read_all(x, maps)
  local w <const>, h <const> = x:size(4), x:size(3)
  local rows <const>, parts <const> = { {}, {} }, { {}, {} }
  for i, m in ipairs(maps) do
    local k <const> = keeps_raster(m, w, h) and 1 or 2
    table.insert(rows[k], i)
    table.insert(parts[k], m)
  end
  if #rows[2] == 0 then return copy_pixels(x, maps) end
  if #rows[1] == 0 then return warp(x, maps) end
  local back <const> = {}
  for at, i in ipairs(rows[1]) do back[i] = at end
  for at, i in ipairs(rows[2]) do back[i] = at + #rows[1] end
  local copied <const> = copy_pixels(x:index_select(lg.tensor(rows[1])), parts[1])
  local warped <const> = warp(x:index_select(lg.tensor(rows[2])), parts[2])
  return lg.cat({ copied, warped }, 1):index_select(lg.tensor(back))
end

--- Moves the pixels of images x as the maps do whose names are `on`, each with chance p.
function geometry.run(x, on, p)
  local n <const>, h <const>, w <const> = #x, x:size(3), x:size(4)
  local maps <const>, any = {}, false
  for i = 1, n do maps[i] = matrix.unit(3) end
  for _, op in ipairs(geometry.ops) do
    if on[op.name] then
      local chance <const> = op.chance and op.chance(p) or p
      any = matrix.apply(maps, op.make(n, w, h), chance, matrix.mul) or any
    end
  end
  if not any then return x end
  if h < 2 or w < 2 then
    core.fail("gan.ada: images must have 2x2 pixels or more, and x is %s", check.shape(x))
  end
  return read_all(x, maps)
end

return geometry

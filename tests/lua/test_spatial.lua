-- test_spatial.lua - operators on images: values worked out by hand, and every refusal.

local lg <const>, check <const> = require "lugano", require "check"
local tolerance <const> = lg.element == "double" and 1e-14 or 1e-6

--- An image, or a row of one, as a tensor 1,1,h,w.
local function image(rows)
  if type(rows[1]) ~= "table" then rows = { rows } end
  return lg.tensor(rows):reshape(1, 1, #rows, #rows[1])
end

local function expect(t, numbers)
  check.equal(t:numel(), #numbers, "how many")
  local flat <const> = t:reshape(-1):totable()
  for i, number in ipairs(numbers) do
    if number ~= number then
      assert(flat[i] ~= flat[i], "not a NaN: " .. i)
    elseif flat[i] ~= number then
      check.close(flat[i], number, tolerance, "number " .. i)
    end
  end
end

local function same(a, b)
  check.equal(table.concat(a.shape, " "), table.concat(b.shape, " "), "shape")
  check.close((a - b):abs():amax():item(), 0, 100 * tolerance, "difference")
end

check.case("conv1d is conv2d of one row, and so is its transpose", function()
  local x <const>, w <const> = lg.randn(2, 4, 9), lg.randn(6, 2, 3)
  local b <const> = lg.randn(6)
  local y <const> = lg.conv1d(x, w, b,
    { stride = 2, padding = 1, dilation = 2, groups = 2 })
  same(y:unsqueeze(3), lg.conv2d(x:unsqueeze(3), w:unsqueeze(3), b,
    { stride = { 1, 2 }, padding = { 0, 1 }, dilation = { 1, 2 }, groups = 2 }))
  same(lg.conv_transpose1d(y, w, { stride = 2, padding = 1, output_padding = 1,
                                   groups = 2, dilation = 2 }):unsqueeze(3),
       lg.conv_transpose2d(y:unsqueeze(3), w:unsqueeze(3), nil,
         { stride = { 1, 2 }, padding = { 0, 1 }, output_padding = { 0, 1 }, groups = 2,
           dilation = { 1, 2 } }))
  check.raises("conv1d: the kernel, 5 with its dilation, is longer than the padded input"
    .. ", 3: x is {2,4,3}", function()
    lg.conv1d(lg.randn(2, 4, 3), lg.randn(1, 4, 3), { dilation = 2 })
  end)
  check.raises("conv1d: x {2,4,9} has 4 channels, but w {6,2,3} takes 2", function()
    lg.conv1d(x, w)
  end)
  check.raises("conv1d: x must have 3 axes (n,c,l), and is {2,4}", function()
    lg.conv1d(lg.randn(2, 4), w)
  end)
  check.raises("conv_transpose1d: output_padding must be from 0 to 1, and is 2",
  function()
    lg.conv_transpose1d(y, w, { stride = 2, output_padding = 2, groups = 2 })
  end)
end)

check.case("means over windows", function()
  local x <const> = image { { 1, 2, 3, 4 }, { 5, 6, 7, 8 }, { 9, 10, 11, 12 } }
  expect(x:avg_pool2d(2), { 3.5, 5.5 })
  expect(x:avg_pool2d { kernel = { 3, 2 }, stride = 1 }, { 5.5, 6.5, 7.5 })
  expect(x:avg_pool2d(3, 2, 1), { 14 / 9, 30 / 9, 30 / 9, 54 / 9 })
  expect(x:adaptive_avg_pool2d(1), { 6.5 })
  expect(x:adaptive_avg_pool2d { out = { 2, 3 } }, { 3.5, 4.5, 5.5, 7.5, 8.5, 9.5 })
  check.raises("avg_pool2d: padding is {2,2} and kernel {3,3}; padding must be at most "
    .. "half of the kernel", function() x:avg_pool2d(3, 1, 2) end)
  check.raises("avg_pool2d: kernel must be from 1 to", function() x:avg_pool2d(0) end)
  check.raises("avg_pool2d: the kernel, 4x4 with its dilation, is larger than the padded "
    .. "image, 3x4", function() x:avg_pool2d(4) end)
  check.raises("adaptive_avg_pool2d: out must be from 1", function()
    x:adaptive_avg_pool2d { 0, 1 }
  end)
end)

check.case("maxima: of equals the first, a NaN through, padding never", function()
  local nan <const> = 0 / 0
  local x <const> = image({ { 3, 3, -1 }, { 3, 1, -2 } }):track()
  local y <const> = x:max_pool2d { kernel = 2, stride = 1 }
  expect(y, { 3, 3 })
  expect(lg.grad(y:sum(), x), { 1, 1, 0, 0, 0, 0 })
  expect(image({ { -5, -6 }, { -7, -8 } }):max_pool2d(2, 2, 1), { -5, -6, -7, -8 })
  expect(image({ 1, nan, 2, 4 }):max_pool2d { 1, 2 }, { nan, 4 })
  expect(image({ -math.huge, -math.huge }):max_pool2d { 1, 2 }, { -math.huge })
  local g <const> = lg.ones(1, 1, 1, 1)
  local function scatter(where)
    return lg.max_pool2d_back(g, lg.full({ 1, 1, 1, 1 }, where), { size = 2, kernel = 2 })
  end
  expect(scatter(3), { 0, 0, 1, 0 })
  for _, where in ipairs { 0, 5, 1.5, nan } do
    check.raises("max_pool2d_back: where has", function() scatter(where) end)
  end
  check.raises("max_pool2d: images must have 1x1 numbers or more", function()
    lg.zeros(1, 2, 0, 3):max_pool2d(2, 1, 1)
  end)
end)

check.case("upsample", function()
  local x <const> = image { { 1, 2 }, { 3, 4 } }
  expect(x:upsample(), { 1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4 })
  expect(x:upsample { 1, 2, mode = "bilinear" }, { 1, 1.25, 1.75, 2, 3, 3.25, 3.75, 4 })
  local row <const> = image { 0, 1, 2 }
  expect(row:upsample { size = { 1, 5 } }, { 0, 0, 1, 1, 2 })
  expect(row:upsample { size = { 1, 5 }, mode = "bilinear" }, { 0, 0.4, 1, 1.6, 2 })
  expect(row:upsample { size = { 1, 2 } }, { 0, 1 })
  expect(row:upsample { size = { 1, 2 }, mode = "bilinear" }, { 0.25, 1.75 })
  expect(image({ math.huge, 1 }):upsample { 1, 3, mode = "bilinear" },
         { math.huge, math.huge, math.huge, math.huge, 1, 1 })
  check.raises("upsample: mode must be one of nearest|bilinear", function()
    x:upsample { mode = "cubic" }
  end)
  check.raises("upsample: scale must be from 1", function() x:upsample(0) end)
  check.raises("upsample: size has 3 numbers", function()
    x:upsample { size = { 1, 2, 3 } }
  end)
end)

check.case("channels as pixels, and back", function()
  local x <const> = lg.tensor { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 }
    :reshape(1, 8, 1, 2)
  local y <const> = x:pixel_shuffle(2)
  expect(y, { 1, 3, 2, 4, 5, 7, 6, 8, 9, 11, 10, 12, 13, 15, 14, 16 })
  same(y:pixel_unshuffle(2), x)
  check.raises("pixel_shuffle: x is {1,8,1,2}, with 8 channels; factor is 3, and they "
    .. "must be a multiple of 9", function() x:pixel_shuffle(3) end)
  check.raises("pixel_unshuffle: x is {1,8,1,2}; factor is 2, and must divide h and w",
    function() x:pixel_unshuffle(2) end)
  check.raises("pixel_shuffle: factor must be a whole number", function()
    x:pixel_shuffle(1.5)
  end)
end)

check.case("pad", function()
  local row <const> = lg.tensor { 1, 2, 3 }
  expect(row:pad({ 1, 2 }, "constant", 7), { 7, 1, 2, 3, 7, 7 })
  expect(row:pad { pad = { 2, 1 }, mode = "reflect" }, { 3, 2, 1, 2, 3, 2 })
  expect(row:pad { pad = { 2, 1 }, mode = "replicate" }, { 1, 1, 1, 2, 3, 3 })
  expect(row:pad { pad = { -1, 1 } }, { 2, 3, 0 })
  expect(row:pad { pad = { -3, 1 }, value = 4 }, { 4 })
  local x <const> = lg.tensor { { 1, 2 }, { 3, 4 } }
  expect(x:pad { pad = { 0, 0, 1, 0 }, value = 9 }, { 9, 9, 1, 2, 3, 4 })
  expect(x:pad { pad = { 1, 0, 0, 1 }, mode = "reflect" }, { 2, 1, 2, 4, 3, 4, 2, 1, 2 })
  expect(lg.zeros(2, 0):pad { pad = { 1, 0 }, value = 5 }, { 5, 5 })
  check.raises("pad: pad is 3 before or after axis 1, which has size 3; with mode "
    .. "reflect it must be from 0 to 2", function()
    row:pad { pad = { 3, 0 }, mode = "reflect" }
  end)
  check.raises("pad: pad has 3 numbers; it must have two for each axis", function()
    row:pad { pad = { 1, 1, 1 } }
  end)
  check.raises("pad: axis 1 of the input {3} has fewer numbers than pad takes away",
    function() row:pad { pad = { -2, -2 } } end)
  check.raises("pad: mode must be one of constant|reflect|replicate", function()
    row:pad { pad = { 1, 1 }, mode = "wrap" }
  end)
end)

--- A grid of one row of places.
local function places(...)
  return lg.tensor({ ... }):reshape(1, 1, select("#", ...), 2)
end

check.case("grid_sample", function()
  local x <const> = image { { 1, 2, 3 }, { 4, 5, 6 } }
  local grid <const> = places({ -2 / 3, -0.5 }, { 0, 0.5 }, { 1 / 3, 0 }, { -1, -1 })
  expect(x:grid_sample(grid), { 1, 5, 4, 0.25 })
  expect(x:grid_sample(places({ -1, -1 }, { 1, 0 }, { 3, 1 }), { align_corners = true }),
         { 1, 4.5, 0 })
  local out <const> = places({ -2, -0.5 }, { 2, 0.5 }, { 1 + 1 / 3, -0.5 }, { -2, -3 })
  expect(x:grid_sample(out, { padding = "border" }), { 1, 6, 3, 1 })
  expect(x:grid_sample(out, { padding = "reflection" }), { 2, 5, 3, 5 })
  expect(x:grid_sample(out, { padding = "reflection", align_corners = true }),
         { 2.75, 4.25, 41 / 12, 5 })
  expect(image({ 0, 1, 2, 3 }):grid_sample(places({ -0.5, 0 }, { 0, 0 }, { 0.5, 0 }),
                                           "nearest"), { 0, 2, 2 })
  expect(x:grid_sample(places({ 0 / 0, 0 })), { 0 / 0 })
  expect(x:grid_sample(places({ 1e300, 0 }, { math.huge, 0 })), { 0, 0 })
  check.raises("grid_sample: grid must be {1,oh,ow,2}", function()
    x:grid_sample(lg.zeros(2, 1, 1, 2))
  end)
  check.raises("grid_sample: padding must be one of zeros|border|reflection", function()
    x:grid_sample(grid, { padding = "reflect" })
  end)
end)

check.case("blur", function()
  local line <const> = image { { 0, 0, 1, 0, 0 }, { 0, 0, 1, 0, 0 } }
  expect(line:blur { kernel = { 1, 2, 1 }, padding = "reflect" },
         { 0, 0.25, 0.5, 0.25, 0, 0, 0.25, 0.5, 0.25, 0 })
  local flat <const> = lg.ones(1, 2, 4, 6)
  same(flat:blur { padding = "reflect" }, flat)
  same(flat:blur { stride = 2, padding = "reflect" }, lg.ones(1, 2, 2, 3))
  expect(lg.ones(1, 1, 4, 4):blur { stride = 2 },
         { 49 / 64, 49 / 64, 49 / 64, 49 / 64 })
  check.raises("blur: kernel has 2 numbers with the sum 0", function()
    flat:blur { kernel = { 1, -1 } }
  end)
  check.raises("blur: images of 2x2 are too small for a kernel of 4 numbers, a stride of "
    .. "1 and padding reflect; they must be 3x3 or larger", function()
    lg.ones(1, 1, 2, 2):blur { padding = "reflect" }
  end)
end)

check.case("unfold and fold", function()
  local x <const>, w <const> = lg.randn(2, 3, 6, 5), lg.randn(4, 3, 3, 2)
  local how <const> = { stride = { 2, 1 }, padding = { 1, 0 }, dilation = { 1, 2 } }
  local y <const> = lg.conv2d(x, w, nil, how)
  how.kernel = { 3, 2 }
  same(w:reshape(4, 18):matmul(x:unfold(how)):reshape(y.shape), y)
  expect(lg.ones(1, 1, 3, 3):unfold(2):fold { size = 3, kernel = 2 },
         { 1, 2, 1, 2, 4, 2, 1, 2, 1 })
  check.raises("fold: x is {1,4,3}, but images of 3x3 have 2x2 windows, so that it must "
    .. "be {n,c*4,4}", function() lg.ones(1, 4, 3):fold { size = 3, kernel = 2 } end)
end)

check.report()

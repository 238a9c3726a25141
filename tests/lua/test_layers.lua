--- Layers by their numbers: each against its formula, made of operators, or by hand. That
-- they have gradients and keep their state, tests/c/test_layers.c asks of all of them.
local lg = require "lugano"
local check = require "check"
local nn = lg.nn

local function shape(x) return table.concat(x.shape, ",") end

local function near(a, b, what, tolerance)
  check.equal(shape(a), shape(b), what)
  local worst = (a - b):abs():amax():item()
  local most = b:abs():amax():item()
  if not (worst <= (tolerance or 1e-5) * (1 + most)) then
    error(("%s: off by %g"):format(what or "values", worst), 2)
  end
end

--- A parameter of a net of one layer, by name.
local function param(net, name)
  for _, p in ipairs(net:state()) do
    if p.name == name or p.name:sub(-#name - 1) == "." .. name then return p.tensor end
  end
  error("there is no " .. name, 2)
end

check.case("shapes", function()
  local cases = {
    { nn.Conv1d { 4, stride = 2, padding = 1 }, "2,3,8", "2,4,4" },
    { nn.ConvTranspose1d { 4, kernel = 4, stride = 2, padding = 1 }, "2,3,8", "2,4,16" },
    { nn.Upsample(), "1,3,4,5", "1,3,8,10" },
    { nn.Upsample { 3 }, "1,3,4,5", "1,3,12,15" },
    { nn.Upsample { mode = "bilinear", size = { 7, 9 } }, "1,3,4,5", "1,3,7,9" },
    { nn.PixelShuffle(2), "1,8,3,3", "1,2,6,6" },
    { nn.PixelUnshuffle(2), "1,2,6,6", "1,8,3,3" },
    { nn.AvgPool2d(2), "1,2,6,6", "1,2,3,3" },
    { nn.MaxPool2d { 3, stride = 2, padding = 1 }, "1,2,6,6", "1,2,3,3" },
    { nn.AdaptiveAvgPool2d(1), "1,2,6,5", "1,2,1,1" },
    { nn.Pad(1), "1,2,4,4", "1,2,6,6" },
    { nn.Pad { 2, mode = "replicate" }, "1,2,4", "1,2,8" },
    { nn.Pad { 1, 2, 0, 1 }, "1,2,4,4", "1,2,5,7" },
    { nn.ReflectionPad2d(3), "1,2,4,4", "1,2,10,10" },
    { nn.ReplicationPad2d { 1, 1, 0, 0 }, "1,2,4,4", "1,2,4,6" },
    { nn.ZeroPad2d(1), "1,2,4,4", "1,2,6,6" },
    { nn.GLU { dim = 2 }, "2,6,3,3", "2,3,3,3" },
    { nn.Maxout { 5, pieces = 3 }, "2,7", "2,5" },
    { nn.MinibatchStd(), "8,3,4,4", "8,4,4,4" },
    { nn.MinibatchDiscrimination(5), "8,3", "8,8" },
    { nn.SelfAttention(), "2,16,4,4", "2,16,4,4" },
    { nn.Softmax(2), "2,3", "2,3" },
  }
  for i, c in ipairs(cases) do
    local dims = {}
    for n in c[2]:gmatch "%d+" do dims[#dims + 1] = math.tointeger(n) end
    check.equal(shape(c[1](lg.randn(table.unpack(dims)))), c[3], "case " .. i)
  end
end)

check.case("operators by name are these layers", function()
  local net = nn.Sequential {
    { "pad", { 1, 1, 1, 1 }, mode = "reflect" }, { "avg_pool2d", 2 }, "pixel_norm",
    { "upsample", mode = "bilinear" }, { "max_pool2d", kernel = 2 }, "mish",
    { "pixel_unshuffle", 3 }, { "softmax", 2 } }
  local x = lg.randn(2, 4, 4, 4)
  local y = x:pad({ 1, 1, 1, 1 }, "reflect"):avg_pool2d(2):pixel_norm()
    :upsample { mode = "bilinear" }
  near(net(x), y:max_pool2d(2):mish():pixel_unshuffle(3):softmax(2))
end)

check.case("norms by name", function()
  local x = lg.randn(3, 4, 5, 5)
  for _, norm in ipairs { "instance", "layer", "pixel", { "group", 2 } } do
    local net = nn.Sequential { input = { 4, 5, 5 }, nn.Conv2d { 4, norm = norm } }
    check.equal(shape(net(x)), "3,4,3,3")
  end
  local function tensors(norm)
    return #nn.Sequential { input = { 3 }, nn.Linear { 2, norm = norm } }:state()
  end
  check.equal(tensors "layer", 3)              -- no bias but that of the norm
  check.equal(tensors "pixel", 2)              -- pixel norm has none
  check.raises("there is no norm 'grup'; there is 'batch'", function()
    nn.Conv2d { 4, norm = "grup" }
  end)
end)

check.case("instance norm, its affine form, and running statistics", function()
  local x = lg.randn(3, 2, 4, 4) * 3 + 5
  local mean, var = x:mean({ 3, 4 }, true), x:var({ 3, 4 }, true, 0)
  local should = (x - mean) / (var + 1e-5):sqrt()
  near(nn.InstanceNorm()(x), should)
  local affine = nn.InstanceNorm { affine = true }
  affine(x)
  param(affine, "weight"):copy(lg.tensor { 2, 3 })
  param(affine, "bias"):copy(lg.tensor { 1, -1 })
  local w, b = lg.tensor { { { 2 } }, { { 3 } } }, lg.tensor { { { 1 } }, { { -1 } } }
  near(affine(x), should * w + b)
  local running = nn.InstanceNorm { track_running_stats = true, momentum = 0.25 }
  near(running(x), should)
  local unbiased = x:var({ 3, 4 }):mean { 1 }          -- PyTorch's: averaged over n
  near(param(running, "running_mean"), x:mean { 1, 3, 4 } * 0.25)
  near(param(running, "running_var"), unbiased * 0.25 + 0.75)
  running:eval()
  mean = param(running, "running_mean"):reshape(2, 1, 1)
  var = param(running, "running_var"):reshape(2, 1, 1)
  near(running(x), (x - mean) / (var + 1e-5):sqrt())
end)

check.case("layer norm takes the last axis, or all of an image", function()
  local function normal(x, dims)
    return (x - x:mean(dims, true)) / (x:var(dims, true, 0) + 1e-5):sqrt()
  end
  local rows, words, images = lg.randn(2, 9), lg.randn(2, 3, 9), lg.randn(2, 3, 4, 4)
  near(nn.LayerNorm()(rows), normal(rows, { 2 }))
  near(nn.LayerNorm()(words), normal(words, { 3 }))
  local layer = nn.LayerNorm()
  near(layer(images), normal(images, { 2, 3, 4 }))
  check.equal(shape(param(layer, "weight")), "3,4,4")
  near(nn.LayerNorm { axes = 1 }(images), normal(images, { 4 }))
  near(nn.LayerNorm { axes = 2, affine = false }(images), normal(images, { 3, 4 }))
  local copy = nn.LayerNorm { axes = 2 }
  param(nn.Sequential { input = { 3, 4, 4 }, copy }, "weight"):copy(lg.ones(4, 4) * 2)
  near(copy(images), normal(images, { 3, 4 }) * 2)
end)

check.case("group norm and pixel norm", function()
  local x = lg.randn(2, 6, 3, 3)
  local groups = x:reshape(2, 3, 18)
  local should = (groups - groups:mean({ 3 }, true))
    / (groups:var({ 3 }, true, 0) + 1e-5):sqrt()
  near(nn.GroupNorm(3)(x), should:reshape(2, 6, 3, 3))
  near(nn.PixelNorm()(x), x / (x:square():mean({ 2 }, true) + 1e-8):sqrt())
end)

check.case("embedding", function()
  local layer = nn.Embedding { 4, 3 }
  local labels = lg.tensor { 2, 4, 2 }
  local y, w = layer(labels), param(layer, "weight")
  near(y, w:index_select(labels))
  check.equal(shape(layer(lg.ones(2, 5))), "2,5,3")
  check.raises("label 5, number 2 of {2}, is not a whole number from 1 to 4",
               function() layer(lg.tensor { 1, 5 }) end)
  check.raises("label 1.5, number 1", function() layer(lg.tensor { 1.5 }) end)
  check.raises("label 0, number 3 of {2,2}, is not a whole number from 1 to 4; labels "
    .. "count from 1", function() layer(lg.tensor { { 1, 2 }, { 0, 1 } }) end)
  local big = nn.Embedding { 100, 100 }
  big(labels)
  check.close(param(big, "weight"):std():item(), 1, 0.02)      -- N(0, 1), as PyTorch's
end)

check.case("learned slopes", function()
  local x = lg.tensor { { -2, 4 }, { 1, -1 } }
  local one, each = nn.PReLU(), nn.PReLU { per_channel = true, slope = 0.5 }
  near(one(x), lg.tensor { { -0.5, 4 }, { 1, -0.25 } })
  each(x)
  param(each, "weight"):copy(lg.tensor { 0.1, 2 })
  near(each(x), lg.tensor { { -0.2, 4 }, { 1, -2 } })
  check.equal(shape(param(one, "weight")), "1")
end)

check.case("maxout and gates", function()
  local x = lg.randn(3, 4)
  local layer = nn.Maxout { 2, pieces = 3 }
  local y = layer(x)
  local sums = x:linear(param(layer, "weight"), param(layer, "bias"))
  near(y, sums:reshape(3, 2, 3):amax { 3 })
  check.equal(shape(param(layer, "bias")), "6")
  local a, b = x:narrow(2, 1, 2), x:narrow(2, 3, 2)
  near(nn.GLU()(x), a * b:sigmoid())
end)

check.case("dropout of channels", function()
  lg.seed(1)
  local layer = nn.Dropout2d(0.25)
  local x = lg.ones(40, 50, 2, 3)
  local y = layer(x)
  near(y:amax { 3, 4 }, y:amin { 3, 4 }, "a channel is one")
  local kept = y:gt(0):mean():item()
  check.close(kept, 0.75, 0.03)
  near(y:amax(), lg.tensor(1 / 0.75))
  near(layer:eval()(x), x)
end)

check.case("the standard deviation of a group", function()
  local x = lg.tensor { { 1, 10 }, { 2, 20 }, { 5, 10 }, { 4, 60 } }
  local y = nn.MinibatchStd { group = 2 }(x)
  -- samples 1 and 3 are a group: deviations 2 and 0; so are 2 and 4: 1 and 20
  near(y, lg.tensor { { 1, 10, 1 }, { 2, 20, 10.5 }, { 5, 10, 1 }, { 4, 60, 10.5 } },
       nil, 1e-4)
  near(nn.MinibatchStd { group = 2, channels = 2 }(x):narrow(2, 3, 2),
       lg.tensor { { 2, 0 }, { 1, 20 }, { 2, 0 }, { 1, 20 } }, nil, 1e-4)
  local whole = x:std({ 1 }, false, 0):mean():item()
  check.close(nn.MinibatchStd { group = 0 }(x):at(1, 3), whole, 1e-4)
  local image = lg.randn(4, 3, 2, 2)
  local z = nn.MinibatchStd()(image)
  near(z:narrow(2, 1, 3), image)
  near(z:narrow(2, 4, 1), lg.ones(4, 1, 2, 2) * image:std({ 1 }, false, 0):mean())
end)

check.case("minibatch discrimination", function()
  local layer = nn.MinibatchDiscrimination { 1, kernel_dim = 2 }
  local x = lg.tensor { { 1, 0 }, { 0, 1 }, { 1, 1 } }
  layer(x)
  param(layer, "weight"):copy(lg.tensor { { 1, 0 }, { 0, 2 } })
  -- M: 1,0  0,2  1,2: the distances are 3, 2 and 1
  local function e(d) return math.exp(-d) end
  near(layer(x), lg.tensor { { 1, 0, 1 + e(3) + e(2) }, { 0, 1, 1 + e(3) + e(1) },
                             { 1, 1, 1 + e(2) + e(1) } })
end)

check.case("noise is one for all channels, and begins without strength", function()
  local layer, one = nn.NoiseInjection(), nn.NoiseInjection { per_channel = false }
  local x = lg.randn(3, 2, 40, 40)
  near(layer(x), x)
  near(one(x), x)
  check.equal(shape(param(one, "strength")), "1")
  param(layer, "strength"):copy(lg.tensor { 2, 0.5 })
  lg.seed(5)
  local noise = (layer(x) - x) / lg.tensor { { { 2 } }, { { 0.5 } } }
  near(noise:narrow(2, 1, 1), noise:narrow(2, 2, 1), "channels", 1e-4)
  check.close(noise:std():item(), 1, 0.03)
  check.equal((noise[1] - noise[2]):abs():sum():item() > 100, true, "samples differ")
  lg.seed(5)
  near(layer(x) - x, noise * lg.tensor { { { 2 } }, { { 0.5 } } }, "one seed", 1e-4)
end)

check.case("self-attention begins as nothing, and looks everywhere", function()
  for _, pool in ipairs { false, true } do
    local layer = nn.SelfAttention { pool = pool, reduction = 4 }
    local x = lg.randn(2, 8, 4, 6)
    near(layer(x), x)
    param(layer, "gamma"):copy(lg.tensor { 0.5 })
    local function seen(y) return pool and y:max_pool2d(2) or y end
    local q = x:conv2d(param(layer, "query")):reshape(2, 2, 24)
    local k = seen(x:conv2d(param(layer, "key"))):reshape(2, 2, -1)
    local v = seen(x:conv2d(param(layer, "value"))):reshape(2, 4, -1)
    local share = lg.einsum({ q, k }, "ncp,ncs->nps"):softmax(3)
    local mix = lg.einsum({ v, share }, "ncs,nps->ncp"):reshape(2, 4, 4, 6)
    near(layer(x), x + mix:conv2d(param(layer, "output")) * 0.5)
  end
end)

check.case("initializers by name", function()
  local net = nn.Sequential { input = { 50 }, nn.Linear { 20, init = "orthogonal 2" } }
  local w = param(net, "weight")
  near(w:matmul(w:transpose(1, 2)), lg.eye(20) * 4)
  local cut = nn.Sequential { input = { 99 },
                              nn.Linear { 99, init = "truncated_normal 0.02" } }
  check.equal(param(cut, "weight"):abs():amax():item() <= 0.0401, true)
  check.raises("there is no initializer 'ortogonal'; there are default, zeros, ones, "
    .. "constant, uniform, normal, truncated_normal, xavier, xavier_uniform, "
    .. "xavier_normal, kaiming, kaiming_normal, kaiming_uniform, orthogonal, as in "
    .. "init = \"normal 0.02\"", function() nn.Linear { 3, init = "ortogonal" } end)
end)

check.report()

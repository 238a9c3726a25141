--- maps.lua - the operations and attributes of golden cases in the words of this engine.
--
-- An operation is a function of its inputs by name (x, y, w, b, ...) and its attributes.

local lg <const> = require "lugano"

local ops <const> = {}

-- Pieces

--- The inputs of these names in this order; nil where one is absent. Other inputs are an
-- error: a case that means more than what is computed here must not pass.
local function ordered(inputs, ...)
  local names <const>, known <const>, list <const> = { ... }, {}, {}
  for i, name in ipairs(names) do
    local found
    for word in name:gmatch "[%w_]+" do        -- "t|target|y": any of these
      known[word] = true
      found = found or inputs[word]
    end
    list[i] = found
  end
  for name in pairs(inputs) do
    if not known[name] then error(("input '%s' has no place"):format(name), 0) end
  end
  return table.unpack(list, 1, #names)
end

--- The attributes but for those named, some under other names, as options.
local function options(attrs, renamed, dropped)
  local o <const> = {}
  for key, value in pairs(attrs) do
    if not (dropped and dropped[key]) then o[renamed and renamed[key] or key] = value end
  end
  return o
end

local function one(value) return type(value) == "table" and value[1] or value end

--- Indices count from 1 here.
local function index(t, attrs) return t + (1 - (attrs.index_base or 0)) end

-- Elementwise

local function elementwise(name, inputs, renamed)
  ops[name] = function(x, a)
    local list <const> = table.pack(ordered(x, table.unpack(inputs)))
    list[list.n + 1] = options(a, renamed)
    return lg[name](table.unpack(list, 1, list.n + 1))
  end
end

for _, name in ipairs { "add", "sub", "mul", "div", "maximum", "minimum", "pow", "outer",
                        "matmul" } do
  elementwise(name, { "x|a", "y|b" })
end
for _, name in ipairs { "neg", "exp", "tanh", "sigmoid", "sin", "cos", "square", "erf",
                        "silu", "mish", "log_sigmoid", "softsign", "log", "sqrt", "rsqrt",
                        "log1p", "expm1", "reciprocal", "abs", "relu", "sign", "relu6",
                        "selu", "floor", "ceil", "round", "gelu", "clamp", "hardtanh",
                        "pixel_shuffle", "pixel_unshuffle" } do
  elementwise(name, { "x" }, { upscale_factor = "factor", downscale_factor = "factor",
                               min_val = "min", max_val = "max" })
end
elementwise("leaky_relu", { "x" }, { negative_slope = "slope" })
elementwise("elu", { "x" })
elementwise("prelu", { "x", "w|weight" })
elementwise("where", { "c|cond", "x|a", "y|b" })
elementwise("linear", { "x", "w", "b" })

function ops.pow_scalar(x, a) return ordered(x, "x") ^ a.exponent end

function ops.gelu_tanh(x) return ordered(x, "x"):gelu { approximate = "tanh" } end

function ops.softplus(x, a)
  local beta <const> = a.beta or 1
  return (ordered(x, "x") * beta):softplus(options(a, nil, { beta = true })) / beta
end

-- Reductions and what runs along an axis: dim may be a number, a list, or absent

local function axes(a)
  local dims <const> = a.dims or a.dim
  if dims == nil then return {} end
  return type(dims) == "table" and dims or { dims }
end

local function reduction(name, operator)
  ops[name] = function(x, a)
    local o <const> = options(a, nil, { dim = true, dims = true, unbiased = true })
    o.dims = axes(a)
    if a.unbiased ~= nil then o.correction = a.unbiased and 1 or 0 end
    return lg[operator](ordered(x, "x"), o)
  end
end

for _, name in ipairs { "sum", "mean", "amax", "amin", "prod", "var", "std" } do
  reduction(name, name)
  reduction(name .. "_all", name)
  reduction(name .. "_dims", name)
end

--- Axes from 1, the last first; all of them if none are named.
local function sorted_axes(t, dims)
  local n <const>, list <const> = #t.shape, {}
  for i, d in ipairs(dims) do list[i] = d < 0 and d + n + 1 or d end
  for d = 1, #dims == 0 and n or 0 do list[d] = d end
  table.sort(list, function(p, q) return p > q end)
  return list
end

function ops.logsumexp(x, a)
  local y = ordered(x, "x")
  for _, d in ipairs(sorted_axes(y, axes(a))) do
    y = y:logsumexp { dim = d, keepdim = a.keepdim }
  end
  return y
end

function ops.norm(x, a)
  local t <const>, p <const> = ordered(x, "x"), a.p or 2
  local o <const> = { dims = axes(a), keepdim = a.keepdim }
  if p == 2 then return t:norm(o) end
  if p == math.huge then return t:abs():amax(o) end
  if p == -math.huge then return t:abs():amin(o) end
  if p == 0 then return t:ne(0):sum(o) end
  if p == 1 then return t:abs():sum(o) end
  return (t:abs() ^ p):sum(o) ^ (1 / p)
end

for _, name in ipairs { "softmax", "log_softmax", "cumsum" } do
  elementwise(name, { "x" })
end

function ops.normalize(x, a)
  local t <const>, dim <const> = ordered(x, "x"), a.dim or 2
  if (a.p or 2) == 2 then return t:normalize { dim = dim, eps = a.eps } end
  local size <const> = ops.norm({ x = t }, { p = a.p, dim = dim, keepdim = true })
  return t / size:clamp { min = a.eps or 1e-12 }
end

elementwise("cosine_similarity", { "x|a", "y|b" })

-- Shapes

function ops.reshape(x, a) return ordered(x, "x"):reshape { dims = a.shape or a.dims } end
function ops.expand(x, a) return ordered(x, "x"):expand { dims = a.shape or a.dims } end
function ops.permute(x, a) return ordered(x, "x"):permute { dims = a.dims } end
function ops.flip(x, a) return ordered(x, "x"):flip { dims = axes(a) } end
elementwise("transpose", { "x" })
elementwise("narrow", { "x" })

--- x, y, z, ... as a list.
local function listed(inputs)
  local names <const>, list <const> = {}, {}
  for name in pairs(inputs) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do list[i] = inputs[name] end
  return list
end

--- In the order of the case.
local function in_order(inputs, case)
  local list <const> = {}
  for i, name in ipairs(case.inputs) do list[i] = inputs[name] end
  return #list > 0 and list or listed(inputs)
end

for _, name in ipairs { "cat", "stack", "einsum" } do
  ops[name] = function(x, a, case) return lg[name](in_order(x, case), options(a)) end
end

local function padding(mode)
  return function(x, a)
    return ordered(x, "x"):pad { pad = a.pad, mode = mode, value = a.value }
  end
end

ops.pad_constant, ops.pad_reflect = padding "constant", padding "reflect"
ops.pad_replicate = padding "replicate"

-- Indices

local based <const> = { index_base = true }

function ops.index_select(x, a)
  local t <const>, i <const> = ordered(x, "x", "i|index")
  return t:index_select(index(i, a), options(a, nil, based))
end

function ops.gather(x, a)
  local t <const>, i <const> = ordered(x, "x", "i|index")
  return t:gather(index(i, a), options(a, nil, based))
end

function ops.embedding(x, a)
  local w <const>, i <const> = ordered(x, "w|weight", "i|x|index")
  return lg.embedding(w, index(i, a), options(a, nil, based))
end

-- Convolutions and pictures

--- padding = "same": what keeps the size, the odd one behind.
local function same_padded(x, w, a)
  local pads <const>, shape <const> = {}, w.shape
  for d = #shape, 3, -1 do
    local dilation <const> = type(a.dilation) == "table" and a.dilation[d - 2]
      or a.dilation or 1
    local total <const> = dilation * (shape[d] - 1)
    pads[#pads + 1] = total // 2
    pads[#pads + 1] = total - total // 2
  end
  return x:pad { pad = pads }
end

local function convolution(name, flat)
  ops[name] = function(inputs, a)
    local x, w <const>, b <const> = ordered(inputs, "x", "w", "b")
    local o <const> = options(a)
    if a.padding == "same" then x = same_padded(x, w, a) end
    if type(a.padding) == "string" then o.padding = nil end
    if flat then
      for key, value in pairs(o) do o[key] = one(value) end
    end
    return lg[name](x, w, b, o)
  end
end

convolution("conv1d", true)
convolution("conv2d")
convolution("conv_transpose1d", true)
convolution("conv_transpose2d")

local pooling <const> = { kernel_size = "kernel" }
elementwise("avg_pool2d", { "x" }, pooling)
elementwise("max_pool2d", { "x" }, pooling)

function ops.adaptive_avg_pool2d(x, a)
  return ordered(x, "x"):adaptive_avg_pool2d { out = a.size or a.output_size }
end

local function upsampling(mode)
  return function(x, a)
    local o <const> = options(a, { scale_factor = "scale" })
    if type(o.size) == "number" then o.size = { o.size, o.size } end
    if o.align_corners == false then o.align_corners = nil end
    o.mode = mode
    return ordered(x, "x"):upsample(o)
  end
end

ops.upsample_nearest, ops.upsample_bilinear = upsampling "nearest", upsampling "bilinear"

-- Normalization

elementwise("batch_norm", { "x", "w", "b" })
ops.batch_norm_train = ops.batch_norm
elementwise("batch_norm_eval", { "x", "m|mean", "v|var", "w", "b" })
elementwise("instance_norm", { "x", "w", "b" })
elementwise("group_norm", { "x", "w", "b" }, { num_groups = "groups" })

function ops.layer_norm(inputs, a)
  local x <const>, w <const>, b <const> = ordered(inputs, "x", "w", "b")
  local shape <const> = a.shape or a.normalized_shape
  local o <const> = options(a, nil, { shape = true, normalized_shape = true })
  if shape then o.axes = type(shape) == "table" and #shape or 1 end
  return lg.layer_norm(x, w, b, o)
end

-- Losses

for _, name in ipairs { "mse", "l1", "huber", "kl_div" } do
  elementwise(name, { "x", "t|y|target" })
end
elementwise("bce", { "x", "t|y|target", "w|weight" })
elementwise("bce_with_logits", { "x", "t|y|target", "w|weight", "pw|pos_weight" })

for _, name in ipairs { "cross_entropy", "nll" } do
  ops[name] = function(inputs, a)
    local x <const>, t <const>, w <const> = ordered(inputs, "x", "t|y|target", "w|weight")
    return lg[name](x, index(t, a), w, options(a, nil, based))
  end
end

-- mean((|d_x sum(flatten(leaky_relu(conv2d(x, w1))) w2)| - 1)^2), the norm of each sample

function ops.gradient_penalty(inputs, a)
  local x0 <const>, w1 <const>, w2 <const> = ordered(inputs, "x", "w1", "w2")
  local x <const> = x0:track()                                         -- n,c,h,w
  local conv <const> = options(a, nil, { slope = true })
  local features <const> = lg.conv2d(x, w1, nil, conv):leaky_relu(a.slope):flatten()
  local slope <const> = lg.grad(features:matmul(w2):sum(), x, { create_graph = true })
  return (slope:norm { 2, 3, 4 } - 1):square():mean()
end

-- Optimizers, by name whatever its capitals

local function plain(name) return (name:lower():gsub("[^%w]", "")) end

-- What is about PyTorch's own ways to compute, and not about the numbers.
local elsewhere <const> = { foreach = true, fused = true, capturable = true,
                            differentiable = true }

local function optimizer(case, p)
  for name, make in pairs(lg.optim) do
    if plain(name) == plain(case.optim) then
      local opt <const> = make({ p }, options(case.attrs or {}, {
        initial_accumulator_value = "initial_accumulator" }, elsewhere))
      return function(gradient) opt:step { gradient } end
    end
  end
  error("this runner does not know the optimizer " .. case.optim, 0)
end

--- Is its gradient by x the sign of x, and so without a slope?
local function is_flat(case)
  return case.op == "abs" or case.op == "l1" or case.op == "norm" and case.attrs.p == 1
end

return { ops = ops, optimizer = optimizer, is_flat = is_flat }

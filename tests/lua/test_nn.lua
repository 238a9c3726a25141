--- The model language: building, names, modes, state, random streams, and every error.
local lg = require "lugano"
local check = require "check"
local nn = lg.nn

local function names(net)
  local list = {}
  for i, p in ipairs(net:state()) do list[i] = p.name end
  return table.concat(list, " ")
end

local function numbers(net)
  local list = {}
  for _, p in ipairs(net:state()) do
    for _, x in ipairs(p.tensor:reshape(-1):totable()) do list[#list + 1] = x end
  end
  return list
end

local function same(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

local function shape(x) return table.concat(x.shape, ",") end

local function small(options)
  options = options or {}
  return nn.Sequential {
    name = options.name, input = options.input,
    nn.Linear { 4, norm = "batch", act = "relu" },
    options.between or false, nn.Linear { 2 } }
end

check.case("a net with its input has parameters at once", function()
  local G = nn.Sequential {
    name = "G", input = { 10 },
    nn.Linear { 2 * 7 * 7, norm = "batch", act = "relu" }, nn.Reshape { 2, 7, 7 },
    nn.ConvTranspose2d { 3, kernel = 4, stride = 2, padding = 1, norm = "batch" },
    nn.Conv2d { 1, kernel = 3, padding = 1, act = "tanh" }, "flatten", nn.Linear { 5 } }
  check.equal(names(G), "1.norm.bias 1.norm.running_mean 1.norm.running_var "
    .. "1.norm.weight 1.weight 3.norm.bias 3.norm.running_mean 3.norm.running_var "
    .. "3.norm.weight 3.weight 4.bias 4.weight 6.bias 6.weight")
  check.equal(#G:parameters(), 10)
  check.equal(shape(G(lg.randn(3, 10))), "3,5")
  check.equal(shape(G:state()[5].tensor), "98,10")
end)

check.case("a net without input gets its shapes from the first call", function()
  local slope = { "leaky_relu", 0.2 }
  local D = nn.Sequential { nn.Linear { 3, act = slope }, nn.Linear(1) }
  check.raises("has no shapes yet; declare `input = {...}`",
               function() D:parameters() end)
  check.raises("has no shapes yet", function() lg.optim.Adam(D) end)
  D(lg.randn(2, 7))
  check.equal(names(D), "1.bias 1.weight 2.bias 2.weight")
end)

check.case("building draws nothing, keeps modes, and leaves statistics alone", function()
  lg.seed(7)
  local before = lg.randn(1):item()
  lg.seed(7)
  local net = nn.Sequential {
    input = { 4 }, nn.Linear { 4, norm = "batch" }, nn.Dropout(0.5),
    function(x) return x + lg.randn(1) end }
  check.equal(lg.randn(1):item(), before)
  check.equal(net.training, true)
  for _, p in ipairs(net:state()) do
    if p.name == "1.norm.running_mean" then
      check.equal(p.tensor:abs():sum():item(), 0)
    elseif p.name == "1.norm.running_var" then
      check.equal(p.tensor:sum():item(), 4)
    end
  end
end)

check.case("a net's name keys its numbers, and positions those of its layers", function()
  lg.seed(3)
  local a, b = small { name = "G", input = { 3 } }, small { name = "G", input = { 3 } }
  check.equal(same(numbers(a), numbers(b)), true, "one name, the same numbers")
  check.equal(same(numbers(a), numbers(small { name = "D", input = { 3 } })), false)
  local c, d = small { input = { 3 } }, small { input = { 3 } }
  check.equal(same(numbers(c), numbers(d)), false, "two unnamed nets differ")
  local e = small { name = "G", input = { 3 }, between = nn.Linear { 4 } }
  check.equal(same(e[1]:state()[5].tensor:reshape(-1):totable(),
                   a[1]:state()[5].tensor:reshape(-1):totable()), true,
              "a new layer does not change the others")
end)

check.case("lists nest, have holes, and Repeat makes them", function()
  local net = nn.Sequential {
    input = { 3 },
    { nn.Linear { 3 }, "relu" }, false,
    nn.Repeat(2, function(i) return nn.Linear { 3 + i } end),
    nn.Sequential { name = "body", nn.Linear { 2 } }, nn.Linear { 2, name = "out" } }
  check.equal(names(net), "1.1.bias 1.1.weight 3.1.bias 3.1.weight 3.2.bias 3.2.weight "
    .. "body.1.bias body.1.weight out.bias out.weight")
  check.equal(net[2], false)
  check.equal(shape(net[3](lg.randn(2, 3))), "2,5")
end)

check.case("functions, operators with arguments and nets are layers", function()
  local twice = nn.Sequential { nn.Linear { 3 } }
  local net = nn.Sequential {
    input = { 3 }, twice, twice, function(x) return x * 2 end,
    { "clamp", min = 0, max = 1 }, { "sum", 2, true } }
  check.equal(#net:parameters(), 2, "a part that is there twice counts once")
  check.equal(shape(net(lg.randn(5, 3))), "5,1")
end)

check.case("a module computes what its forward says", function()
  local M = nn.Module {
    name = "M", input = { 4 }, body = { nn.Linear { 4, act = "relu" }, nn.Linear { 4 } },
    head = nn.Linear { 1 }, scale = 3, hello = function(m) return m.scale end,
    forward = function(m, x) return m.head(m.body(x) + x) * m.scale end }
  check.equal(names(M), "body.1.bias body.1.weight body.2.bias body.2.weight head.bias "
    .. "head.weight")
  check.equal(M.scale, 3)
  check.equal(M:hello(), 3)
  check.equal(#M.body, 2)
  check.equal(shape(M(lg.randn(2, 4))), "2,1")
  local two = nn.Module {
    input = { { 3 }, { 2 } }, a = nn.Linear { 4 }, b = nn.Linear { 4 },
    forward = function(m, x, y) return m.a(x) + m.b(y), x end }
  local y, x = two(lg.randn(2, 3), lg.randn(2, 2))
  check.equal(shape(y) .. " " .. shape(x), "2,4 2,3")
end)

check.case("sizes that PyTorch's layers take are refused where they'd be something else",
           function()
  for _, t in ipairs {
    { "nn.PReLU takes no input size, it is inferred; by its position 64 is slope: "
      .. "leave it out, or write slope = 64", nn.PReLU, 64 },
    { "the input size is inferred; write nn.GRUCell{20}", nn.GRUCell, 10, 20 },
    { "the input size is inferred; write nn.LSTMCell{20}", nn.LSTMCell, 10, 20 },
  } do
    check.raises(t[1], function() t[2](t[3], t[4]) end)
    check.raises(t[1], function() t[2] { t[3], t[4] } end)
  end
end)

check.case("a residual adds what its chain makes", function()
  local net = nn.Residual { input = { 3 }, nn.Linear { 3, init = "zeros" } }
  local x = lg.randn(2, 3)
  check.equal((net(x) - x):abs():sum():item(), 0)
end)

check.case("a residual's layers keep the shape, and its other inputs go to the first",
           function()
  check.raises("must keep the shape, and make {1} of a sample of {3}", function()
    nn.Residual { input = { 3 }, nn.Linear { 1 } }
  end)
  local net = nn.Residual { input = { { 4 }, "index" },
                            nn.ConditionalBatchNorm { classes = 3 }, "relu" }
  check.equal(shape(net(lg.randn(5, 4), lg.tensor { 1, 2, 3, 1, 2 })), "5,4")
end)

check.case("the mode is not assigned", function()
  local net = nn.Dropout { 0.5 }
  check.raises("nn.Dropout: 'training' can be read; :train() and :eval() set the mode",
               function() net.training = false end)
  check.equal(net.training, true)
  check.equal(net:eval():clone().training, false)
end)

check.case("train and eval reach every part", function()
  local net = nn.Sequential { input = { 50 }, { nn.Dropout { 0.5 } }, { "dropout", 0.5 } }
  local x = lg.ones(2, 50)
  check.equal((net:eval()(x) - x):abs():sum():item(), 0)
  check.equal(net[1].training, false)
  check.equal((net:train()(x) - x):abs():sum():item() > 0, true)
  check.equal(net[1][1].training, true)
end)

check.case("batch norm learns its statistics in training alone", function()
  local net = nn.Sequential { input = { 1 }, nn.BatchNorm() }
  local x = lg.tensor { { 1 }, { 2 }, { 3 }, { 6 } }
  local y = net(x:track())
  check.close(y:sum():item(), 0, 1e-5)
  local state = net:state()
  check.close(state[2].tensor:item(), 0.3, 1e-6, state[2].name)
  check.close(state[3].tensor:item(), 0.9 + 0.1 * 14 / 3, 1e-6, state[3].name)
  net:eval()
  check.close(net(x):at(1, 1), 0.7 / (0.9 + 1.4 / 3 + 1e-5) ^ 0.5, 1e-5)
  check.equal(net:state()[2].tensor:item(), state[2].tensor:item())
end)

check.case("state is copied whole or not at all", function()
  local a, b = small { name = "a", input = { 3 } }, small { name = "b", input = { 3 } }
  b:load_state(a)
  check.equal(same(numbers(a), numbers(b)), true)
  local other = small { name = "c", input = { 5 } }
  local before = numbers(b)
  check.raises("'1.weight' is {4,5} there and {4,3} here",
               function() b:load_state(other:state()) end)
  local less = a:state()
  less[#less] = nil
  check.raises("there is no '3.weight'", function() b:load_state(less) end)
  check.equal(same(numbers(b), before), true)
end)

check.case("lg.grad takes a net for its parameters", function()
  local net = small { input = { 3 } }
  local grads = lg.grad(net(lg.randn(4, 3)):square():mean(), net)
  check.equal(#grads, #net:parameters())
  for i, p in ipairs(net:parameters()) do check.equal(shape(grads[i]), shape(p)) end
end)

check.case("print shows paths, shapes and counts", function()
  local net = small { name = "G", input = { 300 } }
  local text = tostring(net)
  for _, line in ipairs { "G (Sequential)",
                          "1     Linear, BatchNorm, relu  {N,4}        1,208",
                          "3     Linear                   {N,2}           10",
                          "1,218 parameters in all" } do
    check.equal(text:find(line, 1, true) ~= nil, true, line .. "\n" .. text)
  end
  check.equal(tostring(small()):find("no shapes yet", 1, true) ~= nil, true)
end)

check.case("initializers set the weight, and the bias is zero then", function()
  local net = nn.Sequential { input = { 400 }, nn.Linear { 50, init = "normal 0.02" } }
  local bias, weight = table.unpack(net:parameters())
  check.equal(bias:abs():sum():item(), 0)
  check.close(weight:square():mean():item() ^ 0.5, 0.02, 1e-3)
  local flat = nn.Sequential { input = { 2 }, nn.Linear { 1, init = "constant -0.5" } }
  check.equal(flat:parameters()[2]:sum():item(), -1)
end)

-- Errors. Each names what was written, what is known, and where.

local function build(layers)
  layers.name = layers.name or "D"
  return nn.Sequential(layers)
end

local refused = {
  { "nn.Conv2d has no option 'strid' (did you mean 'stride'?)",
    function() nn.Conv2d { 3, strid = 2 } end },
  { "nn.Conv2d has no option 'nrom' (did you mean 'norm'?)",
    function() nn.Conv2d { 3, nrom = "batch" } end },
  { "nn.Linear takes the output size only, the input size is inferred; write "
    .. "nn.Linear{256}",
    function() nn.Linear(784, 256) end },
  { "the input size is inferred; write nn.Linear{256}",
    function() nn.Linear { 784, 256 } end },
  { "nn.Linear: out must be given", function() nn.Linear {} end },
  { "Linear: out must be 1 or more, not 0", function() nn.Linear { 0 } end },
  { "nn.Conv2d: kernel must be a whole number or a pair, not 'three'",
    function() nn.Conv2d { 3, kernel = "three" } end },
  { "nn.Conv2d: out is given twice, by position and by name",
    function() nn.Conv2d { 3, out = 4 } end },
  { "nn.Dropout takes 1 option at most by position, and got 2; sizes of its input are",
    function() nn.Dropout { 0.1, 0.2 } end },
  { "Linear: there is no initializer 'kaimin'",
    function() nn.Linear { 3, init = "kaimin" } end },
  { "nn.Linear: there is no norm 'bath'; there is 'batch'",
    function() nn.Linear { 3, norm = "bath" } end },
  { "spectral, weight_norm and equalized exclude each other",
    function() nn.Linear { 3, spectral = true, equalized = true } end },
  { "nn.Linear: there is no operator 'reluu' (did you mean 'relu'?)",
    function() nn.Linear { 3, act = "reluu" } end },
  { "part 2: there is no operator 'flaten' (did you mean 'flatten'?)",
    function() build { "relu", "flaten" } end },
  { "the operator 'matmul' takes several tensors, and a layer has one; write a function",
    function() build { "matmul" } end },
  { "part 1: a layer, the name of an operator, a function or a list is expected, not a "
    .. "number",
    function() build { 3 } end },
  { "nn.Sequential has no option 'inputs' (did you mean 'input'?)",
    function() build { inputs = { 3 } } end },
  { "input must be the sizes of one sample, without the batch",
    function() build { input = 3, "relu" } end },
  { "nn.Sequential: name must be a word", function() build { name = "a.b", "relu" } end },
  { "two of its parts are named 'x'",
    function() build { nn.Linear { 1, name = "x" }, nn.Linear { 1, name = "x" } } end },
  { "nn.Module needs forward", function() nn.Module { nn.Linear { 1 } } end },
  { "nn.Module: 'train' is a method of every net",
    function() nn.Module { train = nn.Linear { 1 }, forward = print } end },
  { "'late' comes too late: a net's parts are given when it is made",
    function() build { "relu" }.late = nn.Linear { 1 } end },
  { "nn.BatchNorm takes no option by position, and got 1; sizes of its input are",
    function() nn.BatchNorm { 64 } end },
  { "nn.Conv2d takes 2 options at most by position, and got 5",
    function() nn.Conv2d { 3, 64, 4, 2, 1 } end },
  { "nn.Sequential, part 2: nn.Tanh makes layers and is none; write nn.Tanh{}",
    function() build { nn.Linear { 1 }, nn.Tanh } end },
  { "there is no nn.Dense (did you mean 'Linear'?)", function() return nn.Dense end },
  { "nn.Linear has no option 'units' (did you mean 'out'?)",
    function() nn.Linear { units = 3 } end },
  { "a net has no 'forward': a net is called: G(x)",
    function() build { "relu" }:forward(1) end },
  { "a net has no 'state_dict'; it is called 'state' here",
    function() build { "relu" }:state_dict() end },
  { "there is no lg.mse_loss (did you mean 'mse'?)", function() return lg.mse_loss end },
  { "a tensor has no method 'backward': gradients are not stored",
    function() lg.ones(1):backward() end },
  { "there is no nn.Conv2D (did you mean 'Conv2d'?)", function() return nn.Conv2D end },
  { "D.1 (Linear) takes a tensor, not a number",
    function() build { nn.Linear { 1 } } (3) end },
}
for _, case in ipairs(refused) do
  check.case(case[1], function()
    local why = check.raises(case[1], case[2])
    check.equal(why:find "^[^\n]*test_nn%.lua:%d+: " ~= nil, true,
                "names the script's line")
  end)
end

check.case("an error names the layer, its shapes and its lines", function()
  local layer <const> = nn.Linear { 1 }        -- line A
  local line = debug.getinfo(1, "l").currentline
  local why = check.raises("D.2 (Linear): expected {batch,features}, got {N,32,8,8}; "
    .. "put \"flatten\" before it\n  in      D.2  (Linear, defined at ", function()
      build { input = { 64, 8, 8 }, nn.Conv2d { 32, padding = 1 }, layer }
    end)
  local lines = ("test_nn.lua:%d)\n  called  "):format(line - 1)
  check.equal(why:find(lines, 1, true) ~= nil, true, why)
  check.equal(select(2, why:gsub("\n  in  ", "")), 1, "the innermost part alone")
end)

check.case("a size other than that of the first input is refused", function()
  local D = build { input = { 64, 8, 8 }, nn.Conv2d { 2 } }
  check.raises("D.1 (Conv2d): was built for 64 input channels, got 3 in {2,3,8,8}",
               function() D(lg.zeros(2, 3, 8, 8)) end)
end)

check.case("an operator's error within a layer or a function names it", function()
  check.raises("D.1  (function, defined at ", function()
    build { input = { 3 }, function(x) return x + lg.zeros(7) end }
  end)
  check.raises("add: {N,3} and {7} do not fit", function()
    build { input = { 3 }, function(x) return x + lg.zeros(7) end }
  end)
  local why = check.raises("D.1 (Conv2d): conv2d: ", function()
    build { input = { 1, 2, 2 }, nn.Conv2d { 1, kernel = 5 } }
  end)
  check.equal(why:find("defined at", 1, true) ~= nil, true)
end)

check.case("an error that is no text passes through a net", function()
  local thing = {}
  local ok, why = pcall(nn.Sequential { function() error(thing) end }, lg.zeros(1))
  check.equal(ok, false)
  check.equal(why, thing)
end)

check.case("a failed build leaves its parts as they were", function()
  local part = nn.Sequential { nn.Dropout(0.5) }
  pcall(build, { input = { 3 }, part, nn.Conv2d { 1 } })
  check.equal(part.training, true)
end)

check.report()

--- What is in a net: parts and tensors by name, taps, inputs of several kinds.
local lg = require "lugano"
local check = require "check"
local nn = lg.nn

local function shape(x) return table.concat(x.shape, ",") end

local function names(net)
  local list = {}
  for i, p in ipairs(net:state()) do list[i] = p.name end
  return table.concat(list, " ")
end

local function net()
  return nn.Module {
    name = "M", input = { 3 },
    body = { nn.Linear { 4, norm = "batch", act = "relu" }, false,
             nn.Linear { 4, name = "wide" } },
    head = nn.Linear { 1 }, forward = function(m, x) return m.head(m.body(x)) end }
end

-- Parts

check.case("a path, a position and a name lead to a part", function()
  local M <const> = net()
  check.equal(M:part "body.1.norm", M.body[1].norm)
  check.equal(M:part "body.wide", M.body[3])
  check.equal(M.body.wide, M.body[3])
  check.equal(M.body[2], false)
  check.equal(#M.body, 3)
  check.equal(M.body:part(1), M.body[1])
  check.raises("M has no part 'body.2'", function() M:part "body.2" end)
  check.raises("M has no part 'hed' (did you mean 'head'?); it has body, body.1, "
    .. "body.1.norm, body.1.act, body.wide, head", function() M:part "hed" end)
end)

check.case("parts are looped over in order, each once, or those of a kind", function()
  local M <const>, seen <const> = net(), {}
  for path, part in M:parts() do
    seen[#seen + 1] = path
    check.equal(part, M:part(path))
  end
  check.equal(table.concat(seen, " "),
              "body body.1 body.1.norm body.1.act body.wide head")
  local linear <const> = {}
  for path in M:parts "Linear" do linear[#linear + 1] = path end
  check.equal(table.concat(linear, " "), "body.1 body.wide head")
  for path in M:parts "Conv2d" do error("there is none: " .. path) end
  check.raises("parts: there is no kind of part 'Linaer' (did you mean 'Linear'?)",
               function() M:parts "Linaer" end)
  local twice <const>, count = nn.Linear { 3 }, 0
  for _ in nn.Sequential { input = { 3 }, twice, twice }:parts() do count = count + 1 end
  check.equal(count, 1)
end)

check.case("what a net is made of stays", function()
  local M <const> = net()
  check.raises("nn.Module: 'head' is a part of this net, and stays; make another net",
               function() M.head = 3 end)
  check.raises("nn.Module: 'head' comes too late",
               function() M.head = nn.Linear { 2 } end)
  check.raises("nn.list: '2' is a part of this net", function() M.body[2] = true end)
  check.raises("nn.Module: 'eval' is a method of every net; give it another name",
               function() M.eval = 3 end)
  M.note = "the script's own"
  check.equal(M.note, "the script's own")
  M.note = nil
  check.equal(M.note, nil)
end)

-- Tensors in fields

local function learned()
  return nn.Module {
    name = "S", input = { 2 }, start = lg.ones(1, 3):track(),
    scale = lg.tensor { 2, 2, 2 }, style = nn.Linear { 3 },
    forward = function(m, z) return m.start * m.scale + m.style(z) end }
end

check.case("a tracked tensor in a field is a parameter, any other a buffer", function()
  local S <const> = learned()
  check.equal(names(S), "scale start style.bias style.weight")
  check.equal(S:state()[1].buffer, true)
  check.equal(S:state()[2].buffer, false)
  check.equal(#S:parameters(), 3)
  check.equal(shape(S(lg.zeros(5, 2))), "5,3")
  local opt <const> = lg.optim.SGD(S, { lr = 0.5 })
  opt:minimize(S(lg.zeros(1, 2)):sum())
  check.equal(S.start:at(1, 1), 1 - 0.5 * 2)
  check.equal(S.scale:at(1), 2)
  S.start:copy(lg.zeros(1, 3))
  check.equal(S:parameter "start":sum():item(), 0)
  check.raises("nn.Module: 'start' is a tensor of this net's state, and stays; "
    .. "m.start:copy(t) overwrites its numbers", function() S.start = lg.ones(1, 3) end)
end)

check.case("fields that cannot be parts are refused", function()
  local function module(fields)
    fields.forward = function(_, x) return x end
    return nn.Module(fields)
  end
  check.raises("nn.Module: 'w' is the result of a tracked computation; a parameter is a "
    .. "leaf: w = x:detach():track()",
    function() module { w = lg.ones(2):track() * 2 } end)
  check.raises("nn.Module: 'blocks' is a table of layers by name",
               function() module { blocks = { a = nn.Linear { 1 } } } end)
  check.raises("nn.Module: name must be a word of letters, digits, - and _, not 'a.b'",
               function() module { ["a.b"] = lg.ones(2) } end)
  check.raises("nn.Module: 'numbers' is a method of every net",
               function() module { numbers = 3 } end)
  check.raises("nn.Module: two of its parts are named 'w'",
               function() module { a = nn.Linear { 1, name = "w" }, w = lg.ones(2) } end)
  local M <const> = module { lists = { "relu", { nn.Linear { 1 } } }, own = { 1, 2 },
                             mixed = { "flatten", nn.Linear { 2 } } }
  check.equal(M.own[2], 2)
  local R <const> = module { blocks = nn.Repeat(2, function(i)
    return { nn.Linear { i }, "relu" }
  end) }
  R.blocks(lg.ones(1, 3))
  check.equal(names(R), "blocks.1.1.bias blocks.1.1.weight blocks.2.1.bias "
    .. "blocks.2.1.weight", "lists of lists are chains")
  local own <const> = {}
  own.own = own
  check.equal(module { loop = own }.loop, own)
  check.equal(shape(M.mixed(lg.ones(4, 2, 2))), "4,2", "a list may begin with a word")
end)

-- Inputs

check.case("a label is an input, declared by a word", function()
  local function seen(input, forward)
    local shapes = {}
    nn.Module { input = input, forward = forward or function(_, ...)
      for i, x in ipairs { ... } do shapes[i] = shape(x) .. "=" .. x:sum():item() end
      return (...)
    end }
    return table.concat(shapes, " ")
  end
  check.equal(seen { 100 }, "2,100=0.0")
  check.equal(seen { { 3, 4 }, "index" }, "2,3,4=0.0 2=2.0")
  check.equal(seen { "index", { 5 } }, "2=2.0 2,5=0.0")
  check.equal(seen "index", "2=2.0")
  check.equal(seen { "index", 10 }, "2,10=20.0")
  check.equal(seen { "index", "index" }, "2=2.0 2=2.0")
  for _, wrong in ipairs { 3, "label", { "labels" }, {}, { 0 }, { 1.5 }, { { 3 }, 4 },
                           { "index", 0 } } do
    check.raises("nn.Module: input must be the sizes of one sample, without the batch, "
      .. "as in input = {1, 28, 28}, or \"index\" for a label; of several inputs, a "
      .. "list: input = { {100}, \"index\" }", function() seen(wrong) end)
  end
end)

check.case("a generator of labels is built by its declaration", function()
  local G <const> = nn.Module {
    name = "G", input = { { 4 }, "index" }, table = lg.randn(10, 4):track(),
    body = nn.Linear { 2 },
    forward = function(m, z, label) return m.body(z * lg.embedding(m.table, label)) end }
  check.equal(names(G), "body.bias body.weight table")
  check.equal(shape(G(lg.randn(3, 4), lg.tensor { 1, 10, 2 })), "3,2")
end)

check.case("a part that forward never calls is named", function()
  local M <const> = nn.Module {
    name = "M", input = { 3 }, used = nn.Linear { 1 },
    spare = { "relu", nn.Linear { 2 } },
    forward = function(m, x) return m.used(x) end }
  local why <const> = check.raises("M.spare.2 (Linear, defined at ",
                                   function() M:state() end)
  check.equal(why:find("has no shapes: the forward of M (Module, defined at ", 1, true)
              ~= nil, true, why)
  check.equal(why:find("did not call it; call it there, or take it out", 1, true) ~= nil,
              true, why)
  check.raises("M.spare.2 (Linear", function() lg.optim.Adam(M) end)
  M.spare(lg.ones(1, 3))
  check.equal(names(M), "spare.2.bias spare.2.weight used.bias used.weight")
end)

check.case("before it has shapes, a net says what to do", function()
  local D <const> = nn.Sequential { name = "D", nn.Linear { 2 } }
  for _, use in ipairs {
    function() D:state() end, function() D:parameters() end, function() D:save "/x/y" end,
    function() D:load "/x/y" end, function() D:clone() end, function() D:summary() end,
    function() D:load_state {} end, function() lg.optim.Adam(D) end,
    function() D:named_parameters() end, function() D:parameter "1.bias" end,
    function() D:standing_statistics(1, print) end,
    function() lg.grad(lg.ones(1), D) end } do
    check.raises("(Linear, defined at ", use)
    check.raises("has no shapes yet; declare `input = {...}` in the net around it, or "
      .. "call it once", use)
  end
end)

-- First calls that fail

check.case("a first call that fails gives no names and no shapes", function()
  local body <const> = nn.Linear { 4, norm = "batch" }
  check.raises("in      D.2  (Conv2d, defined at ", function()
    nn.Sequential { name = "D", input = { 3 }, body, nn.Conv2d { 1 } }
  end)
  check.raises("(Linear, defined at ", function() body:state() end)
  local E <const> = nn.Sequential { name = "E", input = { 5 }, body, nn.Dropout() }
  check.equal(shape(E:parameter "1.weight"), "4,5")
  check.raises("E.1 (Linear): was built for 5", function() body(lg.ones(2, 3)) end)
  check.equal(shape(E(lg.ones(2, 5))), "2,4", "what has shapes keeps them")
end)

check.case("a wrong batch, then a right one", function()
  local D <const> = nn.Sequential { name = "D", nn.Linear { 4 }, nn.Linear { 2 },
                                    function(x) return x:reshape(3, 2) end }
  check.raises("in      D.3", function() D(lg.ones(2, 7)) end)
  check.equal(shape(D(lg.ones(3, 5))), "3,2")
  check.equal(shape(D:parameter "1.weight"), "4,5")
end)

check.case("a failed net takes no number from the next unnamed one", function()
  local function unnamed(layer)
    local net <const> = nn.Sequential { input = { 3 }, layer }
    return math.tointeger(tonumber(tostring(net):match "^net(%d+)"))
  end
  local before <const> = unnamed(nn.Linear { 1 })
  check.raises("Conv2d", function() unnamed(nn.Conv2d { 1 }) end)
  check.equal(unnamed(nn.Linear { 1 }), before + 1)
end)

-- Taps

check.case("a tap shows what an inner part computes, until it is closed", function()
  local D <const> = nn.Sequential { name = "D", input = { 3 }, nn.Linear { 4 },
                                    { nn.Linear { 5, act = "relu" } }, nn.Linear { 1 } }
  local calls, features, input = 0, nil, nil
  local tap <const> = D:tap("2.1", function(y, x)
    calls, features, input = calls + 1, y, x
  end)
  local x <const> = lg.randn(2, 3)
  local y <const> = D(x)
  check.equal(calls, 1)
  check.equal((features - D[2](D[1](x))):abs():sum():item(), 0)
  check.equal(shape(input), "2,4")
  check.equal((D[3](features) - y):abs():sum():item(), 0)
  local grads <const> = lg.grad(features:sum(), D[1]:parameters())
  check.equal(grads[2]:abs():sum():item() > 0, true, "it has its history")
  local before <const>, second = calls, 0
  do
    local other <close> = D:tap("2.1", function() second = second + 1 end)
    D(x)
    check.equal(other ~= tap, true)
  end
  tap:close()
  tap:close()
  D(x)
  check.equal(calls - before, 1)
  check.equal(second, 1)
end)

check.case("one function may be tapped twice, and taps are let go alone", function()
  local D <const>, calls = nn.Sequential { input = { 2 }, "relu" }, 0
  local function count() calls = calls + 1 end
  local a <const> = D:tap("1", count)
  D:tap(1, count)
  D(lg.ones(1, 2))
  check.equal(calls, 2)
  a:close()
  D(lg.ones(1, 2))
  check.equal(calls, 3)
  check.raises("D has no part", function()
    nn.Sequential { name = "D", input = { 2 }, "relu" }:tap("3", count)
  end)
  check.raises("tap takes a path and a function, and got a nil", function() D:tap "1" end)
end)

check.case("features are matched", function()
  local D <const> = nn.Sequential { name = "D", input = { 3 },
                                    nn.Linear { 4, act = "relu" }, nn.Linear { 1 } }
  local features
  local tap <close> = D:tap("1", function(y) features = y end)
  local fake <const> = lg.randn(8, 3):track()
  D(lg.randn(8, 3))
  local wanted <const> = features:mean { 1 }:detach()
  D(fake)
  local loss <const> = lg.mse(features:mean { 1 }, wanted)
  check.equal(lg.grad(loss, fake):abs():sum():item() > 0, true)
  check.equal(tap ~= nil, true)
end)

check.report()

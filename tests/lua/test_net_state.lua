--- The state of nets: names, sharing between nets, saving, loading what fits.
local lg = require "lugano"
local check = require "check"
local command = require "command"
local nn = lg.nn

local folder <const> = command.folder()

local function names(net)
  local list = {}
  for i, p in ipairs(net:state()) do list[i] = p.name end
  return table.concat(list, " ")
end

local function numbers(net)
  local list = {}
  for _, p in ipairs(net:state()) do
    list[#list + 1] = table.concat(p.tensor:reshape(-1):totable(), " ")
  end
  return table.concat(list, "\n")
end

local function small(name, size)
  return nn.Sequential { name = name, input = { size or 3 },
                         nn.Linear { 4, norm = "batch", act = "relu" }, nn.Linear { 2 } }
end

check.case("a spectral net that takes plain weights finds their vectors", function()
  local plain <const> = nn.Sequential { input = { 6 }, nn.Linear { 4, bias = false } }
  local D <const> = nn.Sequential { input = { 6 }, nn.Linear { 4, bias = false,
                                                             spectral = true } }
  plain:parameter "1.weight":copy(lg.eye(4, 6) * 3)
  D:load_state(plain, { partial = true })
  check.close(D:eval()(lg.eye(6))[1]:amax():item(), 1, 1e-3)
end)

check.case("a net takes its own tensors in another order", function()
  local G <const> = nn.Sequential { input = { 2 }, nn.Linear { 2, bias = false },
                                    nn.Linear { 2, bias = false } }
  local a <const>, b <const> = G:parameter "1.weight", G:parameter "2.weight"
  local was_a <const>, was_b <const> = a * 1, b * 1
  G:load_state { ["1.weight"] = b, ["2.weight"] = a }
  check.equal((a - was_b):abs():sum():item(), 0)
  check.equal((b - was_a):abs():sum():item(), 0)
end)

check.case("parameters and buffers have names", function()
  local G <const>, list <const> = small "G", {}
  for name, p in G:named_parameters() do
    list[#list + 1] = name
    check.equal(p, G:parameter(name))
  end
  check.equal(table.concat(list, " "),
              "1.norm.bias 1.norm.weight 1.weight 2.bias 2.weight")
  check.equal(G:parameter "1.norm.running_var":sum():item(), 4)
  check.raises("G has no parameter or buffer '2.wieght' (did you mean '2.weight'?)",
               function() G:parameter "2.wieght" end)
end)

-- Sharing

check.case("a part in two nets is one, in the state of both", function()
  local shared <const> = nn.Linear { 4, act = "relu" }
  local a <const> = nn.Sequential { name = "A", input = { 3 }, shared, nn.Linear { 1 } }
  local b <const> = nn.Sequential { name = "B", input = { 3 }, nn.Linear { 3 }, shared,
                                    nn.Linear { 2 } }
  check.equal(names(a), "1.bias 1.weight 2.bias 2.weight")
  check.equal(names(b), "1.bias 1.weight 2.bias 2.weight 3.bias 3.weight")
  check.equal(a:parameter "1.weight", b:parameter "2.weight")
  check.raises("A.1 (Linear): ", function() b[2](lg.ones(2, 7)) end)
  local before <const> = b:parameter "2.weight":sum():item()
  local optA <const> = lg.optim.SGD(a, { lr = 0.1 })
  local optB <const> = lg.optim.SGD(b, { lr = 0.1 })
  optA:minimize(a(lg.ones(2, 3)):sum())
  local after <const> = b:parameter "2.weight":sum():item()
  check.equal(before ~= after, true, "what one optimizer changes, the other net has")
  optB:minimize(b(lg.ones(2, 3)):square():sum())
  check.equal(a:parameter "1.weight":sum():item() ~= after, true)
  local both <const> = tostring(lg.optim.SGD({ a, b }, { lr = 1 }))
  check.equal(both:find("8 tensors", 1, true) ~= nil, true, "each once")
end)

check.case("a part that is twice in a net is there by its first name", function()
  local twice <const> = nn.Linear { 3 }
  local net <const> = nn.Module {
    name = "N", input = { 3 }, b = { twice, "relu", twice }, a = twice,
    forward = function(m, x) return m.b(m.a(x)) end }
  check.equal(names(net), "a.bias a.weight")
  local w <const> = lg.ones(2):track()
  local module <const> = nn.Module {
    w = w, other = w, input = { 2 },
    forward = function(m, x) return m.w * m.other * x end }
  check.equal(names(module), "other")
end)

-- Loading

check.case("numbers come from a net, its state, tensors by name, a file", function()
  local a <const>, path <const> = small "a", folder .. "/a.safetensors"
  a:save(path)
  local by_name <const> = lg.load(path)
  check.equal(by_name["2.weight"].shape[2], 4)
  for _, source in ipairs { a, a:state(), by_name } do
    local b <const> = small "b"
    check.equal(numbers(a) ~= numbers(b), true)
    check.equal(b:load_state(source), b)
    check.equal(numbers(a), numbers(b))
  end
  local c <const> = small "c"
  check.equal(c:load(path), c)
  check.equal(numbers(a), numbers(c))
end)

check.case("all that differs is told, and nothing is changed", function()
  local b <const>, other <const> = small "b", small("c", 5):state()
  other[#other] = nil
  other[#other + 1] = { name = "9.weight", tensor = lg.ones(1) }
  local before <const> = numbers(b)
  check.raises("load_state: what it is given does not fit b: 1 missing, 1 without a "
    .. "place, 1 of another shape:\n  '1.weight' is {4,5} there and {4,3} here\n  "
    .. "there is no '2.weight'\n  there is a '9.weight', which has no place here\n  "
    .. "{ partial = true } loads what fits", function() b:load_state(other) end)
  check.equal(numbers(b), before)
  local many <const> = {}
  for i = 1, 14 do many[i] = { name = "x" .. i, tensor = lg.ones(1) } end
  local why <const> = check.raises("7 missing, 14 without a place",
                                   function() b:load_state(many) end)
  check.equal(select(2, why:gsub("\n  there is", "")), 10)
  check.equal(why:find("\n  and 11 more\n", 1, true) ~= nil, true, why)
end)

check.case("what fits is loaded, with a report", function()
  local b <const>, wide <const> = small "b", small("c", 5)
  local report <const> = b:load_state(wide, { partial = true })
  check.equal(table.concat(report.loaded, " "), "1.norm.bias 1.norm.running_mean "
    .. "1.norm.running_var 1.norm.weight 2.bias 2.weight")
  check.equal(report.mismatched[1].name, "1.weight")
  check.equal(table.concat(report.mismatched[1].there, ","), "4,5")
  check.equal(table.concat(report.mismatched[1].here, ","), "4,3")
  check.equal(#report.missing + #report.unknown, 0)
  check.equal(tostring(report), "6 loaded, 1 of another shape:\n  '1.weight' is {4,5} "
    .. "there and {4,3} here")
  check.equal(b:parameter "2.weight":sum():item(), wide:parameter "2.weight":sum():item())
  check.equal(tostring(b:load_state(b, { partial = true })), "7 loaded")
  check.raises("load_state: nothing of what it is given fits b: 7 missing, 1 without a "
    .. "place", function()
      b:load_state({ { name = "x", tensor = lg.ones(1) } }, { partial = true })
    end)
end)

check.case("wrong sources and options are refused", function()
  local b <const> = small "b"
  check.raises("load_state takes a net, a list as state() gives it, tensors by name as "
    .. "lg.load gives them, or an open file, not a number",
    function() b:load_state(3) end)
  check.raises("not a tensor", function() b:load_state(lg.ones(1)) end)
  check.raises("'x' there is no named tensor", function() b:load_state { x = 3 } end)
  check.raises("load_state has no option 'partail' (did you mean 'partial'?)",
               function() b:load_state(b, { partail = true }) end)
  check.raises("load_state takes a table of options, not a boolean",
               function() b:load_state(b, true) end)
  check.raises("load has no option 'prefx' (did you mean 'prefix'?)",
               function() b:load("x", { prefx = "G" }) end)
  check.raises("load takes the path of a file, not a table; load_state takes nets",
               function() b:load(b) end)
  check.raises("save takes the path of a file, not a nil", function() b:save() end)
end)

check.case("errors of files name the file", function()
  local b <const>, path <const> = small "b", folder .. "/wide.safetensors"
  small("c", 5):save(path)
  check.raises("load: '" .. path .. "' does not fit b: 1 of another shape:\n  "
    .. "'1.weight' is {4,5} there and {4,3} here", function() b:load(path) end)
  check.equal(#b:load(path, { partial = true }).loaded, 6)
  check.raises(folder .. "/none.safetensors",
               function() b:load(folder .. "/none.safetensors") end)
  check.raises(folder .. "/no/folder.safetensors",
               function() b:save(folder .. "/no/folder.safetensors") end)
end)

check.case("a cut file changes nothing", function()
  local b <const>, path <const> = small "b", folder .. "/cut.safetensors"
  small "c":save(path)
  local whole <const>, before <const> = command.read(path), numbers(b)
  for _, size in ipairs { 0, 7, 100, #whole - 1 } do
    command.write(path, whole:sub(1, size))
    check.raises(path, function() b:load(path) end)
    check.raises(path, function() b:load(path, { partial = true }) end)
    check.equal(numbers(b), before)
  end
end)

check.case("a net is loaded from the checkpoint of a run, by its name there", function()
  local G <const>, D <const>, all <const> = small "G", small "D", {}
  local path <const> = folder .. "/run.safetensors"
  for _, t in ipairs(G:state()) do all["G." .. t.name] = t.tensor end
  for _, t in ipairs(D:state()) do all["D." .. t.name] = t.tensor end
  lg.save(path, all, { ["lugano.run"] = "digits" })
  local other <const> = small "x"
  other:load(path, { prefix = "D" })
  check.equal(numbers(other), numbers(D))
  other:load(path, { prefix = "G." })
  check.equal(numbers(other), numbers(G))
  check.raises("load: '" .. path .. "' is the checkpoint of a run, of D, G; say which of "
    .. "these, as in { prefix = \"G\" }", function() other:load(path) end)
  check.raises("load: '" .. path .. "' has nothing that begins with 'ema.'; it has D, G",
               function() other:load(path, { prefix = "ema" }) end)
  check.raises("load: prefix must be the name of an object in the file",
               function() other:load(path, { prefix = 3 }) end)
end)

check.report()

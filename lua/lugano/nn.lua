--- nn.lua - the model language.
--
--     nn.Sequential{ name = "D", input = {1, 28, 28},      a chain: layers, operators
--       nn.Conv2d{ 64, stride = 2, act = "relu" },             by name, Lua functions,
--       "flatten", nn.Linear{1} }                              other nets, lists
--     nn.Module{ body = ..., forward = function(m, x) ... end }    a graph
--
-- Layers take their output size and options; input sizes come from the first input.

local core <const> = ...
local lg <const> = core.lg
local net <const> = core.load "net"
for _, file in ipairs { "chain", "parts", "state", "clone", "print", "statistics" } do
  core.load("net_" .. file)            -- the methods of nets
end
local inner <const> = net.inner

local nn <const> = {}

-- Descriptors, each read when it is first asked for.
local types <const> = setmetatable({}, { __index = function(types, name)
  types[name] = core.layers(name)
  return rawget(types, name)
end })

local function sorted_names(t)
  local names <const> = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local op_of_layer <const> = core.layer_names()
local type_names <const> = sorted_names(op_of_layer)

-- Layers. Weighted ones take these, too, and every layer takes a name.
local extras <const> = { "act", "norm" }

--- Takes the fields with string keys, and checks that each is known.
local function named_options(who, given, known)
  local is_known <const>, named <const>, wrong <const> = {}, {}, {}
  for _, name in ipairs(known) do is_known[name] = true end
  for key, value in pairs(given) do
    if is_known[key] then
      named[key] = value
    elseif math.type(key) ~= "integer" then
      wrong[#wrong + 1] = tostring(key)
    end
  end
  table.sort(wrong)
  if wrong[1] then
    core.fail("%s has no option '%s'%s", who, wrong[1], net.hint(wrong[1], known))
  end
  return named
end

local function known_options(info)
  local known <const> = { "name" }
  for _, option in ipairs(info.options) do known[#known + 1] = option.name end
  if info.weighted then table.move(extras, 1, #extras, #known + 1, known) end
  return known
end

--- How many options may stand by position. What comes there in other programs is a size
-- of the input: it must not become an eps or a stride.
local function count_positions(info)
  for i, option in ipairs(info.options) do
    local late <const> = option.name == "eps" or info.weighted and option.name == "stride"
    if late then return i - 1 end
  end
  return #info.options
end

--- Gives what stands by position its name: the first options, or all of a list.
local function name_positions(who, info, given, named)
  local first <const> = info.options[1]
  if first and first.type == "list" and #given > 0 then
    named[first.name] = type(given[1]) == "table" and given[1]
                        or table.move(given, 1, #given, 1, {})
    return
  end
  local most <const> = count_positions(info)
  if #given > most then
    core.fail("%s takes %s by position, and got %d; sizes of its input are inferred", who,
              most == 0 and "no option" or ("%d option%s at most"):format(
              most, most == 1 and "" or "s"), #given)
  end
  for i, value in ipairs(given) do
    local name <const> = info.options[i].name
    if named[name] ~= nil then
      core.fail("%s: %s is given twice, by position and by name", who, name)
    end
    named[name] = value
  end
end

local function refuse_input_size(who, out)
  core.fail("%s takes the output size only, the input size is inferred; write %s{%s}",
            who, who, tostring(out))
end

--- What PyTorch's PReLU(64) and GRUCell(10, 20) name would here be a slope, a flag.
local function check_sizes(who, info, given)
  local first <const>, second <const> = info.options[1], info.options[2]
  if second and second.type == "flag" and first.required
     and type(given[2]) == "number" then
    refuse_input_size(who, given[2])
  end
  local none <const> = info.op or not first or first.type == "list"
  for i, value in ipairs(none and {} or given) do
    local option <const> = info.options[i]
    if option.type == "number" and math.type(value) == "integer" and value > 0 then
      core.fail("%s takes no input size, it is inferred; by its position %d is %s: "
                .. "leave it out, or write %s = %d", who, value, option.name, option.name,
                value)
    end
  end
end

local function read_options(type_name, given)
  local who <const>, info <const> = "nn." .. type_name, types[type_name]
  local second <const> = info.options[2]
  local flag <const> = second and second.type == "flag"
  if info.weighted and flag and type(given[2]) == "number" then
    refuse_input_size(who, given[2])
  end
  local named <const> = named_options(who, given, known_options(info))
  name_positions(who, info, given, named)
  check_sizes(who, info, given)
  return named
end

local function take(named, key)
  local value <const> = named[key]
  named[key] = nil
  return value
end

local to_part                          -- below: anything that may stand in a list

--- "batch" is BatchNorm: norms are the layers whose names end so.
local function norm_part(who, norm, where)
  local text <const> = type(norm) == "table" and not net.is_part(norm) and norm[1] or norm
  if type(text) ~= "string" then return to_part(norm, where, who) end
  local words <const> = {}
  for _, name in ipairs(type_names) do
    local word = name:match "^(%a+)Norm%w*$"
    word = word and types[name].inputs == "x" and word
    if word and word:lower() == text then
      local options <const> = type(norm) == "table" and table.move(norm, 2, #norm, 1, {})
                              or {}
      for key, value in pairs(type(norm) == "table" and norm or {}) do
        if type(key) == "string" then options[key] = value end
      end
      return nn[name](options)
    end
    if word then words[#words + 1] = word:lower() end
  end
  core.fail("%s: there is no norm '%s'; there is '%s'", who, text,
            table.concat(words, "', '"))
end

local function run_layer(part, ...) return part[inner].layer:run(...) end

--- Runs a part by its steps, if they are known.
local function run_steps(steps, x, ...)
  x = net.run_step(steps[1], x, ...)
  for i = 2, #steps do x = net.run_step(steps[i], x) end
  return x
end

local function run_dressed(part, ...)
  local own <const>, steps <const> = part[inner], net.steps(part)
  if steps then return run_steps(steps, ...) end
  local y = own.layer:run(...)
  for _, child in ipairs(own.parts) do y = child(y) end
  return y
end

--- One layer in C, with the norm and the act that follow it.
local function make_layer(type_name, given, where, kind)
  local who <const>, info <const> = "nn." .. type_name, types[type_name]
  local named <const> = read_options(type_name, given)
  local name <const> = net.check_name(who, take(named, "name"))
  local act <const>, norm <const> = take(named, "act"), take(named, "norm")
  local after <const> = norm and norm_part(who, norm, where)
  if info.weighted and norm and named.bias == nil then
    named.bias = after[inner].kind == "PixelNorm"      -- the others take a mean off
  end
  local part <const> = net.new(kind or type_name, where,
                               (act or norm) and run_dressed or run_layer)
  part[inner].name, part[inner].layer = name, core.layer(type_name, named)
  if norm then net.add(part, "norm", after) end
  if act then net.add(part, "act", to_part(act, where, who)) end
  return part
end

for _, type_name in ipairs(type_names) do
  nn[type_name] = function(given, second, ...)
    if type(given) ~= "table" or net.is_part(given) then
      if second ~= nil and types[type_name].weighted then
        refuse_input_size("nn." .. type_name, second)
      end
      given = { given, second, ... }
    elseif second ~= nil then
      core.fail("nn.%s takes one table of options", type_name)
    end
    return make_layer(type_name, given, core.where())
  end
end

-- Operators by name: any of one tensor. Where a layer is made of the operator alone, it
-- is that layer, so that "dropout" knows the mode.

local layer_of_op <const> = {}
for _, name in ipairs(type_names) do
  layer_of_op[op_of_layer[name]] = name
end

--- How many tensors each operator needs.
local function count_inputs()
  local needed <const> = {}
  for _, op in ipairs(core.ops()) do
    local n = 0
    for item in op.args:gmatch "[^,]+" do
      if item:find(":", 1, true) then break end
      if item:find("...", 1, true) then n = n + 2 end
      if not item:find("?", 1, true) then n = n + 1 end
    end
    needed[op.name] = n
  end
  return needed
end

local needed

local function check_op(who, name)
  needed = needed or count_inputs()
  if not needed[name] then
    core.fail("%s: there is no operator '%s'%s", who, name,
              net.hint(name, sorted_names(needed)))
  end
  if needed[name] ~= 1 then
    core.fail("%s: the operator '%s' takes %s tensors, and a layer has one; write a "
              .. "function", who, name, needed[name] == 0 and "no" or "several")
  end
end

--- `given`: {"leaky_relu", 0.2} or {"softmax", dim = 2}
local function op_part(given, where, who)
  local name <const> = given[1]
  check_op(who, name)
  local options <const>, rest <const> = {}, table.move(given, 2, #given, 1, {})
  for key, value in pairs(given) do
    if type(key) == "string" then options[key] = value end
  end
  if layer_of_op[name] then
    for i, value in ipairs(rest) do options[i] = value end
    return make_layer(layer_of_op[name], options, where, name)
  end
  local f <const>, n <const> = lg[name], #rest + (next(options) and 1 or 0)
  if next(options) then rest[n] = options end
  return net.new(name, where, function(_, x) return f(x, table.unpack(rest, 1, n)) end)
end

--- nn.Tanh where nn.Tanh{} was meant.
local function refuse_layer_type(f, who)
  for _, name in ipairs(type_names) do
    if nn[name] == f then
      core.fail("%s: nn.%s makes layers and is none; write nn.%s{}", who, name, name)
    end
  end
end

local function function_part(f, where, who)
  refuse_layer_type(f, who)
  local debug <const> = rawget(_G, "debug")
  local info <const> = debug and debug.getinfo(f, "S")
  if info and info.what ~= "C" then
    where = ("%s:%d"):format(info.short_src, info.linedefined)
  end
  return net.new("function", where, function(_, ...) return f(...) end)
end

-- Chains

--- Is it an operator with arguments, {"leaky_relu", 0.2}, and not a list of layers?
local function is_op(list)
  if type(list[1]) ~= "string" then return false end
  for i = 2, #list do
    local kind <const> = type(list[i])
    local numbers <const> = kind == "table" and not net.is_part(list[i])
                            and type(list[i][1]) == "number"
    if kind ~= "number" and kind ~= "boolean" and not numbers then return false end
  end
  for key in pairs(list) do
    if type(key) == "string" then return true end
  end
  return #list > 1
end

local function run_chain(part, x, ...)
  local parts <const>, steps <const> = part[inner].parts, net.steps(part)
  if steps then return run_steps(steps, x, ...) end
  if #parts > 0 then x = parts[1](x, ...) end
  for i = 2, #parts do x = parts[i](x) end
  return x
end

--- Positions count holes, so that a layer that is switched off renames no other.
local function fill_chain(part, list, where, who)
  local last = 0
  for key in pairs(list) do
    if math.type(key) == "integer" then last = math.max(last, key) end
  end
  for i = 1, last do
    local child <const> = list[i] and to_part(list[i], where, who .. ", part " .. i)
    if child then net.add(part, i, child) else part[inner].fields[i] = false end
  end
  return part
end

net.chains = { [run_layer] = true, [run_dressed] = true, [run_chain] = true }

function to_part(v, where, who)
  if net.is_part(v) then return v end
  if type(v) == "string" then return op_part({ v }, where, who) end
  if type(v) == "function" then return function_part(v, where, who) end
  if type(v) ~= "table" then
    core.fail("%s: a layer, the name of an operator, a function or a list is expected, "
              .. "not a %s", who, type(v))
  end
  if is_op(v) then return op_part(v, where, who) end
  for key in pairs(v) do
    if type(key) == "string" then
      core.fail("%s: a list of layers has no option '%s'; nn.Sequential has", who, key)
    end
  end
  return fill_chain(net.new("list", where, run_chain), v, where, who)
end

local function open_net(kind, given, run)
  if type(given) ~= "table" or net.is_part(given) then
    core.fail("nn.%s takes a table of layers, as in nn.%s{ nn.Linear{1} }", kind, kind)
  end
  local part <const> = net.new(kind, core.where(), run)
  part[inner].name = net.check_name("nn." .. kind, given.name)
  return part
end

local function close_net(part, given)
  if given.input ~= nil then net.build(part, given.input) end
  return part
end

local function make_chain(kind, given, run)
  local part <const> = open_net(kind, given, run)
  named_options("nn." .. kind, given, { "name", "input" })
  fill_chain(part, given, part[inner].where, "nn." .. kind)
  return close_net(part, given)
end

--- A chain: each part gets the result of the one before it.
function nn.Sequential(given) return make_chain("Sequential", given, run_chain) end

--- "{3,8,8}": the shape of a sample.
local function sample_shape(t) return "{" .. table.concat(t.shape, ",", 2) .. "}" end

--- A sum would repeat what is of size 1, and so hide a chain of the wrong shape.
local function check_kept(x, y)
  if not (core.is_tensor(x) and core.is_tensor(y)) then return end
  if table.concat(x.shape, ",") == table.concat(y.shape, ",") then return end
  core.fail("nn.Residual: its layers must keep the shape, and make %s of a sample of %s; "
            .. "a shortcut of another shape is an nn.Module", sample_shape(y),
            sample_shape(x))
end

--- x plus what a chain makes of it (He et al. 2016). Its shape must be that of x. Other
-- inputs go to the first layer.
function nn.Residual(given)
  return make_chain("Residual", given, function(part, x, ...)
    local y <const> = run_chain(part, x, ...)
    check_kept(x, y)
    return x + y
  end)
end

-- Graphs

--- Positions in order, then names in order.
local function module_keys(given)
  local keys <const>, names <const> = {}, {}
  for key in pairs(given) do
    local list <const> = math.type(key) == "integer" and keys or names
    if key ~= "name" and key ~= "input" then list[#list + 1] = key end
  end
  table.sort(keys)
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return table.move(names, 1, #names, #keys + 1, keys)
end

local deepest <const> = 8              -- lists in lists; a script's table may have itself

--- Is it a list of layers, or of such lists, and not one of the script's own tables?
local function has_parts(key, value, depth)
  if type(value) ~= "table" or getmetatable(value) then return false end
  if depth > deepest then return false end
  local listed, named = false, false
  for name, item in pairs(value) do
    local found <const> = net.is_part(item) or has_parts(key, item, depth + 1)
    listed = listed or found and math.type(name) == "integer"
    named = named or found and math.type(name) ~= "integer"
  end
  if named then
    core.fail("nn.Module: '%s' is a table of layers by name; a field is a layer, a net "
              .. "or a list of them: make it an nn.Module, or its layers fields", key)
  end
  return listed
end

--- What gradients flow to is a parameter; any other tensor is a buffer.
local function add_tensor_field(part, key, tensor)
  local tracking <const> = core.tracking(tensor)
  if tracking == "result" then
    core.fail("nn.Module: '%s' is the result of a tracked computation; a parameter is a "
              .. "leaf: %s = x:detach():track()", key, key)
  end
  net.add_tensor(part, key, tensor, tracking == nil)
end

local function add_field(part, key, value)
  net.check_free("nn.Module", key)
  local position <const> = math.type(key) == "integer"
  if has_parts(key, value, 1) or position then
    value = to_part(value, part[inner].where, "nn.Module, " .. tostring(key))
  end
  local is_tensor <const> = core.is_tensor(value)
  if not is_tensor and not net.is_part(value) then return rawset(part, key, value) end
  if not position then net.check_name("nn.Module", key) end
  if is_tensor then add_tensor_field(part, key, value) else net.add(part, key, value) end
end

local function given_back(...)
  if select("#", ...) == 0 then
    core.fail "its forward gives nothing; is a `return` missing?"
  end
  return ...
end

--- Fields that are layers or nets become parts, lists of them chains. A tensor becomes a
-- parameter if it is tracked, w = lg.randn(4, 4):track(), and else a buffer, which is
-- saved, loaded and cloned, too, and no optimizer touches. The rest is the script's own.
-- `forward` says what is computed: forward(m, ...).
function nn.Module(given)
  local part <const> = open_net("Module", given, function(m, ...)
    return given_back(m.forward(m, ...))
  end)
  if type(given.forward) ~= "function" then
    core.fail("nn.Module needs forward = function(m, x) ... end")
  end
  for _, key in ipairs(module_keys(given)) do add_field(part, key, given[key]) end
  return close_net(part, given)
end

--- A list of f(1), f(2), ... f(n).
function nn.Repeat(n, f)
  if math.type(n) ~= "integer" or n < 0 or type(f) ~= "function" then
    core.fail "nn.Repeat takes a whole number and a function that makes the i-th layer"
  end
  local list <const> = {}
  for i = 1, n do list[i] = f(i) or false end
  return list
end

--- Every layer's descriptor as data, by name: options, args, doc, samples.
---@return table
function nn.layers() return core.layers() end

return setmetatable(nn, { __index = function(_, name)
  name = tostring(name)
  core.fail("there is no nn.%s%s", name, net.hint(name, sorted_names(nn)))
end })

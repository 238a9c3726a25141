--- net.lua - parts of nets: how they are made, named, called and built.
--
-- A part is a layer, an operator, a Lua function, or a net of parts; all are called the
-- same way and have the same methods. What a part is made of lies under the key `inner`:
--
--     kind    what it is called in messages: "Linear", "flatten", "Sequential"
--     where   the script's line that made it
--     run     run(part, x, ...) computes
--     keys, parts   its parts and their names, in order
--     fields  what net[key] gives: parts, tensors, false for a hole in a chain
--     tensors its own, { name =, tensor =, buffer = }: a layer's once it has shapes
--     layer   the layer in C, if it is one
--     training   its mode
--     name    the one it was given; path, the one that it has: "G.2"
--     shape, numbers, flops   of its first result: its shape as text, how many numbers it
--             has and how much arithmetic it took, for one sample
--     taps    functions that see its results
--     steps   how its layers are called at once, found at steps_at: net_chain.lua
--
-- Other files add methods: net_parts, net_state, net_clone, net_print.

local core <const> = ...
local lg <const> = core.lg

local nearest <const>, foreign <const> = core.load "nearest", core.load "foreign"
local net <const> = {}
local inner <const> = {}
local Part <const> = { __name = "lugano.net" }
local methods <const> = {}
net.inner, net.methods = inner, methods
net.changes = 0                        -- of nets, that steps depend on
net.chains = {}                        -- which run is that of a chain: nn.lua

local roots = 0                        -- unnamed nets so far: net1, net2, ...
local dry = false                      -- is this the run that only finds shapes?
local trying = false                   -- is a first call at work?

local function layer_tensor(own, key)
  for _, p in ipairs(own.layer and own.layer:built() and own.layer:parameters() or {}) do
    if p.name == key then return p.tensor end
  end
end

--- Parts and tensors lie aside, so that assigning to their names reaches __newindex. A
-- name that nothing has gives nil, unless it is one that other programs' nets have.
function Part.__index(part, key)
  local own <const> = part[inner]
  if key == "training" then return own.training end
  local found = methods[key]
  if found == nil then found = own.fields[key] end
  if found == nil then found = layer_tensor(own, key) end
  local why <const> = found == nil and foreign.advice(key)
  local ours <const> = found == nil and not why and foreign.ours(key, net.method_names())
  if why then core.fail("a net has no '%s': %s", key, why) end
  if ours then core.fail("a net has no '%s'; it is called '%s' here", key, ours) end
  return found
end

--- The names of all methods, sorted.
function net.method_names()
  return core.load "keys"(methods)
end

function Part:__len() return #self[inner].fields end

function net.is_part(v) return type(v) == "table" and getmetatable(v) == Part end

--- " (did you mean 'stride'?)", or "".
function net.hint(word, words)
  local _, phrase <const> = nearest(word, words)
  return phrase
end

function Part:__tostring() return net.describe(self) end      -- net_print.lua

-- Names that a run asks every object for, and the mode.
local taken <const> = { training = true, numbers = true, reserve = true }

--- Refuses what means something in every net.
function net.check_free(who, key)
  if methods[key] or taken[key] then
    core.fail("%s: '%s' is a method of every net; give it another name", who, key)
  end
end

--- Refuses what cannot stand in a path.
function net.check_name(who, name)
  if name ~= nil and (type(name) ~= "string" or not name:find "^[%a_][%w_-]*$") then
    core.fail("%s: name must be a word of letters, digits, - and _, not '%s'", who,
              tostring(name))
  end
  return name
end

--- Makes a part: a table whose other fields are the script's.
function net.new(kind, where, run)
  return setmetatable({
    [inner] = { kind = kind, where = where, run = run, keys = {}, parts = {},
                fields = {}, training = true } }, Part)
end

local function check_unused(own, key)
  local used = false
  for _, known in ipairs(own.keys) do used = used or known == key end
  for _, t in ipairs(own.tensors or {}) do used = used or t.name == key end
  if used then core.fail("nn.%s: two of its parts are named '%s'", own.kind, key) end
end

--- Adds a child under a key, a number or a name. A name of its own comes first.
function net.add(part, key, child)
  local own <const>, name <const> = part[inner], child[inner].name
  local path <const> = tostring(name or key)
  check_unused(own, path)
  own.keys[#own.keys + 1], own.parts[#own.parts + 1] = path, child
  own.fields[key] = child
  if name then own.fields[name] = child end
end

--- Adds a tensor under a name: a parameter, or a buffer, which no optimizer touches.
function net.add_tensor(part, name, tensor, buffer)
  local own <const> = part[inner]
  check_unused(own, name)
  own.tensors = own.tensors or {}
  own.tensors[#own.tensors + 1] = { name = name, tensor = tensor, buffer = buffer }
  own.fields[name] = tensor
end

-- Names. A path keys the random streams of what is below, so it is given once, when the
-- net gets its shapes: by then a part is where it belongs.

function net.name_paths(part, path)
  local own <const> = part[inner]
  if own.path then return end
  own.path = path
  if own.layer then own.layer:path(path) end
  for i, child in ipairs(own.parts) do
    net.name_paths(child, path .. "." .. own.keys[i])
  end
end

local function name_root(part)
  local name = part[inner].name
  if not name and not part[inner].path then
    roots = roots + 1
    name = "net" .. roots
  end
  net.name_paths(part, name)
end

-- Errors

--- What was wrong, and in which part: the innermost one says it.
local function failure(part, x, why)
  local own <const> = part[inner]
  if type(why) ~= "string" or why:find("\n  in      ", 1, true)
     or why:find ": interrupted$" then
    return why
  end
  if dry and core.is_tensor(x) then
    local shape <const> = "{" .. table.concat(x.shape, ",") .. "}"
    why = why:gsub(shape:gsub("%p", "%%%0"), (shape:gsub("^{%d+", "{N")))
  end
  return ("%s\n  in      %s  (%s, defined at %s)\n  called  %s"):format(
         why, own.path, own.kind, own.where, core.where())
end

function net.fail_in(part, x, why) error(failure(part, x, why), 0) end

-- First calls. They give names and shapes, and one that fails gives none: layers that it
-- reached become new ones.

local function remember(part)
  local list <const> = { roots = roots }
  net.each(part, function(p)
    local own <const> = p[inner]
    if own.shape then return end
    local fresh <const> = own.layer and not own.layer:built() and own.layer:clone(true)
    list[#list + 1] = { own = own, path = own.path, layer = fresh }
  end)
  return list
end

local function forget(list)
  roots, net.changes = list.roots, net.changes + 1
  for _, was in ipairs(list) do
    local own <const> = was.own
    own.path = was.path
    own.shape, own.numbers, own.flops, own.state = nil, nil, nil, nil
    if was.layer and own.layer:built() then own.layer, own.tensors = was.layer, nil end
  end
end

-- Calls

--- "{N,64,7,7}": the shape of a result, where N stands for the size of the batch.
local function shape_text(x, y)
  if not core.is_tensor(y) then return type(y) end
  local shape <const> = y.shape
  if core.is_tensor(x) and shape[1] and shape[1] == x.shape[1] then shape[1] = "N" end
  return "{" .. table.concat(shape, ",") .. "}"
end

--- What summary tells of a part: noted at its first call.
local function measure(own, began, x, y)
  local samples <const> = core.is_tensor(x) and math.max(1, x.shape[1] or 1) or 1
  own.shape = shape_text(x, y)
  own.numbers = core.is_tensor(y) and y:numel() / samples or 0
  own.flops = (core.flops() - began) / samples
end

local function finish(part, began, first, x, ok, ...)
  if first then trying = false end
  if not ok then
    local why <const> = failure(part, x, (...))
    if first then forget(first) end
    error(why, 0)
  end
  local own <const> = part[inner]
  if not own.shape then measure(own, began, x, (...)) end
  if own.taps and not dry then
    for _, see in ipairs(own.taps) do see((...), x) end
  end
  return ...
end

local function run(part, ...)
  local own <const> = part[inner]
  if not own.path then name_root(part) end
  return own.run(part, ...)
end

--- The only step of a chain that is nothing but layers, if nobody looks.
local function only_step(part, own)
  if not net.chains[own.run] or own.taps or dry then return end
  local steps <const> = net.steps(part)
  return steps and not steps[2] and steps[1].call and steps[1]
end

function Part:__call(x, ...)
  local own <const> = self[inner]
  local step <const> = only_step(self, own)
  if step then return net.run_step(step, x, ...) end
  local unknown <const> = not own.shape
  local began <const> = unknown and core.flops()
  local first <const> = unknown and not trying and remember(self)
  if first then trying = true end
  return finish(self, began, first, x, pcall(run, self, x, ...))
end

function Part:__newindex(key, value)
  local own <const> = self[inner]
  if net.is_part(value) then
    core.fail("nn.%s: '%s' comes too late: a net's parts are given when it is made",
              own.kind, tostring(key))
  end
  if core.is_tensor(own.fields[key]) then
    core.fail("nn.%s: '%s' is a tensor of this net's state, and stays; m.%s:copy(t) "
              .. "overwrites its numbers", own.kind, key, key)
  end
  if own.fields[key] ~= nil then
    core.fail("nn.%s: '%s' is a part of this net, and stays; make another net", own.kind,
              tostring(key))
  end
  if key == "training" then
    core.fail("nn.%s: 'training' can be read; :train() and :eval() set the mode",
              own.kind)
  end
  net.check_free("nn." .. own.kind, key)
  rawset(self, key, value)
end

-- Modes

--- Calls f with the part and all that are in it: one that is there twice, twice.
function net.each(part, f)
  f(part)
  for _, child in ipairs(part[inner].parts) do net.each(child, f) end
end

--- Of this part alone.
function net.set_mode(part, training)
  part[inner].training = training
  if part[inner].layer then part[inner].layer:train(training) end
end

--- Training mode, or eval mode for train(false): dropout and batch norm differ.
function methods:train(flag)
  local training <const> = flag ~= false
  net.each(self, function(part) net.set_mode(part, training) end)
  return self
end

--- Eval mode: dropout does nothing, batch norm uses its running statistics.
function methods:eval() return self:train(false) end

-- Building: one run on zeros, which changes nothing but that shapes are known.

local index <const> = "index"          -- stands for whole numbers that count from 1

--- Are these several inputs, and not the sizes of one?
local function is_several(input)
  local words, tables = 0, 0
  for _, item in ipairs(input) do
    if type(item) == "string" then words = words + 1 end
    if type(item) == "table" then tables = tables + 1 end
  end
  return tables > 0 or words > 1
end

local function check_sizes(part, input)
  local sized <const> = type(input) == "table"
  local first <const> = sized and input[1] == index and 2 or 1
  local ok = input == index or sized and (#input > 0)
  for i = first, sized and #input or 0 do
    ok = ok and math.type(input[i]) == "integer" and input[i] > 0
  end
  if not ok then
    core.fail("nn.%s: input must be the sizes of one sample, without the batch, as in "
              .. "input = {1, 28, 28}, or \"index\" for a label; of several inputs, a "
              .. "list: input = { {100}, \"index\" }", part[inner].kind)
  end
end

--- A batch of two: zeros, and of labels ones.
local function example(input)
  if input == index then return lg.ones(2) end
  if input[1] == index then return lg.ones(2, table.unpack(input, 2)) end
  return lg.zeros(2, table.unpack(input))
end

local function examples(part, input)
  local several <const> = type(input) == "table" and is_several(input)
  local all <const> = several and input or { input }
  for _, one in ipairs(all) do check_sizes(part, one) end
  local made <const> = {}
  for i, one in ipairs(all) do made[i] = example(one) end
  return made
end

--- Gives a net its shapes. input: the sizes of one sample, without the batch; "index"
-- for a label, {"index", 10} for ten; or a list of such, one for each input.
function net.build(part, input)
  local given <const>, modes <const> = examples(part, input), {}
  net.each(part, function(p)
    modes[p] = p.training
    net.set_mode(p, false)
  end)
  local seed <const>, drawn <const> = core.random_state()
  local outer <const> = dry
  dry = true
  local ok <const>, why <const> = pcall(lg.no_grad, function()
    part(table.unpack(given))
  end)
  dry = outer
  core.random_state(seed, drawn)
  net.each(part, function(p) net.set_mode(p, modes[p]) end)
  if not ok then error(why, 0) end
end

return net

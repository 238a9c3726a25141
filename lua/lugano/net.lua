--- net.lua - parts of nets: how they are called, named, built, and what their state is.
--
-- A part is a layer, an operator, a Lua function, or a net of parts; all are called the
-- same way and have the same methods. What a part is made of lies under the key `inner`:
--
--     kind    what it is called in messages: "Linear", "flatten", "Sequential"
--     where   the script's line that made it
--     run     run(part, x, ...) computes
--     keys, parts   its parts and their names, in order
--     layer   the layer in C, if it is one
--     name    the one it was given; path, the one that it has: "G.2"

local core <const> = ...
local lg <const> = core.lg

local nearest <const> = core.load "nearest"
local net <const> = {}
local inner <const> = {}
local Part <const> = { __name = "lugano.net" }
local methods <const> = {}
Part.__index = methods
net.inner, net.methods = inner, methods

local roots = 0                        -- unnamed nets so far: net1, net2, ...
local dry = false                      -- is this the run that only finds shapes?

function net.is_part(v) return type(v) == "table" and getmetatable(v) == Part end

--- " (did you mean 'stride'?)", or "".
function net.hint(word, words)
  local _, phrase <const> = nearest(word, words)
  return phrase
end

--- Makes a part of a table whose other fields are the script's.
function net.new(kind, where, run, fields)
  local part <const> = fields or {}
  part[inner] = { kind = kind, where = where, run = run, keys = {}, parts = {} }
  part.training = true
  return setmetatable(part, Part)
end

--- Adds a child under a key, a number or a name. A name of its own comes first.
function net.add(part, key, child)
  local own <const> = part[inner]
  key = tostring(child[inner].name or key)
  for _, known in ipairs(own.keys) do
    if known == key then
      core.fail("nn.%s: two of its parts are named '%s'", own.kind, key)
    end
  end
  own.keys[#own.keys + 1], own.parts[#own.parts + 1] = key, child
end

-- Names. A path keys the random streams of what is below, so it is given once, when the
-- net gets its shapes: by then a part is where it belongs.

local function name_paths(part, path)
  local own <const> = part[inner]
  if own.path then return end
  own.path = path
  if own.layer then own.layer:path(path) end
  for i, child in ipairs(own.parts) do name_paths(child, path .. "." .. own.keys[i]) end
end

local function name_root(part)
  local name = part[inner].name
  if not name and not part[inner].path then
    roots = roots + 1
    name = "net" .. roots
  end
  name_paths(part, name)
end

-- Errors

--- What was wrong, and in which part: the innermost one says it.
local function fail_in(part, x, why)
  local own <const> = part[inner]
  if type(why) ~= "string" or why:find("\n  in      ", 1, true)
     or why:find ": interrupted$" then
    error(why, 0)
  end
  if dry and core.is_tensor(x) then
    local shape <const> = "{" .. table.concat(x.shape, ",") .. "}"
    why = why:gsub(shape:gsub("%p", "%%%0"), (shape:gsub("^{%d+", "{N")))
  end
  error(("%s\n  in      %s  (%s, defined at %s)\n  called  %s"):format(
        why, own.path, own.kind, own.where, core.where()), 0)
end

-- Calls

--- "{N,64,7,7}": the shape of a result, where N stands for the size of the batch.
local function shape_text(x, y)
  if not core.is_tensor(y) then return type(y) end
  local shape <const> = y.shape
  if core.is_tensor(x) and shape[1] and shape[1] == x.shape[1] then shape[1] = "N" end
  return "{" .. table.concat(shape, ",") .. "}"
end

local function finish(part, x, ok, ...)
  if not ok then fail_in(part, x, (...)) end
  local own <const> = part[inner]
  if not own.shape then own.shape = shape_text(x, (...)) end
  return ...
end

function Part:__call(x, ...)
  local own <const> = self[inner]
  if not own.path then name_root(self) end
  return finish(self, x, pcall(own.run, self, x, ...))
end

function Part:__newindex(key, value)
  if net.is_part(value) then
    core.fail("nn.%s: '%s' comes too late: a net's parts are given when it is made",
              self[inner].kind, tostring(key))
  end
  rawset(self, key, value)
end

-- Modes

local function each(part, f)
  f(part)
  for _, child in ipairs(part[inner].parts) do each(child, f) end
end

local function set_mode(part, training)
  rawset(part, "training", training)
  if part[inner].layer then part[inner].layer:train(training) end
end

--- Training mode, or eval mode for train(false): dropout and batch norm differ.
function methods:train(flag)
  local training <const> = flag ~= false
  each(self, function(part) set_mode(part, training) end)
  return self
end

function methods:eval() return self:train(false) end

-- Building: one run on zeros, which changes nothing but that shapes are known.

local function zeros_of(input)
  if type(input[1]) ~= "table" then return lg.zeros(2, table.unpack(input)) end
  local all <const> = {}
  for i, shape in ipairs(input) do all[i] = lg.zeros(2, table.unpack(shape)) end
  return table.unpack(all)
end

local function check_sizes(part, input)
  if type(input) == "table" and type(input[1]) == "table" then
    for _, shape in ipairs(input) do check_sizes(part, shape) end
    return
  end
  local ok = type(input) == "table" and #input > 0
  for _, size in ipairs(ok and input or {}) do
    ok = ok and math.type(size) == "integer" and size > 0
  end
  if not ok then
    core.fail("nn.%s: input must be the sizes of one sample, without the batch, as in "
              .. "input = {1, 28, 28}", part[inner].kind)
  end
end

function net.build(part, input)
  check_sizes(part, input)
  local modes <const> = {}
  each(part, function(p)
    modes[p] = p.training
    set_mode(p, false)
  end)
  local seed <const>, drawn <const> = core.random_state()
  local outer <const> = dry
  dry = true
  local ok <const>, why <const> = pcall(lg.no_grad, function() part(zeros_of(input)) end)
  dry = outer
  core.random_state(seed, drawn)
  each(part, function(p) set_mode(p, modes[p]) end)
  if not ok then error(why, 0) end
end

-- State

local function before(a, b)
  local m <const>, n <const> = tonumber(a.key), tonumber(b.key)
  if m and n then return m < n end
  if m or n then return m ~= nil end
  return a.key < b.key
end

--- Parameters of its own and parts, by key: positions first, then names.
local function sorted_entries(part)
  local own <const>, entries <const> = part[inner], {}
  if own.layer and not own.params then
    if not own.layer:built() then
      core.fail("%s (%s, defined at %s) has no shapes yet; declare `input = {...}` in "
                .. "the net around it, or call it once", own.path or own.name
                or "a layer", own.kind, own.where)
    end
    own.params = own.layer:parameters()
  end
  for _, p in ipairs(own.params or {}) do
    entries[#entries + 1] = { key = p.name, param = p }
  end
  for i, child in ipairs(own.parts) do
    entries[#entries + 1] = { key = own.keys[i], child = child }
  end
  table.sort(entries, before)
  return entries
end

local function collect(part, prefix, seen, list)
  if seen[part] then return list end
  seen[part] = true
  for _, entry in ipairs(sorted_entries(part)) do
    if entry.child then
      collect(entry.child, prefix .. entry.key .. ".", seen, list)
    else
      list[#list + 1] = { name = prefix .. entry.key, tensor = entry.param.tensor,
                          buffer = entry.param.buffer }
    end
  end
  return list
end

--- All parameters and buffers: a sorted list of { name = "2.weight", tensor =, buffer = }
function methods:state()
  local own <const> = self[inner]
  own.state = own.state or collect(self, "", {}, {})
  return table.move(own.state, 1, #own.state, 1, {})
end

--- The tensors that an optimizer changes, in the order of state().
function methods:parameters()
  local list <const> = {}
  for _, p in ipairs(self:state()) do
    if not p.buffer then list[#list + 1] = p.tensor end
  end
  return list
end

--- The tensors of a net, of a list of { name =, tensor = }, or of an open file.
local function tensors_by_name(source)
  local by_name <const> = {}
  if type(source) == "userdata" then
    for _, name in ipairs(source:names()) do by_name[name] = source:read(name) end
  else
    for _, t in ipairs(net.is_part(source) and source:state() or source) do
      by_name[t.name] = t.tensor
    end
  end
  return by_name
end

local function same_shape(a, b)
  return table.concat(a.shape, ",") == table.concat(b.shape, ",")
end

--- Copies the numbers of another net, of a list as state() gives it, or of an open file.
-- All names and shapes are checked before anything is changed.
function methods:load_state(source)
  local from <const>, state <const> = tensors_by_name(source), self:state()
  local left = 0
  for _ in pairs(from) do left = left + 1 end
  for _, t in ipairs(state) do
    local given <const> = from[t.name]
    if not given then core.fail("load_state: there is no '%s'", t.name) end
    if not same_shape(given, t.tensor) then
      core.fail("load_state: '%s' is {%s} there and {%s} here", t.name,
                table.concat(given.shape, ","), table.concat(t.tensor.shape, ","))
    end
    left = left - 1
  end
  if left > 0 then
    core.fail("load_state: %d of the tensors there have no place in this net", left)
  end
  for _, t in ipairs(state) do t.tensor:copy(from[t.name]) end
  return self
end

-- print(G)

local function thousands(n)
  local text = ("%d"):format(n)
  local count
  repeat text, count = text:gsub("^(%d+)(%d%d%d)", "%1,%2") until count == 0
  return text
end

local function count_numbers(part)
  local n = 0
  if part[inner].layer then
    for _, p in ipairs(part[inner].layer:parameters()) do
      if not p.buffer then n = n + p.tensor:numel() end
    end
  end
  return n
end

--- A row for each part that computes by itself; norm and act stand with their layer.
local function add_rows(part, path, rows)
  local own <const> = part[inner]
  local kind, n = own.kind, count_numbers(part)
  if #own.parts > 0 and not own.layer then
    for i, child in ipairs(own.parts) do
      add_rows(child, path .. (path == "" and "" or ".") .. own.keys[i], rows)
    end
    return rows
  end
  for _, child in ipairs(own.parts) do
    kind = kind .. ", " .. child[inner].kind
    n = n + count_numbers(child)
  end
  rows[#rows + 1] = { path, kind, own.shape or "?", thousands(n) }
  rows.total = (rows.total or 0) + n
  return rows
end

function Part:__tostring()
  local own <const>, width <const> = self[inner], { 0, 0, 0, 0 }
  local rows <const> = add_rows(self, "", {})
  table.insert(rows, 1, { "path", "layer", "output", "parameters" })
  for _, row in ipairs(rows) do
    for i = 1, 4 do width[i] = math.max(width[i], #row[i]) end
  end
  local lines <const> = { ("%s (%s)"):format(own.path or own.name or "a net", own.kind) }
  local form <const> = ("%%-%ds  %%-%ds  %%-%ds  %%%ds"):format(table.unpack(width))
  for _, row in ipairs(rows) do lines[#lines + 1] = form:format(table.unpack(row)) end
  lines[#lines + 1] = ("%s parameters in all"):format(thousands(rows.total or 0))
  if not own.shape then
    lines[#lines + 1] = "no shapes yet: declare `input = {...}`, or call it once"
  end
  return table.concat(lines, "\n")
end

return net

--- stubs.lua - `lugano --stubs`: what an editor's language server (LuaLS) reads.
--
-- Operators, new tensors, layers and optimizers come from their descriptors; functions
-- written in Lua from the comments above them; those written in C, which are few, from
-- the list below.

local core <const> = ...
local sorted_keys <const> = core.load "keys"

local tensor <const>, input <const> = "lugano.Tensor", "lugano.Tensor|number"

-- Functions and methods that C defines: parameters, result, text.
local functions <const> = {
  no_grad = { "f: function, ...: any", "any ...",
              "Calls f(...) without recording a history, and returns what it returns." },
  seed = { "n: integer", nil, "Begins the random numbers anew." },
  anomaly = { "on: boolean", nil, "Makes the first NaN or Inf, forward or backward, an "
              .. "error that names who made it." },
  exact = { "on: boolean", nil, "Makes convolutions do all multiplications that their "
            .. "definition names. Else they do fewer where that saves time (Winograd's "
            .. "forms), with errors of up to some 2e-5 of the largest result instead of "
            .. "1e-6." },
  bytes = { "", "integer, integer", "The bytes in use now, and the most there were." },
  memory_limit = { "bytes?: integer", "integer", "Reads or sets the most bytes that "
                   .. "there may be; 0: any." },
  operators = { "", "table[]", "Every operator's descriptor: name, args, results, doc, "
                .. "samples." },
}
local methods <const> = {
  size = { "dim?: integer", "integer ...", "All sizes, or that of one axis." },
  numel = { "", "integer", "How many numbers there are." },
  item = { "", "number", "The number of a tensor that has one." },
  at = { "...: integer", "number", "One number: as many indices as axes, from 1, or "
         .. "negative from the end." },
  totable = { "", "any", "The numbers, as nested tables." },
  slice = { "dim: integer, first: integer, last?: integer", tensor, "From first to last "
            .. "along an axis; both count." },
  track = { "", tensor, "A new leaf that shares the numbers: gradients flow to it." },
  detach = { "", tensor, "The same numbers without history." },
  copy = { "source: " .. tensor, tensor, "Overwrites all numbers." },
  close = { "", nil, "Lets the numbers go at once; as does `local t <close>`." },
}

-- What else editors should know of a class.
local fields <const> = {
  Net = { "overload fun(...): lugano.Tensor" },
  Optimizer = { "field lr number of the next update; setting it sets that of all groups",
                "field groups table[] their options",
                "field grad_norm number|nil of all gradients of the latest update" },
}

-- What a parameter of this name is, where the comment doesn't say.
local usual <const> = { x = tensor, y = tensor, n = "integer", path = "string",
                        f = "function", name = "string", options = "table" }

local out = {}

local function put(...) out[#out + 1] = table.concat { ... } end

--- Text in comment lines of at most 90 columns.
local function put_doc(text)
  local line = "---"
  for word in (text or ""):gmatch "%S+" do
    if #line + 1 + #word > 90 then
      put(line)
      line = "---"
    end
    line = line .. (line == "---" and "" or " ") .. word
  end
  if line ~= "---" then put(line) end
end

--- A line for each: "integer, integer what they are".
local function put_returns(text)
  local first <const>, second <const> = text:match "^([%w_.|]+),%s*(.*)$"
  if not first then return put("---@return ", text) end
  put("---@return ", first)
  put_returns(second)
end

--- Lines of "---@param" and the names, from "a: number, b?: table".
local function put_params(params)
  local names <const> = {}
  for item in (params .. ","):gmatch "%s*(.-)%s*," do
    local name <const>, kind <const> = item:match "^([%w_.?]+):%s*(.+)$"
    if name then
      put("---@param ", name, " ", kind)
      names[#names + 1] = name:gsub("%?$", "")
    end
  end
  return table.concat(names, ", ")
end

local function put_function(target, entry)
  put ""
  put_doc(entry[3])
  local names <const> = put_params(entry[1])
  if entry[2] then put_returns(entry[2]) end
  put("function ", target, "(", names, ") end")
end

-- Descriptors

local attribute_types <const> = {
  number = "number", whole = "integer", flag = "boolean", pair = "integer|integer[]",
  list = "integer|integer[]", numbers = "number[]", text = "string" }

local function attribute_type(text)
  if not text:find "|" then return attribute_types[text] or "any" end
  local words <const> = {}
  for word in text:gmatch "[^|]+" do words[#words + 1] = ('"%s"'):format(word) end
  return table.concat(words, "|")
end

--- The items of a descriptor's line: { name =, kind =, optional =, attribute = }.
local function signature(args)
  local items <const>, depth, item = {}, 0, ""
  local function add()
    local name <const>, rest <const> = item:match "^%s*([%w_.?]+)%s*:?%s*(.*)$"
    if not name then return end
    local attribute <const> = item:find(":", 1, true) ~= nil
    local kind <const> = rest:match "^([%w_|]+)"
    items[#items + 1] = {
      name = name:gsub("[?.]", ""), attribute = attribute, listed = name:find "%.%.%.",
      optional = name:find "%?" ~= nil or rest:find "=" ~= nil,
      kind = attribute and attribute_type(kind or "") or input }
    item = ""
  end
  for c in args:gmatch "." do
    depth = depth + (c == "{" and 1 or c == "}" and -1 or 0)
    if c == "," and depth == 0 then add() else item = item .. c end
  end
  add()
  return items
end

--- "{ dim?: integer, keepdim?: boolean }"
local function table_type(items, first)
  local fields <const> = { first }
  for _, a in ipairs(items) do
    if a.attribute then
      fields[#fields + 1] = ("%s%s: %s"):format(a.name, a.optional and "?" or "", a.kind)
    end
  end
  return "{ " .. table.concat(fields, ", ") .. " }"
end

local reserved <const> = { ["end"] = "last" }  -- a parameter cannot have this name

local function put_operator(op)
  local items <const>, names <const>, tensors <const> = signature(op.args), {}, {}
  put ""
  put_doc(op.doc)
  for _, a in ipairs(items) do
    local name <const>, kind <const> = reserved[a.name] or a.name,
      a.listed and tensor .. "[]" or a.kind
    put("---@param ", name, a.optional and "?" or "", " ", kind)
    names[#names + 1] = name
    if not a.attribute then
      tensors[#tensors + 1] = name .. (a.optional and "?" or "") .. ": " .. kind
    end
  end
  local results <const> = op.results:gsub("%s*;.*", "")
  for name in results:gmatch "[%w_]+" do put("---@return ", tensor, " ", name) end
  if #tensors < #names then
    local count <const> = select(2, results:gsub("[%w_]+", ""))
    put("---@overload fun(", table.concat(tensors, ", "), ", options: ",
        table_type(items), "): ", (tensor .. ", "):rep(count - 1), tensor)
  end
  put("function lg.", op.name, "(", table.concat(names, ", "), ") end")
  if items[1] and not items[1].listed then put("Tensor.", op.name, " = lg.", op.name) end
end

local creation_types <const> = {
  x = tensor, labels = tensor, numbers = "number|table", dims = "integer[]" }

local function put_creation(c)
  local params <const> = {}
  for item in (c.args .. ","):gmatch "%s*(.-)%s*," do
    local name <const> = item:match "^[%w_]+"
    local kind <const> = creation_types[name] or "number"
    local variadic <const> = item:find "%.%.%." ~= nil
    params[#params + 1] = variadic and "...: integer|integer[]"
      or ("%s%s: %s"):format(name, item:find "=" and "?" or "", kind)
  end
  put_function("lg." .. c.name, { table.concat(params, ", "), tensor, c.doc })
end

local function option_items(options)
  local items <const> = {}
  for i, o in ipairs(options) do
    items[i] = { name = o.name, attribute = true, optional = true,
                 kind = attribute_types[o.type] or "string" }
  end
  return items
end

local function put_layer(name, layer)
  local items <const> = option_items(layer.options)
  local extra <const> = "[integer]: any, name?: string"
    .. (layer.weighted and ", act?: any, norm?: any" or "")
  put ""
  put_doc(layer.doc)
  put("---@param options ", table_type(items, extra))
  put "---@return lugano.Net"
  put("function lg.nn.", name, "(options) end")
end

local function put_optimizer(name, optimizer)
  put ""
  put_doc(optimizer.doc)
  put "---@param target lugano.Net|table"
  put("---@param options? ", table_type(option_items(optimizer.options)))
  put "---@return lugano.Optimizer"
  put("function lg.optim.", name, "(target, options) end")
end

-- Lua files

local functions_of <const> = core.load "functions"

local function put_read(target, f)
  put ""
  put_doc(f.doc)
  local noted <const>, returns = {}, false
  for _, note in ipairs(f.notes) do
    local text <const> = note:gsub("%s+", " ")
    local result <const> = text:match "^@return (.*)$"
    if result then put_returns(result) else put("---", text) end
    noted[note:match "^@param%s+([%w_.]+)" or ""] = true
    returns = returns or note:find "^@return"
  end
  for name in f.params:gmatch "[%w_.]+" do
    if not noted[name] then put("---@param ", name, " ", usual[name] or "any") end
  end
  if not returns then put "---@return any" end
  put("function ", target, "(", f.params, ") end")
end

-- All

local function put_classes()
  put "---@meta lugano"
  put "-- Printed by lugano --stubs, for editors. It is not to be edited."
  put ""
  put("---@class ", tensor)
  put "---@field shape integer[] the sizes"
  for _, event in ipairs { "add", "sub", "mul", "div", "pow" } do
    put("---@operator ", event, "(", input, "): ", tensor)
  end
  put("---@operator unm: ", tensor)
  put "---@operator len: integer"
  put("---@field [integer] ", tensor, " a row")
  put "local Tensor = {}"
  for _, class in ipairs(functions_of.classes) do
    put ""
    put_doc(class.doc)
    put("---@class lugano.", class.name)
    for _, line in ipairs(fields[class.name] or {}) do put("---@", line) end
    put("local ", class.name, " = {}")
  end
  put ""
  put "---@class lugano"
  put "---@field version string"
  put '---@field element "float"|"double" the type of elements'
  put "local lg = {}"
end

local function put_lua_functions()
  for _, part in ipairs(functions_of.parts()) do
    if part.table then
      put ""
      put(part.table, " = {}")
    end
    for _, f in ipairs(part) do put_read(f.target, f) end
  end
end

local function put_methods()
  for _, name in ipairs(sorted_keys(methods)) do
    put_function("Tensor:" .. name, methods[name])
  end
  for _, f in ipairs(functions_of.read "init") do
    if f.owner == "core.methods" then
      put("Tensor.", f.name, " = lg.", f.name)
    end
  end
  for _, class in ipairs(functions_of.classes) do
    for _, f in ipairs(functions_of.methods(class)) do put_read(f.target, f) end
  end
end

local function by_name(list)
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

return function()
  put_classes()
  for _, name in ipairs(sorted_keys(functions)) do
    put_function("lg." .. name, functions[name])
  end
  for _, c in ipairs(by_name(core.creations())) do put_creation(c) end
  for _, op in ipairs(by_name(core.ops())) do put_operator(op) end
  put_methods()
  put_lua_functions()
  local layers <const>, optimizers <const> = core.layers(), core.optimizers()
  for _, name in ipairs(sorted_keys(layers)) do put_layer(name, layers[name]) end
  for _, name in ipairs(sorted_keys(optimizers)) do
    put_optimizer(name, optimizers[name])
  end
  put ""
  put "return lg"
  io.stdout:write(table.concat(out, "\n"), "\n")
end

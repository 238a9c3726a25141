--- manual.lua - `lugano --manual`: the reference, made from the descriptors.

local core <const> = ...

local function put(...) io.stdout:write(...) end

local function sorted(names)
  table.sort(names)
  return names
end

--- A list of {name=, ...} or a table by name, as a sorted list.
local function entries(registry)
  local by_name <const>, names <const> = {}, {}
  for key, entry in pairs(registry) do
    local name <const> = entry.name or key
    by_name[name], names[#names + 1] = entry, name
  end
  local list <const> = {}
  for i, name in ipairs(sorted(names)) do
    list[i] = { name = name, entry = by_name[name] }
  end
  return list
end

local function sentence(doc)
  return (doc or ""):gsub("%s+", " ")
end

local function operator(name, op)
  local results <const> = op.results and (" -> " .. op.results:gsub("%s*;.*", "")) or ""
  put(("### %s\n\n    lg.%s(%s)%s\n\n%s\n\n"):format(name, name, op.args, results,
                                                      sentence(op.doc)))
end

local function creation(name, c)
  put(("### %s\n\n    lg.%s(%s)\n\n%s\n\n"):format(name, name, c.args, sentence(c.doc)))
end

local function layer(name, l)
  local inputs <const> = l.inputs == "x" and "" or " (" .. l.inputs .. ")"
  put(("### %s\n\n    nn.%s { %s }%s\n\n%s%s\n\n"):format(
    name, name, l.args or "", inputs, sentence(l.doc),
    l.weighted and " Takes act and norm, too." or ""))
end

local function optimizer(name, o)
  put(("### %s\n\n    optim.%s(net, { %s })\n\n%s\n\n"):format(name, name, o.args or "",
                                                               sentence(o.doc)))
end

local function chapter(title, intro, registry, write)
  put("## ", title, "\n\n", intro, "\n\n")
  for _, e in ipairs(entries(registry)) do write(e.name, e.entry) end
end

--- Those whose names end in _back, or the others.
local function operators(back)
  local list <const> = {}
  for _, op in ipairs(core.ops()) do
    if (op.name:find "_back$" ~= nil) == back then list[#list + 1] = op end
  end
  return list
end

--- A function written in Lua: its parameters as its comment tells them.
local function lua_function(f)
  put(("### %s\n\n    %s(%s)\n\n%s\n\n"):format(f.target, f.target, f.params,
                                                 sentence(f.doc)))
  for _, note in ipairs(f.notes) do
    local text <const> = note:gsub("%s+", " ")
    local name <const>, rest <const> = text:match "^@param ([%w_.]+) %S+%s*(.*)$"
    if name and rest ~= "" then put(("- `%s`: %s\n"):format(name, rest)) end
    local result <const> = text:match "^@return (.*)$"
    if result then put(("- returns %s\n"):format((result:gsub("lugano%.", "")))) end
  end
  if #f.notes > 0 then put "\n" end
end

local function lua_chapters()
  local functions_of <const> = core.load "functions"
  for _, part in ipairs(functions_of.parts()) do
    if #part > 0 then put("## ", part.title, "\n\n") end
    for _, f in ipairs(part) do lua_function(f) end
  end
  for _, class in ipairs(functions_of.classes) do
    put("## ", class.name, "\n\n", class.doc, "\n\n")
    for _, f in ipairs(functions_of.methods(class)) do lua_function(f) end
  end
end

return function()
  put("# Lugano ", core.versions().lugano, "\n\n")
  chapter("New tensors", "Sizes are numbers, or one table.", core.creations(), creation)
  chapter("Operators", "Tensors first, then attributes: by position, or by name in a "
    .. "table. Each is a method, too: `x:softmax(2)`. `?` marks what may be absent.",
    operators(false), operator)
  chapter("Operators of gradients", "What gradient rules are made of.", operators(true),
          operator)
  chapter("Layers", "Options by name. Input sizes are inferred. init is one of "
    .. table.concat(core.initializers(), ", ") .. "; some take a number, as in "
    .. '`init = "normal 0.02"`.', core.layers(), layer)
  chapter("Optimizers", "Options by name.", core.optimizers(), optimizer)
  lua_chapters()
end

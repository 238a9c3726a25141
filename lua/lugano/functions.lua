--- functions.lua - the functions that our Lua files have for scripts, read with the
-- comments above them: for the manual and the editors' stubs.

local core <const> = ...
local sorted_keys <const> = core.load "keys"
local functions <const> = {}

-- Objects whose methods are written in Lua: the files, the table that has the methods,
-- the class, and where not all are meant for scripts, which.
functions.classes = {
  { name = "Net", owner = "methods",
    doc = "A net, or a part of one. Calling it computes.",
    files = { "net", "net_parts", "net_state", "net_clone", "net_print",
              "net_statistics" } },
  { name = "Tap", owner = "Tap", files = { "net_parts" },
    doc = "A tap on an inner part of a net." },
  { name = "Optimizer", owner = "methods", files = { "optim" },
    doc = "An optimizer of a net's parameters." },
  { name = "Run", owner = "Run", files = { "run_pass", "run_values", "run_save" },
    doc = "A training run and its folder.",
    only = { progress = true, log = true, image = true, watch = true, checkpoint = true,
             finish = true } },
  { name = "Dataset", owner = "Set", files = { "data_set" },
    doc = "A set of images, and labels if there are some." },
  { name = "Average", owner = "Average", files = { "gan_ema" },
    doc = "A net's moving average." },
  { name = "Pool", owner = "Pool", files = { "gan_pool" },
    doc = "Earlier samples, for the critic." },
  { name = "Ada", owner = "Ada", files = { "gan_ada" },
    doc = "Augmentation that adapts." },
  { name = "LeCam", owner = "LeCam", files = { "gan_lecam" },
    doc = "LeCam's penalty and its averages." },
  { name = "PathLength", owner = "PathLength", files = { "gan_path" },
    doc = "The path length penalty and its mean." },
  { name = "Picture", owner = "core.image_methods", files = { "image" },
    doc = "A picture." },
}

--- Functions of a file with the comments above them: { owner =, name =, params =, doc =,
-- notes = }; owner is "return" for a function that is all the file returns.
function functions.read(file)
  local list <const>, doc, notes = {}, {}, {}
  for line in core.source(file):gmatch "([^\n]*)\n" do
    local note <const> = line:match "^%-%-%-(@.*)$"
    local text <const> = line:match "^%-%-%-?%s?(.*)$"
    local owner, name, params = line:match "^function ([%w_.]+)[.:]([%w_]+)%((.-)%)"
    if not owner then
      name, params = line:match "^local function ([%w_]+)%((.-)%)"
      owner = name and "local"
    end
    if not owner then
      params = line:match "^return function%((.-)%)"
      owner, name = params and "return", ""
    end
    if owner then
      list[#list + 1] = { owner = owner, name = name, params = params, notes = notes,
                          doc = table.concat(doc, " ") }
    end
    if note then
      notes[#notes + 1] = note
    elseif text and #notes > 0 then            -- the second line of a note
      notes[#notes] = notes[#notes] .. " " .. text
    elseif text then
      doc[#doc + 1] = text:match "^    " and "" or text
    else
      doc, notes = {}, {}
    end
  end
  return list
end

local function find(file, match)
  for _, f in ipairs(functions.read(file)) do
    if match(f) then return f end
  end
  core.fail("a function of lugano/%s.lua was not found", file)
end

--- The methods of a class, with their targets: "Net:state".
function functions.methods(class)
  local list <const> = {}
  for _, file in ipairs(class.files) do
    for _, f in ipairs(functions.read(file)) do
      local meant <const> = not class.only or class.only[f.name]
      if f.owner == class.owner and meant and not f.name:find "^__" then
        f.target = class.name .. ":" .. f.name
        list[#list + 1] = f
      end
    end
  end
  return list
end

--- Adds those of a file whose owner is the table of that name.
local function add_owned(list, file, owner, prefix)
  for _, f in ipairs(functions.read(file)) do
    if f.owner == owner then
      f.target = prefix .. f.name
      list[#list + 1] = f
    end
  end
end

local function add_found(list, target, file, match)
  local f <const> = find(file, match)
  f.target = target
  list[#list + 1] = f
end

--- lg itself: what init.lua has, and what loads late.
local function module_part()
  local list <const> = { title = "lg" }
  add_owned(list, "init", "lg", "lg.")
  for _, name in ipairs(sorted_keys(core.late)) do
    add_found(list, "lg." .. name, core.late[name], function(f)
      return f.name == name and (f.owner == "local" or not f.owner:find "%.")
    end)
  end
  return list
end

--- The functions of a part, lg.gan say: of its file, and of those that load late.
local function part_of(name)
  local list <const> = { title = "lg." .. name }
  local all <const> = functions.read(name)
  if all[#all].owner == "return" then
    add_found(list, "lg." .. name, name, function(f) return f.owner == "return" end)
    return list
  end
  list.table = "lg." .. name
  add_owned(list, name, name, "lg." .. name .. ".")
  core.load(name)
  local late <const> = core[name .. "_late"] or {}
  for _, key in ipairs(sorted_keys(late)) do
    add_found(list, "lg." .. name .. "." .. key, late[key], function(f)
      return f.owner == name and f.name == key
    end)
  end
  return list
end

--- All parts in order: lists of functions, with a title, and the table that they are in.
function functions.parts()
  local list <const> = { module_part() }
  for _, name in ipairs(sorted_keys(core.parts)) do list[#list + 1] = part_of(name) end
  list[#list + 1] = { title = "lg.optim.schedule", table = "lg.optim.schedule" }
  add_owned(list[#list], "schedule", "schedule", "lg.optim.schedule.")
  return list
end

return functions

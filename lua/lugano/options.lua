--- options.lua - lg.options: what a script can be told on its command line.
--
--     local opt = lg.options { epochs = 20, lr = {2e-4, "learning rate"}, seed = 1 }
--
-- The type of an option is that of its default. --help prints the table.

local core <const> = ...
local lg <const>, sorted_keys <const> = core.lg, core.load "keys"

-- Every script has these. `strict` is for the command itself.
local reserved <const> = {
  seed = { kind = "integer", doc = "seed of all random numbers" },
  threads = { kind = "integer", doc = "threads that compute; 0: one a core",
              default = 0 },
  out = { kind = "string", doc = "folder of the run, if not out/NAME" },
  resume = { kind = "boolean", doc = "go on from the last checkpoint",
             default = false },
  steps = { kind = "integer", doc = "steps in all, to try a run out; 0: as it says",
            default = 0 },
  strict = { kind = "boolean", doc = "reading an unset global is no error",
             default = true },
  tensorboard = { kind = "boolean", doc = "write TensorBoard event files, too",
                  default = false },
}

local kinds <const> = { integer = "a whole number", float = "a number", string = "a text",
                        boolean = "true or false" }

--- " (did you mean '--epochs'?)", or "" if nothing known is near.
local function suggestion(name, names, prefix)
  local best <const> = core.load "nearest"(name, names)
  return best and (" (did you mean '%s%s'?)"):format(prefix, best) or ""
end

local function kind_of(value)
  return math.type(value) or type(value)
end

--- What the script wrote for one option, as { kind =, default =, doc = }.
local function read_default(name, given)
  if type(name) ~= "string" or not name:find "^%a[%w_]*$" then
    core.fail("lg.options: '%s' cannot be the name of an option", tostring(name))
  end
  local value, doc = given, nil
  if type(given) == "table" then value, doc = given[1], given[2] end
  local kind <const>, known <const> = kind_of(value), reserved[name]
  if not kinds[kind] then
    core.fail("lg.options: '%s' is a %s; an option is a number, true or false, or a text",
              name, type(value))
  end
  if known and known.kind ~= kind then
    core.fail("lg.options: '%s' means the same in every script, and is %s", name,
              kinds[known.kind])
  end
  return { kind = kind, default = value, doc = doc or known and known.doc,
           reserved = known ~= nil }
end

--- All options by name, and their names: the script's own first, then the reserved.
local function declare(defaults)
  local options <const> = {}
  for name, o in pairs(reserved) do
    options[name] = { kind = o.kind, doc = o.doc, default = o.default, reserved = true }
  end
  options.seed.default = core.random_state()
  for _, name in ipairs(sorted_keys(defaults)) do
    options[name] = read_default(name, defaults[name])
  end
  local names <const>, later <const> = {}, {}
  for _, name in ipairs(sorted_keys(options)) do
    local list <const> = options[name].reserved and later or names
    list[#list + 1] = name
  end
  return options, table.move(later, 1, #later, #names + 1, names)
end

-- The mistake is on the command line, so these messages name no line of the script.
local function refuse(format, ...) error(format:format(...), 0) end

local function show(value)
  return type(value) == "number" and core.load("json").number(value) or tostring(value)
end

local function example(name, o)
  local value <const> = o.default
  if value == nil or value == "" then return ("--%s=..."):format(name) end
  return ("--%s=%s"):format(name, show(value))
end

local function read_boolean(name, text)
  if text == nil or text == "true" or text == "1" then return true end
  if text == "false" or text == "0" then return false end
  refuse("option '--%s' is true or false, and '%s' is neither; write --%s or --%s=false",
         name, text, name, name)
end

--- The value that the command line gives an option.
local function read_value(name, o, text)
  if o.kind == "boolean" then return read_boolean(name, text) end
  if text == nil or text == "" then
    refuse("option '--%s' needs %s: %s", name, kinds[o.kind], example(name, o))
  end
  if o.kind == "string" then return text end
  local number <const> = tonumber(text)
  local value <const> = number and (o.kind == "integer" and math.tointeger(number)
                                    or o.kind == "float" and number + 0.0)
  if not value then
    refuse("option '--%s' is %s, and '%s' is not; write, for example, %s", name,
           kinds[o.kind], text, example(name, o))
  end
  return value
end

local function help_text(options, names)
  local rows <const>, wide <const> = {}, { 0, 0 }
  for _, name in ipairs(names) do
    local o <const> = options[name]
    local switch <const> = o.kind == "boolean"             -- its flag says it all
    local value <const> = (o.default == nil or switch) and "" or show(o.default)
    local flag <const> = (switch and o.default) and "--no-" or "--"
    rows[#rows + 1] = { flag .. name, value, o.doc or kinds[o.kind] }
    for i = 1, 2 do wide[i] = math.max(wide[i], #rows[#rows][i]) end
  end
  local lines <const> = {
    ("usage: lugano %s [--option=value ...]"):format(arg and arg[0] or "SCRIPT"), "" }
  for _, r in ipairs(rows) do
    local gap1 <const>, gap2 <const> = wide[1] - #r[1], wide[2] - #r[2]
    lines[#lines + 1] = ("  %s%s  %s%s  %s"):format(r[1], (" "):rep(gap1), r[2],
                                                    (" "):rep(gap2), r[3])
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Prints the table and ends the script: by a word that the command understands, or, in
-- an interpreter that has no such words, by its own exit.
local function help(options, names)
  io.stdout:write(help_text(options, names))
  if core.command then error(core.finished, 0) end
  os.exit(0, true)
end

--- Sets values from the words of the command line.
local function read_words(words, options, names, values)
  for _, word in ipairs(words) do
    if word == "--help" or word == "-h" then help(options, names) end
    local dashes <const>, name, value = word:match "^(%-*)([^=]*)=?(.*)$"
    local given <const> = word:find("=", 1, true) and value or nil
    if dashes ~= "--" or name == "" then
      refuse("'%s' is no option; options are written --name=value, and --help lists them",
             word)
    end
    name = name:gsub("-", "_")
    local positive <const> = name:match "^no_(.+)$"
    if not options[name] and options[positive] and options[positive].kind == "boolean"
       and not given then
      values[positive] = false
    elseif not options[name] then
      refuse("no option '--%s'%s", name, suggestion(name, names, "--"))
    else
      values[name] = read_value(name, options[name], given)
    end
  end
end

local function apply(values)
  if values.seed < 0 then
    refuse("option '--seed' is 0 or more, and %d is not", values.seed)
  end
  if values.threads < 0 or values.threads > 1024 then
    refuse("option '--threads' is 0 to 1024, and %d is not", values.threads)
  end
  if values.steps < 0 then
    refuse("option '--steps' is 0 or more, and %d is not", values.steps)
  end
  lg.seed(values.seed)
  if values.threads > 0 then core.threads(values.threads) end
end

--- Options with defaults, typed from them, as the command line changes them.
---@param defaults table  name = value, or name = {value, "what it is"}
---@return table  the values by name; reading or setting another name is an error
return function(defaults)
  if type(defaults) ~= "table" then
    core.fail("lg.options takes a table of defaults: lg.options { epochs = 20 }")
  end
  local options <const>, names <const> = declare(defaults)
  local values <const> = {}
  for _, name in ipairs(names) do values[name] = options[name].default end
  read_words(type(arg) == "table" and arg or {}, options, names, values)
  apply(values)
  core.options = values
  return setmetatable(values, {
    __index = function(_, name)
      if reserved[name] then return nil end
      core.fail("no option '%s'%s", tostring(name), suggestion(tostring(name), names, ""))
    end,
    __newindex = function(_, name, value)
      if reserved[name] then return rawset(values, name, value) end
      core.fail("no option '%s'%s", tostring(name), suggestion(tostring(name), names, ""))
    end,
  })
end

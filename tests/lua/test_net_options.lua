--- Nonsense for every option of every layer of the registry: refused, by name.
local lg = require "lugano"
local check = require "check"
local nn = lg.nn

-- A value that fits no option of the type, and how the error ends.
local wrong <const> = {
  number = { "much", "not 'much'" }, whole = { 1.5, "not 1.5" }, flag = { 3, "not 3" },
  word = { "nonsense", "nonsense'" }, pair = { { 1, 2, 3 }, "not a table" },
  list = { { "x" }, "not a table" }, numbers = { 3, "not 3" }, text = { 7, "not 7" } }

local layers <const>, type_names <const> = nn.layers(), {}
for name in pairs(layers) do type_names[#type_names + 1] = name end
table.sort(type_names)

--- Options with which the layer can be made: what it requires.
local function required(info)
  local options <const> = {}
  for _, o in ipairs(info.options) do
    if o.required then
      options[o.name] = ({ number = 1, whole = 1, flag = true, pair = 1, list = { 1 },
                           numbers = { 1 } })[o.type]
    end
  end
  return options
end

local function raises(name, options, ...)
  local why = check.raises("nn." .. name, function() nn[name](options) end)
  for _, text in ipairs { ... } do
    check.equal(why:find(text, 1, true) ~= nil, true, why .. "\nlacks " .. text)
  end
  check.equal(why:find "^[^\n]*test_net_options%.lua:%d+: " ~= nil, true, why)
end

check.case("there are layers", function() check.equal(#type_names > 10, true) end)

for _, name in ipairs(type_names) do
  local info <const> = layers[name]
  check.case(name .. " refuses what it does not know", function()
    local options <const> = required(info)
    options.nonsense = 1
    raises(name, options, "has no option 'nonsense'")
    for _, o in ipairs(info.options) do
      if #o.name > 3 then
        local typo <const> = o.name:sub(1, -3) .. o.name:sub(-1) .. o.name:sub(-2, -2)
        local given <const> = required(info)
        given[o.name], given[typo] = nil, 1
        local near <const> = typo ~= o.name
        if near then
          raises(name, given, "has no option '" .. typo .. "' (did you mean '")
        end
      end
    end
  end)
  check.case(name .. " refuses values of a wrong type", function()
    for _, o in ipairs(info.options) do
      local value <const>, given <const> = wrong[o.type], required(info)
      check.equal(value ~= nil, true, o.type)
      given[o.name] = value[1]
      raises(name, given, o.name .. " must be ", value[2])
      given[o.name] = print
      raises(name, given, o.name .. " must be ", "not a function")
    end
  end)
  check.case(name .. " says what must be given, and how often", function()
    for _, o in ipairs(info.options) do
      if o.required then
        local given <const> = required(info)
        given[o.name] = nil
        raises(name, given, o.name .. " must be given")
      end
    end
    local first <const>, many <const> = info.options[1], {}
    if first and first.type ~= "list" and first.type ~= "flag" then
      local given <const> = required(info)
      given[1], given[first.name] = 1, 1
      raises(name, given, first.name == "eps" and "takes no option by position, and got 1"
                          or first.name .. " is given twice, by position and by name")
      for i = 1, #info.options + 1 do many[i] = 3.5 end
      if not (info.weighted and info.options[2].type == "flag") then
        raises(name, many, "by position, and got " .. #many)
      end
    end
    raises(name, { name = "a b" }, "name must be a word of letters, digits, - and _")
  end)
  if info.weighted then
    check.case(name .. " refuses unknown norms and acts", function()
      local given <const> = required(info)
      given.norm = "bath"
      raises(name, given, "there is no norm 'bath'; there is '")
      given.norm, given.act = nil, "rely"
      raises(name, given, "there is no operator 'rely' (did you mean 'relu'?)")
      given.act = 3
      raises(name, given, "a layer, the name of an operator, a function or a list is "
        .. "expected, not a number")
    end)
  end
end

check.report()

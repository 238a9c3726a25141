--- Every layer of the registry in a net: saved, loaded, cloned, summed up.
local lg = require "lugano"
local check = require "check"
local command = require "command"
local nn = lg.nn

local path <const> = command.folder() .. "/layer.safetensors"

--- "{1,3}", "true", "0.5", "normal 0.02"
local function value_of(text)
  local list <const> = text:match "^{(.*)}$"
  if text == "true" or text == "false" then return text == "true" end
  if not list then return math.tointeger(tonumber(text)) or tonumber(text) or text end
  local values <const> = {}
  for item in list:gmatch "[^,]+" do values[#values + 1] = value_of(item:match "%S+") end
  return values
end

--- "out=4, kernel={1,3}"
local function options_of(text)
  local options <const> = {}
  for name, value in text:gsub("{[^}]*}", function(list)
    return (list:gsub(",", "|"))
  end):gmatch "([%w_]+)=([^,]*)" do
    options[name] = value_of((value:gsub("|", ","):match "^%s*(.-)%s*$"))
  end
  return options
end

--- "2,3,4,4", "2 index<4": random numbers of that shape.
local function input_of(text)
  local dims <const>, sizes <const> = {}, text:match "^[%d,]*"
  local count <const> = text:match "index<(%d+)"
  for n in sizes:gmatch "%d+" do dims[#dims + 1] = math.tointeger(tonumber(n)) end
  if count then return lg.rand(table.unpack(dims)):mul(tonumber(count)):floor() + 1 end
  return lg.randn(table.unpack(dims))
end

local function read_sample(sample)
  local inputs <const>, options = {}, {}
  for piece in sample:gmatch "[^;]+" do
    piece = piece:match "^%s*(.-)%s*$"
    if piece:find "=" then
      options = options_of(piece)
    elseif piece ~= "none" then
      inputs[#inputs + 1] = input_of(piece)
    end
  end
  return inputs, options
end

--- The layer in a net that has the name G, called once: so it has its shapes.
local function make(name, sample)
  local inputs <const>, options = read_sample(sample)
  local G <const> = nn.Module {
    name = "G", layer = nn[name](options),
    forward = function(m, ...) return m.layer(...) end }
  G(table.unpack(inputs))
  return G, inputs
end

local function names(net)
  local list = {}
  for i, t in ipairs(net:state()) do list[i] = t.name end
  return table.concat(list, " ")
end

local function results(net, inputs)
  lg.seed(7)
  local list <const> = {}
  for _, y in ipairs { net(table.unpack(inputs)) } do
    for _, x in ipairs(y:reshape(-1):totable()) do list[#list + 1] = x end
  end
  return table.concat(list, " ")
end

local function check_sample(name, sample)
  local G <const>, inputs <const> = make(name, sample)
  for _, t in ipairs(G:state()) do t.tensor:copy(t.tensor * 0.5 + 0.125) end
  local copy <const>, frozen <const> = G:clone(), G:clone { tracked = false }
  local loaded <const> = make(name, sample)
  if #G:state() > 0 then
    G:save(path)
    loaded:load(path)
  end
  local wanted <const> = results(G, inputs)
  for _, other in ipairs { copy, frozen, loaded } do
    check.equal(names(other), names(G), sample)
    check.equal(results(other, inputs), wanted, name .. " " .. sample)
  end
  local numbers = 0
  for _, p in ipairs(G:parameters()) do numbers = numbers + p:numel() end
  check.equal(G:summary().parameters, numbers, sample)
  check.equal(results(G:eval(), inputs), results(copy:eval(), inputs), sample)
end

local layers <const>, type_names <const> = nn.layers(), {}
for name in pairs(layers) do type_names[#type_names + 1] = name end
table.sort(type_names)
for _, name in ipairs(type_names) do
  check.case(name, function()
    for _, sample in ipairs(layers[name].samples) do check_sample(name, sample) end
  end)
end

check.report()

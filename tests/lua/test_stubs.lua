-- test_stubs.lua - what editors and readers are told about functions is what there is.

local lg <const>, check <const> = require "lugano", require "check"
local command <const> = require "command"

--- The committed file has what the command prints.
local function fresh(path, option)
  local printed <const>, status <const> = command.run { option }
  check.equal(status, 0)
  local file <const> = io.open(command.source .. "/" .. path)
  local text <const> = file and file:read "a" or ""
  if file then file:close() end
  if text ~= printed then
    error(("%s is stale: build/release/lugano %s > %s"):format(path, option, path), 0)
  end
end

check.case("lua/library/lugano.lua is fresh", function()
  fresh("lua/library/lugano.lua", "--stubs")
end)

check.case("docs/operators.md is fresh", function()
  fresh("docs/operators.md", "--manual")
end)

local text <const> = command.run { "--stubs" }
local stubs <const> = {}                       -- "lg.nn.Linear", "Tensor:size"
for name in text:gmatch "\nfunction ([%w_.:]+)%(" do stubs[name] = true end
for name in text:gmatch "\n(Tensor%.[%w_]+) = lg%." do stubs[name] = true end

check.case("stubs are Lua, and the manual names every operator", function()
  assert(load(text))
  local manual <const> = command.run { "--manual" }
  for _, op in ipairs(lg.operators()) do
    assert(manual:find("\n### " .. op.name .. "\n", 1, true), op.name)
    assert(stubs["lg." .. op.name], op.name)
  end
  for _, name in ipairs { "lg.gan.ema", "lg.data.folder", "lg.run", "Run:checkpoint",
                          "lg.optim.schedule.cosine", "Net:tap", "Dataset:stream" } do
    assert(manual:find("\n### " .. name .. "\n", 1, true), name)
  end
end)

local parts <const> = { "nn", "optim", "data", "image", "gan" }

check.case("no function is missing", function()
  local missing <const> = {}
  local function need(prefix, t)
    for name, value in pairs(t) do
      if type(value) == "function" and not stubs[prefix .. name] then
        missing[#missing + 1] = prefix .. name
      end
    end
  end
  need("lg.", lg)
  for _, part in ipairs(parts) do need("lg." .. part .. ".", lg[part]) end
  local _, methods <const> = debug.getupvalue(
    debug.getmetatable(lg.ones(1)).__index, 1)
  local listed <const> = {}                    -- a list has no methods
  for _, op in ipairs(lg.operators()) do
    listed[op.name] = op.args:find("...", 1, true) ~= nil
  end
  for name in pairs(methods) do
    if not (stubs["Tensor:" .. name] or stubs["Tensor." .. name] or listed[name]) then
      missing[#missing + 1] = "Tensor:" .. name
    end
  end
  table.sort(missing)
  check.equal(table.concat(missing, " "), "")
end)

check.case("no stub is without a function", function()
  local x <const>, stale <const> = lg.ones(1), {}
  for name in pairs(stubs) do
    local method <const> = name:match "^Tensor[:.]([%w_]+)$"
    local part <const>, field <const> = name:match "^lg%.(%w+)%.([%w_]+)$"
    local found
    if method then
      found = pcall(function() return x[method] end)
    elseif part then
      found = pcall(function() assert(lg[part][field]) end)
    else
      local own <const> = name:match "^lg%.([%w_]+)$"
      found = not own or lg[own] ~= nil
    end
    if not found then stale[#stale + 1] = name end
  end
  table.sort(stale)
  check.equal(table.concat(stale, " "), "")
end)

check.report()

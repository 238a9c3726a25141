-- The script on the README's page runs as it stands, and leaves what the page says.
local check <const> = require "check"
local command <const> = require "command"

local page <const> = command.read(command.source .. "/README.md")

check.case("the tour trains", function()
  local folder <const> = command.folder()
  command.write(folder .. "/tour.lua", assert(page:match "```lua\n(.-)```"))
  local out <const> = folder .. "/out"
  local text <const>, status <const> = command.run({ folder .. "/tour.lua", "--epochs=1",
    "--batch=900", "--out=" .. out }, "LUGANO_DATA=models/data")
  check.equal(status, 0, text)
  local left <const> = { "config.json", "metrics.jsonl", "checkpoints/last.safetensors" }
  for _, name in ipairs(left) do
    check.equal(command.exists(out .. "/" .. name), true, name)
  end
  command.remove(folder)
end)

check.case("its pictures and pages are there", function()
  for path in page:gmatch "%]%(([%w_/.-]+)%)" do
    check.equal(command.exists(command.source .. "/" .. path), true, path)
  end
end)

check.case("the five functions are where docs/read-me-first.md says", function()
  local guide <const> = command.read(command.source .. "/docs/read-me-first.md")
  local items <const> = guide:gsub("\n\n", "\n\n\n")
  local n = 0
  for item in items:gmatch "\n%d%. (.-)\n\n" do
    local name <const> = item:match "^%*%*`([%w_]+)`"
    local path <const> = item:match "`(src/[%w_/.]+)`"
    local source <const> = command.read(command.source .. "/" .. path)
    local line <const> = "\n%a[^\n]-%f[%w_]" .. name .. "%f[^%w_][^\n]*[^;\n]\n"
    local defined <const> = source:find(line)
    check.equal(defined ~= nil, true, name)
    n = n + 1
  end
  check.equal(n, 5, "functions")
end)

check.report()

-- test_docs.lua - every block of Lua on a page of docs runs, one after the other.
local check <const> = require "check"
local command <const> = require "command"

--- The Lua of a page, each line where it stands, so that errors name the page's line.
local function code_of(text)
  local lines <const>, inside = {}, false
  for line in text:gmatch "([^\n]*)\n" do
    local fence <const> = line:sub(1, 3) == "```"
    lines[#lines + 1] = inside and not fence and line or ""
    if fence then inside = line == "```lua" end
  end
  return table.concat(lines, "\n")
end

for _, page in ipairs { "gradients", "from-pytorch", "from-keras", "from-numpy",
                        "from-torch7" } do
  check.case("docs/" .. page .. ".md runs as it stands", function()
    local text <const> = command.read(command.source .. "/docs/" .. page .. ".md")
    local chunk <const> = assert(load(code_of(text), "=" .. page .. ".md"))
    chunk()
  end)
end

check.report()

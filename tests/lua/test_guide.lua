-- test_guide.lua - docs/guide.md says what is so: its lines at the prompt give what is
-- below them, the alarms it quotes are the engine's, its pictures are there and small.
-- tests/docs.sh runs its file and its commands.
local check <const> = require "check"
local command <const> = require "command"

local text <const> = command.read(command.source .. "/docs/guide.md")

--- The blocks of text that match a pattern at their beginning.
local function blocks(beginning)
  local list <const> = {}
  for block in text:gmatch "\n```text\n(.-)\n```" do
    if block:find(beginning) then list[#list + 1] = block end
  end
  return list
end

--- The words and numbers; columns, and where an error was, are the prompt's business.
local function words(s)
  s = s:gsub("\n  in [^\n]*", ""):gsub("\n  called [^\n]*", ""):gsub("stdin:1: ", "")
  return (s:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

check.case("what is typed at the prompt gives what the page shows", function()
  local typed <const>, shown <const> = {}, {}
  for _, block in ipairs(blocks "^> ") do
    for line in (block .. "\n"):gmatch "(.-)\n" do
      local input <const> = line:match "^> (.*)"
      typed[#typed + 1] = input
      if not input then shown[#shown + 1] = line end
    end
  end
  assert(#typed > 15 and #shown > 15, "the page has lost its lines at the prompt")
  local folder <const> = command.folder()
  command.write(folder .. "/typed", table.concat(typed, "\n") .. "\n")
  local said <const> = command.shell(
    ("cd %s && LUGANO_DATA=%s %s <typed"):format(
      command.quote(folder), command.quote(command.source .. "/models/data"),
      command.quote(command.program)))
  check.equal(command.exists(folder .. "/real.png"), true, "real.png")
  command.remove(folder)
  check.equal(words(said), words(table.concat(shown, "\n")), "the prompt")
end)

check.case("alarms are quoted as the engine gives them", function()
  local source <const> = command.read(command.source .. "/lua/lugano/health.lua")
    :gsub('"%s*%.%.%s*"', ""):gsub("%%%%", "%%")
  local quoted = 0
  for _, block in ipairs(blocks "^epoch ") do
    for advice in block:gmatch "\n[^e\n][^\n]-; ([^\n]+)" do
      quoted = quoted + 1
      assert(source:find(advice, 1, true), "no alarm says: " .. advice)
    end
  end
  assert(quoted >= 4, "the page has lost its alarms")
end)

check.case("its pictures are there, and small", function()
  local count = 0
  for path in text:gmatch "%]%((guide/[%w_]+%.png)%)" do
    local bytes <const> = #command.read(command.source .. "/docs/" .. path)
    assert(bytes < 60000, path .. " is too large")
    count = count + 1
  end
  assert(count >= 5, "the page has lost its pictures")
end)

check.report()

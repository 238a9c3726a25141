-- test_bench_performance.lua - tests/bench/performance, cut short, writes a page's parts
-- and a picture. Its figures are not looked at.

local check <const>, command <const> = require "check", require "command"
local folder <const> = command.folder()
local path <const> = folder .. "/performance.md"
local before <const> = command.read(command.source .. "/docs/performance.md")

--- Runs it on the page in the folder: what it printed, and its exit status.
local function measure(words)
  if not command.program then check.skip "LUGANO does not name the command" end
  return command.shell(("LUGANO=%s %s --page=%s --skip_peer --skip_probe --rounds=1 "
                        .. "--seconds=0.01 --least=1 %s"):format(
    command.quote(command.program),
    command.quote(command.source .. "/tests/bench/performance"), command.quote(path),
    words))
end

--- What stands between the comments of a part.
local function part_of(text, name)
  return text:match(("<!%%-%%- %s: [^\n]*\n(.-)<!%%-%%- /%s %%-%%->"):format(name, name))
end

--- The page without its parts.
local function prose_of(text)
  return (text:gsub("(<!%-%- (%l+): [^\n]*\n).-(<!%-%- /%2 %-%->)", "%1%3"))
end

--- Each element is closed where it should be, and attributes have their quotes.
local function check_tree(text)
  local open <const> = {}
  for close, name, words, alone in text:gmatch "<(/?)(%a+)([^<>]-)(/?)>" do
    local rest <const> = words:gsub('%s+[%w:-]+="[^"<>]*"', "")
    check.equal(rest, "", "beside the attributes of " .. name)
    if close == "/" then
      check.equal(table.remove(open), name, "what is closed")
    elseif alone == "" then
      open[#open + 1] = name
    end
  end
  check.equal(#open, 0, "elements left open")
  check.equal((text:gsub("<[^<>]*>", "")):find "[<>]", nil, "a bracket in text")
end

check.case("the page of docs has each part once, and its picture", function()
  for _, name in ipairs { "machine", "growth", "workloads", "held" } do
    check.equal(part_of(before, name) ~= nil, true, name)
    local _, n <const> = before:gsub("<!%-%- /" .. name .. " %-%->", "")
    check.equal(n, 1, name)
  end
  check.equal(before:find("](performance.svg)", 1, true) ~= nil, true)
end)

check.case("the Lua of the page runs", function()
  local lg <const> = require "lugano"
  for code in before:gmatch "```lua\n(.-)```" do
    assert(load(code, "=performance.md"))()
  end
  lg.exact(false)
end)

check.case("it writes all parts, keeps the prose, and draws", function()
  command.write(path, before)
  local output <const>, status <const> = measure(
    "--only=tiny_ring --batches=2,4 --sizes=8,16 --widths=2,4 --counts=1,2 "
    .. "--middle=2,8,2")
  check.equal(status, 0, output)
  local text <const> = command.read(path)
  check.equal(prose_of(text), prose_of(before), "the prose")
  local workloads <const> = part_of(text, "workloads")
  check.equal(workloads:find("| tiny_ring | 1 | ", 1, true) ~= nil, true, workloads)
  check.equal(workloads:find("| tiny_ring | 2 | ", 1, true) ~= nil, true, workloads)
  check.equal(part_of(text, "held"):find("| tiny_ring | ", 1, true) ~= nil, true)
  check.equal(part_of(text, "machine"):find("not measured: --skip_peer", 1, true) ~= nil,
              true)
  local growth <const> = part_of(text, "growth")
  for _, head in ipairs { "batch", "image size", "channels", "threads" } do
    local rows <const> = growth:match("| " .. head .. " |[^\n]*\n[^\n]*\n(|.-\n)\n")
    check.equal(select(2, rows:gsub("\n", "")), 2, head .. ":\n" .. growth)
  end
  local picture <const> = command.read(folder .. "/performance.svg")
  check_tree(picture)
  check.equal(select(2, picture:gsub("<polyline", "")), 8, "lines")
  check.equal(picture:find "nan" or picture:find "inf", nil)
end)

check.case("a part that is left out stays as it is", function()
  local picture <const> = folder .. "/performance.svg"
  if not command.exists(picture) then check.skip "nothing was made" end
  os.remove(picture)
  local was <const> = command.read(path)
  local short <const> = "--parts=held --only=tiny_ring --counts=1"
  local output <const>, status <const> = measure(short)
  check.equal(status, 0, output)
  local text <const> = command.read(path)
  check.equal(part_of(text, "growth"), part_of(was, "growth"))
  check.equal(part_of(text, "workloads"), part_of(was, "workloads"))
  check.equal(command.exists(picture), false)
end)

check.case("a page without a part, and a workload that is none, are told", function()
  command.write(path, "nothing")
  local output, status = measure "--parts=held --only=tiny_ring --counts=1"
  check.equal(status, 1)
  check.equal(output:find("the page has no part 'machine'", 1, true) ~= nil, true, output)
  output, status = measure "--only=tiny"
  check.equal(status, 1)
  check.equal(output:find("there is no workload tiny", 1, true) ~= nil, true, output)
end)

command.remove(folder)
check.report()

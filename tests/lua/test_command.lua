-- test_command.lua - the command as its user meets it: what it prints, its exit status.

local check <const>, command <const> = require "check", require "command"

local folder <const> = command.folder()

local function run(words, before) return command.run(words, before) end

local function run_script(text, words, before)
  local path <const> = folder .. "/script.lua"
  command.write(path, text)
  local output <const>, status <const> =
    command.run({ path, table.unpack(words or {}) }, before)
  return output:gsub(folder:gsub("%W", "%%%0") .. "/", ""), status
end

local function expect(text, part)
  if not text:find(part, 1, true) then error(("no '%s' in\n%s"):format(part, text), 2) end
end

--- Feeds lines to the command; words are its own.
local function feed(lines, words)
  if not command.program then check.skip "LUGANO does not name the command" end
  command.write(folder .. "/input", table.concat(lines, "\n") .. "\n")
  return command.shell(("%s %s < %s/input"):format(command.quote(command.program),
                                                   words or "", folder))
end

local function expect_output(words, output, status)
  local text <const>, got <const> = run(words)
  check.equal(text, output)
  check.equal(got, status)
end

-- Tasks ---------------------------------------------------------------------------------

check.case("code, standard input and a script are run", function()
  expect_output({ "-e", "print(lg.full({2, 2}, 3):sum():item())" }, "12.0\n", 0)
  expect_output({ "-e", "" }, "", 0)
  local text, status = feed({ "local a = 4", "print(a * 2)" }, "-")
  check.equal(text .. status, "8\n0")
  text, status = run_script("#!/usr/bin/env lugano\nlocal lg = require 'lugano'\n"
                            .. "print(#lg.zeros(5, 2), arg[0] ~= nil)")
  check.equal(text .. status, "5\ttrue\n0")
end)

check.case("help, version, manual and doctor", function()
  local text, status = run { "--help" }
  check.equal(status, 0)
  for _, part in ipairs { "usage: lugano", "--threads=N", "doctor", "--no-strict" } do
    expect(text, part)
  end
  text, status = run { "--version" }
  check.equal(text:match "^lugano %d+%.%d+%.%d+\n$" ~= nil, true, text)
  text, status = run { "--manual" }
  check.equal(status, 0, text)
  for _, part in ipairs { "## Operators", "### conv2d", "## Layers", "### Linear",
                          "## Optimizers", "### Adam" } do
    expect(text, part)
  end
  text, status = run { "doctor" }
  check.equal(status, 0, text)
  for _, part in ipairs { "lugano", "Lua        5.", "OpenBLAS", "libpng", "zlib",
                          "kernels", "threads", "memory", "data", "terminal" } do
    expect(text, part)
  end
end)

check.case("a script's options reach it, wherever they stand", function()
  local text, status = run_script("print(#arg, table.concat(arg, ' '))",
                                  { "--epochs=1", "--no-strict", "word" })
  check.equal(text .. status, "2\t--epochs=1 word\n0")
  text, status = run { "--seed=3", "--out=x", "-e", "print(table.concat(arg, ' '))",
                       "--lr=1" }
  check.equal(text .. status, "--seed=3 --out=x --lr=1\n0")
end)

check.case("wrong options of the command are refused", function()
  local cases <const> = {
    { { "--thread=1" }, "no option '--thread=1'" },
    { { "--threads" }, "option '--threads' needs a value" },
    { { "--threads=two" }, "and 'two' is not" },
    { { "--threads=-1" }, "and '-1' is not" },
    { { "--seed=1.5", "-e", "" }, "option '--seed' is a whole number" },
    { { "-e" }, "option '-e' needs code" },
    { { folder .. "/none.lua" }, "none.lua': No such file or directory" },
    { { folder }, "Is a directory" },
  }
  for _, c in ipairs(cases) do
    local text <const>, status <const> = run(c[1])
    expect(text, c[2])
    check.equal(status, 1, c[2])
  end
end)

-- Errors --------------------------------------------------------------------------------

check.case("an error names the line, and the script's own frames", function()
  local text, status = run_script [[
local lg = require "lugano"
local function loss(x)
  local y = x:matmul(x)
  return y
end
local all = { 1 }
table.sort(all)
local y = loss(lg.zeros(2, 3))
]]
  check.equal(status, 1)
  check.equal(text, [[
lugano: script.lua:3: matmul: {2,3} by {2,3}: a has 3 columns and b 2 rows, which must ]]
    .. [[be the same number
  script.lua:3: in function 'loss'
  script.lua:8: in the main chunk
]])
end)

check.case("a syntax error is one line", function()
  local text, status = run_script "local x = = 1\n"
  check.equal(text .. status, "lugano: script.lua:1: unexpected symbol near '='\n1")
  text, status = run_script "\27Lua is no text"
  expect(text, "attempt to load a binary chunk")
  check.equal(status, 1)
end)

check.case("an error may be any value, and the script may choose its status", function()
  local text, status = run_script "error({ code = 3 })"
  check.equal(text .. status,
              "lugano: script.lua:1: an error that is no text but a table\n1")
  text, status = run_script [[
error(setmetatable({}, {__tostring = function() return 'mine' end}))]]
  check.equal(text .. status, "lugano: mine\n1")
  text, status = run_script "error()"
  check.equal(status, 1, text)
  text, status = run_script "print 'x' os.exit(7)"
  check.equal(text .. status, "x\n7")
end)

check.case("what cannot be printed is an error", function()
  if not command.exists "/dev/full" then check.skip "there is no /dev/full" end
  local text, status = command.shell(command.quote(command.program)
                                     .. " -e 'print(1)' > /dev/full")
  check.equal(text .. status,
              "lugano: cannot write standard output: No space left on device\n1")
end)

check.case("a closed pipe ends it quietly", function()
  local text = command.shell(command.quote(command.program)
                             .. " -e 'while true do print(1) end' | head -n 1")
  check.equal(text, "1\n")
end)

-- Strict globals ------------------------------------------------------------------------

check.case("an unset global is an error with a suggestion", function()
  local cases <const> = {
    { "local epoch = 1 print(epohc)",
      "global 'epohc' is not set (did you mean 'epoch'?)" },
    { "prnt(1)", "script.lua:1: global 'prnt' is not set (did you mean 'print'?)" },
    { "print(randn)", "global 'randn' is not set (did you mean 'lg.randn'?)" },
    { "print(lg)", "global 'lg' is not set; write: local lg = require \"lugano\"" },
    { "print(zzzzzzzz)", "global 'zzzzzzzz' is not set\n" },
    { "local function f() count = 1 end f()", "global 'count' is set in a function" },
  }
  for _, c in ipairs(cases) do
    local text <const>, status <const> = run_script(c[1])
    expect(text, c[2])
    check.equal(status, 1, c[1])
  end
end)

check.case("globals that were set are as ever", function()
  local text, status = run_script [[
x, y = 1, nil
local function f() x = 2 y = 3 end
f()
print(x, y, rawget(_G, "z"))
]]
  check.equal(text .. status, "2\t3\tnil\n0")
  text, status = run_script("print(z) local function f() z = 1 end f() print(z)",
                            { "--no-strict" })
  check.equal(text .. status, "nil\n1\n0")
end)

check.case("modules from elsewhere may ask for globals that are missing", function()
  command.write(folder .. "/away.lua", "return { jit = jit, unpack = unpack or 1 }")
  command.shell(("mkdir -p %s/here"):format(folder))
  command.write(folder .. "/here/main.lua", ("package.path = '%s/?.lua;' .. package.path "
    .. "print(require('away').unpack)"):format(folder))
  expect_output({ folder .. "/here/main.lua" }, "1\n", 0)
end)

-- Random numbers ------------------------------------------------------------------------

check.case("math.random draws from the engine", function()
  local code <const> = "print(math.random(), math.random(10), lg.rand(1):item())"
  local one <const> = run { "--seed=5", "-e", code }
  check.equal(one, (run { "-e", code, "--seed=5" }))
  check.equal(one ~= (run { "--seed=6", "-e", code }), true, "another seed")
  local text, status = run { "-e", [[
    math.randomseed(9) local a = math.random(1000000)
    lg.seed(9) assert(a == math.random(1000000))
    for i = 1, 1000 do
      local x, y, z = math.random(), math.random(3), math.random(-2, 2)
      assert(x >= 0 and x < 1 and y >= 1 and y <= 3 and z >= -2 and z <= 2)
    end
    assert(math.type(math.random(0)) == "integer")
    math.random(math.mininteger, math.maxinteger)
    print(pcall(math.random, 2, 1))]] }
  expect(text, "interval is empty")
  check.equal(status, 0, text)
end)

-- Ctrl-C --------------------------------------------------------------------------------

--- Starts a script, sends it SIGINT once it said go, and gives output and status.
local function interrupt(text, signals)
  if not command.program then check.skip "LUGANO does not name the command" end
  command.write(folder .. "/script.lua", "print 'go' io.stdout:flush()\n" .. text)
  return command.shell(([[
cd %s && rm -f said
%s script.lua > said 2>&1 &
while ! grep -q go said 2>/dev/null; do sleep 0.05; done
sleep 0.2
for i in %s; do kill -INT $!; sleep 0.2; done
wait $!; code=$?
cat said
( exit $code )]]):format(folder, command.quote(command.program), signals or "1"))
end

check.case("Ctrl-C stops a loop, whatever it is in", function()
  local loops <const> = {
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "coroutine.wrap(function() while true do end end)()",
    "local co = coroutine.create(function() coroutine.wrap(function() while true do end "
      .. "end)() end) while true do coroutine.resume(co) end",
    "local lg = require 'lugano' local x = lg.rand(1500, 1500) while true do "
      .. "local y = x:matmul(x) end",
    "table.sort({3, 2, 1}, function() while true do end end)",
  }
  for _, text in ipairs(loops) do
    local said <const>, status <const> = interrupt(text)
    expect(said, "go\nlugano: script.lua:2: interrupted\n")
    check.equal(status, 130, text)
  end
end)

check.case("a second Ctrl-C ends what no hook stops", function()
  local said <const>, status <const> =
    interrupt("; (('a'):rep(300000)):find(('.-'):rep(30) .. 'b')", "1 2")
  check.equal(said .. status, "go\n130")
end)

-- The prompt ----------------------------------------------------------------------------

check.case("without a terminal the prompt reads plain lines", function()
  local text, status = feed {
    "1 + 1", "local x <const> = 20", "x * 2", "x * 2;", "'a', nil, {1, {2}, k = 'v'}",
    "for i = 1, 2 do", "print(i)", "end", "local function f() return x end", "f() + 1",
    "_", "-- nothing", "=7", "lg.zeros(2, 3).shape", "print(1) print(2)" }
  check.equal(text, "2\n40\na\tnil\t{1, {2}, k = \"v\"}\n1\n2\n21\n21\n7\n{2, 3}\n1\n2\n")
  check.equal(status, 0)
end)

check.case("the prompt goes on after an error, and ends with 1", function()
  local text, status = feed { "error 'one'", "prnt(1)", "x = = 2", "1 + 1",
                              "lg.zeros(2, 3):matmul(lg.ones(2))", "(" }
  for _, part in ipairs { "stdin:1: one\n", "(did you mean 'print'?)", "matmul: ",
                          "unexpected symbol near '='", "\n2\n", "near <eof>" } do
    expect(text, part)
  end
  check.equal(status, 1)
end)

-- Pictures ------------------------------------------------------------------------------

check.case("LUGANO_IMAGE chooses how a picture is shown", function()
  local show <const> = "lg.image.grid(lg.full({1, 1, 4, 4}, 1)):show()"
  local text, status = run({ "-e", show }, "LUGANO_IMAGE=ascii")
  check.equal(status, 0, text)
  expect(text, "@@@@")
  expect(run({ "-e", show }, "LUGANO_IMAGE=half"), "\u{2580}")
  expect(run({ "-e", show }, "LUGANO_IMAGE=kitty"), "\27_Ga=T,f=24")
  expect(run({ "-e", show }, "LUGANO_IMAGE=iterm"), "\27]1337;File=inline=1")
  check.equal((run({ "-e", show })):find "\27", nil, "escape codes without a terminal")
end)

command.remove(folder)
check.report()

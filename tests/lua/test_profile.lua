-- test_profile.lua - lugano --profile: the table at the end of a script.

local lg <const> = require "lugano"
local check <const>, command <const> = require "check", require "command"

local folder <const> = command.folder()

local function profiled(text, words)
  local path <const> = folder .. "/script.lua"
  command.write(path, 'local lg = require "lugano"\n' .. text)
  return command.run { "--profile", path, table.unpack(words or {}) }
end

--- The cells of a row by its name: calls, time, its unit, ...
local function row(output, name)
  for line in output:gmatch "[^\n]+" do
    if line:find("^  " .. name .. "  +%d") then
      local cells <const> = {}
      for cell in line:sub(#name + 3):gmatch "%S+" do cells[#cells + 1] = cell end
      return cells
    end
  end
  error(("no row '%s' in\n%s"):format(name, output), 2)
end

local function calls(output, name) return tonumber(row(output, name)[1]) end

local three_products <const> = [[
local w = lg.ones(64, 64):track()
for _ = 1, 3 do
  local y = lg.ones(64, 64):matmul(w):relu()
  lg.grad(y:sum(), w)
end
]]

check.case("operators, those of gradients too, have rows with their calls", function()
  local output <const>, status <const> = profiled(three_products, { "--threads=1" })
  check.equal(status, 0, output)
  check.equal(calls(output, "matmul"), 6)       -- three of them for the gradient
  check.equal(calls(output, "relu"), 3)
  check.equal(calls(output, "relu_back"), 3)
  check.equal(calls(output, "sum"), 3)
  local all <const> = calls(output, "in all")
  local sum = 0
  for line in output:gmatch "[^\n]+" do
    sum = sum + (tonumber(line:match "^  [%w_]+  +(%d+) ") or 0)
  end
  check.equal(sum, all, "calls in all")
end)

check.case("the head tells of time, threads and memory, and the columns their names",
           function()
  local output <const> = profiled(three_products, { "--threads=1" })
  local head <const>, names <const> = output:match "^([^\n]*)\n([^\n]*)\n"
  check.equal(head:match "^profile: [%d.]+ [mu]?s on 1 thread, at most [%d.]+ %a+ in use"
              ~= nil, true, head)
  check.equal(names:gsub("^ +", ""):gsub(" +", " "),
              "calls time share each GFLOP/s GB/s memory")
  check.equal(row(output, "matmul")[11], "kB", "the unit of the memory of a product")
  local size <const> = lg.element == "float" and 17.4 or 34.8
  check.equal(tonumber(row(output, "relu")[10]), size, "kB of 64 x 64 numbers and bits")
end)

check.case("a view moves nothing, and an update of an optimizer is a row", function()
  local output <const> = profiled [[
    local w = lg.ones(4, 4):track()
    local opt = lg.optim.Adam({ w })
    for _ = 1, 5 do opt:minimize(w:reshape(16):sum()) end]]
  check.equal(calls(output, "Adam"), 5)
  check.equal(table.concat(row(output, "reshape"), " "):match "%- %- %-$", "- - -")
end)

check.case("rows are sorted by their time", function()
  local output <const> = profiled [[
    local x = lg.ones(300, 300)
    for _ = 1, 5 do lg.matmul(x, x) end
    lg.relu(lg.ones(2))]]
  check.equal(output:find "\n  matmul" < output:find "\n  relu", true, output)
end)

check.case("the table comes after an error, too, and after os.exit", function()
  local output, status = profiled "lg.ones(2):relu() error 'wrong'"
  check.equal(status, 1)
  check.equal(output:find("wrong", 1, true) ~= nil, true, output)
  check.equal(calls(output, "relu"), 1)
  output, status = profiled "lg.ones(2):relu() os.exit(7)"
  check.equal(status, 7)
  check.equal(calls(output, "relu"), 1)
end)

check.case("Ctrl-C ends the script, and the table is there", function()
  local output <const>, status <const> = profiled [[
    lg.ones(2):relu()
    io.popen("kill -INT $PPID"):close()
    while true do end]]
  check.equal(status, 130, output)
  check.equal(calls(output, "relu"), 1)
end)

check.case("an operator in Lua has its own name", function()
  local output <const> = profiled [[
    local twice = lg.custom { name = "twice", forward = function(x) return x * 2 end,
                              backward = function(g) return g * 2 end }
    local x = lg.ones(3):track()
    for _ = 1, 4 do twice(x) end]]
  check.equal(calls(output, "twice"), 4)
end)

check.case("code and standard input are profiled; the script does not see the option",
           function()
  local output, status = command.run { "--profile", "-e",
                                       "print(#arg, lg.ones(2):relu())" }
  check.equal(status, 0, output)
  check.equal(calls(output, "relu"), 1)
  check.equal(output:match "^(%d+)", "0")
  output, status = profiled("print(#arg, arg[1])", { "--lr=1", "--profile" })
  check.equal(output:match "^[^\n]*", "1\t--lr=1")
  check.equal(status, 0)
end)

check.case("nothing is printed without it, and a prompt has no profile", function()
  local output, status = command.run { "-e", "lg.ones(2):relu()" }
  check.equal(output .. status, "0")
  output, status = command.run { "--profile" }
  check.equal(output, "lugano: option '--profile' needs a script: lugano --profile "
                      .. "SCRIPT\n")
  check.equal(status, 1)
end)

check.case("the results are the same bits with a profile and without", function()
  local text <const> = [[
    local x = lg.randn(50, 50)
    print(x:matmul(x):tanh():sum():item())]]
  local with <const> = profiled(text)
  local without <const> = command.run { folder .. "/script.lua" }
  check.equal(with:match "^[^\n]*\n", without)
end)

command.remove(folder)
check.report()

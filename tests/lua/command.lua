--- command.lua - runs the built command and other programs, for tests.
local check <const> = require "check"
local command <const> = {}

command.program = os.getenv "LUGANO"
command.source = os.getenv "LUGANO_SOURCE" or "."

--- A word of the shell, whatever is in it.
function command.quote(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

--- Runs a line of the shell: what it printed, errors too, and its exit status.
function command.shell(line)
  local pipe <const> = assert(io.popen("{ " .. line .. "\n} 2>&1; echo \"status $?\""))
  local text <const> = pipe:read "a"
  pipe:close()
  local output <const>, status <const> = text:match "^(.*)status (%d+)\n$"
  return output, tonumber(status)
end

--- Runs the command with the words given; before are settings, "LUGANO_DATA=x".
function command.run(words, before)
  if not command.program then check.skip "LUGANO does not name the command" end
  local line <const> = { before or "", command.quote(command.program) }
  for _, word in ipairs(words) do line[#line + 1] = command.quote(word) end
  return command.shell(table.concat(line, " "))
end

--- A new folder for the files of a test.
function command.folder()
  local name <const> = os.tmpname()
  os.remove(name)
  assert(os.execute("mkdir " .. command.quote(name)))
  return name
end

function command.remove(folder) os.execute("rm -rf " .. command.quote(folder)) end

function command.write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

function command.read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

function command.exists(path)
  local file <const> = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

return command

--- prompt.lua - the prompt: reads a line, prints what it gives, goes on.
--
-- A line is an expression or a statement, and may go on over several lines. A `local` at
-- its beginning makes a name that stays, so that a script can be pasted line by line.
-- core gives read_line, guarded, interactive.

local core <const> = ...

local most_items <const>, most_depth <const> = 20, 3   -- of a table that is shown

local failed = false

--- "{1, 2, x = {3}}": a table as one would write it, cut where it is long.
local show

local function is_plain(value)
  local meta <const> = type(value) == "table" and getmetatable(value)
  return type(value) == "table" and not (meta and (meta.__tostring or meta.__name))
end

local function show_key(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then return key .. " = " end
  return "[" .. show(key, most_depth) .. "] = "
end

local function show_table(t, depth)
  local parts <const>, keys <const> = {}, {}
  for i = 1, math.min(#t, most_items) do parts[i] = show(t[i], depth + 1) end
  local more = #t > most_items
  for key in pairs(t) do
    if math.type(key) ~= "integer" or key < 1 or key > #t then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, key in ipairs(keys) do
    if i > most_items then more = true break end
    parts[#parts + 1] = show_key(key) .. show(t[key], depth + 1)
  end
  if more then parts[#parts + 1] = "..." end
  return "{" .. table.concat(parts, ", ") .. "}"
end

function show(value, depth)
  if is_plain(value) then
    return depth < most_depth and show_table(value, depth) or "{...}"
  end
  if depth == 0 then return tostring(value) end
  if type(value) == "string" then return ("%q"):format(value) end
  return type(value) == "function" and "function" or tostring(value)
end

local function print_all(n, ...)
  local parts <const> = {}
  for i = 1, n do parts[i] = show((select(i, ...)), 0) end
  local text <const> = table.concat(parts, "\t")
  io.stdout:write(text:find "\n" and table.concat(parts, "\n") or text, "\n")
end

--- Runs what was read; a guarded call, so that Ctrl-C stops the printing, too.
local function evaluate(chunk, hidden)
  local function finish(...)
    local n <const> = select("#", ...)
    if n > 0 then rawset(_G, "_", (...)) end
    if n > 0 and not hidden then print_all(n, ...) end
  end
  finish(chunk())
end

--- `local x <const> = 1` would be forgotten at the end of the line: `x = 1`.
local function without_local(text)
  local rest = text:match "^%s*local%s+(function%f[%W].*)$"
  if rest then return rest end
  local names <const>, values <const> =
    text:match "^%s*local%s+([%w_%s,<>]-)%s*=([^=].*)$"
  if names and names:find "^[%a_]" then
    return names:gsub("%s*<%s*%a+%s*>", "") .. " =" .. values
  end
  local bare <const> = text:match "^%s*local%s+([%a_][%w_%s,]*)%s*;?%s*$"
  return bare and bare .. " = nil" or text
end

--- The code as a function and whether to hide what it gives; or nil and the error, and
-- whether the code only wants more lines.
local function compile(text)
  text = without_local(text:gsub("^%s*=", "return ", 1))
  local chunk = load("return " .. text, "=stdin", "t")
  if chunk then return chunk, text:find ";%s*$" ~= nil end
  local why
  chunk, why = load(text, "=stdin", "t")
  if chunk then return chunk, false end
  return nil, why, why:find "<eof>$" ~= nil
end

local function complain(message)
  failed = true
  io.stdout:flush()
  io.stderr:write(tostring(message), "\n")
end

--- What people type to leave, where it means nothing else.
local function is_farewell(text)
  local word <const> = text:match "^%s*(%a+)%s*%(?%s*%)?%s*$"
  return (word == "exit" or word == "quit") and rawget(_G, word) == nil
end

--- Reads lines until they are complete; false: nothing to run; nil: the end.
local function read_chunk()
  local text = core.read_line "> "
  if text and is_farewell(text) then return nil end
  if not text or not text:find "%S" then return text and false end
  while true do
    local chunk <const>, what <const>, incomplete <const> = compile(text)
    if chunk then return chunk, what end
    local line
    if incomplete then line = core.read_line ">> " end
    if line == false then return false end
    if not line then
      complain(what)
      return false
    end
    text = text .. "\n" .. line
  end
end

local function greet()
  if not core.interactive then return end
  local v <const> = core.versions()
  io.stdout:write(("lugano %s, Lua %s, %s, threads: %d. lg is the module; "
                   .. "Ctrl-D leaves.\n"):format(v.lugano, v.lua, core.kernels(),
                                                 core.threads()))
end

--- Reads and runs to the end of input. Returns the exit status: at a terminal errors are
-- part of the conversation, elsewhere they make it 1.
return function()
  greet()
  while true do
    local chunk <const>, hidden <const> = read_chunk()
    if chunk == nil then return failed and not core.interactive and 1 or 0 end
    if chunk then
      local ok <const>, why <const> = core.guarded(evaluate, chunk, hidden)
      if not ok and why ~= core.finished then complain(why) end
      core.graceful(false)
    end
  end
end

-- test_house.lua - the rules of the house, read from the sources. It needs no engine.
--
-- docs/style.md says why each rule is there. A rule prints every place that breaks it.

local root <const> = os.getenv "LUGANO_SOURCE" or "."
local faults = 0

local function fault(format, ...)
  faults = faults + 1
  print(string.format(format, ...))
end

-- Files ---------------------------------------------------------------------------------

local function shell(command)
  local pipe <close> = assert(io.popen("cd '" .. root .. "' && " .. command))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  return lines
end

local function read(path)
  local file <close> = assert(io.open(root .. "/" .. path))
  return file:read "a"
end

local function lines_of(text)
  local lines = {}
  for line in (text .. (text:sub(-1) == "\n" and "" or "\n")):gmatch "(.-)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

--- Comments and the insides of strings become blanks; lines stay where they are.
local function code_only(text)
  local out, i = {}, 1
  local function blank(to)
    out[#out + 1] = text:sub(i, to):gsub("[^\n]", " ")
    i = to + 1
  end
  while i <= #text do
    local two, one = text:sub(i, i + 1), text:sub(i, i)
    if two == "/*" then
      blank(select(2, text:find("*/", i + 2, true)) or #text)
    elseif two == "//" then
      blank((text:find("\n", i, true) or #text + 1) - 1)
    elseif one == '"' or one == "'" then
      local j = i + 1
      while text:sub(j, j) ~= one and j <= #text do
        j = j + (text:sub(j, j) == "\\" and 2 or 1)
      end
      out[#out + 1] = one .. (" "):rep(j - i - 1) .. one
      i = j + 1
    else
      local stop = (text:find("[/\"']", i + 1) or #text + 1) - 1
      out[#out + 1] = text:sub(i, stop)
      i = stop + 1
    end
  end
  return table.concat(out)
end

local kinds <const> = {c = true, h = true, lua = true, cmake = true, md = true, sh = true,
  txt = true, bootstrap = true}

-- C, Lua and our own text; each source with its lines and its code without comments.
local sources, c_files = {}, {}
for _, path in ipairs(shell [[find src lua models tests third_party docs README.md \
    CMakeLists.txt -type f 2>/dev/null | LC_ALL=C sort]]) do
  local kind = path:match "%.(%w+)$" or path:match "[^/]+$"
  if kinds[kind] then
    local text = read(path)
    local s = {path = path, text = text, lines = lines_of(text)}
    if path:find "%.[ch]$" then s.code = code_only(text) end
    sources[#sources + 1] = s
    if path:find "^src/.*%.[ch]$" then c_files[#c_files + 1] = s end
  end
end
assert(#c_files > 30, "the sources are not where they should be")

-- Sizes ---------------------------------------------------------------------------------

for _, s in ipairs(sources) do
  local long = s.path:find "%.md$" or s.path:find "^tests/golden/"
    or s.path:find "^lua/library/"      -- printed by the command
  if not long and #s.lines > 600 then
    fault("%s: %d lines; a file has at most 600", s.path, #s.lines)
  end
  for n, line in ipairs(s.lines) do
    local width = utf8.len(line) or #line
    if width > 90 and not long then fault("%s:%d: %d columns of 90", s.path, n, width) end
    if line:find "\t" then fault("%s:%d: a tab", s.path, n) end
    if line:find "[ ]$" and not long then fault("%s:%d: blanks at the end", s.path, n) end
  end
  local top = s.path:match "^models/([^/]*%.lua)$"
  if top and #s.lines >= 80 then
    fault("%s: %d lines; a model has under 80", s.path, #s.lines)
  end
end

-- Each function: in C from the brace in the first column to the one that ends it, in Lua
-- from its line to the "end" in the first column.
local functions = {}

local function add_functions(s, lines, opens, ends)
  local start, name
  for n, line in ipairs(lines) do
    local opened, called = opens(line)
    name = called or name
    if opened then start = n end
    if start and line:find(ends) then
      local size = n - start - 1
      functions[#functions + 1] = {path = s.path, line = start, name = name, size = size}
      start = nil
    end
  end
end

local function opens_c(line) return line == "{", line:match "^[%a_].-([%w_]+)%(" end

local function opens_lua(line)
  local name = line:match "^local function ([%w_]+)"
    or line:match "^function ([%w_.:]+)"
  return name, name
end

for _, s in ipairs(sources) do
  if s.path:find "%.c$" then
    add_functions(s, lines_of(s.code), opens_c, "^}")
  elseif s.path:find "%.lua$" then
    add_functions(s, s.lines, opens_lua, "^end")
  end
end

local long = 0
for _, f in ipairs(functions) do
  if f.size >= 40 then long = long + 1 end
  if f.size > 80 then
    fault("%s:%d: %s has %d lines; a function has at most 80", f.path, f.line, f.name,
      f.size)
  end
end
if long * 10 > #functions then
  fault("%d of %d functions have 40 lines and more; 9 of 10 must be shorter", long,
    #functions)
end

-- Floors and doors ----------------------------------------------------------------------

local floor <const> = {base = 0, tensor = 1, kernel = 2, op = 3, grad = 4, nn = 5,
  optim = 5, data = 6, lua = 7, cli = 8}
local doors <const> = {
  {"^lua%.h$", "^src/lua/", "^src/cli/", "^src/lugano_lua%.h$"},
  {"^lauxlib%.h$", "^src/lua/", "^src/cli/"}, {"^lualib%.h$", "^src/lua/", "^src/cli/"},
  {"^png%.h$", "^src/data/png%.c$"},
  {"^jpeglib%.h$", "^src/data/jpeg%.c$"}, {"^jerror%.h$", "^src/data/jpeg%.c$"},
  {"^cblas", "^src/kernel/gemm%.c$"}, {"^lapack", "^src/kernel/gemm%.c$"},
  {"^pthread%.h$", "^src/base/pool%.c$"}, {"^threads%.h$", "^src/base/pool%.c$"},
  {"^histedit%.h$", "^src/cli/"}, {"^editline/", "^src/cli/"},
}

local function check_door(s, line, header)
  for _, door in ipairs(doors) do
    if header:find(door[1]) then
      for i = 2, #door do
        if s.path:find(door[i]) then return end
      end
      local places = table.concat(door, ", ", 2):gsub("[%%^$]", "")
      fault("%s:%d: <%s> has its place elsewhere: %s", s.path, line, header, places)
    end
  end
end

for _, s in ipairs(c_files) do
  local home = s.path:match "^src/(%w+)/"
  if home and not floor[home] then fault("%s: src/%s is no floor", s.path, home) end
  for n, line in ipairs(s.lines) do
    local ours = line:match '^%s*#%s*include%s*"([^"]+)"'
    local theirs = line:match "^%s*#%s*include%s*<([^>]+)>"
    if theirs then check_door(s, n, theirs) end
    local to = ours and ours:match "^(%w+)/"
    if to and not floor[to] then
      fault('%s:%d: "%s" is no path from src', s.path, n, ours)
    elseif to and home and floor[to] > floor[home] then
      fault("%s:%d: %s is a floor above %s", s.path, n, to, home)
    elseif to and home and floor[to] == floor[home] and to ~= home then
      fault("%s:%d: %s and %s are neighbors, and do not meet", s.path, n, to, home)
    elseif ours and not to and ours ~= "lugano.h" and ours ~= "lugano_lua.h" then
      fault('%s:%d: write it from src: "%s/%s"', s.path, n, home, ours)
    end
  end
end

-- Names ---------------------------------------------------------------------------------

local seen = {}                         -- static names and macros, over all of src
local function once(s, n, name, what)
  local before = seen[name]
  if before and before.path ~= s.path then
    fault("%s:%d: %s %s is also in %s; CI builds all of src as one unit",
      s.path, n, what, name, before.path)
  end
  seen[name] = before or s
end

for _, s in ipairs(c_files) do
  if s.path:find "%.c$" and not s.path:find "^src/cli/" then
    for n, line in ipairs(lines_of(s.code)) do
      local static = line:match "^static [^=;(]-([%w_]+)%s*%("
        or line:match "^static [^=;(]-([%w_]+)%s*[=;%[]"
      if static and static ~= "__attribute__" then once(s, n, static, "static") end
      local macro = line:match "^#%s*define%s+([%w_]+)"
      if macro then once(s, n, macro, "macro") end
      local type = line:match "^typedef .*}%s*([%w_]+)%s*;"
                   or line:match "^typedef [^{]-([%w_]+)%s*;"
                   or line:match "^}%s*([%w_]+);"
      if type then once(s, n, type, "type") end
    end
  end
  local mutable = "^static%s+([%w_]+[^(]*);"
  for n, line in ipairs(lines_of(s.code)) do
    local declared = line:match(mutable)     -- only a program owns its process
    if declared and not declared:find "const" and not s.path:find "^src/cli/" then
      fault("%s:%d: state of the process: %s", s.path, n, line)
    end
  end
end

-- Families: each ends in one table, which has every descriptor of its file --------------

local families <const> = {
  {folder = "op", type = "lg_op", prefix = "lgi_op_", table = "lgi_ops_"},
  {folder = "nn", type = "lgi_layer_type", prefix = "lgi_layer_", table = "lgi_layers_"},
  {folder = "optim", type = "lgi_optim_type", prefix = "lgi_optim_",
    table = "lgi_optims_"},
}

--- Names of the macros of a file that define a descriptor, directly or through another.
local function defining_macros(s, f)
  local macros, joined = {}, s.code:gsub("\\\n", "  ")
  local grew = true
  while grew do
    grew = false
    for name, body in joined:gmatch "#%s*define%s+([%w_]+)%([^)]*%)([^\n]*)" do
      local defines = body:find("const%s+" .. f.type .. "%s+" .. f.prefix .. "##")
      for other in pairs(macros) do
        defines = defines or body:find("%f[%w_]" .. other .. "%(")
      end
      if defines and not macros[name] then macros[name], grew = true, true end
    end
  end
  return macros
end

local function defined_in(s, f)
  local names, macros = {}, defining_macros(s, f)
  for n, line in ipairs(lines_of(s.code)) do
    local name = line:match("^const%s+" .. f.type .. "%s+" .. f.prefix .. "([%w_]+)%s*=")
    local macro, argument = line:match "^([%w_]+)%(([%w_]+)"
    if macro and macros[macro] then name = argument end
    if name then names[name] = n end
  end
  return names
end

local function frame_files()
  local frame = {}
  local calls = "lg_list_families%((%w+)[^)]-FRAME ([%w_ ]+)"
  for floor_name, list in read "CMakeLists.txt":gmatch(calls) do
    for name in list:gsub("EXTRA", ""):gmatch "[%w_]+" do
      frame["src/" .. floor_name .. "/" .. name .. ".c"] = true
    end
  end
  return frame
end

local function check_family(s, f)
  local name = s.path:match "([%w_]+)%.c$"
  local head = "const " .. f.type .. " %*const " .. f.table .. name
  local listed = s.code:match(head .. "%[%]%s*=%s*(%b{});%s*$")
  if not listed then
    return fault("%s: it must end in the table %s%s[]", s.path, f.table, name)
  end
  local defined, last = defined_in(s, f), nil
  for entry in listed:gmatch("&" .. f.prefix .. "([%w_]+)") do
    if not defined[entry] then
      fault("%s: %s is in the table, and not in the file", s.path, entry)
    end
    defined[entry] = nil
  end
  for entry in listed:gmatch "[%w_]+" do last = entry end
  if last ~= "NULL" then fault("%s: NULL must end the table", s.path) end
  for entry, n in pairs(defined) do
    fault("%s:%d: %s is not in the table", s.path, n, entry)
  end
end

local frame <const> = frame_files()
for _, s in ipairs(c_files) do
  for _, f in ipairs(families) do
    if s.path:find("^src/" .. f.folder .. "/.*%.c$") and not frame[s.path] then
      check_family(s, f)
    end
  end
end

-- The top level, and the public text ----------------------------------------------------

local top <const> = {["README.md"] = true, LICENSE = true, ["CMakePresets.json"] = true,
  ["CMakeLists.txt"] = true, src = true, lua = true, models = true, tests = true,
  third_party = true, docs = true, build = true, out = true}
for _, name in ipairs(shell "ls") do
  if not top[name] then fault("%s: the top level has no place for it", name) end
end

-- Words of how it was made, which say nothing to who reads it. TODO counts in capitals.
local private <const> = {"session", "sub%-?agent", "%f[%w]helper", "%f[%w]claude%f[%W]",
  "%f[%w]llm%f[%W]", "fixme", "the brief%f[%W]", "as requested"}

local function private_word(line)
  if line:find "%f[%w]TODO%f[%W]" then return "TODO" end
  for _, word in ipairs(private) do
    if line:lower():find(word) then return line:lower():match(word) end
  end
end

for _, s in ipairs(sources) do
  for n, line in ipairs(s.path == "tests/lua/test_house.lua" and {} or s.lines) do
    local word = private_word(line)
    if word then fault("%s:%d: '%s': not in public text", s.path, n, word) end
  end
end

-- Commands in the documents: a test or CI runs each, or the list says who does ----------

local by_hand <const> = {
  ["cmake --install build/release"] = "the hosts test installs, to a place of its own",
}
local runners = {read ".ci/run"}
for _, s in ipairs(sources) do
  if s.path:find "^tests/.*%.sh$" then runners[#runners + 1] = s.text end
end
local tested <const> = table.concat(runners, "\n")
for _, s in ipairs(sources) do
  if s.path:find "%.md$" and not s.path:find "^models/data/" then
    for block in s.text:gmatch "```sh\n(.-)```" do
      for _, line in ipairs(lines_of(block)) do
        local command = line:gsub("%s+#.*", ""):match "^%s*(.-)%s*$"
        local known = command == "" or by_hand[command] or tested:find(command, 1, true)
        if not known then
          fault("%s: no test runs this command: %s", s.path, command)
        end
      end
    end
  end
end

if faults > 0 then
  print(string.format("%d faults of the house", faults))
  os.exit(1)
end
print(string.format("%d files and %d functions keep the rules of the house", #sources,
  #functions))

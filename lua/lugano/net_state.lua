--- net_state.lua - the numbers of a net: parameters and buffers, saved and loaded.

local core <const> = ...
local lg <const> = core.lg
local net <const>, sorted_keys <const> = core.load "net", core.load "keys"
local inner <const>, methods <const> = net.inner, net.methods

local most_listed <const> = 10         -- differences that a message tells one by one

-- By name

local function before(a, b)
  local m <const>, n <const> = tonumber(a.key), tonumber(b.key)
  if m and n then return m < n end
  if m or n then return m ~= nil end
  return a.key < b.key
end

--- around: the innermost net around it that was called.
local function fail_unbuilt(part, around)
  local own <const> = part[inner]
  local name <const> = own.path or own.name or "a layer"
  if around then
    core.fail("%s (%s, defined at %s) has no shapes: the forward of %s (%s, defined at "
              .. "%s) did not call it; call it there, or take it out", name, own.kind,
              own.where, around[inner].path, around[inner].kind, around[inner].where)
  end
  core.fail("%s (%s, defined at %s) has no shapes yet; declare `input = {...}` in the "
            .. "net around it, or call it once", name, own.kind, own.where)
end

--- Tensors of its own and parts, by key: positions first, then names.
local function sorted_entries(part, around)
  local own <const>, entries <const> = part[inner], {}
  if own.layer and not own.tensors then
    if not own.layer:built() then fail_unbuilt(part, around) end
    own.tensors = own.layer:parameters()
  end
  for _, t in ipairs(own.tensors or {}) do
    entries[#entries + 1] = { key = t.name, tensor = t.tensor, buffer = t.buffer,
                              of_layer = own.layer ~= nil }
  end
  for i, child in ipairs(own.parts) do
    entries[#entries + 1] = { key = own.keys[i], child = child }
  end
  table.sort(entries, before)
  return entries
end

local function collect(part, prefix, around, seen, list)
  if seen[part] then return list end
  seen[part] = true
  around = part[inner].shape and part or around
  for _, entry in ipairs(sorted_entries(part, around)) do
    if entry.child then
      collect(entry.child, prefix .. entry.key .. ".", around, seen, list)
    elseif not seen[entry.tensor] then
      seen[entry.tensor] = true
      list[#list + 1] = { name = prefix .. entry.key, tensor = entry.tensor,
                          buffer = entry.buffer, of_layer = entry.of_layer }
    end
  end
  return list
end

--- All parameters and buffers: a sorted list of { name = "2.weight", tensor =,
-- buffer = }. Names are positions and fields. What stands in a net twice is there once,
-- by the first of its names; what stands in two nets is in the state of each.
function methods:state()
  local own <const> = self[inner]
  own.state = own.state or collect(self, "", nil, {}, {})
  return table.move(own.state, 1, #own.state, 1, {})
end

--- The tensors that an optimizer changes, in the order of state().
function methods:parameters()
  local list <const> = {}
  for _, p in ipairs(self:state()) do
    if not p.buffer then list[#list + 1] = p.tensor end
  end
  return list
end

--- Loops over the parameters: for name, p in G:named_parameters() do ... end
---@return function
function methods:named_parameters()
  local state <const>, i = self:state(), 0
  return function()
    repeat i = i + 1 until not state[i] or not state[i].buffer
    if state[i] then return state[i].name, state[i].tensor end
  end
end

--- The parameter or buffer of a name: G:parameter "2.weight".
---@param name string
---@return lugano.Tensor
function methods:parameter(name)
  local names <const> = {}
  for i, t in ipairs(self:state()) do
    if t.name == name then return t.tensor end
    names[i] = t.name
  end
  core.fail("%s has no parameter or buffer '%s'%s", self[inner].path, tostring(name),
            net.hint(tostring(name), names))
end

-- Where numbers come from: { names =, shape = f(name), read = f(name), called = text }

local function tensors_source(by_name, called)
  return { called = called, names = sorted_keys(by_name),
           shape = function(name) return by_name[name].shape end,
           read = function(name)
             local t <const> = by_name[name]
             return lg.zeros(t.shape):copy(t)  -- it may be another one of this net
           end }
end

--- An open file; of its names those that begin with the prefix, which is cut off.
local function archive_source(archive, prefix, called)
  local names <const> = {}
  for _, name in ipairs(archive:names()) do
    if name:sub(1, #prefix) == prefix then names[#names + 1] = name:sub(#prefix + 1) end
  end
  table.sort(names)
  return { called = called, names = names,
           shape = function(name) return archive:shape(prefix .. name) end,
           read = function(name) return archive:read(prefix .. name) end }
end

local function check_named(name, tensor)
  if type(name) ~= "string" or not core.is_tensor(tensor) then
    core.fail("load_state takes a net, a list as state() gives it, tensors by name as "
              .. "lg.load gives them, or an open file; '%s' there is no named tensor",
              tostring(name))
  end
end

local function source_of(given)
  if type(given) == "userdata" and not core.is_tensor(given) then
    return archive_source(given, "", "the file")
  end
  if type(given) ~= "table" then
    core.fail("load_state takes a net, a list as state() gives it, tensors by name as "
              .. "lg.load gives them, or an open file, not a %s",
              core.is_tensor(given) and "tensor" or type(given))
  end
  local is_net <const>, by_name <const> = net.is_part(given), {}
  local list <const> = is_net and given:state() or given
  for _, key in ipairs(sorted_keys(list)) do
    local t <const> = list[key]
    local listed <const> = math.type(key) == "integer" and type(t) == "table"
    local name <const> = listed and t.name or key
    local tensor <const> = listed and t.tensor or t
    check_named(name, tensor)
    by_name[name] = tensor
  end
  return tensors_source(by_name, is_net and given[inner].path or "what it is given")
end

-- Reports

local Report <const> = { __name = "lugano.report" }
Report.__index = Report

local function sizes(shape) return "{" .. table.concat(shape, ",") .. "}" end

local function difference_lines(report)
  local lines <const> = {}
  for _, t in ipairs(report.mismatched) do
    lines[#lines + 1] = ("'%s' is %s there and %s here"):format(t.name, sizes(t.there),
                                                                sizes(t.here))
  end
  for _, name in ipairs(report.missing) do
    lines[#lines + 1] = ("there is no '%s'"):format(name)
  end
  for _, name in ipairs(report.unknown) do
    lines[#lines + 1] = ("there is a '%s', which has no place here"):format(name)
  end
  return lines
end

--- What differs: numbers, and the first ten one by one.
local function differences(report)
  local lines <const> = difference_lines(report)
  local shown <const> = table.move(lines, 1, most_listed, 1, {})
  if #lines > most_listed then
    shown[#shown + 1] = ("and %d more"):format(#lines - most_listed)
  end
  local counts <const> = {}
  for _, c in ipairs { { #report.missing, "missing" },
                       { #report.unknown, "without a place" },
                       { #report.mismatched, "of another shape" } } do
    if c[1] > 0 then counts[#counts + 1] = c[1] .. " " .. c[2] end
  end
  return table.concat(counts, ", "), table.concat(shown, "\n  ")
end

function Report:__tostring()
  local count <const>, text <const> = differences(self)
  local rest <const> = text == "" and "" or (", %s:\n  %s"):format(count, text)
  return ("%d loaded%s"):format(#self.loaded, rest)
end

local function compare(state, source)
  local report <const> = { loaded = {}, missing = {}, unknown = {}, mismatched = {} }
  local left <const> = {}
  for _, name in ipairs(source.names) do left[name] = true end
  for _, t in ipairs(state) do
    if not left[t.name] then
      report.missing[#report.missing + 1] = t.name
    else
      local there <const>, here <const> = source.shape(t.name), t.tensor.shape
      left[t.name] = nil
      if sizes(there) == sizes(here) then
        report.loaded[#report.loaded + 1] = t.name
      else
        report.mismatched[#report.mismatched + 1] = { name = t.name, there = there,
                                                      here = here }
      end
    end
  end
  report.unknown = sorted_keys(left)
  return setmetatable(report, Report)
end

-- Loading

local function check_options(who, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then
    core.fail("%s takes a table of options, not a %s", who, type(options))
  end
  for _, key in ipairs(sorted_keys(options)) do
    local is_known = false
    for _, name in ipairs(known) do is_known = is_known or key == name end
    if not is_known then
      core.fail("%s has no option '%s'%s", who, tostring(key),
                net.hint(tostring(key), known))
    end
  end
  return options
end

net.check_options = check_options

--- The vectors of a spectral weight that came without them are those of another weight:
-- zeros tell its layer to find them anew.
local function forget_vectors(state, read)
  for _, t in ipairs(state) do
    local weight <const> = t.of_layer and t.buffer and t.name:match "^(.*)_v$"
    if weight and read[weight] and not read[t.name] then
      t.tensor:copy(lg.zeros(t.tensor.shape))
    end
  end
end

--- Reads all, and only then changes anything.
local function load_from(self, who, source, partial)
  local state <const>, read <const> = self:state(), {}
  local report <const> = compare(state, source)
  local count <const>, text <const> = differences(report)
  local name <const> = self[inner].path
  if text ~= "" and not partial then
    core.fail("%s: %s does not fit %s: %s:\n  %s\n  { partial = true } loads what fits",
              who, source.called, name, count, text)
  end
  if #report.loaded == 0 and #state > 0 then
    core.fail("%s: nothing of %s fits %s: %s:\n  %s", who, source.called, name, count,
              text)
  end
  for _, t in ipairs(report.loaded) do read[t] = source.read(t) end
  for _, t in ipairs(state) do
    if read[t.name] then t.tensor:copy(read[t.name]) end
  end
  forget_vectors(state, read)
  return partial and report or self
end

--- Copies the numbers of another net, of a list as state() gives it, of tensors by name,
-- or of an open file. All must fit, name by name and shape by shape, or nothing is
-- changed, and the error lists what differs. With { partial = true } what fits is copied,
-- and a report is returned: lists of names, loaded, missing (only here) and unknown (only
-- there), and mismatched, a list of { name =, here = shape, there = shape }. It can be
-- printed.
---@param source lugano.Net|table
---@param options? table  partial = true
function methods:load_state(source, options)
  options = check_options("load_state", options, { "partial" })
  return load_from(self, "load_state", source_of(source), options.partial)
end

--- The objects of a checkpoint: what stands before the first points of its names.
local function objects_of(archive)
  local found <const> = {}
  for _, name in ipairs(archive:names()) do found[name:match "^[^.]*"] = true end
  return table.concat(sorted_keys(found), ", ")
end

--- "G." for "G" and "G."; checks that there are such names.
local function check_prefix(archive, path, prefix)
  if prefix == nil then
    if archive:metadata()["lugano.run"] then
      core.fail("load: '%s' is the checkpoint of a run, of %s; say which of these, as in "
                .. "{ prefix = \"G\" }", path, objects_of(archive))
    end
    return ""
  end
  if type(prefix) ~= "string" or prefix == "" then
    core.fail "load: prefix must be the name of an object in the file, as in \"G\""
  end
  prefix = prefix:gsub("%.$", "") .. "."
  for _, name in ipairs(archive:names()) do
    if name:sub(1, #prefix) == prefix then return prefix end
  end
  core.fail("load: '%s' has nothing that begins with '%s'; it has %s", path, prefix,
            objects_of(archive))
end

--- Loads a safetensors file, as load_state does. Of a run's checkpoint, prefix says which
-- net: G:load("out/digits/checkpoints/last.safetensors", { prefix = "G" })
---@param path string
---@param options? table  prefix = "G", partial = true
function methods:load(path, options)
  options = check_options("load", options, { "prefix", "partial" })
  if type(path) ~= "string" then
    core.fail("load takes the path of a file, not a %s; load_state takes nets and "
              .. "tensors", type(path))
  end
  self:state()                                 -- before any file: it may have no shapes
  local archive <close> = core.open_tensors(path)
  local prefix <const> = check_prefix(archive, path, options.prefix)
  local source <const> = archive_source(archive, prefix, "'" .. path .. "'")
  return load_from(self, "load", source, options.partial)
end

--- Writes all parameters and buffers to a safetensors file, whole or not at all.
---@param path string
function methods:save(path)
  if type(path) ~= "string" then
    core.fail("save takes the path of a file, not a %s", type(path))
  end
  core.save_tensors(path, self:state(), {})
  return self
end

return net

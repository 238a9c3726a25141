--- json.lua - JSON, written so that the same value makes the same bytes.
--
-- Keys are sorted, numbers are the shortest that read back the same, whatever the locale.
-- What JSON has no word for, infinity and not-a-number, becomes null.

local core <const> = ...
local sorted_keys <const> = core.load "keys"
local json <const> = {}

local escaped <const> = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r",
                          ["\t"] = "\\t" }

local function quote(s)
  if not utf8.len(s) then s = s:gsub("[\x80-\xff]", "\u{fffd}") end
  return '"' .. s:gsub('[%c"\\\x7f]', function(c)
    return escaped[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

--- The shortest text that reads back as the same number.
function json.number(x)
  if math.type(x) == "integer" then return ("%d"):format(x) end
  if x ~= x or x == math.huge or x == -math.huge then return "null" end
  for digits = 15, 17 do
    local text <const> = ("%." .. digits .. "g"):format(x):gsub("[^%d%+%-e]", ".")
    if tonumber(text) == x then return text end
  end
end

local encode

local function join(parts, open, close, indent)
  if #parts == 0 then return open .. close end
  if not indent then return open .. table.concat(parts, ", ") .. close end
  local line <const> = "\n" .. indent
  return open .. line .. "  " .. table.concat(parts, "," .. line .. "  ") .. line .. close
end

local function encode_table(t, indent)
  local parts <const>, deeper <const> = {}, indent and indent .. "  "
  if #t > 0 then
    for i = 1, #t do parts[i] = encode(t[i], deeper) end
    return join(parts, "[", "]", indent)
  end
  for i, k in ipairs(sorted_keys(t)) do
    if type(k) ~= "string" then core.fail("JSON has no key that is a %s", type(k)) end
    parts[i] = quote(k) .. ": " .. encode(t[k], deeper)
  end
  return join(parts, "{", "}", indent)
end

function encode(v, indent)
  local kind <const> = type(v)
  if kind == "table" then return encode_table(v, indent) end
  if kind == "string" then return quote(v) end
  if kind == "number" then return json.number(v) end
  if kind == "boolean" or kind == "nil" then return tostring(v == nil and "null" or v) end
  core.fail("JSON has no word for a %s", kind)
end

--- One line, or, with indent = "", one field a line.
function json.encode(v, indent) return encode(v, indent) end

local plain <const> = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

local function read_string(text, at)
  local parts <const> = {}
  while true do
    local stop <const> = text:find('["\\]', at)
    if not stop then return nil end
    parts[#parts + 1] = text:sub(at, stop - 1)
    if text:byte(stop) == 34 then return table.concat(parts), stop + 1 end
    local code <const> = text:match("^u(%x%x%x%x)", stop + 1)
    local c <const> = text:sub(stop + 1, stop + 1)
    parts[#parts + 1] = code and utf8.char(tonumber(code, 16)) or plain[c] or c
    at = stop + (code and 6 or 2)
  end
end

local words <const> = { ["true"] = true, ["false"] = false }
local decode

--- The elements of a list or an object, from behind its bracket.
local function read_items(text, at, close, keyed)
  local items <const> = {}
  at = text:match("^%s*()", at)
  while text:sub(at, at) ~= close do
    local key, value = #items + 1, nil
    if keyed then
      key, at = read_string(text, text:match('^%s*"()', at) or #text + 1)
      at = at and text:match("^%s*:()", at)
    end
    if not at then return nil end
    value, at = decode(text, at)
    at = at and text:match("^%s*()", at)
    if not at then return nil end
    items[key] = value
    if text:sub(at, at) == "," then at = text:match("^%s*()", at + 1) end
    if at > #text then return nil end
  end
  return items, at + 1
end

function decode(text, at)
  at = text:match("^%s*()", at)
  local first <const> = text:sub(at, at)
  if first == "{" then return read_items(text, at + 1, "}", true) end
  if first == "[" then return read_items(text, at + 1, "]", false) end
  if first == '"' then return read_string(text, at + 1) end
  local word <const> = text:match("^%a+", at)
  if word then
    if word ~= "null" and words[word] == nil then return nil end
    return words[word], at + #word
  end
  local number <const> = text:match("^[%d%+%-%.eE]+", at)
  if not tonumber(number) then return nil end
  return tonumber(number), at + #number
end

--- The value of a text that json.encode wrote; nil if it is no JSON. Null is nil.
function json.decode(text)
  local value <const>, stop <const> = decode(text, 1)
  if stop and text:find("^%s*$", stop) then return value end
end

return json

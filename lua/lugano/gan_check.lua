--- gan_check.lua - what the functions of the GAN kit are given: options, tensors, nets.

local core <const> = ...
local nearest <const>, sorted_keys <const> = core.load "nearest", core.load "keys"
local net <const> = core.load "net"

local check <const> = {}

function check.shape(x) return "{" .. table.concat(x.shape, ",") .. "}" end

--- " of 0 or more": where a number may lie, for a message.
local function bounds(o)
  if o.above then return (" above %g"):format(o.above) end
  if o.below then return (" from %g to below %g"):format(o.least, o.below) end
  if o.most then return (" from %g to %g"):format(o.least, o.most) end
  return o.least and (" of %g or more"):format(o.least) or ""
end

local function within(o, x)
  return (not o.above or x > o.above) and (not o.least or x >= o.least)
    and (not o.below or x < o.below) and (not o.most or x <= o.most) and x == x
end

local kinds <const> = {
  number = { "a number", function(v) return type(v) == "number" end },
  whole = { "a whole number", function(v) return math.type(v) == "integer" end },
  flag = { "true or false", function(v) return type(v) == "boolean" end },
  text = { "a text", function(v) return type(v) == "string" end },
}

local function show(v)
  return (type(v) == "number" or type(v) == "boolean") and tostring(v)
    or type(v) == "string" and ("'%s'"):format(v)
    or "a " .. (core.is_tensor(v) and "tensor" or type(v))
end
check.show = show

--- Fails unless a text is one of the words.
local function check_word(who, name, words, v)
  for _, word in ipairs(words) do
    if word == v then return end
  end
  local _, hint <const> = nearest(v, words)
  core.fail("%s: %s must be '%s', not '%s'%s", who, name, table.concat(words, "' or '"),
            v, hint)
end

--- Fails unless v is of the kind and within the bounds that o has.
function check.value(who, name, o, v)
  local kind <const> = kinds[o.kind or "number"]
  if o.words and type(v) == "string" then check_word(who, name, o.words, v) end
  if not kind[2](v) or type(v) == "number" and not within(o, v) then
    core.fail("%s: %s must be %s%s, not %s", who, name, kind[1], bounds(o), show(v))
  end
  return v
end

--- Options against what there is: a list of { name, default, kind = "number", least =,
-- most =, above =, below =, words = }. A default of nil is left out. Returns all by name.
function check.options(who, known, given)
  if given ~= nil and (type(given) ~= "table" or net.is_part(given)) then
    core.fail("%s takes a table of options, not %s", who, show(given))
  end
  local values <const>, names <const>, by_name <const> = {}, {}, {}
  for i, o in ipairs(known) do
    names[i], by_name[o[1]], values[o[1]] = o[1], o, o[2]
  end
  for _, key in ipairs(sorted_keys(given or {})) do
    local o <const> = by_name[key]
    if not o then
      local _, hint <const> = nearest(tostring(key), names)
      local all <const> = hint == "" and #names > 0
        and "; it takes " .. table.concat(names, ", ") or hint
      core.fail("%s has no option '%s'%s", who, tostring(key), all)
    end
    values[key] = check.value(who, key, o, given[key])
  end
  return values
end

--- Takes options from the front of arguments, where a plain table stands for them, or
-- nil; what follows is handed on. Returns the options, and the rest.
function check.leading_options(who, known, first, ...)
  local plain <const> = type(first) == "table" and getmetatable(first) == nil
  if first == nil or plain then return check.options(who, known, first), ... end
  return check.options(who, known), first, ...
end

function check.tensor(who, what, x)
  if not core.is_tensor(x) then
    core.fail("%s: %s must be a tensor, not %s", who, what, show(x))
  end
  return x
end

--- Two tensors of one shape.
function check.pair(who, name_a, a, name_b, b)
  check.tensor(who, name_a, a)
  check.tensor(who, name_b, b)
  local sa <const>, sb <const> = check.shape(a), check.shape(b)
  if sa ~= sb then
    core.fail("%s: %s is %s and %s is %s; they must have the same shape", who, name_a, sa,
              name_b, sb)
  end
end

function check.images(who, x)
  check.tensor(who, "x", x)
  if #x.shape ~= 4 then
    core.fail("%s: x must be images, {n,c,h,w}, and is %s", who, check.shape(x))
  end
end

--- A net, a function, or what else can be called.
function check.callable(who, what, f)
  local meta <const> = type(f) == "table" and getmetatable(f)
  if type(f) ~= "function" and not (meta and meta.__call) then
    core.fail("%s: %s must be a net or a function, not %s", who, what, show(f))
  end
end

--- The words of a policy, "color,translation", in a set: each is known, and there once.
-- Words that stand for several are keys of `groups`.
function check.policy(who, policy, known, groups)
  check.value(who, "policy", { kind = "text" }, policy)
  local on <const>, words <const> = {}, table.move(known, 1, #known, 1, {})
  for _, name in ipairs(sorted_keys(groups or {})) do words[#words + 1] = name end
  local is_known <const> = {}
  for _, word in ipairs(words) do is_known[word] = true end
  local function add(word)
    if on[word] then core.fail("%s: the policy has '%s' twice", who, word) end
    on[word] = true
  end
  for item in (policy == "" and "" or policy .. ","):gmatch "([^,]*)," do
    local word <const> = item:match "^%s*(.-)%s*$"
    if not is_known[word] then
      local _, hint <const> = nearest(word, words)
      core.fail("%s: no augmentation '%s'%s; there are %s", who, word, hint,
                table.concat(words, ", "))
    end
    for _, each in ipairs(groups and groups[word] or { word }) do add(each) end
  end
  return on
end

--- Sets the fields of an object from numbers of a checkpoint; all are checked first.
function check.set_numbers(who, object, names, numbers)
  for _, name in ipairs(names) do
    if type(numbers[name]) ~= "number" then
      core.fail("%s: the numbers have no '%s'", who, name)
    end
  end
  for _, name in ipairs(names) do object[name] = numbers[name] end
end

return check

-- test_nonsense.lua - every operator, called with nonsense. It may refuse, with a message
-- that names it; it may not crash, hang, or hold on to memory. Most telling under ASan.

local lg <const>, check <const> = require "lugano", require "check"

-- Half of the calls are made up, and half are a sample of the operator with one thing
-- changed, which gets further before it is refused.

local lesser <const> = tonumber(os.getenv "LUGANO_NONSENSE")
local per_operator <const> = lesser or 1000
local sizes <const> = { 0, 1, 1, 2, 3, 4, 6 }
lg.memory_limit(256e6 // 1)                    -- 2^31 elements are refused, not tried
local closed <const> = lg.ones(2)
closed:close()
local junk <const> = { false, true, "x", "mean", {}, { 1, 2 }, { stride = 2 }, -1, 0, 1,
                       2, 3, 1.5, 0 / 0, 1 / 0, 2 ^ 31, 2 ^ 40, 2 ^ 62, -2 ^ 62, closed,
                       print }

local state = 1                                -- of a generator that is not the engine's
local function random(n)
  state = (state * 6364136223846793005 + 1442695040888963407) & math.maxinteger
  return (state >> 33) % n + 1
end
local function pick(list) return list[random(#list)] end

local function tensor()
  local shape = {}
  for i = 1, random(6) - 1 do shape[i] = pick(sizes) end
  local t = lg.randn(shape)
  return random(3) == 1 and t:track() or t
end

local function arguments(op)
  local args, n = {}, 0
  local function add(value) n = n + 1; args[n] = value end
  if op.args:find("...", 1, true) then
    add(random(4) == 1 and pick(junk)
        or { tensor(), tensor(), random(5) == 1 and pick(junk) or nil })
  else
    for _ = 1, random(4) do add(random(5) > 1 and tensor() or pick(junk)) end
  end
  if random(2) == 1 then
    local options = {}
    for name in op.args:gmatch "([%w_]+):" do
      if random(2) == 1 then options[name] = pick(junk) end
    end
    add(options)
  else
    for _ = 1, random(3) - 1 do add(pick(junk)) end
  end
  return args, n
end

--- "2,3 positive" as a tensor.
local function sample_tensor(text)
  local shape <const> = {}
  for size in text:match("^[%d,]*"):gmatch "%d+" do shape[#shape + 1] = size // 1 end
  local most <const> = text:match "index<(%d+)"
  if most then return lg.randint(1, most // 1, shape) end
  local t <const> = text:find "positive" and lg.rand(shape) + 0.5 or lg.randn(shape)
  return random(3) == 1 and t:track() or t
end

local function sample_value(text)
  if text:sub(1, 1) ~= "{" then
    return text == "true" or text ~= "false" and (tonumber(text) or text)
  end
  local list <const> = {}
  for item in text:gmatch "[^{},%s]+" do list[#list + 1] = tonumber(item) or 0 end
  return list
end

--- The inputs and options of a line of samples, with one of them replaced.
local function near_sample(op)
  local line <const> = pick(op.samples)
  local inputs <const>, n, options <const>, names <const> = {}, 0, {}, {}
  for part in line:gmatch "%s*([^;]+)" do
    if part:find "=" then
      for name, value in part:gmatch "([%w_]+)%s*=%s*(%b{})" do
        options[name], names[#names + 1] = sample_value(value), name
      end
      for name, value in part:gsub("%b{}", "{}"):gmatch "([%w_]+)%s*=%s*([^,%s{}]+)" do
        options[name], names[#names + 1] = sample_value(value), name
      end
    else
      n = n + 1
      if not part:find "^none" then inputs[n] = sample_tensor(part) end
    end
  end
  local choice <const> = random(4)
  if choice == 1 then inputs[random(n)] = random(2) == 1 and tensor() or pick(junk) end
  if choice == 2 and names[1] then options[pick(names)] = pick(junk) end
  if op.args:find("...", 1, true) then return { inputs, options }, 2 end
  inputs[n + 1] = options
  return inputs, n + 1
end

local calls, answered = 0, 0
local function call(op, args, n)
  local ok <const>, y <const> = pcall(lg[op.name], table.unpack(args, 1, n))
  calls = calls + 1
  if ok then
    answered = answered + 1
    if pcall(tostring, y) and y:numel() > 0 then
      pcall(lg.grad, y, args[1], { seed = lg.ones_like(y), create_graph = true })
    end
  elseif type(y) ~= "string" or #y <= 10 or not y:find("test_nonsense", 1, true) then
    error(("%s refuses with '%s'"):format(op.name, tostring(y)))
  end
end

for _, op in ipairs(lg.operators()) do
  check.case(op.name .. " survives nonsense", function()
    for i = 1, per_operator do
      call(op, (i % 2 == 0 and near_sample or arguments)(op))
    end
  end)
end

check.case("calls were made, and some were answered", function()
  print(("%d calls, %d answered"):format(calls, answered))
  assert(lesser or calls >= 100000 and answered * 4 > calls)
end)

check.report()

-- test_nonsense.lua - every operator, called with nonsense. It may refuse, with a message
-- that names it; it may not crash, hang, or hold on to memory. Most telling under ASan.

local lg <const>, check <const> = require "lugano", require "check"

local per_operator <const> = tonumber(os.getenv "LUGANO_NONSENSE") or 400
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

local calls, answered = 0, 0
for _, op in ipairs(lg.operators()) do
  check.case(op.name .. " survives nonsense", function()
    for _ = 1, per_operator do
      local args, n = arguments(op)
      local ok, y = pcall(lg[op.name], table.unpack(args, 1, n))
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
  end)
end

check.case("calls were made, and some were answered", function()
  print(("%d calls, %d answered"):format(calls, answered))
  assert(calls > 10000 and answered > 500)
end)

check.report()

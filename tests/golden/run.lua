--- run.lua [FOLDER] - golden values: what PyTorch computes, and what this engine does.
--
--     build/double/lugano tests/golden/run.lua            the cases beside this file
--     build/double/lugano tests/golden/run.lua FOLDER     others of the same format
--
-- README.md says what the files hold. The last line is "N passed, N failed".

local lg <const> = require "lugano"

local here <const> = arg[0]:match "^(.*)/[^/]*$" or "."
local folder <const> = arg[1] or here
local maps <const> = dofile(here .. "/maps.lua")
local tolerance <const> = lg.element == "double" and 1e-9 or 1e-4

-- Comparing

local function shape(t) return "{" .. table.concat(t.shape, ",") .. "}" end

local function largest(t)
  return t:numel() == 0 and 0 or lg.amax(t:detach():abs()):item()
end

--- Raises unless max|a - b| <= tolerance max|b|.
local function compare(what, a, b)
  if shape(a) ~= shape(b) then
    error(("%s has the shape %s, not %s"):format(what, shape(a), shape(b)), 0)
  end
  local off <const>, size <const> = largest(a:detach() - b), largest(b)
  if not (off <= tolerance * size) then
    error(("%s is off by %.3g, with numbers up to %.3g"):format(what, off, size), 0)
  end
end

-- Operators

--- The inputs of a case by name; those that differentiation is asked for are tracked.
local function inputs_of(case, file)
  local inputs <const> = {}
  for _, name in ipairs(case.inputs) do
    inputs[name] = assert(file[case.id .. "/in/" .. name], "no input " .. name)
  end
  for _, name in ipairs(case.diff) do inputs[name] = inputs[name]:track() end
  return inputs
end

local function zeros_for(gradients, tensors)
  for i, t in ipairs(tensors) do gradients[i] = gradients[i] or lg.zeros_like(t) end
  return gradients
end

local replaced <const> = {}

--- The expected second-order gradient by an input, or nil if the file has none. Where it
-- is zero by its nature, PyTorch 1.13 returns a tensor without memory, and what was saved
-- is whatever lay there: README.md.
local function expected_second(case, file, name, like)
  local stored <const> = file[case.id .. "/h/" .. name]
  if not stored or not maps.is_flat(case) then return stored end
  if largest(stored) ~= 0 then replaced[#replaced + 1] = case.id end
  return lg.zeros_like(like)
end

--- The gradient by each of diff and by gy of the sum of v * g.
local function check_second(case, file, g, tensors, gy)
  local sum = lg.tensor(0)
  for i, name in ipairs(case.diff) do
    local v <const> = file[case.id .. "/v/" .. name]
    if v then sum = sum + (v * g[i]):sum() end
  end
  tensors[#tensors + 1] = gy
  local h <const> = zeros_for(lg.grad(sum, tensors, { allow_unused = true }), tensors)
  for i, name in ipairs(case.diff) do
    local expected <const> = expected_second(case, file, name, h[i])
    if expected then compare("the second order by " .. name, h[i], expected) end
  end
  local expected <const> = file[case.id .. "/h/gy"]
  if expected then compare("the second order by gy", h[#h], expected) end
end

local function check_op(case, file)
  local map <const> = maps.ops[case.op]
  if not map then error("this runner does not know " .. case.op, 0) end
  local inputs <const>, tensors <const> = inputs_of(case, file), {}
  for i, name in ipairs(case.diff) do tensors[i] = inputs[name] end
  local y <const> = map(inputs, case.attrs or {}, case)
  compare("the value", y, file[case.id .. "/out"])
  if #tensors == 0 then return end
  local second <const> = (case.order or 1) >= 2
  local gy <const> = (file[case.id .. "/gy"] or lg.ones_like(y)):track()
  local g <const> = zeros_for(lg.grad(y, tensors, {
    seed = gy, create_graph = second, allow_unused = true }), tensors)
  for i, name in ipairs(case.diff) do
    local expected <const> = file[case.id .. "/g/" .. name]
    if expected then compare("the gradient by " .. name, g[i], expected) end
  end
  if second then check_second(case, file, g, tensors, gy) end
end

-- Optimizers

local function check_optimizer(case, file)
  local p <const> = file[case.id .. "/p0"]:track()
  local step <const> = maps.optimizer(case, p)
  for k = 1, case.steps do
    step(file[("%s/grad/%d"):format(case.id, k)])
    compare("step " .. k, p, file[("%s/p/%d"):format(case.id, k)])
  end
end

-- All

local passed, failed = 0, 0

local function each(name, check)
  local index <close> = io.open(("%s/%s.lua"):format(folder, name))
  if not index then return end
  local file <const> = lg.load(("%s/%s.safetensors"):format(folder, name))
  for _, case in ipairs(assert(load(index:read "a", "@" .. name .. ".lua", "t"))()) do
    local ok <const>, why <const> = pcall(check, case, file)
    if ok then
      passed = passed + 1
    else
      failed = failed + 1
      print(("FAIL %s: %s"):format(case.id, why))
    end
  end
end

each("ops", check_op)
each("optim", check_optimizer)
if #replaced > 0 then
  print("second orders by x that were compared with 0, since the file holds unset memory: "
        .. table.concat(replaced, " "))
end
if passed + failed == 0 then
  failed = 1
  print(("FAIL there are no cases in '%s'"):format(folder))
end
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0, true)

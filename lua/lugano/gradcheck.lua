--- gradcheck.lua - lg.gradcheck(f, inputs): gradients of a function against differences.

local core <const> = ...
local lg <const> = core.lg
local nearest <const> = core.load "nearest"
local sorted_keys <const> = core.load "keys"

-- In float the differences drown in rounding: a long step, and a word of the rest.
local defaults <const> = {
  float = { order = 2, step = 2e-2, tolerance = 5e-3 },
  double = { order = 2, step = 1e-3, tolerance = 1e-6 },
}
local names <const> = { "order", "step", "tolerance" }

local function read_options(options)
  local o <const> = {}
  for key, value in pairs(defaults[lg.element]) do o[key] = value end
  for _, key in ipairs(sorted_keys(options or {})) do
    if o[key] == nil then
      local _, hint <const> = nearest(tostring(key), names)
      core.fail("gradcheck has no option '%s'%s", tostring(key), hint)
    end
    local value <const> = options[key]
    if type(value) ~= "number" or not (value > 0) then
      core.fail("gradcheck: %s must be a positive number, not %s", key, tostring(value))
    end
    o[key] = value
  end
  if o.order ~= 1 and o.order ~= 2 then
    core.fail("gradcheck: order must be 1 or 2, not %s", tostring(o.order))
  end
  return o
end

local function check_inputs(f, inputs)
  if core.is_tensor(inputs) then inputs = { inputs } end
  if type(inputs) ~= "table" or #inputs == 0 then
    core.fail("gradcheck takes a function and a list of tensors, not a %s", type(inputs))
  end
  for i, x in ipairs(inputs) do
    if not core.is_tensor(x) then
      core.fail("gradcheck: input %d must be a tensor, not a %s", i, type(x))
    end
  end
  local callable <const> = getmetatable(f)
  if type(f) ~= "function" and not (callable and callable.__call) then
    core.fail("gradcheck takes a function and a list of tensors, not a %s", type(f))
  end
  return inputs
end

-- Numbers: a tensor as a flat list.

local function numbers(t) return t:reshape { dims = { -1 } }:totable() end

--- x with h added to its k-th number.
local function moved(x, k, h)
  local flat <const> = {}
  for i = 1, x:numel() do flat[i] = i == k and h or 0 end
  return x + lg.tensor(flat):reshape { dims = x.shape }
end

--- The place of the k-th number of a tensor: "2,3".
local function place(x, k)
  local shape <const>, at <const> = x.shape, {}
  local rest = k - 1
  for d = #shape, 1, -1 do
    at[d] = rest % shape[d] + 1
    rest = rest // shape[d]
  end
  return #at > 0 and table.concat(at, ",") or "its number"
end

-- A check compares the whole Jacobian: a sum would hide a transposed one.

--- f's results, as a list. Each call draws the same random numbers.
local function results_of(check, inputs)
  core.random_state(check.seed, check.drawn)
  local results <const> = table.pack(check.f(table.unpack(inputs)))
  for k = 1, results.n do
    if not core.is_tensor(results[k]) then
      core.fail("gradcheck: the function must return tensors, and result %d is a %s", k,
                type(results[k]))
    end
  end
  if results.n == 0 then core.fail "gradcheck: the function returned nothing" end
  return results
end

--- The derivatives of all results by the k-th number of input i, by four points.
local function differences(check, i, k)
  local at <const>, weight <const> = { -2, -1, 1, 2 }, { 1, -8, 8, -1 }
  local sums <const>, h <const> = {}, check.step
  for p = 1, 4 do
    local inputs <const> = {}
    for n, x in ipairs(check.inputs) do
      inputs[n] = (n == i and moved(x, k, at[p] * h) or x):track()
    end
    local results <const> = results_of(check, inputs)
    for r = 1, results.n do
      sums[r] = sums[r] or {}
      for j, value in ipairs(numbers(results[r])) do
        sums[r][j] = (sums[r][j] or 0) + weight[p] * value / (12 * h)
      end
    end
  end
  return sums
end

--- The gradients of number j of result r by every input: a list of flat lists.
local function row(check, leaves, y, j)
  local seed <const> = moved(lg.zeros_like(y), j, 1)
  local g <const> = lg.grad(y, leaves, { seed = seed, allow_unused = true,
                                         retain_graph = true })
  local lists <const> = {}
  for i, x in ipairs(leaves) do
    lists[i] = g[i] and numbers(g[i]) or {}
    for k = #lists[i] + 1, x:numel() do lists[i][k] = 0 end
  end
  return lists
end

--- jacobian[r][j][i][k]: number j of result r by number k of input i; and the largest.
local function jacobian(check)
  local leaves <const>, rows <const>, largest = {}, {}, 0
  for i, x in ipairs(check.inputs) do leaves[i] = x:track() end
  local results <const> = results_of(check, leaves)
  for r = 1, results.n do
    rows[r] = {}
    for j = 1, results[r]:numel() do
      rows[r][j] = row(check, leaves, results[r], j)
      for _, list in ipairs(rows[r][j]) do
        for _, value in ipairs(list) do largest = math.max(largest, math.abs(value)) end
      end
    end
  end
  return rows, largest, results
end

local function report(check, w)
  local x <const> = check.inputs[w.i]
  local hint <const> = lg.element == "float"
    and "; in float, differences are rough: a double build tells for sure" or ""
  core.fail("gradcheck, %s order: result %d at %s by %s {%s} at %s: the gradient is "
            .. "%.10g, and differences give %.10g (error %.2g, tolerance %.2g)%s",
            check.order, w.r, place(w.y, w.j), check.labels[w.i],
            table.concat(x.shape, ","), place(x, w.k), w.got, w.expected, w.error,
            check.tolerance, hint)
end

--- Raises at the largest error of all, if that is too large.
local function compare(check)
  local rows <const>, largest <const>, results <const> = jacobian(check)
  local worst = { error = 0 }
  for i, x in ipairs(check.inputs) do
    for k = 1, x:numel() do
      for r, list in ipairs(differences(check, i, k)) do
        for j, expected in ipairs(list) do
          local got <const> = rows[r][j][i][k]
          local e <const> = math.abs(got - expected) / (1 + largest)
          if not (e <= worst.error) then
            worst = { i = i, k = k, r = r, j = j, y = results[r], got = got,
                      expected = expected, error = e == e and e or math.huge }
          end
        end
      end
    end
  end
  if worst.error > check.tolerance then report(check, worst) end
end

-- The second order is the first of another function, that of the gradients: by the
-- inputs, and by the cotangents, in which a gradient is linear.

local function second_order(check)
  local n <const>, first <const> = #check.inputs, results_of(check, check.inputs)
  local all <const>, labels <const> = table.move(check.inputs, 1, n, 1, {}), {}
  for i = 1, n do labels[i] = check.labels[i] end
  for k = 1, first.n do
    all[n + k] = lg.randn(first[k].shape)
    labels[n + k] = "the gradient for result " .. k
  end
  local function gradients(...)
    local args <const>, sum = { ... }, nil
    local leaves <const> = table.move(args, 1, n, 1, {})
    for k, y in ipairs(results_of(check, leaves)) do
      local part <const> = (y * args[n + k]):sum()
      sum = sum and sum + part or part
    end
    local g <const> = lg.grad(sum, leaves, { create_graph = true, allow_unused = true })
    for i = 1, n do g[i] = g[i] or lg.zeros_like(leaves[i]) end
    return table.unpack(g, 1, n)
  end
  return setmetatable({ f = gradients, inputs = all, labels = labels, order = "second" },
                      { __index = check })
end

--- Compares the gradients of f, a function of tensors or a net, with differences: all
-- elements of all results by all elements of all inputs, at first and second order. true,
-- or an error that names the worst.
---@param options table  order = 1 or 2, step of the differences, tolerance (times 1 + the
-- largest gradient)
local function gradcheck(f, inputs, options)
  inputs = check_inputs(f, inputs)
  local seed <const>, drawn <const> = core.random_state()
  local o <const> = read_options(options)
  local check <const> = { f = f, inputs = {}, labels = {}, order = "first",
                          step = o.step, tolerance = o.tolerance, seed = seed,
                          drawn = drawn }
  for i, x in ipairs(inputs) do
    check.inputs[i], check.labels[i] = x:detach(), "input " .. i
  end
  local ok <const>, why <const> = pcall(function()
    compare(check)
    if o.order == 2 then compare(second_order(check)) end
  end)
  core.random_state(seed, drawn)
  if not ok then error(why, 0) end
  return true
end

return { gradcheck = gradcheck }

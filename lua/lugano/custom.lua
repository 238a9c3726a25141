--- custom.lua - operators in Lua: lg.custom{ forward =, backward = }, lg.recompute(f, x).

local core <const> = ...
local lg <const> = core.lg
local nearest <const> = core.load "nearest"
local sorted_keys <const> = core.load "keys"

local custom <const> = {}

local most_inputs <const>, most_results <const> = 16, 4

-- Arguments: the tensors among them are the operator's inputs, the others stay aside.

--- The tensors of a packed list, and where each stood; they are taken out of the list, so
-- that nothing which outlives the call holds them.
local function take_tensors(args)
  local inputs <const>, places <const> = {}, {}
  for i = 1, args.n do
    if core.is_tensor(args[i]) then
      inputs[#inputs + 1], places[#places + 1] = args[i], i
      args[i] = nil
    end
  end
  return inputs, places
end

--- The arguments of the call again, with these tensors where they stood.
local function filled(args, places, tensors)
  local all <const> = table.move(args, 1, args.n, 1, {})
  for i, at in ipairs(places) do all[at] = tensors[i] end
  return table.unpack(all, 1, args.n)
end

local function check_results(name, results)
  if results.n < 1 or results.n > most_results then
    core.fail("%s: forward must return one to %d tensors, not %d values", name,
              most_results, results.n)
  end
  for i = 1, results.n do
    if not core.is_tensor(results[i]) then
      core.fail("%s: forward must return tensors, and value %d is a %s", name, i,
                type(results[i]))
    end
  end
end

-- lg.custom

--- What backward gave for argument i, as a tensor, or false for zero.
local function gradient(name, got, i)
  local g <const> = got[i]
  if g == nil then
    error(("backward gave no gradient for argument %d; false stands for zero"):format(i),
          0)
  end
  if type(g) == "number" then return lg.tensor(g) end
  if g and not core.is_tensor(g) then
    error(("backward must give tensors, numbers or false, and value %d is a %s"):format(
          i, type(g)), 0)
  end
  return g
end

--- The rule of one call: one result stands for itself, several are lists.
local function rule_of(spec, args, places)
  return function(g, y, x, wanted)
    if not g[2] then g, y = g[1], y[1] end
    local got <const> = table.pack(spec.backward(g, y, filled(args, places, x)))
    if got.n > args.n then
      error(("backward gave %d gradients for %d arguments"):format(got.n, args.n), 0)
    end
    local gradients <const> = {}
    for i, at in ipairs(places) do
      gradients[i] = wanted[i] and gradient(spec.name, got, at)
    end
    return gradients
  end
end

local fields <const> = { "name", "forward", "backward" }

local function check_spec(spec)
  if type(spec) ~= "table" then
    core.fail("custom takes a table with forward and backward, not a %s", type(spec))
  end
  for _, key in ipairs(sorted_keys(spec)) do
    if key ~= "name" and key ~= "forward" and key ~= "backward" then
      local _, hint <const> = nearest(tostring(key), fields)
      core.fail("custom has no field '%s'%s", tostring(key), hint)
    end
  end
  if spec.name ~= nil and type(spec.name) ~= "string" then
    core.fail("custom: name must be a string, not a %s", type(spec.name))
  end
  for _, key in ipairs { "forward", "backward" } do
    if type(spec[key]) ~= "function" then
      core.fail("custom: %s must be a function, not a %s", key, type(spec[key]))
    end
  end
end

--- An operator in Lua.
--
-- forward(...) computes the result, or up to four, from its arguments; no history is
-- recorded meanwhile. backward(g, y, ...) gets the gradient for the result, the result,
-- and the arguments; it returns a gradient for each argument, false where that is zero or
-- the argument is no tensor. Of several results, g and y are lists. Made of operators,
-- backward has gradients itself: so the operator has as many as that. What forward works
-- out besides its results is a constant to backward: compute it there again.
--
--     local cube = lg.custom {
--       name = "cube",
--       forward = function(x) return x * x * x end,
--       backward = function(g, y, x) return g * 3 * x * x end,
--     }
---@param spec table  forward, backward, and for messages a name
---@return function
function custom.custom(spec)
  check_spec(spec)
  spec = { name = spec.name or "custom", forward = spec.forward,
           backward = spec.backward }
  local kind <const> = core.kind(spec.name, true)
  return function(...)
    local results <const> = table.pack(lg.no_grad(spec.forward, ...))
    local args <const> = table.pack(...)
    check_results(spec.name, results)
    local inputs <const>, places <const> = take_tensors(args)
    if #inputs > most_inputs then
      core.fail("%s takes at most %d tensors, not %d", spec.name, most_inputs, #inputs)
    end
    return core.node(kind, inputs, results, rule_of(spec, args, places))
  end
end

-- lg.recompute

--- The gradients of the results by these tensors, each taken for independent.
local function partial_gradients(results, g, tensors, create_graph)
  local y, seed = nil, g[1]
  if results.n == 1 then
    y = results[1]
  else
    for k = 1, results.n do
      local part <const> = (results[k] * g[k]):sum()
      y = y and y + part or part
    end
    seed = nil
  end
  return lg.grad(y, tensors, { seed = seed, partial = true, allow_unused = true,
                               create_graph = create_graph })
end

--- Calls f with the random numbers, and the spectral vectors, of an earlier call.
local function replayed(call, ...)
  local now_seed <const>, now_drawn <const> = core.random_state()
  core.random_state(call.seed, call.drawn)
  local results <const> = table.pack(pcall(core.replay, call.vectors, call.f, ...))
  core.random_state(now_seed, now_drawn)
  if not results[1] then error(results[2], 0) end
  return table.pack(table.unpack(results, 2, results.n))
end

--- The inputs of a call: its arguments, then what else f read, each once; and a list that
-- says which of the arguments come for the first time, and so stand for the others.
local function all_inputs(inputs, noted)
  local n <const> = #inputs
  table.move(noted, 1, #noted, n + 1, inputs)
  local firsts <const>, all <const> = core.firsts(inputs), {}
  for i, t in ipairs(inputs) do
    if i <= n or firsts[i] then all[#all + 1] = t end
  end
  return all, table.move(firsts, 1, n, 1, {})
end

--- The rule of a recomputed call: what it drew, and its arguments, are in the table.
local function replay_rule(call)
  return function(g, _, x, wanted, create_graph)
    local tensors <const>, slots <const>, gradients <const> = {}, {}, {}
    for i, t in ipairs(x) do
      gradients[i] = false
      if wanted[i] and call.firsts[i] ~= false then
        tensors[#tensors + 1], slots[#slots + 1] = t, i
      end
    end
    local again <const> = replayed(call, filled(call.args, call.places, x))
    local got <const> = core.replay(nil, partial_gradients, again, g, tensors,
                                    create_graph)
    for k, i in ipairs(slots) do gradients[i] = got[k] or false end
    return gradients
  end
end

local recompute_kind

--- Calls f(...) and keeps none of what it computes: a walk computes it again, with the
-- same random numbers, when it needs it (Chen, Xu, Zhang and Guestrin 2016). f, a
-- function or a net, must do the same both times. It may read tracked tensors besides its
-- arguments: a net's parameters. Running statistics are updated by the first time alone.
---@param f function
function custom.recompute(f, ...)
  if not core.recording() then return f(...) end
  local call <const> = { f = type(f) == "function" and f
                             or function(...) return f(...) end }
  call.seed, call.drawn = core.random_state()
  local results <const> = table.pack(core.watched(call.f, ...))
  local noted <const> = table.remove(results, 1)
  call.vectors = table.remove(results, 1)
  results.n = results.n - 2
  check_results("recompute", results)
  local inputs
  call.args = table.pack(...)
  inputs, call.places = take_tensors(call.args)
  inputs, call.firsts = all_inputs(inputs, noted)
  recompute_kind = recompute_kind or core.kind("recompute", false)
  return core.node(recompute_kind, inputs, results, replay_rule(call))
end

return custom

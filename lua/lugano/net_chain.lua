--- net_chain.lua - chains of layers, called at once.
--
-- Where layers stand one after the other, one call of C runs them all. What is between
-- them never becomes an object of Lua, so that its memory is let go at once, and not when
-- the collector comes by.
--
-- The steps of a part are a list of { call =, parts = }, such layers, and { part = },
-- anything else. A part that a tap looks at, or whose shape is not known, is for itself.

local core <const> = ...
local net <const> = core.load "net"
local inner <const> = net.inner

--- Adds a layer to the last step, or to a new one.
local function add_layer(steps, layer, part)
  local last = steps[#steps]
  if not last or last.part then
    last = { layers = {}, parts = {} }
    steps[#steps + 1] = last
  end
  last.layers[#last.layers + 1], last.parts[#last.parts + 1] = layer, part
end

local function add_steps(steps, part)
  local own <const> = part[inner]
  if own.layer then add_layer(steps, own.layer, part) end
  for _, child in ipairs(own.parts) do
    local its <const> = child[inner]
    if net.chains[its.run] and its.shape and not its.taps then
      add_steps(steps, child)
    else
      steps[#steps + 1] = { part = child }
    end
  end
  return steps
end

--- The steps of a part whose own layer, if it has one, comes first, and then its parts;
-- false where they cannot be told yet, or a layer has several results.
local function find_steps(part)
  local steps <const> = part[inner].shape and add_steps({}, part) or {}
  for _, step in ipairs(steps) do
    step.call = step.layers and core.chain(step.layers)
    if step.layers and not step.call then return false end
  end
  return #steps > 0 and steps
end

--- The steps as they are after the latest change of any net.
function net.steps(part)
  local own <const> = part[inner]
  if own.steps_at ~= net.changes then
    own.steps, own.steps_at = find_steps(part), own.shape and net.changes
  end
  return own.steps
end

--- Runs one of them; the failure of a layer is that of its part.
function net.run_step(step, x, ...)
  if step.part then return (step.part(x, ...)) end
  local y <const>, at <const>, why <const> = step.call(x, ...)
  if y then return y end
  if at then net.fail_in(step.parts[at], x, why) end
  local layer <const> = step.layers[1]
  local _, wrong <const> = pcall(layer.run, layer, x, ...)     -- it says what x is not
  net.fail_in(step.parts[1], x, wrong)
end

return net

--- init.lua - the public module: what C made, and the parts that load when first used.
local core <const> = ...
local lg <const> = core.lg

lg.version = core.version
lg.element = core.versions().element -- of tensors: "float", or "double"
lg.bytes = core.bytes                -- in use now, and the most there were
lg.memory_limit = core.memory_limit  -- reads or sets the most there may be; 0: any
lg.operators = core.ops              -- every operator's descriptor, as data

local parts <const> = { nn = true, optim = true, data = true, image = true, run = true,
                        options = true, gan = true }

-- Functions, and the file that each is in.
local late <const> = { custom = "custom", recompute = "custom", gradcheck = "gradcheck",
                       load = "tensors", save = "tensors", split = "split" }

core.late, core.parts = late, parts    -- for the stubs

--- All names that a table and others have, sorted, for suggestions.
local function names_of(...)
  local all <const> = {}
  for _, t in ipairs { ... } do
    for name in pairs(t) do all[name] = true end
  end
  return core.load "keys"(all)
end

--- Fails: there is no such name, and what was meant, or why there is none.
local function fail_unknown(format, name, ...)
  name = tostring(name)
  local why <const> = core.load "foreign".advice(name)
  local _, hint <const> = core.load "nearest"(name, names_of(...))
  core.fail(format, name, why and ": " .. why or hint)
end

--- What lg has under a name, loaded if it is late; or nil.
function core.public(name)
  local part = rawget(lg, name)
  if parts[name] then part = core.load(name) end
  if late[name] then part = core.load(late[name])[name] end
  rawset(lg, name, part)
  return part
end

setmetatable(lg, { __index = function(_, name)
  local part <const> = core.public(name)
  if part == nil then fail_unknown("there is no lg.%s%s", name, lg, parts, late) end
  return part
end })

setmetatable(core.methods, { __index = function(methods, name)
  fail_unknown("a tensor has no method '%s'%s", name, methods)
end })

function core.methods.split(...) return lg.split(...) end

--- A copy of x with numbers of its own, through which gradients flow.
function lg.clone(x) return x * 1 end
function core.methods.clone(...) return lg.clone(...) end

--- Replaces each net in a list of tensors and nets by its parameters.
local function spread(list)
  local tensors = {}
  for _, item in ipairs(list) do
    if type(item) == "table" then
      table.move(item:parameters(), 1, #item:parameters(), #tensors + 1, tensors)
    else
      tensors[#tensors + 1] = item
    end
  end
  return tensors
end

local grad <const> = lg.grad

--- Gradients of y, a tensor of one element, with respect to tensors of its history.
--
-- `lg.grad(y, x)` gives a tensor, `lg.grad(y, {a, b})` a list in that order; a net stands
-- for its parameters. Options: create_graph, retain_graph, allow_unused; partial, which
-- lets no gradient flow through one of the tensors to another; and seed, a tensor of y's
-- shape that weights y's elements.
function lg.grad(y, wanted, options)
  if type(wanted) == "table" then
    wanted = spread(wanted.parameters and { wanted } or wanted)
  end
  return grad(y, wanted, options)
end

return lg

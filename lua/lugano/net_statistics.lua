--- net_statistics.lua - standing statistics of batch norms: G:standing_statistics(n, f).

local core <const> = ...
local lg <const> = core.lg
local net <const> = core.load "net"
local inner <const>, methods <const> = net.inner, net.methods

--- A layer's buffers that follow the batches, and how fast; or nil.
local function running_of(part)
  local own <const>, buffers <const> = part[inner], {}
  for _, t in ipairs(own.layer and own.tensors or {}) do
    if t.buffer and t.name:find "^running_" then buffers[#buffers + 1] = t.tensor end
  end
  if #buffers == 0 then return nil end
  local momentum <const> = own.layer:number "momentum"
  if not momentum or momentum == 0 then
    core.fail("standing_statistics: %s (%s) has momentum 0, and keeps no statistics",
              own.path, own.kind)
  end
  return { part = part, buffers = buffers, momentum = momentum, calls = 0,
           training = part.training, old = {}, sums = {} }
end

--- The buffers are set to zero before each call of the layer, so that after it they are
-- its batch's statistics times the momentum.
local function watch(norm)
  for i, buffer in ipairs(norm.buffers) do
    norm.old[i] = lg.zeros(buffer.shape):copy(buffer)
    norm.sums[i] = lg.zeros(buffer.shape)
    buffer:copy(norm.sums[i])
  end
  norm.tap = net.tap(norm.part, function()
    norm.calls = norm.calls + 1
    for i, buffer in ipairs(norm.buffers) do
      norm.sums[i] = norm.sums[i] + buffer
      buffer:copy(lg.zeros(buffer.shape))
    end
  end)
  net.set_mode(norm.part, true)
end

--- A layer that was not called keeps what it had.
local function settle(norm, ok)
  norm.tap:close()
  net.set_mode(norm.part, norm.training)
  for i, buffer in ipairs(norm.buffers) do
    local mean <const> = ok and norm.calls > 0
                         and norm.sums[i] / (norm.calls * norm.momentum)
    buffer:copy(mean or norm.old[i])
  end
end

--- Gives batch norms the means of their statistics over n calls of f, which runs the net
-- on batches of the size that it was trained with; each batch counts the same (Brock et
-- al. 2019, appendix D). The batch norms alone are in training mode meanwhile, and no
-- history is recorded. If f fails, nothing is changed.
--
--     ema.model:standing_statistics(16, function() ema.model(lg.randn(64, 100)) end)
---@param n integer
---@param f function  f(i)
function methods:standing_statistics(n, f)
  if math.type(n) ~= "integer" or n < 1 or type(f) ~= "function" then
    core.fail("standing_statistics takes a whole number and a function that runs the "
              .. "net on a batch")
  end
  self:state()                                 -- it must have its shapes
  local norms <const> = { running_of(self) }
  for _, part in self:parts() do norms[#norms + 1] = running_of(part) end
  if #norms == 0 then
    core.fail("standing_statistics: there is no layer with running statistics in %s",
              self[inner].path)
  end
  for _, norm in ipairs(norms) do watch(norm) end
  local ok <const>, why <const> = pcall(lg.no_grad, function()
    for i = 1, n do f(i) end
  end)
  lg.no_grad(function()
    for _, norm in ipairs(norms) do settle(norm, ok) end
  end)
  if not ok then error(why, 0) end
  return self
end

return net

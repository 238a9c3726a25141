--- gan_clip.lua - gan.clip_weights(D, bound): the critic of the first WGAN.

local core <const> = ...
local lg <const> = core.lg
local check <const> = core.load "gan_check"
local gan <const> = {}

--- Sets every parameter that is beyond -bound .. bound to the nearer of the two
-- (Arjovsky et al. 2017): after each update of the critic. Running statistics stay.
---@param net lugano.Net
---@param bound number  0.01 if it isn't given, as in the paper
---@return lugano.Net  the net
function gan.clip_weights(net, bound)
  local who <const> = "gan.clip_weights"
  if type(net) ~= "table" or not net.parameters then
    core.fail("%s takes a net, not %s", who, check.show(net))
  end
  bound = check.value(who, "bound", { above = 0 }, bound == nil and 0.01 or bound)
  lg.no_grad(function()
    for _, p in ipairs(net:parameters()) do p:copy(p:clamp(-bound, bound)) end
  end)
  return net
end

return gan

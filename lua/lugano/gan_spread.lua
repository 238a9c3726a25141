--- gan_spread.lua - how far apart samples are: what a collapsed generator loses.

local core <const> = ...
local gan <const>, spread <const> = {}, core.load "spread"

--- The root mean square distance of two samples of a batch, as a number. Against that of
-- as many real samples it tells a collapse: 1 is as varied as the data, 0 is one sample.
---@param x lugano.Tensor  {n,...}, n from 2
---@return number
function gan.spread(x)
  if not core.is_tensor(x) or #x.shape < 2 or x.shape[1] < 2 then
    core.fail("gan.spread takes a batch of two samples or more, and got %s",
              core.is_tensor(x) and "{" .. table.concat(x.shape, ",") .. "}" or type(x))
  end
  return spread.distance(x) or 0 / 0
end

return gan

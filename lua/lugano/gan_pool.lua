--- gan_pool.lua - gan.pool(n): earlier fakes, shown to D now and then.

local core <const> = ...
local lg <const> = core.lg
local check <const> = core.load "gan_check"
local gan <const> = {}

local Pool <const> = { __name = "lugano.pool" }
Pool.__index = Pool

local function row(t, i) return t:narrow(1, i, 1) end

--- A copy that does not change with the pool: a narrow of it would.
local function copy_of(t) return lg.zeros(t.shape):copy(t) end

local function check_batch(pool, x)
  check.tensor("gan.pool", "x", x)
  if #x.shape == 0 or #x == 0 then
    core.fail("gan.pool: x must have samples, and is %s", check.shape(x))
  end
  if not pool.images then return end
  for i = 1, math.max(#x.shape, #pool.images.shape) do
    if i > 1 and x.shape[i] ~= pool.images.shape[i] then
      core.fail("gan.pool: x is %s, and the pool has %s; a pool keeps samples of one "
                .. "shape", check.shape(x), check.shape(pool.images))
    end
  end
end

--- A batch like x, of which about half are earlier samples: see gan.pool.
---@param x lugano.Tensor  {n,...}
---@return lugano.Tensor   of the same shape, without history
function Pool:exchange(x)
  check_batch(self, x)
  if self.size == 0 then return x:detach() end
  return lg.no_grad(function()
    if not self.images then
      local shape <const> = x.shape
      shape[1] = self.size
      self.images = lg.zeros(shape)
    end
    local coin <const> = lg.rand(#x):totable()
    local place <const> = lg.randint(1, self.size, #x):totable()
    local out <const> = {}
    for i = 1, #x do
      out[i] = row(x, i)
      if self.count < self.size then
        self.count = self.count + 1
        row(self.images, self.count):copy(out[i])
      elseif coin[i] < 0.5 then
        local at <const> = math.tointeger(place[i])
        local earlier <const> = copy_of(row(self.images, at))
        row(self.images, at):copy(out[i])
        out[i] = earlier
      end
    end
    return lg.cat(out, 1)
  end)
end

Pool.__call = Pool.exchange

--- Room for the samples, as a checkpoint has them: { images = {50,1,28,28} }.
function Pool:reserve(shapes)
  local shape <const> = shapes.images
  if not shape then
    self.images, self.count = nil, 0
    return
  end
  if shape[1] ~= self.size then
    core.fail("gan.pool: the checkpoint's pool has room for %d samples, and this one for "
              .. "%d", shape[1], self.size)
  end
  self.images = lg.zeros(shape)
end

--- The samples that are kept, once there are some.
function Pool:state()
  return self.images and { { name = "images", tensor = self.images } } or {}
end

--- How many samples there are, { count = 50 }; with such a table, sets it.
function Pool:numbers(numbers)
  if numbers then check.set_numbers("gan.pool", self, { "count" }, numbers) end
  return { count = self.count }
end

function Pool:__tostring()
  return ("gan.pool of %d samples, room for %d"):format(self.count, self.size)
end

--- A history of fakes (Shrivastava et al. 2017): an object that is called with a batch
-- and returns one of the same size. While there is room, samples are kept, and returned;
-- then each is, by the toss of a coin, returned, or exchanged for a random one of those
-- kept, as in CycleGAN. What it returns is for D: it has no history. To be given to
-- lg.run.
--
--     local pool = gan.pool(50)
--     optD:minimize(loss.discriminator(D(x), D(pool(fake))))
---@param n integer  how many it keeps; 0: none, and batches are returned as they are
---@return lugano.Pool
function gan.pool(n)
  check.value("gan.pool", "n", { kind = "whole", least = 0 }, n)
  return core.load "unsaved".note(setmetatable({ size = n, count = 0 }, Pool), "gan.pool")
end

return gan

--- gan_ema.lua - gan.ema(G): the moving average of a generator, which draws better
-- pictures.

local core <const> = ...
local check <const> = core.load "gan_check"
local gan <const> = {}

local Average <const> = { __name = "lugano.average" }
Average.__index = Average

local known <const> = {
  { "decay", nil, least = 0, below = 1 },
  { "halflife", nil, above = 0 },
  { "rampup", nil, above = 0 },
  { "start", 0, least = 0 },
  { "buffers", "average", kind = "text", words = { "average", "copy" } },
}

--- How many updates it takes until half of what was there is forgotten.
local function halflife_of(decay)
  return decay > 0 and math.log(0.5) / math.log(decay) or 0
end

--- What stays of the average when n are counted: 1/2 after a half-life, which grows with
-- what was seen where there is a ramp-up.
local function share_kept(ema, n)
  local o <const> = ema.options
  local halflife = ema.halflife
  if o.rampup then halflife = math.min(halflife, ema.seen * o.rampup) end
  if ema.seen < o.start or halflife == 0 then return 0 end
  return 0.5 ^ (n / halflife)
end

--- Counts n more, and moves the average toward the net: after each update of it.
---@param n integer  1 if it isn't given; the size of the batch, to count images
---@return lugano.Average  itself
function Average:update(n)
  n = check.value("gan.ema: update", "n", { above = 0 }, n == nil and 1 or n)
  local kept <const> = share_kept(self, n)
  core.average(self.to, self.from, kept, self.averaged)
  self.seen = self.seen + n
  return self
end

--- The tensors of the averaged net, by their names in it.
function Average:state()
  local list <const> = {}
  for i, p in ipairs(self.pairs) do list[i] = { name = p.name, tensor = p.to } end
  return list
end

--- What has been counted, { seen = 1200 }; with such a table, sets it.
function Average:numbers(numbers)
  if numbers then check.set_numbers("gan.ema", self, { "seen" }, numbers) end
  return { seen = self.seen }
end

function Average:__tostring()
  return ("gan.ema of %d tensors, half-life %g, after %g"):format(#self.pairs,
                                                                 self.halflife, self.seen)
end

--- Running statistics belong to the weights, and are averaged with them; other buffers,
-- the vectors of a spectral norm, are no means.
local function is_copied(entry, o)
  if not entry.buffer then return false end
  return o.buffers == "copy" or not entry.name:find "%f[%w]running_%w+$"
end

--- Each tensor of the net with the one that averages it: { name =, from =, to = }.
local function tensor_pairs(net, model, o)
  local list <const>, to <const> = {}, model:state()
  for i, s in ipairs(net:state()) do
    if not to[i] or to[i].name ~= s.name then
      core.fail("gan.ema: the clone of the net lacks '%s'", s.name)
    end
    list[i] = { name = s.name, from = s.tensor, to = to[i].tensor,
                copied = is_copied(s, o) }
  end
  return list
end

--- Lists of the tensors: those that are averaged, and then those that are copied.
local function order_tensors(ema)
  ema.from, ema.to = {}, {}
  for _, copied in ipairs { false, true } do
    for _, p in ipairs(ema.pairs) do
      if p.copied == copied then
        ema.from[#ema.from + 1], ema.to[#ema.to + 1] = p.from, p.to
      end
    end
    if not copied then ema.averaged = #ema.to end
  end
  return ema
end

--- The exponential moving average of a net's parameters (Karras et al. 2018; Brock et al.
-- 2019; Yazici et al. 2019): `ema.model` is a copy of the net, in eval mode and without
-- gradients, that `ema:update()` moves toward it. To be given to lg.run.
--
--     local ema = gan.ema(G, { decay = 0.999 })
--     optG:minimize(loss.generator(D(G(z))))
--     ema:update()
--     run:image("samples", ema.model(fixed))
--
-- update() counts 1, update(n) counts n, and what was there keeps the share decay^n: so
-- decay is for one update, or, where n is the size of the batch, for one image. In place
-- of decay: halflife, after how many half of it is forgotten. rampup: the half-life is at
-- most this share of all that was counted, 0.05 as in StyleGAN2, so that the first
-- pictures go. start = 0: until so many were counted the average is a copy.
--
-- Parameters are averaged, and of the buffers the running statistics, as in BigGAN; other
-- buffers are copied. buffers = "copy" copies all of them, as StyleGAN2 does.
---@param net lugano.Net  with shapes: `input = {...}` was declared, or it was called
---@param options table   decay = 0.999 or halflife, rampup, start, buffers
---@return lugano.Average
function gan.ema(net, options)
  local who <const> = "gan.ema"
  if type(net) ~= "table" or not net.state or not net.clone then
    core.fail("%s takes a net, not %s", who, check.show(net))
  end
  local o <const> = check.options(who, known, options)
  if o.decay and o.halflife then
    core.fail("%s takes decay or halflife, not both; a decay of %g has the half-life %g",
              who, o.decay, halflife_of(o.decay))
  end
  net:state()                          -- says what to do if there are no shapes yet
  local model <const> = net:clone { tracked = false }
  model:eval()
  local ema <const> = { model = model, options = o, seen = 0,
                        halflife = o.halflife or halflife_of(o.decay or 0.999),
                        pairs = tensor_pairs(net, model, o) }
  return core.load "unsaved".note(setmetatable(order_tensors(ema), Average), "gan.ema")
end

return gan

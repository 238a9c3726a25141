--- health.lua - looks out for what goes wrong in the training of a GAN, and says it once.
--
--     nan         a value is not a number, or infinite
--     divergence  a loss is a hundred times what it was
--     saturation  the discriminator makes no mistake any more, and G's loss grows
--     collapse    samples are nearly the same, as measured by real ones
--     constant    pictures have one color
--
-- Each is told again only after it has been well in between. A generator that has not
-- begun to learn looks like a collapsed one, so the first steps are left alone.

local core <const> = ...
local exact <const>, sorted_keys <const> = core.load "exact", core.load "keys"
local spread <const> = core.load "spread"

local first_steps <const> = 100
local remembered <const>, needed <const> = 50, 10      -- means of a loss; to judge by
local exploded <const> = 100                           -- times the median
local certain <const>, patience <const> = 0.01, 20     -- of D; means in a row
local same <const>, diverse <const> = 0.2, 0.35        -- parts of real samples' distance
local most_twins <const> = 0.5
local flat <const> = 0.01                              -- part of the range

local Health <const> = {}
Health.__index = Health

--- Tells an alarm when it begins. which: its kind, and what tells those of one apart.
function Health:judge(which, step, is_ill, text)
  local name <const> = which[1] .. ":" .. which[2]
  if is_ill and not self.active[name] then self.tell(which[1], text(), step) end
  self.active[name] = is_ill or nil
end

--- A value that the script logged in the step at work.
function Health:value(name, value, step)
  if exact.is_finite(value) then return end
  local what <const> = value ~= value and "not a number" or "infinite"
  self:judge({ "nan", name }, step, true, function()
    return ("%s is %s since step %d; a smaller learning rate or clip_norm may help, and "
            .. "lg.run's option on_nan says what then happens"):format(name, what, step)
  end)
end

--- After a return to good nets the same may happen again, and be told again.
function Health:recovered()
  for _, name in ipairs(sorted_keys(self.active)) do
    if name:find "^nan:" then self.active[name] = nil end
  end
end

local function median(list)
  local sorted <const> = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  return sorted[(#sorted + 1) // 2]
end

--- Two means in a row, so that one bad batch is no divergence.
function Health:check_divergence(name, value, step)
  local series <const> = self.series[name] or { seen = {}, high = 0 }
  self.series[name] = series
  local size <const>, seen <const> = math.abs(value), series.seen
  local usual <const> = #seen >= needed and median(seen)
  local high <const> = usual and size > exploded * math.max(usual, 1)
  series.high = high and series.high + 1 or 0
  self:judge({ "divergence", name }, step, series.high >= 2, function()
    return ("%s is %.4g at step %d, and was about %.4g: the training diverges; try a "
            .. "smaller learning rate, clip_norm, or a gradient penalty on D"):format(
            name, value, step, usual)
  end)
  if high then return end
  seen[#seen + 1] = size
  if #seen > remembered then table.remove(seen, 1) end
end

local function is_probability(p) return p and p >= 0 and p <= 1 end

function Health:check_saturation(row, step)
  local real <const>, fake <const> = row["D(x)"], row["D(G(z))"]
  local sure <const> = is_probability(real) and is_probability(fake)
                       and real > 1 - certain and fake < certain
  local loss <const> = row.D and row.G and row.D >= 0 and row.D < certain
  local s <const> = self.sure
  s.count = (sure or loss) and s.count + 1 or 0
  if s.count == 1 then
    s.step, s.first = step, row.G and exact.is_finite(row.G) and row.G or 0
  end
  local grows <const> = sure or (row.G or 0) > s.first + 0.1 * math.abs(s.first)
  self:judge({ "saturation", "D" }, step, s.count >= patience and grows, function()
    return ("D makes no mistake since step %d, so that G learns little from it; make D "
            .. "weaker (a smaller learning rate, dropout, label smoothing), or use R1, "
            .. "spectral = true or an augmentation"):format(s.step)
  end)
end

--- A line of metrics.
function Health:row(row, step)
  if not self.on then return end
  for _, name in ipairs(sorted_keys(row)) do
    local value <const> = row[name]
    local is_loss <const> = type(value) == "number" and exact.is_finite(value)
                            and not name:find(".", 1, true)
    if is_loss then self:check_divergence(name, value, step) end
  end
  self:check_saturation(row, step)
end

--- The first real batch is the measure of how different samples are.
function Health:batch(x)
  if not self.on or self.real.distance or not core.is_tensor(x) then return end
  if #x.shape < 2 or x.shape[1] < 8 then return end
  local distance <const> = spread.distance(x)
  if distance and distance > 0 then
    self.real = { distance = distance, size = x:numel() // x.shape[1],
                  twins = spread.twins(x, distance) }
  end
end

--- What is known of pictures of a name, or of samples.
function Health:about(name)
  self.sets[name] = self.sets[name] or { low = 0, step = -1, diverse = false }
  return self.sets[name]
end

function Health:check_collapse(name, x, step)
  local real <const>, set <const> = self.real, self:about(name)
  local ratio <const> = (spread.distance(x) or real.distance) / real.distance
  local twins <const> = spread.twins(x, real.distance)
  local low <const> = ratio < same or twins > most_twins + real.twins
  set.diverse = set.diverse or (step > 0 and ratio > diverse and not low)
  if step > set.step then set.low = low and set.low + 1 or 0 end
  set.step = step
  local ill <const> = low and step >= first_steps
                      and (set.diverse or twins > most_twins + real.twins or set.low >= 2)
  self:judge({ "collapse", name }, step, ill, function()
    return ("%s at step %d are nearly all the same (%.0f %% of the distance between real "
            .. "ones): the generator collapses; try a smaller learning rate, minibatch "
            .. "standard deviation in D, another loss, or a gradient penalty"):format(
            name, step, 100 * ratio)
  end)
end

function Health:check_constant(name, x, step, range)
  local lo <const>, hi <const> = range[1], range[2]
  local part <const>, mean <const> = spread.constant(x, flat * (hi - lo))
  local ill <const> = part >= 0.9 and step >= first_steps
  self:judge({ "constant", name }, step, ill, function()
    local at <const> = (mean - lo) / (hi - lo)
    local color <const> = at < 0.05 and "black" or at > 0.95 and "white" or "of one color"
    return ("%s at step %d are %s; check the range of the data and of G's last "
            .. "activation, and try a smaller learning rate"):format(name, step, color)
  end)
  return ill
end

--- Samples that the script shows: n,... with as many numbers each as real ones have.
---@param range table  what is black and white, or nil if they are no pictures
function Health:samples(name, x, step, range)
  local n <const> = x.shape[1]
  if not self.on or #x.shape < 2 or n < 4 then return end
  local size <const> = x:numel() // n
  local is_picture <const> = range and size >= 16
  if is_picture and self:check_constant(name, x, step, range) then return end
  if self.real.size == size and n >= 8 then self:check_collapse(name, x, step) end
end

local fields <const> = { "active", "series", "sure", "real", "sets" }

--- What a checkpoint keeps.
function Health:notes()
  local notes <const> = {}
  for _, field in ipairs(fields) do notes[field] = self[field] end
  return notes
end

function Health:restore(notes)
  for _, field in ipairs(fields) do self[field] = notes[field] or self[field] end
end

---@param on boolean  false: only what is not a number is told
---@param tell function  tell(kind, text, step) is called when an alarm begins
return function(on, tell)
  return setmetatable({ on = on, tell = tell, active = {}, series = {}, real = {},
                        sets = {}, sure = { count = 0, first = 0.0, step = 0 } }, Health)
end

--- data_toy.lua - sets in two dimensions, in which one sees what a generator does, and
-- stacked digits, whose 1,000 modes can be counted.
--
-- What is random in them depends on the seed alone, not on what a script has drawn.

local core <const> = ...
local lg <const>, sets <const> = core.lg, core.load "data_set"
local data <const> = {}

-- Lists of that many are made; and labels are whole floats.
local MOST <const> = { n = 1 << 24, modes = 1 << 16, side = 1 << 8 }

--- Checks the options of a toy set: numbers, with these defaults.
local function numbers(who, options, defaults, names)
  options = sets.check_options(who, options, names)
  local values <const> = {}
  for _, name in ipairs(names) do
    local value = options[name]
    if value == nil then value = defaults[name] end
    local whole <const> = math.type(defaults[name]) == "integer"
    local most <const> = whole and MOST[name] or math.huge
    if type(value) ~= "number" or value ~= value
       or whole and (math.type(value) ~= "integer" or value < 1 or value > most)
       or not whole and (value < 0 or value == most) then
      core.fail("%s: %s = %s; it is a %s", who, name, tostring(value),
                whole and ("whole number from 1 to %d"):format(most) or "number from 0")
    end
    values[name] = value
  end
  return values, options
end

local function finish(name, rows, labels, more, options)
  local set <const> = sets.set_of({ core.tensor_dataset(name, rows, labels) }, more)
  return sets.apply_options(set, options)
end

--- n points round centers, as many round each: label k is center k.
local function gaussians(name, centers, v, options)
  local modes <const>, list <const> = centers:size(1), {}
  for i = 1, v.n do list[i] = (i - 1) % modes + 1 end
  local labels <const> = lg.tensor(list)
  local noise <const> = core.named_random("data:" .. name, true, { v.n, 2 })
  local rows <const> = centers:index_select(labels, 1) + noise * v.std
  return finish(name, rows, labels, { centers = centers, std = v.std, first_label = 1 },
                options)
end

--- Gaussians on a circle: n,2, label k of center k. set.centers is modes,2, and set.std.
---@param options table  n = 10000, modes = 8, radius = 2, std = 0.02
function data.ring(options)
  local v <const>, all <const> =
    numbers("data.ring", options, { n = 10000, modes = 8, radius = 2.0, std = 0.02 },
            { "n", "modes", "radius", "std" })
  local centers <const> = {}
  for k = 1, v.modes do
    local angle <const> = 2 * math.pi * (k - 1) / v.modes
    centers[k] = { v.radius * math.cos(angle), v.radius * math.sin(angle) }
  end
  return gaussians("ring", lg.tensor(centers), v, all)
end

--- Gaussians on a square grid round 0: n,2, with set.centers, side * side of them.
---@param options table  n = 10000, side = 5, spacing = 2, std = 0.05
function data.grid(options)
  local v <const>, all <const> =
    numbers("data.grid", options, { n = 10000, side = 5, spacing = 2.0, std = 0.05 },
            { "n", "side", "spacing", "std" })
  local centers <const>, middle <const> = {}, (v.side + 1) / 2
  for i = 1, v.side do
    for j = 1, v.side do
      centers[#centers + 1] = { (j - middle) * v.spacing, (i - middle) * v.spacing }
    end
  end
  return gaussians("grid", lg.tensor(centers), v, all)
end

--- A spiral: n,2, from -1.4 to 1.4 or so. The curve is scikit-learn's, a tenth as large.
---@param options table  n = 10000, noise = 0.02
function data.swiss_roll(options)
  local v <const>, all <const> = numbers("data.swiss_roll", options,
                                         { n = 10000, noise = 0.02 }, { "n", "noise" })
  local t <const> = (core.named_random("data:swiss_roll:t", false, { v.n }) * 2 + 1)
    * (1.5 * math.pi)
  local curve <const> = lg.stack({ t * t:cos(), t * t:sin() }, 2) * 0.1
  local noise <const> = core.named_random("data:swiss_roll", true, { v.n, 2 })
  return finish("swiss_roll", curve + noise * v.noise, nil, {}, all)
end

--- Two half circles that reach into each other (scikit-learn's make_moons): n,2, labels 1
-- and 2.
---@param options table  n = 10000, noise = 0.05
function data.moons(options)
  local v <const>, all <const> = numbers("data.moons", options,
                                         { n = 10000, noise = 0.05 }, { "n", "noise" })
  local points <const>, labels <const> = {}, {}
  for i = 1, v.n do
    local upper <const> = i % 2 == 1
    local last <const> = upper and (v.n - 1) // 2 or v.n // 2 - 1   -- of its half, from 0
    local t <const> = math.pi * ((i - 1) // 2) / math.max(last, 1)
    points[i] = upper and { math.cos(t), math.sin(t) }
      or { 1 - math.cos(t), 0.5 - math.sin(t) }
    labels[i] = upper and 1 or 2
  end
  local noise <const> = core.named_random("data:moons", true, { v.n, 2 })
  return finish("moons", lg.tensor(points) + noise * v.noise, lg.tensor(labels),
                { first_label = 1 }, all)
end

--- Images of three random digits each, as red, green and blue: n,3,h,w, and labels 1 to
-- 1000, of 100 * red + 10 * green + blue + 1 (Metz et al. 2017). Nothing is copied.
---@param options table  n = 25600, of = data.digits(), or another gray set with labels
function data.stacked(options)
  options = sets.check_options("data.stacked", options, { "n", "of" })
  local of <const> = options.of == nil and core.load("data").digits() or options.of
  local n <const> = options.n == nil and 25600 or options.n
  if not sets.is_set(of) or #of.handles ~= 1 or not of.labeled then
    core.fail "data.stacked: of is a set of gray images with labels, as data.digits()"
  end
  if math.type(n) ~= "integer" or n < 1 or n > 1 << 30 then
    core.fail("data.stacked: n = %s; it is a whole number from 1 to %d", tostring(n),
              1 << 30)
  end
  local zero <const> = of:labels_from(0)
  local set <const> = sets.set_of({ zero.handles[1]:stacked("stacked", n) },
                                  { first_label = 1 })
  return sets.apply_options(set, options)
end

return data

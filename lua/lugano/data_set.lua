--- data_set.lua - what every data set can do: look at its images, and give batches.
--
-- A set has one source of rows, or two of a pair. A pass is shuffled by the seed, the
-- set's name and the number of the pass alone, and so is what is left to chance in it.

local core <const> = ...
local nearest <const>, sorted_keys <const> = core.load "nearest", core.load "keys"

local Set <const>, Batches <const> = {}, {}
Set.__index, Batches.__index = Set, Batches
Set.__name, Batches.__name = "lugano.set", "lugano.batches"

--- Checks that a table of options has known names alone; nil is none.
local function check_options(who, options, known)
  options = options == nil and {} or options
  if type(options) ~= "table" then
    core.fail("%s takes a table of options, { %s = ... }, and got a %s", who, known[1],
              type(options))
  end
  local words <const> = {}
  for i, name in ipairs(known) do words[i], words[name] = name, true end
  for _, name in ipairs(sorted_keys(options)) do
    if not words[name] then
      local _, hint <const> = nearest(tostring(name), known)
      core.fail("%s: no option '%s'%s; it takes %s", who, tostring(name), hint,
                table.concat(known, ", "))
    end
  end
  return options
end

--- A set of what C made: one source of rows, or two.
---@param more table  classes, centers, std, unpaired, counter
local function set_of(handles, more)
  local set <const> = { handles = handles, shapes = {}, counter = { pass = 0 } }
  for i, handle in ipairs(handles) do
    local shape <const>, labeled <const> = handle:shape()
    set.shapes[i] = shape
    set.labeled = i == 1 and labeled
  end
  set.shape = set.shapes[1]
  for _, name in ipairs(sorted_keys(more or {})) do set[name] = more[name] end
  if set.labeled and not set.first_label then
    set.first_label = math.min(1, math.tointeger(handles[1]:labels():amin():item()))
  end
  return setmetatable(set, Set)
end

--- Another set of the same rows. Both count the same passes.
local function derive(set, change, more)
  local handles <const> = {}
  for i, handle in ipairs(set.handles) do handles[i] = change(handle, set.shapes[i]) end
  local kept <const> = { counter = set.counter, classes = set.classes,
                         centers = set.centers, std = set.std, unpaired = set.unpaired,
                         first_label = set.first_label }
  for _, name in ipairs(sorted_keys(more or {})) do kept[name] = more[name] end
  return set_of(handles, kept)
end

--- The rows of a pass: of an unpaired set those of the larger half.
function Set:__len()
  local other <const> = self.unpaired and self.shapes[2][1] or 0
  return math.max(self.shape[1], other)
end

--- What print shows: "set of 4500 x 1,28,28, labels from 0".
function Set:__tostring()
  local rows <const> = {}
  for i, shape in ipairs(self.shapes) do
    local sizes <const> = table.concat(shape, ",", 2)
    rows[i] = shape[1] .. (sizes ~= "" and " x " .. sizes or "")
  end
  local labels <const> = self.labeled and ", labels from " .. self.first_label or ""
  return "set of " .. table.concat(rows, " and ") .. labels
end

local MOST_SIDE <const>, MOST_BATCH <const> = 16384, 1 << 24

local function check_side(who, n, optional)
  if optional and n == nil then return end
  if math.type(n) ~= "integer" or n < 1 or n > MOST_SIDE then
    core.fail("%s: %s is no number of pixels; it is a whole number from 1 to %d", who,
              tostring(n), MOST_SIDE)
  end
end

local function look(set, who, height, width)
  check_side(who, height)
  check_side(who, width, true)
  return derive(set, function(handle)
    return handle:look(who, height, width or height)
  end)
end

--- Images of another size, antialiased and bilinear as Pillow's. One number is the
-- shorter side, and the longer one follows; two are height and width.
function Set:resize(height, width)
  check_side("resize", height)
  check_side("resize", width, true)
  return derive(self, function(handle, shape)
    local h, w = height, width
    if not width and #shape == 4 then
      local short <const> = math.min(shape[3], shape[4])
      h, w = height * shape[3] // short, height * shape[4] // short
    end
    return handle:look("resize", h, w or h)
  end)
end

--- The middle of each image: crop(28), crop(height, width).
function Set:crop(height, width) return look(self, "crop", height, width) end

--- Another part of each image in each pass. Without shuffling it is the middle.
function Set:random_crop(height, width)
  return look(self, "random_crop", height, width)
end

--- Mirrors an image from left to right with that chance, 0.5 if not said, in each pass
-- anew. Without shuffling none is.
function Set:flip(chance)
  chance = chance == nil and 0.5 or chance
  if type(chance) ~= "number" then
    core.fail("flip takes a chance from 0 to 1, and got a %s", type(chance))
  end
  return derive(self, function(handle, shape)
    return handle:look("flip", shape[3] or 0, shape[4] or 0, chance)
  end)
end

local function number_list(who, value)
  local list <const> = type(value) == "table" and value or { value }
  if #list == 0 or #list > 16 then
    core.fail("normalize: %s is a number, or one for each channel", who)
  end
  for _, x in ipairs(list) do
    if type(x) ~= "number" then
      core.fail("normalize: %s is a number, or one for each channel, and no %s", who,
                type(x))
    elseif x ~= x or x == math.huge or x == -math.huge then
      core.fail("normalize: %s is a finite number, and not %s", who, tostring(x))
    end
  end
  return list
end

--- (x - mean) / std of images from 0 to 1, as published means are: normalize(0.5, 0.5) is
-- -1 to 1, what images are anyway. A number each, or a list with one for each channel.
function Set:normalize(mean, std)
  local means <const>, stds <const> = number_list("mean", mean), number_list("std", std)
  if #means ~= #stds then
    core.fail("normalize: %d means and %d deviations; there must be as many", #means,
              #stds)
  end
  return derive(self, function(handle) return handle:normalize(means, stds) end)
end

--- Numbers of rows, which may come from a tensor. Those past the last one C refuses.
local function check_row_list(who, rows)
  for _, row in ipairs(rows) do
    local n <const> = math.tointeger(row)
    if type(row) ~= "number" or not n or n < 1 or n > 1 << 30 then
      core.fail("%s: there is no row %s; rows are whole numbers from 1", who,
                tostring(row))
    end
  end
  return rows
end

local function check_rows(who, set, first, last)
  if type(first) == "table" then return check_row_list(who, first) end
  if last == nil then first, last = 1, first end
  local most <const> = #set
  if math.type(first) ~= "integer" or math.type(last) ~= "integer" or first < 1
     or last < first or last > most then
    core.fail("%s: rows %s to %s of %d cannot be taken", who, tostring(first),
              tostring(last), most)
  end
  return first, last
end

--- Some rows: subset(100) is the first 100, subset(101, 200) the next, subset{5, 7}
-- those two.
function Set:subset(first, last)
  first, last = check_rows("subset", self, first, last)
  return derive(self, function(handle) return handle:subset(first, last) end)
end

--- The rows that have one of these labels.
function Set:only(...)
  local wanted <const>, rows <const> = {}, {}
  for _, label in ipairs { ... } do wanted[label] = true end
  for i, label in ipairs(self:labels():totable()) do
    if wanted[math.tointeger(label)] then rows[#rows + 1] = i end
  end
  if #rows == 0 then core.fail("only: no row has such a label") end
  return self:subset(rows)
end

--- All labels: n whole numbers.
function Set:labels()
  if not self.labeled then core.fail("the set has no labels") end
  return self.handles[1]:labels()
end

--- The same set with labels that count from `first`. Those of files count from 0 mostly,
-- as set.first_label says; embedding and cross_entropy count from 1.
function Set:labels_from(first)
  if first ~= 0 and first ~= 1 then
    core.fail("labels_from takes 0 or 1, and got %s", tostring(first))
  end
  if not self.labeled then core.fail("labels_from: the set has no labels") end
  local shift <const>, classes <const> = first - self.first_label, {}
  for _, label in ipairs(sorted_keys(self.classes or {})) do
    classes[label + shift] = self.classes[label]
  end
  return derive(self, function(handle) return handle:relabel(shift) end,
                { first_label = first, classes = self.classes and classes })
end

--- Rows in the set's own order and without chance, for measuring: rows(100), rows(101,
-- 200), rows{5, 7}: images and labels, or both images of pairs.
function Set:rows(first, last)
  first, last = check_rows("rows", self, first, last)
  if #self.handles == 1 then return self.handles[1]:rows(first, last) end
  local a <const> = self.handles[1]:rows(first, last)
  local b <const> = self.handles[2]:rows(first, last)
  return a, b
end

local batch_options <const> = { "balanced", "keep_last", "prefetch", "shuffle" }

local function check_size(who, n)
  if math.type(n) ~= "integer" or n < 1 or n > MOST_BATCH then
    core.fail("%s: %s cannot be the size of a batch; it is a whole number from 1 to %d",
              who, tostring(n), MOST_BATCH)
  end
end

local function check_batch_options(who, options)
  options = check_options(who, options, batch_options)
  for _, name in ipairs(batch_options) do
    local value <const> = options[name]
    if value ~= nil and type(value) ~= "boolean" then
      core.fail("%s: %s is true or false, and not %s", who, name, tostring(value))
    end
  end
  return options
end

--- Opens what makes the batches of each source.
local function open_loaders(set, who, n, options, endless)
  local keep_last <const> = options.keep_last and true or false
  local balanced <const> = options.balanced and true or false
  if balanced and not set.labeled then
    core.fail("%s: balanced batches need labels, and the set has none", who)
  end
  local b <const> = { set = set, counter = set.counter, loaders = {}, steps_of = {},
                      steps = 0, index = 0, endless = endless,
                      shuffle = options.shuffle ~= false }
  for i, handle in ipairs(set.handles) do
    local loader <const>, steps <const>, rows <const> =
      handle:loader(n, keep_last, balanced, endless or set.unpaired,
                    options.prefetch ~= false)
    if steps == 0 then
      core.fail("%s: the set has %d rows, fewer than a batch of %d; say %s(%d, "
                .. "{keep_last = true})", who, rows, n, who, n)
    end
    b.loaders[i], b.steps_of[i] = loader, steps
    b.steps = math.max(b.steps, steps)
  end
  return b
end

--- One pass in batches of n: images in [-1, 1], n,c,h,w, and labels where there are; both
-- images of pairs. Each call is the next pass. The short last batch is left out unless
-- keep_last. The next batch is made in the background unless prefetch = false.
---@param n integer
---@param options table  balanced = true, keep_last = true, shuffle = false,
---                      prefetch = false
function Set:batches(n, options)
  check_size("batches", n)
  options = check_batch_options("batches", options)
  local batches <const> = open_loaders(self, "batches", n, options, false)
  self.counter.pass = self.counter.pass + 1
  batches.pass = self.counter.pass
  return setmetatable(batches, Batches)
end

--- Batches without end, pass after pass. A run that has the stream among its objects goes
-- on with it where it stood.
function Set:stream(n, options)
  check_size("stream", n)
  options = check_batch_options("stream", options)
  local stream <const> = open_loaders(self, "stream", n, options, true)
  stream.pass, stream.counter = 1, nil
  return core.load "unsaved".note(setmetatable(stream, Batches), "the stream of data")
end

--- Batches of a pass.
function Batches:__len() return self.steps end

--- The batch of a loader that stands for batch `index` of pass `pass`. The smaller half
-- of an unpaired set begins anew within a pass.
local function load(self, i)
  local steps <const> = self.steps_of[i]
  local at <const> = (self.pass - 1) * self.steps + self.index - 1
  local pass <const> = self.shuffle and at // steps + 1 or 0
  return self.loaders[i]:batch(pass, at % steps + 1)
end

--- The next batch, or nil after the last: `for x, labels in set:batches(64) do`.
function Batches:__call()
  if self.index >= self.steps then
    if not self.endless then return nil end
    self.pass, self.index = self.pass + 1, 0
  end
  self.index = self.index + 1
  if #self.loaders == 1 then return load(self, 1) end
  local a <const> = load(self, 1)
  local b <const> = load(self, 2)
  return a, b
end

local function check_place(who, value, least)
  if math.type(value) ~= "integer" or value < least then
    core.fail("seek: %s cannot be the number of a %s; it is a whole number from %d",
              tostring(value), who, least)
  end
end

--- Goes on behind batch `index` of pass `pass`: for a run that is resumed. A stream
-- counts on into the passes behind.
function Batches:seek(pass, index)
  check_place("pass", pass, 1)
  check_place("batch", index, 0)
  if self.endless then pass, index = pass + index // self.steps, index % self.steps end
  self.pass, self.index = pass, index
  if self.counter then self.counter.pass = pass end
end

--- What a run saves of a stream: no tensors, and where it stands.
function Batches:state() return {} end

--- Where it stands; with such a table, goes on from there. Batches of another size would
-- go on with other rows.
function Batches:numbers(values)
  if values then
    if values.steps ~= self.steps then
      core.fail("the stream had %d batches a pass when it was saved, and this one has "
                .. "%d; it needs the same set and the same size of batch",
                math.tointeger(values.steps) or 0, self.steps)
    end
    self:seek(math.tointeger(values.pass), math.tointeger(values.index))
  end
  local full <const> = self.index // self.steps            -- as seek counts
  return { pass = self.pass + full, index = self.index - full * self.steps,
           steps = self.steps }
end

local look_options <const> = { "resize", "crop", "random_crop", "flip", "normalize",
                               "subset", "labels_from" }

--- Options that any set takes, applied in their order here: { resize = 32, flip = true,
-- crop = {28, 24}, normalize = {mean, std} }.
local function apply_options(set, options)
  for _, name in ipairs(look_options) do
    local value <const> = options[name]
    if type(value) == "table" then
      if #value > 2 then
        core.fail("%s = { ... } takes one value or two, and got %d", name, #value)
      end
      set = Set[name](set, value[1], value[2])
    elseif value == true and name == "flip" then
      set = set:flip()
    elseif value ~= nil and value ~= false then
      set = Set[name](set, value)
    end
  end
  return set
end

--- Checks a set's own options and those of any set.
local function check_set_options(who, options, own)
  local known <const> = table.move(own, 1, #own, 1, {})
  options = check_options(who, options,
                          table.move(look_options, 1, #look_options, #known + 1, known))
  if options.name ~= nil and type(options.name) ~= "string" then
    core.fail("%s: name is a text, and no %s", who, type(options.name))
  end
  return options
end

return { set_of = set_of, derive = derive, check_options = check_set_options,
         apply_options = apply_options,
         is_set = function(x) return getmetatable(x) == Set end }

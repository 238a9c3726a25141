--- data_folder.lua - folders of pictures, and pairs of them.
--
-- All pictures are decoded when the set is made, and held as bytes, n * c * h * w: 50,000
-- of 3,64,64 take 614 MB.

local core <const> = ...
local sets <const> = core.load "data_set"
local data <const> = {}

local function is_picture(name)
  local ending <const> = name:lower():match "%.(%w+)$"
  return ending == "png" or ending == "jpg" or ending == "jpeg"
end

local MOST_DEEP <const> = 32           -- folders in folders

--- The sorted paths of all pictures in a folder and, if deep, in those below it.
local function pictures_in(who, top, deep)
  local paths <const> = {}
  local function add(folder, depth)
    if depth > MOST_DEEP then
      core.fail("%s: '%s' has folders more than %d deep; does a link in it lead back "
                .. "to one above?", who, top, MOST_DEEP)
    end
    for _, name in ipairs(core.list_folder(folder)) do
      local path <const> = folder .. "/" .. name
      if name:sub(-1) == "/" then
        if deep then add(path:sub(1, -2), depth + 1) end
      elseif is_picture(name) then
        paths[#paths + 1] = path
      end
    end
  end
  add(top, 0)
  return paths
end

--- The folders in a folder, sorted by their names alone: in a list they end in "/".
local function subfolders(folder)
  local names <const> = {}
  for _, name in ipairs(core.list_folder(folder)) do
    if name:sub(-1) == "/" then names[#names + 1] = name:sub(1, -2) end
  end
  table.sort(names)
  return names
end

--- Class folders: all pictures below, their labels from 1, and the names of the classes.
local function classes_in(who, folder)
  local paths <const>, labels <const>, classes <const> = {}, {}, subfolders(folder)
  local empty
  for k, class in ipairs(classes) do
    local found <const> = pictures_in(who, folder .. "/" .. class, true)
    for _, path in ipairs(found) do paths[#paths + 1], labels[#labels + 1] = path, k end
    if #found == 0 then empty = empty or class end
  end
  if #paths == 0 then
    core.fail("%s: there is no picture (.png, .jpg) in '%s' or in its folders", who,
              folder)
  end
  if empty then
    core.fail("%s: the class folder '%s/%s' has no picture (.png, .jpg)", who, folder,
              empty)
  end
  return paths, labels, classes
end

--- Height and width that pictures shall have; 0: as they are.
local function size_of(who, size)
  local list <const> = type(size) == "table" and size or { size, size }
  if size == nil then return 0, 0 end
  for i = 1, 2 do
    if math.type(list[i]) ~= "integer" or list[i] < 1 or list[i] > 16384 then
      core.fail("%s: size is a number of pixels, 64, or height and width, {64, 96}", who)
    end
  end
  return list[1], list[2]
end

local function channels_of(who, channels)
  channels = channels == nil and 3 or channels
  if channels ~= 1 and channels ~= 3 then
    core.fail("%s: channels is 1 (gray) or 3 (RGB), and not %s", who, tostring(channels))
  end
  return channels
end

local function check_path(who, path)
  if type(path) == "string" then return end
  core.fail("%s takes the path of a folder, and got a %s", who, type(path))
end

local function read(who, name, paths, labels, options, halves)
  local height <const>, width <const> = size_of(who, options.size)
  return core.picture_dataset(name, paths, labels, channels_of(who, options.channels),
                              height, width, halves)
end

--- A folder of pictures, or of class folders: their names, sorted, are labels from 1 and
-- set.classes. Pictures become RGB unless channels = 1; with size they are scaled to
-- cover it, and the middle is taken; without, all must be of one size.
---@param path string
---@param options table  size = 64 or {height, width}, channels = 3, and any set's
function data.folder(path, options)
  check_path("data.folder", path)
  options = sets.check_options("data.folder", options, { "size", "channels", "name" })
  local paths, labels, classes = pictures_in("data.folder", path, false), nil, nil
  if #paths == 0 then
    paths, labels, classes = classes_in("data.folder", path)
  end
  local handle <const> =
    read("data.folder", options.name or "folder", paths, labels, options, false)
  return sets.apply_options(sets.set_of({ handle }, { classes = classes }), options)
end

--- The pictures of a folder by name, without their endings.
local function stems(paths)
  local by_stem <const> = {}
  for i, path in ipairs(paths) do
    local stem <const> = path:match "([^/]*)%.%w+$"
    if by_stem[stem] then
      core.fail("data.paired: '%s' and '%s' have the same name but for the ending, and "
                .. "only one can have the partner", by_stem[stem], path)
    end
    paths[i], by_stem[stem] = stem, path
  end
  return by_stem
end

local function some_pictures(who, path, deep)
  local paths <const> = pictures_in(who, path, deep)
  if #paths > 0 then return paths end
  core.fail("%s: there is no picture (.png, .jpg) in '%s'", who, path)
end

--- The pictures of two folders that have the same names.
local function matched(a, b)
  local in_a <const> = some_pictures("data.paired", a, false)
  local in_b <const> = some_pictures("data.paired", b, false)
  local of_a <const>, of_b <const> = stems(in_a), stems(in_b)
  local left <const>, right <const> = {}, {}
  for i, stem in ipairs(in_a) do
    if not of_b[stem] then
      core.fail("data.paired: '%s' has no partner in '%s'", of_a[stem], b)
    end
    left[i], right[i] = of_a[stem], of_b[stem]
  end
  for _, stem in ipairs(in_b) do
    if not of_a[stem] then
      core.fail("data.paired: '%s' has no partner in '%s'", of_b[stem], a)
    end
  end
  return left, right
end

--- The one source of a set that is to be half of a pair.
local function half(who, set, name)
  if #set.handles ~= 1 then core.fail("%s: a pair of pairs cannot be made", who) end
  return set.handles[1]:renamed(name)
end

local function two_sets(options, name)
  local a <const>, b <const> = options.a, options.b
  if #a ~= #b then
    core.fail("data.paired: the sets have %d and %d rows; pairs need as many", #a, #b)
  end
  return half("data.paired", a, name), half("data.paired", b, name)
end

--- Pairs of images: `for a, b in set:batches(16) do`. Of one folder, whose pictures are
-- two side by side, a the left one; of two folders with the same names; or of two sets.
-- A random crop or flip is the same for both.
---@param options table  folder = path; or a, b = paths or sets; size, channels; any set's
function data.paired(options)
  options = sets.check_options("data.paired", options,
                               { "a", "b", "folder", "size", "channels", "name" })
  local a <const>, b <const> = options.a, options.b
  local name <const> = options.name or "paired"
  local left, right
  if type(options.folder) == "string" and not a and not b then
    local paths <const> = some_pictures("data.paired", options.folder, false)
    left, right = read("data.paired", name, paths, nil, options, true)
  elseif type(a) == "string" and type(b) == "string" then
    local in_a <const>, in_b <const> = matched(a, b)
    left = read("data.paired", name, in_a, nil, options, false)
    right = read("data.paired", name, in_b, nil, options, false)
  elseif sets.is_set(a) and sets.is_set(b) then
    left, right = two_sets(options, name)
  else
    core.fail("data.paired takes { folder = path }, or a and b, two paths or two sets: "
              .. "{ a = path, b = path }")
  end
  return sets.apply_options(sets.set_of({ left, right }, { labeled = false }), options)
end

local function side(options, name)
  local x <const> = options[name]
  if sets.is_set(x) then return half("data.unpaired", x, "unpaired." .. name) end
  if type(x) ~= "string" then
    core.fail "data.unpaired takes { a = path, b = path }, or two sets"
  end
  local paths <const> = some_pictures("data.unpaired", x, true)
  return read("data.unpaired", "unpaired." .. name, paths, nil, options, false)
end

--- Two sets that are drawn independently: `for a, b in set:batches(16) do`. A pass is one
-- of the larger set; the smaller one begins anew within it.
---@param options table  a, b = paths of folders, or sets; size, channels; any set's
function data.unpaired(options)
  options = sets.check_options("data.unpaired", options, { "a", "b", "size", "channels" })
  local a <const> = side(options, "a")
  local b <const> = side(options, "b")
  local set <const> = sets.set_of({ a, b }, { unpaired = true, labeled = false })
  return sets.apply_options(set, options)
end

return data

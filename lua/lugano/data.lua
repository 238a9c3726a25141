--- data.lua - lg.data: data sets. What a set can do is in data_set.lua.
--
-- Labels are whole numbers. Those of files are the files' own, which count from 0 mostly:
-- the label of a digit is the digit. Those that are made here, of folders and toy sets,
-- count from 1. set.first_label says which, and set:labels_from(1) makes them alike.

local core <const> = ...
local sets <const>, find <const> = core.load "data_set", core.load "data_find"

local data <const> = {}

-- Functions that are in other files, and in which: for the stubs, too, as core.late is.
local late <const> = {
  folder = "data_folder", grid = "data_toy", moons = "data_toy", paired = "data_folder",
  ring = "data_toy", stacked = "data_toy", swiss_roll = "data_toy",
  unpaired = "data_folder",
}
core.data_late = late

local function is_path(x) return type(x) == "string" end

--- A path and options behind it, as one table: path is its `key`.
local function with_path(who, key, given, options)
  if not is_path(given) then
    if options == nil then return given end
    core.fail("%s takes a path and options, or one table, { %s = path }", who, key)
  end
  if options ~= nil and type(options) ~= "table" then
    core.fail("%s takes a table of options behind the path, not a %s", who, type(options))
  end
  local all <const> = { [key] = given }
  for name, value in pairs(options or {}) do all[name] = value end
  return all
end

--- Images of an IDX file (MNIST's format, gzip or not), and their labels.
---@param files table  images = path, labels = path, and any set's options
function data.idx(files)
  if type(files) ~= "table" or not is_path(files.images)
     or files.labels ~= nil and not is_path(files.labels) then
    core.fail "data.idx takes { images = path, labels = path }"
  end
  sets.check_options("data.idx", files, { "images", "labels", "name" })
  local handle <const> = core.idx_dataset(files.name or "idx", files.images, files.labels)
  return sets.apply_options(sets.set_of { handle }, files)
end

--- The rows of a NumPy file, and labels of another. Unsigned bytes are images, n,h,w or
-- n,c,h,w, or n,h,w,c with channels_last; any others stay the numbers that they are.
---@param files string|table  path, or images = path, labels = path, channels_last = true
function data.npy(files, options)
  files = with_path("data.npy", "images", files, options)
  if type(files) ~= "table" or not is_path(files.images)
     or files.labels ~= nil and not is_path(files.labels) then
    core.fail "data.npy takes a path, or { images = path, labels = path }"
  end
  sets.check_options("data.npy", files, { "images", "labels", "channels_last", "name" })
  local handle <const> = core.npy_dataset(files.name or "npy", files.images, files.labels,
                                          files.channels_last)
  return sets.apply_options(sets.set_of { handle }, files)
end

--- Reads one array of a NumPy file as it is.
function data.read_npy(path)
  if not is_path(path) then
    core.fail("data.read_npy takes a path, and got a %s", type(path))
  end
  return core.read_npy(path)
end

--- Writes a tensor so that numpy.load reads it.
function data.write_npy(path, x)
  if not is_path(path) or not core.is_tensor(x) then
    core.fail("data.write_npy takes a path and a tensor, and got a %s and a %s",
              type(path), core.is_tensor(x) and "tensor" or type(x))
  end
  core.write_npy(path, x)
end

--- The rows of a tensor as a set; labels are whole numbers, one a row.
---@param options table  name = "what it is shuffled by", and any set's
function data.tensor(rows, labels, options)
  if not core.is_tensor(rows) then
    core.fail("data.tensor takes a tensor, and got a %s", type(rows))
  end
  if labels ~= nil and not core.is_tensor(labels) then
    core.fail("data.tensor: labels are a tensor, one number a row, and no %s",
              type(labels))
  end
  options = sets.check_options("data.tensor", options, { "name" })
  local handle <const> = core.tensor_dataset(options.name or "tensor", rows, labels)
  return sets.apply_options(sets.set_of { handle }, options)
end

local kept <const> = {}                -- named sets, by file: one count of passes each

--- A named set's part: name("test"), name("test", {resize = 32}), name{part = "test"}.
local function open_named(name, part, options, own, make)
  if type(part) == "table" then part, options = part.part, part end
  local known <const> = { "part", table.unpack(own) }
  options = sets.check_options("data." .. name, options, known)
  part = part == nil and "train" or part
  local paths <const> = find.find(name, part)
  local key <const> = paths[1] .. (options.labels or "")
  kept[key] = kept[key] or make(paths, options)
  return sets.apply_options(kept[key], options)
end

local function idx_set(name, part, options, classes)
  return open_named(name, part, options, {}, function(paths)
    return sets.set_of({ core.idx_dataset(name, paths[1], paths[2]) },
                       { classes = classes, first_label = 0 })
  end)
end

--- Names of classes for labels that count from 0.
local function from_zero(names)
  local classes <const> = {}
  for i, name in ipairs(names) do classes[i - 1] = name end
  return classes
end

--- The handwritten digits that come with Lugano: 4,500 images, 1,28,28, with labels; or,
-- with part = "test", 500 others.
function data.digits(part, options) return idx_set("digits", part, options) end

--- MNIST: 60,000 digits, 1,28,28, or 10,000 with part = "test"; labels 0 to 9. If it is
-- missing the error gives the command that gets it.
function data.mnist(part, options) return idx_set("mnist", part, options) end

--- Fashion-MNIST: 60,000 pieces of clothing, 1,28,28, or 10,000 with part = "test";
-- labels 0 to 9, whose names are set.classes.
function data.fashion(part, options)
  return idx_set("fashion", part, options, from_zero {
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker",
    "bag", "ankle boot" })
end

local function cifar_set(name, files, label_bytes, label, size, classes)
  local handle <const> = core.cifar_dataset(name, files, label_bytes, label, 3, size[1],
                                            size[2])
  return sets.set_of({ handle }, { classes = classes, first_label = 0 })
end

--- CIFAR-10: 50,000 photographs, 3,32,32, or 10,000 with part = "test"; labels 0 to 9,
-- whose names are set.classes.
function data.cifar10(part, options)
  local classes <const> = from_zero { "airplane", "automobile", "bird", "cat", "deer",
                                      "dog", "frog", "horse", "ship", "truck" }
  return open_named("cifar10", part, options, {}, function(paths)
    return cifar_set("cifar10", paths, 1, 1, { 32, 32 }, classes)
  end)
end

--- CIFAR-100: as CIFAR-10, with labels 0 to 99, or with labels = "coarse" 0 to 19.
function data.cifar100(part, options)
  local given <const> = type(part) == "table" and part or options
  local labels <const> = type(given) == "table" and given.labels or "fine"
  if labels ~= "fine" and labels ~= "coarse" then
    core.fail("data.cifar100: labels = '%s'; they are 'fine' or 'coarse'",
              tostring(labels))
  end
  return open_named("cifar100", part, options, { "labels" }, function(paths)
    return cifar_set("cifar100", paths, 2, labels == "fine" and 2 or 1, { 32, 32 })
  end)
end

local function is_side(x) return math.type(x) == "integer" and x >= 1 and x <= 16384 end

--- Records as CIFAR has them, plain or gzip: a label byte, then red, green and blue.
---@param options table  files = {path, ...}, size = 32, label_bytes = 1, label = 1
function data.cifar(options, more)
  local own <const> = { "files", "size", "label_bytes", "label", "name" }
  options = sets.check_options("data.cifar",
                               with_path("data.cifar", "files", options, more), own)
  local files <const> = is_path(options.files) and { options.files } or options.files
  local size <const> = options.size or 32
  local sides <const> = type(size) == "table" and size or { size, size }
  if type(files) ~= "table" or #files == 0 or not is_side(sides[1])
     or not is_side(sides[2]) then
    core.fail "data.cifar takes { files = {path, ...}, size = 32 }"
  end
  for _, path in ipairs(files) do
    if not is_path(path) then
      core.fail("data.cifar: a file is a path, and no %s", type(path))
    end
  end
  local bytes <const>, label <const> = options.label_bytes or 1, options.label or 1
  if math.type(bytes) ~= "integer" or bytes < 1 or bytes > 16
     or math.type(label) ~= "integer" or label < 1 or label > bytes then
    core.fail("data.cifar: label %s of label_bytes = %s; a record has 1 to 16, and label "
              .. "is the number of one", tostring(label), tostring(bytes))
  end
  local set <const> = cifar_set(options.name or "cifar", files, bytes, label, sides)
  return sets.apply_options(set, options)
end

--- Which named sets are there: { name =, folder = or nil, get = command } of each.
function core.found_data() return find.found() end

local own <const> = core.load "keys"(data)

local function find_late(_, name)
  if not late[name] then
    local known <const> = core.load "keys"(late)
    table.move(own, 1, #own, #known + 1, known)
    local _, hint <const> = core.load "nearest"(tostring(name), known)
    core.fail("there is no data.%s%s", tostring(name), hint)
  end
  data[name] = core.load(late[name])[name]
  return rawget(data, name)
end

local function each()
  for _, name in ipairs(core.load "keys"(late)) do find_late(data, name) end
  return next, data, nil
end

return setmetatable(data, { __index = find_late, __pairs = each })

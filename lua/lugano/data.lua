--- data.lua - lg.data: data sets, and their passes in batches.
--
-- A pass is shuffled by the seed, the set's name and the number of the pass alone.

local core <const> = ...
local data <const> = {}

local Set <const>, Batches <const> = {}, {}
Set.__index, Batches.__index = Set, Batches
Set.__name, Batches.__name = "lugano.set", "lugano.batches"

function Set:__len() return self.shape[1] end

local function set_of(handle)
  local shape <const>, labeled <const> = handle:shape()
  return setmetatable({ handle = handle, shape = shape, labeled = labeled, pass = 0 },
                      Set)
end

--- One pass in batches of n: float images in [-1, 1], n,c,h,w, and labels where there
-- are. Each call is the next pass. The short last batch is left out unless keep_last.
---@param n integer
---@param options table  keep_last = true
function Set:batches(n, options)
  if math.type(n) ~= "integer" or n < 1 then
    core.fail("batches: %s cannot be the size of a batch; it is a whole number from 1", n)
  end
  options = options == nil and {} or options
  if type(options) ~= "table" then
    core.fail("batches takes a size and { keep_last = true }, and got a %s",
              type(options))
  end
  for _, name in ipairs(core.load "keys"(options)) do
    if name ~= "keep_last" then
      core.fail("batches: no option '%s'; it takes keep_last = true", tostring(name))
    end
  end
  local keep_last <const> = options.keep_last and true or false
  local steps <const> = self.handle:count(n, keep_last)
  if steps == 0 then
    core.fail("batches: the set has %d rows, fewer than a batch of %d; say batches(%d, "
              .. "{keep_last = true})", #self, n, n)
  end
  self.pass = self.pass + 1
  return setmetatable({ set = self, pass = self.pass, size = n, keep_last = keep_last,
                        steps = steps, index = 0 }, Batches)
end

function Batches:__len() return self.steps end

--- The next batch, or nil after the last: `for x, labels in set:batches(64) do`.
function Batches:__call()
  if self.index >= self.steps then return nil end
  self.index = self.index + 1
  return self.set.handle:batch(self.pass, self.index, self.size, self.keep_last)
end

--- Goes on behind batch `index` of pass `pass`: for a run that is resumed.
function Batches:seek(pass, index)
  self.pass, self.set.pass, self.index = pass, pass, index
end

--- Images of an IDX file (MNIST's format, gzip or not), and their labels.
---@param files table  images = path, labels = path
function data.idx(files)
  if type(files) ~= "table" or type(files.images) ~= "string"
     or files.labels ~= nil and type(files.labels) ~= "string" then
    core.fail "data.idx takes { images = path, labels = path }"
  end
  return set_of(core.idx_dataset(files.name or "idx", files.images, files.labels))
end

--- The rows of a tensor as a set; labels are whole numbers, one a row.
function data.tensor(rows, labels)
  if not core.is_tensor(rows) then
    core.fail("data.tensor takes a tensor, and got a %s", type(rows))
  end
  if labels ~= nil and not core.is_tensor(labels) then
    core.fail("data.tensor: labels are a tensor, one number a row, and no %s",
              type(labels))
  end
  return set_of(core.tensor_dataset("tensor", rows, labels))
end

local kept <const> = {}                -- digits, by file: one set, one count of passes

local function above(path) return path:match "^(.+)/[^/]*$" end

--- Where data may lie: the environment's LUGANO_DATA, beside the script, and above our
-- own code, in a source tree or installed.
function core.data_dirs()
  local dirs <const> = {}
  local given <const> = os.getenv "LUGANO_DATA"
  if given and given ~= "" then dirs[1] = given end
  local script <const> = type(arg) == "table" and arg[0]
  if script then dirs[#dirs + 1] = (above(script) or ".") .. "/data" end
  local folder = above(core.library_path() or "")
  while folder do
    dirs[#dirs + 1] = folder .. "/share/lugano/data"
    dirs[#dirs + 1] = folder .. "/models/data"
    folder = above(folder)
  end
  return dirs
end

--- The folder of a named set, which has the file; the error says where it was sought.
local function find_set(name, file)
  local dirs <const> = core.data_dirs()
  for _, dir in ipairs(dirs) do
    local folder <const> = dir .. "/" .. name
    if core.file_exists(folder .. "/" .. file) then return folder end
  end
  local sought <const> = table.concat(dirs, ", ", 1, math.min(#dirs, 3))
  core.fail("data.%s: there is no '%s/%s' in %s; set LUGANO_DATA to the folder that has "
            .. "'%s'", name, name, file, sought, name)
end

--- The handwritten digits that come with Lugano: 4,500 images, 1,28,28, with labels; or,
-- with part = "test", 500 others.
function data.digits(part)
  if part ~= nil and part ~= "train" and part ~= "test" then
    core.fail("data.digits: no part '%s'; there are 'train' and 'test'", tostring(part))
  end
  local file <const> = part == "test" and "t10k" or "train"
  local images <const> = file .. "-images-idx3-ubyte.gz"
  local folder <const> = find_set("digits", images)
  local key <const> = folder .. "/" .. file
  kept[key] = kept[key] or set_of(core.idx_dataset("digits", folder .. "/" .. images,
                                                   key .. "-labels-idx1-ubyte.gz"))
  return kept[key]
end

return data

--- data_find.lua - sets that have a name: where they lie, and how to get those that are
-- not there.

local core <const> = ...

local function above(path) return path:match "^(.+)/[^/]*$" end

local function environment(name)
  local value <const> = os.getenv(name)
  return value and value ~= "" and value or nil
end

--- Where data may lie: the environment's LUGANO_DATA; beside the script; above our own
-- code, in a source tree or installed; data here or at home; the cache; what Debian's
-- packages install.
function core.data_dirs()
  local dirs <const>, home <const> = {}, environment "HOME"
  local function add(dir)
    for _, known in ipairs(dirs) do
      if known == dir then return end
    end
    dirs[#dirs + 1] = dir
  end
  if environment "LUGANO_DATA" then add(environment "LUGANO_DATA") end
  local script <const> = type(arg) == "table" and arg[0]
  if script then add(above(script) and above(script) .. "/data" or "data") end
  local folder = above(core.library_path() or "")
  while folder do
    add(folder .. "/share/lugano/data")
    add(folder .. "/models/data")
    folder = above(folder)
  end
  add "data"
  if home then
    add(home .. "/data")
    add(home .. "/.cache/lugano")
  end
  add "/usr/share/datasets"
  return dirs
end

--- Where a command that gets data shall put it, so that it is found.
local function get_folder(name)
  local home <const> = environment "LUGANO_DATA"
    or environment "HOME" and environment "HOME" .. "/.cache/lugano" or "data"
  return home .. "/" .. name
end

local idx_parts <const> = {
  train = { "train-images-idx3-ubyte", "train-labels-idx1-ubyte" },
  test = { "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte" },
}

local mnist_url <const> = "https://ossci-datasets.s3.amazonaws.com/mnist/"

local function get_mnist()
  return ("mkdir -p '%s' && cd '%s' && for f in train-images-idx3 train-labels-idx1 "
          .. "t10k-images-idx3 t10k-labels-idx1; do curl -fLO %s$f-ubyte.gz; done")
    :format(get_folder "mnist", get_folder "mnist", mnist_url)
end

local function get_cifar(name)
  local cache <const> = get_folder("x"):sub(1, -3)
  return ("mkdir -p '%s' && curl -fL https://www.cs.toronto.edu/~kriz/%s-binary.tar.gz | "
          .. "tar xz -C '%s'"):format(cache, name, cache)
end

-- Of each: the folders in which it may be, below those of core.data_dirs; the files of
-- its parts; the command that gets it.
local named <const> = {
  digits = { folders = { "digits" }, parts = idx_parts },
  mnist = { folders = { "mnist", "MNIST", "MNIST/raw", "mnist/MNIST/raw" },
            parts = idx_parts, get = get_mnist },
  fashion = { folders = { "fashion-mnist", "fashion", "FashionMNIST/raw",
                          "FashionMNIST" },
              parts = idx_parts,
              get = function() return "apt-get install dataset-fashion-mnist" end },
  cifar10 = { folders = { "cifar-10-batches-bin", "cifar10", "cifar-10" },
              parts = { train = { "data_batch_1.bin", "data_batch_2.bin",
                                  "data_batch_3.bin", "data_batch_4.bin",
                                  "data_batch_5.bin" },
                        test = { "test_batch.bin" } },
              get = function() return get_cifar "cifar-10" end },
  cifar100 = { folders = { "cifar-100-binary", "cifar100", "cifar-100" },
               parts = { train = { "train.bin" }, test = { "test.bin" } },
               get = function() return get_cifar "cifar-100" end },
}
local order <const> = { "digits", "mnist", "fashion", "cifar10", "cifar100" }

--- A file under one of its names: gzip or not, and as MNIST's author named it.
local function file_there(folder, file)
  local dotted <const> = file:gsub("%-idx(%d)", ".idx%1")
  for _, name in ipairs { file, file .. ".gz", dotted, dotted .. ".gz" } do
    local path <const> = folder .. "/" .. name
    if core.file_exists(path) then return path end
  end
end

--- The paths of the files of a part, and the folder, which has the first; or nil.
local function search(name, part)
  for _, dir in ipairs(core.data_dirs()) do
    for _, below in ipairs(named[name].folders) do
      local folder <const>, paths <const> = dir .. "/" .. below, {}
      for i, file in ipairs(named[name].parts[part]) do
        paths[i] = file_there(folder, file) or folder .. "/" .. file
      end
      if core.file_exists(paths[1]) then return paths, folder end
    end
  end
end

--- The files of a part of a named set; the error says where they were sought, and how to
-- get them.
local function find(name, part)
  local set <const> = named[name]
  if part ~= "train" and part ~= "test" then
    core.fail("data.%s: no part '%s'; there are 'train' and 'test'", name,
              tostring(part))
  end
  local paths <const>, folder <const> = search(name, part)
  if paths then return paths, folder end
  local dirs <const> = core.data_dirs()
  if set.get then
    core.fail("data.%s: there is no '%s' in LUGANO_DATA, ./data, ~/data, ~/.cache/lugano "
              .. "or /usr/share/datasets; this gets it:\n    %s", name,
              set.folders[1] .. "/" .. set.parts[part][1], set.get())
  end
  core.fail("data.%s: there is no '%s/%s' in %s; set LUGANO_DATA to the folder that has "
            .. "'%s'", name, name, set.parts[part][1],
            table.concat(dirs, ", ", 1, math.min(#dirs, 3)), name)
end

--- Every named set, for `lugano doctor`: { name =, folder = or nil, get = a command }.
local function found()
  local list <const> = {}
  for i, name in ipairs(order) do
    local _, folder <const> = search(name, "train")
    local get <const> = named[name].get
    list[i] = { name = name, folder = folder, get = get and get() }
  end
  return list
end

return { find = find, found = found }

-- test_data_sets.lua - what any set can do, sets made of nothing, streams, named sets.

local lg <const>, check <const> = require "lugano", require "check"
local command <const> = require "command"
local data <const> = lg.data

local folder <const> = command.folder()

local function shape(x) return table.concat(x.shape, ",") end

--- 60 images 1,6,8 whose pixels tell image and place; labels 0 to 4.
local function images(options)
  local x <const> = lg.arange(0, 60 * 48 - 1):reshape(60, 1, 6, 8)
  local labels <const> = {}
  for i = 1, 60 do labels[i] = (i - 1) % 5 end
  return data.tensor(x, lg.tensor(labels), options)
end

local function bits(x) return table.concat(x:reshape(x:numel()):totable(), " ") end

check.case("a set is looked at in steps, or by options", function()
  local set <const> = images()
  local small <const> = set:resize(3)
  check.equal(shape(small), "60,1,3,4")
  check.equal(shape(set:resize(5, 7)), "60,1,5,7")
  check.equal(tostring(set), "set of 60 x 1,6,8, labels from 0")
  check.equal(shape(set:crop(4)), "60,1,4,4")
  local both <const> =
    images { resize = 3, crop = { 3, 2 }, flip = 1, normalize = { 0, 1 } }
  check.equal(bits(both:rows(9)),
              bits(set:resize(3):crop(3, 2):flip(1):normalize(0, 1):rows(9)))
  check.equal(set:crop(2, 2):rows(1):at(1, 1, 1, 1), 2 * 8 + 3)
  check.close(small:rows(1):mean():item(), 23.5, 1e-5)
end)

check.case("chance depends on seed, pass and place alone", function()
  local function pass(set, seed, number, prefetch)
    lg.seed(seed)
    local batches <const> = set:batches(20, { prefetch = prefetch })
    batches:seek(number, 0)
    local all <const> = {}
    for x in batches do
      lg.randn(3)
      all[#all + 1] = bits(x)
    end
    return table.concat(all, "|")
  end
  local function set() return images():random_crop(4, 5):flip() end
  local first <const> = pass(set(), 1, 3)
  check.equal(pass(set(), 1, 3, false), first)
  if pass(set(), 1, 4) == first then error "two passes alike" end
  if pass(set(), 2, 3) == first then error "two seeds alike" end
  local still <const> = set():batches(60, { shuffle = false })()
  check.equal(bits(still), bits(images():crop(4, 5):rows(60)))
end)

check.case("a part of a set, and labels from 1", function()
  local set <const> = images()
  check.equal(set.first_label, 0)
  check.equal(bits(set:subset(11, 13):rows { 3, 1 }), bits(set:rows { 13, 11 }))
  check.equal(#set:subset(7), 7)
  check.equal(#set:only(1, 4), 24)
  check.equal(bits(set:only(4):labels():amin(1)), "4.0")
  local from_one <const> = set:labels_from(1)
  check.equal(from_one.first_label, 1)
  check.equal(bits(from_one:labels()), bits(set:labels() + 1))
  check.equal(bits(from_one:labels_from(0):labels()), bits(set:labels()))
end)

check.case("sets of one source count the same passes", function()
  lg.seed(5)
  local set <const> = images()
  local first <const> = bits(set:resize(3):batches(60)())
  if bits(set:resize(3):batches(60)()) == first then error "the same pass twice" end
end)

check.case("balanced batches have every class equally often", function()
  local few <const> = images():subset { 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 17 }
  local counts <const>, rows = {}, 0
  for _, y in few:batches(5, { balanced = true }) do
    for _, label in ipairs(y:totable()) do counts[label] = (counts[label] or 0) + 1 end
    rows = rows + #y
  end
  check.equal(rows, 10)
  for label = 0, 4 do check.equal(counts[label], 2) end
end)

check.case("a stream goes on where it stood", function()
  lg.seed(3)
  local function take(stream, n)
    local seen <const> = {}
    for i = 1, n do
      local x <const>, y <const> = stream()
      seen[i] = bits(x) .. bits(y)
    end
    return table.concat(seen, "\n")
  end
  local whole <const> = images():stream(16)
  check.equal(#whole, 3)
  take(whole, 5)
  local numbers <const> = whole:numbers()
  check.equal(numbers.pass, 2)
  check.equal(numbers.index, 2)
  check.equal(#whole:state(), 0)
  local rest <const> = take(whole, 6)
  local other <const> = images():stream(16)
  other:numbers(numbers)
  check.equal(take(other, 6), rest)
  local jumped <const> = images():stream(16)
  jumped:seek(1, 5)
  check.equal(take(jumped, 6), rest)
end)

check.case("more threads, the same bits", function()
  local script <const> = folder .. "/threads.lua"
  command.write(script, [[
    local lg <const> = require "lugano"
    local set <const> = lg.data.digits():resize(20):random_crop(16):flip()
    local sum, k = lg.zeros(64, 1, 16, 16), 0
    for _ = 1, 2 do
      for x in set:batches(64) do
        k = k + 1
        sum = sum + x * math.cos(k)
      end
    end
    io.write(table.concat(sum:reshape(64 * 256):totable(), " "))
  ]])
  local digits <const> = command.source .. "/models/data"
  local data_of <const> = "LUGANO_DATA=" .. command.quote(digits)
  local one <const>, status <const> = command.run({ script, "--threads=1" }, data_of)
  check.equal(status, 0, one)
  check.equal(command.run({ script, "--threads=3" }, data_of), one)
end)

-- Toys ----------------------------------------------------------------------------------

check.case("rings and grids have centers, and as many points round each", function()
  for name, modes in pairs { ring = 8, grid = 25 } do
    local set <const> = data[name] { n = modes * 40, std = 0.01 }
    check.equal(shape(set), modes * 40 .. ",2")
    check.equal(shape(set.centers), modes .. ",2")
    check.equal(set.first_label, 1)
    local x <const>, y <const> = set:rows(#set)
    local far <const> = (x - set.centers:index_select(y, 1)):abs():amax():item()
    if far > 0.06 or far < 0.01 then error("points " .. far .. " away") end
    local sum = 0
    for _, label in ipairs(y:totable()) do sum = sum + label end
    check.equal(sum, 40 * modes * (modes + 1) / 2)
  end
  local centers <const> = data.ring { modes = 3, radius = 5, std = 0 }.centers
  check.close((centers * centers):sum(2):amin():item(), 25, 1e-5)
end)

check.case("toys depend on the seed, and on nothing drawn", function()
  for _, name in ipairs { "ring", "swiss_roll", "moons" } do
    lg.seed(1)
    local a <const> = data[name] { n = 50 }:rows(50)
    lg.randn(10)
    check.equal(bits(data[name] { n = 50 }:rows(50)), bits(a))
    lg.seed(2)
    if bits(data[name] { n = 50 }:rows(50)) == bits(a) then error "no seed" end
  end
end)

check.case("moons and the swiss roll lie on their curves", function()
  local x <const>, y <const> = data.moons { n = 100, noise = 0 }:rows(100)
  for i, p in ipairs(x:totable()) do
    local upper <const> = y:at(i) == 1
    local from_x <const>, from_y <const> = upper and 0 or 1, upper and 0 or 0.5
    check.close((p[1] - from_x) ^ 2 + (p[2] - from_y) ^ 2, 1, 1e-5)
  end
  for _, p in ipairs(data.swiss_roll { n = 50, noise = 0 }:rows(50):totable()) do
    local t <const> = 10 * math.sqrt(p[1] ^ 2 + p[2] ^ 2)
    check.close(p[1], t * math.cos(t) / 10, 1e-4)
  end
end)

check.case("stacked digits have 1,000 modes", function()
  local of <const> = images():subset(50):resize(2)
  local set <const> = data.stacked { n = 200, of = of }
  check.equal(shape(set), "200,3,2,2")
  local x <const>, y <const> = set:rows(200)
  local one <const>, labels <const> = of:rows(50)
  local label_of <const> = {}
  for i, row in ipairs(one:reshape(50, 4):totable()) do
    label_of[row[1]] = labels:at(i)
  end
  for i, row in ipairs(x:reshape(200, 12):totable()) do
    local a <const>, b <const> = label_of[row[1]], label_of[row[5]]
    check.equal(y:at(i), a * 25 + b * 5 + label_of[row[9]] + 1)
  end
end)

-- Named sets ----------------------------------------------------------------------------

local function idx(n, label)
  if label then return (">I4I4"):pack(0x801, n) .. ("\1\3"):rep(n // 2) end
  return (">I4I4I4I4"):pack(0x803, n, 2, 2) .. ("abcd"):rep(n)
end

local function run(code, dir, home)
  local script <const> = folder .. "/script.lua"
  command.write(script, code)
  return command.run({ script }, ("LUGANO_DATA=%s HOME=%s"):format(
    command.quote(dir), command.quote(home or folder .. "/nobody")))
end

check.case("MNIST is found where others keep it", function()
  local places <const> = { "/mnist/%s", "/MNIST/raw/%s", "/mnist/%s" }
  for i, place in ipairs(places) do
    local dir <const> = folder .. "/home" .. i
    local base <const> = dir .. (i == 3 and "/.cache/lugano" or "") .. place
    assert(os.execute(("mkdir -p '%s'"):format(base:gsub("/%%s$", ""))))
    local name <const> = i == 2 and "t10k-%s.idx%d-ubyte" or "t10k-%s-idx%d-ubyte"
    command.write(base:format(name:format("images", 3)), idx(4))
    command.write(base:format(name:format("labels", 1)), idx(4, true))
    local code <const> = [[
      local set <const> = require "lugano".data.mnist("test", { labels_from = 1 })
      print(table.concat(set.shape, ","), set:labels():amax():item())]]
    local text <const> = run(code, i == 3 and "" or dir, i == 3 and dir or nil)
    check.equal(text, "4,1,2,2\t4.0\n")
  end
end)

check.case("what is missing comes with the command that gets it", function()
  local text, status = run("require 'lugano'.data.mnist()", folder .. "/none")
  check.equal(status, 1)
  for _, part in ipairs {
    "script.lua:1: data.mnist: there is no 'mnist/train-images-idx3-ubyte'",
    "mkdir -p '" .. folder .. "/none/mnist' && cd '" .. folder .. "/none/mnist' && for f",
    "curl -fLO https://ossci-datasets.s3.amazonaws.com/mnist/$f-ubyte.gz; done",
  } do
    if not text:find(part, 1, true) then error(text) end
  end
  text, status = run("require 'lugano'.data.cifar10()", "")
  check.equal(status, 1)
  local cache <const> = folder .. "/nobody/.cache/lugano"
  if not text:find("curl -fL https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz | "
                   .. "tar xz -C '" .. cache .. "'", 1, true) then
    error(text)
  end
end)

check.case("CIFAR's records", function()
  local dir <const> = folder .. "/cifar/cifar-10-batches-bin"
  assert(os.execute("mkdir -p '" .. dir .. "'"))
  command.write(dir .. "/test_batch.bin", ("\7" .. ("\255"):rep(3072)):rep(3))
  local text <const> = run([[
    local set <const> = require "lugano".data.cifar10 { part = "test" }
    local x <const>, y <const> = set:rows(1)
    print(table.concat(set.shape, ","), set.classes[math.tointeger(y:item())],
          x:amin():item())
    print(set:labels_from(1).classes[1])]], folder .. "/cifar")
  check.equal(text, "3,3,32,32\thorse\t1.0\nairplane\n")
  local path <const> = dir .. "/test_batch.bin"
  check.equal(shape(data.cifar { files = { path, path } }), "6,3,32,32")
  check.raises("'" .. path .. "' ends within a record: it has 9219 bytes, and records of "
               .. "1 label bytes and 3 x 16 x 16 pixels have 769",
               function() data.cifar { files = { path }, size = 16 } end)
end)

-- NumPy ---------------------------------------------------------------------------------

check.case("NumPy files come and go", function()
  local path <const> = folder .. "/x.npy"
  local x <const> = lg.randn(4, 3)
  data.write_npy(path, x)
  check.equal(bits(data.read_npy(path)), bits(x))
  check.equal(shape(data.npy(path)), "4,3")
  local header <const> =
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2, 3), }\n"
  command.write(path, "\x93NUMPY\1\0" .. ("<I2"):pack(#header) .. header
                .. ("\0\127\255"):rep(8))
  local set <const> = data.npy { images = path, channels_last = true, name = "pictures" }
  check.equal(shape(set), "2,3,2,2")
  check.equal(set:rows(1):at(1, 1, 2, 2), -1)
  check.equal(set:rows(1):at(1, 3, 1, 1), 1)
end)

-- Refusals ------------------------------------------------------------------------------

local set <const> = images()
local bad <const> = {
  { "resize: 0 is no number of pixels", function() set:resize(0) end },
  { "resize: 99999 is no number of pixels; it is a whole number from 1 to 16384",
    function() set:resize(99999) end },
  { "crop: 7 x 7 does not fit into images of 6 x 8", function() set:crop(7) end },
  { "crop: the set is {10,2}; it needs images",
    function() data.ring { n = 10 }:crop(1) end },
  { "flip: a chance of 2", function() set:flip(2) end },
  { "flip takes a chance from 0 to 1, and got a string", function() set:flip "yes" end },
  { "normalize: 2 numbers for images of 1 channels",
    function() set:normalize({ 1, 2 }, { 1, 2 }) end },
  { "normalize: 1 means and 2 deviations", function() set:normalize(1, { 1, 2 }) end },
  { "normalize: std is a number, or one for each channel",
    function() set:normalize(1) end },
  { "subset: rows 5 to 61 of 60 cannot be taken", function() set:subset(5, 61) end },
  { "rows: rows 1 to 0 of 60 cannot be taken", function() set:rows(0) end },
  { "subset: the set has 60 rows, and no row 61", function() set:subset { 61 } end },
  { "subset: there is no row 0; rows are whole", function() set:subset { 0 } end },
  { "rows: there is no row x", function() set:rows { "x" } end },
  { "batches: 16777217 cannot be the size", function() set:batches(16777217) end },
  { "batches: shuffle is true or false, and not no",
    function() set:batches(3, { shuffle = "no" }) end },
  { "normalize: mean is a finite number", function() set:normalize(0 / 0, 1) end },
  { "normalize: std is a finite number", function() set:normalize(0, 1 / 0) end },
  { "subset = { ... } takes one value or two, and got 3",
    function() lg.data.digits { subset = { 5, 7, 9 } } end },
  { "data.ring: n = 1099511627776; it is a whole number from 1 to 16777216",
    function() lg.data.ring { n = 1 << 40 } end },
  { "data.ring: std = inf; it is a number from 0",
    function() lg.data.ring { std = 1 / 0 } end },
  { "the stream had 20 batches a pass when it was saved, and this one has 15; it needs",
    function() set:stream(4):numbers(set:stream(3):numbers()) end },
  { "data.cifar: a file is a path, and no number",
    function() data.cifar { files = { "a", 3 } } end },
  { "data.cifar: label 1 of label_bytes = x; a record has",
    function() data.cifar { files = "a", label_bytes = "x" } end },
  { "data.tensor: name is a text, and no table",
    function() data.tensor(lg.zeros(2, 2), nil, { name = {} }) end },
  { "only: no row has such a label", function() set:only(9) end },
  { "labels_from takes 0 or 1, and got 2", function() set:labels_from(2) end },
  { "labels_from: the set has no labels",
    function() data.tensor(lg.zeros(3, 2)):labels_from(1) end },
  { "batches: balanced batches need labels, and the set has none",
    function() data.tensor(lg.zeros(3, 2)):batches(2, { balanced = true }) end },
  { "stream: the set has 60 rows, fewer than a batch of 61; say stream(61",
    function() set:stream(61) end },
  { "seek: -1 cannot be the number of a batch",
    function() set:stream(3):seek(1, -1) end },
  { "there is no data.rign (did you mean 'ring'?)", function() data.rign() end },
  { "data.ring: no option 'mode' (did you mean 'modes'?)",
    function() data.ring { mode = 8 } end },
  { "data.ring: std = -1; it is a number from 0", function() data.ring { std = -1 } end },
  { "data.grid: side = 1.5; it is a whole number from 1",
    function() data.grid { side = 1.5 } end },
  { "data.stacked: of is a set of gray images with labels",
    function() data.stacked { of = 3 } end },
  { "data.mnist: no part 'tset'; there are 'train' and 'test'",
    function() data.mnist "tset" end },
  { "data.cifar takes { files = {path, ...}, size = 32 }", function() data.cifar {} end },
  { "data.cifar100: labels = 'all'; they are 'fine' or 'coarse'",
    function() data.cifar100 { labels = "all" } end },
  { "data.npy takes a path", function() data.npy(3) end },
  { "data.write_npy takes a path and a tensor, and got a string and a number",
    function() data.write_npy("x", 3) end },
  { "data: label 2 of 'tensor' is 0.5; labels are whole numbers from 0",
    function() data.tensor(lg.zeros(2, 2), lg.tensor { 0, 0.5 }) end },
}
for _, case in ipairs(bad) do
  check.case("refused: " .. case[1], function()
    local text <const> = check.raises(case[1], case[2])
    if not text:find "test_data_sets.lua:%d+: " then error("no line: " .. text) end
  end)
end

command.remove(folder)
check.report()

-- test_data.lua - data sets and batches, as scripts use them, and files that are no data.

local lg <const>, check <const> = require "lugano", require "check"
local command <const> = require "command"

local folder <const> = command.folder()

--- The bytes of an IDX file of n images h x w, the pixel counting up.
local function idx(n, h, w, label)
  local pixels <const> = {}
  for i = 1, n * h * w do pixels[i] = string.char((i - 1) % 256) end
  if label then return (">I4I4"):pack(0x801, n) .. table.concat(pixels):sub(1, n) end
  return (">I4I4I4I4"):pack(0x803, n, h, w) .. table.concat(pixels)
end

local images <const>, labels <const> = folder .. "/images", folder .. "/labels"
command.write(images, idx(10, 2, 3))
command.write(labels, idx(10, 2, 3, true))

check.case("an IDX file is a set", function()
  local set <const> = lg.data.idx { images = images, labels = labels }
  check.equal(#set, 10)
  check.equal(table.concat(set.shape, ","), "10,1,2,3")
  local steps, rows = 0, 0
  local batches <const> = set:batches(4)
  check.equal(#batches, 2)
  for x, y in batches do
    check.equal(table.concat(x.shape, ","), "4,1,2,3")
    check.equal(table.concat(y.shape, ","), "4")
    for i = 1, 4 do                            -- the label tells which row it is
      local first <const> = x:at(i, 1, 1, 1)
      local value <const> = type(first) == "number" and first or first:item()
      local label <const> = y:totable()[i]
      check.close(value, label * 6 / 127.5 - 1, 1e-6)
    end
    steps, rows = steps + 1, rows + #x
  end
  check.equal(steps, 2)
  check.equal(rows, 8)
end)

local function order(set, options)
  local seen <const> = {}
  for _, y in set:batches(3, options) do
    for _, label in ipairs(y:totable()) do seen[#seen + 1] = ("%d"):format(label) end
  end
  return table.concat(seen, " ")
end

check.case("passes are shuffled by the seed and their number", function()
  lg.seed(1)
  local a <const> = lg.data.idx { images = images, labels = labels }
  local first <const>, second <const> = order(a), order(a)
  if first == second then error "two passes in one order" end
  lg.randn(100)
  local b <const> = lg.data.idx { images = images, labels = labels }
  check.equal(order(b), first)
  check.equal(order(b), second)
  lg.seed(2)
  if order(lg.data.idx { images = images, labels = labels }) == first then
    error "another seed, the same order"
  end
end)

check.case("keep_last keeps the short last batch", function()
  local set <const> = lg.data.idx { images = images, labels = labels }
  check.equal(#set:batches(4, { keep_last = true }), 3)
  local all <const> = {}
  for label in order(set, { keep_last = true }):gmatch "%d+" do all[#all + 1] = label end
  table.sort(all)
  check.equal(table.concat(all, " "), "0 1 2 3 4 5 6 7 8 9")
end)

check.case("the rows of a tensor are a set", function()
  local set <const> = lg.data.tensor(lg.tensor { { 1, 2 }, { 3, 4 }, { 5, 6 } })
  check.equal(#set, 3)
  local sum = 0
  for x, y in set:batches(1) do
    check.equal(y, nil)
    sum = sum + x:sum():item()
  end
  check.equal(sum, 21)
end)

check.case("the digits that come along", function()
  local digits <const> = command.source .. "/models/data/digits/"
  local train <const> = lg.data.idx { images = digits .. "train-images-idx3-ubyte.gz",
                                      labels = digits .. "train-labels-idx1-ubyte.gz" }
  local x <const>, y <const> = train:batches(64)()
  check.equal(table.concat(x.shape, ","), "64,1,28,28")
  local least <const>, most <const> = x:amin():item(), x:amax():item()
  if least < -1 or most > 1 or most < 0.9 then error "not in [-1, 1]" end
  for _, label in ipairs(y:totable()) do
    if label < 0 or label > 9 or label % 1 ~= 0 then error("a label " .. label) end
  end
end)

--- What a script says of the digits, beside which `data` may lie.
local function digits_of(script, before)
  command.write(script, [[
    local lg <const> = require "lugano"
    local digits <const> = lg.data.digits()
    assert(digits == lg.data.digits())
    print(table.concat(digits.shape, ","), #lg.data.digits "test")]])
  return command.run({ script }, before)
end

check.case("they are found by LUGANO_DATA, or beside the script", function()
  local data <const> = command.quote(command.source .. "/models/data")
  local text = digits_of(folder .. "/a.lua", "LUGANO_DATA=" .. data)
  check.equal(text, "4500,1,28,28\t500\n")
  assert(os.execute("mkdir " .. folder .. "/own && ln -s $(cd " .. data .. " && pwd) "
                    .. folder .. "/own/data"))
  check.equal(digits_of(folder .. "/own/a.lua", "LUGANO_DATA="), text)
end)

local set <const> = lg.data.idx { images = images }
local bad <const> = {
  { "batches: 0 cannot be the size of a batch", function() set:batches(0) end },
  { "batches: 1.5 cannot be the size of a batch", function() set:batches(1.5) end },
  { "batches: nil cannot be the size of a batch", function() set:batches() end },
  { "batches: no option 'keep' (did you mean 'keep_last'?); it takes balanced, "
      .. "keep_last, prefetch, shuffle", function() set:batches(2, { keep = true }) end },
  { "the set has 10 rows, fewer than a batch of 11", function() set:batches(11) end },
  { "data.idx takes { images = path, labels = path }",
    function() lg.data.idx(images) end },
  { "data.tensor takes a tensor, and got a number", function() lg.data.tensor(3) end },
  { "data.tensor: labels are a tensor, one number a row, and no table",
    function() lg.data.tensor(lg.zeros(3, 2), { 1, 2, 3 }) end },
  { "data.digits: no part 'best'; there are 'train' and 'test'",
    function() lg.data.digits "best" end },
}
for _, case in ipairs(bad) do
  check.case("refused: " .. case[1], function()
    local text <const> = check.raises(case[1], case[2])
    if not text:find "test_data.lua:%d+: " then error("no line: " .. text) end
  end)
end

local whole <const> = idx(10, 2, 3)
local damaged <const> = {
  missing = { nil, "cannot open '%s': No such file or directory" },
  empty = { "", "'%s' is not an IDX file" },
  text = { "these are no digits", "'%s' is not an IDX file" },
  truncated = { whole:sub(1, -2), "'%s' ends after 75 of 76 bytes" },
  cut = { whole:sub(1, 9), "'%s' is damaged: it ends within its header" },
  longer = { whole .. "x", "'%s' has more than the 76 bytes that its header promises" },
  floats = { (">I4I4"):pack(0xd01, 1) .. "xxxx",
             "'%s' is an IDX file of floats; only unsigned bytes can be read" },
  gzip = { "\x1f\x8b\x08\0\0\0\0\0\0\3garbage", "'%s' is damaged" },
}
for _, name in ipairs { "missing", "empty", "text", "truncated", "cut", "longer",
                        "floats", "gzip" } do
  check.case("a file that is " .. name, function()
    local path <const> = folder .. "/" .. name
    if damaged[name][1] then command.write(path, damaged[name][1]) end
    local text <const> = check.raises(damaged[name][2]:format(path), function()
      lg.data.idx { images = path }
    end)
    if not text:find "test_data.lua:%d+: " then error("no line: " .. text) end
  end)
end

check.case("labels that do not fit", function()
  command.write(folder .. "/few", idx(9, 2, 3, true))
  check.raises("9", function()
    lg.data.idx { images = images, labels = folder .. "/few" }
  end)
end)

check.case("a damaged file ends a script with one message and 1", function()
  local script <const> = folder .. "/script.lua"
  command.write(script, "local lg = require 'lugano'\nlg.data.digits()\n")
  assert(os.execute("mkdir -p " .. folder .. "/bad/digits"))
  command.write(folder .. "/bad/digits/train-images-idx3-ubyte.gz", "no data")
  local text <const>, status <const> =
    command.run({ script }, "LUGANO_DATA=" .. command.quote(folder .. "/bad"))
  check.equal(status, 1, text)
  local file <const> = folder .. "/bad/digits/train-images-idx3-ubyte.gz"
  if not text:find("script.lua:2: '" .. file .. "' is not an IDX file", 1, true) then
    error(text)
  end
end)

command.remove(folder)
check.report()

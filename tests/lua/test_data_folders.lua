-- test_data_folders.lua - folders of pictures, classes, pairs.

local lg <const>, check <const> = require "lugano", require "check"
local command <const> = require "command"
local data <const> = lg.data

local root <const> = command.folder()

local function shape(x) return table.concat(x.shape, ",") end

local function make(folder)
  assert(os.execute(("mkdir -p '%s/%s'"):format(root, folder)))
end

--- A picture h x w of one color, given as numbers in [-1, 1].
local function paint(path, h, w, ...)
  local color <const> = { ... }
  lg.image.save(root .. "/" .. path,
                lg.tensor(color):reshape(#color, 1, 1):expand(#color, h, w))
end

for i, class in ipairs { "cats", "dogs", "birds" } do
  make("classes/" .. class .. "/deep")
  for k = 1, 3 do paint(("classes/%s/%d.png"):format(class, k), 4, 6, i / 4, 0.5, -1) end
  paint(("classes/%s/deep/x.PNG"):format(class), 4, 6, i / 4, 0.5, -1)
end
command.write(root .. "/classes/notes.txt", "no picture")

check.case("class folders, sorted, are labels from 1", function()
  local set <const> = data.folder(root .. "/classes")
  check.equal(shape(set), "12,3,4,6")
  check.equal(table.concat(set.classes, " "), "birds cats dogs")
  check.equal(set.first_label, 1)
  local x <const>, y <const> = set:rows(12)
  local value <const> = { 3 / 4, 1 / 4, 2 / 4 }        -- of birds, cats, dogs
  for i = 1, 12 do
    check.close(x:at(i, 1, 1, 1), value[math.tointeger(y:at(i))], 0.01)
  end
  check.equal(set:labels_from(0).classes[0], "birds")
end)

check.case("one class may be the beginning of another", function()
  for _, class in ipairs { "cat", "cat-wild", "cat 2" } do
    make("begin/" .. class)
    paint(("begin/%s/a.png"):format(class), 2, 2, 0)
  end
  local classes <const> = data.folder(root .. "/begin").classes
  check.equal(table.concat(classes, ","), "cat,cat 2,cat-wild")
end)

check.case("a folder without classes has no labels", function()
  local set <const> = data.folder(root .. "/classes/cats", { channels = 1 })
  check.equal(shape(set), "3,1,4,6")
  check.equal(set.labeled, false)
  check.equal(select("#", set:batches(2)()), 1)
end)

check.case("size covers, and takes the middle", function()
  make "sizes"
  local left <const> = lg.full({ 3, 8, 8 }, -1)
  lg.image.save(root .. "/sizes/a.png", lg.cat({ left, lg.ones(3, 8, 16), left }, 3))
  paint("sizes/b.png", 5, 3, 1, 1, 1)
  local set <const> = data.folder(root .. "/sizes", { size = 8 })
  check.equal(shape(set), "2,3,8,8")
  check.equal(set:rows(2):amin():item(), 1)
  check.equal(shape(data.folder(root .. "/sizes", { size = { 4, 16 } })), "2,3,4,16")
  check.equal(shape(data.folder(root .. "/sizes", { size = 8, resize = 6, crop = 5 })),
              "2,3,5,5")
end)

make "pairs"
make "left"
make "right"
for k = 1, 9 do
  local a <const> = lg.rand(3, 6, 6) * 2 - 1
  lg.image.save(root .. ("/pairs/%d.png"):format(k), lg.cat({ a, a }, 3))
  lg.image.save(root .. ("/left/%d.png"):format(k), a)
  lg.image.save(root .. ("/right/%d.png"):format(k), a)
end

--- The halves of these pairs are alike, and must stay so.
local function check_pairs(set)
  check.equal(#set, 9)
  for a, b in set:random_crop(4):flip():batches(3) do
    check.equal(shape(a), "3,3,4,4")
    check.equal((a - b):abs():amax():item(), 0)
  end
  local stream <const> = set:stream(4)
  for _ = 1, 5 do
    local a <const>, b <const> = stream()
    check.equal((a - b):abs():amax():item(), 0)
  end
  local a <const>, b <const> = set:rows(2, 3)
  check.equal(shape(a) .. " " .. shape(b), "2,3,6,6 2,3,6,6")
end

check.case("pairs side by side, of two folders, and of two sets", function()
  check_pairs(data.paired { folder = root .. "/pairs" })
  check_pairs(data.paired { a = root .. "/left", b = root .. "/right" })
  check_pairs(data.paired { a = data.folder(root .. "/left"),
                            b = data.folder(root .. "/right") })
  local small <const> = data.paired { folder = root .. "/pairs", size = 3, channels = 1 }
  check.equal(shape(small), "9,1,3,3")
end)

check.case("halves that were looked at in their own ways are flipped alike", function()
  local x <const> = lg.rand(30, 1, 4, 4)
  local pairs_of <const> = data.paired { a = data.tensor(x):resize(4), b = data.tensor(x),
                                         flip = true }
  local flipped = 0
  for a, b in pairs_of:batches(1) do
    check.equal((a - b):abs():amax():item() < 1e-6, true, "the same picture twice")
    local there = false
    for i = 1, 30 do there = there or (x:narrow(1, i, 1) - b):abs():amax():item() == 0 end
    flipped = flipped + (there and 0 or 1)
  end
  check.equal(flipped > 5 and flipped < 25, true, "about half of them")
end)

check.case("unpaired sets are drawn independently", function()
  local a <const> = data.tensor(lg.arange(1, 10):reshape(10, 1))
  local b <const> = data.tensor(lg.arange(1, 25):reshape(25, 1))
  local set <const> = data.unpaired { a = a, b = b }
  check.equal(#set, 25)
  local function pass()
    local of_a <const>, of_b <const>, order <const> = {}, {}, {}
    for x, y in set:batches(5) do
      for _, v in ipairs(x:reshape(5):totable()) do of_a[v] = (of_a[v] or 0) + 1 end
      for _, v in ipairs(y:reshape(5):totable()) do
        of_b[v], order[#order + 1] = (of_b[v] or 0) + 1, v
      end
    end
    return of_a, of_b, table.concat(order, " ")
  end
  local of_a <const>, of_b <const>, first <const> = pass()
  for v = 1, 25 do check.equal(of_b[v], 1) end
  for v = 1, 10 do
    if of_a[v] ~= 2 and of_a[v] ~= 3 then error "the small one is uneven" end
  end
  local _, _, second <const> = pass()
  if first == second then error "two passes alike" end
  local same <const> = data.unpaired { a = a, b = a }
  local x <const>, y <const> = same:batches(10)()
  if (x - y):abs():amax():item() == 0 then error "both in one order" end
  check.equal(shape(data.unpaired { a = root .. "/left", b = root .. "/classes",
                                    size = 4 }), "9,3,4,4")
end)

-- Refusals ------------------------------------------------------------------------------

make "empty/sub"
make "half/full"
make "half/void"
paint("half/full/a.png", 2, 2, 0)
make "differ"
paint("differ/a.png", 2, 2, 0)
paint("differ/b.png", 3, 2, 0)
make "odd"
paint("odd/a.png", 2, 3, 0)
make "broken"
paint("broken/a.png", 9, 9, 0)
make "cut"
paint("cut/a.png", 9, 9, 0)
do
  local file <close> = assert(io.open(root .. "/cut/a.png", "rb"))
  command.write(root .. "/cut/b.png", file:read(50))
end
command.write(root .. "/broken/b.jpg", "\xff\xd8\xff\xe0 no more than that")
make "lonely"
paint("lonely/1.png", 6, 6, 0)
make "lonely2"
paint("lonely2/1.png", 6, 6, 0)
paint("lonely2/2.png", 6, 6, 0)

make "loop/class"
paint("loop/class/1.png", 6, 6, 0)
assert(os.execute(("ln -s .. '%s/loop/class/back'"):format(root)))
make "twice"
paint("twice/1.png", 6, 6, 0)
assert(os.execute(("cp '%s/twice/1.png' '%s/twice/1.jpg'"):format(root, root)))

local function at(path) return root .. "/" .. path end

local bad <const> = {
  { "data.folder: there is no picture (.png, .jpg) in '" .. at "empty" .. "' or in its",
    function() data.folder(at "empty") end },
  { "data.folder: the class folder '" .. at "half/void" .. "' has no picture",
    function() data.folder(at "half") end },
  { at "nowhere" .. "'", function() data.folder(at "nowhere") end },
  { "'" .. at "differ/a.png" .. "' is 2 x 2 and '" .. at "differ/b.png"
      .. "' is 2 x 3; say size = 64", function() data.folder(at "differ") end },
  { "'" .. at "cut/b.png" .. "' is damaged", function() data.folder(at "cut") end },
  { "'" .. at "broken/b.jpg" .. "' is", function() data.folder(at "broken") end },
  { "'" .. at "odd/a.png" .. "' is 3 pixels wide; two halves need an even number",
    function() data.paired { folder = at "odd" } end },
  { "data.paired: '" .. at "lonely2/2.png" .. "' has no partner in '" .. at "lonely",
    function() data.paired { a = at "lonely", b = at "lonely2" } end },
  { "data.paired: '" .. at "lonely2/2.png" .. "' has no partner in '" .. at "lonely",
    function() data.paired { a = at "lonely2", b = at "lonely" } end },
  { "data.folder: '" .. at "loop/class" .. "' has folders more than 32 deep; does a link",
    function() data.folder(at "loop") end },
  { "data.paired: '" .. at "twice/1.jpg" .. "' and '" .. at "twice/1.png" .. "' have the "
    .. "same name but for the ending",
    function() data.paired { a = at "twice", b = at "lonely" } end },
  { "data.paired: the sets have 3 and 2 rows; pairs need as many", function()
    data.paired { a = data.tensor(lg.zeros(3, 2)), b = data.tensor(lg.zeros(2, 2)) }
  end },
  { "data.paired takes { folder = path }, or a and b", function() data.paired {} end },
  { "data.unpaired takes { a = path, b = path }, or two sets",
    function() data.unpaired { a = at "left" } end },
  { "data.folder takes the path of a folder, and got a nil",
    function() data.folder() end },
  { "data.folder: no option 'sise' (did you mean 'size'?)",
    function() data.folder(at "left", { sise = 3 }) end },
  { "data.folder: size is a number of pixels, 64, or height and width",
    function() data.folder(at "left", { size = 1.5 }) end },
  { "data.folder: channels is 1 (gray) or 3 (RGB), and not 4",
    function() data.folder(at "left", { channels = 4 }) end },
}
for _, case in ipairs(bad) do
  check.case("refused: " .. case[1], function()
    local text <const> = check.raises(case[1], case[2])
    if not text:find "test_data_folders.lua:%d+: " then error("no line: " .. text) end
  end)
end

command.remove(root)
check.report()

-- test_image.lua - tensors to PNG and back, grids, and files that are no PNG.

local lg <const>, check <const> = require "lugano", require "check"
local command <const> = require "command"

local folder <const> = command.folder()
local path <const> = folder .. "/a.png"

local function same(a, b, tolerance)
  check.equal(table.concat(a.shape, ","), table.concat(b.shape, ","))
  check.close((a - b):abs():amax():item(), 0, tolerance)
end

check.case("what is saved is loaded", function()
  local x <const> = lg.rand(3, 5, 7) * 2 - 1
  lg.image.save(path, x)
  local y <const> = lg.image.load(path)
  same(x, y, 1 / 255)
  lg.image.save(path, y)
  same(y, lg.image.load(path), 0)
end)

check.case("a grid has its samples side by side", function()
  local x <const> = lg.cat({ lg.full({ 1, 1, 2, 2 }, -1), lg.full({ 1, 1, 2, 2 }, 1) }, 1)
  lg.image.save(path, x, { columns = 1 })
  local y <const> = lg.image.load(path)
  check.equal(table.concat(y.shape, ","), "1,10,6")
  local rows <const> = y:totable()[1]
  check.equal(rows[3][3], -1)
  check.equal(rows[7][3], 1)
  check.close(rows[1][1], 40 / 127.5 - 1, 1e-6)
end)

check.case("a picture has size, pixels, and parts that clip or are no numbers", function()
  local x <const> = lg.tensor { { { -3, 0 }, { 1, 0 / 0 } } }      -- 1,2,2
  local picture <const>, clipped <const>, nans <const> = lg.image.grid(x)
  check.equal(clipped, 0.25)
  check.equal(nans, 0.25)
  local w <const>, h <const>, c <const> = picture:size()
  check.equal(w * 10000 + h * 100 + c, 60601)
  check.equal(#picture:pixels(), 36)
  check.equal(picture:pixels():byte(2 * 6 + 3), 0)
  check.equal(picture:pixels():byte(2 * 6 + 4), 128)
end)

check.case("the range says what is black and white", function()
  local x <const> = lg.tensor { { { 0, 255 } } }
  local picture <const> = lg.image.grid(x, { range = { 0, 255 } })
  check.equal(picture:pixels():byte(2 * 6 + 3), 0)
  check.equal(picture:pixels():byte(2 * 6 + 4), 255)
end)

local bad <const> = {
  { "image.grid takes a tensor, and got a number", function() lg.image.grid(3) end },
  { "image.save takes a path, and got a number", function() lg.image.save(3, 3) end },
  { "image.save takes a tensor, and got a string",
    function() lg.image.save("a", "b") end },
  { "image.load takes a path, and got a nil", function() lg.image.load() end },
  { "image.grid: no option 'rang'",
    function() lg.image.grid(lg.zeros(1, 2, 2), { rang = 1 }) end },
  { "image.grid takes one tensor, and got two; a call that gives labels, too, goes in",
    function() lg.image.grid(lg.zeros(1, 2, 2), lg.zeros(1)) end },
  { "image.grid: columns is a whole number, and x is not",
    function() lg.image.grid(lg.zeros(1, 2, 2), { columns = "x" }) end },
  { "image.load: channels is 1 (gray) or 3 (RGB), and not 2",
    function() lg.image.load("a.png", 2) end },
  { "image.grid: range is what shall be black and white: {-1, 1}",
    function() lg.image.grid(lg.zeros(1, 2, 2), { range = { 1 } }) end },
  { "the range 1 to 1 is empty",
    function() lg.image.grid(lg.zeros(1, 2, 2), { range = { 1, 1 } }) end },
  { "grid: x is {1,2,4,4}; it must be n,c,h,w with 1 or 3 channels, or n,h,w",
    function() lg.image.grid(lg.zeros(1, 2, 4, 4)) end },
  { "has nothing to show", function() lg.image.grid(lg.zeros(0, 2, 4)) end },
}
for _, case in ipairs(bad) do
  check.case("refused: " .. case[1], function()
    local text <const> = check.raises(case[1], case[2])
    if not text:find "test_image.lua:%d+: " then error("no line: " .. text) end
  end)
end

lg.image.save(path, lg.zeros(1, 8, 8))
local whole <const> = command.read(path)
local damaged <const> = {
  missing = { nil, "cannot open '%s': No such file or directory" },
  empty = { "", "'%s' is not a PNG file" },
  text = { "P5 2 2 255 ....", "'%s' is not a PNG file" },
  truncated = { whole:sub(1, -20), "'%s' is damaged" },
  flipped = { whole:sub(1, 45) .. "\xff" .. whole:sub(47), "'%s' is damaged" },
}
for _, name in ipairs { "missing", "empty", "text", "truncated", "flipped" } do
  check.case("a PNG that is " .. name, function()
    local file <const> = folder .. "/" .. name
    if damaged[name][1] then command.write(file, damaged[name][1]) end
    local text <const> = check.raises(damaged[name][2]:format(file), function()
      lg.image.load(file)
    end)
    if not text:find "test_image.lua:%d+: " then error("no line: " .. text) end
  end)
end

check.case("a picture that cannot be written leaves the earlier one", function()
  check.raises("No such file or directory", function()
    lg.image.save(folder .. "/none/a.png", lg.zeros(1, 8, 8))
  end)
  check.raises("cannot write '" .. folder .. "'", function()
    lg.image.save(folder, lg.zeros(1, 8, 8))
  end)
  check.equal(command.read(path), whole)
end)

command.remove(folder)
check.report()

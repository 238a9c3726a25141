-- test_save.lua - lg.save and lg.load: tensors in files.

local lg <const>, check <const> = require "lugano", require "check"
local command <const> = require "command"

local folder <const> = command.folder()
local path <const> = folder .. "/x.safetensors"

check.case("what is saved comes back", function()
  local x <const> = lg.randn(2, 3)
  lg.save(path, { x = x, ["a.b"] = lg.zeros(0, 4), s = lg.tensor(7) }, { step = 12 })
  local t <const>, notes <const> = lg.load(path)
  check.equal(table.concat(t.x.shape, ","), "2,3")
  check.equal(t.x:at(2, 3), x:at(2, 3))
  check.equal(t["a.b"]:size(2), 4)
  check.equal(t.s:item(), 7)
  check.equal(notes.step, "12")
end)

check.case("the same tensors make the same bytes", function()
  lg.save(path, { a = lg.ones(2), b = lg.ones(3) })
  local before <const> = command.read(path)
  lg.save(path, { b = lg.ones(3), a = lg.ones(2) })
  check.equal(command.read(path), before)
end)

check.case("another program's whole numbers", function()
  local header <const> = [[{"i":{"dtype":"I64","shape":[2],"data_offsets":[0,16]}}]]
  command.write(path, ("<I8"):pack(#header) .. header .. ("<i8i8"):pack(5, -6))
  local t <const> = lg.load(path)
  check.equal(t.i:at(1), 5)
  check.equal(t.i:at(2), -6)
end)

check.case("refusals", function()
  check.raises("cannot open 'no/such/file'", function() lg.load "no/such/file" end)
  check.raises("the second argument must be a table of tensors by name, not a nil",
               function() lg.save(path) end)
  check.raises("'1' must be the name of a tensor, and is a number", function()
    lg.save(path, { lg.ones(1) })
  end)
  check.raises("'x' must be the name of a tensor, and is a string that is a number",
               function() lg.save(path, { x = 1 }) end)
end)

command.remove(folder)
check.report()

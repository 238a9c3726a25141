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

--- Runs Python, if it has what is needed.
local function python(text)
  command.write(folder .. "/peer.py", "import sys\ntry:\n    import numpy as np\n"
                .. "    from safetensors import safe_open\n"
                .. "    from safetensors.numpy import save_file\n"
                .. "except ImportError as e:\n    print(e)\n    sys.exit(77)\n" .. text)
  local said <const>, status <const> = command.shell("python3 " .. folder .. "/peer.py")
  if status == 77 or status == 127 then
    check.skip("python3 with safetensors and numpy is needed: " .. said:gsub("\n", " "))
  end
  check.equal(status, 0, said)
end

check.case("Python's safetensors reads ours, to the bit", function()
  local x <const> = lg.randn(3, 5)
  lg.save(path, { x = x, ["G.0.weight"] = lg.arange(6):reshape(2, 3), s = lg.tensor(7),
                  none = lg.zeros(0, 4) }, { step = 12, name = "\u{e4} \"q\"" })
  local numbers <const> = {}
  for i, v in ipairs(x:reshape(15):totable()) do numbers[i] = ("%.17g"):format(v) end
  python(([=[
with safe_open("%s", "np") as f:
    assert sorted(f.keys()) == ["G.0.weight", "none", "s", "x"], f.keys()
    assert f.metadata()["step"] == "12" and f.metadata()["name"] == '\u00e4 "q"'
    x = f.get_tensor("x")
    assert x.shape == (3, 5) and x.ravel().tolist() == [%s], x
    assert f.get_tensor("G.0.weight").tolist() == [[1, 2, 3], [4, 5, 6]]
    assert f.get_tensor("s").shape == () and f.get_tensor("none").shape == (0, 4)
]=]):format(path, table.concat(numbers, ",")))
end)

check.case("ours reads Python's", function()
  python(([[
save_file({"a": np.arange(6, dtype=np.float32).reshape(2, 3) / 3,
           "d": np.array([0.1, 1e-30]), "i": np.array([1, -2], dtype=np.int32)},
          "%s", metadata={"who": "peer"})
]]):format(path))
  local t <const>, notes <const> = lg.load(path)
  check.equal(table.concat(t.a.shape, ","), "2,3")
  check.close(t.a:at(2, 3), 5 / 3, 1e-6)      -- it was written as a float
  check.close(t.d:at(1), 0.1, 1e-7)
  check.equal(t.i:at(2), -2)
  check.equal(notes.who, "peer")
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

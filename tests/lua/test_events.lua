-- test_events.lua - TensorBoard's event files: read back by a reader of our own, and by
-- TensorBoard's where Python has it.

local lg <const>, check <const> = require "lugano", require "check"
local command <const>, core <const> = require "command", require "inner"
local events <const> = core.load "events"

local folder <const> = command.folder()

-- A reader ------------------------------------------------------------------------------

--- CRC-32C bit by bit, and turned as TFRecord has it.
local function checksum(s)
  local crc = 0xffffffff
  for i = 1, #s do
    crc = crc ~ s:byte(i)
    for _ = 1, 8 do crc = crc & 1 == 1 and crc >> 1 ~ 0x82f63b78 or crc >> 1 end
  end
  crc = crc ~ 0xffffffff
  return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff
end

--- The records of a file, their checksums compared.
local function records(text)
  local list, at = {}, 1
  while at <= #text do
    local length <const>, sum <const> = ("<I8I4"):unpack(text, at)
    check.equal(sum, checksum(text:sub(at, at + 7)), "checksum of the length")
    local data <const> = text:sub(at + 12, at + 11 + length)
    check.equal(#data, length, "length")
    check.equal(("<I4"):unpack(text, at + 12 + length), checksum(data), "checksum")
    list[#list + 1] = data
    at = at + 16 + length
  end
  return list
end

local function read_varint(s, at)
  local n, shift = 0, 0
  repeat
    local byte <const> = s:byte(at)
    n, shift, at = n | (byte & 0x7f) << shift, shift + 7, at + 1
  until byte < 0x80
  return n, at
end

--- The fields of a message by number.
local function fields(s)
  local found, at = {}, 1
  while at <= #s do
    local key, value
    key, at = read_varint(s, at)
    local kind <const> = key & 7
    if kind == 0 then
      value, at = read_varint(s, at)
    elseif kind == 1 then
      value, at = ("<d"):unpack(s, at)
    elseif kind == 5 then
      value, at = ("<f"):unpack(s, at)
    else
      check.equal(kind, 2, "kind of field " .. (key >> 3))
      local length
      length, at = read_varint(s, at)
      value, at = s:sub(at, at + length - 1), at + length
    end
    found[key >> 3] = value
  end
  return found
end

local function value_of(event) return fields(fields(event[5])[1]) end

local function read_events(path)
  local list <const> = {}
  for i, data in ipairs(records(command.read(path))) do list[i] = fields(data) end
  return list
end

-- Files ---------------------------------------------------------------------------------

check.case("a file begins as TensorBoard wants it", function()
  local writer <const> = events.open(folder .. "/new", 120)
  local name <const> = writer.path:match "([^/]+)$"
  local time <const> = name:match "^events%.out%.tfevents%.(%d+)%.[%w._-]+$"
  check.equal(#(time or ""), 10, name)
  local list <const> = read_events(writer.path)
  check.equal(#list, 2)
  check.equal(list[1][3], "brain.Event:2")
  check.equal(list[2][2], 120, "from this step on, earlier files count no more")
  check.equal(fields(list[2][7])[1], 1, "a start")
  check.equal(math.abs(list[1][1] - os.time()) < 60, true, "its time is of this day")
  local other <const> = events.open(folder .. "/new", 130)
  if not (other.path > writer.path) then error "files sort in the order of opening" end
end)

check.case("numbers are there by name and step", function()
  local writer <const> = events.open(folder .. "/scalars")
  local values <const> = { 0.5, -3, 1e30, 1 / 0, 0 / 0, 7 }
  local steps <const> = { 0, 1, 127, 128, 300000, 1 << 40 }
  for i, v in ipairs(values) do writer:scalar("D(G(z))", steps[i], v) end
  writer:scalar("\u{3bb}", 1, 1):close()
  local list <const> = read_events(writer.path)
  check.equal(#list, 9)
  local before = 0
  for i, v in ipairs(values) do
    local event <const> = list[i + 2]
    local value <const> = value_of(event)
    check.equal(event[2], steps[i], "step")
    check.equal(value[1], "D(G(z))", "name")
    if v == v then check.equal(value[2], ("<f"):unpack(("<f"):pack(v)), "value")
    else check.equal(value[2] ~= value[2], true, "nan") end
    check.equal(event[1] >= before, true, "time goes on")
    before = event[1]
  end
  check.equal(value_of(list[9])[1], "\u{3bb}")
end)

check.case("pictures are there as they are", function()
  local writer <const> = events.open(folder .. "/images")
  local gray <const>, color <const> = folder .. "/gray.png", folder .. "/color.png"
  lg.image.save(gray, lg.rand(1, 300, 200))
  lg.image.save(color, lg.rand(3, 5, 9))
  writer:image("samples", 400, gray):image("colors", 400, color)
  local list <const> = read_events(writer.path)
  local image = fields(value_of(list[3])[4])
  check.equal(("%d x %d x %d"):format(image[1], image[2], image[3]), "300 x 200 x 1")
  check.equal(image[4] == command.read(gray), true, "the bytes of the file")
  image = fields(value_of(list[4])[4])
  check.equal(("%d x %d x %d"):format(image[1], image[2], image[3]), "5 x 9 x 3")
end)

check.case("what is no event is refused, and the file stays as it was", function()
  local writer <const> = events.open(folder .. "/wrong")
  local before <const> = command.read(writer.path)
  command.write(folder .. "/text.png", ("no picture"):rep(9))
  local refused <const> = {
    { "events:scalar: 'D' is a string; it must be a number",
      function() writer:scalar("D", 1, "x") end },
    { "events:scalar: the name is a text, and a nil is not",
      function() writer:scalar(nil, 1, 1) end },
    { "events:scalar: the name is a text, and '\xff' is not",
      function() writer:scalar("\xff", 1, 1) end },
    { "events:scalar: the step of 'D' is a whole number from 0, and -1 is not",
      function() writer:scalar("D", -1, 1) end },
    { "and 1.5 is not", function() writer:image("samples", 1.5, "x.png") end },
    { "text.png' is not a PNG file",
      function() writer:image("samples", 1, folder .. "/text.png") end },
    { "cannot open", function() writer:image("samples", 1, folder .. "/none.png") end } }
  for _, r in ipairs(refused) do check.raises(r[1], r[2]) end
  writer:close()
  check.raises("' is closed", function() writer:scalar("D", 1, 1) end)
  check.equal(command.read(writer.path) == before, true)
  check.raises("cannot make the folder", function() events.open("/dev/null/x") end)
end)

-- TensorBoard ---------------------------------------------------------------------------

local reader <const> = [[
import sys
from tensorboard.backend.event_processing import event_accumulator, event_multiplexer
from tensorboard.backend.event_processing import data_provider
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.context import RequestContext
folder = sys.argv[1]
old = event_accumulator.EventAccumulator(folder).Reload()
for tag in sorted(old.Tags()["scalars"]):
    print(tag, *(f"{e.step}:{e.value:g}" for e in old.Scalars(tag)))
for tag in old.Tags()["images"]:
    print(tag, *(f"{e.step}:{e.width}x{e.height}:{len(e.encoded_image_string)}"
                 for e in old.Images(tag)))
many = plugin_event_multiplexer.EventMultiplexer().AddRunsFromDirectory(folder).Reload()
page = data_provider.MultiplexerDataProvider(many, folder)
for run, tags in page.read_scalars(RequestContext(), experiment_id="", downsample=100,
                                   plugin_name="scalars").items():
    for tag in sorted(tags):
        print("page", tag, *(f"{e.step}:{e.value:g}" for e in tags[tag]))
for run, tags in page.list_blob_sequences(RequestContext(), experiment_id="",
                                          plugin_name="images").items():
    print("page", *tags)
]]

check.case("TensorBoard reads them, and a resumed run goes on at its step", function()
  local python <const> = command.shell "command -v python3":match "^(/[^\n]*)\n$"
  if not python then check.skip "python3 is not installed" end
  local _, missing <const> = command.shell("TF_CPP_MIN_LOG_LEVEL=3 " .. python
    .. " -c 'import tensorboard.backend.event_processing.event_accumulator'")
  if missing ~= 0 then check.skip "Python has no tensorboard" end
  local run <const>, png <const> = folder .. "/run", folder .. "/sample.png"
  lg.image.save(png, lg.rand(1, 12, 10))
  local first <const> = events.open(run)
  for step = 10, 50, 10 do
    first:scalar("D", step, step / 10):scalar("D(G(z))", step, 0.5)
  end
  first:image("samples", 50, png)
  local resumed <const> = events.open(run, 31)         -- what was after 30 is repeated
  for step = 40, 60, 10 do resumed:scalar("D", step, -step) end
  resumed:scalar("D", 70, 0 / 0):image("samples", 60, png):close()
  command.write(folder .. "/read.py", reader)
  local text <const>, status <const> = command.shell(("TF_CPP_MIN_LOG_LEVEL=3 %s %s %s "
    .. "2> %s/python.log"):format(python, folder .. "/read.py", run, folder))
  check.equal(status, 0, command.read(folder .. "/python.log"))
  local size <const> = #command.read(png)
  check.equal(text, ("D 10:1 20:2 30:3 40:-40 50:-50 60:-60 70:nan\n"
    .. "D(G(z)) 10:0.5 20:0.5 30:0.5\nsamples 60:10x12:%d\n"
    .. "page D 10:1 20:2 30:3 40:-40 50:-50 60:-60 70:nan\n"
    .. "page D(G(z)) 10:0.5 20:0.5 30:0.5\npage samples\n"):format(size))
end)

command.remove(folder)
check.report()

--- events.lua - TensorBoard's event files: numbers and pictures by step.
--
-- A file is a row of records as TensorFlow's TFRecord has them: length, checksum of the
-- length, bytes, checksum of the bytes. The bytes are protocol buffers, of the messages
-- of tensorflow/core/util/event.proto and framework/summary.proto that are named below:
-- few enough to be written by hand. Each record is appended at once, so that TensorBoard
-- shows a run that goes on, and a crash costs the last record at most.

local core <const> = ...

local version <const> = "brain.Event:2"        -- from 2 on, a start purges what follows
local png_magic <const> = "\137PNG\r\n\26\n"
local started <const> = 1                      -- a status: START

-- Protocol buffers: a field is its number and kind of coding, and then its value.
local varint_kind <const>, double_kind <const> = 0, 1
local bytes_kind <const>, float_kind <const> = 2, 5

local function varint(n)
  local bytes <const> = {}
  while n & ~0x7f ~= 0 do
    bytes[#bytes + 1] = string.char(n & 0x7f | 0x80)
    n = n >> 7
  end
  bytes[#bytes + 1] = string.char(n)
  return table.concat(bytes)
end

local function key(field, kind) return varint(field << 3 | kind) end

local function whole(field, n) return key(field, varint_kind) .. varint(n) end
local function double(field, x) return key(field, double_kind) .. ("<d"):pack(x) end
local function float(field, x) return key(field, float_kind) .. ("<f"):pack(x) end
local function bytes(field, s) return key(field, bytes_kind) .. varint(#s) .. s end

-- The messages: Event { wall_time = 1, step = 2, file_version = 3, summary = 5; 7 for a
-- log of starts and stops }, of which { status = 1 }, Summary { value = 1 }, Value {
-- tag = 1, simple_value = 2, image = 4 }, Image { height = 1, width = 2, colorspace = 3,
-- encoded_image_string = 4 }.
local function event(time, step, field)
  return double(1, time) .. whole(2, step) .. field
end

local function summary(name, value) return bytes(5, bytes(1, bytes(1, name) .. value)) end

--- A checksum of bytes that have checksums in them would tell little: so it is turned.
local function masked(crc)
  return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff
end

local function record(data)
  local length <const> = ("<I8"):pack(#data)
  return length .. ("<I4"):pack(masked(core.crc32c(length)))
         .. data .. ("<I4"):pack(masked(core.crc32c(data)))
end

local Writer <const> = {}
Writer.__index = Writer
Writer.__name = "lugano.events"

--- Seconds since 1970, with fractions: the moment of opening, and what went by since.
function Writer:time() return self.began + (core.now() - self.opened) end

function Writer:append(data)
  if self.closed then core.fail("events: '%s' is closed", self.path) end
  core.append_file(self.path, record(data))
end

local function check(who, name, step)
  if type(name) ~= "string" or name == "" or not utf8.len(name) then
    core.fail("%s: the name is a text, and %s is not", who,
              type(name) == "string" and ("'%s'"):format(name) or "a " .. type(name))
  end
  if math.type(step) ~= "integer" or step < 0 then
    core.fail("%s: the step of '%s' is a whole number from 0, and %s is not", who, name,
              tostring(step))
  end
end

--- Notes a number. Infinity and not-a-number are shown by TensorBoard as what they are.
function Writer:scalar(name, step, value)
  check("events:scalar", name, step)
  if type(value) ~= "number" then
    core.fail("events:scalar: '%s' is a %s; it must be a number", name, type(value))
  end
  self:append(event(self:time(), step, summary(name, float(2, value))))
  return self
end

--- Notes a picture, a PNG file.
function Writer:image(name, step, path)
  check("events:image", name, step)
  local png <const> = core.read_file(path)
  if #png < 33 or png:sub(1, 8) ~= png_magic then
    core.fail("events:image: '%s' is not a PNG file", path)
  end
  local width <const>, height <const>, _, kind <const> = (">I4I4BB"):unpack(png, 17)
  local channels <const> = ({ [0] = 1, [4] = 2, [6] = 4 })[kind] or 3   -- 2, 3: colors
  local image <const> = whole(1, height) .. whole(2, width) .. whole(3, channels)
                        .. bytes(4, png)
  self:append(event(self:time(), step, summary(name, bytes(4, image))))
  return self
end

--- Nothing is held open: this only refuses what comes later.
function Writer:close() self.closed = true end

--- A name that is free: TensorBoard reads files in the order of their names, so the time
-- comes first.
local function free_path(folder, began)
  local host = "localhost"
  if core.file_exists "/proc/sys/kernel/hostname" then
    host = core.read_file("/proc/sys/kernel/hostname"):match "^[%w._-]+" or host
  end
  local base <const> = ("%s/events.out.tfevents.%010d.%s"):format(folder, began, host)
  local path, again = base, 0
  while core.file_exists(path) do
    again = again + 1
    path = ("%s.%03d"):format(base, again)
  end
  return path
end

--- Begins a file of events in the folder of a run. What earlier files there have from
-- `step` on, from a run that is now repeated or was resumed before its end, counts no
-- more.
---@param folder string
---@param step integer  of the first event that can come; 0 if none was before
---@return table        with scalar(name, step, value), image(name, step, path), close()
local function open(folder, step)
  step = step or 0
  check("events.open", folder, step)
  core.make_folder(folder)
  local began <const> = os.time()
  local writer <const> = setmetatable({ began = began, opened = core.now(),
                                        path = free_path(folder, began) }, Writer)
  writer:append(event(began, 0, bytes(3, version)))
  writer:append(event(began, step, bytes(7, whole(1, started))))
  return writer
end

return { open = open }

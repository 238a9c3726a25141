-- test_run.lua - lg.run: its folder, what it shows, how it stops, and the same bytes.

local lg <const>, check <const> = require "lugano", require "check"
local command <const> = require "command"

local folder <const> = command.folder()

--- Runs a piece of a script in its own process; `opt` and `run` are there.
local function script(options, body, words, before)
  local path <const> = folder .. "/script.lua"
  command.write(path, ([[
local lg <const> = require "lugano"
local opt <const> = lg.options { out = "%s/out", %s }
local w = lg.zeros(3, 5)
local net <const> = { state = function() return { { name = "w", tensor = w } } end }
%s]]):format(folder, options, body))
  return command.run({ path, table.unpack(words or {}) }, before)
end

local function file(name) return folder .. "/out/" .. name end
local function clear() command.remove(folder .. "/out") end

local function expect(text, part)
  if not text:find(part, 1, true) then error(("no '%s' in\n%s"):format(part, text), 2) end
end

local loop <const> = [[
local run <const> = lg.run("test", opt, { net = net })
for epoch = run.epoch, opt.epochs do
  for x in run:progress(25) do
    run:log { D = x, G = lg.full({ 1 }, 2) }
  end
  run:image("samples", lg.zeros(4, 1, 8, 8)):checkpoint()
end
]]

check.case("a run leaves its folder", function()
  clear()
  local text <const>, status <const> = script("epochs = 5, lr = 2e-4", loop)
  check.equal(status, 0, text)
  local config <const> = command.read(file "config.json")
  for _, part in ipairs { '"name": "test"', '"lr": 0.0002', '"epochs": 5', '"seed": 1',
                          '"kernels": "', '"lugano": "' .. lg.version } do
    expect(config, part)
  end
  local metrics <const> = command.read(file "metrics.jsonl")
  expect(metrics, '{"D": 5.5, "G": 2, "epoch": 1, "step": 10}\n')
  expect(metrics, '{"D": 23, "G": 2, "epoch": 1, "step": 25}\n')
  expect(metrics, '"epoch": 5, "step": 125}\n')
  for _, step in ipairs { 25, 50, 75, 100, 125 } do
    check.equal(command.exists(file(("samples/%06d.png"):format(step))), true)
    check.equal(command.exists(file(("checkpoints/%06d.safetensors"):format(step))),
                step >= 75)
  end
  check.equal(command.read(file "checkpoints/last.safetensors"),
              command.read(file "checkpoints/000125.safetensors"))
  expect(text, "epoch 1/5  25/25  ")
  expect(text, "D 13  G 2\n")
  expect(text, file "samples/000125.png")
  if text:find "[\27\r]" then error("escape codes without a terminal: " .. text) end
end)

--- A run of five steps a pass, which presses Ctrl-C at the step that STOP names.
local function train(epochs, stop, ...)
  local text <const>, status <const> = script("epochs = 2, lr = 2e-4", [[
local run <const> = lg.run("test", opt, { net = net })
local stop <const> = tonumber(os.getenv "STOP")
for epoch = run.epoch, opt.epochs do
  for x, y in run:progress(lg.data.digits "test":batches(100)) do
    if run.step + 1 == stop then io.popen("kill -INT $PPID"):close() end
    w:copy(w + lg.randn(3, 5) + x:mean() + y:mean())
  end
  run:checkpoint()
end]], { "--epochs=" .. epochs, ... }, ("STOP=%d LUGANO_DATA=%s"):format(stop or 0,
      command.quote(command.source .. "/models/data")))
  check.equal(status, stop and 130 or 0, text)
  return command.read(file "checkpoints/last.safetensors"), text
end

check.case("a run that resumes goes on as if nothing had happened", function()
  clear()
  local whole <const> = train(4)
  clear()
  if train(2) == whole then error "two passes are four" end
  local resumed, text = train(4, nil, "--resume")
  expect(text, "resumed after step 10 from " .. file "checkpoints/last.safetensors")
  check.equal(resumed == whole, true, "after two passes: the same bytes")
  clear()
  train(4, 13)
  train(4, 14, "--resume")
  resumed, text = train(4, nil, "--resume")
  expect(text, "resumed after step 14")
  check.equal(resumed == whole, true, "within a pass: the same bytes")
end)

check.case("a resumed run refuses what was changed, by name", function()
  local function resume(options, body, ...)
    return script(options, body, { "--resume", ... })
  end
  clear()
  local text, status = resume("epochs = 1, lr = 2e-4", loop)
  check.equal(status, 1, text)
  expect(text, "nothing to resume: there is no '" .. file "checkpoints/last.safetensors'")
  check.equal(select(2, script("epochs = 1, lr = 2e-4", loop)), 0)
  text, status = resume("epochs = 1, lr = 2e-4", loop, "--lr=1e-4", "--seed=2")
  check.equal(status, 1, text)
  expect(text, "--lr was 0.0002 and is 0.0001, --seed was 1 and is 2; only --epochs, "
               .. "--out, ")
  text, status = resume("epochs = 1, lr = 2e-4", 'net.state = function() return { { name '
                        .. '= "v", tensor = w } } end\n' .. loop)
  check.equal(status, 1, text)
  expect(text, "it has no 'net.v'")
  text, status = resume("epochs = 1, lr = 2e-4", 'w = lg.zeros(5, 3)\n' .. loop)
  check.equal(status, 1, text)
  expect(text, "'net.w' is {3,5} there and {5,3} here")
end)

check.case("Ctrl-C finishes the step, saves, and ends with 130", function()
  clear()
  local text <const>, status <const> = script("epochs = 5", [[
local run <const> = lg.run("test", opt, { net = net })
for epoch = run.epoch, opt.epochs do
  for x in run:progress(25) do
    if run.step == 29 then io.popen("kill -INT $PPID"):close() end
    io.write(x, " ")
  end
end
]])
  check.equal(status, 130, text)
  expect(text, "stopped after step 30; saved to " .. file "checkpoints/last.safetensors")
  if text:find "25 1 2 3 4 5 6" then error "it went on" end
  check.equal(command.exists(file "checkpoints/000030.safetensors"), true)
end)

check.case("without epochs the picture is shown when the script ends", function()
  clear()
  local text <const>, status <const> = script("lr = 1.5", [[
local run <const> = lg.run("test", opt, {})
for i in run:progress(3) do run:image("samples", lg.zeros(1, 1, 4, 4)) end
print "over"]])
  check.equal(status, 0, text)
  expect(text, "over\n" .. file "samples/000002.png\n")
end)

check.case("numbers outside of the range are told once", function()
  clear()
  local text <const> = script("lr = 1.5", [[
local run <const> = lg.run("test", opt, {})
run:image("a", lg.full({ 1, 1, 4, 4 }, 3)):image("a", lg.full({ 1, 1, 4, 4 }, 3))
run:image("b", lg.full({ 1, 1, 4, 4 }, 3), { range = { 0, 5 } })
run:log { D = 0 / 0 }:log { D = 0 / 0 }]])
  local told = 0
  for _ in text:gmatch "100 %% of the numbers lie outside" do told = told + 1 end
  check.equal(told, 1, text)
  expect(text, "out/a/000000.png: 100 % of the numbers lie outside of -1 to 1, and "
               .. "are cut off; if they are meant to, name their range: run:image('a', "
               .. "x, { range = {0, 1} })")
  expect(text, "D is not a number since step 1; a smaller learning rate or clip_norm may "
               .. "help, and lg.run's option on_nan says what then happens\n")
end)

check.case("a full disk is one message and 1, and earlier files stay", function()
  clear()
  local text <const>, status <const> = script("epochs = 2", [[
local run <const> = lg.run("test", opt, { net = net })
run:checkpoint()
w = lg.zeros(1000, 100)
for _ in run:progress(1) do end
run:checkpoint()]], {}, "trap '' XFSZ; ulimit -f 200;")
  check.equal(status, 1, text)
  expect(text, "cannot write '" .. file "checkpoints/last.safetensors': File too large")
  expect(text, "script.lua:9: ")
  check.equal(command.exists(file "checkpoints/000001.safetensors"), false)
  check.equal(command.exists(file "checkpoints/last.safetensors.tmp"), false)
  check.equal(command.read(file "checkpoints/last.safetensors"),
              command.read(file "checkpoints/000000.safetensors"))
end)

check.case("the folder tells of nets and pictures, and has a page", function()
  clear()
  local text <const>, status <const> = script("epochs = 1", [[
local G <const> = lg.nn.Sequential { name = "G", input = { 3 }, lg.nn.Linear { 2 } }
local run <const> = lg.run("test", opt, { G = G, opt = lg.optim.SGD(G) })
for i in run:progress(20) do
  run.objects.opt:minimize(G(lg.ones(2, 3)):square():mean())
  run:log { D = i }
end
run:image("samples", lg.zeros(4, 1, 8, 8)):checkpoint()]])
  check.equal(status, 0, text)
  expect(command.read(file "config.json"), [["nets": {
    "G": "G (Sequential)\npath  layer]])
  local metrics <const> = command.read(file "metrics.jsonl")
  expect(metrics, '{"epoch": 1, "image": "samples", "path": "samples/000020.png", '
                  .. '"step": 20}\n')
  expect(metrics, '"opt.grad_norm": ')
  if text:find "grad_norm" then error("shown: " .. text) end
  expect(command.read(file "report.html"), "</html>")
end)

check.case("a page that cannot be written is told once, and ends no run", function()
  clear()
  assert(os.execute("mkdir -p " .. file "report.html"))
  local text <const>, status <const> = script("epochs = 2", loop)
  check.equal(status, 0, text)
  local told <const> = select(2, text:gsub("the report cannot be written, and the run "
                                           .. "goes on without: ", ""))
  check.equal(told, 1, text)
  check.equal(command.exists(file "checkpoints/000050.safetensors"), true)
end)

check.case("TensorBoard's files are written where they are asked for", function()
  clear()
  local text <const>, status <const> = script("epochs = 1", loop, { "--tensorboard" })
  check.equal(status, 0, text)
  local size <const> = command.shell("cat " .. file "events.out.tfevents.* | wc -c")
  if tonumber(size) < 200 then error("no events: " .. size) end
end)

check.case("the model: three steps, the same bytes on one thread and on two", function()
  assert(os.execute("mkdir -p " .. folder .. "/data/digits"))
  local pixels <const> = {}
  for i = 1, 192 * 784 do pixels[i] = string.char(i * i // 7 % 256) end
  local name <const> = folder .. "/data/digits/train-%s-ubyte.gz"
  command.write(name:format "images-idx3",
                (">I4I4I4I4"):pack(0x803, 192, 28, 28) .. table.concat(pixels))
  command.write(name:format "labels-idx1", (">I4I4"):pack(0x801, 192) .. ("\1"):rep(192))
  local function train(threads)
    local out <const> = folder .. "/digits" .. threads
    local text <const>, status <const> = command.run(
      { command.source .. "/models/digits.lua", "--epochs=1", "--threads=" .. threads,
        "--out=" .. out }, "LUGANO_DATA=" .. command.quote(folder .. "/data"))
    check.equal(status, 0, text)
    expect(text, "trained 3 steps")
    return command.read(out .. "/checkpoints/last.safetensors")
           .. command.read(out .. "/samples/000003.png")
           .. command.read(out .. "/metrics.jsonl")
  end
  local one <const> = train(1)
  check.equal(train(1) == one, true, "two runs")
  check.equal(train(2) == one, true, "one thread and two")
end)

--- What is wrong in a script names its line.
local bad <const> = {
  { "lg.run: 'a/b' cannot be the name of a run", function() lg.run("a/b") end },
  { "lg.run: 'G' is a number; it must be a net, an optimizer, or anything that "
    .. "has state(): an average, a pool of images, a stream of data",
    function() lg.run("x", {}, { G = 3 }) end },
  { "lg.run: 'lugano' cannot be the name of an object",
    function() lg.run("x", {}, { lugano = {} }) end },
}
local run <const> = lg.run("x", { out = folder .. "/x" })
bad[#bad + 1] = { "run:progress takes batches, a function that gives them, or a number "
                  .. "of steps; it got a table", function() run:progress {} end }
bad[#bad + 1] = { "run:log takes { name = value }, and got a number",
                  function() run:log(3) end }
bad[#bad + 1] = { "run:log: 'D' is a string; it must be a number or a tensor with one "
                  .. "element", function() run:log { D = "x" } end }
bad[#bad + 1] = { "run:image: '../x' cannot be the name of a folder of pictures",
                  function() run:image("../x", lg.zeros(1, 2, 2)) end }
bad[#bad + 1] = { "run:image takes a name and a tensor, and got a nil",
                  function() run:image "x" end }
for _, case in ipairs(bad) do
  check.case("refused: " .. case[1], function()
    local text <const> = check.raises(case[1], case[2])
    if not text:find "test_run.lua:%d+: " then error("no line: " .. text) end
  end)
end

command.remove(folder)
check.report()

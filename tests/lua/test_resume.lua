-- test_resume.lua - a run that is stopped at any step and resumed makes the same bytes.
--
-- Six kinds of GAN, each run for 60 steps, which are 2.4 passes; then stopped by Ctrl-C
-- after step k and resumed. LUGANO_EVERY_STEP tries every k, and else it is each seventh.

local lg <const>, check <const> = require "lugano", require "check"
local command <const>, kinds <const> = require "command", require "kinds"
local quietly <const> = require "quietly"

local folder <const> = command.folder()
local steps <const> = 60
local every <const> = os.getenv "LUGANO_EVERY_STEP" and 1 or 7

local function interrupt() io.popen("kill -INT $PPID"):close() end

--- Runs a kind in a folder to its end, or to a step at which Ctrl-C is pressed.
local function train(kind, out, resume, stop)
  local _ <const>, ok <const>, why <const> = quietly(function()
    lg.seed(7)
    local objects <const>, set <const>, step <const>, picture <const> = kind.make()
    local run <const> = lg.run("kind", { out = out, resume = resume }, objects)
    for epoch = run.epoch, 3 do
      for x, labels in run:progress(set:batches(8)) do
        if run.step == steps then break end
        run:log(step(x, labels))
        if run.step + 1 == stop then interrupt() end
      end
      run:image("samples", picture())
      run:checkpoint { score = (epoch - 2) ^ 2 }
    end
  end)
  if not ok and not tostring(why):find "^stopped after" then error(why, 0) end
end

local compared <const> = {
  "checkpoints/last.safetensors", "metrics.jsonl", "samples/000025.png",
  "samples/000060.png", "checkpoints/best-000050.safetensors" }

local function read_all(out)
  local files <const> = {}
  for i, name in ipairs(compared) do files[i] = command.read(out .. "/" .. name) end
  return files
end

for _, kind in ipairs(kinds) do
  check.case(kind.name .. ": stopped after any step, it ends the same", function()
    local whole <const>, parted <const> = folder .. "/whole", folder .. "/parted"
    train(kind, whole)
    local expected <const> = read_all(whole)
    check.equal(expected[2]:find '"step": 60' ~= nil, true, "it ran to its end")
    for stop = 1, steps, every do
      command.remove(parted)
      train(kind, parted, nil, stop)
      local name <const> = ("%s/checkpoints/%06d.safetensors"):format(parted, stop)
      check.equal(command.exists(name), true, "stopped after step " .. stop)
      train(kind, parted, true)
      for i, text in ipairs(read_all(parted)) do
        check.equal(text == expected[i], true,
                    ("%s, stopped after step %d"):format(compared[i], stop))
      end
    end
    command.remove(whole)
    command.remove(parted)
  end)
end

command.remove(folder)
check.report()

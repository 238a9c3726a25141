-- test_checkpoint.lua - which checkpoints stay, which one is taken, what is refused.

local lg <const>, check <const> = require "lugano", require "check"
local command <const>, quietly <const> = require "command", require "quietly"
local nn <const>, optim <const> = lg.nn, lg.optim

local folder <const> = command.folder()
local out <const> = folder .. "/out"
local function file(name) return out .. "/checkpoints/" .. name end

local function expect(text, part)
  text = tostring(text)
  if not text:find(part, 1, true) then error(("no '%s' in\n%s"):format(part, text), 2) end
end

local function tiny()
  return nn.Sequential { name = "net", input = { 2 }, nn.Linear { 1 } }
end

--- A run of 10 steps a pass, with a checkpoint after each; body(run) at each step.
local function train(passes, options, given)
  given = given or {}
  return quietly(function()
    lg.seed(1)
    local net <const> = (given.net or tiny)()
    local objects <const> = given.objects and given.objects(net)
                            or { net = net, opt = optim.Adam(net) }
    local opt <const> = { out = out }
    for k, v in pairs(options or {}) do opt[k] = v end
    local run <const> = lg.run(given.name or "test", opt, objects, given.settings)
    if given.before then given.before(run) end
    for epoch = run.epoch, passes do
      for _ in run:progress(10) do
        if objects.opt then
          run:log { loss = objects.opt:minimize(net(lg.randn(4, 2)):square():mean()) }
        end
        if given.body then given.body(run) end
      end
      run:checkpoint { score = given.score and given.score(epoch) }
    end
    return run
  end)
end

local function names()
  local text <const> = command.shell("cd " .. command.quote(out .. "/checkpoints")
                                     .. " && LC_ALL=C ls")
  return (text:gsub("%.safetensors\n", " "))
end

local scores <const> = { 5, 3, 4, 1, 2, 3 }
local function score(epoch) return scores[epoch] end

check.case("the last ones and the best ones stay", function()
  command.remove(out)
  train(6, nil, { score = score })
  check.equal(names(), "000040 000050 000060 best-000040 last ")
  command.remove(out)
  train(6, nil, { score = score, settings = { keep = 1, best = 2, better = "higher" } })
  check.equal(names(), "000060 best-000010 best-000030 last ")
  check.equal(command.read(file "last.safetensors"),
              command.read(file "000060.safetensors"))
  command.remove(out)
  train(2, nil, { score = score, settings = { best = 0 } })
  check.equal(names(), "000010 000020 last ")
  command.remove(out)
  train(3, nil, { score = function(epoch) return epoch == 2 and 2 or 0 / 0 end })
  check.equal(names(), "000010 000020 000030 best-000020 last ")
end)

check.case("a resumed run goes on with both lists", function()
  command.remove(out)
  train(6, nil, { score = score })
  local whole <const> = command.read(file "last.safetensors")
  command.remove(out)
  for passes = 1, 6 do train(passes, { resume = passes > 1 }, { score = score }) end
  check.equal(names(), "000040 000050 000060 best-000040 last ")
  check.equal(command.read(file "last.safetensors") == whole, true, "the same bytes")
end)

check.case("a checkpoint within a step is written at its end", function()
  local function body(run)
    if (run.step + 1) % 4 == 0 then run:checkpoint() end
  end
  command.remove(out)
  train(2, nil, { body = body })
  check.equal(names(), "000012 000016 000020 last ")
  local whole <const> = command.read(file "last.safetensors")
  assert(os.rename(file "000016.safetensors", file "last.safetensors"))
  os.remove(file "000020.safetensors")
  train(2, { resume = true }, { body = body })
  check.equal(command.read(file "last.safetensors") == whole, true, "the same bytes")
end)

check.case("what a resumed script does before its first pass was done before", function()
  local function before(run)
    run:checkpoint():log { start = 1 }:image("start", lg.zeros(1, 1, 4, 4))
  end
  command.remove(out)
  train(2, nil, { before = before })
  local whole <const> = command.read(out .. "/metrics.jsonl")
  command.remove(out)
  train(1, nil, { before = before })
  train(2, { resume = true }, { before = before })
  check.equal(command.read(out .. "/metrics.jsonl"), whole)
  check.equal(command.exists(out .. "/start/000010.png"), false)
end)

--- Passes of 30 steps over a stream, which is one of the objects or is not.
local function stream(passes, resume, is_object, stop)
  quietly(function()
    lg.seed(1)
    local rows <const> = lg.data.tensor(lg.arange(40):reshape(40, 1)):stream(4)
    local seen <const> = lg.zeros(1)
    local function state() return { { name = "w", tensor = seen } } end
    local run <const> = lg.run("stream", { out = out, resume = resume },
                               { net = { state = state },
                                 rows = is_object and rows or nil })
    for _ = run.epoch, passes do
      for x in run:progress(rows) do
        seen:copy(seen * 1.01 + x:sum())
        if run.step + 1 == stop then io.popen("kill -INT $PPID"):close() end
        if (run.step + 1) % 30 == 0 then
          run:checkpoint()
          break
        end
      end
      run:checkpoint()
    end
  end)
  return command.read(file "last.safetensors")
end

check.case("a stream goes on where it stood", function()
  for _, is_object in ipairs { false, true } do
    command.remove(out)
    local whole <const> = stream(3, false, is_object)
    for _, stop in ipairs { 7, 30, 31, 75 } do
      command.remove(out)
      stream(3, false, is_object, stop)
      check.equal(stream(3, true, is_object) == whole, true, "stopped after " .. stop)
    end
    command.remove(out)
    stream(2, false, is_object)
    check.equal(stream(3, true, is_object) == whole, true, "two passes, and a third")
  end
end)

local function damage(name, f)
  command.write(file(name), f(command.read(file(name))))
end

local function flip(text, at)
  return text:sub(1, at - 1) .. string.char(text:byte(at) ~ 16) .. text:sub(at + 1)
end

check.case("the newest whole checkpoint is found", function()
  command.remove(out)
  train(3)
  local whole <const> = command.read(file "last.safetensors")
  damage("last.safetensors", function(text) return text:sub(1, #text // 2) end)
  local said = train(3, { resume = true })
  expect(said, "'" .. file "last.safetensors" .. "' is damaged: ")
  expect(said, "; an earlier one is taken\n")
  expect(said, "resumed after step 30 from " .. file "000030.safetensors")
  check.equal(command.read(file "last.safetensors") == whole, true, "last is whole again")
  damage("last.safetensors", function(text) return flip(text, #text - 5) end)
  damage("000030.safetensors", function(text) return flip(text, 40) end)
  said = train(3, { resume = true })
  expect(said, "resumed after step 20 from " .. file "000020.safetensors")
  check.equal(command.read(file "last.safetensors") == whole, true, "the same again")
  os.remove(file "last.safetensors")
  expect(train(3, { resume = true }), "resumed after step 30 from "
                                      .. file "000030.safetensors")
  damage("last.safetensors", function(text) return text end)
end)

check.case("killed between the files of a step: they are written again", function()
  command.remove(out)
  train(3, nil, { score = score })
  local whole <const> = command.read(file "last.safetensors")
  local all <const> = names()
  os.remove(file "000030.safetensors")
  os.remove(file "best-000020.safetensors")
  command.write(file "best-000010.safetensors", "was to go")
  train(2, { resume = true }, { score = score })
  check.equal(command.read(file "000030.safetensors") == whole, true, "the same bytes")
  check.equal(names(), "000010 000020 000030 last ", "of " .. all)
end)

check.case("who copies an earlier one to last.safetensors goes back", function()
  command.remove(out)
  train(3)
  local whole <const> = command.read(file "last.safetensors")
  command.write(file "last.safetensors", command.read(file "000020.safetensors"))
  expect(train(3, { resume = true }), "resumed after step 20 from "
                                      .. file "last.safetensors")
  check.equal(command.read(file "last.safetensors") == whole, true, "the same bytes")
end)

check.case("metrics that were cut by a power failure keep their whole lines", function()
  command.remove(out)
  train(3)
  local path <const> = out .. "/metrics.jsonl"
  local whole <const> = command.read(path)
  local first <const>, second <const> = whole:match "^([^\n]*\n)([^\n]*\n)"
  command.write(path, first .. second:sub(1, 20))
  train(3, { resume = true })
  check.equal(command.read(path), first)
end)

check.case("all are damaged: the error lists them", function()
  command.remove(out)
  train(3)
  for _, name in ipairs { "last", "000010", "000020", "000030" } do
    damage(name .. ".safetensors", function(text) return flip(text, #text) end)
  end
  local _ <const>, ok <const>, why <const> = train(3, { resume = true })
  check.equal(ok, false)
  expect(why, "nothing to resume: no checkpoint is whole\n  '" .. file "last.safetensors")
  expect(why, "\n  '" .. file "000010.safetensors" .. "' is damaged: ")
end)

check.case("every cut and flipped bits are noticed", function()
  command.remove(out)
  train(1)
  local text <const>, path <const> = command.read(file "last.safetensors"), folder .. "/x"
  local function refused(damaged)
    command.write(path, damaged)
    return not pcall(lg.load, path)
  end
  for n = 0, #text - 1, 1 + #text // 600 do
    if not refused(text:sub(1, n)) then error("cut after " .. n .. " bytes") end
  end
  for at = 1, #text, 1 + #text // 600 do
    local byte <const> = string.char(text:byte(at) ~ (1 << at % 8))
    if not refused(text:sub(1, at - 1) .. byte .. text:sub(at + 1)) then
      error("a flipped bit in byte " .. at)
    end
  end
  check.equal(refused(text), false, "as it was")
end)

-- What does not fit

local function refuse(part, given, options)
  command.remove(out)
  train(1, { lr = 1 })
  local before <const> = command.read(file "last.safetensors")
  local opt = { resume = true, lr = 1 }
  for k, v in pairs(options or {}) do opt[k] = v end
  local _ <const>, ok <const>, why <const> = train(2, opt, given)
  check.equal(ok, false, "it resumed")
  expect(why, "cannot resume from '" .. file "last.safetensors" .. "': ")
  local parts <const> = type(part) == "table" and part or { part }
  for _, text in ipairs(parts) do expect(why, text) end
  check.equal(command.read(file "last.safetensors") == before, true, "the file stays")
  check.equal(command.exists(out .. "/old/config.json"), false)
  return tostring(why)
end

local function net_of(...)
  local sizes <const> = { ... }
  return function()
    local list <const> = { name = "net", input = { 2 } }
    for i, n in ipairs(sizes) do list[i] = nn.Linear { n } end
    return nn.Sequential(list)
  end
end

check.case("a net that does not match is refused with a list", function()
  refuse({ "'net.1.weight' is {1,2} there and {3,2} here", "it has no 'net.2.weight'",
           " things differ:\n  " }, { net = net_of(3, 1) })
  local why <const> = refuse({ "\n  and ", " more" }, { net = net_of(3, 3, 3, 3, 1) })
  local lines <const> = select(2, why:gsub("\n  ", ""))
  check.equal(lines, 11, "ten, and a count")
end)

check.case("objects that differ are refused by name", function()
  refuse("this script has no object 'opt' (lugano.optim.Adam)", {
    objects = function(net) return { net = net } end })
  refuse({ "2 things differ", "it has no object 'D' (lugano.net)",
           "'opt' is a lugano.optim.Adam there and a table here" }, {
    objects = function(net)
      return { net = net, D = net, opt = { state = function() return {} end,
               minimize = function() return 1 end } }
    end })
end)

check.case("another run, other options, other numbers are refused", function()
  refuse("it is of the run 'test', and this one is 'other'", { name = "other" })
  refuse("--lr was 1 and is 2; only --epochs, --out, ", nil, { lr = 2 })
  refuse("'opt' is a lugano.optim.Adam there and a lugano.optim.SGD here", {
    objects = function(net) return { net = net, opt = optim.SGD(net) } end })
end)

check.case("a refusal leaves the nets as they were", function()
  command.remove(out)
  train(1)
  quietly(function()
    lg.seed(2)
    local net <const>, other <const> = tiny(), net_of(3)()
    local before <const> = net:parameters()[1]:sum():item()
    check.equal(pcall(lg.run, "test", { out = out, resume = true },
                      { net = net, opt = optim.Adam(net), other = other }), false)
    check.equal(net:parameters()[1]:sum():item(), before)
  end)
end)

-- The folder, and the fourth argument

check.case("a new run moves an older one aside, and nothing else", function()
  command.remove(out)
  train(2)
  command.write(out .. "/notes.txt", "mine")
  command.write(file "mine.safetensors", "mine")
  local first <const> = command.read(file "last.safetensors")
  local said <const> = train(1)
  expect(said, "the earlier run in " .. out .. ", of 20 steps, is now in " .. out
               .. "/old; --resume would have gone on with it")
  check.equal(command.read(out .. "/old/checkpoints/last.safetensors"), first)
  check.equal(command.read(out .. "/notes.txt"), "mine")
  check.equal(names(), "000010 last mine ")
  train(1)
  check.equal(command.exists(out .. "/old/checkpoints/000020.safetensors"), false)
  check.equal(command.exists(out .. "/old/checkpoints/000010.safetensors"), true)
end)

check.case("what is wrong in the options is named", function()
  local function run(settings)
    return lg.run("x", { out = folder .. "/y" }, {}, settings)
  end
  for _, case in ipairs {
    { { keeps = 3 }, "lg.run has no option 'keeps' (did you mean 'keep'?); it takes "
                     .. "alarms, best, better, keep, log_every, on_nan" },
    { { keep = 0 }, "lg.run: the option 'keep' is a whole number from 1; 0 is not" },
    { { on_nan = "back" }, "lg.run: the option 'on_nan' is one of 'warn', 'rollback', "
                           .. "'stop'; back is not" },
    { { alarms = 3 }, "lg.run: the option 'alarms' is true or false; 3 is not" },
    { 3, "lg.run: its fourth argument is a table of options, { keep = 3 }, and no "
         .. "number" },
  } do
    local why <const> = check.raises(case[2], function() run(case[1]) end)
    if not why:find "test_checkpoint.lua:%d+: " then error("no line: " .. why) end
  end
  check.raises("run:checkpoint has no option 'scores'; it takes { score = x }",
               function() run():checkpoint { scores = 1 } end)
  check.raises("run:checkpoint: the score must be a number or a tensor with one element, "
               .. "not a string", function() run():checkpoint { score = "x" } end)
  check.raises("run:checkpoint takes { score = x }, and got a number",
               function() run():checkpoint(3) end)
end)

command.remove(folder)
check.report()

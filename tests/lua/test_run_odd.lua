-- test_run_odd.lua - what odd scripts do to a run: break, nest, catch Ctrl-C, recurse
-- without end, forget an argument. They are told in words, and lose nothing.

local lg <const>, check <const> = require "lugano", require "check"
local command <const>, quietly <const> = require "command", require "quietly"
local run_folder <const> = require "run_folder"
local nn <const> = lg.nn

local folder <const> = command.folder()
local out <const> = folder .. "/out"

local function expect(text, part)
  text = tostring(text)
  if not text:find(part, 1, true) then error(("no '%s' in\n%s"):format(part, text), 2) end
end

local function count(text, part)
  local n, at = 0, text:find(part, 1, true)
  while at do n, at = n + 1, text:find(part, at + 1, true) end
  return n
end

--- Begins a run in an empty folder and calls body(run); raises what it raises.
local function live(body, opt, settings)
  command.remove(out)
  local said <const>, ok <const>, why <const> = quietly(function()
    local all <const> = { out = out }
    for k, v in pairs(opt or {}) do all[k] = v end
    body(lg.run("odd", all, {}, settings))
  end)
  if not ok then error(why, 0) end
  return said
end

local function metrics() return command.read(out .. "/metrics.jsonl") end

--- Runs a script in its own process, within ten seconds, in the folder of the test.
local function script(text, words)
  local path <const> = folder .. "/script.lua"
  command.write(path, 'local lg <const> = require "lugano"\n' .. text)
  return command.run({ path, table.unpack(words or {}) },
                     "cd " .. command.quote(folder) .. " && timeout 10")
end

-- Loops

check.case("endless recursion ends at once, with a short trace", function()
  local text <const>, status <const> = script [[
local function f(n) return 1 + f(n + 1) end
f(1)]]
  check.equal(status, 1, text)
  expect(text, "script.lua:2: stack overflow")
  expect(text, "\n  and at least ")
  check.equal(count(text, "\n") < 30, true, "it is short")
end)

check.case("a break writes the means of its pass", function()
  live(function(run)
    for i in run:progress(100) do
      run:log { D = i }
      if i == 8 then break end
    end
  end, { epochs = 1 })
  check.equal(metrics(), '{"D": 4.5, "epoch": 1, "step": 8}\n')
end)

check.case("what is logged after a pass is no part of the next one's means", function()
  live(function(run)
    for epoch = 1, 2 do
      for i in run:progress(2) do run:log { D = i } end
      run:log { score = epoch }:log { score = 10 * epoch }
    end
  end, { epochs = 2 })
  local function three(epoch, step)
    local score <const> = '{"epoch": %d, "score": %d, "step": %d}\n'
    return ('{"D": 1.5, "epoch": %d, "step": %d}\n'):format(epoch, step)
           .. score:format(epoch, epoch, step) .. score:format(epoch, 10 * epoch, step)
  end
  check.equal(metrics(), three(1, 2) .. three(2, 4))
end)

check.case("a score after a pass does not hide that D is sure", function()
  local said <const> = live(function(run)
    for _ = 1, 30 do
      for _ in run:progress(10) do run:log { ["D(x)"] = 1, ["D(G(z))"] = 0, G = 7 } end
      run:log { score = 1 }
    end
  end, { epochs = 30 })
  expect(said, "D makes no mistake since step 10")
end)

check.case("step and epoch are noted by themselves", function()
  for _, name in ipairs { "step", "epoch" } do
    check.raises("run:log: '" .. name .. "' is noted by itself; leave it out, or give it "
                 .. "another name", function()
      live(function(run) run:log { D = 1, [name] = 3 } end)
    end)
    check.equal(metrics(), "", "nothing is noted")
  end
end)

check.case("a pass within a pass is refused", function()
  check.raises("test_run_odd.lua:", function()
    live(function(run)
      for _ in run:progress(3) do
        for _ in run:progress(2) do run:log { D = 1 } end
      end
    end)
  end)
  check.raises("run:progress: the run is within a pass; an inner loop is a plain one, "
               .. "for i = 1, 5 do", function()
    live(function(run)
      for _ in run:progress(3) do run:progress(2) end
    end)
  end)
end)

check.case("several passes an epoch are told once", function()
  local function said_of(passes)
    return live(function(run)
      for _ = 1, 3 do
        for _ = 1, passes do
          for _ in run:progress(2) do run:log { D = 1 } end
        end
      end
    end, { epochs = 3 })
  end
  local text <const> = ": each run:progress is a pass, and this is pass 4 of 3: a run "
    .. "with several in an epoch cannot be resumed; make them one, or leave the others "
    .. "to plain loops\n"
  check.equal(count(said_of(2), text), 1)
  check.equal(count(said_of(1), "cannot be resumed"), 0)
end)

check.case("Ctrl-C that a pcall has caught comes again at the next pass", function()
  local text <const>, status <const> = script [[
local run <const> = lg.run("caught", { epochs = 3 }, {})
local function pass()
  for i in run:progress(10) do
    run:log { D = i }
    if i == 5 then io.popen("kill -INT $PPID"):close() end
  end
end
print("caught", pcall(pass))
print("again", pcall(pass))
pass()
print "went on"]]
  local stopped <const> = "stopped after step 5; saved to out/caught/checkpoints/"
                          .. "last.safetensors\n"
  check.equal(text .. status, "caught\tfalse\t" .. stopped .. "again\tfalse\t" .. stopped
                              .. "lugano: " .. stopped .. "130")
end)

-- Checkpoints

local function best_names()
  return (command.shell("cd " .. command.quote(out .. "/checkpoints")
                        .. " && LC_ALL=C ls | grep best"):gsub("%.safetensors\n", " "))
end

check.case("a step that is scored twice is judged by its last score", function()
  local function twice(first, second, best)
    live(function(run)
      for i in run:progress(10) do
        run:log { D = i }
        if i == 5 then run:checkpoint { score = 4 } end
        if i == 10 then run:checkpoint { score = first } end
      end
      run:checkpoint { score = second }
    end, { epochs = 1 }, { best = best })
    return best_names()
  end
  check.equal(twice(3, 2, 1), "best-000010 ")
  check.equal(command.read(out .. "/checkpoints/best-000010.safetensors"),
              command.read(out .. "/checkpoints/last.safetensors"))
  check.equal(twice(2, 3, 1), "best-000010 ")
  check.equal(twice(5, 6, 1), "best-000005 ")
  check.equal(twice(3, 6, 2), "best-000005 best-000010 ")
end)

check.case("the second run of a script begins, when the first was stopped", function()
  local text = [[
local opt <const> = lg.options { epochs = 2, stop = 0 }
for n, name in ipairs { "first", "second" } do
  local run <const> = lg.run(name, { epochs = 2, resume = opt.resume }, {})
  for epoch = run.epoch, 2 do
    for i in run:progress(10) do
      run:log { D = i }
      if n == 1 and run.step + 1 == opt.stop then io.popen("kill -INT $PPID"):close() end
    end%s
  end
end]]
  local saving <const> = text:format "\n    run:checkpoint()"
  local said, status = script(saving, { "--stop=5" })
  check.equal(status, 130, said)
  for _, first in ipairs { "resumed after step 5 from", "resumed after step 20 from" } do
    said, status = script(saving, { "--resume" })
    check.equal(status, 0, said)
    expect(said, first)
    check.equal(command.exists(folder
      .. "/out/second/checkpoints/000020.safetensors"), true)
  end
end)

-- What lg.run is given

local function unbuilt() return nn.Sequential { name = "E", nn.Linear { 3 } } end

check.case("what lg.run refuses, it refuses before anything is moved", function()
  live(function(run)
    for i in run:progress(3) do run:log { D = i } end
    run:checkpoint()
  end)
  local files <const> = command.shell("cd " .. command.quote(out) .. " && find . | sort")
  local net <const> = nn.Sequential { name = "G", input = { 2 }, nn.Linear { 3 } }
  local second <const> = "; its second argument is a table of numbers, texts and true or "
    .. "false, as lg.options gives it; the nets come after it"
  for _, case in ipairs {
    { "lg.run: the option 'G' is a table" .. second, { G = net } },
    { "lg.run: the option 'sizes' is a table" .. second, { out = out, sizes = { 1 } } },
    { "lg.run: the option 'f' is a function" .. second, { out = out, f = print } },
    { "lg.run: its second argument is what lg.options gives, and no string", out },
    { "a layer (Linear, defined at ", { out = out }, { E = unbuilt() } },
    { " has no shapes yet; declare `input = {...}` in the net around it, or call it once",
      { out = out, resume = true }, { E = unbuilt(), net = net } },
  } do
    local why <const> = check.raises(case[1], function()
      lg.run("odd", case[2], case[3] or { net = net })
    end)
    if not why:find "test_run_odd.lua:%d+: " then error("no line: " .. why) end
    check.equal(command.shell("cd " .. command.quote(out) .. " && find . | sort"), files)
    check.equal(command.exists("out/odd/config.json"), false)
  end
end)

check.case("runs that are over do not keep their nets", function()
  local nets <const> = setmetatable({}, { __mode = "k" })
  local function alive()
    collectgarbage()
    collectgarbage()
    local n = 0
    for _ in pairs(nets) do n = n + 1 end
    return n
  end
  local function one(epochs, after)
    live(function() end)
    quietly(function()
      local net <const> = nn.Sequential { input = { 2 }, nn.Linear { 3 } }
      nets[net] = true
      local run <const> = lg.run("odd", { out = out, epochs = epochs }, { net = net })
      for i in run:progress(3) do run:log { D = i } end
      after(run)
    end)
  end
  for _ = 1, 5 do one(1, function(run) run:checkpoint() end) end
  check.equal(alive(), 0, "saved")
  for _ = 1, 5 do
    one(1, function(run) run:checkpoint():image("x", lg.zeros(4, 1, 4, 4)) end)
  end
  check.equal(alive() <= 1, true, "shown")
  for _ = 1, 3 do one(2, function() end) end
  check.equal(alive() >= 3, true, "those that are not over stay")
end)

check.case("each run of a script shows its last picture, and has its page", function()
  local text <const>, status <const> = script [[
for _, name in ipairs { "a", "b", "c" } do
  local run <const> = lg.run(name, { epochs = 1 }, {})
  for i in run:progress(3) do run:image("x", lg.zeros(4, 1, 4, 4)) end
  run:checkpoint():log { score = 12345 }
end
print "over"]]
  check.equal(status, 0, text)
  for _, name in ipairs { "a", "b", "c" } do
    check.equal(count(text, "out/" .. name .. "/x/000002.png\n"), 1, text)
    expect(command.read(folder .. "/out/" .. name .. "/report.html"), "12345")
  end
  expect(text, "over\nout/c/x/000002.png\n")
end)

check.case("a run whose folder another one takes has its own page", function()
  local text <const>, status <const> = script [[
for score = 12345, 12347 do
  local run <const> = lg.run("same", { epochs = 1 }, {})
  for i in run:progress(3) do run:log { D = i } end
  run:checkpoint():log { score = score }
end]]
  check.equal(status, 0, text)
  expect(command.read(folder .. "/out/same/report.html"), "12347")
  expect(command.read(folder .. "/out/same/old/report.html"), "12346")
end)

-- The command

check.case("--steps: a number from 0, before or behind the script", function()
  local body <const> = 'print("steps", lg.options {}.steps)'
  local text, status = script(body, { "--steps=-5" })
  check.equal(text .. status, "lugano: option '--steps' is 0 or more, and -5 is not\n1")
  text, status = script(body, { "--steps=7" })
  check.equal(text .. status, "steps\t7\n0")
  text, status = command.run { "--steps=7", folder .. "/script.lua" }
  check.equal(text .. status, "steps\t7\n0")
  expect(command.run { "--steps" }, "option '--steps' needs a value: --steps=...")
  text = command.run { "--help" }
  expect(text, "\n  --steps=N     ")
  expect(text, "\n  --tensorboard ")
end)

check.case("a report shows no option that does nothing", function()
  local function page(steps)
    local a <const> = run_folder.usual(folder .. "/a", { options = {
      lr = 0.5, steps = steps, tensorboard = false } })
    local text <const>, status <const> = command.run { "report", a }
    check.equal(status, 0, text)
    return command.read(a .. "/report.html")
  end
  expect(page(0), "<th>lr</th><td>0.5</td>")
  check.equal(count(page(0), "<th>steps</th>"), 0)
  check.equal(count(page(0), "<th>tensorboard</th>"), 0)
  expect(page(40), "<th>steps</th><td>40</td>")
end)

check.case("lugano report A B --out=F writes F alone", function()
  local a <const> = run_folder.usual(folder .. "/one")
  local b <const> = run_folder.usual(folder .. "/two")
  local both <const> = folder .. "/both.html"
  local text <const>, status <const> = command.run { "report", a, b, "--out=" .. both }
  check.equal(text .. status, both .. "\n0")
  expect(command.read(both), "<h1>2 runs compared</h1>")
  for _, path in ipairs { a .. "/report.html", b .. "/report.html",
                          a .. "/compare.html" } do
    check.equal(command.exists(path), false, path)
  end
end)

check.case("an object with a state that no run was given is told, once", function()
  local said <const> = quietly(function()
    local given <const>, forgotten <const> = lg.gan.pool(2), lg.gan.pool(3)
    local run <const> = lg.run("odd", { out = folder .. "/unsaved" }, { pool = given })
    for _ in run:progress(2) do forgotten(given(lg.ones(1, 2))) end
    run:checkpoint():checkpoint()
  end)
  expect(said, "gan.pool is not among the objects of lg.run: --resume would begin it")
  check.equal(count(said, "is not among the objects"), 1)
end)

check.case("SIGTERM ends a run as Ctrl-C does: saved", function()
  local out <const> = folder .. "/term"
  command.write(folder .. "/term.lua", [[
    local lg <const> = require "lugano"
    local run <const> = lg.run("term", lg.options {}, {})
    for i in run:progress(1 << 30) do
      if i == 3 then print "go" io.stdout:flush() end
    end]])
  local _, status <const> = command.shell(("%s %s --out=%s >%s & while ! grep -q go %s; "
    .. "do sleep 0.05; done; kill -TERM $!; wait $!"):format(
    command.quote(command.program), folder .. "/term.lua", out, folder .. "/said",
    folder .. "/said"))
  check.equal(status, 130)
  check.equal(command.exists(out .. "/checkpoints/last.safetensors"), true)
end)

command.remove(folder)
check.report()

-- test_resume_odd.lua - odd scripts resume to the same bytes, too: those that draw and
-- log between passes, set options on the way, end by --steps, or are stopped in between.

local lg <const>, check <const> = require "lugano", require "check"
local command <const>, quietly <const> = require "command", require "quietly"
local nn <const>, optim <const> = lg.nn, lg.optim

local folder <const> = command.folder()
local whole <const>, parted <const> = folder .. "/whole", folder .. "/parted"
local last <const>, metrics <const> = "checkpoints/last.safetensors", "metrics.jsonl"

local function expect(text, part)
  text = tostring(text)
  if not text:find(part, 1, true) then error(("no '%s' in\n%s"):format(part, text), 2) end
end

local function read(out, name) return command.read(out .. "/" .. name) end

--- Runs a script in a folder: what it said. It may end early, stopped or killed.
---@param at table  when: { stop = 13 } by Ctrl-C, { kill = 2 } by an error
local function live(script, out, opt, at)
  local all <const> = { out = out }
  for k, v in pairs(opt) do all[k] = v end
  local said <const>, ok <const>, why <const> = quietly(function()
    lg.seed(1)
    script(all, at or {})
  end)
  local early <const> = tostring(why):find "^stopped after" or why == "killed"
  if not ok and not early then error(tostring(why) .. "\n" .. said, 0) end
  return said
end

--- A script that is left alone, and one that ends early and is resumed: the same files.
---@param ways table  when it ends early; or the options that make it end early
local function same(script, opt, ways)
  command.remove(whole)
  live(script, whole, opt)
  for _, way in ipairs(ways) do
    local first <const>, again <const> = {}, { resume = true }
    for k, v in pairs(opt) do first[k], again[k] = v, v end
    for k, v in pairs(way.opt or {}) do first[k] = v end
    command.remove(parted)
    live(script, parted, first, way)
    live(script, parted, again)
    for _, name in ipairs { last, metrics } do
      if read(parted, name) ~= read(whole, name) then
        error(("%s differs: %s"):format(name, way.name or way.stop or way.kill), 2)
      end
    end
  end
end

local function interrupt() io.popen("kill -INT $PPID"):close() end

--- A net, an optimizer of it, and a step of both.
local function pair(kind, options)
  local net <const> = nn.Sequential { name = "net", input = { 2 }, nn.Linear { 3 },
                                      nn.Linear { 1 } }
  local opt <const> = optim[kind or "Adam"](net, options)
  return net, opt, function()
    return opt:minimize(net(lg.randn(4, 2)):square():mean())
  end
end

-- Between two passes

check.case("what is drawn between a checkpoint and the next pass changes no bytes",
           function()
  local function script(opt, at)
    local net <const>, adam <const>, step <const> = pair()
    local run <const> = lg.run("odd", opt, { net = net, opt = adam })
    for epoch = run.epoch, opt.epochs do
      for _ in run:progress(10) do run:log { loss = step() } end
      run:checkpoint()
      run:image("samples", lg.rand(4, 1, 4, 4))
      if epoch == at.kill then error("killed", 0) end
    end
  end
  same(script, { epochs = 3 }, { { kill = 1 }, { kill = 2 },
                                 { name = "more epochs", opt = { epochs = 1 } } })
end)

check.case("what is logged after a pass is a line, and one alone", function()
  local function script(opt, at)
    local net <const>, adam <const>, step <const> = pair()
    local run <const> = lg.run("odd", opt, { net = net, opt = adam })
    for epoch = run.epoch, opt.epochs do
      for i in run:progress(5) do
        step()
        run:log { D = i }
      end
      run:checkpoint():log { score = 10 * epoch }
      if epoch == at.kill then error("killed", 0) end
    end
  end
  same(script, { epochs = 3 }, { { kill = 1 }, { kill = 2 } })
  for epoch = 1, 3 do
    expect(read(whole, metrics), ('\n{"epoch": %d, "score": %d, "step": %d}\n'):format(
           epoch, 10 * epoch, 5 * epoch))
  end
end)

check.case("Ctrl-C after a pass waits for the next step", function()
  local function script(opt, at)
    local net <const>, adam <const>, step <const> = pair()
    local run <const> = lg.run("odd", opt, { net = net, opt = adam })
    for epoch = run.epoch, opt.epochs do
      for _ in run:progress(10) do run:log { loss = step() } end
      if epoch == at.stop then interrupt() end
      run:checkpoint():image("samples", lg.zeros(4, 1, 4, 4))
    end
  end
  same(script, { epochs = 3 }, { { stop = 1 }, { stop = 2 } })
end)

-- Options that a script sets

--- Sets something at step 12; stopped before and after that.
local function setting(kind, options, set)
  return function(opt, at)
    local net <const>, o <const>, step <const> = pair(kind, options)
    local run <const> = lg.run("odd", opt, { net = net, opt = o })
    for _ = run.epoch, 2 do
      for _ in run:progress(15) do
        run:log { loss = step() }
        if run.step + 1 == 12 then set(o) end
        if run.step + 1 == at.stop then interrupt() end
      end
      run:checkpoint()
    end
  end
end

for _, case in ipairs {
  { "AdamW's weight_decay", "AdamW", nil, function(o) o.weight_decay = 0.3 end },
  { "Adam's betas", "Adam", nil, function(o) o.betas = { 0.1, 0.9 } end },
  { "SGD's nesterov", "SGD", { lr = 0.01, momentum = 0.9 },
    function(o) o.nesterov = true end },
  { "a group's eps", "Adam", nil, function(o) o.groups[1].eps = 0.1 end },
  { "lr", "Adam", nil, function(o) o.lr = 0.2 end },
} do
  check.case("what is set on an optimizer survives a resume: " .. case[1], function()
    same(setting(case[2], case[3], case[4]), {}, { { stop = 7 }, { stop = 12 },
                                                   { stop = 20 } })
    local bytes <const> = read(whole, last)
    live(setting(case[2], case[3], function() end), whole, {})
    check.equal(read(whole, last) ~= bytes, true, "it does something")
  end)
end

check.case("a schedule set before lg.run survives a resume", function()
  local function script(opt, at)
    local net <const>, adam <const>, step <const> = pair()
    adam.lr = function(n) return 0.1 / (1 + n) end
    local run <const> = lg.run("odd", opt, { net = net, opt = adam })
    for i in run:progress(30) do
      run:log { loss = step() }
      if i == at.stop then interrupt() end
    end
    run:checkpoint()
  end
  same(script, {}, { { stop = 1 }, { stop = 13 } })
end)

check.case("another kind of optimizer is refused by name", function()
  local function script(kind)
    return function(opt)
      local net <const>, o <const> = pair(kind)
      lg.run("odd", opt, { net = net, opt = o }):checkpoint()
    end
  end
  command.remove(whole)
  live(script "Adam", whole, {})
  local bytes <const> = read(whole, last)
  check.raises("cannot resume from '" .. whole .. "/" .. last .. "': 'opt' is a "
               .. "lugano.optim.Adam there and a lugano.optim.RAdam here", function()
    live(script "RAdam", whole, { resume = true })
  end)
  check.equal(read(whole, last) == bytes, true, "the file stays")
end)

-- Options of the run

check.case("a run that --steps ended goes on, within a pass and between two", function()
  local function script(opt)
    local net <const>, adam <const>, step <const> = pair()
    local run <const> = lg.run("odd", opt, { net = net, opt = adam })
    for _ = run.epoch, opt.epochs do
      for _ in run:progress(lg.data.tensor(lg.zeros(40, 2)):batches(4)) do
        run:log { loss = step() }
      end
      run:image("samples", lg.rand(4, 1, 4, 4)):checkpoint()
    end
  end
  local ways <const> = {}
  for i, n in ipairs { 1, 10, 13, 20, 29 } do
    ways[i] = { name = "steps = " .. n, opt = { steps = n } }
  end
  same(script, { epochs = 3 }, ways)
  command.remove(parted)
  live(script, parted, { epochs = 3, steps = 13 })
  local text <const> = read(parted, metrics)
  expect(text, '"step": 13}\n{"epoch": 2, "image": "samples"')
  check.equal(select(2, text:gsub('"image"', "")), 2, "pictures, each once")
end)

check.case("--steps that end a pass of unknown length", function()
  local function script(opt)
    local net <const>, adam <const>, step <const> = pair()
    local run <const> = lg.run("odd", opt, { net = net, opt = adam })
    for _ = run.epoch, opt.epochs do
      local left = 10
      for _ in run:progress(function()
        left = left - 1
        return left >= 0 and left or nil
      end) do run:log { loss = step() } end
      run:checkpoint()
    end
  end
  same(script, { epochs = 3 }, { { name = "at its end", opt = { steps = 10 } },
                                 { name = "within", opt = { steps = 14 } } })
end)

check.case("options that JSON cannot hold are compared, too", function()
  local function script(opt) lg.run("odd", opt, { net = pair() }):checkpoint() end
  local opt <const> = { clip = math.huge, low = -math.huge, where = "a\xfc" }
  command.remove(whole)
  live(script, whole, opt)
  opt.resume = true
  live(script, whole, opt)
  opt.where, opt.clip = "a\xfe", 3.0
  check.raises("--clip was inf and is 3.0, --where was a\\xfc and is a\\xfe; only ",
               function() live(script, whole, opt) end)
end)

check.case("a refusal names all options that may differ", function()
  local function script(opt) lg.run("odd", opt, { net = pair() }):checkpoint() end
  command.remove(whole)
  live(script, whole, { lr = 1, epochs = 1 })
  check.raises("--lr was 1 and is 2; only --epochs, --out, --resume, --steps, --strict, "
               .. "--tensorboard and --threads may differ", function()
    live(script, whole, { lr = 2, resume = true })
  end)
  live(script, whole, { lr = 1, epochs = 2, resume = true, steps = 1, strict = false,
                        threads = 1, tensorboard = true })
end)

-- What a resumed run shows and says

check.case("a finished run that is resumed leaves its last picture as it was", function()
  local function script(opt)
    local net <const>, adam <const>, step <const> = pair()
    local run <const> = lg.run("odd", opt, { net = net, opt = adam })
    local fixed <const> = lg.rand(4, 1, 4, 4)
    for _ = run.epoch, opt.epochs do
      for _ in run:progress(10) do run:log { loss = step() } end
      run:checkpoint()
    end
    run:image("fixed", fixed):image("final", lg.rand(4, 1, 4, 4))
  end
  local files <const> = { "fixed/000020.png", "final/000020.png", last, metrics }
  command.remove(whole)
  live(script, whole, { epochs = 2 })
  local before <const> = {}
  for i, name in ipairs(files) do before[i] = read(whole, name) end
  for _ = 1, 2 do
    live(script, whole, { epochs = 2, resume = true })
    for i, name in ipairs(files) do
      check.equal(read(whole, name) == before[i], true, name)
    end
  end
end)

check.case("a D that is sure while G is no number: the run can be resumed", function()
  for _, bad in ipairs { 0 / 0, math.huge } do
    local function script(opt)
      local run <const> = lg.run("odd", opt, {})
      for epoch = run.epoch, opt.epochs do
        for _ in run:progress(10) do
          run:log(epoch == 1 and { ["D(x)"] = 1, ["D(G(z))"] = 0, D = 0.001, G = bad }
                  or { ["D(x)"] = 0.5, ["D(G(z))"] = 0.5, D = 0.001, G = 1 })
        end
        run:checkpoint()
      end
    end
    same(script, { epochs = 2 }, { { name = "G is " .. bad, opt = { epochs = 1 } } })
  end
end)

check.case("a rollback leaves streams where they are", function()
  local seen
  local function script(opt)
    local rows <const> = lg.data.tensor(lg.arange(40):reshape(40, 1))
    local stream <const> = rows:stream(4, { shuffle = false })
    seen = {}
    local run <const> = lg.run("odd", opt, { net = pair(), data = stream },
                               { on_nan = "rollback" })
    for _ in run:progress(12) do
      local first <const> = stream():at(1, 1)
      seen[#seen + 1] = ("%d"):format(first)
      run:log { D = #seen == 4 and 0 / 0 or #seen == 10 and 0 / 0 or 1 }
    end
  end
  command.remove(whole)
  local said <const> = live(script, whole, {})
  expect(said, "back to the nets of step 0")
  check.equal(table.concat(seen, " "), seen[1] .. (" %d"):rep(11):format(4 + seen[1],
    8 + seen[1], 12 + seen[1], 16 + seen[1], 20 + seen[1], 24 + seen[1], 28 + seen[1],
    32 + seen[1], 36 + seen[1], seen[1], 4 + seen[1]))
end)

command.remove(folder)
check.report()

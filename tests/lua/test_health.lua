-- test_health.lua - alarms: each fault is told once, with the step and advice, and what
-- is healthy raises none; and what on_nan says is done.

local lg <const>, check <const> = require "lugano", require "check"
local command <const>, kinds <const> = require "command", require "kinds"
local quietly <const> = require "quietly"
local nn <const>, optim <const> = lg.nn, lg.optim

local folder <const> = command.folder()
local out <const> = folder .. "/out"

--- What f has said.
local function said_by(f)
  local text <const>, ok <const>, why <const> = quietly(f)
  if not ok then error(why, 0) end
  return text
end

local function alarms_of(path)
  local list <const> = {}
  for line in command.read(path .. "/metrics.jsonl"):gmatch "[^\n]+" do
    local kind <const> = line:match '^{"alarm": "(%w+)"'
    if kind then
      list[#list + 1] = { kind = kind, step = tonumber(line:match '"step": (%d+)'),
                          text = line:match '"text": "(.*)"}$' }
    end
  end
  return list
end

--- Runs steps that log what values(step) gives, and returns the alarms.
local function log(steps, values, settings)
  command.remove(out)
  local said <const> = said_by(function()
    local run <const> = lg.run("log", { out = out }, {}, settings)
    for i in run:progress(steps) do run:log(values(i)) end
  end)
  return alarms_of(out), said
end

local function kinds_text(alarms)
  local words <const> = {}
  for i, a in ipairs(alarms) do words[i] = a.kind .. " " .. a.step end
  return table.concat(words, ", ")
end

check.case("a loss that explodes is told once, until it is well again", function()
  local function loss(i)
    if i > 300 and i <= 400 or i > 600 then return 1e5 end
    return 1.3 + 0.2 * math.sin(i)
  end
  local alarms <const>, said <const> = log(700, function(i)
    return { D = loss(i), G = 0.7 }
  end)
  check.equal(kinds_text(alarms), "divergence 320, divergence 620")
  check.equal(alarms[1].text:find("D is 1e+05 at step 320, and was about 1.", 1, true), 1)
  check.equal(said:find("try a smaller learning rate", 1, true) ~= nil, true, "said")
  check.equal(#log(700, function(i) return { D = loss(i) } end, { alarms = false }), 0)
end)

check.case("losses that only move far raise no alarm", function()
  local alarms <const> = log(600, function(i)
    return { D = -0.1 * i * math.cos(i / 40), G = i < 200 and 0.01 or 40, lr = 2e-4,
             kimg = i / 100, best = i < 50 and 0 or 1e-9 }
  end)
  check.equal(kinds_text(alarms), "")
end)

check.case("a discriminator that makes no mistake is told", function()
  local text = kinds_text(log(600, function(i)
    return { D = i < 100 and 0.5 or 0.001, G = 1 + i / 50 }
  end))
  check.equal(text, "saturation 300")
  text = kinds_text(log(400, function(i)
    return { ["D(x)"] = 0.999, ["D(G(z))"] = 0.001, G = 7 }
  end))
  check.equal(text, "saturation 200")
  text = kinds_text(log(600, function(i)             -- a Wasserstein critic; a fair one
    return { D = -3, G = 1 + i, ["D(x)"] = 20, ["D(G(z))"] = -20 }
  end))
  check.equal(text, "")
  text = kinds_text(log(600, function(i)             -- D wins at first
    return { D = i < 150 and 0.001 or 0.4, G = 1 + i }
  end))
  check.equal(text, "")
end)

check.case("what is not a number is told once, with its name and step", function()
  local alarms <const>, said <const> = log(60, function(i)
    return { D = i > 30 and 0 / 0 or 1, G = i == 45 and 1 / 0 or 2 }
  end)
  check.equal(kinds_text(alarms), "nan 31, nan 45")
  check.equal(said:find("D is not a number since step 31; a smaller", 1, true) ~= nil,
              true)
  check.equal(said:find("G is infinite since step 45; ", 1, true) ~= nil, true)
end)

--- Shows samples every 50 steps, as make(step) gives them; real ones are N(0, 1).
local function show(steps, make, range)
  command.remove(out)
  said_by(function()
    local run <const> = lg.run("show", { out = out }, {})
    for x in run:progress(function() return lg.randn(16, 1, 8, 8) end) do
      if run.step % 50 == 0 then
        run:image("samples", make(run.step), { range = range })
      end
      if run.step == steps then break end
    end
  end)
  return kinds_text(alarms_of(out))
end

check.case("samples that become the same are told", function()
  local range <const> = { -3, 3 }
  local function same() return lg.zeros(16, 1, 8, 8) + lg.randn(1, 1, 8, 8) end
  check.equal(show(400, function() return lg.randn(16, 1, 8, 8) end, range), "")
  check.equal(show(400, function(step)
    return step < 200 and lg.randn(16, 1, 8, 8) or same() + 0.01 * lg.randn(16, 1, 8, 8)
  end, range), "collapse 200")
  check.equal(show(400, function(step)          -- not yet learnt, and then learning
    return lg.randn(1, 1, 8, 8) + math.min(1, step / 400) * lg.randn(16, 1, 8, 8)
  end, range), "")
  check.equal(show(400, function(step)          -- two of each, and well again in between
    if step == 200 then return lg.randn(16, 1, 8, 8) end
    local half <const> = lg.randn(8, 1, 8, 8)
    return lg.cat({ half, half }, 1)
  end, range), "collapse 100, collapse 250")
end)

check.case("pictures of one color are told, but not at the beginning", function()
  check.equal(show(300, function() return lg.full({ 16, 1, 8, 8 }, -1) end, { -1, 1 }),
              "constant 100")
  check.equal(show(300, function(step)
    return step < 100 and lg.zeros(16, 1, 8, 8) or 0.3 * lg.randn(16, 1, 8, 8)
  end, { -1, 1 }), "")
end)

local function ring_run(steps, train)
  command.remove(out)
  local set <const> = {}
  said_by(function()
    lg.seed(3)
    local objects <const>, data <const>, step <const> = kinds[1].make()
    local run <const> = lg.run("ring", { out = out }, objects)
    for _ = 1, steps // 25 do
      for x in run:progress(data:batches(8)) do
        run:log(train and train(objects, x) or step(x))
      end
      run:watch("points", objects.G(lg.randn(64, 4)))
    end
  end)
  return kinds_text(alarms_of(out))
end

check.case("a GAN that collapses: its generator runs after one point", function()
  local text <const> = ring_run(500, function(o, x)
    o.optG.lr = 2e-2
    local losses <const> = {}
    for _ = 1, 10 do
      losses.G = o.optG:minimize((-o.D(o.G(lg.randn(8, 4)))):softplus():mean())
    end
    losses.D = o.optD:minimize((-o.D(x)):softplus():mean()
                               + o.D(o.G(lg.randn(8, 4))):softplus():mean())
    return losses
  end)
  check.equal(text:find "collapse" ~= nil, true, "alarms: " .. text)
end)

check.case("healthy beginnings raise no alarm", function()
  check.equal(ring_run(500), "")
  for i = 2, #kinds do
    command.remove(out)
    said_by(function()
      lg.seed(5)
      local objects <const>, data <const>, step <const>, picture <const> = kinds[i].make()
      local run <const> = lg.run("kind", { out = out }, objects)
      for _ = 1, 8 do
        for x, labels in run:progress(data:batches(8)) do run:log(step(x, labels)) end
        run:image("samples", picture())
      end
    end)
    check.equal(kinds_text(alarms_of(out)), "", kinds[i].name)
  end
end)

-- on_nan

--- Trains one weight; at some steps its loss is not a number.
local function train(settings, is_bad, body)
  command.remove(out)
  local weight
  local ok, why
  local said <const> = said_by(function()
    lg.seed(1)
    local net <const> = nn.Sequential { name = "net", input = { 2 }, nn.Linear { 1 } }
    local opt <const> = optim.Adam(net, { lr = 1e-2 })
    local run <const> = lg.run("nan", { out = out }, { net = net, opt = opt }, settings)
    ok, why = pcall(function()
      for _ = 1, 4 do
        for _ in run:progress(10) do
          local loss = net(lg.randn(4, 2)):square():mean()
          if is_bad(run.step + 1) then loss = loss * (0 / 0) end
          run:log { loss = opt:minimize(loss) }
          if body then body(run, net, opt) end
        end
        run:checkpoint()
      end
    end)
    weight = net:parameters()[1]:sum():item()
  end)
  return { ok = ok, why = tostring(why), weight = weight, said = said,
           alarms = kinds_text(alarms_of(out)) }
end

local function expect(text, part)
  if not text:find(part, 1, true) then error(("no '%s' in\n%s"):format(part, text), 2) end
end

check.case("warn: the run goes on, and saves nothing that is no number", function()
  local r <const> = train(nil, function(step) return step == 15 end)
  check.equal(r.ok, true, r.why)
  check.equal(r.alarms, "nan 15, nan 20")
  expect(r.said, "'net.1.bias' has numbers that are none, or infinite since step 20 or "
                 .. "before: nothing is saved any more")
  check.equal(command.exists(out .. "/checkpoints/000010.safetensors"), true)
  check.equal(command.exists(out .. "/checkpoints/000020.safetensors"), false)
  check.equal(command.read(out .. "/checkpoints/last.safetensors"),
              command.read(out .. "/checkpoints/000010.safetensors"))
end)

check.case("stop: an error, and the good state stays", function()
  local r <const> = train({ on_nan = "stop" }, function(step) return step == 15 end)
  check.equal(r.ok, false)
  expect(r.why, "loss is not a number at step 15, and on_nan is 'stop'; from '"
                .. out .. "/checkpoints/000010.safetensors', the last good state, "
                .. "--resume goes on")
  expect(r.why, "test_health.lua:")
end)

check.case("rollback: back to the last good nets, while the data go on", function()
  local steps <const> = {}
  local r <const> = train({ on_nan = "rollback" }, function(step) return step == 15 end,
                          function(_, _, opt) steps[#steps + 1] = opt:numbers().step end)
  check.equal(r.ok, true, r.why)
  check.equal(r.alarms, "nan 15, rollback 15")
  expect(r.said, "loss is not a number at step 15: back to the nets of step 10; data and "
                 .. "random numbers go on")
  check.equal(#steps, 40, "steps")
  check.equal(table.concat(steps, " ", 14, 17), "14 15 11 12", "the optimizer's count")
  check.equal(r.weight == r.weight, true, "the weights are numbers")
  check.equal(command.exists(out .. "/checkpoints/000040.safetensors"), true)
end)

check.case("rollback before the first checkpoint: to the beginning", function()
  local r <const> = train({ on_nan = "rollback" }, function(step) return step == 3 end)
  check.equal(r.ok, true, r.why)
  expect(r.said, "loss is not a number at step 3: back to the nets of step 0; ")
end)

check.case("rollback gives up after three in a row", function()
  local r = train({ on_nan = "rollback" }, function(step) return step >= 12 end)
  check.equal(r.ok, false)
  check.equal(r.alarms, "nan 12, rollback 12, nan 13, rollback 13, nan 14, rollback 14, "
                        .. "nan 15")
  expect(r.why, "loss is not a number at step 15, after 3 returns to '" .. out
                .. "/checkpoints/000010.safetensors': try a smaller learning rate")
  expect(r.said, "back to the nets of step 10, the third time in a row; ")
  r = train({ on_nan = "rollback" }, function(step) return step % 10 == 5 end)
  check.equal(r.ok, true, "a good checkpoint between them: " .. r.why)
end)

check.case("a parameter that is no number without a word in the log", function()
  local r <const> = train({ on_nan = "rollback" }, function() return false end,
    function(run, net)
      if run.step + 1 == 15 then
        local p <const> = net:parameters()[1]
        p:copy(p * (0 / 0))
      end
    end)
  check.equal(r.ok, true, r.why)
  expect(r.alarms, "rollback ")
end)

command.remove(folder)
check.report()

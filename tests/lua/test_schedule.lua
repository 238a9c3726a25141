--- Schedules: their values at the steps that matter, in optimizers, and every error.
local lg = require "lugano"
local check = require "check"
local optim = lg.optim
local schedule = optim.schedule

--- What a schedule gives for steps, each as { step, rate }.
local function gives(s, ...)
  for _, pair in ipairs { ... } do
    check.close(s(pair[1]), pair[2], 1e-12, ("%s at %d"):format(s, pair[1]))
  end
end

check.case("constant, linear, cosine, exponential, step", function()
  gives(schedule.constant { from = 2 }, { 0, 2 }, { 1e6, 2 })
  gives(schedule.linear { from = 1, steps = 10 }, { 0, 1 }, { 5, 0.5 }, { 10, 0 },
        { 99, 0 })
  gives(schedule.linear { from = 1, to = 3, steps = 4 }, { 1, 1.5 }, { 9, 3 })
  gives(schedule.cosine { from = 3, to = 1, steps = 100 }, { 0, 3 }, { 50, 2 },
        { 25, 2 + math.sqrt(0.5) }, { 100, 1 }, { 1000, 1 })
  gives(schedule.exponential { from = 8, factor = 0.5 }, { 0, 8 }, { 1, 4 }, { 3, 1 })
  gives(schedule.exponential { from = 100, to = 1, steps = 4 }, { 0, 100 },
        { 1, 10 ^ 1.5 }, { 2, 10 }, { 4, 1 }, { 8, 1 })
  gives(schedule.step { from = 1, every = 3 }, { 0, 1 }, { 2, 1 }, { 3, 0.1 },
        { 8, 0.01 })
  gives(schedule.step { from = 1, factor = 0.5, at = { 4, 6 } }, { 3, 1 }, { 4, 0.5 },
        { 5, 0.5 }, { 6, 0.25 }, { 100, 0.25 })
end)

check.case("a warm-up rises in equal steps to where the rest begins", function()
  local cosine = schedule.cosine { from = 1, steps = 104, warmup = 4 }
  gives(cosine, { 0, 0.25 }, { 1, 0.5 }, { 3, 1 }, { 4, 1 }, { 54, 0.5 }, { 104, 0 })
  gives(schedule.linear { from = 1, steps = 12, warmup = 2 }, { 0, 0.5 }, { 2, 1 },
        { 7, 0.5 }, { 12, 0 })
  gives(schedule.constant { from = 1, warmup = 2 }, { 0, 0.5 }, { 1, 1 }, { 9, 1 })
  gives(schedule.step { from = 1, every = 3, warmup = 2 }, { 4, 1 }, { 5, 0.1 })
  gives(schedule.step { from = 1, at = { 3 }, warmup = 2 }, { 0, 0.5 }, { 2, 1 },
        { 3, 0.1 })
  gives(schedule.exponential { from = 1, factor = 0.5, warmup = 2 }, { 0, 0.5 },
        { 2, 1 }, { 3, 0.5 })
end)

check.case("warmup stands before a number, a schedule, a function", function()
  gives(schedule.warmup(4, 2), { 0, 0.5 }, { 3, 2 }, { 4, 2 }, { 99, 2 })
  gives(schedule.warmup(2, schedule.linear { from = 1, steps = 10 }), { 0, 0.5 },
        { 1, 1 }, { 2, 1 }, { 7, 0.5 })
  gives(schedule.warmup(2, function(step) return 1 / (step + 1) end), { 0, 0.5 },
        { 2, 1 }, { 3, 0.5 })
  gives(schedule.warmup(2, schedule.warmup(2, 1)), { 0, 0.25 }, { 1, 0.5 }, { 2, 0.5 },
        { 3, 1 })
end)

check.case("the values are PyTorch's schedulers'", function()
  -- CosineAnnealingLR(T_max = 7, eta_min = 0.01) of 0.3, epochs 1 and 3; ExponentialLR
  -- (gamma = 0.9), epoch 5; MultiStepLR({2, 5}, gamma = 0.3), epoch 5
  gives(schedule.cosine { from = 0.3, to = 0.01, steps = 7 },
        { 1, 0.2856404858458507 }, { 3, 0.18726553542366556 })
  gives(schedule.exponential { from = 0.3, factor = 0.9 }, { 5, 0.177147 })
  gives(schedule.step { from = 0.3, factor = 0.3, at = { 2, 5 } }, { 5, 0.027 })
end)

--- Trains one parameter with the gradient 1: the rates that were used.
local function used(make, lr, times)
  local p = lg.zeros(1):track()
  local opt, rates, before = make({ p }, { lr = lr }), {}, 0
  for i = 1, times do
    local rate = opt.lr
    rates[i] = ("%.4g"):format(rate)
    opt:step { lg.ones(1) }
    check.close(before - p:item(), rate, 1e-5)
    before = p:item()
  end
  return table.concat(rates, " "), opt
end

check.case("an optimizer takes its rate from its own step", function()
  local rates, opt = used(optim.SGD, schedule.linear { from = 1, steps = 4 }, 6)
  check.equal(rates, "1 0.75 0.5 0.25 0 0")
  check.equal(opt:numbers().step, 6)
  check.equal((used(optim.SGD, function(step) return 1 / 2 ^ step end, 4)),
              "1 0.5 0.25 0.125")
  check.equal((used(optim.SGD, schedule.warmup(2, 1), 3)), "0.5 1 1")
end)

check.case("the step is all that is saved", function()
  local lr = schedule.cosine { from = 1, steps = 10, warmup = 2 }
  local _, a = used(optim.SGD, lr, 5)
  local b = optim.SGD({ lg.zeros(1):track() }, { lr = lr })
  b:numbers(a:numbers())
  check.equal(b.lr, a.lr)
  check.equal(b.lr, lr(5))
end)

check.case("both halves of a step have its rate", function()
  local p = lg.zeros(1):track()
  local opt = optim.ExtraSGD({ p }, { lr = function(step) return step + 1 end })
  for i = 1, 2 do
    local start = p:item()
    opt:extrapolate { lg.ones(1) }
    check.equal(p:item(), start - i)
    opt:step { lg.ones(1) }
    check.equal(p:item(), start - i)
  end
end)

check.case("a rate may be set, and each group has its own", function()
  local p, q = lg.zeros(1):track(), lg.zeros(1):track()
  local opt = optim.SGD({ { p, lr = schedule.linear { from = 1, steps = 2 } }, { q } },
                        { lr = function() return 0.5 end })
  opt:step { lg.ones(1), lg.ones(1) }
  check.equal(opt.groups[1].lr, 0.5)
  opt:step { lg.ones(1), lg.ones(1) }
  check.equal(p:item(), -1.5)
  check.equal(q:item(), -1)
  opt.groups[2].lr = 0.25
  check.equal(opt.groups[2].lr, 0.25)
  check.equal(opt.groups[1].lr, 0)
  opt.lr = function(step) return step end
  check.equal(opt.groups[1].lr + opt.groups[2].lr, 4)
  check.equal(opt:numbers()["assigned_lr.2"], -1)
end)

check.case("a rule that is set before the first update lasts when resumed", function()
  local function made()
    local opt = optim.SGD({ lg.zeros(1):track() })
    opt.lr = schedule.linear { from = 1, steps = 4 }
    return opt
  end
  local a, b = made(), made()
  a:step { lg.ones(1) }
  b:numbers(a:numbers())
  check.equal(b.lr, 0.75)
  a.lr = 0.5
  b:numbers(a:numbers())
  check.equal(b.lr, 0.5)
end)

check.case("a schedule prints what it is", function()
  check.equal(tostring(schedule.cosine { from = 1e-3, steps = 10000, warmup = 500 }),
              "cosine { from = 0.001, steps = 10000, to = 0, warmup = 500 }")
  check.equal(tostring(schedule.warmup(5, schedule.step { from = 1, at = { 3, 4 } })),
              "warmup(5, step { at = {3, 4}, factor = 0.1, from = 1, warmup = 0 })")
end)

local refused = {
  { "there is no optim.schedule.cosin (did you mean 'cosine'?)",
    function() return schedule.cosin end },
  { "optim.schedule.cosine: there is no option 'form' (did you mean 'from'?)",
    function() schedule.cosine { form = 1, steps = 3 } end },
  { "optim.schedule.cosine: it needs from, a number",
    function() schedule.cosine { steps = 3 } end },
  { "optim.schedule.linear: it needs steps, a whole number above 0",
    function() schedule.linear { from = 1 } end },
  { "optim.schedule.linear: steps must be a whole number above 0, not 2.5",
    function() schedule.linear { from = 1, steps = 2.5 } end },
  { "optim.schedule.linear: from must be a number, not 'fast'",
    function() schedule.linear { from = "fast", steps = 2 } end },
  { "optim.schedule.cosine: steps, 500, must be more than warmup, 500, which is a part",
    function() schedule.cosine { from = 1, steps = 500, warmup = 500 } end },
  { "optim.schedule.constant: it takes a table, as in { from = 1e-3, ... }, not a number",
    function() schedule.constant(1e-3) end },
  { "optim.schedule.exponential: it takes either factor, for each update, or to and "
    .. "steps",
    function() schedule.exponential { from = 1, steps = 3 } end },
  { "optim.schedule.exponential: to must be a number above 0, not 0",
    function() schedule.exponential { from = 1, to = 0, steps = 3 } end },
  { "optim.schedule.step: it takes either every, as in every = 3000, or at",
    function() schedule.step { from = 1 } end },
  { "optim.schedule.step: at must be whole numbers that increase, as in {3000, 6000}, "
    .. "not a table", function() schedule.step { from = 1, at = { 5, 3 } } end },
  { "optim.schedule.warmup: it takes how many updates it lasts, a whole number above 0, "
    .. "not 0", function() schedule.warmup(0, 1) end },
  { "optim.schedule.warmup: behind the number comes a rate: a number, a schedule or a "
    .. "function, not a nil", function() schedule.warmup(5) end },
  { "optim.schedule.warmup: its rate gave nil for step 0; it must give a number",
    function() schedule.warmup(5, function() end)(3) end },
  { "a schedule is asked for the rate of a step, 0 or more, not -1",
    function() schedule.constant { from = 1 }(-1) end },
  { "a schedule has no 'lr'; it is called with a step, as in s(0)",
    function() return schedule.constant { from = 1 }.lr end },
}
for _, case in ipairs(refused) do
  check.case(case[1], function()
    local why = check.raises(case[1], case[2])
    check.equal(why:find "^[^\n]*test_schedule%.lua:%d+: " ~= nil, true,
                "names the script's line")
  end)
end

check.case("a rate that is none changes nothing", function()
  for _, lr in ipairs { function() return "fast" end, function() return -1 end,
                        function() return 0 / 0 end, function() end,
                        schedule.linear { from = 1, to = -1, steps = 1 } } do
    local p = lg.zeros(1):track()
    local opt = optim.Adam({ p }, { lr = lr })
    opt:numbers { step = 7 }
    check.raises("optim.Adam: lr gave ", function() opt:step { lg.ones(1) } end)
    check.raises("for step 7; it must give a number of 0 or more",
                 function() opt:step { lg.ones(1) } end)
    check.equal(opt:numbers().step, 7)
    check.equal(p:item(), 0)
  end
end)

check.report()

--- Optimizers: what they do to a net, their options, state, and every error.
local lg = require "lugano"
local check = require "check"
local nn, optim = lg.nn, lg.optim

local function net_of(name)
  return nn.Sequential { name = name, input = { 3 }, nn.Linear { 4, act = "tanh" },
                         nn.Linear { 1 } }
end

local function distance(a, b)
  local sum = 0
  for i, p in ipairs(a:parameters()) do
    sum = sum + (p - b:parameters()[i]):abs():sum():item()
  end
  return sum
end

check.case("minimize returns the loss, and makes it smaller", function()
  local net, x = net_of "a", lg.randn(16, 3)
  local opt = optim.Adam(net, { lr = 0.05 })
  local target = x:sum(2, true):tanh()
  local first, last
  for _ = 1, 50 do
    last = opt:minimize((net(x) - target):square():mean())
    first = first or last
  end
  check.equal(math.type(first), "float")
  check.equal(last < first / 4, true, ("%g to %g"):format(first, last))
  check.equal(opt:numbers().step, 50)
end)

check.case("an optimizer changes its own net alone", function()
  local G, D, other = net_of "G", net_of "D", net_of "D"
  local opt = optim.SGD(G, { lr = 0.1 })
  local head = nn.Sequential { name = "head", input = { 1 }, nn.Linear { 3 } }
  opt:minimize(D(head(G(lg.randn(4, 3)))):mean())
  check.equal(distance(D, other), 0)
  check.equal(distance(G, net_of "G") > 0, true)
end)

check.case("steps follow their formulas: SGD with momentum, and Adam", function()
  local p, q = lg.zeros(1):track(), lg.zeros(1):track()
  local sgd = optim.SGD({ p }, { lr = 0.1, momentum = 0.9 })
  local adam = optim.Adam({ q }, { lr = 0.1, betas = { 0.5, 0.9 } })
  local x, m, y, m1, m2 = 0, 0, 0, 0, 0
  for t = 1, 10 do
    local g = math.sin(t) + 0.2
    sgd:step { lg.tensor { g } }
    adam:step { lg.tensor { g } }
    m = 0.9 * m + g
    x = x - 0.1 * m
    m1, m2 = 0.5 * m1 + 0.5 * g, 0.9 * m2 + 0.1 * g * g
    y = y - 0.1 * (m1 / (1 - 0.5 ^ t)) / ((m2 / (1 - 0.9 ^ t)) ^ 0.5 + 1e-8)
  end
  check.close(p:item(), x, 1e-5)
  check.close(q:item(), y, 1e-5)
end)

check.case("gradients by hand do what minimize does", function()
  local a, b, x = net_of "a", net_of "a", lg.randn(5, 3)
  local opt_a, opt_b = optim.Adam(a, { lr = 0.1 }), optim.Adam(b, { lr = 0.1 })
  opt_a:minimize(a(x):square():mean(), { clip_norm = 0.01 })
  opt_b:step(lg.grad(b(x):square():mean(), b), { clip_norm = 0.01 })
  check.equal(distance(a, b), 0)
end)

check.case("options are fields", function()
  local opt = optim.Adam(net_of "a", { lr = 2e-4, betas = { 0.5, 0.999 } })
  check.equal(opt.lr, 2e-4)
  check.equal(opt.betas[1], 0.5)
  check.equal(opt.amsgrad, false)
  opt.lr = opt.lr / 2
  check.equal(opt.lr, 1e-4)
  check.equal(opt.eps, 1e-8)
  check.raises("optim.Adam has no option 'lrr' (did you mean 'lr'?)",
               function() opt.lrr = 1 end)
  check.raises("optim.Adam: lr must be a number, not 'fast'",
               function() opt.lr = "fast" end)
  check.raises("Adam: lr must be a number of 0 or more, not -1",
               function() opt.lr = -1 end)
  check.raises("needs numbers that the optimizer does not keep",
               function() opt.amsgrad = true end)
  check.raises("optim.Adam: 'lr' cannot be nil", function() opt.lr = nil end)
  local why = check.raises("Adam: betas must be two numbers",
                           function() opt.betas = { 0.5 } end)
  check.equal(why:find "^[^\n]*test_optim%.lua:%d+: " ~= nil, true, why)
  check.equal(opt.lr, 1e-4)
end)

local function names_of(state)
  local names = {}
  for i, s in ipairs(state) do names[i] = s.name end
  return table.concat(names, " ")
end

--- Into b, what a is at: as a checkpoint does it.
local function bring_back(a, opt_a, b, opt_b)
  b:load_state(a)
  check.equal(names_of(opt_b:state()), names_of(opt_a:state()))
  for i, s in ipairs(opt_b:state()) do s.tensor:copy(opt_a:state()[i].tensor) end
  local numbers = {}
  for name in pairs(opt_b:numbers()) do numbers[name] = opt_a:numbers()[name] end
  opt_b:numbers(numbers)
end

check.case("state and numbers have names", function()
  check.equal(names_of(optim.Adam(net_of "a"):state()), "1.bias.m 1.bias.v 1.weight.m "
    .. "1.weight.v 2.bias.m 2.bias.v 2.weight.m 2.weight.v steps")
  check.equal(names_of(optim.NAdam({ lg.zeros(1):track() }):state()),
              "1.m 1.v steps mu_product")
  check.equal(names_of(optim.SGD(net_of "a"):state()), "steps")
  check.equal(optim.ExtraSGD(net_of "a"):numbers().extrapolated, 0)
  check.equal(optim.SGD(net_of "a"):numbers().extrapolated, nil)
  check.equal(optim.SGD(net_of "a"):numbers().assigned_lr, -1)
end)

-- Every type, by its shortest way and with all that it can keep.
local types = {}
for name, make in pairs(optim) do
  if name ~= "schedule" then types[#types + 1] = { name = name, make = make } end
end
table.sort(types, function(a, b) return a.name < b.name end)

local keeping = {
  SGD = { momentum = 0.9, dampening = 0.2 }, ExtraSGD = { momentum = 0.9 },
  Adam = { amsgrad = true }, AdamW = { amsgrad = true }, ExtraAdam = { amsgrad = true },
  OptimisticAdam = { amsgrad = true }, RMSprop = { centered = true, momentum = 0.9 },
  Adagrad = { initial_accumulator = 0.1, lr_decay = 0.01 } }

local function train(net, opt, x, times)
  for _ = 1, times do
    local ahead = opt:numbers().extrapolated == 0
    local method = ahead and "extrapolate" or "minimize"
    opt[method](opt, net(x):square():mean(), { clip_norm = 1 })
  end
end

check.case("every optimizer goes on as if it had not stopped", function()
  check.equal(#types >= 13, true)
  for _, t in ipairs(types) do
    for _, options in ipairs { {}, keeping[t.name] or {} } do
      options.lr = optim.schedule.cosine { from = 0.05, steps = 12, warmup = 3 }
      options.weight_decay = 0.01
      local a, b, x = net_of "a", net_of "a", lg.randn(5, 3)
      local opt_a, opt_b = t.make(a, options), t.make(b, options)
      train(a, opt_a, x, 5)
      bring_back(a, opt_a, b, opt_b)
      train(a, opt_a, x, 5)
      train(b, opt_b, x, 5)
      check.equal(distance(a, b), 0, t.name)
      check.equal(distance(a, net_of "a") > 0, true, t.name)
      check.equal(opt_b.lr, opt_a.lr, t.name)
    end
  end
end)

check.case("every optimizer makes a loss smaller", function()
  for _, t in ipairs(types) do
    local net, x = net_of "a", lg.randn(16, 3)
    local opt = t.make(net, { lr = t.name == "Adadelta" and 1 or 0.01 })
    local function loss() return (net(x) - x:sum(2, true):tanh()):square():mean() end
    local first = loss():item()
    for _ = 1, 60 do
      if opt:numbers().extrapolated then opt:extrapolate(loss()) end
      opt:minimize(loss())
    end
    local last = loss():item()
    check.equal(last < 0.9 * first, true, ("%s: %g to %g"):format(t.name, first, last))
  end
end)

check.case("a step without any gradient is refused, and not counted", function()
  local opt = optim.SGD(net_of "a")
  check.raises("step: there is no gradient for any of the", function() opt:step {} end)
  check.raises("step: there is no gradient for any of the",
               function() opt:step { false } end)
  check.equal(opt:numbers().step, 0)
end)

check.case("an lr that was set is state, one that a script begins with is not", function()
  local a, b = net_of "a", net_of "a"
  local opt_a, opt_b = optim.SGD(a, { lr = 0.1 }), optim.SGD(b, { lr = 0.2 })
  bring_back(a, opt_a, b, opt_b)
  check.equal(opt_b.lr, 0.2)
  opt_a.lr = 0.01
  bring_back(a, opt_a, b, opt_b)
  check.equal(opt_b.lr, 0.01)
  opt_b:numbers { step = 0, assigned_lr = -1 }
  check.equal(opt_b.lr, 0.2)
end)

check.case("a parameter that was skipped goes on where it was, resumed too", function()
  local function pair() return { lg.zeros(2):track(), lg.zeros(2):track() } end
  local p, q, g = pair(), pair(), lg.ones(2)
  local a, b = optim.NAdam(p), optim.NAdam(q)
  a:step { g, false }
  for i, s in ipairs(b:state()) do s.tensor:copy(a:state()[i].tensor) end
  b:numbers(a:numbers())
  for i = 1, 2 do q[i]:copy(p[i]) end
  a:step { g, g }
  b:step { g, g }
  check.equal(q[1]:at(1), p[1]:at(1))
  check.equal(q[2]:at(1), p[2]:at(1))
  check.equal(p[1]:at(1) < p[2]:at(1), true)
end)

check.case("several nets and tensors share an optimizer", function()
  local a, t = net_of "a", lg.zeros(2):track()
  local opt = optim.SGD({ a, t, a }, { lr = 1, momentum = 0.5 })
  check.equal(#opt:state(), 6)
  check.equal(opt:state()[1].name, "1.1.bias.momentum")
  check.equal(opt:state()[5].name, "2.momentum")
end)

check.case("groups have options of their own", function()
  local a, b, t = net_of "a", net_of "b", lg.zeros(2):track()
  local opt = optim.Adam({ { a, lr = 1e-4 }, { b, t, weight_decay = 0.5 } },
                         { lr = 1e-3, betas = { 0.5, 0.9 } })
  check.equal(#opt.groups, 2)
  check.equal(opt.groups[1].lr, 1e-4)
  check.equal(opt.groups[2].lr, 1e-3)
  check.equal(opt.groups[2].betas[1], 0.5)
  check.equal(opt.groups[1].weight_decay, 0)
  check.equal(opt.groups[2].weight_decay, 0.5)
  check.equal(opt.lr, 1e-4)
  check.equal(opt:state()[1].name, "1.1.bias.m")
  check.equal(opt:state()[9].name, "2.1.bias.m")
  check.equal(opt:state()[17].name, "3.m")
  check.equal(tostring(opt.groups[2]), "group 2 of optim.Adam: 5 tensors, lr 0.001")
  check.equal(tostring(opt), "optim.Adam of 9 tensors in 2 groups, lr 0.0001, after 0 "
    .. "steps")
  opt.groups[2].lr = 0.5
  check.equal(opt.groups[1].lr, 1e-4)
  check.equal(opt:numbers()["assigned_lr.2"], 0.5)
  check.equal(opt:numbers()["assigned_lr.1"], -1)
  opt.lr = 0.25
  check.equal(opt.groups[1].lr + opt.groups[2].lr, 0.5)
  check.raises("Adam: lr must be a number of 0 or more, not -1",
               function() opt.groups[2].lr = -1 end)
  check.raises("optim.Adam has no option 'beta' (did you mean 'betas'?)",
               function() opt.groups[2].beta = 1 end)
  check.raises("'groups' can be read, but not set", function() opt.groups = {} end)
end)

check.case("a group is updated by its options, and what fails changes none", function()
  local p, q = lg.zeros(1):track(), lg.zeros(1):track()
  local opt = optim.SGD({ { p, lr = 1, momentum = 0.5 }, { q, lr = 0.1 } })
  opt:step { lg.ones(1), lg.ones(1) }
  opt:step { lg.ones(1), lg.ones(1) }
  check.close(p:item(), -2.5, 1e-6)
  check.close(q:item(), -0.2, 1e-6)
  check.equal(#opt:state(), 2)                 -- 1.momentum, steps
  check.raises("needs numbers that the optimizer does not keep",
               function() opt.momentum = 0.7 end)
  check.equal(opt.groups[1].momentum, 0.5)
end)

check.case("clip_value limits each number, clip_norm all of them, norm first", function()
  local function moved(options)
    local p = lg.zeros(2):track()
    optim.SGD({ p }, { lr = 1 }):step({ lg.tensor { 3, -4 } }, options)
    return ("%g %g"):format(p:at(1), p:at(2))
  end
  check.equal(moved {}, "-3 4")
  check.equal(moved { clip_value = 3.5 }, "-3 3.5")
  check.equal(moved { clip_value = 0.5 }, "-0.5 0.5")
  check.equal(moved { clip_norm = 2.5, clip_value = 1.75 }, "-1.5 1.75")
end)

check.case("a clip is for the call that has it", function()
  local p = lg.zeros(1):track()
  local opt = optim.SGD({ p }, { lr = 1 })
  opt:step({ lg.tensor { 8 } }, { clip_value = 1 })
  opt:step { lg.tensor { 8 } }
  check.equal(p:item(), -9)
end)

check.case("grad_norm is the norm of the latest gradients, not clipped", function()
  local net, x = net_of "a", lg.randn(5, 3)
  local opt = optim.Adam(net)
  check.equal(opt.grad_norm, nil)
  local sum = 0
  for _, g in ipairs(lg.grad(net(x):square():mean(), net)) do
    sum = sum + g:square():sum():item()
  end
  opt:minimize(net(x):square():mean(), { clip_norm = 1e-3 })
  check.close(opt.grad_norm, sum ^ 0.5, 1e-5)
  opt:step { lg.zeros(4), false, false, false }
  check.equal(opt.grad_norm, 0)
  check.raises("'grad_norm' can be read, but not set", function() opt.grad_norm = 1 end)
end)

-- min over x, max over y of x y: every plain method circles outwards.
local function game(make, step)
  local x, y = lg.ones(1):track(), lg.ones(1):track()
  local of_x, of_y = make({ x }, { lr = 0.1 }), make({ y }, { lr = 0.1, maximize = true })
  for _ = 1, 300 do step(x, y, of_x, of_y) end
  return (x:item() ^ 2 + y:item() ^ 2) ^ 0.5
end

check.case("the extragradient ends the circles of a game, plain steps do not", function()
  local function plain(x, y, of_x, of_y)
    local gx, gy = y:detach() * 1, x:detach() * 1
    of_x:step { gx }
    of_y:step { gy }
  end
  local function halves(x, y, of_x, of_y)
    local gx, gy = y:detach() * 1, x:detach() * 1
    of_x:extrapolate { gx }
    of_y:extrapolate { gy }
    plain(x, y, of_x, of_y)
  end
  check.equal(game(optim.SGD, plain) > 4, true)
  check.equal(game(optim.ExtraSGD, halves) < 0.4, true)
end)

check.case("extrapolate and minimize are a step, from one point", function()
  local p = lg.tensor({ 2.0 }):track()
  local opt = optim.ExtraSGD({ p }, { lr = 0.25 })
  check.close(opt:extrapolate(p:square():sum()), 4, 1e-6)
  check.close(p:item(), 1, 1e-6)               -- 2 - 0.25 * 4
  check.equal(opt:numbers().step, 0)
  check.equal(opt:numbers().extrapolated, 1)
  check.close(opt:minimize(p:square():sum()), 1, 1e-6)
  check.close(p:item(), 1.5, 1e-6)             -- 2 - 0.25 * 2
  check.equal(opt:numbers().step, 1)
end)

check.case("two nets play by halves", function()
  local G, D, x = net_of "G", net_of "D", lg.randn(6, 3)
  local up = nn.Sequential { name = "up", input = { 1 }, nn.Linear { 3 } }
  local opt_g, opt_d = optim.ExtraAdam(G), optim.ExtraAdam(D)
  for _ = 1, 3 do
    for _, half in ipairs { "extrapolate", "minimize" } do
      local fake = up(G(lg.randn(6, 3)))
      opt_d[half](opt_d, (1 - D(x)):relu():mean() + (1 + D(fake)):relu():mean())
      opt_g[half](opt_g, -D(fake):mean(), { clip_norm = 1 })
    end
  end
  check.equal(opt_g:numbers().step, 3)
  check.equal(opt_d:state()[#opt_d:state()].tensor:at(1), 6)
  check.equal(distance(G, net_of "G") > 0 and distance(D, net_of "D") > 0, true)
end)

check.case("a step that is saved between its halves goes on", function()
  local a, b, x = net_of "a", net_of "a", lg.randn(5, 3)
  local opt_a, opt_b = optim.ExtraAdam(a), optim.ExtraAdam(b)
  train(a, opt_a, x, 3)
  bring_back(a, opt_a, b, opt_b)
  check.equal(opt_b:numbers().extrapolated, 1)
  train(a, opt_a, x, 4)
  train(b, opt_b, x, 4)
  check.equal(distance(a, b), 0)
end)

check.case("what the loss misses stays", function()
  local a, b = lg.zeros(1):track(), lg.ones(1):track()
  local opt = optim.SGD({ a, b }, { lr = 0.5 })
  opt:minimize(b:square():sum())
  check.equal(a:item(), 0)
  check.equal(b:item(), 0)
end)

check.case("a loss that is not a number is returned, not hidden", function()
  local opt = optim.SGD { lg.zeros(1):track() }
  local p = lg.zeros(1):track()
  local value = optim.SGD({ p }):minimize((p:log() * 0):sum())
  check.equal(value ~= value, true)
  check.equal(opt:numbers().step, 0)
end)

local refused = {
  { "minimize needs a scalar loss, got {8,1}; call :mean() first",
    function(net, opt) opt:minimize(net(lg.zeros(8, 3))) end },
  { "minimize takes the loss, a tensor, not a number",
    function(_, opt) opt:minimize(3) end },
  { "the loss depends on none of the 4 parameters of this optimizer",
    function(_, opt) opt:minimize(net_of "other" (lg.zeros(2, 3)):mean()) end },
  { "minimize has no option 'clip' (did you mean 'clip_norm'?)",
    function(net, opt) opt:minimize(net(lg.zeros(2, 3)):mean(), { clip = 1 }) end },
  { "minimize: clip_value must be a positive number, not big",
    function(net, opt)
      opt:minimize(net(lg.zeros(2, 3)):mean(), { clip_value = "big" })
    end },
  { "minimize takes a table of options behind what it is given, not a number",
    function(net, opt) opt:minimize(net(lg.zeros(2, 3)):mean(), 1) end },
  { "step takes a list of gradients, as lg.grad gives it, not a number",
    function(_, opt) opt:step(3) end },
  { "optim.Adam takes a net and a table of options, as in { lr = 1e-3 }, not a number",
    function(net) optim.Adam(net, 1e-3) end },
  { "optim.Adam: lr must be a number, not 'fast'",
    function(net) optim.Adam(net, { lr = "fast" }) end },
  { "optim.Adam, group 2 has no option 'rl'",
    function(net) optim.Adam { { net }, { lg.zeros(1):track(), rl = 1 } } end },
  { "element 1 of the list is a group, and element 2 is not; write a group as a table",
    function(net) optim.Adam { { net, lr = 1 }, lg.zeros(1):track() } end },
  { "optim.Adam: there are no parameters to optimize in group 2",
    function(net) optim.Adam { { net }, { lr = 1 } } end },
  { "'1.1.bias' is in group 1 and, as '2.1.bias', in group 2; it can have the options "
    .. "of one", function(net) optim.Adam { { net }, { net } } end },
  { "Adam: its steps have no first half; ExtraAdam and ExtraSGD extrapolate",
    function(net, opt) opt:extrapolate(net(lg.zeros(2, 3)):mean()) end },
  { "ExtraAdam: a step has two halves: opt:extrapolate(loss) comes before this one",
    function(net) optim.ExtraAdam(net):minimize(net(lg.zeros(2, 3)):mean()) end },
  { "ExtraAdam: extrapolate was called twice; after it comes minimize",
    function(net)
      local opt = optim.ExtraAdam(net)
      opt:extrapolate(net(lg.zeros(2, 3)):mean())
      opt:extrapolate(net(lg.zeros(2, 3)):mean())
    end },
  { "extrapolate takes the loss, a tensor, not a number",
    function(net) optim.ExtraAdam(net):extrapolate(3) end },
  { "optim.Adagrad has no option 'initial_accumulator_value' (did you mean "
    .. "'initial_accumulator'?)",
    function(net) optim.Adagrad(net, { initial_accumulator_value = 1 }) end },
  { "there is no optim.shedule (did you mean 'schedule'?)",
    function() return optim.shedule end },
  { "clip_norm must be a positive number, not -1",
    function(net, opt) opt:minimize(net(lg.zeros(2, 3)):mean(), { clip_norm = -1 }) end },
  { "optim.Adam has no option 'beta' (did you mean 'betas'?)",
    function(net) optim.Adam(net, { beta = 1 }) end },
  { "Adam: betas must be two numbers",
    function(net) optim.Adam(net, { betas = { 0.5 } }) end },
  { "SGD: nesterov needs a momentum above 0",
    function(net) optim.SGD(net, { nesterov = true }) end },
  { "optim.Adam takes a net, or a list of nets and tensors, not a number",
    function() optim.Adam(3) end },
  { "element 1 of the list must be a net or a tensor, not a string",
    function() optim.Adam { "relu" } end },
  { "optim.Adam: there are no parameters to optimize",
    function() optim.Adam(nn.Sequential { input = { 3 }, "relu" }) end },
  { "is no leaf that gradients flow to; :track() makes one",
    function() optim.Adam { lg.zeros(3) } end },
  { "has no shapes yet; declare `input = {...}`",
    function() optim.Adam(nn.Sequential { nn.Linear { 1 } }) end },
  { "there are 4 parameters, and gradient '5' has none",
    function(_, opt) opt:step { false, false, false, false, lg.zeros(1) } end },
  { "gradient 1 is {3} and its parameter {4}",
    function(_, opt) opt:step { lg.zeros(3), false, false, false } end },
  { "there is no optim.Adan (did you mean 'Adam'?)", function() return optim.Adan end },
}
for _, case in ipairs(refused) do
  check.case(case[1], function()
    local net = net_of "net"
    local opt = optim.Adam(net)
    local why = check.raises(case[1], function() case[2](net, opt) end)
    check.equal(why:find "^[^\n]*test_optim%.lua:%d+: " ~= nil, true,
                "names the script's line")
    check.equal(opt:numbers().step, 0)
  end)
end

check.report()

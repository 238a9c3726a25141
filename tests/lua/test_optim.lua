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
  check.raises("optim.Adam: lr must be a number, not fast",
               function() opt.lr = "fast" end)
  check.raises("Adam: lr must be a number of 0 or more, not -1",
               function() opt.lr = -1 end)
  check.raises("needs numbers that the optimizer does not keep",
               function() opt.amsgrad = true end)
  check.equal(opt.lr, 1e-4)
end)

check.case("state and numbers bring an optimizer back", function()
  local a, b, x = net_of "a", net_of "a", lg.randn(5, 3)
  local opt_a, opt_b = optim.Adam(a, { lr = 0.1 }), optim.Adam(b, { lr = 0.1 })
  for _ = 1, 3 do opt_a:minimize(a(x):square():mean()) end
  b:load_state(a)
  local names = {}
  for i, s in ipairs(opt_b:state()) do
    s.tensor:copy(opt_a:state()[i].tensor)
    names[i] = s.name
  end
  check.equal(table.concat(names, " "), "1.bias.m 1.bias.v 1.weight.m 1.weight.v "
    .. "2.bias.m 2.bias.v 2.weight.m 2.weight.v")
  opt_b:numbers(opt_a:numbers())
  for _ = 1, 3 do
    opt_a:minimize(a(x):square():mean())
    opt_b:minimize(b(x):square():mean())
  end
  check.equal(distance(a, b), 0)
end)

check.case("several nets and tensors share an optimizer", function()
  local a, t = net_of "a", lg.zeros(2):track()
  local opt = optim.SGD({ a, t, a }, { lr = 1, momentum = 0.5 })
  check.equal(#opt:state(), 5)
  check.equal(opt:state()[1].name, "1.1.bias.momentum")
  check.equal(opt:state()[5].name, "2.momentum")
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

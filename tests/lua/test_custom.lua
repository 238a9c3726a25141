-- test_custom.lua - operators in Lua, recomputed functions, and lg.gradcheck.

local lg <const>, check <const> = require "lugano", require "check"

local cube <const> = lg.custom {
  name = "cube",
  forward = function(x) return x * x * x end,
  backward = function(g, _, x) return g * 3 * x * x end,
}

-- lg.custom

check.case("an operator in Lua has gradients of every order", function()
  local x <const> = lg.tensor { 2, -3 }:track()
  local y <const> = cube(x)
  check.equal(y:at(1), 8)
  local g <const> = lg.grad(y:sum(), x, { create_graph = true })
  check.equal(g:at(2), 27)
  local h <const> = lg.grad(g:sum(), x, { create_graph = true })
  check.equal(h:at(1), 12)
  check.equal(lg.grad(h:sum(), x):at(2), 6)
  lg.gradcheck(cube, { lg.randn(2, 3) })
end)

check.case("inputs of other shapes, numbers and options", function()
  local scaled <const> = lg.custom {
    name = "scaled",
    forward = function(x, w, k) return x * w * k.by end,
    backward = function(g, _, x, w, k) return g * w * k.by, g * x * k.by end,
  }
  local x <const>, w <const> = lg.randn(2, 3), lg.randn(3)
  lg.gradcheck(function(a, b) return scaled(a, b, { by = 2 }) end, { x, w })
  check.close(scaled(x, 3, { by = 2 }):at(1, 1), x:at(1, 1) * 3 * 2, 1e-6)
end)

check.case("the result serves the rule", function()
  local exp <const> = lg.custom {
    forward = function(x) return x:exp() end,
    backward = function(g, y) return g * y end,
  }
  lg.gradcheck(exp, { lg.randn(3) })
end)

check.case("several results, and one that nobody uses", function()
  local both <const> = lg.custom {
    name = "both",
    forward = function(x, w) return x * w, x + w end,
    backward = function(g, y, x, w)
      check.equal(#y, 2)
      return g[1] * w + g[2], g[1] * x + g[2]
    end,
  }
  lg.gradcheck(both, { lg.randn(2), lg.randn(2) })
  local x <const> = lg.tensor { 3 }:track()
  local product <const> = both(x, lg.tensor { 5 })
  check.equal(lg.grad(product:sum(), x):item(), 5)
end)

check.case("false and numbers as gradients", function()
  local first <const> = lg.custom {
    forward = function(x, w) return x + 0 * w end,
    backward = function(g) return g, false end,
  }
  local x <const>, w <const> = lg.randn(2):track(), lg.randn(2):track()
  local g <const> = lg.grad(first(x, w):sum(), { x, w })
  check.equal(g[1]:at(1), 1)
  check.equal(g[2]:at(1), 0)
  local sum <const> = lg.custom {
    forward = function(v) return v:sum() end,
    backward = function() return 1 end,
  }
  check.equal(lg.grad(sum(x), x):at(2), 1)
end)

check.case("forward that returns its input or a tensor from outside", function()
  local c <const> = lg.ones(2)
  c:copy(lg.tensor { 5, 6 })                   -- written to: its version is not 0
  local same <const> = lg.custom {
    forward = function(x) return x, c end,
    backward = function(g) return g[1] + g[2] end,
  }
  local x <const> = lg.tensor { 1, 2 }:track()
  local y <const>, z <const> = same(x)
  check.equal(lg.grad((y * z):sum(), x):at(1), 6)
end)

check.case("nested walks within a rule", function()
  local slope <const> = lg.custom {            -- backward asks for gradients itself
    name = "slope",
    forward = function(x) return x * x * x end,
    backward = function(g, _, x)
      local leaf <const> = x:track()
      return g * lg.grad((leaf * leaf * leaf):sum(), leaf)
    end,
  }
  local x <const> = lg.tensor { 2, 3 }:track()
  local y <const> = slope(slope(x) * 1)
  check.equal(lg.grad(y:sum(), x):at(1), 3 * 8 ^ 2 * 3 * 2 ^ 2)
end)

check.case("a rule that walks what is being walked leaves that walk whole", function()
  local deep = 0
  local twice <const> = lg.custom {
    forward = function(x) return x * 2 end,
    backward = function(g, y, x)
      deep = deep + 1
      if deep == 1 then lg.grad(y:sum(), x) end        -- calls this rule once more
      return g * 2
    end,
  }
  local x <const> = lg.tensor { 1, 2 }:track()
  local z <const> = twice((x * x):exp()) * 3
  local g <const> = lg.grad(z:sum(), x)
  check.close(g:at(1), 6 * 2 * math.exp(1), 1e-5)
  check.equal(deep, 2)
end)

check.case("an error in a rule names the operator and the script's line", function()
  local bad <const> = lg.custom {
    name = "bad", forward = function(x) return x * 2 end,
    backward = function() error "boom" end,
  }
  local x <const> = lg.tensor(1):track()
  local y <const> = bad(x)
  local why <const> = check.raises("the gradient of bad: ", function() lg.grad(y, x) end)
  assert(why:find "test_custom.lua:%d+: the gradient of bad: .*test_custom.lua:%d+: boom")
  check.equal(lg.grad(x * 3, x):item(), 3)             -- the engine goes on
end)

check.case("an error that is no text, and a coroutine", function()
  local bad <const> = lg.custom {
    name = "bad", forward = function(x) return x * 2 end,
    backward = function() error(setmetatable({}, { __tostring = function()
      return "an object" end })) end,
  }
  local x <const> = lg.tensor(1):track()
  check.raises("the gradient of bad: an object", function() lg.grad(bad(x), x) end)
  local yields <const> = lg.custom {
    name = "yields", forward = function(v) return v * 2 end,
    backward = function(g) coroutine.yield() return g end,
  }
  local co <const> = coroutine.wrap(function() return lg.grad(yields(x), x) end)
  check.raises("attempt to yield across a C-call boundary", co)
  check.equal(coroutine.wrap(function() return lg.grad(cube(x), x):item() end)(), 3)
end)

check.case("refusals of lg.custom", function()
  local function f(x) return x end
  check.raises("custom takes a table with forward and backward, not a function",
               function() lg.custom(f) end)
  check.raises("custom: backward must be a function, not a nil", function()
    lg.custom { forward = f }
  end)
  check.raises("custom has no field 'foward' (did you mean 'forward'?)", function()
    lg.custom { foward = f, backward = f }
  end)
  check.raises("none: forward must return one to 4 tensors, not 0 values", function()
    lg.custom { name = "none", forward = function() end, backward = f } (1)
  end)
  check.raises("forward must return tensors, and value 1 is a number", function()
    lg.custom { forward = function() return 1 end, backward = f } (lg.ones(1))
  end)
  local x <const> = lg.ones(2, 3):track()
  local function of(backward)
    local op <const> = lg.custom { name = "op", forward = function(v) return v * 2 end,
                                   backward = backward }
    return function() lg.grad(op(x):sum(), x) end
  end
  check.raises("the gradient of op: backward gave no gradient for argument 1; false "
               .. "stands for zero", of(function() end))
  check.raises("the gradient of op: backward gave {4} for input 1, which is {2,3}",
               of(function() return lg.ones(4) end))
  check.raises("backward must give tensors, numbers or false, and value 1 is a string",
               of(function() return "x" end))
  check.raises("backward gave 2 gradients for 1 arguments",
               of(function(g) return g, g end))
end)

check.case("what is let go is given back", function()
  local held <const> = setmetatable({}, { __mode = "k" })
  local x <const> = lg.tensor(2):track()
  do
    local option <const> = {}
    held[option] = true
    local op <const> = lg.custom {
      forward = function(v) return v * 2 end,
      backward = function(g) return g * 2 end,
    }
    local y <const> = op(x, option)
    lg.grad(y, x, { retain_graph = true })
    collectgarbage()
    assert(next(held), "the rule needs its arguments")
    lg.grad(y, x)
  end
  collectgarbage()
  collectgarbage()
  check.equal(next(held), nil, "an argument of a history that was let go")
end)

-- lg.recompute

local function same(a, b, what)
  for i = 1, a:numel() do
    check.equal(a:reshape { -1 }:at(i), b:reshape { -1 }:at(i), what)
  end
end

check.case("recompute gives the same bits, and parameters their gradients", function()
  local nn <const> = lg.nn
  local net <const> = nn.Sequential { input = { 3 }, nn.Linear { 4, act = "tanh" },
                                      nn.Dropout { 0.5 }, nn.Linear { 2 } }
  local x <const> = lg.randn(5, 3):track()
  local function gradients(f)
    lg.seed(3)
    local y <const> = f()
    lg.randn(7)                                -- what is drawn meanwhile doesn't matter
    local list <const> = { y }
    local wanted <const> = { x, table.unpack(net:parameters()) }
    return table.move(lg.grad(y:square():sum(), wanted), 1, #wanted, 2, list)
  end
  local plain <const> = gradients(function() return net(x) end)
  local again <const> = gradients(function() return lg.recompute(net, x) end)
  for i = 1, #plain do same(plain[i], again[i], "number " .. i) end
  lg.seed(4)
  lg.recompute(net, x)
  local drawn <const> = lg.randn(1):item()
  lg.seed(4)
  net(x)
  check.equal(lg.randn(1):item(), drawn, "what is drawn next")
end)

check.case("recompute is differentiable twice, by arguments that depend", function()
  local w <const> = lg.randn(3):track()
  local function f(a, b) return (a * b:tanh() * w):exp(), a + w end
  local function both(x)
    local v <const> = x * x
    local wn <const> = w * v:sum()             -- tracked, read inside, and no argument
    local p <const>, q <const> = lg.recompute(function(a, b)
      local y <const>, z <const> = f(a, b)
      return y * wn, z
    end, x, v)
    return p * q
  end
  lg.gradcheck(both, { lg.randn(3) * 0.5 })
  lg.gradcheck(function(x) return lg.recompute(function(a, b) return a * b end, x, x) end,
               { lg.randn(2) })
end)

check.case("recompute updates running statistics once", function()
  local net <const> = lg.nn.Sequential { input = { 3 }, lg.nn.BatchNorm {} }
  local x <const> = lg.randn(6, 3):track()
  local y <const> = lg.recompute(net, x)
  local before <const> = {}
  for i, p in ipairs(net:state()) do before[i] = p.tensor:totable() end
  lg.grad(y:square():sum(), x, { allow_unused = true })
  for i, p in ipairs(net:state()) do
    for k, value in ipairs(p.tensor:totable()) do check.equal(value, before[i][k]) end
  end
end)

check.case("recompute of two batches divides each by its own spectral vectors", function()
  local nn <const> = lg.nn
  local D <const> = nn.Sequential { input = { 4 }, nn.Linear { 8, spectral = true },
                                    "tanh", nn.Linear { 1, spectral = true } }
  for _, p in ipairs(D:parameters()) do p:copy(lg.randn(table.unpack(p.shape))) end
  local E <const>, real <const>, fake <const> = D:clone(), lg.randn(6, 4), lg.randn(6, 4)
  local plain <const> = lg.grad(D(real):mean() - D(fake):square():mean(), D)
  local again <const> = lg.grad(lg.recompute(E, real):mean()
                                - lg.recompute(E, fake):square():mean(), E)
  for i, g in ipairs(plain) do
    check.close((g - again[i]):abs():amax():item(), 0, 1e-6)
  end
end)

check.case("recompute notices running statistics that were changed since", function()
  local norm <const>, x <const> = lg.nn.BatchNorm(), lg.randn(4, 3):track()
  norm(x)
  local y <const> = lg.recompute(norm:eval(), x)
  norm:train()(x)
  check.raises("was changed since", function() lg.grad(y:sum(), x) end)
end)

check.case("recompute keeps less", function()
  local x <const> = lg.randn(256, 256):track()
  local function deep(v)
    for _ = 1, 20 do v = v:tanh() end
    return v
  end
  local function bytes(f)
    collectgarbage()
    local before <const> = lg.bytes()
    local y <const> = f()
    collectgarbage()
    local after <const> = lg.bytes()
    lg.grad(y:sum(), x)
    return after - before
  end
  local plain <const> = bytes(function() return deep(x) end)
  local less <const> = bytes(function() return lg.recompute(deep, x) end)
  assert(less * 8 < plain, ("%d and %d bytes"):format(less, plain))
end)

check.case("recompute notices a parameter that was changed since", function()
  local w <const>, x <const> = lg.randn(2):track(), lg.randn(2):track()
  local y <const> = lg.recompute(function(a) return a * w end, x)
  w:copy(lg.ones(2))
  check.raises("was changed since", function() lg.grad(y:sum(), x) end)
end)

check.case("recompute without a walk, and its errors", function()
  local x <const> = lg.tensor(2):track()
  check.equal(lg.no_grad(lg.recompute, function(v) return v * 2 end, x):item(), 4)
  check.raises("oops", function() lg.recompute(function() error "oops" end, x) end)
  check.raises("recompute: forward must return tensors", function()
    lg.recompute(function() return 3 end, x)
  end)
end)

check.case("memory that ends anywhere is an error, and nothing more", function()
  local x <const> = lg.randn(64):track()
  local function work()
    local op <const> = lg.custom {
      forward = function(v) return v * v end,
      backward = function(g, _, v) return g * 2 * v end,
    }
    local y <const> = lg.recompute(function(v) return op(v):tanh() * v end, x)
    local g <const> = lg.grad(y:sum(), x, { create_graph = true })
    return lg.grad(g:square():sum(), x):at(1)
  end
  local expected <const> = work()
  local failed, worked = 0, 0
  for k = 1, 450 do
    collectgarbage()
    lg.memory_limit(lg.bytes() + 64 * k)
    local ok <const>, why <const> = pcall(work)
    lg.memory_limit(0)
    if ok then worked = worked + 1 else failed = failed + 1 end
    assert(ok or tostring(why):find "memory", why)
  end
  assert(failed > 20 and worked > 20, ("%d failed, %d worked"):format(failed, worked))
  check.equal(work(), expected)
end)

-- lg.gradcheck

check.case("gradcheck accepts what is right", function()
  check.equal(lg.gradcheck(function(a, b) return a:matmul(b) end,
                           { lg.randn(2, 3), lg.randn(3, 2) }), true)
  check.equal(lg.gradcheck(lg.tanh, lg.randn(3)), true)
  check.equal(lg.gradcheck(function(x) return x:dropout(0.5) end, { lg.randn(4) }), true)
  check.equal(lg.gradcheck(function(x) return x:sign() * x:floor() end,
                           { lg.tensor { 0.5, -0.3 } }), true)
end)

check.case("gradcheck names what is wrong", function()
  local wrong <const> = lg.custom {
    forward = function(x, w) return x * w end,
    backward = function(g, _, x, w) return g * w, g * x * 1.1 end,
  }
  local x <const>, w <const> = lg.tensor { { 1, 2 } }, lg.tensor { { 3, -4 } }
  check.raises("gradcheck, first order: result 1 at 1,2 by input 2 {1,2} at 1,2: the "
               .. "gradient is 2.2", function() lg.gradcheck(wrong, { x, w }) end)
  local constant <const> = lg.custom {         -- right at first order alone
    forward = function(v) return v * v end,
    backward = function(g, _, v) return g * 2 * v:detach() end,
  }
  check.equal(lg.gradcheck(constant, { x }, { order = 1 }), true)
  check.raises("gradcheck, second order: ", function() lg.gradcheck(constant, { x }) end)
end)

check.case("many kinds of function", function()
  local x <const>, w <const> = lg.randn(2, 3, 5, 4), lg.randn(4, 3, 3, 2)
  lg.gradcheck(function(a, b) return a:conv2d(b, { stride = 2, padding = 1 }):tanh() end,
               { x, w })
  lg.gradcheck(function(a) return a:batch_norm() end, { lg.randn(5, 3) })
  lg.gradcheck(lg.nn.Sequential { input = { 3 }, lg.nn.Linear { 4, act = "softplus" },
                                  lg.nn.Linear { 1 } }, lg.randn(3, 3))
  lg.gradcheck(function(a) return a:softmax(1), a:exp() end, { lg.randn(3, 2) })
end)

check.case("refusals of gradcheck", function()
  check.raises("gradcheck has no option 'tolerence' (did you mean 'tolerance'?)",
               function() lg.gradcheck(lg.tanh, lg.ones(1), { tolerence = 1 }) end)
  check.raises("gradcheck: input 2 must be a tensor, not a number", function()
    lg.gradcheck(lg.add, { lg.ones(1), 3 })
  end)
  check.raises("order must be 1 or 2", function()
    lg.gradcheck(lg.tanh, lg.ones(1), { order = 3 })
  end)
  check.raises("the function must return tensors, and result 1 is a string", function()
    lg.gradcheck(function() return "x" end, { lg.ones(1) })
  end)
end)

check.report()

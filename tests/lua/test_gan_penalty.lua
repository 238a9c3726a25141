--- test_gan_penalty.lua - penalties on slopes: closed forms, differences, labels, errors.
local lg <const>, check <const> = require "lugano", require "check"
local gan <const>, nn <const> = lg.gan, lg.nn
local double <const> = lg.element == "double"
local tolerance <const> = double and 1e-12 or 1e-5

--- A D that is linear, whose gradient is w everywhere, and what differentiates it.
local w <const> = lg.randn(12):track()
local function linear(x) return x:reshape(#x, -1):matmul(w) end
local square <const> = w:square():sum():item()
local x <const>, fake <const> = lg.randn(5, 3, 2, 2), lg.randn(5, 3, 2, 2)

local function close_gradient(loss, factor, what)
  local g <const> = lg.grad(loss, w)
  local off <const> = (g - w:detach() * factor):abs():amax():item()
  check.equal(off < tolerance * 10 * (1 + math.abs(factor)), true,
              ("%s: off by %g"):format(what, off))
end

check.case("of a linear D the penalties are known, and their gradients", function()
  local norm <const> = square ^ 0.5
  local gp <const> = gan.gradient_penalty(linear, x, fake)
  check.equal(#gp.shape, 0)
  check.close(gp:item(), (norm - 1) ^ 2, tolerance)
  close_gradient(gp, 2 * (norm - 1) / norm, "gradient_penalty")
  local wide <const> = gan.gradient_penalty(linear, x, fake, { target = 0.5 })
  check.close(wide:item(), (norm - 0.5) ^ 2, tolerance)
  local r1 <const> = gan.r1(linear, x)
  check.close(r1:item(), square, tolerance)
  close_gradient(r1, 2, "r1")
  check.close(gan.r2(linear, fake):item(), square, tolerance)
  local dragan <const> = gan.dragan(linear, x, { noise = 2, target = 2 })
  check.close(dragan:item(), (norm - 2) ^ 2, tolerance)
  close_gradient(dragan, 2 * (norm - 2) / norm, "dragan")
end)

check.case("one_sided punishes only what is steeper", function()
  local o <const> = { target = 100, one_sided = true }
  check.equal(gan.gradient_penalty(linear, x, fake, o):item(), 0)
  o.target = 0.25
  check.close(gan.gradient_penalty(linear, x, fake, o):item(), (square ^ 0.5 - 0.25) ^ 2,
              tolerance)
end)

check.case("the norm is that of a whole sample, and samples count alike", function()
  local function D(s) return s:square():sum({ 2, 3, 4 }) end         -- gradient 2 x
  local expected = 0
  for i = 1, #x do
    expected = expected + ((x[i]:square():sum():item() * 4) ^ 0.5 - 1) ^ 2 / #x
  end
  check.close(gan.gradient_penalty(D, x, x):item(), expected, tolerance)
  check.close(gan.r1(D, x):item(), 4 * x:square():sum():item() / #x, tolerance)
end)

check.case("each sample is at a place of its own between real and fake", function()
  local seen
  local function D(s)
    seen = s
    return s:sum({ 2, 3, 4 })
  end
  local n <const> = 200
  gan.gradient_penalty(D, lg.ones(n, 1, 2, 2), lg.zeros(n, 1, 2, 2))
  local u <const> = seen:reshape(n, 4)
  check.equal((u - u:narrow(2, 1, 1)):abs():amax():item(), 0, "one place a sample")
  local mean <const>, least <const> = u:mean():item(), u:amin():item()
  check.equal(math.abs(mean - 0.5) < 0.1 and least >= 0 and least < 0.1
              and u:amax():item() > 0.9, true, "uniform from 0 to 1")
end)

check.case("dragan stays near the real samples", function()
  local seen
  local function D(s)
    seen = s:detach()
    return s:sum({ 2, 3, 4 })
  end
  local s <const> = x:std { correction = 0 }:item()
  gan.dragan(D, x, { noise = 0.5 })
  local off <const> = seen - x
  check.equal(off:amin():item() >= 0 and off:amax():item() <= s / 2
              and off:amax():item() > 0, true)
end)

local function conv_net(name)
  return nn.Sequential { name = name, input = { 2, 6, 6 },
    nn.Conv2d { 4, kernel = 3, stride = 2, padding = 1, act = { "leaky_relu", 0.2 } },
    nn.Conv2d { 3, kernel = 3, act = "tanh" }, "flatten", nn.Linear { 1, bias = false } }
end

check.case("of a convolutional D, the gradient is that of differences", function()
  if not double then check.skip "differences need double" end
  local D <const> = conv_net "D"
  local real <const>, other <const> = lg.randn(3, 2, 6, 6), lg.randn(3, 2, 6, 6)
  local function compare(name, penalty)
    lg.seed(3)
    local value <const> = penalty()
    local grads <const> = lg.grad(value, D)
    for k, p in ipairs(D:parameters()) do
      local step <const> = lg.randn(p.shape)
      local kept <const>, h <const> = p * 1, 1e-5
      local function at(t)
        p:copy(lg.no_grad(function() return kept:detach() + step * t end))
        lg.seed(3)
        return penalty():item()
      end
      local slope <const> = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
      p:copy(kept)
      check.close(slope, (grads[k] * step):sum():item(), 1e-7, name .. " " .. k)
    end
  end
  compare("gradient_penalty", function() return gan.gradient_penalty(D, real, other) end)
  compare("r1", function() return gan.r1(D, real) end)
  compare("dragan", function() return gan.dragan(D, real) end)
  compare("r1 through diffaugment", function()
    return gan.r1(function(s) return D(gan.diffaugment(s)) end, real)
  end)
end)

check.case("a penalty trains a net: slopes go to 1", function()
  local D <const> = conv_net "E"
  local opt <const> = lg.optim.Adam(D, { lr = 0.01 })
  local first, last
  for _ = 1, 60 do
    last = opt:minimize(gan.gradient_penalty(D, lg.randn(8, 2, 6, 6),
                                             lg.randn(8, 2, 6, 6)))
    first = first or last
  end
  check.equal(last < first / 3, true, ("%g to %g"):format(first, last))
end)

check.case("penalties leave nothing behind", function()
  local D <const> = conv_net "M"
  local opt <const> = lg.optim.Adam(D)
  local real <const>, other <const> = lg.randn(4, 2, 6, 6), lg.randn(4, 2, 6, 6)
  local function step()
    opt:minimize(gan.gradient_penalty(D, real, other) + gan.r1(D, real)
                 + gan.dragan(D, real))
  end
  for _ = 1, 5 do step() end
  local function bytes()                       -- a second pass frees what the first ends
    collectgarbage()
    collectgarbage()
    return (lg.bytes())
  end
  local before <const> = bytes()
  for _ = 1, 100 do step() end
  local more <const> = bytes() - before
  check.equal(more < 100 * 64, true, more .. " bytes more")   -- a tensor has more
end)

check.case("labels go to D, with options and without", function()
  local labels <const> = lg.tensor { 1, 2, 3, 4, 5 }
  local function D(s, y, more)
    check.equal(y:at(5), 5)
    check.equal(more, "more")
    return s:square():sum({ 2, 3, 4 }) * y
  end
  lg.seed(9)
  local a <const> = gan.gradient_penalty(D, x, fake, labels, "more"):item()
  lg.seed(9)
  local b <const> = gan.gradient_penalty(D, x, fake, nil, labels, "more"):item()
  lg.seed(9)
  local o <const> = { target = 1 }
  local c <const> = gan.gradient_penalty(D, x, fake, o, labels, "more"):item()
  check.equal(a, b)
  check.equal(a, c)
  local expected = 0
  for i = 1, 5 do expected = expected + 4 * i * i * x[i]:square():sum():item() / 5 end
  check.close(gan.r1(D, x, labels, "more"):item(), expected, tolerance)
  check.equal(gan.dragan(D, x, labels, "more"):item() > 0, true)
end)

check.case("a map of scores counts with its sum", function()
  local function D(s) return s * 1 end
  check.close(gan.r1(D, x):item(), 12, tolerance)
end)

check.case("no gradient flows to what made the fake", function()
  local z <const> = lg.randn(5, 3, 2, 2):track()
  local made <const> = z * 2
  for _, value in ipairs { gan.gradient_penalty(linear, x, made),
                           gan.r2(linear, made) } do
    check.equal(lg.grad(value, { w, z }, { allow_unused = true })[2], nil)
  end
end)

check.case("the same seed, the same bits", function()
  local function penalty()
    lg.seed(11)
    return gan.gradient_penalty(conv_net "F", lg.randn(4, 2, 6, 6),
                                lg.randn(4, 2, 6, 6)):item()
  end
  check.equal(penalty(), penalty())
end)

check.case("weights are clipped, running statistics are not", function()
  local net <const> = nn.Sequential { name = "C", input = { 4 },
    nn.Linear { 6, norm = "batch" }, nn.Linear { 1 } }
  check.equal(gan.clip_weights(net, 0.05), net)
  local most, moved = 0, false
  for _, p in ipairs(net:state()) do
    local peak <const> = p.tensor:abs():amax():item()
    if p.buffer then moved = moved or peak == 1 else most = math.max(most, peak) end
  end
  check.close(most, 0.05, 1e-6)
  check.equal(moved, true, "the running variance stays 1")
  gan.clip_weights(net)
  local least = 0
  most = 0
  for _, p in ipairs(net:parameters()) do
    least, most = math.min(least, p:amin():item()), math.max(most, p:amax():item())
  end
  check.close(most, 0.01, 1e-6)
  check.close(least, -0.01, 1e-6)
end)

local refused <const> = {
  { "gan.gradient_penalty: real is {5,3,2,2} and fake is {4,3,2,2}; they must have the "
    .. "same shape",
    function() gan.gradient_penalty(linear, x, lg.zeros(4, 3, 2, 2)) end },
  { "gan.gradient_penalty: fake must be a tensor, not a nil",
    function() gan.gradient_penalty(linear, x) end },
  { "gan.gradient_penalty has no option 'weight'; multiply the result: loss + 10 * "
    .. "gan.gradient_penalty(...)",
    function() gan.gradient_penalty(linear, x, fake, { weight = 10 }) end },
  { "gan.gradient_penalty has no option 'onesided' (did you mean 'one_sided'?)",
    function() gan.gradient_penalty(linear, x, fake, { onesided = true }) end },
  { "gan.gradient_penalty: target must be a number of 0 or more, not -1",
    function() gan.gradient_penalty(linear, x, fake, { target = -1 }) end },
  { "gan.r1: D must be a net or a function, not a tensor", function() gan.r1(x, x) end },
  { "gan.r1: what D returns must be a tensor, not a nil",
    function() gan.r1(function() end, x) end },
  { "gan.r1: D gave {} for 5 samples; it must give a score, or a map of them, for each",
    function() gan.r1(function(s) return s:mean() end, x) end },
  { "gan.r1 has no option 'target'", function() gan.r1(linear, x, { target = 1 }) end },
  { "gan.r1 needs the history of D, and lg.no_grad keeps none",
    function() lg.no_grad(gan.r1, linear, x) end },
  { "gan.r2: fake must have samples, and is {}",
    function() gan.r2(linear, lg.tensor(1)) end },
  { "gan.dragan: noise must be a number of 0 or more, not true",
    function() gan.dragan(linear, x, { noise = true }) end },
  { "gan.clip_weights takes a net, not a tensor", function() gan.clip_weights(x) end },
  { "gan.clip_weights: bound must be a number above 0, not 0",
    function() gan.clip_weights(conv_net "H", 0) end },
}
for _, case in ipairs(refused) do
  check.case(case[1], function()
    check.raises(case[1], case[2])
  end)
end

check.report()

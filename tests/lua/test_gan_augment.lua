--- test_gan_augment.lua - gan.diffaugment, gan.ada and gan.consistency.
local lg <const>, check <const> = require "lugano", require "check"
local gan <const> = lg.gan
local double <const> = lg.element == "double"
local tolerance <const> = double and 1e-12 or 2e-5

local function largest(t) return t:abs():amax():item() end

local function same_seed(f, ...)
  lg.seed(21)
  return f(...)
end

-- diffaugment

check.case("color: brightness, saturation, contrast of one image each", function()
  local x <const> = lg.randn(3, 3, 4, 5)
  local y <const> = same_seed(gan.diffaugment, x, "color")
  lg.seed(21)
  for _ = 1, 1 do
    local b <const> = lg.rand(3, 1, 1, 1) - 0.5
    local s <const>, c <const> = lg.rand(3, 1, 1, 1) * 2, lg.rand(3, 1, 1, 1) + 0.5
    local e = x + b
    e = (e - e:mean(2, true)) * s + e:mean(2, true)
    e = (e - e:mean({ 2, 3, 4 }, true)) * c + e:mean({ 2, 3, 4 }, true)
    check.equal(largest(e - y) < tolerance, true)
  end
  check.equal(largest(y - x) > 0.05, true)
end)

check.case("translation moves by whole pixels, and zeros come in", function()
  for _, size in ipairs { { 16, 16 }, { 28, 28 }, { 9, 24 } } do
    local h <const>, w <const> = size[1], size[2]
    local x <const> = lg.rand(40, 2, h, w) + 1
    local y <const> = gan.diffaugment(x, "translation")
    local mh <const>, mw <const> = math.floor(h / 8 + 0.5), math.floor(w / 8 + 0.5)
    local framed <const> = x:pad { mw, mw, mh, mh }
    local seen <const> = {}
    for i = 1, #x do
      local found = 0
      for dy = 0, 2 * mh do
        for dx = 0, 2 * mw do
          local part <const> = framed[i]:narrow(2, dy + 1, h):narrow(3, dx + 1, w)
          if largest(part - y[i]) == 0 then
            found = found + 1
            seen[dy * 100 + dx] = true
          end
        end
      end
      check.equal(found, 1, "places where an image is found")
    end
    local n = 0
    for _ in pairs(seen) do n = n + 1 end
    check.equal(n > 5, true, "each image moves by itself")
  end
end)

check.case("cutout takes a square of half the size, part of it outside", function()
  local x <const> = lg.ones(300, 2, 12, 10)
  local y <const> = gan.diffaugment(x, "cutout")
  check.equal(largest(y:narrow(2, 1, 1) - y:narrow(2, 2, 1)), 0)
  local rows <const> = (1 - y:narrow(2, 1, 1):amin(4)):sum { 2, 3 }  -- of the square
  local columns <const> = (1 - y:narrow(2, 1, 1):amin(3)):sum { 2, 3 }
  check.equal(rows:amax():item(), 6)
  check.equal(columns:amax():item(), 5)
  check.equal(rows:amin():item(), 3)
  check.equal(columns:amin():item(), 3)
  check.equal(largest((1 - y):sum { 2, 3, 4 } - rows * columns * 2), 0)
  check.equal(largest(gan.diffaugment(x, "cutout", { cutout = 0 }) - x), 0)
end)

check.case("policies: order, spaces, none, gray images", function()
  local x <const> = lg.randn(4, 1, 8, 8)
  check.equal(gan.diffaugment(x, ""), x)
  local a <const> = same_seed(gan.diffaugment, x, "color, cutout")
  local b <const> = same_seed(function()
    return gan.diffaugment(gan.diffaugment(x, "color"), "cutout")
  end)
  check.equal(largest(a - b), 0)
  check.equal(largest(same_seed(gan.diffaugment, x)
                      - same_seed(gan.diffaugment, x, "color,translation,cutout")), 0)
end)

check.case("each call draws anew, and the same for a seed", function()
  local x <const> = lg.randn(4, 3, 8, 8)
  check.equal(largest(gan.diffaugment(x) - gan.diffaugment(x)) > 0, true)
  check.equal(largest(same_seed(gan.diffaugment, x) - same_seed(gan.diffaugment, x)), 0)
end)

-- ada

local function ada_of(policy, p) return gan.ada { policy = policy, p = p or 1 } end

check.case("with p = 0 nothing is changed or drawn", function()
  local x <const> = lg.randn(2, 3, 8, 8)
  lg.seed(4)
  local next_one <const> = lg.rand(1):item()
  lg.seed(4)
  check.equal(gan.ada()(x), x)
  check.equal(lg.rand(1):item(), next_one)
end)

--- The name, in a list of images, of the one that y is nearest to, and how near.
local function nearest_of(list, y)
  local best, least = nil, math.huge
  for name, candidate in pairs(list) do
    local off <const> = largest(candidate - y)
    if off < least then best, least = name, off end
  end
  return best, least
end

check.case("mirrored and turned images have the same pixels", function()
  local x <const> = lg.randn(24, 2, 10, 10)
  local mirrored <const>, turned <const> = ada_of "xflip" (x), ada_of "rotate90" (x)
  local flips <const>, turns <const> = {}, {}
  for i = 1, #x do
    local t <const> = x[i]:transpose(2, 3)
    local name, off = nearest_of({ no = x[i], yes = x[i]:flip(3) }, mirrored[i])
    check.equal(off == 0, true, "mirrored: off by " .. off)
    flips[name] = true
    name, off = nearest_of({ [0] = x[i], t:flip(2), x[i]:flip { 2, 3 }, t:flip(3) },
                           turned[i])
    check.equal(off == 0, true, "turned: off by " .. off)
    turns[name] = true
  end
  check.equal(flips.yes and flips.no and turns[0] and turns[1] and turns[2] and turns[3],
              true, "all occur")
end)

check.case("images that no step is for are the same, among others", function()
  local x <const> = lg.randn(40, 1, 8, 9)
  local y <const> = ada_of("scale", 0.5)(x)
  local same <const> = lg.eq((y - x):abs():amax { 2, 3, 4 }, 0):sum():item()
  check.equal(same > 8 and same < 32, true, "about half: " .. same)
end)

check.case("xint moves by whole pixels, and edges are reflected", function()
  local x <const> = lg.randn(16, 1, 16, 12)
  local y <const> = ada_of "xint" (x)
  local framed <const> = x:pad({ 2, 2, 2, 2 }, "reflect")
  local moved = 0
  for i = 1, #x do
    local list <const> = {}
    for dy = 0, 4 do
      for dx = 0, 4 do
        list[dy * 5 + dx] = framed[i]:narrow(2, dy + 1, 16):narrow(3, dx + 1, 12)
      end
    end
    local name <const>, off <const> = nearest_of(list, y[i])
    check.equal(off == 0, true, "moved: off by " .. off)
    if name ~= 12 then moved = moved + 1 end
  end
  check.equal(moved > 8, true)
end)

--- Smooth images, so that what moves can be said: g(px, py) for pixels from the middle.
local function picture(h, w, g)
  local rows <const> = {}
  for i = 1, h do
    rows[i] = {}
    for j = 1, w do rows[i][j] = g(j - (w + 1) / 2, i - (h + 1) / 2) end
  end
  return lg.tensor(rows):reshape(1, 1, h, w):expand(12, 1, h, w)
end

local function bell(px, py) return math.exp(-((px - 4) ^ 2 + py ^ 2) / 18) end

--- Middle and spread of a bright spot.
local function moments(y)
  local h <const>, w <const> = y:size(3), y:size(4)
  local rows <const> = y:reshape(h, w):totable()
  local sum, mx, my, spread = 0, 0, 0, 0
  for i, r in ipairs(rows) do
    for j, v in ipairs(r) do
      local px <const>, py <const> = j - (w + 1) / 2, i - (h + 1) / 2
      sum, mx, my = sum + v, mx + v * px, my + v * py
      spread = spread + v * (px * px + py * py)
    end
  end
  mx, my = mx / sum, my / sum
  return mx, my, (spread / sum - mx * mx - my * my) ^ 0.5
end

check.case("a turn keeps distance and size, a scale changes both alike", function()
  local x <const> = picture(44, 51, bell)
  local y <const>, z <const> = ada_of "rotate" (x), ada_of "scale" (x)
  local quarters <const> = ada_of "rotate90" (x)       -- pixels would come between pixels
  local turned, scaled = 0, 0
  for i = 1, #x do
    local mx, my, spread = moments(y:narrow(1, i, 1))
    check.close((mx * mx + my * my) ^ 0.5, 4, 0.02, "distance")
    check.close(spread, 18 ^ 0.5, 0.02, "spread")
    local qx <const>, qy <const> = moments(quarters:narrow(1, i, 1))
    check.close(math.abs(qx) + math.abs(qy), 4, 0.02, "distance, by quarters")
    turned = turned + (math.abs(my) > 0.5 and 1 or 0)
    mx, my, spread = moments(z:narrow(1, i, 1))
    check.close(my, 0, 0.02)
    check.close(mx / 4, spread / 18 ^ 0.5, 0.03, "scale")
    scaled = scaled + (math.abs(mx - 4) > 0.2 and 1 or 0)
  end
  check.equal(turned > 5 and scaled > 5, true)
end)

check.case("aniso stretches one axis as it shrinks the other; xfrac moves", function()
  local x <const> = picture(48, 50, function(px, py)
    return math.exp(-((px - 4) ^ 2 + (py - 4) ^ 2) / 18)
  end)
  local y <const>, z <const> = ada_of "aniso" (x), ada_of "xfrac" (x)
  local moved = 0
  for i = 1, #x do
    local mx, my = moments(y:narrow(1, i, 1))
    check.close(mx * my, 16, 0.02, "area")
    local _, _, spread <const> = moments(z:narrow(1, i, 1))
    mx = moments(z:narrow(1, i, 1))
    if math.abs(mx) < 8 then check.close(spread, 18 ^ 0.5, 0.05, "spread") end
    moved = moved + (math.abs(mx - 4) > 0.3 and 1 or 0)
  end
  check.equal(moved > 4, true)
end)

check.case("edges are reflected far enough: a white image stays white", function()
  local x <const> = lg.ones(16, 1, 24, 20)
  for _, step in ipairs { "rotate", "scale", "aniso", "xfrac", "xint" } do
    local off <const> = largest(ada_of(step)(x) - 1)
    check.equal(off < (double and 1e-11 or 1e-5), true, step .. ": off by " .. off)
  end
end)

check.case("colors: what each step keeps", function()
  local x <const> = lg.randn(6, 3, 4, 4)
  local gray <const> = x:mean(2, true)
  local y = ada_of "saturation" (x)
  check.equal(largest(y:mean(2, true) - gray) < tolerance, true, "saturation keeps gray")
  local ratio <const> = (y - y:mean(2, true)) / (x - gray)
  check.equal(largest(ratio:amax { 2, 3, 4 } - ratio:amin { 2, 3, 4 })
              < tolerance * 1000, true, "and scales the rest")
  y = ada_of "hue" (x)
  check.equal(largest(y:mean(2, true) - gray) < tolerance, true, "hue keeps gray")
  check.equal(largest(y:square():sum(2) - x:square():sum(2)) < tolerance * 50, true,
              "and length")
  y = ada_of "brightness" (x)
  check.equal(largest((y - x) - (y - x):narrow(2, 1, 1):narrow(3, 1, 1):narrow(4, 1, 1))
              < tolerance, true, "brightness adds one number")
  y = ada_of "contrast" (x) / x
  check.equal(largest(y - y:narrow(2, 1, 1):narrow(3, 1, 1):narrow(4, 1, 1))
              < tolerance * 100 and y:amin():item() > 0, true, "contrast scales")
  y = ada_of "lumaflip" (x):mean(2, true) / gray
  check.equal(largest(y:abs() - 1) < tolerance * 1000, true, "lumaflip mirrors gray")
  check.equal(y:amin():item() < 0 and y:amax():item() > 0, true, "now and then")
end)

check.case("gray images: as three equal colors; hue and saturation do nothing", function()
  local x <const> = lg.randn(5, 1, 4, 4)
  check.equal(ada_of "hue,saturation" (x), x)
  local y <const> = same_seed(ada_of "brightness,contrast,lumaflip", x)
  local z <const> = same_seed(ada_of "brightness,contrast,lumaflip", x:expand(5, 3, 4, 4))
  check.equal(largest(z - y) < tolerance, true)
end)

check.case("corrupt: noise of several strengths, and half squares cut", function()
  local x <const> = lg.ones(30, 2, 16, 16)
  local sigma <const> = (ada_of "noise" (x) - x):std { dims = { 2, 3, 4 } }
  check.equal(sigma:amax():item() > 0.1 and sigma:amax():item() < 0.5
              and sigma:amin():item() < 0.05, true)
  local lost <const> = (1 - ada_of "cutout" (x)):sum { 2, 3, 4 } / 2
  check.equal(lost:amax():item(), 64)
  check.equal(lost:amin():item() >= 16, true)
end)

check.case("p is the chance of a step", function()
  local x <const> = lg.randn(400, 1, 2, 2)
  local y <const> = ada_of("brightness", 0.25)(x) - x
  local share <const> = lg.gt(y:abs():amax { 2, 3, 4 }, 1e-6):mean():item()
  check.equal(math.abs(share - 0.25) < 0.08, true, "a quarter: " .. share)
end)

check.case("all steps are differentiable twice", function()
  if not double then check.skip "differences need double" end
  local x <const>, gray <const> = lg.randn(1, 3, 4, 3), lg.randn(2, 1, 4, 3)
  lg.gradcheck(function(t) return gan.diffaugment(t):square() end, { x })
  for _, group in ipairs { "blit", "geom", "color", "corrupt" } do
    local ada <const> = ada_of(group)
    lg.gradcheck(function(t) return ada(t):square() end, { gray })
  end
  local all <const> = ada_of "blit,geom,color,corrupt"
  lg.gradcheck(function(t) return all(t):square() end, { x })
end)

check.case("R1 through it: its gradient for D is that of differences", function()
  if not double then check.skip "differences need double" end
  local x <const>, ada <const> = lg.randn(2, 3, 6, 6), ada_of "blit,geom,color"
  lg.gradcheck(function(w)
    return gan.r1(function(s) return (ada(s) * w):tanh():sum { 2, 3, 4 } end, x)
  end, { lg.randn(3, 6, 6) }, { order = 1 })
end)

check.case("p rises where D is too sure, and falls again, each few updates", function()
  local ada <const> = gan.ada { images = 1000, every = 2, target = 0.6 }
  local sure <const>, torn <const> = lg.full({ 50, 1 }, 3), lg.tensor { 1, -1 }
  check.equal(ada:update(sure), 0)
  check.close(ada:update(sure), 0.1, 1e-12)
  for _ = 1, 8 do ada:update(sure) end
  check.close(ada.p, 0.5, 1e-12)
  ada:update(torn)
  check.close(ada:update(torn), 0.496, 1e-12)
  local mixed <const> = lg.tensor { 1, 1, 1, 1, -1 }                 -- 0.6, the target
  ada:update(mixed)
  check.close(ada:update(mixed), 0.496, 1e-12)
  for _ = 1, 30 do ada:update(sure) end
  check.equal(ada.p, 1)
end)

check.case("the state of ada is numbers, and brings it back", function()
  local a <const>, b <const> = gan.ada { images = 100 }, gan.ada { images = 100 }
  for i = 1, 7 do a:update(lg.full({ 3 }, i)) end
  check.equal(#a:state(), 0)
  b:numbers(a:numbers())
  for i = 1, 9 do
    check.equal(a:update(lg.full({ i }, 1)), b:update(lg.full({ i }, 1)))
  end
  check.equal(tostring(a), ("gan.ada, p = %.3f"):format(a.p))
  check.raises("gan.ada: the numbers have no 'images'", function()
    b:numbers { p = 0.5, signs = 0, scores = 0 }
  end)
  check.equal(b.p, a.p)
end)

-- consistency

check.case("consistency is the mean square of what augmentation changes", function()
  local x <const> = lg.randn(4, 2, 6, 6)
  local w <const> = lg.randn(72):track()
  local function D(s) return s:reshape(4, -1):matmul(w) end
  local loss <const> = gan.consistency(D, x, function(s) return s * 3 end)
  check.close(loss:item(), (D(x) * 2):square():mean():item(), tolerance)
  check.equal(lg.grad(loss, w):abs():sum():item() > 0, true)
  local scale <const> = lg.ones(1):track()
  local made <const> = gan.consistency(D, x * scale, "color")
  check.equal(lg.grad(made, { w, scale }, { allow_unused = true })[2], nil)
  local a <const> = same_seed(gan.consistency, D, x)
  local b <const> = same_seed(gan.consistency, D, x, "translation")
  check.equal(a:item(), b:item())
  check.equal(a:item() > 0, true)
  local function conditional(s, y) return D(s) * y end
  check.close(gan.consistency(conditional, x, function(s) return s * 3 end, 2):item(),
              4 * loss:item(), tolerance)
end)

local x <const> = lg.zeros(2, 3, 4, 4)
local refused <const> = {
  { "gan.diffaugment: no augmentation 'colour' (did you mean 'color'?); there are color, "
    .. "translation, cutout", function() gan.diffaugment(x, "colour,cutout") end },
  { "gan.diffaugment: the policy has 'color' twice",
    function() gan.diffaugment(x, "color,color") end },
  { "gan.diffaugment: no augmentation ''", function() gan.diffaugment(x, "color,") end },
  { "gan.diffaugment: policy must be a text, not a table",
    function() gan.diffaugment(x, { "color" }) end },
  { "gan.diffaugment: x must be images, {n,c,h,w}, and is {4}",
    function() gan.diffaugment(lg.zeros(4)) end },
  { "gan.diffaugment: x must be a tensor, not 'color'",
    function() gan.diffaugment "color" end },
  { "gan.diffaugment has no option 'cut' (did you mean 'cutout'?)",
    function() gan.diffaugment(x, "cutout", { cut = 1 }) end },
  { "gan.ada: no augmentation 'satration' (did you mean 'saturation'?); there are "
    .. "xflip, rotate90, xint, scale, rotate, aniso, xfrac, brightness, contrast",
    function() gan.ada { policy = "satration" } end },
  { "gan.ada: the policy has 'xflip' twice",
    function() gan.ada { policy = "blit,xflip" } end },
  { "gan.ada: p must be a number from 0 to 1, not 2", function() gan.ada { p = 2 } end },
  { "gan.ada: 'brightness' is for images of 1 or 3 channels, and x is {2,4,4,4}; leave "
    .. "it out of the policy",
    function() gan.ada() (lg.zeros(2, 4, 4, 4)) end },
  { "gan.ada: images must have 2x2 pixels or more, and x is {2,1,1,9}",
    function() ada_of "scale" (lg.zeros(2, 1, 1, 9)) end },
  { "gan.ada: update takes the scores of a batch, and got {}",
    function() gan.ada():update(lg.tensor(1)) end },
  { "gan.consistency: augment must be a net or a function, not 3",
    function() gan.consistency(function(s) return s end, x, 3) end },
}
for _, case in ipairs(refused) do
  check.case(case[1], function() check.raises(case[1], case[2]) end)
end

check.report()

--- test_gan_latent.lua - truncation, interpolation, grids of latents.
local lg <const>, check <const> = require "lugano", require "check"
local gan <const> = lg.gan
local tolerance <const> = lg.element == "double" and 1e-12 or 1e-5

local function largest(t) return t:abs():amax():item() end

check.case("truncated noise is a bell cut off, whichever way it is drawn", function()
  for _, psi in ipairs { 0.05, 0.7, 1.19, 1.21, 2, 5 } do
    local z <const> = gan.truncated(400, 50, psi)
    check.equal(table.concat(z.shape, ","), "400,50")
    check.equal(largest(z) <= psi, true)
    -- the variance of a truncated normal: 1 - 2 psi phi(psi) / (2 Phi(psi) - 1)
    local phi <const> = math.exp(-psi * psi / 2) / (2 * math.pi) ^ 0.5
    local inside <const> = lg.erf(lg.tensor(psi / 2 ^ 0.5)):item()
    local variance <const> = 1 - 2 * psi * phi / inside
    check.close(z:square():mean():item() / variance, 1, 0.015, "variance, psi " .. psi)
    check.equal(math.abs(z:mean():item()) < 0.03 * psi, true)
  end
end)

check.case("truncated: sizes, none, the same for a seed", function()
  check.equal(table.concat(gan.truncated(3, { 2, 4 }, 1).shape, ","), "3,2,4")
  check.equal(gan.truncated(0, 5, 1):numel(), 0)
  lg.seed(8)
  local a <const> = gan.truncated(16, 16, 1.5)
  lg.seed(8)
  check.equal(largest(a - gan.truncated(16, 16, 1.5)), 0)
end)

check.case("truncate moves toward the mean", function()
  local w <const>, mean <const> = lg.randn(6, 4), lg.randn(4)
  check.equal(largest(gan.truncate(w, mean, 1) - w) < tolerance, true)
  check.equal(largest(gan.truncate(w, mean, 0) - mean), 0)
  check.equal(largest(gan.truncate(w, mean, 0.5) - (w + mean) / 2) < tolerance, true)
  check.equal(largest(gan.truncate(w, 0, 0.5) - w / 2), 0)
end)

check.case("lerp goes straight, with gradients", function()
  local a <const>, b <const> = lg.tensor { 1, 2 }:track(), lg.tensor { 3, -2 }
  check.equal(gan.lerp(a, b, 0.25):at(2), 1)
  local g <const> = lg.grad(gan.lerp(a, b, 0.25):sum(), a)
  check.equal(g:at(1), 0.75)
  local many <const> = gan.lerp(lg.zeros(3, 2), lg.ones(3, 2), lg.tensor { { 0 }, { 0.5 },
                                                                          { 1 } })
  check.equal(many:at(2, 1), 0.5)
  check.equal(many:at(3, 2), 1)
end)

check.case("slerp keeps the length, and turns at an even rate", function()
  local a <const>, b <const> = lg.tensor { 2, 0 }, lg.tensor { 0, 2 }
  for i = 0, 4 do
    local y <const>, angle <const> = gan.slerp(a, b, i / 4), math.pi * i / 8
    check.close(y:at(1), 2 * math.cos(angle), tolerance)
    check.close(y:at(2), 2 * math.sin(angle), tolerance)
  end
  local p <const>, q <const> = lg.randn(5, 3, 20), lg.randn(5, 3, 20)
  local y <const> = gan.slerp(p:normalize(3), q:normalize(3), 0.3)
  check.equal(table.concat(y.shape, ","), "5,3,20")
  check.equal(largest(y:norm(3) - 1) < tolerance, true)
  check.equal(largest(gan.slerp(p, q, 0) - p) < tolerance, true)
  check.equal(largest(gan.slerp(p, q, 1) - q) < tolerance, true)
end)

check.case("slerp of nearly parallel, parallel, opposite and zero vectors", function()
  local a <const> = lg.randn(1, 50)
  local tiny <const> = gan.slerp(a, a + lg.randn(1, 50) * 1e-3, 0.5)
  check.equal(largest(tiny - a) < 0.01, true)
  check.equal(largest(gan.slerp(a, a, 0.3) - a) < tolerance, true)
  check.equal(largest(gan.slerp(a, a * 3, 0.5) - a * 2) < tolerance * 10, true)
  check.equal(largest(gan.slerp(a, -a, 0.25) - a / 2) < tolerance * 10, true)
  local z <const> = lg.zeros(1, 50)
  check.equal(largest(gan.slerp(z, a, 0.5) - a / 2) < tolerance, true)
  check.equal(largest(gan.slerp(z, z, 0.5)), 0)
end)

check.case("slerp takes a t for each vector", function()
  local a <const> = lg.tensor { { 1, 0 }, { 1, 0 } }
  local b <const> = lg.tensor { { 0, 1 }, { 0, 1 } }
  local y <const> = gan.slerp(a, b, lg.tensor { 0, 1 })
  check.close(y:at(1, 1), 1, tolerance)
  check.close(y:at(2, 2), 1, tolerance)
end)

check.case("interpolate gives rows of steps, both ends included", function()
  local a <const>, b <const> = lg.randn(3, 10), lg.randn(3, 10)
  local z <const> = gan.interpolate(a, b, 5)
  check.equal(table.concat(z.shape, ","), "15,10")
  for row = 1, 3 do
    check.equal(largest(z[row * 5 - 4] - a[row]) < tolerance, true)
    check.equal(largest(z[row * 5] - b[row]) < tolerance, true)
    check.equal(largest(z[row * 5 - 2] - gan.slerp(a[row], b[row], 0.5)) < tolerance,
                true)
  end
  local straight <const> = gan.interpolate(a, b, 3, { spherical = false })
  check.equal(largest(straight[2] - (a[1] + b[1]) / 2) < tolerance, true)
end)

check.case("a grid has its corners, and its sides between them", function()
  local c <const> = lg.randn(4, 6)
  local z <const> = gan.grid(c, 3, 5)
  check.equal(table.concat(z.shape, ","), "15,6")
  for corner, at in ipairs { 1, 5, 11, 15 } do
    check.equal(largest(z[at] - c[corner]) < tolerance, true, "corner " .. corner)
  end
  check.equal(largest(z[6] - gan.slerp(c[1], c[3], 0.5)) < tolerance, true)
  local flat <const> = gan.grid(c, 3, 3, { spherical = false })
  check.equal(largest(flat[5] - c:mean(1)) < tolerance, true)
end)

check.case("a class grid has every latent with every class", function()
  local z, labels = lg.randn(2, 4), nil
  z, labels = gan.class_grid(z, 3)
  check.equal(table.concat(z.shape, ","), "6,4")
  check.equal(table.concat(labels:totable(), ","), "1.0,2.0,3.0,1.0,2.0,3.0")
  check.equal(largest(z[1] - z[3]), 0)
  check.equal(largest(z[1] - z[4]) > 0, true)
end)

local z <const> = lg.zeros(2, 3)
local refused <const> = {
  { "gan.truncated: psi must be a number above 0, not 0",
    function() gan.truncated(2, 3, 0) end },
  { "gan.truncated: n must be a whole number of 0 or more, not 2.5",
    function() gan.truncated(2.5, 3, 1) end },
  { "gan.truncated: dim must be the size of a latent",
    function() gan.truncated(2, nil, 1) end },
  { "gan.truncate: psi must be a number, not a nil", function() gan.truncate(z, 0) end },
  { "gan.lerp: a is {2,3} and b is {3}; they must have the same shape",
    function() gan.lerp(z, lg.zeros(3), 0.5) end },
  { "gan.slerp: t must be a number, not a nil", function() gan.slerp(z, z) end },
  { "gan.slerp: t has 3 numbers, and there are 2 vectors",
    function() gan.slerp(z, z, lg.zeros(3)) end },
  { "gan.interpolate: columns must be a whole number of 2 or more, not 1",
    function() gan.interpolate(z, z, 1) end },
  { "gan.interpolate has no option 'sperical' (did you mean 'spherical'?)",
    function() gan.interpolate(z, z, 4, { sperical = true }) end },
  { "gan.grid: corners must be four latents, {4,dim}, and is {2,3}",
    function() gan.grid(z, 3, 3) end },
  { "gan.class_grid: z must be latents, {rows,dim}, and is {3}",
    function() gan.class_grid(lg.zeros(3), 10) end },
}
for _, case in ipairs(refused) do
  check.case(case[1], function() check.raises(case[1], case[2]) end)
end

check.report()

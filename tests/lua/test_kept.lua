-- test_kept.lua - what a convolution keeps beside its weights between calls is never
-- older than they are; and lg.exact.

local lg <const> = require "lugano"
local check <const> = require "check"
local optim <const> = lg.optim

local x <const> = lg.randn(16, 32, 8, 8)
local y <const> = lg.randn(16, 24, 8, 8)
local options <const> = { padding = 1 }

local function both(w)
  return lg.conv2d(x, w, nil, options), lg.conv_transpose2d(y, w, nil, options)
end

--- Both convolutions with w give the bits that a tensor of the same numbers gives anew.
local function same_as_new(w, text)
  local a <const>, b <const> = both(w)
  local c <const>, d <const> = both(w:clone())
  check.equal(a:sub(c):abs():amax():item(), 0, text .. ": conv2d")
  check.equal(b:sub(d):abs():amax():item(), 0, text .. ": conv_transpose2d")
end

check.case("they follow what is written to the weights", function()
  local w <const> = lg.randn(24, 32, 3, 3):track()
  for i = 1, 4 do same_as_new(w, "call " .. i) end
  w:copy(lg.randn(24, 32, 3, 3))
  for i = 1, 3 do same_as_new(w, "after copy, call " .. i) end
  local opt <const> = optim.Adam({ w }, { lr = 0.1 })
  opt:minimize((lg.conv2d(x, w, nil, options) ^ 2):mean())
  for i = 1, 3 do same_as_new(w, "after a step, call " .. i) end
end)

check.case("sizes that take other forms do not mix", function()
  local w <const> = lg.randn(24, 32, 4, 4)
  local strided <const> = { stride = 2, padding = 1 }
  local large <const>, small <const> = lg.randn(9, 32, 16, 16), lg.randn(36, 32, 4, 4)
  local want <const> = lg.conv2d(large, w:clone(), nil, strided)
  for i = 1, 3 do
    local got <const> = lg.conv2d(large, w, nil, strided)
    check.equal(got:sub(want):abs():amax():item(), 0, "call " .. i)
    lg.conv2d(small, w, nil, strided)
  end
end)

check.case("memory goes with the weights", function()
  local before <const> = lg.bytes()
  do
    local w <close> = lg.randn(24, 32, 3, 3)
    for _ = 1, 3 do
      local a <const>, b <const> = both(w)
      a:close()
      b:close()
    end
  end
  collectgarbage()
  collectgarbage()
  assert(lg.bytes() <= before, "bytes")
end)

check.case("exact convolutions are near", function()
  local w <const> = lg.randn(24, 32, 3, 3)
  local fast <const> = lg.conv2d(x, w, nil, options)
  lg.exact(true)
  local exact <const> = lg.conv2d(x, w, nil, options)
  lg.exact(false)
  local far <const> = fast:sub(exact):abs():amax():item() / exact:abs():amax():item()
  assert(far < 2e-5, "they differ by " .. far)
end)

check.report()

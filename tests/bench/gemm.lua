--- gemm.lua - the rate of our products, for the sizes that the nets of nets.lua have.
--
-- It prints a line for each size, and last the best of the large ones. probe.c tells what
-- OpenBLAS reaches.

local lg <const> = require "lugano"
package.path = (arg[0]:match "^(.*/)" or "./") .. "?.lua;" .. package.path
local tools <const> = require "tools"

local sizes <const> = {
  { 1024, 1024, 1024 }, { 512, 512, 512 }, { 256, 128, 128 }, { 100, 784, 128 },
  { 100, 128, 784 }, { 64, 1024, 512 }, { 64, 784, 1024 }, { 256, 12544, 100 },
  { 12544, 64, 25 }, { 12544, 128, 1600 }, { 16384, 128, 1024 }, { 4096, 256, 2048 },
}

local best = 0
for _, s in ipairs(sizes) do
  local m <const>, n <const>, k <const> = table.unpack(s)
  local a <const>, b <const> = lg.randn(m, k), lg.randn(k, n)
  local seconds <const> = tools.time(function() return a:matmul(b) end)
  local rate <const> = 2 * m * n * k / seconds / 1e9
  if m * n * k >= 512 ^ 3 then best = math.max(best, rate) end
  print(("%6d %6d %6d  %9.3f ms  %7.1f GFLOP/s"):format(m, n, k, seconds * 1e3, rate))
end
print(("gemm threads=%d gflop_s=%.1f"):format(tools.threads(), best))

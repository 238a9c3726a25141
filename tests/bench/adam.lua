--- adam.lua - an update of ten million parameters: the bytes read and written a second.
--
-- Parameter, gradient and two states are read, all but the gradient written: 28 bytes for
-- each float. probe.c tells what copying reaches.

local lg <const> = require "lugano"
package.path = (arg[0]:match "^(.*/)" or "./") .. "?.lua;" .. package.path
local tools <const> = require "tools"

local n <const> = 10000000
local p <const>, g <const> = lg.randn(n):track(), lg.randn(n)
local opt <const> = lg.optim.Adam({ p }, { lr = 1e-3 })
local size <const> = lg.element == "float" and 4 or 8

local seconds <const> = tools.time(function() opt:step { g } end)
print(("adam threads=%d ms=%.3f gb_s=%.2f"):format(tools.threads(), seconds * 1e3,
                                                    7 * size * n / seconds / 1e9))

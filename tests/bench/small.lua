--- small.lua - what a call costs: one operator on one element, recorded, differentiated.
--
-- It prints microseconds, as `peer.py small` does.

local lg <const> = require "lugano"
package.path = (arg[0]:match "^(.*/)" or "./") .. "?.lua;" .. package.path
local tools <const> = require "tools"

local x <const> = lg.ones(1):track()
local seconds <const> = tools.time(function() lg.grad(x:tanh(), x) end, 9)
print(("small us=%.3f"):format(seconds * 1e6))

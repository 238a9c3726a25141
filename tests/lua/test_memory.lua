-- test_memory.lua - memory that Lua can't see is charged to its collector.

local lg <const>, check <const> = require "lugano", require "check"

--- The process's peak resident memory in MB; Linux tells.
local function peak()
  local file <const> = io.open "/proc/self/status"
  if not file then check.skip "no /proc/self/status here" end
  local kib <const> = file:read "a":match "VmHWM:%s*(%d+)"
  file:close()
  return tonumber(kib) / 1024
end

local sanitized <const> = os.getenv "LUGANO_SANITIZED" ~= nil

check.case("3,000 dropped tensors of 1 MB peak under 64 MB", function()
  for _ = 1, 3000 do lg.zeros(1024, 256) end
  for _ = 1, 1000 do local _ = lg.ones(1024, 256) * 2 end
  if sanitized then check.skip "a sanitizer's shadow memory counts, too" end
  local mb <const> = peak()
  print(("peak %.0f MB"):format(mb))
  assert(mb < 64, mb)
end)

check.case("a dropped tensor is freed by a collection", function()
  collectgarbage()
  local before <const> = lg.bytes()
  local t = lg.zeros(1000, 1000)
  assert(lg.bytes() > before + 3e6)
  t = nil
  collectgarbage()
  assert(lg.bytes() <= before + 1000, lg.bytes() - before)
end)

check.case("<close> and close() free at once, and use after is an error", function()
  collectgarbage()
  local before <const> = lg.bytes()
  do
    local t <close> = lg.zeros(1000, 1000)
    assert(t:numel() == 1e6)
  end
  assert(lg.bytes() <= before + 1000)
  local t <const> = lg.zeros(2)
  t:close()
  t:close()
  check.raises("closed tensor", function() return t + 1 end)
  check.raises("closed tensor", function() return t:numel() end)
  check.equal(tostring(t), "tensor (closed)")
end)

check.case("a training loop holds no more after 300 steps than after 50", function()
  local nn <const>, optim <const> = lg.nn, lg.optim
  local net <const> = nn.Sequential { name = "N", input = { 8 },
                                      nn.Linear { 16, act = "tanh" },
                                      nn.Linear { 1 } }
  local opt <const> = optim.Adam(net, { lr = 1e-3 })
  local function steps(n)
    for _ = 1, n do opt:minimize(net(lg.randn(32, 8)):square():mean()) end
    collectgarbage()
    collectgarbage()
    return lg.bytes()
  end
  local early <const> = steps(50)
  local late <const> = steps(250)
  assert(late <= early + 4096, ("%d, then %d bytes"):format(early, late))
end)

check.case("a second-order loop, too", function()
  local w <const> = lg.randn(20, 20):track()
  local function steps(n)
    for _ = 1, n do
      local x <const> = lg.randn(4, 20):track()
      local g <const> = lg.grad(x:matmul(w):tanh():sum(), x, { create_graph = true })
      lg.grad(g:square():sum(), w)
    end
    collectgarbage()
    collectgarbage()
    return lg.bytes()
  end
  local early <const> = steps(20)
  local late <const> = steps(100)
  assert(late <= early + 4096, ("%d, then %d bytes"):format(early, late))
end)

check.report()

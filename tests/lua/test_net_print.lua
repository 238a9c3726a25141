--- print(net) and net:summary().
local lg = require "lugano"
local check = require "check"
local nn = lg.nn

local size <const> = lg.element == "double" and 8 or 4

local function has_lines(text, lines)
  for _, line in ipairs(lines) do
    check.equal(("\n" .. text .. "\n"):find("\n" .. line .. "\n", 1, true) ~= nil, true,
                line .. "\n" .. text)
  end
end

local function net()
  return nn.Module {
    name = "N", input = { 3, 8, 8 }, w = lg.ones(1, 5):track(), fixed = lg.ones(5),
    body = { nn.Conv2d { 4, kernel = 3, padding = 1, norm = "batch", act = "relu" },
             "flatten", nn.Linear { 5 } },
    forward = function(m, x) return m.body(x) * m.w * m.fixed end }
end

check.case("print shows a module's own tensors with its layers", function()
  has_lines(tostring(net()), {
    "N (Module)", "path    layer                    output     parameters",
    "fixed   buffer                   {5}                 0",
    "w       parameter                {1,5}               5",
    "body.1  Conv2d, BatchNorm, relu  {N,4,8,8}         116",
    "body.2  flatten                  {N,256}             0",
    "body.3  Linear                   {N,5}           1,285",
    "1,406 parameters in all" })
end)

check.case("a part that is there twice counts once", function()
  local twice <const> = nn.Linear { 3 }
  local N <const> = nn.Sequential { name = "N", input = { 3 }, twice, "relu", twice }
  has_lines(tostring(N), { "1     Linear  {N,3}           12",
                           "3     Linear  {N,3}            0", "12 parameters in all" })
  check.equal(N:summary().parameters, 12)
end)

check.case("summary counts arithmetic and memory, for one sample", function()
  local N <const> = net()
  local sum <const> = N:summary()
  local conv <const>, linear <const> = sum.rows[3], sum.rows[5]
  local conv_flops <const> = 2 * 4 * 8 * 8 * 3 * 9
  check.equal(conv.path .. " " .. linear.path, "body.1 body.3")
  check.equal(linear.flops, 2 * 256 * 5)
  check.equal(conv.flops >= conv_flops + 2 * 256, true, "the norm and the act, too")
  check.equal(conv.flops <= conv_flops + 10 * 256, true)
  check.equal(conv.activations, 3 * 256 * size)
  check.equal(conv.bytes, (4 * 27 + 4 * 4) * size, "buffers count as memory")
  check.equal(conv.parameters, 4 * 27 + 2 * 4)
  check.equal(sum.parameters, 1406)
  check.equal(sum.bytes, (1406 + 8 + 5) * size)
  check.equal(sum.activations, (3 * 256 + 256 + 5) * size)
  check.equal(sum.flops, conv.flops + linear.flops + 10, "what forward does is counted")
end)

check.case("the batch does not matter, nor does when it got its shapes", function()
  local function flops(n)
    local D <const> = nn.Sequential { nn.Linear { 7 }, "relu", nn.Linear { 1 } }
    D(lg.ones(n, 5))
    return D:summary().flops
  end
  check.equal(flops(1), 2 * 35 + 7 + 14)
  check.equal(flops(16), flops(1))
  local D <const> = nn.Sequential { input = { 5 }, nn.Linear { 7 }, "relu",
                                    nn.Linear { 1 } }
  D(lg.ones(64, 5))
  check.equal(D:summary().flops, flops(1))
  check.equal(D:clone():summary().flops, flops(1))
end)

check.case("a summary can be printed", function()
  local D <const> = nn.Sequential { name = "D", input = { 1000 },
                                    nn.Linear { 1000, bias = false } }
  local text <const> = tostring(D:summary())
  local mega <const> = size == 8 and "8 MB" or "4 MB"
  local kilo <const> = size == 8 and "8 kB" or "4 kB"
  has_lines(text, {
    "D (Sequential)",
    "path  layer   output    parameters  memory  activations  flops",
    ("1     Linear  {N,1000}   1,000,000    %s         %s    2 M"):format(mega, kilo),
    ("1,000,000 parameters, %s with the buffers; for one sample %s of activations, 2 M "
     .. "flops (1 M multiply-adds)"):format(mega, kilo) })
end)

check.report()

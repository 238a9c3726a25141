--- compare.lua - our side and PyTorch's in turn, A B A B, and a table of both.
--
--   tests/bench/compare [--rounds=2] [--seconds=10] [--least=5] [--only=dcgan28,mlp_big]
--                       [--counts=1,2] [--python=/usr/bin/python3] [--peer=peer.py]
--
-- sides.lua says how PyTorch is run. A ratio is of one round, PyTorch's time to ours; the
-- table has their median, under p10 the same of the times that one of ten steps stays
-- under, and under CPU that of all threads' time on a processor, which other programs
-- disturb least. share is that of the rate at which OpenBLAS multiplies on as many
-- threads, with convolutions counted by their definition.

local lg <const> = require "lugano"
package.path = (arg[0]:match "^(.*/)" or "./") .. "?.lua;" .. package.path
local tools <const>, sides <const> = require "tools", require "sides"
local say <const>, cell <const>, measure <const> = sides.say, sides.cell, sides.measure

local opt <const> = lg.options(sides.options {
  counts = { "1,2", "numbers of threads" },
  more = { true, "measure start, small calls and Adam, too" },
})

local function print_steps(rows)
  sides.add_scaling(rows)
  say("\n%-10s %7s %11s %11s %-8s %6s %6s %6s %7s %8s %9s %8s", "", "threads", "ours ms",
      "PyTorch ms", "it is", "ratio", "p10", "CPU", "share", "scaling", "ours MiB",
      "PyTorch")
  for _, r in ipairs(rows) do
    say("%-10s %7d %11s %11s %-8s %6s %6s %6s %7s %8s %9s %8s", r.name, r.threads,
        cell("%.3f", r.ms), cell("%.3f", r.peer_ms), r.setting or "-",
        cell("%.2f", r.ratio), cell("%.2f", r.quick), cell("%.2f", r.cpu),
        cell("%.0f %%", r.share and 100 * r.share),
        cell("%.2f", r.scaling), cell("%.0f", r.memory), cell("%.0f", r.peer_memory))
  end
end

-- What else

--- Milliseconds from the start of the program to its end, when it has nothing to do.
local function start_time()
  local times <const>, starts <const> = {}, 20
  local line <const> = ("i=0; while [ $i -lt %d ]; do %s -e ''; i=$((i+1)); done"):format(
    starts, sides.quote(arg[-1]))
  for i = 1, 5 do
    local began <const> = tools.now()
    sides.run(line)
    times[i] = (tools.now() - began) * 1e3 / starts
  end
  return tools.median(times)
end

--- Rounds of a program that prints one value: the median of ours, and of PyTorch's.
local function both(line, peer_line, key)
  local a <const>, b <const> = {}, {}
  for _ = 1, opt.rounds do
    local x <const>, y <const> = measure(line), peer_line and measure(peer_line)
    a[#a + 1], b[#b + 1] = x and x[key], y and y[key]
  end
  return #a > 0 and tools.median(a) or nil, #b > 0 and tools.median(b) or nil
end

local function measure_more(rates, counts)
  local lines <const> = {}
  local function add(...) lines[#lines + 1] = string.format(...) end
  local small <const>, peer_small <const> =
    both(sides.ours "small.lua", sides.peer "small", "us")
  local start <const> = start_time()
  local version <const> = sides.peer "version"
  local loading <const> = version and measure(version)
  for _, threads in ipairs(counts) do
    local line <const> = sides.ours("adam.lua", "--threads=" .. threads)
    local adam <const> = both(line, nil, "gb_s")
    local copy <const>, stream <const> = rates[threads].copy_gb_s,
                                         rates[threads].stream_gb_s
    add("Adam on 10 million parameters, %d thread%s: %s GB/s; of a copying loop %s, of "
        .. "memcpy %s", threads, threads == 1 and "" or "s", cell("%.2f", adam),
        cell("%.0f %%", adam and copy and 100 * adam / copy),
        cell("%.0f %%", adam and stream and 100 * adam / stream))
  end
  add("one operator on one element: %s us, PyTorch %s us, ratio %s", cell("%.2f", small),
      cell("%.2f", peer_small), cell("%.1f", small and peer_small and peer_small / small))
  add("start: %.1f ms, PyTorch's import %s ms", start,
      cell("%.0f", loading and loading.import_s * 1e3))
  return lines
end

local names <const>, counts <const> = sides.names(opt.only), sides.numbers(opt.counts)
local rates <const> = sides.begin(opt, counts)
local rows <const> = {}
for _, name in ipairs(names) do
  for _, threads in ipairs(counts) do
    local rounds <const> = sides.rounds(name, threads)
    rows[#rows + 1] = sides.summary(name, threads, rounds, rates[threads].gflop_s)
  end
end
local more <const> = opt.more and measure_more(rates, counts) or {}
print_steps(rows)
say("")
for _, threads in ipairs(counts) do
  if not opt.skip_probe then
    say("products on %d thread%s: %.1f GFLOP/s", threads, threads == 1 and "" or "s",
        rates[threads].gflop_s)
  end
end
for _, line in ipairs(more) do say("%s", line) end

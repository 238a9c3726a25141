--- compare.lua - our side and PyTorch's in turn, A B A B, and a table of both.
--
--   tests/bench/compare [--rounds=2] [--seconds=10] [--least=5] [--only=dcgan28,mlp_big]
--                       [--counts=1,2] [--python=/usr/bin/python3] [--peer=peer.py]
--
-- PyTorch runs twice in each round: as it comes, and with OPENBLAS_NUM_THREADS=1 and
-- OMP_PROC_BIND=true, without which Debian's is slower with two threads than with one on
-- some nets. The setting that is faster for a workload counts. An OpenBLAS that is older
-- than the processor takes it for one without AVX: the core it multiplies fastest for is
-- found first, and set.
--
-- A ratio is of one round, PyTorch's time to ours; the table has their median, under p10
-- the same of the times that one of ten steps stays under, and under CPU that of all
-- threads' time on a processor, which other programs disturb least. share is that of the
-- rate at which OpenBLAS multiplies on as many threads, with convolutions counted by
-- their definition.

local lg <const> = require "lugano"
local here <const>, program <const> = arg[0]:match "^(.*/)" or "./", arg[-1]
package.path = here .. "?.lua;" .. package.path
local tools <const>, nets <const> = require "tools", require "nets"

local opt <const> = lg.options {
  rounds = { 2, "times that each side is measured" },
  seconds = { 10.0, "how long, each time" },
  least = { 5, "steps that are measured however long they take" },
  only = { "", "workloads, with commas between them" },
  counts = { "1,2", "numbers of threads" },
  python = { "/usr/bin/python3", "that has PyTorch" },
  peer = { here .. "peer.py", "the program of PyTorch's side" },
  more = { true, "measure start, small calls and Adam, too" },
}
local order <const> = { "tiny_ring", "mlp_seed", "mlp_big", "dcgan28", "dcgan64",
                        "wgangp28", "sngan32" }
local settings <const> = { { name = "default", words = "" },
                           { name = "bound", words = "OPENBLAS_NUM_THREADS=1 "
                                                     .. "OMP_PROC_BIND=true " } }

local function quote(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

--- What a line of the shell prints, and whether it went well.
local function run(line)
  local pipe <const> = assert(io.popen(line .. " 2>/dev/null"))
  local text <const> = pipe:read "a"
  return text, pipe:close() == true
end

--- The values of a line "name a=1 b=2", by name; nil if it is not one.
local function values_of(text)
  local values <const> = {}
  for name, value in text:gmatch "([%w_]+)=([%d.e+-]+)" do
    values[name] = tonumber(value)
  end
  return next(values) and values
end

local function say(format, ...)
  io.stdout:write(format:format(...), "\n")
  io.stdout:flush()
end

--- The line that starts a program of this folder.
local function ours(file, words)
  return ("%s %s %s"):format(quote(program), quote(here .. file), words or "")
end

--- The same of PyTorch's side; nil where it is not there, which is said once.
local function find_peer()
  local _, there <const> = run(("test -r %s"):format(quote(opt.peer)))
  if not there then return nil, ("there is no %s"):format(opt.peer) end
  local _, works <const> = run(("%s -c 'import torch'"):format(quote(opt.python)))
  if not works then return nil, ("%s cannot import torch"):format(opt.python) end
  return ("%s %s "):format(quote(opt.python), quote(opt.peer))
end

local function measure(line)
  local text <const>, well <const> = run(line)
  local values <const> = well and values_of(text)
  say("%s", values and text:gsub("%s+$", "") or "this failed: " .. line)
  return values
end

--- Builds probe.c: its path, or nil where there is no compiler.
local function build_probe()
  local file <const> = os.tmpname()
  local _, built <const> = run(("cc -O2 -pthread -x c %s -o %s -ldl"):format(
    quote(here .. "probe.c"), file))
  if built then return file end
  os.remove(file)
end

--- Of the cores that OpenBLAS may take the processor for, the one it multiplies fastest
-- for, as a setting: "OPENBLAS_CORETYPE=Haswell ", or "" where it knows best.
local function find_core(prober)
  local flags <const> = run "grep -m 1 flags /proc/cpuinfo"
  local best, rate = "", -1
  for _, known in ipairs { { "", "" }, { "Haswell", "avx2" }, { "SkylakeX", "avx512f" } }
  do
    local words <const> = known[1] == "" and "" or "OPENBLAS_CORETYPE=" .. known[1] .. " "
    local values <const> = flags:find(known[2], 1, true)
                           and values_of(run(words .. prober .. " 1"))
    if values and values.gflop_s > 1.1 * rate then best, rate = words, values.gflop_s end
  end
  if best ~= "" then say("OpenBLAS takes this processor for another; set: %s", best) end
  return best
end

--- Rates of the machine on so many threads: gflop_s, copy_gb_s, stream_gb_s.
local function probe(prober, core, threads)
  local values <const> = prober and measure(("%s%s %d"):format(core, prober, threads))
  if values and values.gflop_s > 0 then return values end
  say("without a C compiler and OpenBLAS the share is that of our own products' rate")
  return measure(ours("gemm.lua", ("--threads=%d | tail -n 1"):format(threads)))
    or { gflop_s = 0 }
end

-- Steps

--- Measures one workload: our time and memory, PyTorch's by setting, in each round.
local function measure_rounds(name, threads, peer)
  local rounds <const> = {}
  local words <const> = ("%s --threads=%d --seconds=%g --least=%d"):format(
    name, threads, opt.seconds, opt.least)
  for i = 1, opt.rounds do
    rounds[i] = { ours = measure(ours("steps.lua", words)) }
    for _, s in ipairs(peer and settings or {}) do
      rounds[i][s.name] = measure(s.words .. peer .. words)
    end
  end
  return rounds
end

--- The median of a value of one side, over the rounds where it is there.
local function median_of(rounds, side, key)
  local list <const> = {}
  for _, round in ipairs(rounds) do
    if round[side] then list[#list + 1] = round[side][key] end
  end
  return #list > 0 and tools.median(list) or nil
end

local function better_setting(rounds)
  local best, least
  for _, s in ipairs(settings) do
    local ms <const> = median_of(rounds, s.name, "median_ms")
    if ms and (not least or ms < least) then best, least = s.name, ms end
  end
  return best, least
end

--- The median over the rounds of the ratio of a time, PyTorch's to ours.
local function ratio_of(rounds, setting, key)
  local ratios <const> = {}
  for _, round in ipairs(rounds) do
    if round.ours and round[setting] then
      ratios[#ratios + 1] = round[setting][key] / round.ours[key]
    end
  end
  return #ratios > 0 and tools.median(ratios) or nil
end

--- A row of the table, from the rounds of a workload.
local function summary(name, threads, rounds, rate)
  local row <const> = { name = name, threads = threads,
                        ms = median_of(rounds, "ours", "median_ms"),
                        memory = median_of(rounds, "ours", "rss_mib") }
  row.share = row.ms and rate > 0 and nets[name].gflop / row.ms * 1e3 / rate
  row.setting, row.peer_ms = better_setting(rounds)
  if not row.setting then return row end
  row.peer_memory = median_of(rounds, row.setting, "rss_mib")
  row.ratio = ratio_of(rounds, row.setting, "median_ms")
  row.quick = ratio_of(rounds, row.setting, "p10")
  row.cpu = ratio_of(rounds, row.setting, "cpu_ms")
  return row
end

local function cell(format, value) return value and format:format(value) or "-" end

local function print_steps(rows)
  local one <const> = {}
  say("\n%-10s %7s %11s %11s %-8s %6s %6s %6s %7s %8s %9s %8s", "", "threads", "ours ms",
      "PyTorch ms", "it is", "ratio", "p10", "CPU", "share", "scaling", "ours MiB",
      "PyTorch")
  for _, r in ipairs(rows) do
    if r.threads == 1 then one[r.name] = r.ms end
    local scaling <const> = r.threads > 1 and r.ms and one[r.name] and one[r.name] / r.ms
    say("%-10s %7d %11s %11s %-8s %6s %6s %6s %7s %8s %9s %8s", r.name, r.threads,
        cell("%.3f", r.ms), cell("%.3f", r.peer_ms), r.setting or "-",
        cell("%.2f", r.ratio), cell("%.2f", r.quick), cell("%.2f", r.cpu),
        cell("%.0f %%", r.share and 100 * r.share),
        cell("%.2f", scaling), cell("%.0f", r.memory), cell("%.0f", r.peer_memory))
  end
end

-- What else

--- Milliseconds from the start of the program to its end, when it has nothing to do.
local function start_time()
  local times <const>, starts <const> = {}, 20
  local line <const> = ("i=0; while [ $i -lt %d ]; do %s -e ''; i=$((i+1)); done"):format(
    starts, quote(program))
  for i = 1, 5 do
    local began <const> = tools.now()
    run(line)
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

local function measure_more(peer, rates, counts)
  local lines <const> = {}
  local function add(...) lines[#lines + 1] = string.format(...) end
  local small <const>, peer_small <const> =
    both(ours "small.lua", peer and peer .. "small", "us")
  local start <const> = start_time()
  local loading <const> = peer and measure(peer .. "version")
  for _, threads in ipairs(counts) do
    local adam <const> = both(ours("adam.lua", "--threads=" .. threads), nil, "gb_s")
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

local function chosen_names()
  local names <const> = {}
  for name in opt.only:gmatch "[^,]+" do
    if not nets[name] then error("there is no workload " .. name, 0) end
    names[#names + 1] = name
  end
  return #names > 0 and names or order
end

local function chosen_counts()
  local counts <const> = {}
  for n in opt.counts:gmatch "%d+" do counts[#counts + 1] = math.tointeger(n) end
  return counts
end

local peer, why <const> = find_peer()
if not peer then say("PyTorch's side is skipped: %s", why) end
local names <const>, counts <const>, rates <const> = chosen_names(), chosen_counts(), {}
local prober <const> = build_probe()
local core <const> = prober and find_core(prober) or ""
for _, threads in ipairs(counts) do rates[threads] = probe(prober, core, threads) end
if prober then os.remove(prober) end
peer = peer and core .. peer
local rows <const> = {}
for _, name in ipairs(names) do
  for _, threads in ipairs(counts) do
    local rounds <const> = measure_rounds(name, threads, peer)
    rows[#rows + 1] = summary(name, threads, rounds, rates[threads].gflop_s)
  end
end
local more <const> = opt.more and measure_more(peer, rates, counts) or {}
print_steps(rows)
say("")
for _, threads in ipairs(counts) do
  say("products on %d thread%s: %.1f GFLOP/s", threads, threads == 1 and "" or "s",
      rates[threads].gflop_s)
end
for _, line in ipairs(more) do say("%s", line) end

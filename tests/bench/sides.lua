--- sides.lua - what measures both sides of a step in turn: our program and PyTorch.
--
-- PyTorch runs twice in each round: as it comes, and with OPENBLAS_NUM_THREADS=1 and
-- OMP_PROC_BIND=true, without which Debian's is slower with two threads than with one on
-- some nets. The setting that is faster for a workload counts. An OpenBLAS that is older
-- than the processor takes it for one without AVX: the core it multiplies fastest for is
-- found first, and set.

local tools <const> = require "tools"

local sides <const> = {}
sides.settings = { { name = "default", words = "" },
                   { name = "bound", words = "OPENBLAS_NUM_THREADS=1 "
                                             .. "OMP_PROC_BIND=true " } }

local here <const>, program <const> = arg[0]:match "^(.*/)" or "./", arg[-1]
local opt, peer, prober                -- options; PyTorch's line; probe.c, built
local core = ""                        -- the setting that tells OpenBLAS the processor

--- The options that both commands have, with those of one of them.
function sides.options(more)
  local all <const> = {
    rounds = { 2, "times that each side is measured" },
    seconds = { 10.0, "how long, each time" },
    least = { 5, "steps that are measured however long they take" },
    only = { "", "workloads, with commas between them" },
    python = { "/usr/bin/python3", "that has PyTorch" },
    peer = { here .. "peer.py", "the program of PyTorch's side" },
    skip_peer = { false, "measure our side alone" },
    skip_probe = { false, "do without the rates of the machine" },
  }
  for name, option in pairs(more) do all[name] = option end
  return all
end

function sides.quote(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

--- What a line of the shell prints, and whether it went well.
function sides.run(line)
  local pipe <const> = assert(io.popen(line .. " 2>/dev/null"))
  local text <const> = pipe:read "a"
  return text, pipe:close() == true
end

--- The values of a line "name a=1 b=2", by name; nil if it is not one.
function sides.values_of(text)
  local values <const> = {}
  for name, value in text:gmatch "([%w_]+)=([%d.e+-]+)" do
    values[name] = tonumber(value)
  end
  return next(values) and values
end

function sides.say(format, ...)
  io.stdout:write(format:format(...), "\n")
  io.stdout:flush()
end

function sides.cell(format, value) return value and format:format(value) or "-" end

--- The line that starts a program of this folder.
function sides.ours(file, words)
  return ("%s %s %s"):format(sides.quote(program), sides.quote(here .. file), words or "")
end

--- The same of PyTorch's side; nil where it is not there.
function sides.peer(words) return peer and peer .. words end

--- The values of what a line of the shell prints, which is shown; nil if it fails.
function sides.measure(line)
  local text <const>, well <const> = sides.run(line)
  local values <const> = well and sides.values_of(text)
  sides.say("%s", values and text:gsub("%s+$", "") or "this failed: " .. line)
  return values or nil
end

local function find_peer()
  local python <const>, file <const> = sides.quote(opt.python), sides.quote(opt.peer)
  if opt.skip_peer then return nil, "--skip_peer" end
  local _, there <const> = sides.run("test -r " .. file)
  if not there then return nil, "there is no " .. opt.peer end
  local _, works <const> = sides.run(python .. " -c 'import torch'")
  if not works then return nil, opt.python .. " cannot import torch" end
  return ("%s %s "):format(python, file)
end

--- Builds probe.c: its path, or nil where there is no compiler.
local function build_probe()
  local file <const> = os.tmpname()
  local _, built <const> = sides.run(("cc -O2 -pthread -x c %s -o %s -ldl"):format(
    sides.quote(here .. "probe.c"), file))
  if built then return file end
  os.remove(file)
end

--- Of the cores that OpenBLAS may take the processor for, the one it multiplies fastest
-- for, as a setting: "OPENBLAS_CORETYPE=Haswell ", or "" where it knows best.
local function find_core()
  local flags <const> = sides.run "grep -m 1 flags /proc/cpuinfo"
  local best, rate = "", -1
  for _, known in ipairs { { "", "" }, { "Haswell", "avx2" }, { "SkylakeX", "avx512f" } }
  do
    local words <const> = known[1] == "" and "" or "OPENBLAS_CORETYPE=" .. known[1] .. " "
    local values <const> = flags:find(known[2], 1, true)
                           and sides.values_of((sides.run(words .. prober .. " 1")))
    if values and values.gflop_s > 1.1 * rate then best, rate = words, values.gflop_s end
  end
  if best ~= "" then
    sides.say("OpenBLAS takes this processor for another; set: %s", best)
  end
  return best
end

--- Rates of the machine on so many threads: gflop_s, copy_gb_s, stream_gb_s.
local function probe(threads)
  local values <const> = prober
    and sides.measure(("%s%s %d"):format(core, prober, threads))
  if values and values.gflop_s > 0 then return values end
  sides.say("without a C compiler and OpenBLAS the share is that of our own products' "
            .. "rate")
  local words <const> = ("--threads=%d | tail -n 1"):format(threads)
  return sides.measure(sides.ours("gemm.lua", words)) or { gflop_s = 0 }
end

--- Finds PyTorch and what the machine can do, by number of threads. skip_probe: without
-- the latter. The second result says why PyTorch's side is skipped, if it is.
function sides.begin(given, counts)
  opt = given
  local rates <const>, why = {}, nil
  peer, why = find_peer()
  if not peer then sides.say("PyTorch's side is skipped: %s", why) end
  prober = not opt.skip_probe and build_probe() or nil
  core = prober and find_core() or ""
  for _, threads in ipairs(counts) do
    rates[threads] = opt.skip_probe and { gflop_s = 0 } or probe(threads)
  end
  if prober then os.remove(prober) end
  peer = peer and core .. peer
  return rates, why
end

-- Steps

--- Measures a workload: our time and memory, PyTorch's by setting, in each round. words:
-- its name, and what it is told.
function sides.rounds(words, threads)
  local rounds <const> = {}
  local line <const> = ("%s --threads=%d --seconds=%g --least=%d"):format(
    words, threads, opt.seconds, opt.least)
  for i = 1, opt.rounds do
    rounds[i] = { ours = sides.measure(sides.ours("steps.lua", line)) }
    for _, s in ipairs(peer and sides.settings or {}) do
      rounds[i][s.name] = sides.measure(s.words .. peer .. line)
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
  for _, s in ipairs(sides.settings) do
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

--- A row of a table, from the rounds of a workload. rate: GFLOP/s of products.
function sides.summary(name, threads, rounds, rate)
  local row <const> = { name = name, threads = threads,
                        ms = median_of(rounds, "ours", "median_ms"),
                        memory = median_of(rounds, "ours", "rss_mib"),
                        gflop = median_of(rounds, "ours", "gflop") }
  row.share = row.ms and rate > 0 and row.gflop / row.ms * 1e3 / rate or nil
  row.setting, row.peer_ms = better_setting(rounds)
  if not row.setting then return row end
  row.peer_memory = median_of(rounds, row.setting, "rss_mib")
  row.ratio = ratio_of(rounds, row.setting, "median_ms")
  row.quick = ratio_of(rounds, row.setting, "p10")
  row.cpu = ratio_of(rounds, row.setting, "cpu_ms")
  return row
end

--- Our scaling: how many times as fast each row is as that with one thread.
function sides.add_scaling(rows)
  local one <const> = {}
  for _, r in ipairs(rows) do
    if r.threads == 1 then one[r.name] = r.ms end
  end
  for _, r in ipairs(rows) do
    local base <const> = one[r.name]
    r.scaling = r.threads > 1 and r.ms and base and base / r.ms or nil
  end
end

local order <const> = { "tiny_ring", "mlp_seed", "mlp_big", "dcgan28", "dcgan64",
                        "wgangp28", "sngan32" }

--- The workloads of a list "dcgan28,mlp_big", or all seven.
function sides.names(list)
  local names <const>, known <const> = {}, {}
  for _, name in ipairs(order) do known[name] = true end
  for name in list:gmatch "[^,]+" do
    if not known[name] then error("there is no workload " .. name, 0) end
    names[#names + 1] = name
  end
  return #names > 0 and names or order
end

--- The whole numbers of a list "1,2".
function sides.numbers(list)
  local numbers <const> = {}
  for n in list:gmatch "%d+" do numbers[#numbers + 1] = math.tointeger(n) end
  return numbers
end

return sides

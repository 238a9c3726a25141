--- performance.lua - how the cost of a step grows, and what holds it back: the tables of
-- docs/performance.md, and docs/performance.svg.
--
--   tests/bench/performance [--rounds=1] [--seconds=3] [--least=3] [--only=dcgan28]
--                           [--parts=workloads,held,growth] [--skip_peer]
--                           [--batches=8,16,32,64,128] [--sizes=16,32,64,128]
--                           [--widths=16,32,64,96] [--counts=1,2] [--middle=64,32,32]
--                           [--page=docs/performance.md]
--
-- The workloads are those of compare.lua. Growth is that of nets.scaled while one of its
-- numbers varies, and the others are those of the middle: images, pixels, channels, and
-- the most threads. A part that is left out stays as it was.

local lg <const> = require "lugano"
local here <const> = arg[0]:match "^(.*/)" or "./"
package.path = here .. "?.lua;" .. package.path
local tools <const>, sides <const> = require "tools", require "sides"
local page <const>, plot <const> = require "page", require "plot"
local cell <const> = sides.cell
local cores <const> = tools.threads()

--- 1, 2, 4, ... up to the number of cores, with commas.
local function usual_counts()
  local list, n = {}, 1
  while n < cores do
    list[#list + 1] = n
    n = n * 2
  end
  list[#list + 1] = cores
  return table.concat(list, ",")
end

local declared <const> = sides.options {
  parts = { "workloads,held,growth", "what is measured" },
  batches = { "8,16,32,64,128", "images of a step" },
  sizes = { "16,32,64,128", "their height and width" },
  widths = { "16,32,64,96", "channels" },
  counts = { usual_counts(), "numbers of threads" },
  middle = { "64,32,32", "images, height and channels where another number varies" },
  page = { here .. "../../docs/performance.md", "what is written" },
}
declared.rounds, declared.seconds, declared.least = { 1 }, { 3.0 }, { 3 }
local opt <const> = lg.options(declared)
local names <const>, counts <const> = sides.names(opt.only), sides.numbers(opt.counts)
local most_threads <const> = math.max(table.unpack(counts))
local rates                            -- of the machine, by number of threads

local function percent(part) return cell("%.0f %%", part and 100 * part) end
local function number(x) return x and plot.number(x) or "-" end

-- The machine

--- The values of `lugano doctor`, by name.
local function doctor()
  local facts <const> = {}
  local text <const> = sides.run(sides.quote(arg[-1]) .. " doctor")
  for name, value in text:gmatch "(%w+)  +([^\n]+)" do facts[name] = value end
  return facts
end

--- "PyTorch 1.13.0", or why it isn't there.
local function peer_text(why)
  if why then return "PyTorch was not measured: " .. why end
  return "PyTorch " .. (sides.run(sides.peer "version"):match "^torch%-(%S+)" or "?")
end

local function machine_part(why)
  local facts <const> = doctor()
  local lines <const> = {
    ("- %s; %s, %d cores; %s; kernels: %s"):format(
      os.date "!%Y-%m-%d", facts.processor, cores, facts.system, facts.kernels),
    ("- Lugano %s; %s"):format(facts.lugano, peer_text(why)) }
  for _, threads in ipairs(counts) do
    local r <const> = rates[threads]
    if r.gflop_s > 0 then
      local text <const> = "- on %d thread%s: products %.0f GFLOP/s, memcpy %s GB/s"
      lines[#lines + 1] = text:format(
        threads, threads == 1 and "" or "s", r.gflop_s, cell("%.1f", r.stream_gb_s))
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

-- The workloads

local function workloads_part()
  local rows <const>, lines <const> = {}, {}
  local few <const> = most_threads > 1 and { 1, most_threads } or { 1 }
  for _, name in ipairs(names) do
    for _, threads in ipairs(few) do
      local rounds <const> = sides.rounds(name, threads)
      local rate <const> = rates[threads] and rates[threads].gflop_s or 0
      rows[#rows + 1] = sides.summary(name, threads, rounds, rate)
    end
  end
  sides.add_scaling(rows)
  for i, r in ipairs(rows) do
    lines[i] = { r.name, ("%d"):format(r.threads), number(r.ms), number(r.peer_ms),
                 cell("%.2f", r.ratio), percent(r.share), cell("%.2f", r.scaling),
                 cell("%.0f", r.memory), cell("%.0f", r.peer_memory) }
  end
  return page.table({ "", "threads", "ms", "PyTorch ms", "ratio", "share of the limit",
                      "scaling", "MiB", "PyTorch MiB" }, lines)
end

-- What holds them back

--- What kind of work an operator's row is.
local function kind_of(name)
  if name:find "^conv" or name:find "^linear" or name:find "^matmul" or name == "einsum"
  then
    return "products"
  end
  if name:find "^dropout" then return "random" end
  return name:find "^%u" and "update" or "passes"      -- Adam, not add
end

--- The seconds of a workload's steps by kind, and its rows, what took longest first.
local function spent_on(name)
  local words <const> = ("%s --threads=%d --seconds=%g --least=%d --rows"):format(
    name, most_threads, opt.seconds, opt.least)
  local text <const>, well <const> = sides.run(sides.ours("steps.lua", words))
  if not well then return nil end
  local s <const> = { steps = sides.values_of(text).steps, rows = {}, calls = 0,
                      bytes = 0, products = 0, random = 0, update = 0, passes = 0 }
  for row, line in text:gmatch "row (%S+) ([^\n]+)" do
    local r <const> = sides.values_of(line)
    r.name = row
    if row == "in_all" then
      s.seconds = r.seconds
    else
      local kind <const> = kind_of(row)
      s[kind], s.calls = s[kind] + r.seconds, s.calls + r.calls
      if kind == "passes" then s.bytes = s.bytes + r.bytes end
      s.rows[#s.rows + 1] = r
    end
  end
  table.sort(s.rows, function(a, b) return a.seconds > b.seconds end)
  s.rest = s.seconds - s.products - s.random - s.update - s.passes
  return s
end

local function held_row(name)
  local s <const> = spent_on(name)
  if not s then return { name } end
  local function part(seconds) return percent(math.max(seconds, 0) / s.seconds) end
  local most <const> = {}
  for i = 1, math.min(3, #s.rows) do
    most[i] = ("%s %s"):format(s.rows[i].name, part(s.rows[i].seconds))
  end
  local rate <const> = s.passes > 0 and s.bytes / s.passes / 1e9 or nil
  sides.say("%s: %s", name, table.concat(most, ", "))
  return { name, part(s.products), part(s.passes), cell("%.1f", rate), part(s.random),
           part(s.update), part(s.rest), ("%.0f"):format(s.calls / s.steps),
           table.concat(most, ", ") }
end

local function held_part()
  local rows <const> = {}
  for i, name in ipairs(names) do rows[i] = held_row(name) end
  return page.table({ "", "products", "passes", "at GB/s", "random", "update", "rest",
                      "calls", "longest" }, rows)
end

-- Growth

local middle <const> = sides.numbers(opt.middle)
local done <const> = {}                -- rows, by what was measured

--- One point: the middle, but for what is given.
local function measure_point(given)
  local threads <const> = given.threads or most_threads
  local words <const> = ("scaled --batch=%d --size=%d --channels=%d"):format(
    given.batch or middle[1], given.size or middle[2], given.channels or middle[3])
  local key <const> = words .. " " .. threads
  if not done[key] then
    local rate <const> = rates[threads] and rates[threads].gflop_s or 0
    done[key] = sides.summary(key, threads, sides.rounds(words, threads), rate)
  end
  return done[key]
end

local function growth_table(panel)
  local lines <const> = {}
  for i, p in ipairs(panel.points) do
    lines[i] = { ("%d"):format(p.at), number(p.ms), number(p.peer_ms),
                 cell("%.2f", p.ratio), percent(p.share), cell("%.0f", p.memory),
                 cell("%.0f", p.peer_memory) }
  end
  return page.table({ panel.title, "ms", "PyTorch ms", "ratio", "share of the limit",
                      "MiB", "PyTorch MiB" }, lines)
end

--- The tables, and the picture.
local function growth_part()
  local panels <const>, parts <const> = {}, {}
  for i, axis in ipairs { { "batch", "batch", opt.batches },
                          { "size", "image size", opt.sizes },
                          { "channels", "channels", opt.widths },
                          { "threads", "threads", opt.counts } } do
    local points <const> = {}
    for _, at in ipairs(sides.numbers(axis[3])) do
      local row <const> = measure_point { [axis[1]] = at }
      points[#points + 1] = { at = at, ms = row.ms, peer_ms = row.peer_ms,
                              ratio = row.ratio, share = row.share, memory = row.memory,
                              peer_memory = row.peer_memory }
    end
    panels[i] = { title = axis[2], points = points }
    parts[i] = growth_table(panels[i])
  end
  return table.concat(parts, "\n"), plot.svg(panels)
end

local began <const> = tools.now()
local text = page.read(opt.page)
local wanted <const> = {}
for name in opt.parts:gmatch "[^,]+" do wanted[name] = true end
local why
rates, why = sides.begin(opt, counts)
local makers <const> = { machine = function() return machine_part(why) end,
                         workloads = workloads_part, held = held_part,
                         growth = growth_part }
wanted.machine = true
for _, name in ipairs { "machine", "workloads", "held", "growth" } do
  if wanted[name] then
    local part <const>, picture <const> = makers[name]()
    text = page.replace(text, name, part)
    if picture then page.write(opt.page:gsub("%.md$", "") .. ".svg", picture) end
  end
end
page.write(opt.page, text)
sides.say("%s is written, after %.1f minutes", opt.page, (tools.now() - began) / 60)

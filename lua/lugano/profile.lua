--- profile.lua - `lugano --profile SCRIPT`: which operators the time went to.
--
-- A row is an operator, those of gradients among them, or an optimizer's update. The rest
-- is what no row has: Lua, data, random numbers, and the walk that finds the gradients.

local core <const> = ...
local profile <const> = {}

local began, exit                      -- when; os.exit as it was

local function duration(seconds)
  if seconds >= 100 then return ("%.1f s"):format(seconds) end
  if seconds >= 1 then return ("%.2f s"):format(seconds) end
  if seconds >= 1e-3 then return ("%.2f ms"):format(seconds * 1e3) end
  return ("%.2f us"):format(seconds * 1e6)
end

local function megabytes(bytes)
  if bytes >= 1e9 then return ("%.2f GB"):format(bytes / 1e9) end
  if bytes >= 1e6 then return ("%.1f MB"):format(bytes / 1e6) end
  return ("%.1f kB"):format(bytes / 1e3)
end

--- A thousand million of something in each second, or a dash where there is none.
local function rate(amount, seconds)
  if amount == 0 or seconds == 0 then return "-" end
  return ("%.2f"):format(amount / seconds / 1e9)
end

--- The rows, those that took longest first, and what they are in all.
local function sorted_rows()
  local rows <const> = core.profile() or {}
  local all <const> = { name = "in all", calls = 0, seconds = 0, flops = 0, bytes = 0,
                        most = 0 }
  table.sort(rows, function(a, b)
    if a.seconds ~= b.seconds then return a.seconds > b.seconds end
    return a.name < b.name
  end)
  for _, r in ipairs(rows) do
    for _, key in ipairs { "calls", "seconds", "flops", "bytes" } do
      all[key] = all[key] + r[key]
    end
    all.most = math.max(all.most, r.most)
  end
  return rows, all
end

local heads <const> = { "", "calls", "time", "share", "each", "GFLOP/s", "GB/s",
                        "memory" }

local function cells(r, total)
  local most <const> = r.most > 0 and megabytes(r.most) or "-"
  return { r.name, ("%d"):format(r.calls), duration(r.seconds),
           ("%.1f %%"):format(100 * r.seconds / total),
           duration(r.calls > 0 and r.seconds / r.calls or 0),
           rate(r.flops, r.seconds), rate(r.bytes, r.seconds), most }
end

--- Lines with columns under one another: the first to the left, the others to the right.
local function lines_of(rows)
  local wide <const>, lines <const> = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do wide[i] = math.max(wide[i] or 0, #cell) end
  end
  for _, row in ipairs(rows) do
    local line <const> = {}
    for i, cell in ipairs(row) do
      local gap <const> = (" "):rep(wide[i] - #cell)
      line[i] = i == 1 and cell .. gap or gap .. cell
    end
    lines[#lines + 1] = "  " .. table.concat(line, "  "):gsub(" +$", "")
  end
  return lines
end

--- The table, as text. total: the seconds that all took.
function profile.text(total)
  local rows <const>, all <const> = sorted_rows()
  local most <const> = select(2, core.bytes())
  local rest <const> = math.max(total - all.seconds, 0)
  local table_rows <const> = { heads }
  for _, r in ipairs(rows) do table_rows[#table_rows + 1] = cells(r, total) end
  table_rows[#table_rows + 1] = cells(all, total)
  table_rows[#table_rows + 1] = { "the rest", "", duration(rest),
                                  ("%.1f %%"):format(100 * rest / total) }
  local threads <const> = core.threads()
  local head <const> = ("profile: %s on %d thread%s, at most %s in use; memory is that "
                        .. "of the largest call"):format(
    duration(total), threads, threads == 1 and "" or "s", megabytes(most))
  return head .. "\n" .. table.concat(lines_of(table_rows), "\n") .. "\n"
end

--- From here on. A script that leaves by os.exit has its table, too.
function profile.begin()
  exit = os.exit
  function os.exit(...)
    profile.finish()
    exit(...)
  end
  began = core.now()
  core.begin_profile()
end

--- Prints the table, once.
function profile.finish()
  if not began then return end
  local total <const> = core.now() - began
  began, os.exit = nil, exit
  io.stdout:flush()
  io.stderr:write(profile.text(math.max(total, 1e-9)))
end

return profile

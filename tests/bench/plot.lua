--- plot.lua - small pictures of how cost grows, as SVG: a column for each thing that
-- varies, above the time of a step, below the memory.
--
-- Both axes are logarithmic, and a row shares its axis, so that slopes and heights
-- compare. Colors follow the reader's light or dark mode, and a line is told from the
-- other by its marks and by its name, too.

local plot <const> = {}

local WIDE <const>, HIGH <const> = 188, 150            -- a picture
local LEFT <const>, RIGHT <const> = 62, 66
local TOP <const>, GAP <const> = 46, 44
local STEP <const> = 92                                -- between two rows

local style <const> = [[
<style>
  svg { --paper: #ffffff; --ink: #24292f; --faint: #6e7781; --grid: #d8dee4;
        --ours: #0b62c4; --theirs: #b3480b; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #e6edf3; --faint: #8d96a0; --grid: #2b323b;
          --ours: #62a8ff; --theirs: #ff9a57; }
  }
  text { font: 11px system-ui, sans-serif; fill: var(--ink); }
  .paper { fill: var(--paper); }
  .title { font-weight: 600; font-size: 13px; }
  .faint { fill: var(--faint); }
  .grid { stroke: var(--grid); }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .ours { stroke: var(--ours); }
  .theirs { stroke: var(--theirs); }
  .mark.ours { fill: var(--ours); }
  .mark.theirs { fill: var(--paper); stroke-width: 2; }
  .name { font-weight: 600; paint-order: stroke; stroke: var(--paper) !important;
          stroke-width: 3px; }
  .name.ours { fill: var(--ours); }
  .name.theirs { fill: var(--theirs); }
</style>]]

local function say(parts, format, ...) parts[#parts + 1] = format:format(...) end

--- Three digits: 12.3, 123, 1230.
function plot.number(x)
  if x >= 100 then return ("%.0f"):format(x) end
  return (("%.3g"):format(x))
end

--- The least and largest value of a row, over its pictures.
local function range_of(panels, keys)
  local least, most = math.huge, 0
  for _, panel in ipairs(panels) do
    for _, point in ipairs(panel.points) do
      for _, key in ipairs(keys) do
        local y <const> = point[key]
        if y then least, most = math.min(least, y), math.max(most, y) end
      end
    end
  end
  if most == 0 then return 1, 10 end
  return least / 1.4, most * 1.25
end

--- Round values between two: 1 2 5 10 ..., or powers of ten where those are many.
local function ticks_between(least, most)
  local ticks <const> = {}
  local all <const> = most / least < 300
  for power = math.floor(math.log(least, 10)), math.ceil(math.log(most, 10)) do
    for _, digit in ipairs(all and { 1, 2, 5 } or { 1 }) do
      local y <const> = digit * 10.0 ^ power
      if y >= least and y <= most then ticks[#ticks + 1] = y end
    end
  end
  return ticks
end

--- A function from a value to its place, by logarithms.
local function scale_of(least, most, from, to)
  return function(v)
    if most <= least then return (from + to) / 2 end
    return from + (to - from) * (math.log(v) - math.log(least))
                / (math.log(most) - math.log(least))
  end
end

local function add_frame(parts, row, panel, x0, y0, across, up, ticks)
  for _, y in ipairs(ticks) do
    say(parts, '<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>', x0, up(y),
        x0 + WIDE, up(y))
    if panel.first then
      say(parts, '<text class="faint" x="%.1f" y="%.1f" text-anchor="end">%s</text>',
          x0 - 7, up(y) + 4, plot.number(y))
    end
  end
  for _, point in ipairs(panel.points) do
    say(parts, '<text class="faint" x="%.1f" y="%.1f" text-anchor="middle">%d</text>',
        across(point.at), y0 + HIGH + 16, point.at)
  end
  say(parts, '<text class="faint" x="%.1f" y="%.1f" text-anchor="middle">%s</text>',
      x0 + WIDE / 2, y0 + HIGH + 32, panel.title)
  if panel.first then
    say(parts, '<text class="title" x="%.1f" y="%.1f">%s</text>', x0 - LEFT + 12, y0 - 14,
        row.title)
  end
end

--- The value of a line's last point, beside it where the line is not.
local function add_value(parts, panel, side, key, last, x, y, below)
  local first <const> = panel.points[1][key]
  local rises <const> = not first or first <= last
  say(parts, '<text class="name %s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>', side,
      x + (rises == below and -4 or 6), y + (below and 16 or -8),
      rises == below and "start" or "end", plot.number(last))
end

--- A line, its marks and its last value, which stands above or below.
local function add_line(parts, panel, side, key, across, up, below)
  local places <const>, marks <const>, last = {}, {}, nil
  for _, point in ipairs(panel.points) do
    if point[key] then
      local x <const>, y <const> = across(point.at), up(point[key])
      places[#places + 1] = ("%.1f,%.1f"):format(x, y)
      say(marks, '<circle class="mark %s" cx="%.1f" cy="%.1f" r="3.5"/>', side, x, y)
      last = point
    end
  end
  if not last then return end
  say(parts, '<polyline class="line %s" points="%s"/>', side, table.concat(places, " "))
  table.move(marks, 1, #marks, #parts + 1, parts)
  add_value(parts, panel, side, key, last[key], across(last.at), up(last[key]), below)
end

--- At a line's end ours stands below PyTorch's where it is less, else above.
local function ours_below(panel, row)
  local last <const> = panel.points[#panel.points]
  local ours <const>, theirs <const> = last[row.ours], last[row.theirs]
  return not (ours and theirs and ours > theirs)
end

--- The names of the lines, right of the last picture, at least a line of text apart.
local function add_names(parts, panel, row, up, x)
  local last <const> = panel.points[#panel.points]
  local ours <const>, theirs <const> = last[row.ours], last[row.theirs]
  local below <const> = ours_below(panel, row) and 1 or -1
  local apart <const> = ours and theirs and math.abs(up(ours) - up(theirs)) or 16
  local push <const> = math.max(16 - apart, 0) / 2 * below
  if ours then
    say(parts, '<text class="name ours" x="%.1f" y="%.1f">Lugano</text>', x,
        up(ours) + 4 + push)
  end
  if theirs then
    say(parts, '<text class="name theirs" x="%.1f" y="%.1f">PyTorch</text>', x,
        up(theirs) + 4 - push)
  end
end

local function add_row(parts, row, panels, y0)
  local least <const>, most <const> = range_of(panels, { row.ours, row.theirs })
  local ticks <const> = ticks_between(least, most)
  local up <const> = scale_of(least, most, y0 + HIGH, y0)
  for i, panel in ipairs(panels) do
    local x0 <const> = LEFT + (i - 1) * (WIDE + GAP)
    local points <const> = panel.points
    local across <const> = scale_of(points[1].at, points[#points].at, x0 + 12,
                                    x0 + WIDE - 12)
    local below <const> = ours_below(panel, row)
    panel.first = i == 1
    add_frame(parts, row, panel, x0, y0, across, up, ticks)
    add_line(parts, panel, "theirs", row.theirs, across, up, not below)
    add_line(parts, panel, "ours", row.ours, across, up, below)
    if i == #panels then add_names(parts, panel, row, up, x0 + WIDE + 6) end
  end
end

--- The picture's text. panels: { title, points = { { at, ms, peer_ms, memory,
-- peer_memory } } }, from left to right.
function plot.svg(panels)
  local rows <const> = {
    { title = "Milliseconds of a step", ours = "ms", theirs = "peer_ms" },
    { title = "Peak memory, MiB", ours = "memory", theirs = "peer_memory" } }
  local wide <const> = LEFT + #panels * (WIDE + GAP) - GAP + RIGHT
  local high <const> = TOP + #rows * (HIGH + STEP) - STEP + 44
  local parts <const> = {}
  say(parts, '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" '
      .. 'height="%d" role="img">', wide, high, wide, high)
  say(parts, "<title>Time and memory of a GAN's step, Lugano and PyTorch</title>")
  parts[#parts + 1] = style
  say(parts, '<rect class="paper" width="%d" height="%d"/>', wide, high)
  for i, row in ipairs(rows) do
    add_row(parts, row, panels, TOP + (i - 1) * (HIGH + STEP))
  end
  parts[#parts + 1] = "</svg>"
  return table.concat(parts, "\n") .. "\n"
end

return plot

--- report_page.lua - the page of a report: one file that asks for nothing else.
--
-- Text and tables are made here; the curves and the pictures are data within the page,
-- which its script draws. Whatever comes from a run is escaped, and the page forbids
-- itself the network.

local core <const> = ...
local json <const>, sorted_keys <const> = core.load "json", core.load "keys"
local progress <const> = core.load "progress"

local shown_alarms <const> = 50

-- What every script has: true is hidden always, and else this value is.
local hidden_options <const> = { resume = true, strict = true, out = true, seed = true,
                                 threads = true, tensorboard = true, steps = 0 }
local policy <const> = "default-src 'none'; base-uri 'none'; form-action 'none'; "
  .. "img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

local entities <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
                           ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(x) return (tostring(x):gsub("[&<>\"']", entities)) end

--- JSON within a script element: no < can end it, or begin a comment.
local function embed(text) return (text:gsub("<", "\\u003c")) end

local function show(value)
  return type(value) == "number" and json.number(value) or tostring(value)
end

--- 12,400
local function thousands(n)
  local text <const> = ("%d"):format(n)
  return (text:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

-- Facts ---------------------------------------------------------------------------------

--- Steps a second, over all rows that have a time.
local function speed(run)
  local a <const>, b <const> = run.first, run.last
  if not b or not math.type(a.time) or not math.type(b.time) then return nil end
  local steps <const>, seconds <const> = b.step - a.step, b.time - a.time
  if steps <= 0 or seconds <= 0 then return nil end
  return steps >= seconds and ("%.1f steps/s"):format(steps / seconds)
         or ("%.1f s/step"):format(seconds / steps)
end

--- What is said of a run in one line: step, epoch, time, speed.
local function facts(run)
  local list <const>, last <const> = {}, run.last
  local epochs <const> = run.config.options.epochs
  list[1] = last and "step " .. thousands(last.step) or "no metrics yet"
  if last and math.type(last.epoch) then
    local of <const> = math.type(epochs) and " of " .. show(epochs) or ""
    list[#list + 1] = "epoch " .. show(last.epoch) .. of
  end
  if last and math.type(last.time) and last.time == last.time then
    list[#list + 1] = progress.duration(last.time)
  end
  list[#list + 1] = speed(run)
  return list
end

local function items(list)
  local parts <const> = {}
  for i, text in ipairs(list) do parts[i] = "<li>" .. escape(text) .. "</li>" end
  return table.concat(parts)
end

local function alarm_item(run, alarm, several)
  return ("<li><b>%s</b> %s<span>%sstep %s%s</span></li>"):format(escape(alarm.alarm),
    escape(alarm.text or ""), several and escape(run.label) .. ", " or "",
    thousands(alarm.step),
    math.type(alarm.epoch) and ", epoch " .. show(alarm.epoch) or "")
end

local function alarms(runs)
  local parts <const>, more = {}, 0
  for _, run in ipairs(runs) do
    for _, alarm in ipairs(run.alarms) do
      if #parts < shown_alarms then
        parts[#parts + 1] = alarm_item(run, alarm, #runs > 1)
      else
        more = more + 1
      end
    end
  end
  if #parts == 0 then return "" end
  if more > 0 then parts[#parts + 1] = ("<li>and %d more</li>"):format(more) end
  return ('<ul class="alarms" aria-label="Alarms">%s</ul>'):format(table.concat(parts))
end

-- Tables --------------------------------------------------------------------------------

local function row(name, value)
  return ("<tr><th>%s</th><td>%s</td></tr>"):format(escape(name), escape(show(value)))
end

local function is_hidden(name, value)
  local hidden <const> = hidden_options[name]
  return hidden == true or hidden ~= nil and hidden == value or type(value) == "table"
end

--- The options of a script by name, without those that every script has.
local function own_options(run)
  local options <const> = {}
  for _, name in ipairs(sorted_keys(run.config.options)) do
    local value <const> = run.config.options[name]
    if not is_hidden(name, value) then options[name] = value end
  end
  return options
end

--- What the run was computed with, as { name, value }.
local function machine(run)
  local c <const>, list <const> = run.config, {}
  local names <const> = { lugano = "Lugano", lua = "Lua", openblas = "OpenBLAS",
                          element = "elements" }
  for _, name in ipairs { "seed", "threads", "kernels" } do
    list[#list + 1] = c[name] ~= nil and { name, c[name] } or nil
  end
  for _, name in ipairs(sorted_keys(c.versions)) do
    list[#list + 1] = { names[name] or name, c.versions[name] }
  end
  return list
end

local function card(title, rows)
  return ('<div class="card"><h3>%s</h3><table><tbody>%s</tbody></table></div>')
         :format(title, table.concat(rows))
end

local function configuration(run)
  local options <const>, rest <const> = {}, {}
  local own <const> = own_options(run)
  for _, name in ipairs(sorted_keys(own)) do
    options[#options + 1] = row(name, own[name])
  end
  for _, pair in ipairs(machine(run)) do rest[#rest + 1] = row(pair[1], pair[2]) end
  rest[#rest + 1] = row("folder", run.folder)
  if #options == 0 then options[1] = "<tr><td>none</td></tr>" end
  return '<section id="configuration"><h2>Configuration</h2><div class="pair">'
         .. card("Options", options) .. card("Computed with", rest) .. "</div></section>"
end

local function nets(runs)
  local parts <const> = {}
  for _, run in ipairs(runs) do
    for _, name in ipairs(sorted_keys(run.config.nets)) do
      local of <const> = #runs > 1 and run.label .. ": " or ""
      parts[#parts + 1] = ('<details class="card"%s><summary>%s</summary><pre>%s</pre>'
        .. "</details>"):format(#runs == 1 and " open" or "", escape(of .. name),
                                escape(run.config.nets[name]))
    end
  end
  if #parts == 0 then return "" end
  return '<section id="nets"><h2>Nets</h2>' .. table.concat(parts) .. "</section>"
end

--- The color of run i.
local function dot(i)
  return ('<i style="background:var(--s%d)"></i>'):format((i - 1) % 8)
end

local function head_of(runs, first)
  local cells <const> = { first and "<th></th>" or "" }
  for i, run in ipairs(runs) do
    cells[#cells + 1] = ('<th class="run">%s%s</th>'):format(dot(i), escape(run.label))
  end
  return "<thead><tr>" .. table.concat(cells) .. "</tr></thead>"
end

local function cell(value)
  if value == nil then return '<td class="none">none</td>' end
  return "<td>" .. escape(show(value)) .. "</td>"
end

--- Everything that may differ, for each run: its options, and what computed it.
local function settings(runs)
  local of <const>, all <const> = {}, {}
  for i, run in ipairs(runs) do
    of[i] = own_options(run)
    for _, pair in ipairs(machine(run)) do of[i][pair[1]] = pair[2] end
    for name in pairs(of[i]) do all[name] = true end
  end
  return of, sorted_keys(all)
end

local function differences(runs)
  local of <const>, names <const> = settings(runs)
  local different <const>, same <const> = {}, {}
  for _, name in ipairs(names) do
    local cells <const>, differs = {}, false
    for i in ipairs(runs) do
      cells[i] = cell(of[i][name])
      differs = differs or of[i][name] ~= of[1][name]
    end
    local list <const> = differs and different or same
    list[#list + 1] = ("<tr><th>%s</th>%s</tr>"):format(escape(name),
      differs and table.concat(cells) or cells[1])
  end
  local body <const> = #different == 0 and "<p>Their options are the same.</p>"
    or ('<div class="scroll"><table>%s<tbody>%s</tbody></table></div>')
       :format(head_of(runs, true), table.concat(different))
  return ('<section id="differences"><h2>Where they differ</h2><div class="card">%s</div>'
    .. '<details class="card"><summary>What they have in common</summary><table><tbody>'
    .. "%s</tbody></table></details></section>"):format(body, table.concat(same))
end

local function overview(runs)
  local rows <const> = {}
  for i, run in ipairs(runs) do
    local n <const> = #run.alarms
    rows[i] = ('<tr><td class="run">%s%s</td><td>%s</td><td>%s</td></tr>'):format(dot(i),
      escape(run.label), escape(table.concat(facts(run), " \u{b7} ")),
      n > 0 and ("%d alarm%s"):format(n, n > 1 and "s" or "") or "")
  end
  return ('<div class="card scroll" style="margin-top:16px"><table><tbody>%s</tbody>'
          .. "</table></div>"):format(table.concat(rows))
end

-- The page ------------------------------------------------------------------------------

local function header(runs, live)
  local run <const>, several <const> = runs[1], #runs > 1
  local title <const> = several and ("%d runs compared"):format(#runs) or run.name
  local parts <const> = { '<div class="top"><h1>', escape(title), "</h1>" }
  if live then
    parts[#parts + 1] = ('<span class="state on">training</span><label class="live">'
      .. '<input type="checkbox" id="live" data-written="%d"> live</label>')
      :format(os.time())
  end
  parts[#parts + 1] = "</div>"
  parts[#parts + 1] = several and overview(runs)
                      or '<ul class="facts">' .. items(facts(run)) .. "</ul>"
  return table.concat(parts)
end

local frame <const> = [[
<noscript>The curves and the pictures are drawn by a script within this page; this viewer
runs none.</noscript>
<section id="samples" hidden><div class="bar"><h2>Samples</h2><div class="tabs"></div>
</div><div class="card"><div class="views"></div><div class="player"><button class="play"
aria-label="play">&#9654;</button><input type="range" min="0" value="0" step="1"
aria-label="step"><output></output></div><div class="strip"></div></div></section>
<section id="curves" hidden><div class="bar"><h2>Curves</h2><label><input type="checkbox"
id="smooth"> smooth</label><label><input type="checkbox" id="by-time"> by time</label>
</div><div class="charts"></div></section>
]]

--- What the bounds left out, in words.
local function omissions(runs)
  local notes <const> = {}
  for _, run in ipairs(runs) do
    local of <const> = #runs > 1 and run.label .. ": " or ""
    if #run.pictures < run.pictures_there then
      notes[#notes + 1] = ("%s%d of %s pictures, the first and the last among them.")
        :format(of, #run.pictures, thousands(run.pictures_there))
    end
    if #run.lines < run.rows then
      notes[#notes + 1] = ("%s%s of %s rows of metrics."):format(of,
        thousands(#run.lines), thousands(run.rows))
    end
  end
  if #notes == 0 then return "" end
  return "<br>In this page: " .. escape(table.concat(notes, " "))
end

local function footer(runs)
  return ("<footer>Written by Lugano %s on %s.%s</footer>"):format(
    core.versions().lugano, os.date "%Y-%m-%d at %H:%M:%S", omissions(runs))
end

--- The data of run i, for the script of the page.
local function data(run, i)
  local about <const> = json.encode { name = run.name, label = run.label,
                                      pictures = run.pictures }
  local lines <const> = table.concat(run.marks, "\n") .. "\n"
                        .. table.concat(run.lines, "\n")
  return table.concat {
    '<script type="application/json" class="run">', embed(about), "</script>\n",
    ('<script type="text/plain" id="metrics%d">\n'):format(i), embed(lines),
    ('\n</script>\n<script type="text/plain" id="pictures%d">\n'):format(i),
    table.concat(run.data, "\n"), "\n</script>\n" }
end

--- Runs of one name are told apart by their folders.
local function label(runs)
  local count <const> = {}
  for _, run in ipairs(runs) do count[run.name] = (count[run.name] or 0) + 1 end
  for _, run in ipairs(runs) do
    run.label = count[run.name] > 1 and run.folder or run.name
  end
end

--- The text of the page.
---@param runs table  as report_folder reads them: one, or several to be compared
---@param live any    is the run still training? Then the page reads itself again
return function(runs, live)
  label(runs)
  local several <const> = #runs > 1
  local title <const> = several and ("%d runs"):format(#runs) or runs[1].name
  local parts <const> = {
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    ('<meta http-equiv="Content-Security-Policy" content="%s">\n'):format(policy),
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>',
    escape(title), " \u{b7} Lugano</title>\n<style>\n", core.load "report_style",
    "</style>\n</head>\n<body>\n<main>\n", header(runs, live), alarms(runs), "\n", frame,
    several and differences(runs) or configuration(runs[1]), nets(runs), footer(runs),
    "\n</main>\n" }
  for i, run in ipairs(runs) do parts[#parts + 1] = data(run, i) end
  for _, piece in ipairs { "<script>\n", core.load "report_read",
                           core.load "report_charts", core.load "report_view",
                           "</script>\n</body>\n</html>\n" } do
    parts[#parts + 1] = piece
  end
  return table.concat(parts)
end

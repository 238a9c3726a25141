-- test_browser.lua - what a browser makes of a report: Chromium, without a screen.
--
-- A page is opened from disk, driven by a script of the test's own that is added to it,
-- and printed as it then is. Whatever the page tells its console is a fault.

local check <const>, command <const> = require "check", require "command"
local core <const>, run_folder <const> = require "inner", require "run_folder"
local report <const> = core.load "report"

local folder <const> = command.folder()
local seconds <const> = 60                             -- a browser that hangs is ended

local function program()
  for _, name in ipairs { "chromium", "chromium-browser", "google-chrome" } do
    local path <const> = command.shell("command -v " .. name):match "^(/[^\n]*)\n$"
    if path then return path end
  end
end

--- The document of a page as it is after `budget` ms of its own time; what came with it.
local function browse(path, hash, budget)
  local browser <const> = program()
  if not browser then check.skip "chromium is not installed" end
  local address <const> = "file://" .. path .. (hash and "#" .. hash or "")
  local text <const>, status <const> = command.shell(("timeout %d %s --headless "
    .. "--no-sandbox --disable-gpu --user-data-dir=%s --window-size=1000,900 "
    .. "--virtual-time-budget=%d --enable-logging=stderr --dump-dom %s 2> %s"):format(
    seconds, browser, folder .. "/profile", budget or 2000, command.quote(address),
    folder .. "/log"))
  local log <const> = command.read(folder .. "/log")
  if status ~= 0 or not text:find("<html", 1, true) then
    check.skip("chromium does not run here: " .. log:sub(1, 200))
  end
  local told <const> = log:match "[^\n]*CONSOLE[^\n]*"
  if told then error("the console has: " .. told, 2) end
  return text
end

--- A page with a script of ours behind its own.
local function driven(path, script)
  local page <const> = command.read(path)
  local copy <const> = folder .. "/driven.html"
  command.write(copy, page:gsub("</body>", function()
    return "<script>" .. script .. "</script></body>"
  end))
  return copy
end

local function expect(text, part)
  if not text:find(part, 1, true) then error(("no '%s' in the page"):format(part), 2) end
end

local function lack(text, part)
  if text:find(part, 1, true) then error(("'%s' is in the page"):format(part), 2) end
end

--- Where a name's curve goes, as a list of parts of its path: a gap begins another.
local function curve(dom, name)
  local path <const> = dom:match('class="curve main"[^>]-data%-name="' .. name
                                 .. '"[^>]-d="([^"]*)"')
  local parts <const> = {}
  for part in (path or error("no curve " .. name)):gmatch "M[^M]*" do
    parts[#parts + 1] = part
  end
  return parts
end

local usual <const> = run_folder.usual(folder .. "/usual")
local page <const> = report.write(usual)

check.case("the curves are there, with their gaps and alarms", function()
  local dom <const> = browse(page)
  expect(dom, 'data-ready="yes"')
  for _, title in ipairs { "Losses", "Scores", "Gradient norms" } do
    expect(dom, "<h3>" .. title .. "</h3>")
  end
  check.equal(#curve(dom, "D"), 1)
  check.equal(#curve(dom, "G"), 2)                     -- it was no number for a while
  check.equal(select(2, curve(dom, "D")[1]:gsub("L", "")), 29)
  expect(dom, 'class="gap"')
  expect(dom, "<title>nan, step 110: G is not a number: lower its rate</title>")
  check.equal(select(2, dom:gsub('class="alarm" x1="%d', "")), 3)      -- one a chart
  local logs <const> = {}
  for pressed in dom:gmatch 'title="logarithmic axis" aria%-pressed="(%a+)"' do
    logs[#logs + 1] = pressed
  end
  check.equal(table.concat(logs, " "), "false false true")     -- norms span 10^6
  expect(dom, "<b>step 300</b> <span>epoch 4</span>")          -- the latest picture
  expect(dom, '<img alt="test, samples, step 300" src="data:image/png;base64,')
  expect(dom, ">3 of 3</output>")
end)

check.case("slider, arrow keys, play and the pointer do what they should", function()
  local dom <const> = browse(driven(page, [[
    const notes = [], find = q => document.querySelector(q);
    const note = word => notes.push(word + " " + find(".views b").textContent);
    const slider = find("#samples input");
    slider.value = 0;
    slider.dispatchEvent(new Event("input"));
    note("slider");
    const png = find(".views img").src;
    const press = key => document.dispatchEvent(new KeyboardEvent("keydown", { key }));
    press("ArrowRight");
    note("right");
    if (find(".views img").src === png) notes.push("the picture is the same");
    press("ArrowRight"); press("ArrowRight"); press("ArrowLeft");
    note("left");
    notes.push(location.hash);
    const svg = find(".chart svg"), box = svg.getBoundingClientRect();
    const at = (type, part) => svg.dispatchEvent(new PointerEvent(type, { bubbles: true,
      clientX: box.left + box.width * part, clientY: box.top + 50 }));
    at("pointermove", 0.999);
    notes.push(find(".over text").textContent, find(".keys b").textContent);
    at("pointerleave", 0);
    at("click", 0.05);
    note("click");
    for (const key of document.querySelectorAll(".chart:first-child .keys button"))
      if (key.textContent.startsWith("D ")) key.click();
    document.getElementById("smooth").click();
    find(".chart header button").click();
    notes.push(decodeURIComponent(location.hash));
    find(".strip button:last-of-type").click();
    note("strip");
    find(".play").click();
    setTimeout(() => { note("played"); document.title = notes.join(" | "); }, 1500);
    document.documentElement.dataset.how =
      performance.getEntriesByType("navigation")[0].type;
  ]]), nil, 12000)
  expect(dom, 'data-how="navigate"')                   -- and not read again
  check.equal(dom:match "<title>([^<]*)</title>", "slider step 100 | right step 200 | "
    .. "left step 200 | #step=200 | step 300 \u{b7} epoch 4 | 1.003 | click step 100 | "
    .. '#step=100&amp;hide.Losses=["D"]&amp;smooth=1&amp;log.Losses=true | strip step '
    .. "300 | played step 300")
  if pcall(curve, dom, "D") then error "D was hidden, and is there" end
  expect(dom, 'class="curve raw"')
end)

check.case("what was chosen is still so when the page is read again", function()
  local hash <const> = 'step=110&hide.Losses=["D"]&smooth=1&time=1&log.Scores=true'
  local dom = browse(page, hash)
  if pcall(curve, dom, "D") then error "D was hidden, and is there" end
  expect(dom, 'class="curve raw"')
  expect(dom, "<b>step 100</b>")                       -- the nearest
  expect(dom, ">0:10<")                                -- the axis is that of time
  dom = browse(page, "step=x&hide.Losses={&folder=none&%%")    -- nonsense is nothing
  expect(dom, "<b>step 300</b>")
  check.equal(#curve(dom, "D"), 1)
end)

check.case("a page that is live reads itself again", function()
  local script <const> = [[
    const how = performance.getEntriesByType("navigation")[0].type;
    document.documentElement.dataset.how = how;]]
  report.write(usual, true, folder .. "/live.html")
  local live <const> = driven(folder .. "/live.html", script)
  local again <const> = browse(live, "step=100", 8000)
  expect(again, 'data-how="reload"')
  expect(again, "<b>step 100</b>")
  expect(browse(live, "live=0", 8000), 'data-how="navigate"')
  command.write(live, (command.read(live):gsub('data%-written="%d+"',
                                               'data-written="1000"')))
  local old <const> = browse(live, nil, 8000)
  expect(old, 'data-how="navigate"')
  expect(old, "no news for long")
end)

check.case("several runs share charts, and show their pictures side by side", function()
  local other <const> = folder .. "/other"
  run_folder.picture(other, "samples", 150)
  run_folder.make(other, { name = "other" }, { run_folder.row(50), run_folder.row(150),
    run_folder.note(150, "samples") })
  local both <const> = report.compare({ usual, other }, folder .. "/both.html")
  local dom <const> = browse(driven(both, [[
    const find = q => document.querySelector(q), slider = find("#samples input");
    document.title = [...document.querySelectorAll(".views figcaption")].map(
      node => node.textContent.trim()).join(" | ");
    slider.value = 2;
    slider.dispatchEvent(new Event("input"));]]), "step=100")
  expect(dom, "<title>test step 100 \u{b7} epoch 2 | other no picture yet</title>")
  check.equal(select(2, dom:gsub("<figure class=\"chart card\">", "")), 6)
  check.equal(#curve(dom, "test") .. #curve(dom, "other"), "11")
  expect(dom, "<b>test</b> <span>step 200 \u{b7} epoch 3</span>")
  expect(dom, "<b>other</b> <span>step 150 \u{b7} epoch 2</span>")
  expect(dom, ">3 of 4</output>")
end)

check.case("markup in a name stays text", function()
  local evil <const> = "</script><script>document.title='hacked'</script><img src=x>\"'&"
  local lines <const> = {}
  for i = 1, 3 do
    lines[i] = core.load("json").encode { step = i, epoch = 1, [evil] = i, __proto__ = i,
                                          ["a." .. evil] = i, lr = i }
  end
  lines[4] = core.load("json").encode { step = 2, epoch = 1, alarm = evil, text = evil }
  local path <const> = run_folder.make(folder .. "/evil", { name = evil }, lines)
  local dom <const> = browse(report.write(path))
  expect(dom, 'data-ready="yes"')
  lack(dom, "<title>hacked")
  lack(dom, '<img src="x"')
  check.equal(#curve(dom, "__proto__"), 1)
  check.equal(select(2, dom:gsub("<figure class=\"chart card\">", "")) >= 3, true)
end)

check.case("nothing to show is no fault", function()
  local path <const> = run_folder.make(folder .. "/none", {}, {})
  local dom <const> = browse(report.write(path))
  expect(dom, 'data-ready="yes"')
  expect(dom, '<section id="curves" hidden')
  expect(dom, '<section id="samples" hidden')
end)

command.remove(folder)
check.report()

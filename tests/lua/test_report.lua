-- test_report.lua - the page of a run, and that of several: what is in them, and what
-- can never be.

local check <const>, command <const> = require "check", require "command"
local core <const>, run_folder <const> = require "inner", require "run_folder"
local report <const> = core.load "report"

local folder <const> = command.folder()

local function expect(text, part)
  if not text:find(part, 1, true) then
    error(("no '%s' in %s"):format(part, #text < 2000 and text or "the page"), 2)
  end
end

local function lack(text, part)
  if text:find(part, 1, true) then error(("there is '%s'"):format(part), 2) end
end

local function count(text, part) return select(2, text:gsub(part, "")) end

local function page_of(path, live)
  return command.read(report.write(path, live))
end

--- The lines of a block of data within the page.
local function block(page, id)
  local text <const> = page:match('id="' .. id .. '">\n(.-)\n</script>')
  local lines <const> = {}
  for line in (text or error("no block " .. id)):gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return lines
end

local function base64_bytes(text)
  local letters <const> = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                          .. "0123456789+/"
  local bits = {}
  for c in text:gmatch "[^=]" do
    local n <const> = letters:find(c, 1, true) - 1
    for i = 5, 0, -1 do bits[#bits + 1] = n >> i & 1 end
  end
  local bytes <const> = {}
  for i = 1, #bits - 7, 8 do
    local byte = 0
    for j = i, i + 7 do byte = byte << 1 | bits[j] end
    bytes[#bytes + 1] = string.char(byte)
  end
  return table.concat(bytes)
end

check.case("base64 and CRC-32C are those of their standards", function()
  for text, code in pairs { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v",
                            foob = "Zm9vYg==", fooba = "Zm9vYmE=",
                            foobar = "Zm9vYmFy" } do
    check.equal(core.base64(text), code)                       -- RFC 4648, section 10
  end
  local all <const> = {}
  for i = 0, 255 do all[#all + 1] = string.char(i) end
  check.equal(base64_bytes(core.base64(table.concat(all))), table.concat(all))
  check.equal(core.crc32c "123456789", 0xe3069283)
  check.equal(core.crc32c(("\0"):rep(32)), 0x8a9136aa)         -- RFC 3720, B.4
  check.equal(core.crc32c(("\255"):rep(32)), 0x62a8ab43)
end)

check.case("a page has all that the folder tells", function()
  local run <const> = run_folder.usual(folder .. "/usual")
  local page <const> = page_of(run)
  for _, part in ipairs { "<title>test \u{b7} Lugano</title>", "<h1>test</h1>",
      "<li>step 300</li>", "<li>epoch 4 of 3</li>", "<li>0:15</li>",
      "<li>20.0 steps/s</li>", "<th>lr</th><td>0.0002</td>", "<th>seed</th><td>1</td>",
      "<th>threads</th><td>2</td>", "<th>kernels</th><td>avx2</td>",
      "<th>Lugano</th><td>" .. core.versions().lugano, "<pre>G (Sequential)\n1 Linear",
      "<b>nan</b> G is not a number: lower its rate<span>step 110, epoch 2</span>" } do
    expect(page, part)
  end
  lack(page, "<th>resume</th>")
  lack(page, "In this page:")
  local pictures <const> = block(page, "pictures1")
  check.equal(#pictures, 3)
  for i, line in ipairs(pictures) do
    local path <const> = ("%s/samples/%06d.png"):format(run, 100 * i)
    check.equal(base64_bytes(line) == command.read(path), true, path)
  end
  check.equal(#block(page, "metrics1"), 31)            -- with the alarm
end)

check.case("a page asks for nothing outside of it", function()
  local page <const> = page_of(folder .. "/usual")
  for _, part in ipairs { "http:", "https:", "<link", "@import", "url(", "fetch(",
                          "src=" } do
    lack(page, part)
  end
  expect(page, "default-src 'none'")
end)

check.case("what a script or a name says is text, never markup", function()
  local evil <const> = "</script><script>alert(1)</script><img src=x>\"'&<!--"
  local row <const> = core.load("json").encode { step = 10, epoch = 1, [evil] = 1.5 }
  local alarm <const> = core.load("json").encode { step = 10, epoch = 1, alarm = evil,
                                                   text = evil }
  local run <const> = run_folder.make(folder .. "/evil", { name = evil,
    options = { [evil] = evil }, kernels = evil, nets = { [evil] = evil },
    versions = { [evil] = evil } }, { row, alarm, evil, run_folder.note(10, evil) })
  local page <const> = page_of(run)
  lack(page, "<script>alert")
  lack(page, "<img src=x")
  lack(page, "<!--")
  check.equal(count(page, "<script"), 4)               -- its data, and its own
  check.equal(count(page, "</script"), 4)
  expect(page, "&lt;script&gt;alert(1)")
end)

check.case("what is broken is left out, and nothing else", function()
  local lines <const> = { run_folder.row(10), '{"step": 20, "D": ', "", "[[[[", "null",
    '{"alarm": "x"}', '{"step": "20", "alarm": "y"}', ("["):rep(300000) .. '"alarm"',
    run_folder.row(30), "\0\255 \"image\"" }
  local page <const> = page_of(run_folder.make(folder .. "/broken", {}, lines))
  expect(page, "<li>step 30</li>")
  lack(page, 'class="alarms"')
  os.remove(folder .. "/broken/metrics.jsonl")
  expect(page_of(folder .. "/broken"), "<li>no metrics yet</li>")
  command.write(folder .. "/broken/config.json", '{"name": 3, "options": 4, "nets": "x"}')
  expect(page_of(folder .. "/broken"), "<h1>" .. folder .. "/broken</h1>")
end)

check.case("many pictures and rows are bounded, and the page says so", function()
  local run <const>, lines <const> = folder .. "/long", {}
  for i = 1, 12000 do
    lines[#lines + 1] = run_folder.row(i, (i == 7002 or i == 7003) and "G" or nil)
    if i % 100 == 0 then
      if i % 300 == 0 then run_folder.picture(run, "walk", i) end
      run_folder.picture(run, "samples", i)
      lines[#lines + 1] = run_folder.note(i, "samples")
      if i % 300 == 0 then lines[#lines + 1] = run_folder.note(i, "walk") end
    end
  end
  local page <const> = page_of(run_folder.make(run, {}, lines))
  expect(page, "In this page: 60 of 160 pictures, the first and the last among them. "
               .. "4,002 of 12,000 rows of metrics.")
  local rows <const> = table.concat(block(page, "metrics1"), "\n")
  for _, step in ipairs { 1, 12000, 7002 } do          -- the first that is no number, too
    expect(rows, ('"step": %d,'):format(step))
  end
  for _, note in ipairs { '"folder": "samples", "step": 100}',
      '"folder": "samples", "step": 12000}', '"folder": "walk", "step": 300}',
      '"folder": "walk", "step": 12000}' } do
    expect(page, note)
  end
  check.equal(#block(page, "pictures1"), 60)
end)

check.case("pictures that no line notes are found in their folders", function()
  local run <const> = folder .. "/bare"
  for _, step in ipairs { 5, 10 } do run_folder.picture(run, "grid", step) end
  run_folder.make(run, {}, { run_folder.row(10) })
  command.write(run .. "/grid/note.txt", "x")
  command.write(run .. "/grid/000020.png", "cut by a cra")
  expect(page_of(run), '[{"folder": "grid", "step": 5}, {"folder": "grid", "step": 10}]')
end)

check.case("no picture is taken from outside of the folder", function()
  local path <const> = run_folder.picture(folder, "secret", 1)
  local lines <const> = { run_folder.row(10) }
  for i, p in ipairs { path, "../secret/000001.png", "samples/../../secret/000001.png",
                       "secret/..", "samples/none.png" } do
    lines[#lines + 1] = run_folder.note(i, "samples", p)
  end
  local page <const> = page_of(run_folder.make(folder .. "/inside", {}, lines))
  expect(page, '"pictures": {}')
  lack(page, core.base64(command.read(path)))
end)

check.case("a page reads itself again while the run trains, and only then", function()
  local live <const> = page_of(folder .. "/usual", true)
  expect(live, '<span class="state on">training</span>')
  local written <const> = tonumber(live:match 'data%-written="(%d+)"')
  check.equal(math.abs(os.time() - written) < 60, true)
  local done <const> = page_of(folder .. "/usual")
  lack(done, "data-written=")
  lack(done, ">training<")
end)

check.case("a page that cannot be written leaves the earlier one", function()
  local run <const> = run_folder.usual(folder .. "/full")
  local before <const> = page_of(run)
  check.raises("cannot write", function() report.write(run, false, "/nonexistent/x") end)
  core.make_folder(run .. "/report.html.tmp")          -- where it would be written first
  check.raises("cannot write", function() report.write(run) end)
  check.equal(command.read(run .. "/report.html") == before, true)
end)

-- The command ---------------------------------------------------------------------------

check.case("lugano report makes the page of a run", function()
  local run <const> = run_folder.usual(folder .. "/a")
  local text, status = command.run { "report", run .. "/" }
  check.equal(text .. status, run .. "/report.html\n0")
  expect(command.read(run .. "/report.html"), "<h1>test</h1>")
  text, status = command.run { "report", "--out=" .. folder .. "/sent.html", run }
  check.equal(text .. status, folder .. "/sent.html\n0")
  expect(command.read(folder .. "/sent.html"), "<h1>test</h1>")
end)

check.case("lugano report compares several", function()
  local a <const> = run_folder.usual(folder .. "/a")
  local b <const> = run_folder.usual(folder .. "/b", { seed = 2, name = "other",
    options = { epochs = 3, lr = 1e-3, width = 16 } })
  local c <const> = run_folder.usual(folder .. "/c")
  local text, status = command.run { "report", a, b }
  check.equal(text .. status, ("%s/report.html\n%s/report.html\n%s/compare.html\n0")
                              :format(a, b, a))
  local page = command.read(a .. "/compare.html")
  for _, part in ipairs { "<h1>2 runs compared</h1>", '"label": "other"',
      "<th>lr</th><td>0.0002</td><td>0.001</td>", "<th>seed</th><td>1</td><td>2</td>",
      '<th>width</th><td class="none">none</td><td>16</td>', "test, step 110, epoch 2",
      "<th>epochs</th><td>3</td></tr>", 'id="metrics2"', 'id="pictures2"' } do
    expect(page, part)
  end
  text, status = command.run { "report", a, c, "--out=" .. folder .. "/both.html" }
  check.equal(status, 0, text)
  page = command.read(folder .. "/both.html")
  expect(page, "Their options are the same.")
  expect(page, '"label": "' .. a .. '"')               -- one name: told by their folders
  expect(page, '"label": "' .. c .. '"')
end)

check.case("what is no run is refused, and nothing is written", function()
  local a <const> = run_folder.usual(folder .. "/good")
  local out <const> = folder .. "/work"
  run_folder.usual(out .. "/out/digits")
  local empty <const> = folder .. "/empty"
  core.make_folder(empty)
  local cases <const> = {
    { { empty }, "report: '" .. empty .. "' is no folder of a run: it has no "
                 .. "config.json; a run writes one into out/NAME, or where --out "
                 .. "says\n" },
    { { folder .. "/missing" }, "missing' is no folder of a run: it has no config.json" },
    { { "digits" }, "says (did you mean 'out/digits'?)" },
    { { a, empty }, "empty' is no folder of a run" },
    { {}, "report needs the folder of a run: lugano report out/digits" },
    { { a, "--ot=x" }, "report has no option '--ot=x' (did you mean '--out'?); lugano "
                       .. "report --help lists them" },
    { { a, "--out=" }, "option '--out' needs a file: --out=report.html" },
    { { a, "--out=/nonexistent/x" }, "cannot write '/nonexistent/x'" } }
  for _, c in ipairs(cases) do
    local text <const>, status <const> = command.run({ "report", table.unpack(c[1]) },
                                                     "cd " .. out .. " &&")
    expect(text, c[2])
    check.equal(text:find "^lugano: [^\n]+\n$", 1, "one line")
    check.equal(status, 1, c[2])
  end
  check.equal(command.exists(a .. "/report.html"), false)
  command.write(empty .. "/config.json", "{{{")
  expect(command.run { "report", empty }, "its config.json is no JSON")
end)

check.case("lugano report --help, and lugano --help", function()
  local text, status = command.run { "report", "--help" }
  expect(text, "usage: lugano report DIR")
  check.equal(status, 0)
  text, status = command.run { "--help" }
  expect(text, "lugano report DIR [DIR ...]")
  expect(text, "--tensorboard")
  check.equal(status, 0)
end)

command.remove(folder)
check.report()

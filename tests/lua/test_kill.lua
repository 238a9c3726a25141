-- test_kill.lua - a run that is killed at random moments, and resumed each time, ends
-- with the same bytes as one that was left alone. LUGANO_KILLS says how many times.

local check <const>, command <const> = require "check", require "command"
local kinds <const> = require "kinds"

local wanted <const> = tonumber(os.getenv "LUGANO_KILLS" or "10")
local folder <const> = command.folder()
local script <const> = folder .. "/script.lua"
math.randomseed(os.time())

command.write(script, [[
local lg <const> = require "lugano"
local opt <const> = lg.options { epochs = 16, kind = 1 }
local objects <const>, set <const>, step <const>, picture <const> =
  require "kinds"[opt.kind].make()
local run <const> = lg.run("kill", opt, objects, { keep = 2, best = 2 })
for epoch = run.epoch, opt.epochs do
  for x, labels in run:progress(set:batches(8)) do
    run:log(step(x, labels))
    if (run.step + 1) % 10 == 0 then run:checkpoint() end
  end
  run:image("samples", picture()):checkpoint { score = (epoch - 7) ^ 2 }
end
]])

--- Runs a kind in a folder; after some seconds it is killed. True if it came to its end.
local function live(kind, out, resume, seconds)
  local words <const> = { command.quote(command.program), command.quote(script),
                          "--kind=" .. kind, "--out=" .. command.quote(out),
                          "--threads=1", resume and "--resume" or "" }
  local line <const> = table.concat(words, " ")
  local text <const>, status <const> = command.shell(seconds
    and ("%s & pid=$!; sleep %.3f; kill -9 $pid 2>/dev/null; wait $pid"):format(line,
                                                                                seconds)
    or line)
  if status ~= 0 and status ~= 137 then error(text) end
  return status == 0
end

--- What a run leaves, but for the page and the options: names, and what is in the files.
local function content(out)
  local find <const> = "cd %s && find . -type f ! -name '*.html' ! -name config.json"
  local list <const> = command.shell(find:format(command.quote(out))
                                     .. " | LC_ALL=C sort | xargs cksum")
  return list
end

local function is_begun(out)
  local names <const> = command.shell(("ls %s/checkpoints/*.safetensors 2>/dev/null")
                                      :format(command.quote(out)))
  return names ~= ""
end

local kills, rounds = 0, 0

check.case("the same bytes after kills with -9 at random moments", function()
  if not command.program then check.skip "LUGANO does not name the command" end
  while kills < wanted do
    local kind <const> = rounds % #kinds + 1
    local whole <const>, parted <const> = folder .. "/whole", folder .. "/parted"
    live(kind, whole)
    local expected <const> = content(whole)
    check.equal(expected:find "last.safetensors" ~= nil, true, "it ran to its end")
    while not live(kind, parted, is_begun(parted), 0.02 + 0.4 * math.random()) do
      kills = kills + 1
    end
    check.equal(content(parted), expected, kinds[kind].name)
    command.remove(whole)
    command.remove(parted)
    rounds = rounds + 1
  end
end)

print(("%d kills in %d runs"):format(kills, rounds))
command.remove(folder)
check.report()

-- test_models.lua - every model takes three steps, twice with one seed: the same bytes,
-- and a last line that can be checked. Another seed must make other bytes.

local check <const>, command <const> = require "check", require "command"

-- What the last line says; the rest of a model is the same for all.
local last_lines <const> = {
  tutorial = "^tutorial: 3 steps, the pictures are in .*/samples$",
  ring = "^%d of 8 modes found, %d+ %% of the samples within 4 deviations of one$",
  gan = "^after 3 steps the samples are %d+%.%d%d as far apart as the digits$",
  dcgan = "^after 3 steps the samples are %d+%.%d%d as far apart as the pictures$",
  wgan_gp = "^after 3 steps the critic sees a distance of %-?%d+%.%d%d$",
  cgan = "^%d+ of 100 samples are nearest to the mean of their own digit$",
  sngan = "^after 3 steps the samples are %d+%.%d%d as far apart as the digits$",
  digits = "^trained 3 steps; the samples are in .*/samples$",
}
local small <const> = { tutorial = {}, ring = {}, gan = {}, digits = { "--width=4" } }
local usual <const> = { "--batch=16", "--width=4" }

local function run(name, out, seed)
  local words <const> = { command.source .. "/models/" .. name .. ".lua", "--steps=3",
                          "--epochs=1", "--out=" .. out, "--seed=" .. seed }
  local more <const> = small[name] or usual
  table.move(more, 1, #more, #words + 1, words)
  local text <const>, status <const> = command.run(words,
    "LUGANO_DATA=" .. command.quote(command.source .. "/models/data"))
  check.equal(status, 0, text)
  return text, command.read(out .. "/checkpoints/last.safetensors")
end

--- The names of all models, from the folder.
local function model_names()
  local list <const> = {}
  local files <const> = command.shell("cd " .. command.quote(command.source .. "/models")
                                      .. " && ls *.lua")
  for name in files:gmatch "([%w_]+)%.lua" do list[#list + 1] = name end
  return list
end

for _, name in ipairs(model_names()) do
  check.case(name .. " takes three steps, the same ones again", function()
    local folder <const> = command.folder()
    local text <const>, bytes <const> = run(name, folder .. "/a", 1)
    local last <const> = text:gsub("\n$", ""):match "[^\n]*$"
    check.equal(last_lines[name] ~= nil, true, "what its last line says")
    check.equal(last:find(last_lines[name]) ~= nil, true, last)
    check.equal(command.exists(folder .. "/a/samples/000003.png"), true, "a picture")
    check.equal(command.exists(folder .. "/a/report.html"), true, "a report")
    local _, again <const> = run(name, folder .. "/b", 1)
    check.equal(bytes == again, true, "the same bytes")
    if name == "ring" then
      local _, other <const> = run(name, folder .. "/c", 2)
      check.equal(bytes ~= other, true, "another seed, other bytes")
    end
    command.remove(folder)
  end)
  check.case(name .. " says how it is run, and has less than 80 lines", function()
    local text <const> = command.read(command.source .. "/models/" .. name .. ".lua")
    local lines <const> = select(2, text:gsub("\n", ""))
    check.equal(lines < (name == "tutorial" and 40 or 80), true, lines .. " lines")
    check.equal(text:find("lugano models/" .. name .. ".lua", 1, true) ~= nil, true)
    check.equal(text:find "minute" ~= nil or text:find "second" ~= nil, true,
                "how long it takes")
  end)
end

check.report()

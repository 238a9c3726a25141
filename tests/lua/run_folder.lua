--- run_folder.lua - makes folders as lg.run leaves them, for tests of what reads them.
local lg <const>, core <const> = require "lugano", require "inner"
local command <const> = require "command"
local json <const> = core.load "json"

local run_folder <const> = {}

--- A row of metrics as a run writes it; nan is a name that is not a number there.
function run_folder.row(step, nan)
  local row <const> = { step = step, epoch = 1 + step // 100, time = step / 20,
    D = 1 + 1 / step, G = 2 - 1 / step, ["D(x)"] = 0.6, ["D(G(z))"] = 0.4,
    ["optG.grad_norm"] = 0.5, ["optD.grad_norm"] = 10 ^ (step % 7) }
  if nan then row[nan] = 0 / 0 end
  return json.encode(row)
end

--- A line that notes a picture.
function run_folder.note(step, name, path)
  return json.encode { step = step, epoch = 1 + step // 100, image = name,
                       path = path or ("%s/%06d.png"):format(name, step) }
end

--- A picture of its own for each step.
function run_folder.picture(folder, name, step)
  core.make_folder(folder .. "/" .. name)
  local path <const> = ("%s/%s/%06d.png"):format(folder, name, step)
  lg.image.save(path, lg.full({ 4, 1, 8, 8 }, step % 200 / 100 - 1))
  return path
end

--- Writes a folder: settings are fields of config.json, lines those of metrics.jsonl.
function run_folder.make(folder, settings, lines)
  core.make_folder(folder)
  local config <const> = { name = "test", seed = 1, threads = 2, kernels = "avx2",
    options = { epochs = 3, lr = 2e-4, seed = 1, resume = false },
    versions = core.versions(), nets = { G = "G (Sequential)\n1 Linear {N,4} 8" } }
  for name, value in pairs(settings) do config[name] = value end
  command.write(folder .. "/config.json", json.encode(config, "") .. "\n")
  command.write(folder .. "/metrics.jsonl", table.concat(lines, "\n") .. "\n")
  return folder
end

--- A usual one: 30 rows, three pictures, an alarm, and a line that a crash cut.
function run_folder.usual(folder, settings)
  local lines <const> = {}
  for i = 1, 30 do
    lines[#lines + 1] = run_folder.row(10 * i, i > 10 and i < 15 and "G" or nil)
    if i % 10 == 0 then
      run_folder.picture(folder, "samples", 10 * i)
      lines[#lines + 1] = run_folder.note(10 * i, "samples")
    end
  end
  lines[#lines + 1] = json.encode { step = 110, epoch = 2, alarm = "nan",
                                    text = "G is not a number: lower its rate" }
  lines[#lines + 1] = '{"D": 1.2, "epoch": 4, "st'
  return run_folder.make(folder, settings or {}, lines)
end

return run_folder

--- run.lua - lg.run: a training run, and the folder that it leaves behind.
--
--     out/NAME/config.json                     options, seed, versions, nets
--              metrics.jsonl                   means, pictures and alarms, one a line
--              samples/000400.png              by step
--              checkpoints/000400.safetensors  the last three, by step, and the best one
--              checkpoints/last.safetensors    the newest
--              report.html                     all of it, to be looked at

local core <const> = ...
local json <const>, ending <const> = core.load "json", core.load "run_ending"
local sorted_keys <const>, net <const> = core.load "keys", core.load "net"

local Run <const> = { __name = "lugano.run" }

--- The methods; and of a run that was resumed after its last pass, the epoch. When a
-- script asks for it, what it draws before its passes is drawn, and random numbers go on
-- as after them.
function Run.__index(run, key)
  local from <const> = key == "epoch" and rawget(run, "resumed")
  if not from then return Run[key] end
  run.epoch = from.epoch + 1
  core.random_state(from.seed, from.drawn)
  return run.epoch
end

for _, file in ipairs { "run_pass", "run_values", "run_save" } do
  for name, method in pairs(core.load(file)) do Run[name] = method end
end

local function check_objects(objects)
  for _, key in ipairs(sorted_keys(objects)) do
    if type(key) ~= "string" or not key:find "^%a[%w_]*$" or key == "lugano" then
      core.fail("lg.run: '%s' cannot be the name of an object", tostring(key))
    end
    local o <const> = objects[key]
    if type(o) ~= "table" and type(o) ~= "userdata" or not o.state then
      core.fail("lg.run: '%s' is a %s; it must be a net, an optimizer, or anything that "
                .. "has state(): an average, a pool of images, a stream of data", key,
                type(o))
    end
    if net.is_part(o) then o:state() end       -- which fails where it has no shapes
  end
end

--- Options go into a file, and are compared on resume: so they are plain values by name.
local function check_options(opt)
  if type(opt) ~= "table" then
    core.fail("lg.run: its second argument is what lg.options gives, and no %s",
              type(opt))
  end
  for _, key in ipairs(sorted_keys(opt)) do
    local kind <const> = type(opt[key])
    if type(key) ~= "string" or kind ~= "number" and kind ~= "boolean"
       and kind ~= "string" then
      core.fail("lg.run: the option '%s' is a %s; its second argument is a table of "
                .. "numbers, texts and true or false, as lg.options gives it; the nets "
                .. "come after it", tostring(key), kind)
    end
  end
end

local function start_folder(run)
  core.make_folder(run.folder .. "/checkpoints")
  local seed <const>, nets <const> = core.random_state(), {}
  for key, object in pairs(run.objects) do
    nets[key] = net.is_part(object) and tostring(object) or nil
  end
  core.save_file(run.folder .. "/config.json", json.encode({
    name = run.name, options = run.options, seed = seed, threads = core.threads(),
    kernels = core.kernels(), versions = core.versions(), nets = nets }, "") .. "\n")
end

--- What a run is made of; a checkpoint keeps the notes of its parts.
local function make_run(name, opt, objects, settings)
  local folder <const> = rawget(opt, "out") or "out/" .. name
  local run <const> = setmetatable({
    name = name, options = opt, objects = objects, settings = settings, folder = folder,
    step = 0, epoch = 1, batch = 0, pass_over = false, left = false,
    window = core.load "means"(), pass_means = core.load "means"(),
    history = core.load "history"(folder .. "/metrics.jsonl"),
    kept = core.load "kept"(folder .. "/checkpoints", settings),
    recovery = core.load "recovery"(settings.on_nan) }, Run)
  run.health = core.load "health"(settings.alarms, function(...) run:alarm(...) end)
  run.parts = { window = run.window, pass = run.pass_means, metrics = run.history,
                kept = run.kept, recovery = run.recovery, health = run.health }
  return run
end

--- Begins a run, or goes on with it if the options say resume.
---@param name string     of the run: its folder is out/NAME, or that of --out
---@param opt table       what lg.options gave
---@param objects table   nets, optimizers and the like by name: they are saved
---@param settings table  keep = 3, the last checkpoints, which stay; best = 1, those of
--- the best score, run:checkpoint { score = x }; better = "lower" or "higher"; on_nan =
--- "warn", "rollback" or "stop"; log_every = 10 steps; alarms = true
return function(name, opt, objects, settings)
  if type(name) ~= "string" or not name:find "^[%w_.-]+$" then
    core.fail("lg.run: '%s' cannot be the name of a run", tostring(name))
  end
  opt, objects = opt or core.options or {}, objects or {}
  check_options(opt)
  check_objects(objects)
  for _, object in pairs(objects) do core.load "unsaved".forget(object) end
  local run <const> = make_run(name, opt, objects, core.load "run_options"(settings))
  ending.settle()
  -- The first run of a script was stopped: the others have not begun.
  local is_new <const> = ending.any_begun() and run.kept:is_empty()
  if rawget(opt, "resume") and not is_new then
    run:resume()
  else
    core.load "run_older"(run.folder)
  end
  start_folder(run)
  run.history:begin(run.resumed)
  run.norms = core.load "norms"(objects)
  run.mirror = core.load "mirror"(run.folder, rawget(opt, "tensorboard"), run.step,
                                  function(text) run:say(text) end)
  ending.begin(run)
  return run
end

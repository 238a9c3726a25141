-- test_options.lua - what lg.options makes of defaults and of the command line.

local lg <const>, check <const> = require "lugano", require "check"
local command <const> = require "command"

local defaults <const> = { epochs = 20, lr = { 2e-4, "learning rate" }, name = "digits",
                           mirror = false, batch_size = 64, spectral = true }

--- The options that these words give.
local function options(...)
  local words <const> = { [0] = "script.lua", ... }
  local before <const> = arg
  arg = words
  local ok <const>, result = pcall(lg.options, defaults)
  arg = before
  if not ok then error(result, 0) end
  return result
end

check.case("defaults", function()
  local opt <const> = options()
  check.equal(opt.epochs, 20)
  check.equal(opt.lr, 2e-4)
  check.equal(opt.name, "digits")
  check.equal(opt.mirror, false)
  check.equal(opt.out, nil)
  check.equal(opt.resume, false)
  check.equal(opt.tensorboard, false)
end)

check.case("values take the type of their default", function()
  local opt <const> = options("--epochs=3", "--lr=1", "--name=7", "--mirror",
                              "--batch-size=1e2", "--no-spectral", "--out=x/y=z",
                              "--resume")
  check.equal(math.type(opt.epochs), "integer")
  check.equal(math.type(opt.lr), "float")
  check.equal(opt.name, "7")
  check.equal(opt.mirror, true)
  check.equal(opt.batch_size, 100)
  check.equal(opt.spectral, false)
  check.equal(opt.out, "x/y=z")
  check.equal(opt.resume, true)
  check.equal(options("--tensorboard").tensorboard, true)
  check.equal(options("--mirror=true", "--spectral=false").spectral, false)
  check.equal(options("--no-strict").strict, false)
end)

check.case("the seed is applied", function()
  options("--seed=7")
  local a <const> = lg.randn(3):totable()
  options("--seed=7")
  local b <const> = lg.randn(3):totable()
  for i = 1, 3 do check.equal(a[i], b[i]) end
  options("--seed=8")
  if lg.randn(3):totable()[1] == a[1] then error "another seed, the same number" end
end)

local refused <const> = {
  { "--epoch=3", "no option '--epoch' (did you mean '--epochs'?)" },
  { "--sede=3", "no option '--sede' (did you mean '--seed'?)" },
  { "--zzzzzzzz", "no option '--zzzzzzzz'" },
  { "--epochs=many", "option '--epochs' is a whole number, and 'many' is not; write, for "
                     .. "example, --epochs=20" },
  { "--epochs=2.5", "option '--epochs' is a whole number, and '2.5' is not" },
  { "--epochs=", "option '--epochs' needs a whole number: --epochs=20" },
  { "--epochs", "option '--epochs' needs a whole number: --epochs=20" },
  { "--lr=fast", "option '--lr' is a number, and 'fast' is not; write, for example, "
                 .. "--lr=0.0002" },
  { "--name", "option '--name' needs a text: --name=digits" },
  { "--mirror=maybe", "option '--mirror' is true or false, and 'maybe' is neither; write "
                      .. "--mirror or --mirror=false" },
  { "--seed=-1", "option '--seed' is 0 or more, and -1 is not" },
  { "--threads=5000", "option '--threads' is 0 to 1024, and 5000 is not" },
  { "7", "'7' is no option; options are written --name=value, and --help lists them" },
  { "-e", "'-e' is no option" },
  { "epochs=3", "'epochs=3' is no option" },
}
for _, case in ipairs(refused) do
  check.case("refused: " .. case[1], function()
    local text <const> = check.raises(case[2], function() options(case[1]) end)
    if text:find "%.lua:%d" then error("it names a line of the script: " .. text) end
  end)
end

check.case("what a script may not declare names its line", function()
  local function raises(text, d)
    local message <const> = check.raises(text, function() lg.options(d) end)
    if not message:find "test_options.lua:%d+: " then error("no line: " .. message) end
  end
  raises("lg.options: 'f' is a function; an option is a number, true or false, or a text",
         { f = print })
  raises("lg.options: 'seed' means the same in every script, and is a whole number",
         { seed = "x" })
  raises("lg.options: '1' cannot be the name of an option", { 20 })
  raises("lg.options: 'a b' cannot be the name of an option", { ["a b"] = 1 })
  raises("lg.options takes a table of defaults", 3)
end)

check.case("an option that is not there cannot be read or set", function()
  local opt <const> = options()
  check.raises("no option 'epoch' (did you mean 'epochs'?)",
               function() return opt.epoch end)
  check.raises("no option 'nois'", function() opt.nois = 3 end)
  opt.epochs = 3
  check.equal(opt.epochs, 3)
end)

check.case("--help prints the table and ends with 0, a wrong option with 1", function()
  local folder <const> = command.folder()
  local script <const> = folder .. "/script.lua"
  command.write(script, [[
    local lg = require "lugano"
    local opt = lg.options { epochs = 20, lr = {2e-4, "learning rate"},
                             on = {true, "shine"} }
    print "went on"]])
  local text <const>, status <const> = command.run { script, "--help" }
  check.equal(status, 0, text)
  for _, part in ipairs { "--epochs", "20", "--lr", "0.0002", "learning rate", "--no-on",
                          "--seed", "--threads", "--out", "--resume", "--tensorboard",
                          "usage:" } do
    if not text:find(part, 1, true) then error("no " .. part .. " in\n" .. text) end
  end
  if text:find "went on" then error "the script went on" end
  local wrong <const>, failed <const> = command.run { script, "--epoch=3" }
  check.equal(failed, 1, wrong)
  if not wrong:find("no option '--epoch' (did you mean '--epochs'?)", 1, true) then
    error(wrong)
  end
  command.remove(folder)
end)

check.report()

-- test_older.lua - a new run in the folder of an older one: all of the older one is then
-- in old/, at whichever moment the program was killed before; and a longer one stays.

local lg <const>, check <const> = require "lugano", require "check"
local core <const>, command <const> = require "inner", require "command"
local quietly <const> = require "quietly"

local folder <const> = command.folder()
local out <const> = folder .. "/out"

--- A run of so many steps, five a pass.
local function train(passes)
  local said <const>, ok <const>, why <const> = quietly(function()
    lg.seed(passes)
    local w <const> = lg.zeros(3)
    local net <const> = { state = function() return { { name = "w", tensor = w } } end }
    local run <const> = lg.run("older", { out = out, epochs = passes }, { net = net })
    for epoch = 1, passes do
      for i in run:progress(5) do
        w:copy(w + lg.randn(3))
        run:log { D = i }
      end
      run:image("samples", lg.rand(1, 1, 4, 4)):checkpoint { score = epoch % 3 }
    end
  end)
  if not ok then error(why, 0) end
  return said
end

--- All files of a run, but for those that moved aside: one text.
local function content(path)
  local text <const> = command.shell("cd " .. command.quote(path) .. " && find . -path "
    .. "'./old*' -prune -o -type f ! -name '*.html' -print | LC_ALL=C sort | xargs cksum")
  return text
end

--- Calls body while the n-th rename of a file ends the program, before it or after it.
local function killed_at(n, is_after, body)
  local rename <const> = core.rename_file
  local count = 0
  function core.rename_file(...)
    count = count + 1
    if count == n and not is_after then error("killed", 0) end
    local moved <const> = rename(...)
    if count == n then error("killed", 0) end
    return moved
  end
  local ok <const>, why <const> = pcall(body)
  core.rename_file = rename
  if not ok and why ~= "killed" then error(why, 0) end
  return not ok
end

check.case("killed at any moment of the move, nothing is lost", function()
  command.remove(out)
  train(4)
  local all <const>, copy <const> = content(out), folder .. "/copy"
  check.equal(select(2, all:gsub("\n", "")), 11, "files")
  command.shell("cp -r " .. command.quote(out) .. " " .. command.quote(copy))
  for _, is_after in ipairs { false, true } do
    local n = 0
    repeat
      n = n + 1
      command.remove(out)
      command.shell("cp -r " .. command.quote(copy) .. " " .. command.quote(out))
      local killed <const> = killed_at(n, is_after, function() train(1) end)
      if killed then train(1) end
      check.equal(content(out .. "/old"), all, ("killed at %d"):format(n))
    until not killed
    check.equal(n > 10, true, "moments")
  end
end)

check.case("who forgets --resume twice still has the long run", function()
  command.remove(out)
  train(4)
  local long <const> = content(out)
  train(1)
  local short <const> = content(out)
  local said <const> = train(2)
  check.equal(content(out .. "/old2"), long)
  check.equal(content(out .. "/old"), short)
  if not said:find(("the earlier run in %s, of 5 steps, is now in %s/old; --resume would "
                    .. "have gone on with it\nthe one that was there, of 20 steps, is "
                    .. "now in %s/old2\n"):format(out, out, out), 1, true) then
    error(said)
  end
  local middle <const> = content(out)
  if not train(1):find("\nthe one that was there, of 5 steps, is removed\n", 1, true) then
    error "a removal is not told"
  end
  check.equal(content(out .. "/old"), middle)
  check.equal(content(out .. "/old2"), long)
  train(1)
  check.equal(content(out .. "/old3"), middle)
  check.equal(content(out .. "/old2"), long)
end)

check.case("one without a checkpoint takes no room", function()
  command.remove(out)
  train(2)
  local long <const> = content(out)
  train(1)
  command.shell("rm " .. command.quote(out) .. "/checkpoints/*")
  local said <const> = train(1)
  check.equal(said:find "the earlier run" == nil, true, said)
  check.equal(content(out .. "/old"), long)
  check.equal(command.exists(out .. "/old2/config.json"), false)
end)

check.case("no pictures have the name of such a folder", function()
  quietly(function()
    local run <const> = lg.run("older", { out = folder .. "/x" }, {})
    for _, name in ipairs { "old", "old2", "old13" } do
      check.raises("run:image: '" .. name .. "' cannot be the name of a folder of "
                   .. "pictures", function() run:image(name, lg.zeros(1, 1, 4, 4)) end)
    end
    run:image("older", lg.zeros(1, 1, 4, 4))
  end)
  check.equal(command.exists(folder .. "/x/older/000000.png"), true)
end)

check.case("what cannot be moved is an error, and stays", function()
  command.remove(out)
  train(4)
  local long <const> = content(out)
  train(1)
  local short <const> = content(out)
  local rename <const> = core.rename_file
  function core.rename_file() return false end
  local ok <const>, why <const> = pcall(train, 1)
  core.rename_file = rename
  check.equal(ok, false)
  local text <const> = ("lg.run: cannot move '%s/old' to '%s/old2'; the earlier run "
                        .. "stays where it is"):format(out, out)
  if not why:find(text, 1, true) then error(why) end
  check.equal(content(out .. "/old"), long)
  check.equal(content(out), short)
end)

command.remove(folder)
check.report()

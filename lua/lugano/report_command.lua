--- report_command.lua - `lugano report DIR [DIR ...]`.

local core <const> = ...
local report <const> = core.load "report"

local usage <const> = [[
usage: lugano report DIR               makes DIR/report.html anew
       lugano report DIR DIR [DIR ...]  compares runs in DIR/compare.html of the first

  --out=FILE    where to write the page, and then no other
]]

-- The mistake is on the command line, so these messages name no line of a script.
local function refuse(format, ...) error(format:format(...), 0) end

--- The folders, and the file that --out names.
local function read_words(words)
  local folders <const>, out = {}, nil
  for _, word in ipairs(words) do
    local name <const>, value <const> = word:match "^%-%-([^=]*)=?(.*)$"
    if word == "--help" or word == "-h" then
      io.stdout:write(usage)
      error(core.finished, 0)
    elseif name == "out" then
      if value == "" then refuse "option '--out' needs a file: --out=report.html" end
      out = value
    elseif word:sub(1, 1) == "-" then
      local _, phrase <const> = core.load "nearest"(word:match "^[^=]*",
                                                    { "--out", "--help" })
      refuse("report has no option '%s'%s; lugano report --help lists them", word, phrase)
    else
      folders[#folders + 1] = word
    end
  end
  return folders, out
end

return function()
  local folders <const>, out <const> = read_words(arg)
  if #folders == 0 then
    refuse "report needs the folder of a run: lugano report out/digits"
  end
  local paths <const> = {}
  if #folders == 1 then
    paths[1] = report.write(folders[1], false, out)
  else                                         -- it reads all before anything is written
    local compared <const> = report.compare(folders, out)
    for i, folder in ipairs(out and {} or folders) do paths[i] = report.write(folder) end
    paths[#paths + 1] = compared
  end
  io.stdout:write(table.concat(paths, "\n"), "\n")
end

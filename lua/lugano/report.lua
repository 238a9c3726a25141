--- report.lua - the report of a run: a page that opens from disk and can be sent.

local core <const> = ...
local read <const>, page <const> = core.load "report_folder", core.load "report_page"

local report <const> = {}

--- Makes folder/report.html from what is in a run's folder, whole or not at all.
---@param folder string
---@param live boolean  is the run still training? Then the open page reads itself again
---@param path string   where to write it, if not there
---@return string       the path
function report.write(folder, live, path)
  local run <const> = read(folder, 1)
  path = path or run.folder .. "/report.html"
  core.save_file(path, page({ run }, live))
  return path
end

--- Makes one page that compares several runs.
---@param folders table  of the runs, in the order of their colors
---@param path string    where to write it, if not to compare.html in the first folder
---@return string        the path
function report.compare(folders, path)
  local runs <const> = {}
  for i, folder in ipairs(folders) do runs[i] = read(folder, #folders) end
  path = path or runs[1].folder .. "/compare.html"
  core.save_file(path, page(runs, false))
  return path
end

return report

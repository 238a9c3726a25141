--- newest.lua - finds the newest checkpoint that is whole.
--
-- That is last.safetensors, since it is written first. If it is damaged, those that have
-- a step in their names are tried. Who copies one of them to last.safetensors goes back.

local core <const> = ...
local newest <const> = {}

--- Is the failure to open the file one of the file, and not one of memory, or Ctrl-C?
local function is_damage(why)
  return type(why) == "string" and (why:find("is damaged", 1, true)
         or why:find("is not a safetensors file", 1, true)
         or why:find("cannot open", 1, true) or why:find("cannot read", 1, true))
end

local function without_line(why) return (why:gsub("^[^\n']-:%d+: ", "")) end

--- The open file, or nil; a damaged one is noted.
local function try(path, damaged)
  local ok <const>, archive <const> = pcall(core.open_tensors, path)
  if ok then return archive end
  if not is_damage(archive) then error(archive, 0) end
  damaged[#damaged + 1] = { why = without_line(archive) }
end

--- Opens the newest whole checkpoint.
---@param kept table  the run's list of checkpoints
---@return userdata, string, table  the open file, its path, the damaged: { why = }
function newest.open(kept)
  local last <const>, damaged <const> = kept:last_path(), {}
  local archive = core.file_exists(last) and try(last, damaged)
  if archive then return archive, last, damaged end
  for _, file in ipairs(kept:find()) do
    archive = try(file.path, damaged)
    if archive then return archive, file.path, damaged end
  end
  if #damaged == 0 then
    core.fail("nothing to resume: there is no '%s'; run once without --resume", last)
  end
  local lines <const> = {}
  for _, d in ipairs(damaged) do lines[#lines + 1] = "\n  " .. d.why end
  core.fail("nothing to resume: no checkpoint is whole%s", table.concat(lines))
end

return newest

--- report_folder.lua - what a run's folder has to tell: settings, metrics, pictures.
--
-- A report must open quickly however long the run was, so the rows and the pictures that
-- go in are bounded; it says what was left out.

local core <const> = ...
local json <const>, sorted_keys <const> = core.load "json", core.load "keys"

local most_rows <const> = 5000
local most_pictures <const>, most_bytes <const> = 60, 16 << 20       -- of all folders
local png_magic <const> = "\137PNG\r\n\26\n"

--- The object of a line; nil if it is none, or was cut by a crash.
local function decode_row(line)
  local fine <const>, row <const> = pcall(json.decode, line)
  local whole <const> = fine and type(row) == "table" and math.type(row.step) == "integer"
  return whole and row or nil
end

--- A path of a run's own picture: nothing else on the disk goes into a report.
local function is_inside(path)
  return type(path) == "string" and path:find "^[%w_-]+/[%w_.-]+%.png$" ~= nil
         and not path:find("..", 1, true)
end

--- Sorts a line of metrics.jsonl to where it belongs.
local function sort_line(run, line)
  local marked <const> = line:find('"alarm"', 1, true) or line:find('"image"', 1, true)
  local row <const> = marked and decode_row(line) or nil
  if row and type(row.alarm) == "string" then
    run.alarms[#run.alarms + 1] = row
    run.marks[#run.marks + 1] = line
  elseif row and type(row.image) == "string" then
    if is_inside(row.path) then run.images[#run.images + 1] = row end
  else
    run.lines[#run.lines + 1] = line
  end
end

--- Every n-th row, the last, and the first of those that are not numbers.
local function thin(lines)
  local stride <const> = (#lines + most_rows - 1) // most_rows
  if stride <= 1 then return lines end
  local kept <const>, was_null = {}, false
  for i, line in ipairs(lines) do
    local null <const> = line:find("null", 1, true) ~= nil
    if (i - 1) % stride == 0 or i == #lines or null and not was_null then
      kept[#kept + 1] = line
    end
    was_null = null
  end
  return kept
end

--- The first row from an end that is one, and has numbers.
local function row_at(lines, from, to, by)
  for i = from, to, by do
    local row <const> = decode_row(lines[i])
    if row then return row end
  end
end

local function read_metrics(run)
  local path <const> = run.folder .. "/metrics.jsonl"
  local text <const> = core.file_exists(path) and core.read_file(path) or ""
  for line in text:gmatch "[^\n]+" do sort_line(run, line) end
  if run.lines[1] and not decode_row(run.lines[#run.lines]) then
    run.lines[#run.lines] = nil                -- cut by a crash; the page skips others
  end
  run.rows = #run.lines
  run.first = row_at(run.lines, 1, run.rows, 1)
  run.last = row_at(run.lines, run.rows, 1, -1)
  run.lines = thin(run.lines)
end

--- The pictures that lie in the folder, for a run that noted none of them.
local function find_images(run)
  for _, name in ipairs(core.list_folder(run.folder)) do
    local inner <const> = name:match "^([%w_-]+)/$"
    for _, file in ipairs(inner and core.list_folder(run.folder .. "/" .. inner) or {}) do
      local step <const> = math.tointeger(tonumber(file:match "^(%d+)%.png$"))
      if step then
        run.images[#run.images + 1] = { image = inner, step = step,
                                        path = inner .. "/" .. file }
      end
    end
  end
end

--- The pictures of each folder, one a step: the later of two.
local function by_folder(images)
  local folders <const> = {}
  for _, image in ipairs(images) do
    local list <const> = folders[image.image] or { at = {} }
    local i <const> = list.at[image.step] or #list + 1
    list[i], list.at[image.step] = image, i
    folders[image.image] = list
  end
  return folders
end

local function read_png(path)
  local fine <const>, bytes <const> = pcall(core.read_file, path)
  if fine and bytes:sub(1, 8) == png_magic then return bytes end
end

--- `count` of the list, evenly, the first and the last among them.
local function choose(list, count)
  if #list <= count then return list end
  local chosen <const> = {}
  for i = 0, count - 1 do
    chosen[#chosen + 1] = list[1 + (i * (#list - 1) + (count - 1) // 2) // (count - 1)]
  end
  return chosen
end

local function read_pictures(run, share)
  if #run.images == 0 then find_images(run) end
  local folders <const> = by_folder(run.images)
  local names <const> = sorted_keys(folders)
  share = share * #names
  for _, name in ipairs(names) do
    local list <const> = folders[name]
    local last <const> = read_png(run.folder .. "/" .. list[#list].path)
    local fit <const> = most_bytes // share // math.max(1, last and #last or 1)
    local count <const> = math.max(2, math.min(most_pictures // #names, fit))
    run.pictures_there = run.pictures_there + #list
    for _, image in ipairs(choose(list, count)) do
      local png <const> = read_png(run.folder .. "/" .. image.path)
      if png then
        run.pictures[#run.pictures + 1] = { folder = name, step = image.step,
          epoch = math.type(image.epoch) and image.epoch or nil }
        run.data[#run.data + 1] = core.base64(png)
      end
    end
  end
end

local function is_run(folder)
  local path <const> = folder .. "/config.json"
  if not core.file_exists(path) then return nil, "it has no config.json" end
  local fine <const>, config <const> = pcall(json.decode, core.read_file(path))
  if not fine or type(config) ~= "table" then return nil, "its config.json is no JSON" end
  return config
end

local function table_or_empty(x) return type(x) == "table" and x or {} end

--- Reads a run's folder.
---@param folder string
---@param share integer  of how many runs the report is: together they have one bound
---@return table  folder, name, config, lines, rows, alarms, marks, first, last, pictures
--- with their data in base64, pictures_there
return function(folder, share)
  folder = folder:gsub("/+$", "")
  local config <const>, why <const> = is_run(folder)
  if not config then
    local near <const> = is_run("out/" .. folder)
                         and (" (did you mean 'out/%s'?)"):format(folder) or ""
    core.fail("report: '%s' is no folder of a run: %s; a run writes one into out/NAME, "
              .. "or where --out says%s", folder, why, near)
  end
  for _, name in ipairs { "options", "versions", "nets" } do
    config[name] = table_or_empty(config[name])
  end
  local run <const> = {
    folder = folder, name = type(config.name) == "string" and config.name or folder,
    config = config, lines = {}, marks = {}, alarms = {}, images = {}, pictures = {},
    data = {}, pictures_there = 0 }
  read_metrics(run)
  read_pictures(run, share or 1)
  return run
end

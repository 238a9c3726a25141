--- history.lua - metrics.jsonl: what happened in a run, one object a line.
--
--     {"D": 1.31, "G": 0.84, "epoch": 1, "optD.grad_norm": 0.2, "step": 10}   means
--     {"epoch": 1, "image": "samples", "path": "samples/000070.png", "step": 70}
--     {"alarm": "collapse", "epoch": 1, "step": 70, "text": "..."}
--
-- The same run makes the same bytes, so there is no time in it.

local core <const> = ...
local json <const> = core.load "json"

local History <const> = {}
History.__index = History

--- Was the line noted in the pass that ended with the checkpoint?
local function is_before(line, from)
  local row <const> = json.decode(line)
  return type(row) == "table" and math.type(row.step) == "integer"
         and row.step <= from.step and math.type(row.epoch) == "integer"
         and row.epoch <= from.epoch
end

--- What a resumed run keeps of an earlier text. A checkpoint knows how many bytes there
-- were; what was noted at the same step after a pass's last checkpoint happens only once,
-- so it stays. If the text is shorter, after a power failure, whole lines are kept.
---@param from table  step, epoch, pass_over
local function kept_part(text, from, n)
  local sound <const> = n <= #text and (n == 0 or text:sub(n, n) == "\n")
  if not sound then n = 0 end
  local kept <const> = { text:sub(1, n) }
  if sound and not from.pass_over then return kept[1] end
  for line in text:sub(n + 1):gmatch "([^\n]+)\n" do
    if not is_before(line, from) then break end
    kept[#kept + 1] = line .. "\n"
  end
  return table.concat(kept)
end

function History:add(row)
  local line <const> = json.encode(row) .. "\n"
  core.append_file(self.path, line)
  self.bytes = self.bytes + #line
end

--- Adds a line that a finished run, resumed once more, would make again.
function History:add_once(row)
  local text <const> = "\n" .. core.read_file(self.path)
  if not text:find("\n" .. json.encode(row) .. "\n", 1, true) then self:add(row) end
end

--- Begins the file, with what is kept of the earlier one.
---@param from table  where a resumed run stands, or nil for a new one
function History:begin(from)
  local text <const> = from and core.file_exists(self.path) and core.read_file(self.path)
                       or ""
  local kept <const> = from and kept_part(text, from, self.bytes) or ""
  core.save_file(self.path, kept)
  self.bytes = #kept
end

function History:notes() return { bytes = self.bytes } end

function History:restore(notes) self.bytes = notes.bytes end

return function(path) return setmetatable({ path = path, bytes = 0 }, History) end

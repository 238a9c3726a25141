--- means.lua - means by name of what is logged, which a checkpoint can keep halfway.

local core <const> = ...
local exact <const>, sorted_keys <const> = core.load "exact", core.load "keys"

local Means <const> = {}
Means.__index = Means

function Means:add(name, value)
  local m <const> = self.sums[name] or { sum = 0.0, count = 0 }
  m.sum, m.count = m.sum + value, m.count + 1
  self.sums[name] = m
end

function Means:clear() self.sums = {} end

function Means:is_empty() return next(self.sums) == nil end

--- Each name and its mean, in the order of the names.
function Means:each()
  local names <const>, i = sorted_keys(self.sums), 0
  return function()
    i = i + 1
    local m <const> = self.sums[names[i]]
    if m then return names[i], m.sum / m.count end
  end
end

--- "D 1.312  G 0.845"; names with a dot, such as optD.grad_norm, are left to the file.
function Means:text()
  local parts <const> = {}
  for name, mean in self:each() do
    if not name:find(".", 1, true) then
      parts[#parts + 1] = name .. " " .. (mean == mean and ("%.4g"):format(mean) or "nan")
    end
  end
  return table.concat(parts, "  ")
end

--- What a checkpoint keeps, and takes back.
function Means:notes()
  local notes <const> = {}
  for name, m in pairs(self.sums) do notes[name] = { exact.text(m.sum), m.count } end
  return notes
end

function Means:restore(notes)
  self.sums = {}
  for name, m in pairs(notes) do
    self.sums[name] = { sum = exact.number(m[1]) + 0.0, count = m[2] }
  end
end

return function() return setmetatable({ sums = {} }, Means) end

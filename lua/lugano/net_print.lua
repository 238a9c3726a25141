--- net_print.lua - nets as tables of text: print(G), print(G:summary()).

local core <const> = ...
local lg <const> = core.lg
local net <const> = core.load "net"
local inner <const>, methods <const> = net.inner, net.methods

local bytes_of_number <const> = lg.element == "double" and 8 or 4

-- Numbers as text

local function thousands(n)
  local text, count = ("%d"):format(n), nil
  repeat text, count = text:gsub("^(%d+)(%d%d%d)", "%1,%2") until count == 0
  return text
end

--- "1.21 MB"
local function scaled(n, unit)
  local prefixes <const>, i = { "", "k", "M", "G", "T" }, 1
  while n >= 999.5 and i < #prefixes do n, i = n / 1000, i + 1 end
  local name <const> = prefixes[i] .. unit
  return ("%.3g%s%s"):format(n, name == "" and "" or " ", name)
end

-- Rows: { path =, kind =, output =, parameters =, bytes =, activations =, flops = }

--- Adds to a row the tensors that a part itself has, each tensor once.
local function count_tensors(row, part, seen)
  local own <const> = part[inner]
  local built <const> = own.layer and not own.tensors and own.layer:parameters()
  for _, t in ipairs(not seen[part] and (built or own.tensors) or {}) do
    local n <const> = seen[t.tensor] and 0 or t.tensor:numel()
    seen[t.tensor] = true
    row.bytes = row.bytes + n * bytes_of_number
    row.parameters = row.parameters + (t.buffer and 0 or n)
  end
  seen[part] = true
end

local function new_row(path, part)
  local own <const> = part[inner]
  return { path = path, kind = own.kind, output = own.shape or "?", parameters = 0,
           bytes = 0, activations = (own.numbers or 0) * bytes_of_number,
           flops = own.flops or 0 }
end

--- A part that computes by itself; the norm and the act that follow it stand with it.
local function layer_row(part, path, seen)
  local row <const> = new_row(path, part)
  count_tensors(row, part, seen)
  for _, child in ipairs(part[inner].parts) do
    row.kind = row.kind .. ", " .. child[inner].kind
    row.activations = row.activations + (child[inner].numbers or 0) * bytes_of_number
    count_tensors(row, child, seen)
  end
  return row
end

--- A Module's own tensors: one row each, whose output is the tensor's shape.
local function tensor_rows(part, path, seen, rows)
  for _, t in ipairs(part[inner].tensors or {}) do
    local n <const> = seen[t.tensor] and 0 or t.tensor:numel()
    seen[t.tensor] = true
    rows[#rows + 1] = {
      path = path .. t.name, kind = t.buffer and "buffer" or "parameter",
      output = "{" .. table.concat(t.tensor.shape, ",") .. "}",
      parameters = t.buffer and 0 or n, bytes = n * bytes_of_number, activations = 0,
      flops = 0 }
  end
end

local function add_rows(part, path, seen, rows)
  local own <const> = part[inner]
  local prefix <const> = path == "" and "" or path .. "."
  if own.layer or #own.parts == 0 and not own.tensors then
    rows[#rows + 1] = layer_row(part, path, seen)
    return rows
  end
  tensor_rows(part, prefix, seen, rows)
  for i, child in ipairs(own.parts) do
    add_rows(child, prefix .. own.keys[i], seen, rows)
  end
  return rows
end

-- Tables

--- Columns: the first three to the left, numbers to the right.
local function put_table(lines, head, rows)
  local width <const> = {}
  table.insert(rows, 1, head)
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do width[i] = math.max(width[i] or 0, #text) end
  end
  for _, row in ipairs(rows) do
    local cells <const> = {}
    for i, text in ipairs(row) do
      cells[i] = ("%" .. (i <= 3 and "-" or "") .. width[i] .. "s"):format(text)
    end
    lines[#lines + 1] = table.concat(cells, "  ")
  end
end

local function title(part)
  local own <const> = part[inner]
  return ("%s (%s)"):format(own.path or own.name or "a net", own.kind)
end

--- A table: path, layer, output shape, parameters.
function net.describe(part)
  local lines <const>, rows <const>, total = { title(part) }, {}, 0
  for i, row in ipairs(add_rows(part, "", {}, {})) do
    rows[i] = { row.path, row.kind, row.output, thousands(row.parameters) }
    total = total + row.parameters
  end
  put_table(lines, { "path", "layer", "output", "parameters" }, rows)
  lines[#lines + 1] = ("%s parameters in all"):format(thousands(total))
  if not part[inner].shape then
    lines[#lines + 1] = "no shapes yet: declare `input = {...}`, or call it once"
  end
  return table.concat(lines, "\n")
end

local Summary <const> = { __name = "lugano.summary" }

function Summary:__tostring()
  local lines <const>, rows <const> = { self.title }, {}
  for i, row in ipairs(self.rows) do
    rows[i] = { row.path, row.kind, row.output, thousands(row.parameters),
                scaled(row.bytes, "B"), scaled(row.activations, "B"),
                scaled(row.flops, "") }
  end
  put_table(lines, { "path", "layer", "output", "parameters", "memory", "activations",
                     "flops" }, rows)
  lines[#lines + 1] = ("%s parameters, %s with the buffers; for one sample %s of "
    .. "activations, %s flops (%s multiply-adds)"):format(
    thousands(self.parameters), scaled(self.bytes, "B"), scaled(self.activations, "B"),
    scaled(self.flops, ""), scaled(self.flops / 2, ""))
  return table.concat(lines, "\n")
end

--- What a net costs, as a table that can be printed. Its rows have path, kind, output,
-- parameters (how many), bytes (of parameters and buffers), and, for one sample,
-- activations (bytes of its results) and flops (of a forward; a multiplication and an
-- addition are two). parameters, bytes, activations and flops are those of the net, and
-- its flops count what a Module's forward computes between its parts, too. Taken from the
-- first call; what stands in a net twice counts its parameters once.
---@return table
function methods:summary()
  self:state()                                 -- it must have its shapes
  local own <const> = self[inner]
  local sum <const> = { title = title(self), rows = add_rows(self, "", {}, {}),
                        parameters = 0, bytes = 0, activations = 0, flops = own.flops }
  for _, row in ipairs(sum.rows) do
    for _, key in ipairs { "parameters", "bytes", "activations" } do
      sum[key] = sum[key] + row[key]
    end
  end
  return setmetatable(sum, Summary)
end

return net

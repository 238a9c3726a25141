--- net_parts.lua - what is in a net: looking parts up, looping over them, tapping them.

local core <const> = ...
local net <const>, nearest <const> = core.load "net", core.load "nearest"
local inner <const>, methods <const> = net.inner, net.methods

local most_listed <const> = 10

local function who(part) return part[inner].path or part[inner].name or "the net" end

--- A list of { path =, part = }: what is in a part, each once, in order.
local function inside(part, prefix, seen, list)
  local own <const> = part[inner]
  for i, child in ipairs(own.parts) do
    if not seen[child] then
      seen[child] = true
      local path <const> = prefix .. own.keys[i]
      list[#list + 1] = { path = path, part = child }
      inside(child, path .. ".", seen, list)
    end
  end
  return list
end

--- Of what is in a net, and may be asked for: all kinds of layers, too.
local function check_kind(self, kind, list)
  local kinds <const> = {}
  for _, entry in ipairs(list) do kinds[#kinds + 1] = entry.part[inner].kind end
  for name in pairs(core.layers()) do kinds[#kinds + 1] = name end
  for _, op in ipairs(core.ops()) do kinds[#kinds + 1] = op.name end
  table.move({ "Sequential", "Residual", "Module", "list", "function" }, 1, 5,
             #kinds + 1, kinds)
  table.sort(kinds)
  for _, known in ipairs(kinds) do
    if known == kind then return end
  end
  core.fail("parts: there is no kind of part '%s'%s; a kind is what print(%s) shows",
            tostring(kind), net.hint(tostring(kind), kinds), who(self))
end

--- Loops over all parts in a net, each once, in order; or over those of one kind:
--
--     for path, part in G:parts "BatchNorm" do print(path, #part:parameters()) end
--
-- A kind is what print(G) shows: "Linear", "relu", "Sequential", "function".
---@param kind? string
---@return function
function methods:parts(kind)
  local list <const> = inside(self, "", {}, {})
  if kind ~= nil then check_kind(self, kind, list) end
  local i = 0
  return function()
    repeat i = i + 1 until not list[i] or not kind or list[i].part[inner].kind == kind
    if list[i] then return list[i].path, list[i].part end
  end
end

local function fail_path(self, path)
  local paths <const>, shown <const> = {}, {}
  for i, entry in ipairs(inside(self, "", {}, {})) do
    paths[i] = entry.path
    if i <= most_listed then shown[i] = entry.path end
  end
  local _, hint <const> = nearest(path, paths)
  core.fail("%s has no part '%s'%s; it has %s%s", who(self), path, hint,
            #shown > 0 and table.concat(shown, ", ") or "none",
            #paths > #shown and ", ..." or "")
end

--- The part at a path, as print shows it: G:part "body.1.norm". Where the path is one
-- number or name, G[1] and G.body are the same.
---@param path string
---@return lugano.Net
function methods:part(path)
  path = tostring(path)
  local part = self
  for key in path:gmatch "[^.]+" do
    local own <const>, found = part[inner], nil
    for i, name in ipairs(own.keys) do
      if name == key then found = own.parts[i] end
    end
    part = found or fail_path(self, path)
  end
  return part
end

local Tap <const> = { __name = "lugano.tap" }
Tap.__index = Tap

--- Takes a tap off; a second time does nothing.
function Tap:close()
  local kept <const> = {}
  for _, see in ipairs(self.part[inner].taps or {}) do
    if see ~= self.see then kept[#kept + 1] = see end
  end
  self.part[inner].taps = #kept > 0 and kept or nil
  net.changes = net.changes + 1
end

Tap.__close = Tap.close

--- A tap on a part itself.
function net.tap(part, f)
  local own <const> = part[inner]
  local function see(y, x) f(y, x) end           -- its own, though f be tapped twice
  own.taps = table.move(own.taps or {}, 1, #(own.taps or {}), 1, {})
  own.taps[#own.taps + 1] = see
  net.changes = net.changes + 1
  return setmetatable({ part = part, see = see }, Tap)
end

--- Shows the results of an inner part to a function, f(y, x), at each call, until the tap
-- is closed: y, its first result, with its history, and x, its first input. So features
-- are matched (Salimans et al. 2016):
--
--     local features
--     local tap <close> = D:tap("3", function(y) features = y end)
--     D(real)
--     local wanted = features:mean { 1 }:detach()
--     D(fake)
--     local loss = lg.mse(features:mean { 1 }, wanted)
--
-- What f returns is not used. While shapes are found, and in a clone, nothing is shown.
---@param path string
---@param f function
---@return lugano.Tap
function methods:tap(path, f)
  if type(f) ~= "function" then
    core.fail("tap takes a path and a function, and got a %s", type(f))
  end
  return net.tap(self:part(path), f)
end

return net

--- quietly.lua - calls f, and keeps aside what is printed: a run says where it is.
---@return string, boolean, any  what was printed; pcall's results
return function(f)
  local real <const>, parts <const> = io.stdout, {}
  io.stdout = { write = function(s, ...)
    parts[#parts + 1] = table.concat { ... }
    return s
  end, flush = function() end }
  local ok <const>, result <const> = pcall(f)
  io.stdout = real
  return table.concat(parts), ok, result
end

--- doctor.lua - `lugano doctor`: what a bug report should tell.

local core <const> = ...

local function gigabytes(bytes)
  return bytes and ("%.1f GB"):format(bytes / 1e9) or "unknown"
end

local function blas_text(m, v)
  if m.blas_missing then
    return ("built with %s; not loadable: %s"):format(v.openblas, m.blas_missing)
  end
  return ("built with %s; loads: %s, %s"):format(v.openblas, m.blas, m.blas_variant)
end

local function terminal_text(m)
  if not m.terminal then
    return "none, or NO_COLOR or TERM=dumb; pictures: " .. m.picture
  end
  return ("%d columns, %s colors; pictures: %s"):format(m.columns,
                                                        m.colors24 and "24-bit" or "256",
                                                        m.picture)
end

--- The named sets that are there, and where.
local function data_text()
  core.load "data"
  local found <const>, missing <const> = {}, {}
  for _, set in ipairs(core.found_data()) do
    if set.folder then
      found[#found + 1] = ("%s in %s"):format(set.name, set.folder)
    else
      missing[#missing + 1] = set.name
    end
  end
  if #found == 0 then
    return "none found; set LUGANO_DATA to the folder that has 'digits'"
  end
  local text <const> = table.concat(found, ", ")
  return #missing == 0 and text or text .. "; not here: " .. table.concat(missing, ", ")
end

return function()
  local m <const>, v <const> = core.machine(), core.versions()
  local rows <const> = {
    { "lugano", ("%s, elements are %s"):format(v.lugano, v.element) },
    { "Lua", v.lua },
    { "OpenBLAS", blas_text(m, v) },
    { "libpng", ("%s, zlib %s"):format(m.png, m.zlib) },
    { "libjpeg", core.has_jpeg and "built with it" or "built without it" },
    { "prompt", core.line_editing },
    { "system", m.system },
    { "processor", m.processor },
    { "kernels", core.kernels() },
    { "threads", ("%d, on %d cores"):format(core.threads(), m.cores) },
    { "memory", ("%s, available %s"):format(gigabytes(m.memory),
                                            gigabytes(m.memory_available)) },
    { "data", data_text() },
    { "terminal", terminal_text(m) },
    { "code", core.library_path() or "unknown" },
  }
  for _, row in ipairs(rows) do
    io.stdout:write(("%-10s %s\n"):format(row[1], row[2]))
  end
end

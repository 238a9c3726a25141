--- page.lua - the parts of a page that a command writes, between comments that name them.
--
--     <!-- growth: written by tests/bench/performance -->
--     ...
--     <!-- /growth -->
--
-- All else on the page is somebody's prose, and stays.

local page <const> = {}

function page.read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

function page.write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

--- The page's text with another part of that name.
function page.replace(text, name, part)
  local begins <const> = ("<!-- %s: %s -->\n"):format(
    name, "written by tests/bench/performance")
  local ends <const> = ("<!-- /%s -->"):format(name)
  local _, from <const> = text:find(begins, 1, true)
  local to <const> = from and text:find(ends, from + 1, true)
  if not to then error(("the page has no part '%s'"):format(name), 0) end
  return text:sub(1, from) .. "\n" .. part .. "\n" .. text:sub(to)
end

--- A table of Markdown: heads, then rows of cells, numbers to the right.
function page.table(heads, rows)
  local lines <const> = { "| " .. table.concat(heads, " | ") .. " |",
                          "|:--|" .. ("--:|"):rep(#heads - 1) }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = "| " .. table.concat(row, " | ") .. " |"
  end
  return table.concat(lines, "\n") .. "\n"
end

return page

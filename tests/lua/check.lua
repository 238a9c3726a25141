--- The whole test framework: a case passes, or prints why not.
local check = { failed = 0, passed = 0, skipped = 0 }

function check.case(name, body)
  local ok, why = xpcall(body, function(e)
    return type(e) == "table" and e.skip and e or debug.traceback(tostring(e), 2)
  end)
  if ok then
    check.passed = check.passed + 1
  elseif type(why) == "table" then
    check.skipped = check.skipped + 1
    print(("SKIP %s: %s"):format(name, why.skip))
  else
    check.failed = check.failed + 1
    print(("FAIL %s\n     %s"):format(name, why))
  end
end

--- Ends a case that cannot be tried here, with a word that says why.
function check.skip(why) error({ skip = why }, 0) end

function check.equal(a, b, what)
  if a ~= b then
    what = what or "value"
    error(("%s: got %s, expected %s"):format(what, tostring(a), tostring(b)), 2)
  end
end

function check.close(a, b, tolerance, what)
  if not (math.abs(a - b) <= tolerance * (1 + math.abs(a) + math.abs(b))) then
    error(("%s: %.9g and %.9g differ"):format(what or "values", a, b), 2)
  end
end

--- body must raise an error whose text contains `text`, literally.
function check.raises(text, body)
  local ok, why = pcall(body)
  if ok then error("nothing was raised", 2) end
  if not tostring(why):find(text, 1, true) then
    error(("raised '%s', which lacks '%s'"):format(tostring(why), text), 2)
  end
  return tostring(why)
end

function check.report()
  local skipped = check.skipped > 0 and (", %d skipped"):format(check.skipped) or ""
  print(("%d passed, %d failed%s"):format(check.passed, check.failed, skipped))
  os.exit(check.failed == 0, true)
end

return check

#!/bin/sh
# valgrind.sh - bad input under valgrind: one clear message, status 1, and nothing leaked.
# Skips (status 77) where valgrind is missing.
set -u
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# leakless STATUS TEXT ARGUMENTS...: the command ends so, says TEXT, and loses no memory
leakless() {
    status=$1 text=$2
    shift 2
    valgrind -q --leak-check=full --show-leak-kinds=definite,indirect,possible \
        --error-exitcode=99 --log-file="$work/log" \
        "$LUGANO" "$@" >"$work/out" 2>&1 </dev/null
    got=$?
    if [ $got -eq "$status" ] && grep -qF -- "$text" "$work/out" \
        && [ ! -s "$work/log" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $*: status $got, expected $status and '$text'"
        cat "$work/out" "$work/log"
    fi
}

echo "local x = = 1" >"$work/syntax.lua"
echo "not a picture" >"$work/bad.png"
head -c 3000 models/data/digits/t10k-images-idx3-ubyte.gz >"$work/cut.gz"
cat >"$work/shape.lua" <<'LUA'
local lg = require "lugano"
local D = lg.nn.Sequential { name = "D", input = { 1, 28, 28 }, lg.nn.Linear { 1 } }
LUA
cat >"$work/train.lua" <<'LUA'
local lg = require "lugano"
local nn = lg.nn
local opt = lg.options { epochs = 1, batch = 8, seed = 1 }
local D = nn.Sequential { name = "D", input = { 1, 28, 28 }, "flatten",
  nn.Linear { 16, norm = "batch", act = "relu" }, nn.Dropout { p = 0.2 },
  nn.Linear { 1 } }
local optD = lg.optim.Adam(D, { lr = 1e-3 })
local run, steps = lg.run("train", opt, { D = D, optD = optD }), 0
for x in run:progress(5) do
  steps = steps + 1
  run:log { D = optD:minimize(D(lg.randn(8, 1, 28, 28)):softplus():mean()) }
end
run:image("samples", lg.randn(4, 1, 28, 28)):checkpoint()
print(("%d steps"):format(steps))
LUA

leakless 0 hello -e 'print "hello"'
leakless 0 "5 steps" "$work/train.lua" --out="$work/run"
leakless 1 "syntax.lua:1:" "$work/syntax.lua"
leakless 1 "no option '--epoch'" "$work/train.lua" --epoch=3
leakless 1 "cannot open" "$work/missing.lua"
leakless 1 "is not a PNG file" -e "lg.image.load '$work/bad.png'"
leakless 1 "cut.gz" -e "lg.data.idx { images = '$work/cut.gz' }"
leakless 1 "(Linear" "$work/shape.lua"
leakless 1 "do not fit" -e "return lg.ones(2) + lg.ones(3)"
leakless 1 "oops" \
    -e "local x = lg.randn(3):track(); local y = (x * x):sum(); error 'oops'"
leakless 1 "cannot write" -e "lg.image.save('/nonexistent/x.png', lg.zeros(1, 8, 8))"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]

#!/bin/sh
# run.sh - adding an operator touches one file: builds Lugano with cube.c beside src/op,
# and looks for cube wherever operators are known.
set -eu
source=${LUGANO_SOURCE:-$PWD}
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

# quietly COMMAND...: what it said is shown if it fails
quietly() {
    "$@" >"$build/log" 2>&1 || { tail -n 40 "$build/log"; exit 1; }
}

quietly cmake -S "$source" -B "$build" -DCMAKE_C_COMPILER="${CC:-cc}" -DLG_DOUBLE=ON \
    -DCMAKE_BUILD_TYPE=None -DLG_EXTRA_OPS="$source/tests/extra/cube.c"
quietly cmake --build "$build" -j2 \
    --target lugano_program --target lugano_module --target test_gradients

cat >"$build/cube.lua" <<'END'
local lg = require "lugano"
local x = lg.tensor{2, -3}:track()
local y = lg.cube(x)
assert(y:at(1) == 8 and x:cube():at(2) == -27, "lg.cube and x:cube")
local g = lg.grad(y:sum(), x)
assert(g:at(1) == 12 and g:at(2) == 27, "its rule")
END
LUA_CPATH="$build/?.so" lua5.4 "$build/cube.lua"
"$build/lugano" "$build/cube.lua"
"$build/lugano" --manual | grep -q cube || { echo "cube is not in the manual"; exit 1; }
"$build/tests/test_gradients" cube

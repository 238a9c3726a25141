#!/bin/sh
# blas.sh - the builds of OpenBLAS that are installed side by side, with threads of their
# own (pthread), with OpenMP's, and without (serial): each serves linear algebra and plain
# C's large products, with the same bits on any number of our threads, and adds no more.
# LUGANO_BLAS names other folders to look in. Skips (status 77) where there is none.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/blas.lua" <<'LUA'
local lg = require "lugano"
lg.seed(3)
local function near(a, b, what)
  if not ((a - b):abs():amax():item() < 2e-3) then error(what .. " is wrong", 0) end
end
local n = 40
local a = lg.randn(n, n)
local t = a:transpose(1, 2)
local s = a:matmul(t) / n + lg.eye(n)
local w, v = lg.eigh(s)
near((v * w):matmul(v:transpose(1, 2)), s, "eigh")
local u, d, r = lg.svd(a)
near((u * d):matmul(r:transpose(1, 2)), a, "svd")
near(s:matmul(lg.solve(s, a)), a, "solve")
near(s:matmul(lg.inverse(s)), lg.eye(n), "inverse")
local l, q = lg.cholesky(s), lg.sqrtm(s)
near(l:matmul(l:transpose(1, 2)), s, "cholesky")
near(q:matmul(q), s, "sqrtm")
local x, y, first = lg.randn(400, 500), lg.randn(500, 400), nil
for _ = 1, 20 do
  local sum = x:matmul(y):sum():item()
  first = first or sum
  if sum ~= first then error("a product has other bits the next time", 0) end
end
local row = x:narrow(1, 7, 1)
near(row:matmul(y), (row:reshape(500, 1) * y):sum(1), "matmul")
local process = io.open "/proc/self/stat":read "n"
local count = io.popen("ls /proc/" .. process .. "/task | wc -l")
print(("%.17g %s"):format(first, count:read "n"))
LUA

# try BUILD THREADS: its sum into $sum, the threads of the process into $tasks
try() {
    said=$(LD_LIBRARY_PATH="$1" LUGANO_CPU=plain "$LUGANO" "$work/blas.lua" \
        --threads="$2" 2>&1) || { echo "FAIL $1 on $2 threads: $said"; exit 1; }
    sum=${said% *} tasks=${said#* }
}

found=0
for build in ${LUGANO_BLAS:-/usr/lib/*/openblas-*}; do
    [ -r "$build/libopenblas.so.0" ] || continue
    found=$((found + 1))
    try "$build" 1
    one=$sum spare=$((tasks - 1))          # idle threads of its own
    for threads in 2 4; do
        try "$build" $threads
        [ "$sum" = "$one" ] || { echo "FAIL $build: $sum, on one thread $one"; exit 1; }
        [ "$tasks" -le $((threads + spare)) ] \
            || { echo "FAIL $build: $tasks threads, $threads wanted"; exit 1; }
    done
    echo "$build: the same bits on 1, 2 and 4 threads; $spare idle of its own"
done
[ $found -gt 0 ] && exit
echo "skipped: no build of OpenBLAS is where Debian puts it"
exit 77

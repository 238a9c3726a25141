#!/bin/sh
# run.sh - a host as its writer builds it: installs the library into a temporary prefix,
# builds hello.c with find_package and with pkg-config, runs both, and looks at what the
# installed libraries show to the world.
set -eu
source=${LUGANO_SOURCE:-$PWD}
build=${LUGANO_BUILD:-$source/build/release}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# quietly COMMAND...: what it said is shown if it fails
quietly() {
    "$@" >"$place/log" 2>&1 || { tail -n 40 "$place/log"; exit 1; }
}

# greets PROGRAM: runs it, and compares what it says
greets() {
    "$1" >"$place/said" || { echo "$1 failed"; cat "$place/said"; exit 1; }
    for text in '{2,3} of 7' 'status -2: hello.lua:1: matmul: {2,3} by {2,3}' \
        '0 bytes left'; do
        grep -qF "$text" "$place/said" && continue
        echo "no '$text' in"
        cat "$place/said"
        exit 1
    done
}

quietly cmake --install "$build" --prefix "$place/prefix"

quietly cmake -S "$source/tests/hosts" -B "$place/package" \
    -DCMAKE_C_COMPILER="${CC:-cc}" -DCMAKE_PREFIX_PATH="$place/prefix"
quietly cmake --build "$place/package"
greets "$place/package/hello"
quietly "$place/package/faults"

pc=$(find "$place/prefix" -name lugano.pc)
library=$(find "$place/prefix" -name liblugano.so)
flags=$(PKG_CONFIG_PATH=${pc%/*} pkg-config --cflags --libs lugano)
quietly "${CC:-cc}" -Wall -Wextra -Werror "$source/tests/hosts/hello.c" \
    -o "$place/hello" $flags "-Wl,-rpath,${library%/*}"
greets "$place/hello"

sh "$source/tests/exports.sh" "$library" "$(find "$place/prefix" -name lugano.so)"

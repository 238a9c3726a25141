#!/bin/sh
# docs.sh - follows docs/guide.md in an empty folder, as a reader does: its file is made
# of its blocks, and each of its commands runs, cut to a few steps. The first one is CI's.
set -eu
source=$(cd "${LUGANO_SOURCE:-$PWD}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work"
unset LUGANO_DATA

# fail TEXT...: says why, and shows what the last command said
fail() {
    echo "FAIL $*"
    cat "$work/said"
    exit 1
}

# has FILE...: each of them is there
has() {
    for file in "$@"; do
        [ -s "$file" ] || fail "there is no $file"
    done
}

# quietly COMMAND...: its output is kept aside
quietly() {
    "$@" >"$work/said" 2>&1 || fail "$*"
}

# A source folder as the reader has it: the program where the build leaves it, from where
# it finds the digits although the shell found it in PATH; the page.
mkdir -p "$work/source/build/release"
cp "$LUGANO" "$work/source/build/release/lugano"
ln -s "$source/docs" "$source/models" "$work/source"
cd "$work/source"
export PATH="$PWD/build/release:$PATH"
mkdir -p ~/gan && cd ~/gan
lugano </dev/null

awk '/^\140\140\140/ { on = /lua$/; next } on' "$OLDPWD/docs/guide.md" > digits_guide.lua

short="--steps=3 --batch=8 --epochs=1"
quietly lugano digits_guide.lua $short
run=out/digits_guide
has $run/report.html $run/config.json $run/metrics.jsonl $run/samples/000000.png \
    $run/samples/000003.png $run/walk/000003.png $run/checkpoints/last.safetensors
grep -q '^3 steps; the pictures are in' "$work/said" || fail "the last line is another"
sed -n '/^G (Sequential)$/,/ in all$/p' "$source/docs/guide.md" >"$work/net"
has "$work/net"
while IFS= read -r line; do
    grep -qxF -- "$line" "$work/said" || fail "the nets are printed otherwise: $line"
done <"$work/net"
quietly lugano digits_guide.lua --resume --epochs=30 --steps=5 --batch=8
has $run/samples/000005.png

while IFS= read -r line; do
    quietly $line $short
done <<'END'
lugano digits_guide.lua --epochs=5 --loss=minimax --lr=1e-4 --lr_d=3e-3 --out=out/sure
lugano digits_guide.lua --epochs=4 --lr=5e-2 --lr_d=1e-3 --out=out/collapsed
lugano digits_guide.lua --epochs=3 --lr=0.1 --out=out/black
lugano digits_guide.lua --epochs=3 --lr_d=2e-2 --out=out/diverged
lugano digits_guide.lua --r1=1 --out=out/r1
END
for name in sure collapsed black diverged r1; do
    has out/$name/samples/000003.png
done
quietly lugano report out/digits_guide out/r1
has $run/compare.html
echo "the guide's file and its commands run"

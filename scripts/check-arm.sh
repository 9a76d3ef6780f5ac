#!/usr/bin/env bash
# check-arm.sh - checks under qemu that trit gives the same bytes on 64-bit Arm as on this machine.
#
#   scripts/check-arm.sh TRIT [SHARED [BUILD_FOLDER]]      TRIT: the program for this machine
#
# Builds for aarch64 (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user) and runs under
# qemu as a Cortex-A53 (plain NEON), a Cortex-A76 (dot product) and "max" (matrix product):
#
#   - check_kernels
#   - the logits of fixtures and, with SHARED, of SHARED/golden
#   - a story of the built-in model
#
# Logits and story must be byte-identical to those of this machine.
set -euo pipefail
trit=$(realpath "$1")
shared=${2:+$(realpath "$2")}
root=$(realpath "$(dirname "$0")/..")
build=$(realpath -m "${3:-$root/build-arm}")
cd "$root"

. scripts/need.sh
need "command -v aarch64-linux-gnu-gcc" gcc-aarch64-linux-gnu libc6-dev-arm64-cross
need "command -v qemu-aarch64" qemu-user

cmake -S . -B "$build" -DTRIT_TESTS=ON -DTRIT_WERROR=ON -DCMAKE_SYSTEM_NAME=Linux \
    -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc \
    -DCMAKE_EXE_LINKER_FLAGS=-static >/dev/null
cmake --build "$build" -j "$(nproc)" >"$build/build.log" || {
    cat "$build/build.log" >&2
    exit 1
}

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
unset TRIT_MODEL
export LC_ALL=C
qemu-aarch64 -cpu max "$build/tests/make_fixtures" "$out"
models=$out/good.gguf
for variant in bitskip-v2 bitnet-8bit; do
    "$trit" convert -q "$out/$variant" -o "$out/$variant.gguf"
    models="$models $out/$variant.gguf"
done
[ -z "$shared" ] || models="$models $(echo "$shared"/golden/*.gguf)"
for model in $models; do
    "$trit" logits -m "$model" --tokens 1,2,3,4,5 -o "$out/$(basename "$model").npy"
done
story=(run -p "Once upon a time" -n 40 --seed 7 -q)
"$trit" "${story[@]}" >"$out/story"

check() { # check CPU BEST_ROW
    local best
    best=$(qemu-aarch64 -cpu "$1" "$build/trit" info | awk '$1 == "isa" { print $2 }')
    if [ "$best" != "$2" ]; then
        echo "check-arm: a $1 picks '$best', not '$2'" >&2
        exit 1
    fi
    qemu-aarch64 -cpu "$1" "$build/tests/check_kernels" --seed 1 >"$out/kernels" || {
        echo "check-arm: check_kernels exited with $? as a $1" >&2
        tail -n 5 "$out/kernels" >&2
        exit 1
    }
    tail -n 1 "$out/kernels"
    for model in $models; do
        qemu-aarch64 -cpu "$1" "$build/trit" logits -m "$model" --tokens 1,2,3,4,5 -t 2 \
            -o "$out/there.npy"
        cmp "$out/$(basename "$model").npy" "$out/there.npy"
    done
    qemu-aarch64 -cpu "$1" "$build/trit" "${story[@]}" -t 2 | cmp "$out/story" -
    echo "$1: $2, $(echo "$models" | wc -w) models and a story are byte-identical to this machine"
}

check cortex-a53 neon
check cortex-a76 dotprod
check max i8mm

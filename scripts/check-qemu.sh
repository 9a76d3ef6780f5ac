#!/usr/bin/env bash
# check-qemu.sh - checks under qemu that trit gives the same bytes on older x86-64 CPUs.
#
#   scripts/check-qemu.sh BUILD_FOLDER [SHARED]
#
# Runs the x86-64 build under qemu (Debian: qemu-user) as a Nehalem, which has no AVX and uses the
# scalar kernels, and as a Haswell, which has AVX2 and nothing later: check_kernels, and the logits
# of fixtures, of the built-in model and, with SHARED, of two models of SHARED/golden. The logits
# must be byte-identical to those of this machine.
set -euo pipefail
build=$1
shared=${2:-}
cd "$(dirname "$0")/.."

. scripts/need.sh
need "command -v qemu-x86_64" qemu-user

unset TRIT_MODEL
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$build/tests/make_fixtures" "$out"
models="built-in $out/good.gguf"
for variant in bitskip-v2 bitnet-8bit; do
    "$build/trit" convert -q "$out/$variant" -o "$out/$variant.gguf"
    models="$models $out/$variant.gguf"
done
[ -z "$shared" ] || models="$models $shared/golden/b158-i2s.gguf $shared/golden/llama-tq1-untied.gguf"

check() { # check CPU BEST_ROW
    local best
    best=$(qemu-x86_64 -cpu "$1" "$build/trit" info 2>/dev/null | awk '$1 == "isa" { print $2 }')
    if [ "$best" != "$2" ]; then
        echo "check-qemu: a $1 picks '$best', not '$2'" >&2
        exit 1
    fi
    qemu-x86_64 -cpu "$1" "$build/tests/check_kernels" --seed 1 --slack 16 2>/dev/null | tail -n 1
    for model in $models; do
        "$build/trit" logits -m "$model" --tokens 1,2,3,4,5 -o "$out/here.npy"
        qemu-x86_64 -cpu "$1" "$build/trit" logits -m "$model" --tokens 1,2,3,4,5 \
            -o "$out/there.npy" 2>/dev/null
        cmp "$out/here.npy" "$out/there.npy"
    done
    echo "$1: $2, $(echo "$models" | wc -w) models are byte-identical to this machine"
}

check Nehalem scalar
check Haswell avx2

#!/usr/bin/env bash
# fuzz.sh - runs fuzz targets for SECONDS each, with libFuzzer, ASan and UBSan.
#
#   scripts/fuzz.sh SECONDS [TARGET]               e.g. scripts/fuzz.sh 300 gguf
#
# Without TARGET it runs all targets. A target is a file tests/fuzz/fuzz_TARGET.c, built with clang
# in build-fuzz. It starts from the seeds of the tests, and keeps the inputs that reach new code in
# build-fuzz/corpus/TARGET for the next run.
#
# An input is a finding if the library crashes on it, leaks, breaks a promise that the target
# checks, takes more than 256 MB at once or runs for more than 10 seconds. It goes to
# build-fuzz/crashes, and the exit code is 1. When the fault is fixed, add the input to
# tests/fuzz/corpus/TARGET: the test fuzz_replay_TARGET runs the files there. The script installs
# missing Debian packages if it runs as root.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-}
if ! [[ $seconds =~ ^[1-9][0-9]*$ ]] || [ $# -gt 2 ]; then
    sed -n '4s/^# *//p' "$0" >&2
    exit 2
fi
only=${2:-}
if [ -n "$only" ] && [ ! -f "tests/fuzz/fuzz_$only.c" ]; then
    echo "fuzz.sh: tests/fuzz/fuzz_$only.c does not exist" >&2
    exit 2
fi

. scripts/need.sh
need "command -v cmake" cmake
need "command -v make" make
need "command -v clang" clang
need "echo 'int LLVMFuzzerTestOneInput(void){return 0;}' |
    clang -fsanitize=fuzzer,address,undefined -x c - -o /dev/null" libclang-rt-14-dev
need "echo '#include <cmocka.h>' | clang -include stdarg.h -include stddef.h -include stdint.h \
    -include setjmp.h -E -" libcmocka-dev

build=build-fuzz
# -O1 and no build type: with -O3 stack traces, and the edges that count as new code, are less
# exact.
cmake -S . -B $build -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-O1 \
    -DTRIT_TESTS=ON -DTRIT_SANITIZE=fuzzer-no-link,address,undefined >/dev/null
{
    cmake --build $build -j "$(nproc)" --target fuzzers &&
        ctest --test-dir $build -R '^fuzz_seeds$' --output-on-failure
} >$build/build.log 2>&1 || {
    cat $build/build.log >&2
    exit 1
}

export UBSAN_OPTIONS=print_stacktrace=1
mkdir -p $build/crashes
found=0
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    name=${name#fuzz_}
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    corpus=$build/corpus/$name
    mkdir -p "$corpus"
    inputs=("$corpus")
    for folder in "$build/tests/fuzz/seeds/$name" "tests/fuzz/corpus/$name"; do
        [ ! -d "$folder" ] || inputs+=("$folder")
    done
    "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=$((1 << 18)) -timeout=10 \
        -rss_limit_mb=1024 -malloc_limit_mb=256 -print_final_stats=1 \
        -artifact_prefix="$build/crashes/$name-" "${inputs[@]}" || {
        found=1
        echo "fuzz.sh: findings of $name; to replay one: $build/tests/fuzz/fuzz_$name FILE" >&2
        find $build/crashes -name "$name-*" -printf '  %p\n' >&2
    }
done
exit $found

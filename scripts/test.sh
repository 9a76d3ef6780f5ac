#!/usr/bin/env bash
# test.sh - builds trit and runs its tests.
#
#   scripts/test.sh [--quick] [BUILD_FOLDER] [CMAKE_OPTION...]
#
#   scripts/test.sh                                                        all tests, in build/
#   scripts/test.sh --quick                                                the core suites, in seconds
#   scripts/test.sh build-asan -DTRIT_SANITIZE=address,undefined
#
# Installs missing Debian packages if it runs as root. TRIT_SHARED names a folder with reference
# models; the tests that use them are skipped without it. CTEST_ARGS holds more options for ctest.
set -euo pipefail
cd "$(dirname "$0")/.."

. scripts/need.sh

cc=${CC:-cc}
need "command -v cmake" cmake
need "command -v make" make
need "command -v $cc" "$([ "$cc" = clang ] && echo clang || echo gcc)"
need "echo '#include <cmocka.h>' | $cc -include stdarg.h -include stddef.h -include stdint.h \
    -include setjmp.h -E -" libcmocka-dev
# Without these, the tests of C++, of Python and of an installation are skipped.
want() { [ "$(id -u)" != 0 ] || need "$@"; }
want "command -v c++" g++
want "command -v pkg-config" pkg-config
want "python3 -c 'import ensurepip'" python3 python3-venv
case "$*" in
*TRIT_SANITIZE*)
    if [ "$cc" = clang ]; then
        need "echo 'int main(void){return 0;}' | clang -fsanitize=address,undefined -x c - -o /dev/null" \
            libclang-rt-14-dev
    fi
    ;;
esac

# Some tests ask for more memory than the machine has, and expect NULL.
export ASAN_OPTIONS="allocator_may_return_null=1:${ASAN_OPTIONS:-}"
export TSAN_OPTIONS="allocator_may_return_null=1:${TSAN_OPTIONS:-}"

only=
[ "${1:-}" = --quick ] && { only="-L quick"; shift; }
build=${1:-build}
[ $# -gt 0 ] && shift
cmake -S . -B "$build" -DTRIT_TESTS=ON "$@"
cmake --build "$build" -j "$(nproc)"
# shellcheck disable=SC2086
ctest --test-dir "$build" --output-on-failure -j "$(nproc)" $only ${CTEST_ARGS:-}

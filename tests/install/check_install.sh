#!/usr/bin/env bash
# check_install.sh - installs a build into a folder and builds programs of others against it.
#
#   tests/install/check_install.sh BUILD [CC [CXX]]
#
# In C, in C++ and with CMake: each must print what the installed program prints. Also looks at the
# symbols of the shared library and at the packages that cpack makes. Says what it skips because a
# tool is missing.
set -euo pipefail
build=$(realpath "$1") cc=${2:-cc} cxx=${3:-c++}
here=$(realpath "$(dirname "$0")") source=$(realpath "$(dirname "$0")/../..")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset TRIT_MODEL
export LC_ALL=C
model=$source/models/fables.gguf prompt="Once upon a time" failed=0

fail() {
    echo "check_install: $*"
    failed=1
}

# missing TOOL WHAT: whether there is no such tool, which it says
missing() {
    ! command -v "$1" >/dev/null || return 1
    echo "check_install: skipped $2: no $1"
}

# expect WHAT PROGRAM...: it prints the same story as the program of this build
expect() {
    local what=$1
    shift
    "$@" "$model" "$prompt" >"$dir/said" 2>&1 || fail "$what ends with status $?"
    cmp -s "$dir/said" "$dir/story" || fail "$what says '$(head -c 200 "$dir/said")'"
}

cmake --install "$build" --prefix "$dir/prefix" >/dev/null
prefix=$dir/moved # an installation can be moved
mv "$dir/prefix" "$prefix"
lib=$(dirname "$(find "$prefix" -name libtrit.a)")
export LD_LIBRARY_PATH=$lib DYLD_LIBRARY_PATH=$lib PKG_CONFIG_PATH=$lib/pkgconfig
"$prefix/bin/trit" run -m "$model" -p "$prompt" -n 40 --temp 0 -q >"$dir/story"
[ -s "$dir/story" ] || fail "the installed program says nothing"
truncate -s -1 "$dir/story" # its newline at the end

for file in include/trit.h include/trit_tools.h include/trit.hpp share/man/man1/trit.1 \
    share/bash-completion/completions/trit share/zsh/site-functions/_trit \
    share/fish/vendor_completions.d/trit.fish; do
    [ -s "$prefix/$file" ] || fail "$file is not installed"
done

# The shared library has the functions of the headers, and nothing else.
if ! missing nm symbols && [ -e "$lib/libtrit.so" ]; then
    nm -D --defined-only "$lib/libtrit.so" | awk '{ print $3 }' | grep -v '^__odr_asan' | sort >"$dir/symbols"
    sed -n 's/^TRIT_API [^(]*\(trit_[a-z0-9_]*\)(.*/\1/p; /^TRIT_API [^(]*$/{n;s/^\(trit_[a-z0-9_]*\)(.*/\1/p;}' \
        "$source/include/trit.h" "$source/include/trit_tools.h" | sort >"$dir/declared"
    diff "$dir/declared" "$dir/symbols" || fail "the symbols of libtrit.so are not those of the headers"
fi

sanitize=$(sed -n 's/^TRIT_SANITIZE:STRING=//p' "$build/CMakeCache.txt")
flags=${sanitize:+-fsanitize=$sanitize}
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
if ! missing pkg-config "C and C++ with pkg-config"; then
    $cc -std=c11 $warnings $flags "$here/consumer.c" $(pkg-config --cflags --libs trit) -o "$dir/c"
    expect "C, shared" "$dir/c"
    $cc -std=c11 $flags "$here/consumer.c" $(pkg-config --cflags trit) "$lib/libtrit.a" -pthread -lm -o "$dir/cs"
    expect "C, static" "$dir/cs"
    if ! missing "${cxx%% *}" C++; then
        $cxx -std=c++17 $warnings $flags "$here/consumer.cpp" $(pkg-config --cflags --libs trit) -o "$dir/cpp"
        expect "C++" "$dir/cpp"
    fi
fi

# The Python package finds an installed library.
if ! missing python3 Python && [ -z "$sanitize" ]; then
    cp -r "$source/tools/python/trit" "$dir/trit" # away from the source, where there is a build/
    cat >"$dir/story.py" <<'END'
import sys, trit
print(trit.Llama(sys.argv[1])(sys.argv[2], max_tokens=40, temperature=0)["choices"][0]["text"], end="")
END
    expect Python env -u TRIT_LIBRARY PYTHONPATH="$dir" PYTHONDONTWRITEBYTECODE=1 python3 "$dir/story.py"
fi

# with_cmake HOW PROGRAMS OPTIONS...
with_cmake() {
    local how=$1 programs=$2 program
    shift 2
    cmake -S "$here" -B "$dir/$how" --no-warn-unused-cli -DHOW="$how" -DTRIT_SOURCE="$source" -DCMAKE_C_COMPILER="$cc" \
        -DCMAKE_C_FLAGS="$flags" "$@" >"$dir/log" 2>&1 &&
        cmake --build "$dir/$how" --parallel 2 >>"$dir/log" 2>&1 ||
        { fail "CMake, $how"; tail -n 20 "$dir/log"; return; }
    ! grep -i "warning\|fables" "$dir/log" || fail "CMake, $how: a warning"
    for program in $programs; do
        expect "CMake, $how, $program" "$dir/$how/$program"
    done
}
with_cmake package "with_static with_shared" -DCMAKE_PREFIX_PATH="$prefix"
if [ -z "$sanitize" ]; then # this compiles the library again
    with_cmake folder with_static -DCMAKE_BUILD_TYPE=MinSizeRel -DTRIT_INSTALL=ON
    cmake --install "$dir/folder" --prefix "$dir/other" >/dev/null || fail "CMake, folder: install"
    [ ! -e "$dir/folder/CPackConfig.cmake" ] || fail "CMake, folder: packages that nobody asked for"
    [ -n "$(find "$dir/other" -name libtrit.so)" ] || fail "CMake, folder: no libtrit.so is installed"
    cmake -S "$here" -B "$dir/fetch" -DHOW=fetch -DTRIT_SOURCE="$source" -DCMAKE_C_COMPILER="$cc" \
        -DCMAKE_BUILD_TYPE=Debug -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >"$dir/log" 2>&1 ||
        { fail "CMake, fetch"; tail -n 20 "$dir/log"; }
    ! grep -i "warning\|fables" "$dir/log" || fail "CMake, fetch: a warning"
    grep '"command"' "$dir/fetch/compile_commands.json" | grep -F "$source/src/" >"$dir/list" ||
        fail "CMake, fetch: no library"
    ! grep -qv -e '-ffp-contract=off.*-O3' "$dir/list" || fail "CMake, fetch: it is not optimized"

    (cd "$dir" && cpack --config "$build/CPackConfig.cmake" -B "$dir/packages") >"$dir/log" 2>&1 ||
        { fail "cpack"; tail -n 20 "$dir/log"; }
    tar -tzf "$dir"/packages/*.tar.gz >"$dir/list" || fail "no .tar.gz"
    for file in bin/trit include/trit.hpp trit.pc trit-config.cmake man1/trit.1; do
        grep -q "$file$" "$dir/list" || fail "the .tar.gz has no $file"
    done
    if ! missing dpkg-deb "the .deb"; then
        dpkg-deb -c "$dir"/packages/*.deb >"$dir/list"
        grep -q ' ./usr/bin/trit$' "$dir/list" || fail "the .deb has no program"
    fi
fi
[ "$failed" = 1 ] || echo "check_install: all consumers print the same story"
exit $failed

#!/usr/bin/env bash
# quickstart.sh - builds trit in a fresh clone and runs it.
#
#   scripts/quickstart.sh [BEGINNING]           "Once upon a time" by default
#
# Installs a C compiler, make and CMake if they are missing (on Debian and Ubuntu with apt-get, and
# sudo if needed; on macOS with xcode-select and Homebrew) and says so first. Builds build/trit and
# lets its built-in model tell a story. Nothing else is installed or downloaded.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "quickstart: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

stop() {
    say "$*"
    exit 1
}

# as_root COMMAND...
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        stop "this command needs root, and sudo is missing: $*"
    fi
}

compiler() {
    if [ -n "${CC:-}" ]; then
        have "${CC%% *}"
    elif [ "$(uname -s)" = Darwin ]; then
        xcode-select -p >/dev/null 2>&1 # without the tools, cc only asks to install them
    else
        have cc || have gcc || have clang
    fi
}

case "$#:${1:-}" in
0: | 1:[!-]*) ;;
*)
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0" >&2
    exit 2
    ;;
esac

missing=()
if [ -n "${CC:-}" ]; then
    compiler || stop "CC is '$CC', which was not found"
fi
compiler || missing+=(gcc)
if ! have make && have ninja; then
    export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}" # CMake looks for make by default
fi
have make || have ninja || missing+=(make)
have cmake || missing+=(cmake)

if [ ${#missing[@]} -gt 0 ]; then
    if have apt-get; then
        # Of the packages that gcc recommends, only libc6-dev is needed.
        [[ " ${missing[*]} " != *" gcc "* ]] || missing+=(libc6-dev)
        say "installing ${missing[*]} (apt-get)"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends "${missing[@]}" >/dev/null
    elif [ "$(uname -s)" = Darwin ]; then
        if ! compiler; then
            say "asking macOS for its command line tools (compiler and make)"
            xcode-select --install || true
            stop "run this script again when they are installed"
        fi
        have brew || stop "please install CMake, from cmake.org or with Homebrew (brew.sh)"
        say "installing cmake (brew)"
        brew install --quiet cmake
    else
        stop "please install these packages: ${missing[*]}"
    fi
fi

version=$(cmake --version | sed -n 's/^cmake version //p')
case $version in
[012].* | 3.[0-9].* | 3.1[0-9].*)
    stop "CMake is $version; trit needs 3.20 or later (from cmake.org)"
    ;;
esac

cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
say "building build/trit on $cores cores, less than a minute on two"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake -S . -B build -DTRIT_EMBED=ON && cmake --build build --parallel "$cores"; } \
    >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    stop "the build failed; the last lines of its output are above"
fi

story=(run -p "${1:-Once upon a time}" --echo -n 200)
say "build/trit run -p \"${story[2]}\" --echo -n 200"
echo >&2
env -u TRIT_MODEL build/trit "${story[@]}"
cat >&2 <<'END'

The story is different each time; --seed N repeats one. Now try:

  build/trit chat                                       write a story together
  build/trit bench                                      measure the speed of this machine
  build/trit convert FOLDER -o model.gguf               convert a checkpoint from Hugging Face
  build/trit chat -m model.gguf
  build/trit --help
END

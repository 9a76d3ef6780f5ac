#!/usr/bin/env bash
# quickstart.sh - from a fresh clone to a story.
#
#   scripts/quickstart.sh [BEGINNING]           "Once upon a time" by default
#
# Installs a C compiler, make and CMake where they are missing (Debian and Ubuntu by apt-get, with
# sudo where that is needed; macOS by xcode-select and Homebrew) and says so before it does; builds
# build/trit; lets the model that it carries tell a story. Nothing else is installed or downloaded.
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
        stop "this needs root, and there is no sudo: $*"
    fi
}

compiler() {
    if [ -n "${CC:-}" ]; then
        have "${CC%% *}"
    elif [ "$(uname -s)" = Darwin ]; then
        xcode-select -p >/dev/null 2>&1 # without it, cc is there but only asks for it
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
    compiler || stop "CC is '$CC', which is not there"
fi
compiler || missing+=(gcc)
if ! have make && have ninja; then
    export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}" # CMake would look for make
fi
have make || have ninja || missing+=(make)
have cmake || missing+=(cmake)

if [ ${#missing[@]} -gt 0 ]; then
    if have apt-get; then
        # Without what gcc recommends: libc6-dev is the part of it that is needed.
        [[ " ${missing[*]} " != *" gcc "* ]] || missing+=(libc6-dev)
        say "installing ${missing[*]} (apt-get)"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends "${missing[@]}" >/dev/null
    elif [ "$(uname -s)" = Darwin ]; then
        if ! compiler; then
            say "asking macOS for its command line tools (compiler and make)"
            xcode-select --install || true
            stop "when they are installed, start me again"
        fi
        have brew || stop "please install CMake, from cmake.org or by Homebrew (brew.sh)"
        say "installing cmake (brew)"
        brew install --quiet cmake
    else
        stop "please install, by the means of this system: ${missing[*]}"
    fi
fi

version=$(cmake --version | sed -n 's/^cmake version //p')
case $version in
[012].* | 3.[0-9].* | 3.1[0-9].*)
    stop "CMake here is $version; trit takes 3.20 or later (cmake.org has it for any system)"
    ;;
esac

cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
say "building build/trit on $cores cores, less than a minute on two"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake -S . -B build -DTRIT_EMBED=ON && cmake --build build --parallel "$cores" --target trit_program; } \
    >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    stop "the build failed; its last lines are above"
fi

story=(run -p "${1:-Once upon a time}" --echo -n 200)
say "build/trit run -p \"${story[2]}\" --echo -n 200"
echo >&2
env -u TRIT_MODEL build/trit "${story[@]}"
cat >&2 <<'END'

Another one each time; --seed N tells the same again. Now try:

  build/trit chat                                       go on with a story together
  build/trit bench                                      how fast it is here, beside this machine's limits
  build/trit convert FOLDER -o model.gguf               a checkpoint from Hugging Face, without Python
  build/trit chat -m model.gguf
  build/trit --help
END

#!/bin/sh
# check_layers.sh [SOURCE [BUILD]] - the rules of the house that a script can check, over the source
# tree (default: the current folder) and, where a build folder is given, over its objects.
#
#   includes point downwards only; conditions on the architecture only where they belong; src/ and
#   kernels/ never print, exit or read the environment; kernels/ has no memory and no threads; form
#   of the text; exported symbols; nothing at the top but what belongs there.
#
# Offenders are printed as FILE:LINE: why. Exit code 1 if there are any.

set -u
LC_ALL=C
export LC_ALL
cd "${1:-.}" || exit 2
build=${2:-}
tab=$(printf '\t')
found=$(mktemp) || exit 2
code=$(mktemp) || exit 2
trap 'rm -f "$found" "$code"' EXIT

[ -f include/trit.h ] || { echo "check_layers: $(pwd) is not the source tree" >&2; exit 2; }

# The text of a C file without comments and without what is between quotes; lines stay lines.
strip() {
    awk '{
        out = ""
        for (i = 1; i <= length($0); i++) {
            c = substr($0, i, 1)
            two = substr($0, i, 2)
            if (comment) {
                if (two == "*/") { comment = 0; i++ }
            } else if (quote != "") {
                if (c == "\\") i++
                else if (c == quote) { quote = ""; out = out c }
            } else if (two == "/*") {
                comment = 1; i++; out = out " "
            } else if (two == "//") {
                break
            } else {
                if (c == "\"" || c == "\047") quote = c
                out = out c
            }
        }
        quote = ""
        print out
    }' "$1"
}

# offend FILE PATTERN WHY: lines of $code that match
offend() {
    grep -nE "$2" "$code" | sed "s|^\([0-9]*\):.*|$1:\1: $3|" >>"$found"
}

# ---- Includes ------------------------------------------------------------------------------------

# Where a file of this folder may take project headers from.
allowed() {
    case $1 in
    kernels) echo kernels ;;
    src/base) echo src/base include ;;
    src/file) echo src/file src/base kernels include ;;
    src/text) echo src/text src/file src/base kernels include ;;
    src/run) echo src/run src/text src/file src/base kernels include ;;
    src/convert) echo src/convert src/run src/text src/file src/base kernels include ;;
    tools) echo tools include ;;
    include) echo include ;;
    *) echo nowhere ;;
    esac
}

check_includes() {
    folder=$(dirname "$1")
    below=$(allowed "$folder")
    grep -nE '^[[:blank:]]*#[[:blank:]]*include' "$1" |
        sed -nE 's/^([0-9]+):[^"<]*(["<])([^">]*)[">].*/\1 \2 \3/p' |
        while read -r line kind name; do
            ok=no
            for d in $below; do
                [ -f "$d/$name" ] && ok=yes
            done
            case $name in
            */../* | ../*) ok=no ;;
            esac
            # what is no header of the project at all comes from the system
            if [ "$kind" = '<' ] && [ -z "$(find include kernels src tools tests -name "${name##*/}" \
                -print 2>/dev/null)" ]; then
                ok=yes
            fi
            [ $ok = yes ] || echo "$1:$line: includes $name, which is not below $folder" >>"$found"
        done
}

# ---- Code ----------------------------------------------------------------------------------------

condition='^[[:blank:]]*#[[:blank:]]*(if|ifdef|ifndef|elif)[^a-z].*'
architecture='(__x86_64|__amd64|__i386|__aarch64|__arm|__ARM|__AVX|__SSE|__FMA|__F16C|__riscv|__powerpc|_M_)'
printing='(^|[^A-Za-z0-9_])(v?f?printf|puts|fputs|putchar|putc|fputc|perror|syslog) *\('
ending='(^|[^A-Za-z0-9_])(exit|_exit|_Exit|quick_exit|abort|raise) *\('
environment='(^|[^A-Za-z0-9_])(secure_)?(getenv|setenv|putenv|environ)($|[^A-Za-z0-9_])'
streams='(^|[^A-Za-z0-9_])(stdin|stdout|stderr)($|[^A-Za-z0-9_])'
memory='(^|[^A-Za-z0-9_])([mc]alloc|realloc|aligned_alloc|posix_memalign|free|alloca|mmap) *\('
threads='(pthread|(^|[^A-Za-z0-9_])(thrd_|mtx_))'

check_code() {
    strip "$1" >"$code"
    case $1 in
    kernels/cpu.c | kernels/dispatch.c | src/base/platform*.c) ;;
    *) offend "$1" "$condition$architecture" 'a condition on the architecture' ;;
    esac
    case $1 in
    src/* | kernels/*)
        offend "$1" "$printing" 'prints'
        offend "$1" "$ending" 'ends the program'
        offend "$1" "$environment" 'reads the environment'
        offend "$1" "$streams" 'uses a standard stream'
        ;;
    esac
    case $1 in
    kernels/*)
        offend "$1" "$memory" 'takes memory'
        offend "$1" "$threads" 'uses threads'
        ;;
    esac
}

# ---- Text ----------------------------------------------------------------------------------------

check_text() {
    cat "$1" >"$code"
    offend "$1" "$tab" 'a tab'
    offend "$1" '[[:blank:]]$' 'blanks at the end'
    offend "$1" "$(printf '\r')" 'a carriage return'
    offend "$1" '(TODO|FIXME)' 'something left to do'
    tr -d '\200-\277' <"$1" >"$code" # one byte a character is left
    offend "$1" '^.{101}' 'more than 100 columns'
    [ -z "$(tail -c 1 "$1")" ] || echo "$1:$(wc -l <"$1"): no newline at the end" >>"$found"
}

# ---- Symbols -------------------------------------------------------------------------------------

# Global symbols of an object or archive; a sanitizer's own are none of ours.
symbols() {
    nm -g "$1" 2>/dev/null | awk 'NF == 3 && $2 ~ /^[A-TV-Z]$/ { print $3 }' |
        { if [ "$(uname)" = Darwin ]; then sed 's/^_//'; else cat; fi; } |
        grep -vE '^(__odr_asan|__asan|___asan|_*__sancov|__llvm|__gcov)'
}

check_symbols() {
    library=$(find "$build" -name libtrit.a | head -n 1)
    if [ -z "$library" ]; then
        echo "$build: holds no libtrit.a" >>"$found"
        return
    fi
    for name in $(symbols "$library" | sort -u | grep -vE '^(trit|gguf)_'); do
        echo "$library: exports $name" >>"$found"
    done
    for object in $(find "$build" -path '*trit_kernels.dir/kernels/*' -name '*.o' | sort); do
        isa=$(basename "$object" | sed 's/\..*//')
        grep -q "trit_kernels_init_$isa(" kernels/kernels.h || continue # no instruction set's
        list=$(symbols "$object" | tr '\n' ' ')
        [ "$list" = "trit_kernels_init_$isa " ] ||
            echo "$object: exports $list, not only trit_kernels_init_$isa" >>"$found"
    done
}

# ---- The top -------------------------------------------------------------------------------------

# What git keeps at the top, where this is a checkout; tests that are killed leave folders behind.
check_top() {
    git ls-files 2>/dev/null | cut -d / -f 1 | sort -u |
        grep -vxE '\..*|CMakeLists\.txt|README\.md|LICENSE|include|src|kernels|tools|tests|models|scripts' |
        sed 's/$/: does not belong at the top/' >>"$found"
}

# ---- All of it -----------------------------------------------------------------------------------

check_top
n_files=0
for file in include/*.h kernels/*.[ch] kernels/*.inc src/*/*.[ch] tools/*.[ch]; do
    [ -f "$file" ] || continue
    n_files=$((n_files + 1))
    check_includes "$file"
    check_code "$file"
done
for file in include/*.h kernels/*.[ch] kernels/*.inc src/*/*.[ch] tools/*.[ch] tests/*/*.[ch] CMakeLists.txt \
    tests/CMakeLists.txt cmake/*.cmake; do
    [ -f "$file" ] && check_text "$file"
done
[ -z "$build" ] || check_symbols

if [ -s "$found" ]; then
    sort -u "$found"
    echo "check_layers: $(sort -u "$found" | wc -l | tr -d ' ') offences in $n_files files"
    exit 1
fi
echo "check_layers: $n_files files are in order"

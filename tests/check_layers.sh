#!/bin/sh
# check_layers.sh [SOURCE [BUILD]] - the rules of the house that a script can check, over the source
# tree (default: the current folder) and, if a build folder is given, over its objects.
#
#   - a file includes only what the table below allows its folder to include
#   - no file includes itself by way of others; a .c and the .h beside it count as one
#   - no two files have the same name
#   - conditions on the architecture stand only where they belong
#   - src/ and kernels/ never print, exit or read the environment
#   - kernels/ takes no memory and starts no threads
#   - the form of the text: tabs, blanks at the end of a line, 100 columns, things left to do
#   - the library exports trit_* and gguf_*, an instruction set's object its one function
#   - nothing lies at the top of the tree but what belongs there
#
# Prints each offence as FILE:LINE: WHY. Exit status: 0 if there are none, 1 if there are, 2 if it
# could not look. tests/check_layers_test.sh proves that each rule finds something.

set -u
LC_ALL=C
export LC_ALL

# FOLDER or FILE | what its files may include besides their own folder. A file has the row of its
# path, else of its folder, else of its folder's parent with a *; `all` is everything.
table='
include        |
kernels        |
src/base       | include
src/file       | include kernels src/base
src/text       | include kernels src/base src/file
src/run        | include kernels src/base src/file src/text
src/convert    | include kernels src/base src/file src/text src/run
tools/term     | include
tools/shared   | include tools/term
tools/cli      | include tools/term tools/shared
tools/chat     | include tools/term tools/shared tools/cli
tools/commands | include tools/term tools/shared tools/cli tools/chat
tools/main.c   | include tools/term tools/shared tools/cli tools/chat tools/commands
tests/support  | include kernels src/base src/file src/text src/run src/convert
tests/reference| include kernels src/base src/file src/text src/run src/convert tests/support
tests/*        | all
'
# Files whose arrows make a circle that has not been taken apart yet.
in_circles=''
# Names that more than one file may have.
twice=''

# What belongs at the top, and where C files are looked for.
top='include src kernels tools tests models scripts'
top_files='CMakeLists.txt README.md LICENSE'

cd "${1:-.}" || exit 2
build=${2:-}
[ -f include/trit.h ] || { echo "check_layers: $(pwd) is not the source tree" >&2; exit 2; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
found=$work/found

# ---- Files: one program for all of them ----------------------------------------------------------
#
# It reads, one after the other, the table, the sizes of the files, their names, and the files.

cat >"$work/tree.awk" <<'AWK'
function offend(where, why) { print where ": " why }

function base(path) { sub(/.*\//, "", path); return path }

function folder(path) { return path ~ /\// ? substr(path, 1, length(path) - length(base(path)) - 1) : "." }

# A .c and the .h beside it are one node of the graph.
function node(path) { sub(/\.[ch]$/, "", path); return path }

# ---- Includes ----

function row_of(path,    dir, family) {
    dir = folder(path)
    family = folder(dir) "/*"
    return path in allowed ? path : dir in allowed ? dir : family in allowed ? family : ""
}

# The path of a header for a file of that folder; "" where it may not have it.
function resolve(name, dir, may,    n, i, part) {
    if ((dir "/" name) in exists)
        return dir "/" name
    if (may == "all")
        return base(name) in path_of ? path_of[base(name)] : ""
    n = split(may, part, " ")
    for (i = 1; i <= n; i++)
        if ((part[i] "/" name) in exists)
            return part[i] "/" name
    return ""
}

function check_include(line, at,    name, dir, row, to) {
    if (!match(line, /["<][^">]*[">]/))
        return
    name = substr(line, RSTART + 1, RLENGTH - 2)
    dir = folder(FILENAME)
    row = row_of(FILENAME)
    to = resolve(name, dir, allowed[row])
    if (name ~ /(^|\/)\.\.\//)
        offend(at, "includes " name ": no paths with .. in them")
    else if (row == "")
        offend(at, "the table of check_layers.sh has no row for " dir)
    else if (to == "" && base(name) in path_of)
        offend(at, "includes " path_of[base(name)] ", which is not below " dir)
    else if (to == "" && substr(line, RSTART, 1) == "\"")
        offend(at, "includes " name ", which is nowhere in the tree")
    else if (to != "" && node(to) != node(FILENAME)) {
        arrows[node(FILENAME)] = arrows[node(FILENAME)] " " node(to)
        line_of[node(FILENAME), node(to)] = at
    }
}

# ---- Circles ----
#
# left: files that may be in one. Files with no arrow to any of these are taken away until there are
# none; from one that remains, the first arrows lead into a circle.

function first_left(from,    n, i, to) {
    n = split(arrows[from], to, " ")
    for (i = 1; i <= n; i++)
        if (to[i] in left)
            return to[i]
    return ""
}

function take_away(    changed, from) {
    do {
        changed = 0
        for (from in left)
            if (first_left(from) == "") {
                delete left[from]
                changed = 1
            }
    } while (changed)
}

function report_circle(at,    n, i, way, step, text, next_one) {
    while (!(at in step)) {
        step[at] = ++n
        way[n] = at
        at = first_left(at)
    }
    text = at
    for (i = step[at]; i <= n; i++) {
        next_one = i < n ? way[i + 1] : at
        text = text " -> " next_one
        delete left[way[i]]
    }
    offend(line_of[way[n], at], "a circle of includes: " text)
}

function report_circles(    from, least) {
    for (from in arrows)
        if (!(from in left_out))
            left[from] = 1
    for (;;) {
        take_away()
        least = ""
        for (from in left)
            if (least == "" || from < least)
                least = from
        if (least == "")
            return
        report_circle(least)
    }
}

# ---- Code ----

# A line without comments and without what is between quotes.
function code_of(line,    out, mark, rest) {
    out = ""
    for (;;) {
        if (in_comment) {
            if (!match(line, /\*\//))
                return out
            in_comment = 0
            line = substr(line, RSTART + 2)
        }
        if (!match(line, /\/\*|\/\/|"|'/))
            return out line
        mark = substr(line, RSTART, RLENGTH)
        rest = substr(line, RSTART + RLENGTH)
        out = out substr(line, 1, RSTART - 1) " "
        if (mark == "//")
            return out
        in_comment = mark == "/*"
        if (in_comment)
            line = rest
        else if (match(rest, mark == "\"" ? "^([^\"\\\\]|\\\\.)*\"" : "^([^'\\\\]|\\\\.)*'"))
            line = substr(rest, RLENGTH + 1)
        else
            return out
    }
}

function check_code(code, at) {
    if (!may_branch && code ~ /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)[^a-z]/ && code ~ architecture)
        offend(at, "a condition on the architecture")
    if (in_library && code ~ printing)
        offend(at, "prints")
    if (in_library && code ~ ending)
        offend(at, "ends the program")
    if (in_library && code ~ environment)
        offend(at, "reads the environment")
    if (in_library && code ~ /(^|[^A-Za-z0-9_])(stdin|stdout|stderr)($|[^A-Za-z0-9_])/)
        offend(at, "uses a standard stream")
    if (in_kernels && code ~ memory)
        offend(at, "takes memory")
    if (in_kernels && code ~ /pthread|(^|[^A-Za-z0-9_])(thrd_|mtx_)/)
        offend(at, "uses threads")
}

# ---- Text ----

function check_text(line, at) {
    if (line ~ /\t/)
        offend(at, "a tab")
    if (line ~ /[ \t]$/)
        offend(at, "blanks at the end")
    if (line ~ /\r/)
        offend(at, "a carriage return")
    if (line ~ /TODO|FIXME/)
        offend(at, "something left to do")
    if (length(line) > 100) {
        gsub(/[\200-\277]/, "", line) # one byte of each character is left
        if (length(line) > 100)
            offend(at, "more than 100 columns")
    }
}

function end_file() {
    if (file != "" && bytes != size[file])
        offend(file ":" lines, "no newline at the end")
}

# ---- Input ----

BEGIN {
    architecture = "__x86_64|__amd64|__i386|__aarch64|__arm|__ARM|__AVX|__SSE|__FMA|__F16C|" \
        "__riscv|__powerpc|_M_"
    printing = "(^|[^A-Za-z0-9_])(v?f?printf|puts|fputs|putchar|putc|fputc|perror|syslog) *[(]"
    ending = "(^|[^A-Za-z0-9_])(exit|_exit|_Exit|quick_exit|abort|raise) *[(]"
    environment = "(^|[^A-Za-z0-9_])(secure_)?(getenv|setenv|putenv|environ)($|[^A-Za-z0-9_])"
    memory = "(^|[^A-Za-z0-9_])([mc]alloc|realloc|aligned_alloc|posix_memalign|free|alloca|mmap)" \
        " *[(]"
    n = split(twice, word, " ")
    for (i = 1; i <= n; i++)
        may_be_twice[word[i]] = 1
    n = split(in_circles, word, " ")
    for (i = 1; i <= n; i++)
        left_out[word[i]] = 1
}

input == "table" {
    if (split($0, side, "|") == 2) {
        gsub(/ /, "", side[1])
        allowed[side[1]] = side[2] == " all" ? "all" : side[2]
    }
    next
}

input == "names" {
    exists[$0] = 1
    if (!(base($0) in path_of))
        path_of[base($0)] = $0
    else if (!(base($0) in may_be_twice))
        offend($0 ":1", "has the same name as " path_of[base($0)])
    next
}

input == "sizes" {
    size[$2] = $1
    next
}

FNR == 1 {
    end_file()
    file = FILENAME
    bytes = in_comment = 0
    is_c = file ~ /\.(c|h|inc)$/
    in_kernels = file ~ /^kernels\//
    in_library = in_kernels || file ~ /^src\//
    may_branch = file ~ /^kernels\/(cpu|dispatch)\.c$/ || file ~ /^src\/base\/platform[^\/]*\.c$/
}

{
    where = FILENAME ":" FNR
    bytes += length($0) + 1
    lines = FNR
    check_text($0, where)
}

is_c && /^[ \t]*#[ \t]*include/ { check_include($0, where) }

is_c && file !~ /^tests\// { check_code(in_comment || /[\/"']/ ? code_of($0) : $0, where) }

END {
    end_file()
    report_circles()
}
AWK

check_files() {
    echo "$table" >"$work/table"
    # shellcheck disable=SC2086
    find $top -type f \( -name '*.[ch]' -o -name '*.inc' \) 2>/dev/null | sort >"$work/names"
    grep -E '^(include|kernels|src|tools|tests)/' "$work/names" >"$work/files"
    for file in CMakeLists.txt tests/CMakeLists.txt cmake/*.cmake; do
        [ ! -f "$file" ] || echo "$file" >>"$work/files"
    done
    xargs wc -c <"$work/files" >"$work/sizes"
    # shellcheck disable=SC2046
    awk -v twice="$twice" -v in_circles="$in_circles" -f "$work/tree.awk" input=table "$work/table" input=names "$work/names" \
        input=sizes "$work/sizes" input= $(cat "$work/files") >>"$found" || exit 2
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
    git ls-files 2>/dev/null | cut -d / -f 1 | sort -u | while read -r name; do
        case " $top $top_files ." in
        *" $name "*) ;;
        *) case $name in .*) ;; *) echo "$name: does not belong at the top" >>"$found" ;; esac ;;
        esac
    done
}

# ---- All of it -----------------------------------------------------------------------------------

: >"$found"
check_top
check_files
[ -z "$build" ] || check_symbols

n_files=$(wc -l <"$work/files" | tr -d ' ')
if [ -s "$found" ]; then
    sort -u "$found"
    echo "check_layers: $(sort -u "$found" | wc -l | tr -d ' ') offences in $n_files files"
    exit 1
fi
echo "check_layers: $n_files files are in order"

#!/bin/sh
# check_layers.sh [SOURCE [BUILD]] - checks the rules of the source tree (default: the current
# folder) and, if a build folder is given, of its objects.
#
#   - a file includes only the folders that the table below allows
#   - includes form no circle; a .c file and the .h file of the same name count as one file
#   - no two files have the same name
#   - only a few files have conditions on the architecture
#   - src/ and kernels/ never print, exit or read the environment
#   - kernels/ allocates no memory and starts no threads
#   - the text has no tabs, trailing blanks, lines over 100 columns or to-do notes
#   - global symbols of the library begin with trit_; the object of an instruction set has only one
#   - the top of the tree holds only the folders and files listed below
#   - include/trit.h declares at most 70 functions
#
# Prints each offence as FILE:LINE: REASON. Exit status: 0 if there are no offences, 1 if there are
# some, 2 if the tree cannot be read. tests/check_layers_test.sh breaks each rule once.

set -u
LC_ALL=C
export LC_ALL

# FOLDER or FILE | folders whose headers its files may include, in addition to their own folder's.
# The row of a file is that of its path, else of its folder, else of its folder's parent with a *.
# `all` means every folder.
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
# Files in a circle of includes that has not been removed yet.
in_circles=''
# Names that more than one file may have.
twice=''

# The folders at the top, which are also searched for C files, and the files at the top.
top='include src kernels tools tests models scripts'
top_files='CMakeLists.txt README.md LICENSE'

cd "${1:-.}" || exit 2
build=${2:-}
[ -f include/trit.h ] || { echo "check_layers: $(pwd) is not the source tree" >&2; exit 2; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
found=$work/found

# ---- Files: one awk program for all of them ------------------------------------------------------
#
# It reads the table, the names of all files, their sizes, and then the files.

cat >"$work/tree.awk" <<'AWK'
function offend(where, why) { print where ": " why }

function base(path) { sub(/.*\//, "", path); return path }

function folder(path) { return path ~ /\// ? substr(path, 1, length(path) - length(base(path)) - 1) : "." }

# A .c file and the .h file of the same name are one node of the graph.
function node(path) { sub(/\.[ch]$/, "", path); return path }

# ---- Includes ----

function row_of(path,    dir, family) {
    dir = folder(path)
    family = folder(dir) "/*"
    return path in allowed ? path : dir in allowed ? dir : family in allowed ? family : ""
}

# The path of the header that a file of the folder includes; "" if it may not include it.
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
        offend(at, "includes " name ": paths with .. are not allowed")
    else if (row == "")
        offend(at, "the table of check_layers.sh has no row for " dir)
    else if (to == "" && base(name) in path_of)
        offend(at, "includes " path_of[base(name)] ", which is not below " dir)
    else if (to == "" && substr(line, RSTART, 1) == "\"")
        offend(at, "includes " name ", which is not in the tree")
    else if (to != "" && node(to) != node(FILENAME)) {
        arrows[node(FILENAME)] = arrows[node(FILENAME)] " " node(to)
        line_of[node(FILENAME), node(to)] = at
    }
}

# ---- Circles ----
#
# left: files that may be in a circle. Files that include none of these are removed until each file
# includes another one; following the first includes of a file that is left leads into a circle.

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
    offend(line_of[way[n], at], "circular includes: " text)
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

# The line without comments, strings and characters.
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
        offend(at, "a condition on the architecture is not allowed here")
    if (in_library && code ~ printing)
        offend(at, "the library must not print")
    if (in_library && code ~ ending)
        offend(at, "the library must not end the program")
    if (in_library && code ~ environment)
        offend(at, "the library must not read the environment")
    if (in_library && code ~ /(^|[^A-Za-z0-9_])(stdin|stdout|stderr)($|[^A-Za-z0-9_])/)
        offend(at, "the library must not use a standard stream")
    if (in_kernels && code ~ memory)
        offend(at, "kernels/ must not allocate memory")
    if (in_kernels && code ~ /pthread|(^|[^A-Za-z0-9_])(thrd_|mtx_)/)
        offend(at, "kernels/ must not use threads")
}

# ---- Text ----

function check_text(line, at) {
    if (line ~ /\t/)
        offend(at, "contains a tab")
    if (line ~ /[ \t]$/)
        offend(at, "has trailing blanks")
    if (line ~ /\r/)
        offend(at, "contains a carriage return")
    if (line ~ /TODO|FIXME/)
        offend(at, "contains a to-do note")
    if (length(line) > 100) {
        gsub(/[\200-\277]/, "", line) # leaves one byte of each character
        if (length(line) > 100)
            offend(at, "is longer than 100 columns")
    }
}

function end_file() {
    if (file != "" && bytes != size[file])
        offend(file ":" lines, "has no newline at the end")
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
    awk -v twice="$twice" -v in_circles="$in_circles" -f "$work/tree.awk" \
        input=table "$work/table" input=names "$work/names" input=sizes "$work/sizes" \
        input= $(cat "$work/files") >>"$found" || exit 2
}

# ---- Symbols -------------------------------------------------------------------------------------

# The global symbols of an object or archive, without those of a sanitizer.
symbols() {
    nm -g "$1" 2>/dev/null | awk 'NF == 3 && $2 ~ /^[A-TV-Z]$/ { print $3 }' |
        { if [ "$(uname)" = Darwin ]; then sed 's/^_//'; else cat; fi; } |
        grep -vE '^(__odr_asan|__asan|___asan|_*__sancov|__llvm|__gcov)'
}

check_symbols() {
    library=$(find "$build" -name libtrit.a | head -n 1)
    if [ -z "$library" ]; then
        echo "$build: contains no libtrit.a" >>"$found"
        return
    fi
    for name in $(symbols "$library" | sort -u | grep -v '^trit_'); do
        echo "$library: exports $name, which does not begin with trit_" >>"$found"
    done
    for object in $(find "$build" -path '*trit_kernels.dir/kernels/*' -name '*.o' | sort); do
        isa=$(basename "$object" | sed 's/\..*//')
        grep -q "trit_kernels_init_$isa(" kernels/kernels.h || continue # not of an instruction set
        list=$(symbols "$object" | tr '\n' ' ')
        [ "$list" = "trit_kernels_init_$isa " ] ||
            echo "$object: exports $list, not only trit_kernels_init_$isa" >>"$found"
    done
}

# ---- The top -------------------------------------------------------------------------------------

# Only files that git tracks count, because tests that are killed leave folders at the top.
check_top() {
    git ls-files 2>/dev/null | cut -d / -f 1 | sort -u | while read -r name; do
        case " $top $top_files ." in
        *" $name "*) ;;
        *) case $name in .*) ;; *) echo "$name: does not belong at the top of the tree" >>"$found" ;; esac ;;
        esac
    done
}

# ---- The public header ---------------------------------------------------------------------------

check_public_header() {
    n=$(grep -c '^ *TRIT_API ' include/trit.h)
    [ "$n" -le 70 ] || echo "include/trit.h: declares $n functions, more than 70" >>"$found"
}

# ---- All of it -----------------------------------------------------------------------------------

: >"$found"
check_top
check_public_header
check_files
[ -z "$build" ] || check_symbols

n_files=$(wc -l <"$work/files" | tr -d ' ')
if [ -s "$found" ]; then
    sort -u "$found"
    echo "check_layers: $(sort -u "$found" | wc -l | tr -d ' ') offences in $n_files files"
    exit 1
fi
echo "check_layers: $n_files files, no offences"

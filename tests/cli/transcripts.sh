#!/usr/bin/env bash
# transcripts.sh [--update] TRIT FIXTURES [FILE.t...] - sessions at the command line, played again.
#
# TRIT is the built program, FIXTURES a folder that tests/make_fixtures wrote. Without FILE.t all
# transcripts beside this script are played. --update writes what the program says now into them;
# look at the difference before you believe it.
#
# A transcript reads like a terminal:
#
#     # Prose stands outside of commands and their output.
#     $ trit run -m good.gguf -p x -n 1       a command; bash runs it
#     > | cat                                 and this is the rest of it
#     x                                       a line of its stdout
#     ! 1 prompt + 1 new tokens ...           a line of its stderr, after all of stdout
#     [1]                                     its exit code, where that is not 0
#
#   - An empty line, prose, the next command or, in Markdown, ``` ends the output. Where a line of
#     output is empty, begins with one of $ > ! # \ or looks like an exit code, a backslash stands
#     before it.
#   - The line "\ no newline" says that the stream's last line ends without one.
#   - "# requires: COMMAND": where COMMAND fails, the rest of the file is skipped, and passes.
#
# Each file has a folder of its own, in which the fixtures lie. Each command has a shell of its own,
# with trit on the PATH, an empty stdin, no TRIT_MODEL, and one addition: "... | hex" shows bytes.
#
# What differs between machines, builds and runs is replaced before lines are compared:
#
#     12.3 t/s                    X t/s                 speeds
#     first token 4 ms            first token X ms      times; also "opened in 4 ms"
#     "..._ms":1, "..._tps":1     "..._ms":X            both in JSON
#     2 threads avx2              T threads ISA         also "isa":ISA,"threads":T in JSON
#     seed 123, "seed":123        seed S, "seed":S      where the command does not say --seed
#     trit 1.2.3 (a, b) isa: c    trit V (COMMIT, COMPILER) isa: ISAS
#     cpu AMD EPYC, threads 2 (why), memory 25.3 GB,
#     isa avx2, avx2 usable, "built":true,"usable":true and "version":"1.2.3" of
#     trit info                   CPU, T, X, ISA, STATE, B and V
#     2.4 MiB for the context, 0.0 MiB beside the file, and "..._bytes":N of both in JSON
#                                 X; they depend on the number of threads and on the kernels
#     "nll":1.23456789012345678   "nll":1.234567...     further digits are up to the libm; also
#                                                       ppl, ppl_stderr, bits_per_byte

set -u

usage() {
    echo 'usage: transcripts.sh [--update] TRIT FIXTURES [FILE.t...]' >&2
    exit 2
}

update=no
[ "${1-}" = --update ] && { update=yes; shift; }
[ $# -ge 2 ] || usage
trit=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
models=$(cd "$2" && pwd) || exit 2
[ -x "$trit" ] || { echo "transcripts.sh: $trit is no program" >&2; exit 2; }
shift 2
[ $# -gt 0 ] || set -- "$(cd "$(dirname "$0")" && pwd)"/*.t
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin"
ln -s "$trit" "$tmp/bin/trit"
PATH=$tmp/bin:$PATH
export PATH LC_ALL=C
unset TRIT_MODEL NO_COLOR
passed=0 failed=0

# The bytes of stdin, 16 a line.
hex() {
    od -An -v -tx1 | sed -E 's/ +/ /g; s/^ //; s/ $//'
}
export -f hex

# ---- What a command does, written as it stands in a transcript -----------------------------------

# substitute COMMAND : stdin with the varying parts replaced
substitute() {
    local seed=()
    case $1 in
    *--seed*) ;;
    *) seed=(-e 's/· seed [0-9]+$/· seed S/' -e 's/"seed":[0-9]+/"seed":S/g') ;;
    esac
    # An empty array is unbound to old versions of bash.
    sed -E ${seed[@]+"${seed[@]}"} \
        -e 's/[0-9.]+ t\/s/X t\/s/g' \
        -e 's/(first token|opened in) [0-9]+ ms/\1 X ms/g' \
        -e 's/("[a-z_]+_(ms|tps)"):[0-9.e+-]+/\1:X/g' \
        -e 's/[0-9]+ threads [a-z0-9]+/T threads ISA/' \
        -e 's/"isa":"[a-z0-9]+","threads":[0-9]+/"isa":"ISA","threads":T/' \
        -e 's/^trit [0-9]+\.[0-9]+\.[0-9]+ \(.*\) isa: .*/trit V (COMMIT, COMPILER) isa: ISAS/' \
        -e 's/^threads  [0-9]+ \(.*/threads  T (WHY)/' \
        -e 's/^cpu      .*/cpu      CPU/' \
        -e 's/^memory   [0-9.]+ GB.*/memory   X GB/' \
        -e 's/^isa      [a-z0-9]+/isa      ISA/' \
        -e 's/^(  [a-z0-9]+ +)(usable|this CPU lacks it|not in this build)$/\1STATE/' \
        -e 's/"version":"[0-9.]+","threads":[0-9]+/"version":"V","threads":T/' \
        -e 's/"isa":"[a-z0-9]+","isas"/"isa":"ISA","isas"/' \
        -e 's/"built":(true|false),"usable":(true|false)/"built":B,"usable":B/g' \
        -e 's/[0-9.]+ MiB (for the context|beside the file)/X MiB \1/g' \
        -e 's/("(session|repacked)_bytes"):[0-9]+/\1:X/g' \
        -e 's/("(nll|ppl|ppl_stderr|bits_per_byte)":[0-9]+\.[0-9]{6})[0-9]+/\1.../g'
}

# show FILE COMMAND [PREFIX] : a stream as lines of a transcript
show() {
    local last
    [ -s "$1" ] || return 0
    last=$(tail -c 1 "$1" | od -An -tx1 | tr -d ' \n')
    {
        cat "$1"
        [ "$last" = 0a ] || echo
    } | substitute "$2" | if [ $# -eq 3 ]; then
        sed "s/^/$3/"
    else
        sed -E -e 's/^[$>!#\\]/\\&/' -e 's/^\[[0-9]+\]$/\\&/' -e 's/^$/\\/'
    fi
    [ "$last" = 0a ] || echo '\ no newline'
}

# play COMMAND : run it; what it does goes to $tmp/actual
play() {
    local code
    (cd "$tmp/work" && exec bash -c "$1" bash) >"$tmp/out" 2>"$tmp/err" </dev/null
    code=$?
    {
        show "$tmp/out" "$1"
        show "$tmp/err" "$1" '! '
        [ $code -eq 0 ] || echo "[$code]"
    } >"$tmp/actual"
}

# ---- Files ---------------------------------------------------------------------------------------

# compare NAME COMMAND : $tmp/actual with $tmp/wanted, in words
compare() {
    if cmp -s "$tmp/wanted" "$tmp/actual"; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    printf 'FAIL %s\n$ %s\n' "$1" "$2"
    diff -u -L wanted -L actual "$tmp/wanted" "$tmp/actual"
}

# is_output LINE : it belongs to the command before it
is_output() {
    case $1 in
    '' | '# '* | '$ '* | '```'*) return 1 ;;
    esac
}

# play_file FILE
play_file() {
    local file=$1 name lines=() line n i=0 at command condition
    name=$(basename "$file")
    while IFS= read -r line || [ -n "$line" ]; do
        lines[${#lines[@]}]=$line
    done <"$file"
    n=${#lines[@]}
    rm -rf "$tmp/work"
    mkdir "$tmp/work"
    cp -R "$models"/* "$tmp/work/"
    : >"$tmp/new"
    while [ "$i" -lt "$n" ]; do
        line=${lines[i]}
        i=$((i + 1))
        printf '%s\n' "$line" >>"$tmp/new"
        case $line in
        '# requires: '*)
            condition=${line#'# requires: '}
            if ! { (cd "$tmp/work" && bash -c "$condition" bash); } >/dev/null 2>&1 </dev/null; then
                echo "$name: the rest is skipped, as this fails: $condition"
                return
            fi
            continue
            ;;
        '$ '*) command=${line#'$ '} at=$i ;;
        *) continue ;;
        esac
        while [ "$i" -lt "$n" ] && [[ ${lines[i]} == '> '* ]]; do
            printf '%s\n' "${lines[i]}" >>"$tmp/new"
            command+=$'\n'${lines[i]#'> '}
            i=$((i + 1))
        done
        : >"$tmp/wanted"
        while [ "$i" -lt "$n" ] && is_output "${lines[i]}"; do
            printf '%s\n' "${lines[i]}" >>"$tmp/wanted"
            i=$((i + 1))
        done
        play "$command"
        cat "$tmp/actual" >>"$tmp/new"
        compare "$name:$at" "$command"
    done
    [ $update = no ] || cmp -s "$tmp/new" "$file" || cat "$tmp/new" >"$file"
}

for file; do
    if [ -f "$file" ]; then
        play_file "$file"
    else
        echo "FAIL $file: no such file"
        failed=$((failed + 1))
    fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# transcripts.sh [--update] TRIT FIXTURES [FILE.t...] - repeats sessions at the command line.
#
# TRIT is the built program, FIXTURES a folder that build/tests/make_fixtures wrote. Without FILE.t
# all transcripts next to this script are run. --update writes the current output into the
# transcripts; read the difference before you commit it.
#
# A transcript reads like a terminal:
#
#     # Prose, outside of commands and their output.
#     $ trit run -m good.gguf -p x -n 1       a command; bash runs it
#     > | cat                                 the rest of the command
#     x                                       a line of its stdout
#     ! 1 prompt + 1 new tokens ...           a line of its stderr, after all of stdout
#     [1]                                     its exit code, if that is not 0
#
#   - An empty line, prose, the next command or, in Markdown, ``` ends the output. A backslash
#     precedes a line of output that is empty, begins with one of $ > ! # \ or looks like an exit
#     code.
#   - The line "\ no newline" means that the last line of the stream has no newline.
#   - "# requires: COMMAND": if COMMAND fails, the rest of the file is skipped, and passes.
#
# If a transcript and the program differ, the difference is shown and the exit code is 1.
#
# Each file runs in a folder of its own with the fixtures. Each command runs in a shell of its own,
# with trit on the PATH, an empty stdin, no TRIT_MODEL, and one additional command: "... | hex" shows
# bytes.
#
# Parts that differ between machines, builds and runs are replaced before lines are compared:
#
#     12.3 t/s                    X t/s                 speeds
#     first token 4 ms            first token X ms      times; also "opened in 4 ms"
#     "..._ms":1, "..._tps":1     "..._ms":X            both in JSON
#     2 threads avx2              T threads ISA         also "isa":ISA,"threads":T in JSON
#     seed 123, "seed":123        seed S, "seed":S      if the command has no --seed
#     trit 1.2.3 (a, b) isa: c    trit V (COMMIT, COMPILER) isa: ISAS
#     cpu AMD EPYC, threads 2 (why), memory 25.3 GB,
#     isa avx2 and "version":"1.2.3" of trit info
#                                 CPU, T, X, ISA and V
#     the list of instruction sets, in trit info and help
#                                 only scalar, which all builds have; ISAS
#     2.4 MiB for the context, 0.0 MiB in addition to the file, and "..._bytes":N of both in JSON
#                                 X; they depend on the number of threads and on the kernels
#     "nll":1.23456789012345678   "nll":1.234567...     further digits depend on the libm; also
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
[ -x "$trit" ] || { echo "transcripts.sh: $trit is not a program" >&2; exit 2; }
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

# The bytes of stdin, 16 per line.
hex() {
    od -An -v -tx1 | sed -E 's/ +/ /g; s/^ //; s/ $//'
}
export -f hex

# ---- Output in the form of a transcript ----------------------------------------------------------
#
# Each command leaves its streams in files of $tmp/streams. When all commands of a file have run, one
# sed and one awk format all streams.

# The lines of all streams, each stream after a line with \001 and its name; varying parts are
# replaced. A stream is named NUMBER.out or NUMBER.err, followed by .seed if the command has --seed.
# play() put a newline after each stream, so each has a line.
streams() {
    local mark=$'\001'
    (cd "$tmp/streams" && awk 'FNR == 1 { printf "\001%s\n", FILENAME } { print }' *) |
        sed -E \
            -e "/^$mark.*seed\$/,/^$mark.*[^d]\$/b same" \
            -e 's/· seed [0-9]+$/· seed S/' -e 's/"seed":[0-9]+/"seed":S/g' \
            -e ':same' \
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
            -e '/^  scalar +usable$/!{/^  [a-z0-9]+ +(usable|this CPU lacks it|not in this build)$/d}' \
            -e 's/scalar\|avx2[a-z0-9|]*/ISAS/' \
            -e 's/"version":"[0-9.]+","threads":[0-9]+/"version":"V","threads":T/' \
            -e 's/"isa":"[a-z0-9]+","isas"/"isa":"ISA","isas"/' \
            -e 's/(,\{"name":"[a-z0-9]+","built":(true|false),"usable":(true|false)\})+\]/,ISAS]/' \
            -e 's/[0-9.]+ MiB (for the context|in addition to the file)/X MiB \1/g' \
            -e 's/("(session|repacked)_bytes"):[0-9]+/\1:X/g' \
            -e 's/("(nll|ppl|ppl_stderr|bits_per_byte)":[0-9]+\.[0-9]{6})[0-9]+/\1.../g'
}

# The new transcript: $tmp/prose, in which a line \001NUMBER CODE stands for the output of a command.
# stdin: the output of streams()
written() {
    awk '
    # A stream ends with the newline of play(). If that is alone in its line, the program wrote the
    # newline before it.
    function show(name, prefix,    n, i, line) {
        n = count[name]
        if (line_at[name, n] != "")
            open = 1
        else {
            open = 0
            n--
        }
        for (i = 1; i <= n; i++) {
            line = line_at[name, i]
            if (prefix == "" && line ~ /^([$>!#\\]|\[[0-9]+\]$|$)/)
                line = "\\" line
            print prefix line
        }
        if (open)
            print "\\ no newline"
    }
    FILENAME == "-" && /^\001/ { split(substr($0, 2), part, "."); name = part[1] "." part[2]; next }
    FILENAME == "-" { line_at[name, ++count[name]] = $0; next }
    /^\001/ {
        split(substr($0, 2), part, " ")
        show(part[1] ".out", "")
        show(part[1] ".err", "! ")
        if (part[2] != 0)
            print "[" part[2] "]"
        next
    }
    { print }' - "$tmp/prose"
}

# play NUMBER COMMAND : run it
play() {
    local code stream=$tmp/streams/$1 seed=
    case $2 in
    *--seed*) seed=.seed ;;
    esac
    (cd "$tmp/work" && exec bash -c "$2" bash) >"$stream.out$seed" 2>"$stream.err$seed" </dev/null
    code=$?
    echo >>"$stream.out$seed"
    echo >>"$stream.err$seed"
    printf '\001%d %d\n' "$1" "$code" >>"$tmp/prose"
}

# ---- Files ---------------------------------------------------------------------------------------

# is_output LINE : LINE is output of the previous command
is_output() {
    case $1 in
    '' | '# '* | '$ '* | '```'*) return 1 ;;
    esac
}

# play_commands FILE : fills $tmp/prose and $tmp/streams
play_commands() {
    local lines=() line n i=0 number=0 command condition
    while IFS= read -r line || [ -n "$line" ]; do
        lines[${#lines[@]}]=$line
    done <"$1"
    n=${#lines[@]}
    while [ "$i" -lt "$n" ]; do
        line=${lines[i]}
        i=$((i + 1))
        printf '%s\n' "$line" >>"$tmp/prose"
        case $line in
        '# requires: '*)
            condition=${line#'# requires: '}
            if ! { (cd "$tmp/work" && bash -c "$condition" bash); } >/dev/null 2>&1 </dev/null; then
                echo "$(basename "$1"): the rest is skipped, as this fails: $condition"
                [ "$i" -eq "$n" ] || printf '%s\n' "${lines[@]:i}" >>"$tmp/prose"
                return
            fi
            continue
            ;;
        '$ '*) command=${line#'$ '} ;;
        *) continue ;;
        esac
        while [ "$i" -lt "$n" ] && [[ ${lines[i]} == '> '* ]]; do
            printf '%s\n' "${lines[i]}" >>"$tmp/prose"
            command+=$'\n'${lines[i]#'> '}
            i=$((i + 1))
        done
        while [ "$i" -lt "$n" ] && is_output "${lines[i]}"; do
            i=$((i + 1))
        done
        number=$((number + 1))
        play "$number" "$command"
    done
}

# play_file FILE
play_file() {
    rm -rf "$tmp/work" "$tmp/streams"
    mkdir "$tmp/work" "$tmp/streams"
    cp -R "$models"/* "$tmp/work/"
    : >"$tmp/prose"
    : >"$tmp/streams/0.out" # awk needs at least one file
    play_commands "$1"
    streams | written >"$tmp/new"
    if cmp -s "$tmp/new" "$1"; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    printf 'FAIL %s\n' "$(basename "$1")"
    diff -u -F '^\$ ' -L wanted -L actual "$1" "$tmp/new"
    [ $update = no ] || cat "$tmp/new" >"$1"
}

for file; do
    if [ -f "$file" ]; then
        play_file "$file"
    else
        echo "FAIL $file: no such file"
        failed=$((failed + 1))
    fi
done

echo "$passed transcripts passed, $failed failed"
[ "$failed" -eq 0 ]

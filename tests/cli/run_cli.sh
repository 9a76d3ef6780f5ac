#!/usr/bin/env bash
# run_cli.sh TRIT FIXTURES - tests the program from outside: exit codes, messages and stdout.
#
# TRIT is the built program, FIXTURES a folder that build/tests/make_fixtures wrote. The checks here
# hold the program to the promises of its command line; whatever can be shown as a session at a
# terminal is a transcript instead (transcripts.sh). If this machine lacks something (/dev/full,
# python3), the check that needs it is reported as skipped, and passes.
#
# No check depends on how fast the machine is: a check that needs the program in a certain state
# waits for that state (wait_until).

set -u
[ $# -eq 2 ] || { echo "usage: run_cli.sh TRIT FIXTURES" >&2; exit 2; }
trit=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
models=$(cd "$2" && pwd) || exit 2
good=$models/good.gguf
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
unset TRIT_MODEL
passed=0 failed=0

# ---- Reporting -----------------------------------------------------------------------------------

ok() {
    passed=$((passed + 1))
    echo "ok $1"
}

bad() {
    failed=$((failed + 1))
    echo "FAIL $1: $2"
}

skipped() {
    echo "ok $1 (skipped: $2)"
    passed=$((passed + 1))
}

# expect NAME CONDITION... : the condition is a command
expect() {
    local name=$1
    shift
    if "$@"; then ok "$name"; else bad "$name" "not so: $*"; fi
}

have_python() { command -v python3 >/dev/null 2>&1; }

# wait_until CONDITION... : until the command succeeds, for a minute at most
wait_until() {
    local i
    for ((i = 0; i < 1200; i++)); do
        if "$@"; then return 0; fi
        sleep 0.05
    done
    return 1
}

size() { wc -c <"$1" | tr -d ' '; }
same() { cmp -s "$1" "$2"; }
is_empty() { [ ! -s "$1" ]; }
contains() { grep -qF -- "$2" "$1"; }

# ---- Running -------------------------------------------------------------------------------------

# run ARGS... : exit code in $code, streams in $tmp/out and $tmp/err; stdin is empty
run() {
    "$trit" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    code=$?
}

# refused NAME CODE PART ARGS... : nothing on stdout, one line on stderr with PART in it
refused() {
    local name=$1 wanted=$2 part=$3
    shift 3
    run "$@"
    said "$name" "$wanted" "$part" && ok "$name"
}

# said NAME CODE PART : the same for the command that has just run
said() {
    local err
    IFS= read -r -d '' err <"$tmp/err"
    if [ "$code" -ne "$2" ]; then
        bad "$1" "exit code $code instead of $2; stderr: ${err:0:300}"
    elif [ -s "$tmp/out" ]; then
        bad "$1" "stdout holds $(head -c 100 "$tmp/out")"
    elif [[ $err != 'trit: '?*$'\n' || ${err%$'\n'} == *$'\n'* ]]; then
        bad "$1" "stderr is not one line from trit: ${err:0:300}"
    elif [[ $err != *"$3"* ]]; then
        bad "$1" "'$3' is not in $err"
    else
        return 0
    fi
    return 1
}

# works NAME ARGS... : exit code 0
works() {
    local name=$1
    shift
    run "$@"
    if [ "$code" -eq 0 ]; then ok "$name"; else bad "$name" "exit code $code: $(cat "$tmp/err")"; fi
}

# Checks that need Python are collected, and check_collected runs them all in one process: starting
# Python takes longer than most of the programs under test.
#
# json NAME FILE EXPRESSION : FILE is one JSON value d, and the Python EXPRESSION is true of it
json() {
    if have_python; then
        collect "$@"
    elif grep -q '^{.*}$' "$2"; then
        skipped "$1" "no python3; it looks like JSON"
    else
        bad "$1" "is not a JSON object: $(head -c 300 "$2")"
    fi
}

# utf8 NAME FILE : FILE is valid UTF-8
utf8() {
    if have_python; then collect "$@" ''; else skipped "$1" 'no python3'; fi
}

n_collected=0
collect() {
    n_collected=$((n_collected + 1))
    cp "$2" "$tmp/collected.$n_collected"
    printf '%s\0' "$1" "$tmp/collected.$n_collected" "$3" >>"$tmp/collected"
}

check_collected() {
    local n_failures
    [ "$n_collected" -gt 0 ] || return 0
    python3 -c '
import json, sys
fields = open(sys.argv[1], "rb").read().decode("utf-8", "surrogateescape").split("\0")[:-1]
failed = 0
for name, path, condition in zip(*[iter(fields)] * 3):
    data = open(path, "rb").read()
    try:
        text = data.decode("utf-8")
        if condition:
            d = json.loads(text)
        why = "" if not condition or eval(condition) else "not so: " + condition
    except Exception as e:
        why = repr(e)
    failed += why != ""
    print("FAIL %s: %s: %s" % (name, why, ascii(data[:300])) if why else "ok " + name)
sys.exit(min(failed, 100))' "$tmp/collected"
    n_failures=$?
    failed=$((failed + n_failures))
    passed=$((passed + n_collected - n_failures))
}

# ---- Usage ---------------------------------------------------------------------------------------

usage_errors() {
    local o
    refused 'no command' 2 'command'
    refused 'unknown command' 2 "'walk'" walk
    refused 'unknown option' 2 '--nope' run -m "$good" --nope
    refused 'unknown short option' 2 '-Z' run -m "$good" -Z
    refused 'unknown option before a command' 2 '--nope' --nope
    refused 'option of another command' 2 '--tokens' run -m "$good" -p x --tokens 1
    refused 'option of another command, short' 2 '-n' info -m "$good" -n 3
    refused 'positional argument' 2 'model.gguf' run model.gguf -p x
    refused 'second command' 2 'info' run info
    refused 'flag with a value' 2 '--echo' run -m "$good" -p x --echo=yes
    refused 'no model' 2 'model' run -p x
    refused 'no model for logits' 2 'model' logits --tokens 1 -o "$tmp/x.npy"
    for o in -m -p -f -n -t -c -b --isa --kv --model --max-tokens --threads; do
        refused "no value after $o" 2 'needs' run "$o"
    done
    for o in '-n x' '-n 1.5' '-n -3' '-n 1e10' '-t 0' '-t -2' '-t 513' '-t nan' '-t two' '-c -1' \
        '-c 1x' '-b 0' '-b 65537' '--temp inf' '--temp cold' '--temp -1'; do
        # shellcheck disable=SC2086
        refused "bad number $o" 2 "${o#* }" run -m "$good" -p x $o
    done
    refused 'empty number' 2 'number' run -m "$good" -p x -n ''
    refused 'unknown cache type' 2 'q8' run -m "$good" -p x --kv q8
    refused 'unknown cache type for info' 2 'q8' info -m "$good" --kv q8
    refused 'unknown instruction set' 2 'sse9' run -m "$good" -p x --isa sse9
}

prompt_errors() {
    refused 'empty prompt' 2 'prompt' run -m "$good" -p ''
    refused 'missing prompt, stdin from /dev/null' 2 'prompt' run -m "$good"
    printf x >"$tmp/prompt"
    refused 'two prompts' 2 '-f' run -m "$good" -p x -f "$tmp/prompt"
    refused 'empty stdin by -' 2 'prompt' run -m "$good" -
    refused 'prompt longer than the context' 2 'context' run -m "$good" -p 'one two' -c 3
    refused 'prompt longer than the model' 2 'context' run -m "$good" \
        -p "$(printf 'x%.0s' $(seq 257))"
    refused 'tokens longer than the context' 2 'context' logits -m "$good" --tokens 1,2,3 -c 2 \
        -o "$tmp/x.npy"
    refused 'prompt file that is not there' 3 'no-such-file' run -m "$good" -f "$tmp/no-such-file"
    refused 'prompt file that is a folder' 3 "$tmp" run -m "$good" -f "$tmp"
}

logits_errors() {
    local t
    refused 'logits of nothing' 2 '--tokens' logits -m "$good" -o "$tmp/x.npy"
    refused 'logits of two things' 2 '--tokens' logits -m "$good" --tokens 1 -p x -o "$tmp/x.npy"
    refused 'logits to nowhere' 2 '-o' logits -m "$good" --tokens 1
    for t in '' , 1, ,1 1,,2 a 1,b '1;2' -1 1.5 99999999999; do
        refused "token list '$t'" 2 'tokens' logits -m "$good" --tokens "$t" -o "$tmp/x.npy"
    done
    refused 'token out of range' 2 '300' logits -m "$good" --tokens 1,300 -o "$tmp/x.npy"
    refused 'logits into a folder that is not there' 1 'nowhere' logits -m "$good" --tokens 1 \
        -o "$tmp/nowhere/x.npy"
}

# ---- Files ---------------------------------------------------------------------------------------

# each_command NAME CODE PART MODEL
each_command() {
    refused "$1: run" "$2" "$3" run -m "$4" -p x
    refused "$1: logits" "$2" "$3" logits -m "$4" --tokens 1 -o "$tmp/x.npy"
}

file_errors() {
    each_command 'missing file' 3 'missing.gguf' "$models/missing.gguf"
    each_command 'folder' 3 "$models" "$models"
    each_command 'empty file' 3 'empty.gguf' "$models/empty.gguf"
    each_command 'text file' 3 'GGUF' "$models/text.gguf"
    each_command 'truncated file' 3 'ends early' "$models/truncated.gguf"
    each_command 'unknown type' 4 'type 99' "$models/unknown_type.gguf"
    each_command 'unknown architecture' 4 'perceptron' "$models/unknown_arch.gguf"
    each_command 'non-finite value' 1 'non-finite' "$models/non_finite.gguf"
    refused 'missing file: info' 3 'missing.gguf' info -m "$models/missing.gguf"
    refused 'folder: info' 3 "$models" info -m "$models"
    refused 'empty file: info' 3 'empty.gguf' info -m "$models/empty.gguf"
    refused 'text file: info' 3 'GGUF' info -m "$models/text.gguf"
    refused 'truncated file: info' 3 'ends early' info -m "$models/truncated.gguf"
    refused 'truncated file, not mapped' 3 'ends early' run -m "$models/truncated.gguf" -p x \
        --no-mmap
    refused 'what is supported' 4 'bitnet-b1.58' run -m "$models/unknown_arch.gguf" -p x
    refused 'what types are supported' 4 'I2_S' run -m "$models/unknown_type.gguf" -p x
}

isa_errors() {
    local name
    run info
    name=$(sed -n 's/^ *\([a-z0-9]*\)  *\(not in this build\|this CPU lacks it\).*/\1/p' "$tmp/out" |
        head -n 1)
    if [ -z "$name" ]; then
        skipped 'instruction set that is not here' 'all are'
    else
        refused 'instruction set that is not here' 4 "$name" run -m "$good" -p x --isa "$name"
    fi
}

# ---- run -----------------------------------------------------------------------------------------

# Stdout holds the text and nothing else, and the text is the same however the prompt is given.
prompts() {
    printf 'Hello the' >"$tmp/prompt"
    works 'run' run -m "$good" -p 'Hello the' -n 20 --temp 0
    cp "$tmp/out" "$tmp/text"
    expect 'stats on stderr' grep -qE \
        '^[0-9]+ prompt \+ 20 new tokens .* t/s prompt .* t/s .* first token .* ms .* threads ' \
        "$tmp/err"
    expect 'seed at the end of the stats' grep -qE ' seed [0-9]+$' "$tmp/err"
    expect 'stats are one line' [ "$(wc -l <"$tmp/err")" -eq 1 ]
    expect 'no escape codes in files' [ -z "$(tr -dc '\033' <"$tmp/out")" ]
    works 'run -q' run -m "$good" -p 'Hello the' -n 20 --temp 0 -q
    expect 'the same text with -q' same "$tmp/out" "$tmp/text"
    expect 'nothing on stderr with -q' is_empty "$tmp/err"
    works 'run -f' run -m "$good" -f "$tmp/prompt" -n 20 --temp 0
    expect 'the same text by -f' same "$tmp/out" "$tmp/text"
    "$trit" run -m "$good" -n 20 --temp 0 <"$tmp/prompt" >"$tmp/out" 2>/dev/null
    expect 'the same text from stdin' same "$tmp/out" "$tmp/text"
    "$trit" run -m "$good" - -n 20 --temp 0 <"$tmp/prompt" >"$tmp/out" 2>/dev/null
    expect 'the same text by -' same "$tmp/out" "$tmp/text"
    "$trit" run -m "$good" -f - -n 20 --temp 0 <"$tmp/prompt" >"$tmp/out" 2>/dev/null
    expect 'the same text by -f -' same "$tmp/out" "$tmp/text"
    printf other | "$trit" run -m "$good" -p 'Hello the' -n 20 --temp 0 >"$tmp/out" 2>/dev/null
    expect '-p before stdin' same "$tmp/out" "$tmp/text"
    works 'long options with =' run "--model=$good" '--prompt=Hello the' --max-tokens=20 --temp=0 -q
    expect 'the same text by long options' same "$tmp/out" "$tmp/text"
    works '--no-mmap' run -m "$good" -p 'Hello the' -n 20 --temp 0 --no-mmap -q
    expect 'the same text with --no-mmap' same "$tmp/out" "$tmp/text"
    works '-p that looks like an option' run -m "$good" -p --help -n 1 -q
}

# A prompt is used verbatim: no escapes, nothing trimmed. With the fixture's vocabulary each byte of
# these is one token.
# tokens_of NAME WANTED ARGS...
tokens_of() {
    local name=$1 wanted=$2
    shift 2
    run run -m "$good" -n 1 --json "$@"
    json "$name" "$tmp/out" "d['prompt_tokens'] == $wanted"
}

verbatim() {
    tokens_of 'escapes are text' 4 -p 'a\nb'
    tokens_of 'newlines count' 3 -p $'a\n\n'
    tokens_of 'blanks count' 4 -p '  a '
    printf ' a\n' >"$tmp/prompt"
    tokens_of 'newline of a file counts' 3 -f "$tmp/prompt"
    printf 'a\000\377b' >"$tmp/prompt"
    tokens_of 'any byte counts' 4 -f "$tmp/prompt"
    tokens_of 'special tokens are text' 7 -p '<|299|>'
}

ends_with_one_newline() {
    [ "$(tail -c 1 "$1" | od -An -tx1 | tr -d ' \n')" = 0a ]
}

# out_is NAME TEXT : stdout is exactly TEXT
out_is() {
    printf '%s' "$2" >"$tmp/wanted"
    if cmp -s "$tmp/out" "$tmp/wanted"; then ok "$1"; else bad "$1" "stdout: $(od -c "$tmp/out")"; fi
}

echo_and_newlines() {
    works '-n 0' run -m "$good" -p ab -n 0 -q
    # Nothing was generated: stdout may hold nothing, or the newline that ends a text.
    expect '-n 0 prints no text' [ -z "$(tr -d '\n' <"$tmp/out")" ]
    expect '-n 0 prints at most a newline' [ "$(size "$tmp/out")" -le 1 ]
    works '-n 0 --echo' run -m "$good" -p ab -n 0 --echo -q
    out_is '--echo prints the prompt, then a newline' $'ab\n'
    works '-n 0 --echo with a newline' run -m "$good" -p $'ab\n' -n 0 --echo -q
    out_is 'no second newline' $'ab\n'
    run run -m "$good" -p 'Hello the' -n 20 --temp 0 -q
    cp "$tmp/out" "$tmp/text"
    expect 'text ends in a newline' ends_with_one_newline "$tmp/text"
    run run -m "$good" -p 'Hello the' -n 20 --temp 0 -q --echo
    printf 'Hello the' | cat - "$tmp/text" >"$tmp/wanted"
    expect '--echo prints the prompt first' same "$tmp/out" "$tmp/wanted"
    printf 'Hello\377 the' >"$tmp/prompt"
    run run -m "$good" -f "$tmp/prompt" -n 0 -q --echo
    printf '\n' | cat "$tmp/prompt" - >"$tmp/wanted"
    expect '--echo prints the prompt verbatim' same "$tmp/out" "$tmp/wanted"
}

# Stdout is valid UTF-8, whatever the prompt was.
valid_text() {
    local p bytes='\303\251 \377\200 \360\237\230\200 \001\002 zq \304\240'
    for p in $bytes; do
        # shellcheck disable=SC2059
        printf "$p" >"$tmp/prompt"
        run run -m "$good" -f "$tmp/prompt" -n 60 --ignore-eos -q
        utf8 "stdout is UTF-8 after $p" "$tmp/out"
    done
}

json_of_run() {
    works 'run --json' run -m "$good" -p 'Hello the' -n 20 --temp 0 --json
    cp "$tmp/out" "$tmp/json"
    expect 'one line of JSON' [ "$(wc -l <"$tmp/json")" -eq 1 ]
    json 'its numbers' "$tmp/json" "d['tokens'] == 20 and d['finish'] == 'length' and \
d['threads'] >= 1 and d['isa'] and d['prompt_tokens'] > 0"
    json 'its timings' "$tmp/json" "set(d['timings']) >= {'load_ms', 'prompt_ms', \
'first_token_ms', 'generate_ms', 'prompt_tps', 'generate_tps'}"
    json 'all its keys' "$tmp/json" "set(d) >= {'text', 'tokens', 'prompt_tokens', 'finish', \
'seed', 'timings', 'isa', 'threads'}"
    run run -m "$good" -p 'Hello the' -n 20 --temp 0 -q
    cp "$tmp/out" "$tmp/json_text"
    json 'the same text' "$tmp/json" "(d['text'] + ('' if d['text'].endswith(chr(10)) else \
chr(10))).encode() == open('$tmp/json_text', 'rb').read()"
    run run -m "$good" -p 'Hello the' -c 16 --ignore-eos --json
    json 'finish: context' "$tmp/out" "d['finish'] == 'context'"
    run run -m "$good" -p 'Hello the' -n 3 --isa scalar -t 1 --json
    json 'isa and threads as asked for' "$tmp/out" "d['isa'] == 'scalar' and d['threads'] == 1"
}

model_from_environment() {
    TRIT_MODEL=$good "$trit" run -p 'Hello the' -n 5 -q >"$tmp/out" 2>"$tmp/err"
    code=$?
    expect 'TRIT_MODEL' [ $code -eq 0 ]
    TRIT_MODEL=$models/missing.gguf "$trit" run -m "$good" -p x -n 5 >"$tmp/out" 2>"$tmp/err"
    code=$?
    expect '-m before TRIT_MODEL' [ $code -eq 0 ]
    TRIT_MODEL=$models/missing.gguf "$trit" run -p x >"$tmp/out" 2>"$tmp/err"
    code=$?
    said 'TRIT_MODEL that is not there' 3 'missing.gguf' && ok 'TRIT_MODEL that is not there'
}

# ---- logits --------------------------------------------------------------------------------------

# npy_shape FILE ROWS COLUMNS : format 1.0, little-endian floats, that shape and size
npy_shape() {
    local header
    [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 934e554d50590100 ] || return 1
    header=$(od -An -tu1 -j8 -N2 "$1" | awk '{ print 10 + $1 + 256 * $2 }')
    [ $((header % 64)) -eq 0 ] || return 1
    [ "$(size "$1")" -eq $((header + $2 * $3 * 4)) ] || return 1
    head -c "$header" "$1" | tail -c 1 | od -An -tx1 | grep -q 0a || return 1
    head -c "$header" "$1" | grep -aqF "'descr': '<f4'" &&
        head -c "$header" "$1" | grep -aqF "'fortran_order': False" &&
        head -c "$header" "$1" | grep -aqF "'shape': ($2, $3)"
}

logits_files() {
    local isa t b all_same=yes n=0 ids
    ids=$(seq -s, 1 70)
    works 'logits' logits -m "$good" --tokens "$ids" -o "$tmp/a.npy"
    expect 'logits prints nothing on stdout' is_empty "$tmp/out"
    expect 'shape of the file' npy_shape "$tmp/a.npy" 70 300
    run info
    for isa in $(sed -n 's/^ *\([a-z0-9]*\)  *usable.*/\1/p' "$tmp/out"); do
        for t in 1 2; do
            for b in 1 7 512; do
                rm -f "$tmp/b.npy"
                run logits -m "$good" --tokens "$ids" -o "$tmp/b.npy" --isa "$isa" -t $t -b $b
                n=$((n + 1))
                same "$tmp/a.npy" "$tmp/b.npy" || all_same="no: --isa $isa -t $t -b $b"
            done
        done
    done
    expect 'at least six combinations' [ $n -ge 6 ]
    expect 'the same bytes by every --isa, -t, -b' [ "$all_same" = yes ]
    run logits -m "$good" --tokens "$ids" -o "$tmp/b.npy" --no-mmap
    expect 'the same bytes with --no-mmap' same "$tmp/a.npy" "$tmp/b.npy"
    run logits -m "$good" --tokens 72,105 -o "$tmp/a.npy"
    run logits -m "$good" -p Hi -o "$tmp/b.npy"
    expect 'the same bytes by -p' same "$tmp/a.npy" "$tmp/b.npy"
    expect 'shape for a prompt' npy_shape "$tmp/b.npy" 2 300
    run logits -m "$good" --tokens 299 -o "$tmp/b.npy"
    expect 'tokens are taken verbatim' npy_shape "$tmp/b.npy" 1 300
}

# ---- info, help, version -------------------------------------------------------------------------

infos() {
    works 'info without a model' info
    expect 'it lists instruction sets' grep -qE 'scalar +usable' "$tmp/out"
    works 'info --json without a model' info --json
    json 'its JSON' "$tmp/out" \
        "d['threads'] >= 1 and {'name': 'scalar', 'built': True, 'usable': True} in d['isas']"
    works 'info' info -m "$good"
    expect 'it names the architecture' contains "$tmp/out" 'bitnet-b1.58'
    expect 'it says nothing on stderr' is_empty "$tmp/err"
    works 'info --tensors' info -m "$good" --tensors
    expect 'it lists tensors' grep -qE 'blk\.1\.ffn_down\.weight +I2_S .*\[384, 256\]' "$tmp/out"
    works 'info --metadata' info -m "$good" --metadata
    expect 'it lists metadata' grep -qE 'bitnet-b1\.58\.block_count = 2' "$tmp/out"
    run info -m "$models/evil_names.gguf" --metadata --tensors
    expect 'info: names from a file do nothing to a terminal' \
        [ "$(tr -d '[:print:]\n\302\267' <"$tmp/out" | wc -c)" -eq 0 ]
    expect 'info: they are shown escaped' contains "$tmp/out" '\x1b[31mtensor\xc2\x9b'
    works 'info --json' info -m "$good" --json --tensors --metadata
    json 'its JSON of a model' "$tmp/out" "d['model']['n_layer'] == 2 and len(d['tensors']) == 24 \
and d['metadata']['general.architecture'] == 'bitnet-b1.58' \
and len(d['metadata']['tokenizer.ggml.tokens']) == 300 and d['gguf_version'] == 3"
    TRIT_MODEL=$good "$trit" info >"$tmp/out" 2>"$tmp/err"
    expect 'info takes TRIT_MODEL' contains "$tmp/out" 'bitnet-b1.58'
}

# info describes as much of a file as it can, even if the model cannot run.
info_of_unsupported() {
    local name
    for name in unknown_arch unknown_type; do
        run info -m "$models/$name.gguf" --tensors --metadata
        expect "info of $name: exit code" [ $code -eq 4 ]
        expect "info of $name: why" grep -q '^trit: ' "$tmp/err"
        expect "info of $name: one line" [ "$(wc -l <"$tmp/err")" -eq 1 ]
        expect "info of $name: tensors" contains "$tmp/out" 'blk.0.attn_q.weight'
        expect "info of $name: metadata" contains "$tmp/out" 'general.architecture'
        run info -m "$models/$name.gguf" --json
        expect "info --json of $name: exit code" [ $code -eq 4 ]
        json "info --json of $name" "$tmp/out" "d['model'] is None and d['n_tensors'] == 24"
    done
}

help_and_version() {
    local args
    works '--version' --version
    expect 'version is one line' [ "$(wc -l <"$tmp/out")" -eq 1 ]
    expect 'version names rows' grep -qE '^trit [0-9]+\.[0-9]+\.[0-9]+ .*scalar' "$tmp/out"
    for args in --help -h 'run --help' 'run -h' 'logits -h' 'info --help'; do
        # shellcheck disable=SC2086
        works "$args" $args
        expect "$args: on stdout only" is_empty "$tmp/err"
        expect "$args: says something" grep -q 'trit' "$tmp/out"
    done
    run --help
    for args in run logits info; do
        expect "--help lists $args" grep -qE "trit $args " "$tmp/out"
    done
    run run --help-all
    for args in --model --prompt --file --max-tokens --echo --threads --ctx --batch --isa --kv; do
        expect "run --help-all lists $args" contains "$tmp/out" "$args"
    done
}

# ---- Streams that end ----------------------------------------------------------------------------

# A reader that goes away is not worth a message.
closed_pipe() {
    local args
    "$trit" run -m "$good" -p x -c 65536 --ignore-eos 2>"$tmp/err" </dev/null | head -c 3 >"$tmp/out"
    code=${PIPESTATUS[0]}
    expect 'reader that goes away: exit code' [ "$code" -eq 1 ]
    expect 'reader that goes away: no message' is_empty "$tmp/err"
    expect 'reader that goes away: what it read' [ "$(size "$tmp/out")" -eq 3 ]
    mkfifo "$tmp/closed"
    exec 4<>"$tmp/closed" 5>"$tmp/closed" 4>&- # 5: a pipe that nobody reads any more
    for args in 'info --json --tensors --metadata' 'info --tensors --metadata' '--help' \
        'run -p x -n 5 -q' 'run -p x -n 5 --json'; do
        # shellcheck disable=SC2086
        TRIT_MODEL=$good "$trit" $args >&5 2>"$tmp/err" </dev/null
        code=$?
        expect "closed stdout, $args: exit code" [ "$code" -eq 1 ]
        expect "closed stdout, $args: no message" is_empty "$tmp/err"
    done
    exec 5>&-
}

full_disk() {
    local args
    if ! [ -c /dev/full ]; then
        skipped 'full disk' 'no /dev/full'
        return
    fi
    : >"$tmp/out"
    for args in 'run -p x -n 5' 'run -p x -n 5 -q' 'run -p x -n 5 --json' 'run -p x -n 0 --echo' \
        'info' 'info --json --tensors --metadata' '--help' '--version' 'run --help'; do
        # shellcheck disable=SC2086
        TRIT_MODEL=$good "$trit" $args >/dev/full 2>"$tmp/err" </dev/null
        code=$?
        said "full disk: $args" 1 'No space' && ok "full disk: $args"
    done
    refused 'full disk: logits' 1 'No space' logits -m "$good" --tokens 1,2,3 -o /dev/full
    refused 'full disk: many logits' 1 'No space' logits -m "$good" --tokens "$(seq -s, 1 200)" \
        -o /dev/full
}

# ---- Ctrl-C --------------------------------------------------------------------------------------

# start ARGS... : trit in the background, its id in $pid, stdin from $input. Job control gives it a
# process group of its own and the default action of SIGINT, which background jobs of a script
# otherwise ignore.
start() {
    : >"$tmp/out"
    : >"$tmp/err"
    set -m
    "$trit" "$@" >"$tmp/out" 2>"$tmp/err" <"$input" &
    pid=$!
    set +m
}

has_ended() { ! kill -0 "$pid" 2>/dev/null; }
shows_text() { [ "$(size "$tmp/out")" -gt 20 ]; }
has_opened() { grep -q 'opened in' "$tmp/err"; }

# interrupted : send SIGINT; the exit code in $code, or "never" if trit is still there a minute later
interrupted() {
    kill -INT "$pid"
    if wait_until has_ended; then
        wait "$pid" 2>/dev/null
        code=$?
    else
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null
        code=never
    fi
}

interrupt_text() {
    local before
    input=/dev/null
    start run -m "$good" -p x -c 65536 --ignore-eos
    wait_until shows_text
    before=$(size "$tmp/out")
    interrupted
    expect 'Ctrl-C while text comes: exit code' [ "$code" = 130 ]
    expect 'Ctrl-C while text comes: no message' [ -z "$(grep '^trit' "$tmp/err")" ]
    expect 'Ctrl-C while text comes: there was text' [ "$before" -gt 20 ]
    expect 'Ctrl-C while text comes: it is kept' [ "$(size "$tmp/out")" -ge "$before" ]
    expect 'Ctrl-C while text comes: a last newline' ends_with_one_newline "$tmp/out"
}

# With --json nothing shows from outside when the first token is there: if SIGINT came too early, the
# check is repeated and waits longer.
interrupt_json() {
    local seconds
    input=/dev/null
    for seconds in 0.1 0.3 1 3 10 30; do
        start run -m "$good" -p x -c 65536 --ignore-eos --json -v
        wait_until has_opened
        sleep $seconds
        interrupted
        ! grep -q '"tokens":[1-9]' "$tmp/out" || break
    done
    expect 'Ctrl-C with --json: exit code' [ "$code" = 130 ]
    json 'Ctrl-C with --json: the text so far' "$tmp/out" \
        "d['finish'] == 'interrupt' and d['tokens'] > 0 and d['text']"
}

interrupt_session() {
    local n_tokens
    input=/dev/null
    rm -f "$tmp/session"
    start run -m "$good" -p x -c 65536 --ignore-eos --session "$tmp/session"
    wait_until shows_text
    interrupted
    expect 'Ctrl-C with --session: exit code' [ "$code" = 130 ]
    n_tokens=$(sed -n 's/.* + \([0-9]*\) new tokens.*/\1/p' "$tmp/err")
    "$trit" run -m "$good" -p '' -n 1 -c 65536 --json --session "$tmp/session" >"$tmp/out" \
        2>"$tmp/err" </dev/null
    json 'Ctrl-C with --session: every token is kept' "$tmp/out" \
        "d['restored_tokens'] == 1 + ${n_tokens:-0} > 2"
    expect 'Ctrl-C with --session: no other file is left' \
        [ "$(ls -A "$tmp" | grep -c '^session')" = 1 ]
}

prompt_is_read() { ! read -r -t 0 -u 3; }

# A prompt that never ends: trit has read the beginning of it.
interrupt_prompt() {
    input=$tmp/fifo
    mkfifo "$input"
    exec 3<>"$input"
    echo x >&3
    start run -m "$good"
    wait_until prompt_is_read
    interrupted
    exec 3>&-
    expect 'Ctrl-C before text comes: exit code' [ "$code" = 130 ]
    expect 'Ctrl-C before text comes: silence' [ "$(cat "$tmp/out" "$tmp/err" | wc -c)" -eq 0 ]
}

# ---- All of it -----------------------------------------------------------------------------------

usage_errors
prompt_errors
logits_errors
file_errors
isa_errors
prompts
verbatim
echo_and_newlines
valid_text
json_of_run
model_from_environment
logits_files
infos
info_of_unsupported
help_and_version
closed_pipe
full_disk
interrupt_text
interrupt_json
interrupt_session
interrupt_prompt
check_collected

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# bench-limits.sh - measures how close trit comes to the limits of this machine, and whether that is
# close enough.
#
#   scripts/bench-limits.sh [TRIT [ROUNDS]]        build/trit and 3 rounds by default
#
# Makes dummies of the shapes of 2B-4T and Falcon3-1B (2 GB, in TMPDIR), measures every line of the
# table in turn, ROUNDS times, and prints the CPU and the medians. Efficiencies are those of `trit
# bench`: bytes read per second divided by the speed of reading the same bytes, or ternary
# multiply-adds per second divided by the peak of the instruction set. Each limit is measured in the
# same process between the samples. Exits with 1 if a line falls short of its target; a line for
# which this machine lacks an instruction set is printed as "not here" and does not count. Run
# nothing else at the same time.
set -euo pipefail
root=$(realpath "$(dirname "$0")/..")
trit=$(realpath "${1:-$root/build/trit}")
rounds=${2:-3}
dir=$(mktemp -d)
pid='' spinner=''
trap 'kill $pid $spinner 2>/dev/null || true; rm -rf "$dir"' EXIT
unset TRIT_MODEL
export LC_ALL=C
model=$dir/2b4t.gguf falcon=$dir/falcon3-1b.gguf

"$trit" dummy --shape 2b4t -o "$model" -q
"$trit" dummy --shape falcon3-1b --type tq2_0 -o "$falcon" -q
cat "$model" "$falcon" >/dev/null # into the page cache

info=$("$trit" info)
usable() { grep -q "^  $1  *usable" <<<"$info"; }
best=$(awk '$1 == "isa" { print $2 }' <<<"$info")
cpu=$(sed -n 's/^cpu  *//p' <<<"$info")
# The share of its peak that AVX-512 can reach: AMD unpacks and multiplies on different ports.
case $cpu in *AuthenticAMD*) prompt_avx512=0.75 ;; *) prompt_avx512=0.65 ;; esac

# column NAME: its value in the last line of a csv on stdin
column() {
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i } END { print $c }'
}

# efficiency KEY ISA THREADS OPTIONS...: add a sample of the model $shape to the file KEY
shape=$model
efficiency() {
    local key=$1 isa=$2 threads=$3
    shift 3
    usable "$isa" || return 0
    "$trit" bench -m "$shape" --isa "$isa" -t "$threads" "$@" -q -o csv >"$dir/csv"
    column efficiency <"$dir/csv" >>"$dir/$key"
    column avg_ts <"$dir/csv" >>"$dir/$key.ts"
}

median() { sort -g "$1" | awk '{ x[NR] = $1 } END { print (x[int((NR + 1) / 2)] + x[int(NR / 2) + 1]) / 2 }'; }

# The speed of a prompt with amx divided by the speed with avx512 in the same round.
amx() {
    usable amx || return 0
    efficiency prompt-amx amx 2 -p 512 -n 0 -r 3
    paste "$dir/prompt-amx.ts" "$dir/prompt-avx512.ts" | tail -n 1 | awk '{ print $1 / $2 }' >>"$dir/amx"
}

# product ISA ROWSxCOLUMNS: the speed of the product alone divided by its peak in the same process
product() {
    local isa=$1 size=$2 bench
    bench=$(dirname "$trit")/tests/check_kernels
    usable "$isa" && [ -x "$bench" ] || return 0
    "$bench" --bench t2_gemm --isa "$isa" | awk -v rows="${size%x*}" -v cols="${size#*x}" '
        $2 == rows && $4 == cols && $5 == 512 { for (i = 6; i <= NF; i++) if ($i == "%") print $(i - 1) / 100 }' \
        >>"$dir/product-$isa-$size"
}

# The tokens per second of several sequences together, divided by those of one in the same round.
sequences() {
    usable avx512 || return 0
    "$trit" bench -m "$model" --isa avx512 -t 2 -p 0 -n 128 -r 1 --sequences 1,2,3,8,16 -q -o csv |
        awk -F, -v dir="$dir" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "avg_ts") c = i; else if ($i == "n_sequences") s = i }
            NR == 2 { one = $c } NR > 2 { print $c / one >>(dir "/sequences-" $s) }'
}

# Milliseconds of a process that evaluates one token and prints the next one, minus the time of one
# token in a running process.
first_token() {
    local begin end ts
    begin=$(date +%s%N)
    "$trit" run -m "$model" -p '' -n 1 --temp 0 -q -t 2 >/dev/null
    end=$(date +%s%N)
    ts=$(tail -n 1 "$dir/generate-2.ts")
    awk -v ns=$((end - begin)) -v ts="$ts" 'BEGIN { print ns / 1e6 - 1e3 / ts }' >>"$dir/first"
}

for ((i = 0; i < rounds; i++)); do
    efficiency generate-2 "$best" 2 -p 0 -n 128 -r 3
    efficiency generate-1 "$best" 1 -p 0 -n 64 -r 3
    efficiency generate-avx2 avx2 2 -p 0 -n 128 -r 3
    efficiency generate-avx2-1 avx2 1 -p 0 -n 64 -r 3
    shape=$falcon
    efficiency falcon-2 "$best" 2 -p 0 -n 128 -r 3
    efficiency falcon-1 "$best" 1 -p 0 -n 64 -r 3
    shape=$model
    efficiency short-2 avx512 2 -p 8 -n 0 -r 5
    efficiency short-1 avx512 1 -p 8 -n 0 -r 5
    efficiency prompt-avx512 avx512 2 -p 512 -n 0 -r 3
    efficiency prompt-avxvnni avxvnni 2 -p 512 -n 0 -r 3
    efficiency prompt-avx2 avx2 2 -p 512 -n 0 -r 3
    amx
    efficiency prompt-1 "$best" 1 -p 512 -n 0 -r 3
    efficiency prompt-2 "$best" 2 -p 512 -n 0 -r 3
    sequences
    paste "$dir/prompt-2" "$dir/prompt-1" | tail -n 1 | awk '{ print $1 / $2 }' >>"$dir/scaling"
    first_token
done

# The time that a context of 4096 tokens adds to a token, divided by the time of reading its keys
# and values. The memory of a shared machine may change between two speeds every few seconds: the
# sample is repeated, at most ten times, while the speed differed by more than 5 % between the short
# and the long context.
depth() {
    local shallow tries
    for ((tries = 0; tries < 10; tries++)); do
        "$trit" bench -m "$model" -t 2 -p 0 -n 32 -d 0,4096 -r 3 -q -o csv >"$dir/csv"
        shallow=$(head -n 2 "$dir/csv")
        awk -v a="$(column read_gbps <"$dir/csv")" -v b="$(column read_gbps <<<"$shallow")" \
            'BEGIN { exit !(a < 1.05 * b && b < 1.05 * a) }' && break
    done
    [ "$tries" -lt 10 ] || echo "bench-limits: memory changed its speed during the depth sample" >&2
    awk -v b="$(column bytes_per_token <"$dir/csv")" -v t="$(column avg_ts <"$dir/csv")" \
        -v r="$(column read_gbps <"$dir/csv")" -v b0="$(column bytes_per_token <<<"$shallow")" \
        -v t0="$(column avg_ts <<<"$shallow")" -v r0="$(column read_gbps <<<"$shallow")" 'BEGIN {
        print (1 / t - 1 / t0 * r0 / r) * r * 1e9 / (b - b0) }' >>"$dir/depth"
}

# The efficiency of attention in a prompt: a prompt of 4096 tokens has more multiply-adds in
# attention than eight prompts of 512. Their number is divided by the time that they add and by the
# peak of the instruction. 2B-4T has 30 layers of 20 heads of 128, and each pair of tokens is
# multiplied twice.
attention() {
    local isa=$1
    usable "$isa" || return 0
    "$trit" bench -m "$model" --isa "$isa" -t 2 -p 512,4096 -n 0 -r 1 -q -o csv >"$dir/csv"
    column avg_ts <"$dir/csv" | awk -v peak="$(column peak_gfmas <"$dir/csv")" \
        -v short="$(head -n 2 "$dir/csv" | column avg_ts)" '{
        n = 30 * 20 * 128 * 2 * (4096 * 4097 / 2 - 8 * 512 * 513 / 2)
        print n / (4096 / $1 - 4096 / short) * 1e-9 / peak }' >>"$dir/attention-$isa"
}
for ((i = 0; i < rounds; i++)); do
    for size in 2560x2560 4096x4096 2560x6912; do product amx "$size"; done
    depth
    attention avx512
    attention avx2
done

# One other process spins on one of the two cores.
if command -v taskset >/dev/null && taskset -c 1 true 2>/dev/null; then
    free=$(median "$dir/generate-2.ts") free_prompt=$(median "$dir/prompt-2.ts")
    taskset -c 1 sh -c 'while :; do :; done' &
    spinner=$!
    "$trit" bench -m "$model" -t 2 -p 512 -n 128 -r 3 -q -o csv >"$dir/csv"
    kill "$spinner"
    wait "$spinner" 2>/dev/null || true
    spinner=
    column avg_ts <"$dir/csv" | awk -v free="$free" '{ print $1 / free }' >"$dir/busy"
    head -n 2 "$dir/csv" | column avg_ts | awk -v free="$free_prompt" '{ print $1 / free }' \
        >"$dir/busy-prompt"
fi

# The largest private memory of the process while a context of 4096 tokens fills up, and the size
# that trit announced before.
"$trit" bench -m "$model" -t 2 -p 0 -n 16 -d 4080 -r 1 -o csv >"$dir/csv" 2>"$dir/announced" &
pid=$!
while kill -0 $pid 2>/dev/null; do
    awk '$1 == "RssAnon:" { print $2 * 1024 / 1e6 }' /proc/$pid/status 2>/dev/null >>"$dir/memory" || true
    sleep 0.2
done
if ! wait $pid || [ ! -s "$dir/memory" ]; then
    cat "$dir/announced" >&2
    echo "bench-limits: could not measure the memory" >&2
    exit 1
fi
pid=
peak=$(sort -g "$dir/memory" | tail -n 1)

failed=0
# line NAME KEY|VALUE TEST LIMIT: print a line of the table; TEST is >=, <= or <
line() {
    local value=$2 word
    if [ -e "$dir/$2" ]; then
        value=$(median "$dir/$2")
    elif [[ ! $2 =~ ^[0-9] ]]; then
        printf '%-54s %8s  not here\n' "$1" -
        return
    fi
    word=$(awk -v x="$value" -v test="$3" -v limit="$4" 'BEGIN {
        short = test == ">=" ? limit - x : x - limit
        if (short <= 0 && !(test == "<" && short == 0)) print "pass"
        else printf "falls short by %.3g\n", short }')
    [ "$word" = pass ] || failed=1
    local speed=""
    [ ! -e "$dir/$2.ts" ] || speed=$(printf '%8.1f t/s' "$(median "$dir/$2.ts")")
    printf '%-54s %8.3g  %s %-5s %s%s\n' "$1" "$value" "$3" "$4" "$word" "$speed"
}

echo "$cpu; best row $best"
echo "$(date +%F), $("$trit" --version | cut -d ' ' -f 1-3), 2B-4T's shape (F16 head) and Falcon3-1B's (TQ2_0), medians of $rounds"
line "generation, $best, 2 threads / read speed" generate-2 '>=' 0.90
line "generation, $best, 1 thread / read speed" generate-1 '>=' 0.90
line "generation, avx2, 2 threads / read speed" generate-avx2 '>=' 0.85
line "generation, avx2, 1 thread / read speed" generate-avx2-1 '>=' 0.85
line "generation, Falcon3-1B, $best, 2 threads / read speed" falcon-2 '>=' 0.90
line "generation, Falcon3-1B, $best, 1 thread / read speed" falcon-1 '>=' 0.90
line "prompt of 512, avx512 / peak" prompt-avx512 '>=' "$prompt_avx512"
line "prompt of 8, avx512, 1 thread / peak" short-1 '>=' 0.45
line "prompt of 8, avx512, 2 threads / peak" short-2 '>=' 0.42
line "prompt of 512, amx / avx512" amx '>=' 2.60
line "product of 512 tokens, 2560 wide, amx / peak" product-amx-2560x2560 '>=' 0.38
line "product of 512 tokens, 4096 wide, amx / peak" product-amx-4096x4096 '>=' 0.38
line "product of 512 tokens, 6912 wide, amx / peak" product-amx-2560x6912 '>=' 0.30
line "prompt of 512, avxvnni / peak" prompt-avxvnni '>=' 0.60
line "prompt of 512, avx2 / peak" prompt-avx2 '>=' 0.45
line "prompt of 512, 2 threads / 1, relative to the peaks" scaling '>=' 0.93
line "2 sequences together, avx512, 2 threads / 1" sequences-2 '>=' 1.8
line "3 sequences together, avx512, 2 threads / 1" sequences-3 '>=' 2.5
line "8 sequences together, avx512, 2 threads / 1" sequences-8 '>=' 4.5
line "16 sequences together, avx512, 2 threads / 1" sequences-16 '>=' 5.3
line "depth 4096, 2 threads: added time / read time" depth '<=' 1.3
line "attention in a prompt of 4096, avx512 / FMA peak" attention-avx512 '>=' 0.40
line "attention in a prompt of 4096, avx2 / FMA peak" attention-avx2 '>=' 0.40
line "generation, one core busy / both free" busy '>=' 0.45
line "prompt of 512, one core busy / both free" busy-prompt '>=' 0.45
line "memory without the file, context 4096, MB" "$peak" '<' 400
line "start to first token, minus one token, ms" first '<' 300
echo "announced: $(cat "$dir/announced")"
exit $failed

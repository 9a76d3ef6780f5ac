#!/usr/bin/env bash
# check-golden.sh - compares the program's logits with float64 reference logits.
#
#   scripts/check-golden.sh TRIT SHARED
#
# For every SHARED/golden/*.gguf, the logits are
#   - byte-identical for each usable instruction set, one and two threads, batches of 1, 7 and 512,
#     mapped and unmapped files, and for every walk (token by token; also fables and the built-in
#     model)
#   - within the bounds of SHARED/golden/check.py (needs python3 with numpy)
#
# For SHARED/models/fables:
#   - the perplexity on SHARED/corpus/valid.txt is within 0.2 % of the reference in eval.json, after
#     each of its layers
#   - its checkpoint hf-packed, converted, has the same logits; hf is within the bounds of check.py
#   - all digits of the perplexity, and a story by a seed, are the same for every instruction set,
#     number of threads and batch size
set -euo pipefail
trit=$1
golden=$2/golden
fables=$2/models/fables/fables.gguf

. "$(dirname "$0")/need.sh"
need "/usr/bin/python3 -c 'import numpy' || python3 -c 'import numpy'" python3-numpy
for p in /usr/bin/python3 python3; do
    if "$p" -c 'import numpy' 2>/dev/null; then python=$p && break; fi
done

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
unset TRIT_MODEL
isas=$("$trit" info | awk '$2 == "usable" { print $1 }')
if [ -z "$isas" ]; then
    echo "check-golden: $trit lists no usable instruction set" >&2
    exit 1
fi
# got_wanted MODEL OPTIONS...: stop unless got.npy equals want.npy
got_wanted() {
    if ! cmp "$out/want.npy" "$out/got.npy"; then
        echo "check-golden: $(basename "${1%.gguf}"): ${*:2} differs" >&2
        exit 1
    fi
    n=$((n + 1))
}

n=0
for model in "$golden"/*.gguf; do
    base=${model%.gguf}
    tokens=$(cat "$base.tokens")
    "$trit" logits -m "$model" --tokens "$tokens" --isa scalar -t 1 -o "$out/want.npy"
    for isa in $isas; do
        for options in "-t 1" "-t 2" "-b 1" "-b 7" "-b 512" "--no-mmap" "-t 2 -b 7"; do
            # shellcheck disable=SC2086
            "$trit" logits -m "$model" --tokens "$tokens" --isa "$isa" $options -o "$out/got.npy"
            got_wanted "$model" --isa "$isa" "$options"
        done
    done
    printf '%-18s ' "$(basename "$base")"
    "$python" "$golden/check.py" "$base.npy" "$out/want.npy"
done
echo "$n runs byte-identical over:" $isas

# Every walk that an instruction set has. Only single tokens use walks. One to three threads.
walks=$("$trit" info | sed '1,/^walks/d; /^kernels/,$d' | awk '{ print $1 }')
n=0
for model in "$golden"/*.gguf "$fables" built-in; do
    tokens=$(seq -s , 0 97 4000)
    [ ! -e "${model%.gguf}.tokens" ] || tokens=$(cat "${model%.gguf}.tokens")
    "$trit" logits -m "$model" --tokens "$tokens" --isa scalar -t 1 -o "$out/want.npy"
    for isa in $isas; do
        for walk in $walks; do
            options="--isa $isa --walk $walk -t $((n % 3 + 1)) -b 1"
            # shellcheck disable=SC2086
            "$trit" logits -m "$model" --tokens "$tokens" $options -o "$out/got.npy" 2>"$out/why" || {
                grep -q "have no walk" "$out/why"
                continue
            }
            got_wanted "$model" "$options"
        done
    done
done
echo "$n runs byte-identical by:" $walks

valid=$2/corpus/valid.txt
for layer in 1 2 3 4 5 6; do
    "$trit" perplexity -m "$fables" -f "$valid" --chunks 60 --exit-layer $layer --json
done >"$out/perplexity.jsonl"
"$python" - "$out/perplexity.jsonl" "$2/models/fables/eval.json" <<'END'
import json, sys
ok = True
for line, want in zip(open(sys.argv[1]), json.load(open(sys.argv[2]))["valid.txt"]):
    got, (layer, nll, ppl, _, tokens) = json.loads(line), want
    off = got["ppl"] / ppl - 1
    print(f"{layer} layers: perplexity {got['ppl']:.4f}, reference {ppl:.4f}: {100 * off:+.4f} %")
    ok = ok and abs(off) < 0.002 and got["tokens"] == tokens
sys.exit(0 if ok else 1)
END

# The checkpoints that the model was made from.
tokens=$(seq -s , 0 37 4000)
"$trit" logits -m "$fables" --tokens "$tokens" -o "$out/want.npy"
for folder in hf-packed hf; do
    "$trit" convert "$2/models/fables/$folder" -o "$out/converted.gguf" -q
    "$trit" logits -m "$out/converted.gguf" --tokens "$tokens" -o "$out/$folder.npy"
done
cmp "$out/want.npy" "$out/hf-packed.npy"
"$python" "$golden/check.py" "$out/want.npy" "$out/hf.npy"

same() { # same NAME COMMAND... : the output equals the output of the first call with NAME
    local name=$1
    shift
    "$@" >"$out/now"
    if [ -e "$out/$name" ] && ! cmp "$out/$name" "$out/now"; then
        echo "check-golden: $* differs" >&2
        exit 1
    fi
    mv "$out/now" "$out/$name"
}
for isa in $isas; do
    for options in "-t 1" "-t 2" "-t 2 -b 7"; do
        # shellcheck disable=SC2086
        same digits "$trit" perplexity -m "$fables" -f "$valid" --chunks 3 --json --isa "$isa" \
            $options
        # shellcheck disable=SC2086
        same story "$trit" run -m "$fables" -p "Once upon a time" -n 100 --seed 7 -q --isa "$isa" \
            $options
    done
done
echo "perplexity and a story by seed: the same for every instruction set, thread count and batch"
cat "$out/story"
"$trit" run -m "$fables" -p "Once upon a time" -n 60 --temp 0

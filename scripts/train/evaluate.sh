#!/usr/bin/env bash
# evaluate.sh - bits per byte of a model after each of its layers, by `trit perplexity`.
#
#   scripts/train/evaluate.sh MODEL.gguf CORPUS [TRIT [CTX [CHUNKS]]]
#
# CORPUS is the folder of valid.txt and tinystories/valid_head.txt (its <|endoftext|> lines are left
# out). build/trit, windows of the model's context and 60 of them by default. A Markdown table; the
# first window tokens are not scored, so figures of models with other windows or vocabularies
# compare by bits per byte, nearly.
set -euo pipefail
if [ $# -lt 2 ]; then
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2
    exit 2
fi
model=$1 corpus=$2
trit=${3:-$(dirname "$0")/../../build/trit}
ctx=${4:+--ctx $4} chunks=${5:-60}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset TRIT_MODEL

cp "$corpus/valid.txt" "$dir/valid"
sed '/^<|endoftext|>$/d' "$corpus/tinystories/valid_head.txt" >"$dir/tinystories"
layers=$("$trit" info -m "$model" --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["model"]["n_layer"])')

# measure TEXT LAYERS: perplexity and bits per byte
measure() {
    # shellcheck disable=SC2086 # $ctx is an option and its value, or nothing
    "$trit" perplexity -m "$model" -f "$dir/$1" $ctx --chunks "$chunks" --exit-layer "$2" \
        --json -q | python3 -c '
import json, sys
r = json.load(sys.stdin)
print("{ppl:.2f} | {bits_per_byte:.4f}".format(**r))'
}

echo "| layers | valid.txt: perplexity | bits per byte | TinyStories: perplexity | bits per byte |"
echo "|---|---|---|---|---|"
for n in $(seq "$layers"); do
    echo "| $n | $(measure valid "$n") | $(measure tinystories "$n") |"
done

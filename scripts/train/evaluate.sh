#!/usr/bin/env bash
# evaluate.sh - measures bits per byte of a model after each of its layers with `trit perplexity`.
#
#   scripts/train/evaluate.sh MODEL.gguf CORPUS [TRIT [CTX [CHUNKS]]]
#
# CORPUS is a folder with valid.txt and tinystories/valid_head.txt (whose <|endoftext|> lines are left
# out). Defaults: build/trit, the model's context, 60 windows. Prints a Markdown table. The first token
# of a window is not scored, so bits per byte are only nearly comparable between models with different
# windows or vocabularies.
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

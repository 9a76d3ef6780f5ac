#!/usr/bin/env bash
# pictures.sh - makes the pictures of the documentation, with the built-in model.
#
#   scripts/pictures.sh TEXT.txt [TRIT]        build/trit by default; about two minutes
#
# models/session.svg   a session (record.sh)
# models/speed.svg     trit bench of a dummy of 2B-4T's shape (1.2 GB, in TMPDIR), 1 and 2 threads
# models/exit.svg      trit bench --exit-sweep on TEXT.txt, a text outside the training data
#
# Run nothing else at the same time. The pictures are replaced only after all three are done.
set -euo pipefail
here=$(realpath "$(dirname "$0")")

die() { # die CODE MESSAGE
    echo "pictures.sh: $2" >&2
    exit "$1"
}

[ $# = 1 ] || [ $# = 2 ] || die 2 'usage: pictures.sh TEXT.txt [TRIT]'
text=$1
[ -r "$text" ] || die 2 "$text: cannot be read"
trit=${2:-$here/../build/trit}
if [ ! -f "$trit" ] || [ ! -x "$trit" ]; then
    die 2 "$trit is not a program; expected a trit with a built-in model"
fi
unset TRIT_MODEL
export PYTHONDONTWRITEBYTECODE=1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
model=$dir/2b4t.gguf

"$here/record.sh" -o "$dir/session.svg" "$trit"

"$trit" bench --exit-sweep -f "$text" --chunks 40 -q -o json >"$dir/fables.json"
"$here/plot-exit.py" -o "$dir/exit.svg" "$dir/fables.json"

"$trit" dummy --shape 2b4t -o "$model" -q
cat "$model" >/dev/null # into the page cache
"$trit" bench -m "$model" -t 1,2 -q -o json >"$dir/2b4t.json"
"$here/plot-bench.py" --title "2B-4T's shape: tokens per second and the limits of the machine" \
    -o "$dir/speed.svg" "$dir/2b4t.json"

for name in session speed exit; do
    cp "$dir/$name.svg" "$here/../models/$name.svg"
done

#!/usr/bin/env bash
# record.sh - draws a short session with trit in a real terminal as an SVG.
#
#   scripts/record.sh [-o OUT.svg] [TRIT]        build/trit by default, the picture on stdout
#
# TRIT is a trit with a built-in model. The script types into a terminal of 80 columns (tmux), each
# line after its prompt has appeared, and draws everything that the terminal showed. The same TRIT
# writes the same text each time; only the speeds differ, and with them the breaks of their lines.
set -euo pipefail
here=$(realpath "$(dirname "$0")")

die() { # die CODE MESSAGE
    echo "record.sh: $2" >&2
    exit "$1"
}

out=-
while getopts o: option 2>/dev/null; do
    [ "$option" = o ] || die 2 'usage: record.sh [-o OUT.svg] [TRIT]'
    out=$OPTARG
done
shift $((OPTIND - 1))
[ $# -le 1 ] || die 2 'usage: record.sh [-o OUT.svg] [TRIT]'
trit=${1:-$here/../build/trit}
if [ ! -f "$trit" ] || [ ! -x "$trit" ]; then
    die 2 "$trit is not a program; expected a trit with a built-in model"
fi
for command in tmux python3; do
    command -v "$command" >/dev/null || die 1 "$command is missing; please install it"
done
bash=$(command -v bash)

dir=$(mktemp -d)
export LC_ALL=C.UTF-8
unset TMUX
terminal() { tmux -u -S "$dir/socket" -f "$dir/tmux.conf" "$@"; }
trap 'terminal kill-server 2>/dev/null || true; rm -rf "$dir"' EXIT
mkdir "$dir/home" "$dir/bin"
ln -s "$(realpath "$trit")" "$dir/bin/trit"
printf 'set -g %s\n' 'status off' 'history-limit 1000' 'default-terminal screen-256color' \
    >"$dir/tmux.conf"

# at FORMAT: properties of the cursor
at() { terminal display-message -p "$1"; }
# position: the number of lines above the cursor; current: the line of the cursor.
position() { at '#{e|+:#{history_size},#{cursor_y}}'; }
current() { terminal capture-pane -p | sed -n "$(($(at '#{cursor_y}') + 1))p"; }

# await WHAT TEST...: wait until the command TEST succeeds
await() {
    local i
    for ((i = 0; i < 600; i++)); do
        if "${@:2}"; then return; fi
        sleep 0.05
    done
    terminal capture-pane -p >&2 || true
    die 1 "timed out waiting for $1; the terminal shows the lines above"
}
typed() { [[ $(current) = "$1"* ]]; } # a hint may follow
prompted() { [ "$(current)" = "$1" ] && [ "$(position)" -gt "$2" ]; }

# type_line PROMPT LINE NEXT_PROMPT
type_line() {
    local before
    before=$(position)
    terminal send-keys -l "$2"
    await "'$2' to be typed" typed "$1 $2"
    terminal send-keys Enter
    await "the prompt '$3' after '$2'" prompted "$3" "$before"
}

shell=(env -i HOME="$dir/home" PATH="$dir/bin:/usr/bin:/bin" LC_ALL="$LC_ALL" HISTFILE=
    TERM=screen-256color PS1='\[\e[1;32m\]$\[\e[0m\] ' "$bash" --norc --noprofile)
(cd "$dir/home" && terminal new-session -d -x 80 -y 24 "$(printf '%q ' "${shell[@]}")")
await "the shell's prompt" typed '$'
type_line '$' 'trit run -p "Once upon a time" -n 80 --seed 4' '$'
type_line '$' 'trit chat -n 60 --seed 3' '>'
type_line '>' 'Once upon a time there lived a queen' '>'
type_line '>' 'Then the fox said' '>'
type_line '>' '/context' '>'
type_line '>' '/exit' '$'
terminal capture-pane -e -p -S - >"$dir/screen"
python3 "$here/draw-screen.py" --title 'A session with trit' -o "$out" "$dir/screen"

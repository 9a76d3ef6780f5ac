#!/bin/sh
# check_readme.sh TRIT PROGRAM... - runs a program of README.md, which must print what the README
# says: the same as `trit run`. Run it in the source folder.
set -eu
trit=$1
shift
unset TRIT_MODEL
said=$("$@")
story=$("$trit" run -m models/fables.gguf -p "Once upon a time" -n 60 --temp 0 -q)
[ -n "$story" ] && [ "$said" = "$story" ] && exit
echo "check_readme: $* says"
echo "$said"
echo "and trit run says"
echo "$story"
exit 1

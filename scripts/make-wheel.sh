#!/usr/bin/env bash
# make-wheel.sh - makes the Python wheel of trit, and checks it.
#
#   scripts/make-wheel.sh [FOLDER]                  dist by default
#
# Needs Python 3.8, CMake, a C compiler and binutils, and no network. The wheel has the shared
# library inside. Its name says which glibc it needs, manylinux_2_NN: this script looks at the
# symbols of the library in it once more. With TRIT_LIBRARY=FILE that library is packed instead of a
# new one.
set -euo pipefail
root=$(realpath "$(dirname "$0")/..")
folder=${1:-dist}

wheel=$(python3 "$root/tools/python/wheel_backend.py" "$folder")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m zipfile -e "$wheel" "$dir"
if [[ $wheel == *manylinux_2_* ]]; then
    newest=$(objdump -T "$dir"/trit/libtrit.so | grep -o 'GLIBC_2\.[0-9]*' | cut -d . -f 2 | sort -n | tail -n 1)
    [[ $wheel == *"manylinux_2_${newest}_$(uname -m).whl" ]] || {
        echo "make-wheel: $wheel needs glibc 2.$newest" >&2
        exit 1
    }
fi
echo "$wheel"

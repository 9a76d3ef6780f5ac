#!/usr/bin/env bash
# check-transformers.sh - compares trit with the published library, on checkpoints that it saves.
#
#   scripts/check-transformers.sh TRIT [CASE...]                 TRIT: the program
#   scripts/check-transformers.sh TRIT --fixtures FOLDER         write tests/convert/transformers
#
# Installs torch and transformers from PyPI into build-transformers/ (1 to 6 GB), then runs
# check_transformers.py. It takes minutes and is not a part of CI.
set -euo pipefail
trit=$(realpath "$1")
shift
cd "$(dirname "$0")/.."

. scripts/need.sh
need "python3 -c 'import ensurepip'" python3-venv
venv=${TRANSFORMERS_VENV:-build-transformers}
if ! "$venv/bin/python" -c "import torch, transformers, accelerate" 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q torch transformers safetensors accelerate numpy
fi
"$venv/bin/python" -B scripts/check_transformers.py "$trit" "$@"

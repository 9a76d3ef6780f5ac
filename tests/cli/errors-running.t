# Exit code 1: it failed while running.

# This file is sound, but its numbers overflow.

$ trit run -m non_finite.gguf -p x
! trit: the model produced a non-finite value in layer 0
[1]

$ trit run -m non_finite.gguf -p x --json
! trit: the model produced a non-finite value in layer 0
[1]

$ trit logits -m non_finite.gguf --tokens 1 -o out.npy
! trit: the model produced a non-finite value in layer 0
[1]

$ trit perplexity -m non_finite.gguf -p xxx --ctx 3
! trit: the model produced a non-finite value in layer 0
[1]

# info and the tokenizer do not compute.

$ trit info -m non_finite.gguf | head -n 1
file      non_finite.gguf · GGUF 3 · 0.4 MiB · 24 tensors

$ trit tokenize -m non_finite.gguf -p x
120	"x"

# A result that cannot be written (for full disks see full-disk.t).

$ trit logits -m good.gguf --tokens 1 -o nowhere/out.npy
! trit: cannot write to nowhere/out.npy: No such file or directory
[1]

# A text that this vocabulary cannot hold.

$ printf '\377' | trit tokenize -m spm.gguf
! trit: the vocabulary has no token for byte 0xff
[1]

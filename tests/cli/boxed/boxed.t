# A program that carries a model runs it where no other is named.

$ trit run -p "Hello the" -n 5 --temp 0 -q >here && trit run -m good.gguf -p "Hello the" -n 5 --temp 0 -q >there && cmp here there && echo the same
the same

$ trit logits --tokens 1,2,3 -o here.npy && TRIT_MODEL= trit logits -m good.gguf --tokens 1,2,3 -o there.npy && cmp here.npy there.npy && echo the same
the same

$ trit info -m built-in --no-mmap
file      built-in · GGUF 3 · 0.4 MiB · 24 tensors
arch      bitnet-b1.58 · 2 layers · width 256 · 4 heads of 64 (2 KV) · FFN 384 · vocabulary 300
block     relu2 (architecture) · sub-norms · RoPE half, base 10000 · norm eps 1e-05 · trained for 256 positions
weights   1.1 M parameters, 1.0 M of them ternary · embedding F16 · head tied to it
memory    X MiB for the context, X MiB in addition to the file; 0.4 MiB read per token
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model

$ trit info | sed -n 1,2p
model    built-in, 0.4 MiB; trit info -m built-in
cpu      CPU

$ trit run --help | grep -e --model
  -m, --model FILE           the model file (default: $TRIT_MODEL, else built-in)

$ TRIT_MODEL=missing.gguf trit run -p x
! trit: missing.gguf: No such file or directory
[3]

$ trit run -m missing.gguf -p x
! trit: missing.gguf: No such file or directory
[3]

$ cp good.gguf built-in; trit info -m ./built-in | head -n 1
file      ./built-in · GGUF 3 · 0.4 MiB · 24 tensors

$ trit tokenize -p "Hello" --ids
[72,101,108,108,111]

$ trit bench -p 4 -n 0 -r 1 -q --json | grep -o '"model_filename":"[^"]*"'
"model_filename":"built-in"

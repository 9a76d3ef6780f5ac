# Exit code 3: a file cannot be read, is not what it should be, is damaged or ends early.

$ trit run -m missing.gguf -p x
! trit: missing.gguf: No such file or directory
[3]

$ TRIT_MODEL=missing.gguf trit run -p x
! trit: missing.gguf: No such file or directory
[3]

$ mkdir folder; trit run -m folder -p x
! trit: folder is not a regular file (it is a folder, and holds no model)
[3]

$ trit run -m empty.gguf -p x
! trit: empty.gguf is empty
[3]

$ trit run -m text.gguf -p x
! trit: text.gguf is not a GGUF file
[3]

$ trit run -m truncated.gguf -p x
! trit: truncated.gguf ends early: tensor 'blk.0.attn_output.weight' needs 16416 bytes at 191072 of 201664
[3]

$ trit run -m truncated.gguf -p x --no-mmap
! trit: truncated.gguf ends early: tensor 'blk.0.attn_output.weight' needs 16416 bytes at 191072 of 201664
[3]

$ trit run -m vocab_only.gguf -p x
! trit: vocab_only.gguf: tensor 'token_embd.weight' is missing
[3]

# However short it is cut.

$ for n in 1 3 4 8 20 24 100 1000 5000; do
>     head -c $n good.gguf >cut.gguf; trit run -m cut.gguf -p x; [ $? -eq 3 ] || echo "not 3"
> done
! trit: cut.gguf is not a GGUF file
! trit: cut.gguf is not a GGUF file
! trit: cut.gguf is damaged or ends early, in the header
! trit: cut.gguf is damaged or ends early, in the header
! trit: cut.gguf is damaged or ends early, in the header
! trit: cut.gguf is damaged or ends early: its 24 bytes cannot hold 20 metadata entries and 24 tensors
! trit: cut.gguf is damaged or ends early: its 100 bytes cannot hold 20 metadata entries and 24 tensors
! trit: cut.gguf: metadata 'tokenizer.ggml.tokens' is damaged, or the file ends early in it
! trit: cut.gguf: metadata 'tokenizer.ggml.token_type' is damaged, or the file ends early in it

# Data beyond the end of the file is damage, even where the type is not known either.

$ head -c 367000 unknown_type.gguf >cut.gguf; trit run -m cut.gguf -p x
! trit: cut.gguf ends early: tensor 'blk.1.ffn_down.weight' needs 24608 bytes at 384416 of 360280
[3]

# The same by the other commands.

$ for f in missing empty text truncated; do
>     trit logits -m $f.gguf --tokens 1 -o out.npy; echo "exit code $?"
>     trit info -m $f.gguf; echo "exit code $?"
>     trit tokenize -m $f.gguf -p x; echo "exit code $?"
>     trit detokenize -m $f.gguf --ids 1; echo "exit code $?"
>     trit perplexity -m $f.gguf -p x; echo "exit code $?"
> done 2>&1
trit: missing.gguf: No such file or directory
exit code 3
trit: missing.gguf: No such file or directory
exit code 3
trit: missing.gguf: No such file or directory
exit code 3
trit: missing.gguf: No such file or directory
exit code 3
trit: missing.gguf: No such file or directory
exit code 3
trit: empty.gguf is empty
exit code 3
trit: empty.gguf is empty
exit code 3
trit: empty.gguf is empty
exit code 3
trit: empty.gguf is empty
exit code 3
trit: empty.gguf is empty
exit code 3
trit: text.gguf is not a GGUF file
exit code 3
trit: text.gguf is not a GGUF file
exit code 3
trit: text.gguf is not a GGUF file
exit code 3
trit: text.gguf is not a GGUF file
exit code 3
trit: text.gguf is not a GGUF file
exit code 3
trit: truncated.gguf ends early: tensor 'blk.0.attn_output.weight' needs 16416 bytes at 191072 of 201664
exit code 3
trit: truncated.gguf ends early: tensor 'blk.0.attn_output.weight' needs 16416 bytes at 191072 of 201664
exit code 3
trit: truncated.gguf ends early: tensor 'blk.0.attn_output.weight' needs 16416 bytes at 191072 of 201664
exit code 3
trit: truncated.gguf ends early: tensor 'blk.0.attn_output.weight' needs 16416 bytes at 191072 of 201664
exit code 3
trit: truncated.gguf ends early: tensor 'blk.0.attn_output.weight' needs 16416 bytes at 191072 of 201664
exit code 3

# Texts are files too.

$ trit run -m good.gguf -f missing.txt
! trit: missing.txt: No such file or directory
[3]

$ trit run -m good.gguf -f folder
! trit: cannot read folder: Is a directory
[3]

$ trit tokenize -m good.gguf -f folder
! trit: cannot read folder: Is a directory
[3]

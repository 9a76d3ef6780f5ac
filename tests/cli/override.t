# Metadata given instead of a file's.

$ trit info -m good.gguf --override bitnet-b1.58.rope.freq_base=500000 --override bitnet-b1.58.hidden_activation=silu | grep -E '^(block|override)'
block     silu (the file's hidden_activation) · sub-norms · RoPE half, base 500000 · norm eps 1e-05 · trained for 256 positions
override  bitnet-b1.58.rope.freq_base=500000
override  bitnet-b1.58.hidden_activation=silu

$ trit info -m good.gguf --metadata --override-kv 'general.name=str:a,b,bitnet-b1.58.context_length=int:77' | grep -E 'name|context_l|override'
override  general.name=str:a,b,bitnet-b1.58.context_length=int:77
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model
  bitnet-b1.58.context_length = 77
  general.name = "a,b"

$ trit info -m good.gguf --json --override general.name=x --override-kv general.finetune=str:y | grep -o '"overrides":[^]]*]'
"overrides":["general.name=x","general.finetune=str:y"]

# The last one counts. convert --from-gguf writes them down.

$ trit convert --from-gguf good.gguf -o new.gguf -q --override general.name=x --override general.name=y
> trit info -m new.gguf --metadata | grep general.name
  general.name = "y"

$ trit tokenize -m good.gguf -p x --ids --override tokenizer.ggml.add_bos_token=false
\[120]

$ for o in nosuch.key=1 bitnet-b1.58.block_count=x bitnet-b1.58.block_count=99999999999 bitnet-b1.58.block_count= \
>     tokenizer.ggml.tokens=x tokenizer.ggml.add_bos_token=yes foo =1 general.architecture=bert \
>     bitnet-b1.58.rope.freq_base=high bitnet-b1.58.block_count=float:2.5
> do trit run -m good.gguf --override "$o" -p x; done
! trit: the file has no metadata 'nosuch.key', so its type is unknown; say --override-kv nosuch.key=TYPE:VALUE, with int, float, bool or str
! trit: override of 'bitnet-b1.58.block_count': 'x' is not a whole number
! trit: override of 'bitnet-b1.58.block_count': '99999999999' does not fit its type
! trit: override of 'bitnet-b1.58.block_count': '' is not a whole number
! trit: override of 'tokenizer.ggml.tokens': 'x' cannot replace a list
! trit: override of 'tokenizer.ggml.add_bos_token': 'yes' is neither true nor false
! trit: an override is KEY=VALUE, not 'foo'
! trit: an override is KEY=VALUE, not '=1'
! trit: good.gguf has architecture 'bert', which is not supported; supported are bitnet-b1.58, bitnet-25, bitnet, llama, qwen2, qwen3, bitskip, bitnet-8bit
! trit: override of 'bitnet-b1.58.rope.freq_base': 'high' is not a number
! trit: good.gguf: metadata 'bitnet-b1.58.block_count' should be an unsigned 32-bit integer
[3]

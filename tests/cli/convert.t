# trit convert makes a GGUF of a checkpoint folder, and says what it made of it.

$ trit convert checkpoint -o model.gguf 2>&1 | sed 's/in .* s$/in X s/'
trit: the checkpoint is a BitNet b1.58 of the 2B-4T kind: architecture bitnet-b1.58
trit: 14 linears are packed; their weight_scale multiplies the ternary values (linear_class autobitlinear)
trit: the vocabulary is byte-level BPE, read from tokenizer.json; its pre-tokenizer is gpt-2's (recognized by its regular expressions)
trit: the BOS is 264 (<|begin_of_text|>)
trit: the end token is 266 (<|eot_id|>), from the tokenizer; config.json says 265 (<|end_of_text|>)
trit: token 265 (<|end_of_text|>) ends a text too (from generation_config.json)
trit: the BOS is put before texts (add_bos_token is true)
trit: 18 rows of the embedding have no token; unused tokens fill them
model.gguf: 24 tensors, 0.5 MB in X s

$ trit info -m model.gguf
file      model.gguf · GGUF 3 · 0.4 MiB · 24 tensors
arch      bitnet-b1.58 · 2 layers · width 256 · 4 heads of 64 (2 KV) · FFN 512 · vocabulary 288
block     relu2 (the file's hidden_activation) · sub-norms · RoPE half, base 500000 · norm eps 1e-05 · trained for 128 positions
weights   1.3 M parameters, 1.2 M of them ternary · embedding F16 · head tied to it
memory    X MiB for the context, X MiB in addition to the file; 0.4 MiB read per token
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model
notes     the checkpoint is a BitNet b1.58 of the 2B-4T kind: architecture bitnet-b1.58
          14 linears are packed; their weight_scale multiplies the ternary values (linear_class autobitlinear)
          the vocabulary is byte-level BPE, read from tokenizer.json; its pre-tokenizer is gpt-2's (recognized by its regular expressions)
          the BOS is 264 (<|begin_of_text|>)
          the end token is 266 (<|eot_id|>), from the tokenizer; config.json says 265 (<|end_of_text|>)
          token 265 (<|end_of_text|>) ends a text too (from generation_config.json)
          the BOS is put before texts (add_bos_token is true)
          18 rows of the embedding have no token; unused tokens fill them

$ trit run -m model.gguf -p hi -n 5 -q >out && [ -s out ] && echo it runs
it runs

# What would be written, and nothing is.

$ trit convert checkpoint --type tq2_0 --embd q8_0 --dry-run -q | tail -n 5
blk.1.ffn_up.weight          TQ2_0    256 x 512               33792  from model.layers.1.mlp.up_proj.weight (U8 packed)
blk.1.ffn_sub_norm.weight    F32      512                      2048  from model.layers.1.mlp.ffn_sub_norm.weight (BF16)
blk.1.ffn_down.weight        TQ2_0    512 x 256               33792  from model.layers.1.mlp.down_proj.weight (U8 packed)
output_norm.weight           F32      256                      1024  from model.norm.weight (BF16)
24 tensors, 0.4 MB

$ trit convert checkpoint --dry-run --json -q | head -c 120; echo
[
{"name":"token_embd.weight","type":"F16","bytes":147456,"shape":[256,288],"source":"model.embed_tokens.weight","source

$ trit convert checkpoint -o model.gguf -q && cp model.gguf before.gguf
> trit convert checkpoint -o model.gguf --type q4_0
> cmp model.gguf before.gguf && echo untouched
untouched
! trit: linears cannot be written as type 'q4_0'; it must be one of i2_s, tq1_0, tq2_0, f16, bf16, f32

# What cannot be.

$ trit convert checkpoint
! trit: no output given; use -o FILE, or --dry-run
[2]

$ trit convert -o no.gguf
! trit: no checkpoint given; use trit convert FOLDER -o FILE.gguf
[2]

$ trit convert nowhere -o no.gguf
! trit: nowhere/config.json: No such file or directory
[3]

$ trit convert checkpoint --from-gguf good.gguf -o no.gguf
! trit: give a folder or --from-gguf, not both
[2]

$ trit convert checkpoint --map text.gguf -o no.gguf
! trit: text.gguf: line 1 has no '='
[3]

$ mkdir broken && cp checkpoint/* broken && printf '{"architectures": ["Phi3ForCausalLM"]}' >broken/config.json
> trit convert broken -o no.gguf
! trit: broken/config.json: 'architectures' is 'Phi3ForCausalLM'; supported are BitNetForCausalLM, BitnetForCausalLM, LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, BitSkipV1WithEarlyExit, BitSkipV2WithEarlyExit, BitSkipV3WithEarlyExit, any that has a tensor embed_positions.weight
[4]

# Other layouts of I2_S are mended.

$ trit convert --from-gguf good.gguf -o same.gguf -q && trit logits -m good.gguf --tokens 1,2,3 -o a.npy &&
>     trit logits -m same.gguf --tokens 1,2,3 -o b.npy && cmp a.npy b.npy && echo the same
the same

$ trit logits -m good.gguf --i2s-layout 64 --tokens 1,2,3 -o b.npy; cmp -s a.npy b.npy || echo another model
another model

$ trit info -m good.gguf --i2s-layout 7
! trit: --i2s-layout must be 128, 128row, 64, 4row or seq, not '7'
[2]

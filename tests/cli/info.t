# trit info says what is in a file and what was made of it.

$ trit info -m good.gguf
file      good.gguf · GGUF 3 · 0.4 MiB · 24 tensors
arch      bitnet-b1.58 · 2 layers · width 256 · 4 heads of 64 (2 KV) · FFN 384 · vocabulary 300
block     relu2 (architecture) · sub-norms · RoPE half, base 10000 · norm eps 1e-05 · trained for 256 positions
weights   1.1 M parameters, 1.0 M of them ternary · embedding F16 · head tied to it
memory    X MiB for the context, X MiB in addition to the file; 0.4 MiB read per token
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model

$ TRIT_MODEL=good.gguf trit info --no-mmap
file      good.gguf · GGUF 3 · 0.4 MiB · 24 tensors
arch      bitnet-b1.58 · 2 layers · width 256 · 4 heads of 64 (2 KV) · FFN 384 · vocabulary 300
block     relu2 (architecture) · sub-norms · RoPE half, base 10000 · norm eps 1e-05 · trained for 256 positions
weights   1.1 M parameters, 1.0 M of them ternary · embedding F16 · head tied to it
memory    X MiB for the context, X MiB in addition to the file; 0.4 MiB read per token
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model

$ trit info -m good.gguf --json
{"file":"good.gguf","gguf_version":3,"bytes":416768,"n_tensors":24,"model":{"arch":"bitnet-b1.58","ffn_act":"relu2","ffn_act_why":"architecture","rope_style":"half","sub_norms":true,"tied":true,"embd_type":"F16","head_type":"F16","n_layer":2,"n_embd":256,"n_head":4,"n_head_kv":2,"head_dim":64,"n_ff":384,"n_vocab":300,"n_ctx":256,"rope_base":10000,"norm_eps":9.99999975e-06,"n_params":1062400,"n_ternary":983040,"session_bytes":X,"repacked_bytes":X,"token_bytes":399872,"knobs":{"causal":true,"block":"pre","norm":"rms","attn_in_norm":false,"ffn":"gated","learned_positions":false,"linear_norm":"none","linear_norm_eps":0,"hadamard":"none","hadamard_norm":false,"hadamard_output":false,"act_bits":8,"act_eps":1e-05,"act_form":"mul","act_dequant":"standard","linear_post":"none","exit_norm":true,"exit_min_layers":0,"exit_threshold":0}},"chat":{"template":"plain","why":"the file has no chat template, and neither its name nor its end token indicates a chat model","base":true,"guessed":false}}

# Memory is counted for the session that options ask for.

$ trit info -m good.gguf --isa sse9 >/dev/null
! trit: unknown instruction set 'sse9'; it must be one of: scalar avx2 avxvnni avx512 amx neon dotprod i8mm
[2]

$ session() { trit info -m good.gguf --json "$@" | sed 's/.*session_bytes":\([0-9]*\).*/\1/'; }
> [ $(session --kv f32) -gt $(session) ] && [ $(session --kv i8) -lt $(session) ] &&
>     [ $(session -c 256) -eq $(session) ] && [ $(session -c 8) -lt $(session) ] &&
>     [ $(session -b 1) -lt $(session) ] && [ $(session --batch 512) -eq $(session) ] && echo so it is
so it is

# --metadata: keys and values, long lists cut.

$ trit info -m good.gguf --metadata
file      good.gguf · GGUF 3 · 0.4 MiB · 24 tensors
arch      bitnet-b1.58 · 2 layers · width 256 · 4 heads of 64 (2 KV) · FFN 384 · vocabulary 300
block     relu2 (architecture) · sub-norms · RoPE half, base 10000 · norm eps 1e-05 · trained for 256 positions
weights   1.1 M parameters, 1.0 M of them ternary · embedding F16 · head tied to it
memory    X MiB for the context, X MiB in addition to the file; 0.4 MiB read per token
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model
metadata
  general.architecture = "bitnet-b1.58"
  bitnet-b1.58.context_length = 256
  bitnet-b1.58.embedding_length = 256
  bitnet-b1.58.block_count = 2
  bitnet-b1.58.feed_forward_length = 384
  bitnet-b1.58.attention.head_count = 4
  bitnet-b1.58.attention.head_count_kv = 2
  bitnet-b1.58.attention.key_length = 64
  bitnet-b1.58.attention.value_length = 64
  bitnet-b1.58.rope.dimension_count = 64
  bitnet-b1.58.attention.layer_norm_rms_epsilon = 9.99999975e-06
  bitnet-b1.58.rope.freq_base = 10000
  tokenizer.ggml.model = "gpt2"
  tokenizer.ggml.pre = "gpt-2"
  tokenizer.ggml.tokens = [300] "Ā", "ā", "Ă", "ă", "Ą", "ą", "Ć", "ć", …
  tokenizer.ggml.token_type = [300] 1, 1, 1, 1, 1, 1, 1, 1, …
  tokenizer.ggml.merges = [3] "Ġ t", "h e", "Ġt he"
  tokenizer.ggml.bos_token_id = 299
  tokenizer.ggml.eos_token_id = 299
  tokenizer.ggml.add_bos_token = false

# --tensors: name, type, size and shape, the innermost dimension first.

$ trit info -m good.gguf --tensors
file      good.gguf · GGUF 3 · 0.4 MiB · 24 tensors
arch      bitnet-b1.58 · 2 layers · width 256 · 4 heads of 64 (2 KV) · FFN 384 · vocabulary 300
block     relu2 (architecture) · sub-norms · RoPE half, base 10000 · norm eps 1e-05 · trained for 256 positions
weights   1.1 M parameters, 1.0 M of them ternary · embedding F16 · head tied to it
memory    X MiB for the context, X MiB in addition to the file; 0.4 MiB read per token
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model
tensors
  token_embd.weight                F16        153600 bytes  [256, 300]
  blk.0.attn_norm.weight           F32          1024 bytes  [256]
  blk.0.attn_sub_norm.weight       F32          1024 bytes  [256]
  blk.0.ffn_norm.weight            F32          1024 bytes  [256]
  blk.0.ffn_sub_norm.weight        F32          1536 bytes  [384]
  blk.0.attn_q.weight              I2_S        16416 bytes  [256, 256]  scale 0.0208 · 37.4 % zero
  blk.0.attn_k.weight              I2_S         8224 bytes  [256, 128]  scale 0.0204 · 37.7 % zero
  blk.0.attn_v.weight              I2_S         8224 bytes  [256, 128]  scale 0.0204 · 37.2 % zero
  blk.0.attn_output.weight         I2_S        16416 bytes  [256, 256]  scale 0.0208 · 37.4 % zero
  blk.0.ffn_gate.weight            I2_S        24608 bytes  [256, 384]  scale 0.0212 · 37.3 % zero
  blk.0.ffn_up.weight              I2_S        24608 bytes  [256, 384]  scale 0.0212 · 37.3 % zero
  blk.0.ffn_down.weight            I2_S        24608 bytes  [384, 256]  scale 0.0208 · 37.3 % zero
  blk.1.attn_norm.weight           F32          1024 bytes  [256]
  blk.1.attn_sub_norm.weight       F32          1024 bytes  [256]
  blk.1.ffn_norm.weight            F32          1024 bytes  [256]
  blk.1.ffn_sub_norm.weight        F32          1536 bytes  [384]
  blk.1.attn_q.weight              I2_S        16416 bytes  [256, 256]  scale 0.021 · 37.7 % zero
  blk.1.attn_k.weight              I2_S         8224 bytes  [256, 128]  scale 0.0206 · 37.5 % zero
  blk.1.attn_v.weight              I2_S         8224 bytes  [256, 128]  scale 0.0206 · 37.8 % zero
  blk.1.attn_output.weight         I2_S        16416 bytes  [256, 256]  scale 0.021 · 37.3 % zero
  blk.1.ffn_gate.weight            I2_S        24608 bytes  [256, 384]  scale 0.0214 · 37.6 % zero
  blk.1.ffn_up.weight              I2_S        24608 bytes  [256, 384]  scale 0.0214 · 37.4 % zero
  blk.1.ffn_down.weight            I2_S        24608 bytes  [384, 256]  scale 0.021 · 37.6 % zero
  output_norm.weight               F32          1024 bytes  [256]
zeros among the ternary weights: 37.5 %
  blk.0         37.4 %
  blk.1         37.6 %

# --template: the chat template of the file.

$ trit info -m bos.gguf --template
file      bos.gguf · GGUF 3 · 0.4 MiB · 24 tensors
arch      bitnet-b1.58 · 2 layers · width 256 · 4 heads of 64 (2 KV) · FFN 384 · vocabulary 300
block     relu2 (architecture) · sub-norms · RoPE half, base 10000 · norm eps 1e-05 · trained for 256 positions
weights   1.1 M parameters, 1.0 M of them ternary · embedding F16 · head tied to it
memory    X MiB for the context, X MiB in addition to the file; 0.4 MiB read per token
chat      own: the file's own chat template
template
{% for m in messages %}
	<{{ m.role }}>\x1b{{ m.content }}
{% endfor %}

$ trit info -m good.gguf --template
file      good.gguf · GGUF 3 · 0.4 MiB · 24 tensors
arch      bitnet-b1.58 · 2 layers · width 256 · 4 heads of 64 (2 KV) · FFN 384 · vocabulary 300
block     relu2 (architecture) · sub-norms · RoPE half, base 10000 · norm eps 1e-05 · trained for 256 positions
weights   1.1 M parameters, 1.0 M of them ternary · embedding F16 · head tied to it
memory    X MiB for the context, X MiB in addition to the file; 0.4 MiB read per token
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model
template
  none in the file

$ trit info -m bos.gguf --template --json | grep -o ',"template":.*'
,"template":"{% for m in messages %}\n\u0009<{{ m.role }}>\u001b{{ m.content }}\n{% endfor %}"}

$ trit info -m good.gguf --template --json | grep -o ',"template":.*'
,"template":null}

# In JSON lists are whole.

$ trit info -m spm.gguf --metadata --json 2>/dev/null | grep -o '"metadata":.*' | cut -c 1-200
"metadata":{"general.architecture":"llama","tokenizer.ggml.model":"llama","tokenizer.ggml.tokens":["<unk>","<s>","</s>","▁","a","b","ab","▁ab","▁a","[tool]","<0x00>","<0x01>","<0x02>","<0x03>","

$ trit info -m good.gguf --tensors --json | tr '{' '\n' | tail -n 3
"name":"blk.1.ffn_up.weight","type":"I2_S","type_id":36,"bytes":24608,"shape":[256,384],"scale":0.0214000009,"minus":30482,"zero":36749,"plus":31073,"invalid":0},
"name":"blk.1.ffn_down.weight","type":"I2_S","type_id":36,"bytes":24608,"shape":[384,256],"scale":0.0209999979,"minus":30795,"zero":37004,"plus":30505,"invalid":0},
"name":"output_norm.weight","type":"F32","type_id":0,"bytes":1024,"shape":[256]}]}

# What can be said of a file is said, even where it cannot run; why is on stderr.

$ trit info -m unknown_arch.gguf
file      unknown_arch.gguf · GGUF 3 · 0.4 MiB · 24 tensors
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model
! trit: unknown_arch.gguf has architecture 'perceptron', which is not supported; supported are bitnet-b1.58, bitnet-25, bitnet, llama, qwen2, qwen3, bitskip, bitnet-8bit
[4]

$ trit info -m unknown_arch.gguf --json
{"file":"unknown_arch.gguf","gguf_version":3,"bytes":416736,"n_tensors":24,"model":null,"chat":{"template":"plain","why":"the file has no chat template, and neither its name nor its end token indicates a chat model","base":true,"guessed":false}}
! trit: unknown_arch.gguf has architecture 'perceptron', which is not supported; supported are bitnet-b1.58, bitnet-25, bitnet, llama, qwen2, qwen3, bitskip, bitnet-8bit
[4]

$ trit info -m unknown_type.gguf --tensors | grep 'file\|ffn_up'; echo ${PIPESTATUS[0]}
file      unknown_type.gguf · GGUF 3 · 0.4 MiB · 24 tensors
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model
  blk.0.ffn_up.weight              I2_S        24608 bytes  [256, 384]  scale 0.0212 · 37.3 % zero
  blk.1.ffn_up.weight              ?               0 bytes  [256, 384]
4
! trit: unknown_type.gguf: tensor 'blk.1.ffn_up.weight' has type 99 (unknown), which is not supported for it; supported are I2_S, TQ1_0, TQ2_0, F16, BF16, F32 with ternary values

$ trit info -m vocab_only.gguf
file      vocab_only.gguf · GGUF 3 · 0.0 MiB · 0 tensors
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model
! trit: vocab_only.gguf: tensor 'token_embd.weight' is missing
[3]

$ trit info -m spm.gguf --metadata
file      spm.gguf · GGUF 3 · 0.0 MiB · 0 tensors
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model
metadata
  general.architecture = "llama"
  tokenizer.ggml.model = "llama"
  tokenizer.ggml.tokens = [265] "<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "▁ab", …
  tokenizer.ggml.token_type = [265] 2, 3, 3, 1, 1, 1, 1, 1, …
  tokenizer.ggml.scores = [265] 0, 0, 0, -9, -8, -7, -3, -4, …
  tokenizer.ggml.bos_token_id = 1
  tokenizer.ggml.eos_token_id = 2
! trit: spm.gguf: metadata 'llama.block_count' is missing
[3]

# Names do nothing to the terminal.

$ trit info -m evil_names.gguf --metadata --tensors
file      evil_names.gguf · GGUF 3 · 0.0 MiB · 1 tensors
metadata
  general.architecture = "llama"
  \x1b[31mevil\x1b]0;owned\x07 = "\u001b[2J"
tensors
  \x1b[31mtensor\xc2\x9b                    F32             4 bytes  [1]
! trit: evil_names.gguf: metadata 'llama.block_count' is missing
[3]

# Without a model: what this machine can run.

$ trit info | sed '/^kernels/,$d'
cpu      CPU
threads  T (WHY)
memory   X GB
isa      ISA
  scalar   usable
walks    ways to read the weights for a generated token: chosen by measurement, or by --walk
  t0       four rows at a time, later ones prefetched into all caches
  t1       … into the second-level cache
  nta      … as data that is used only once
  none     … not prefetched
  t0x1     one row at a time
  t0x2     two
  t1x2     … into the second-level cache
  t0x8     eight
  wide     four, through 512-bit registers
  apart    four rows far apart, not prefetched; not for ternary weights

$ trit info --json | sed 's/,"kernels.*/}/'
{"version":"V","threads":T,"isa":"ISA","isas":[{"name":"scalar","built":true,"usable":true},ISAS]}

# scalar is always there.

$ trit info | grep -c '^  scalar   usable$'
1

$ trit info --json | grep -c '{"name":"scalar","built":true,"usable":true}'
1

# Which row's code does an operation; with --isa, where that row is chosen.

$ trit info --isa scalar | sed -n '/^kernels/,$p'
kernels  from each instruction set, with scalar
  scalar   quantize_row_mul quantize_row_div t2_gemm decode_f32 decode_f16 decode_bf16
           decode_q8_0 decode_q4_0 decode_q4_k decode_q6_k gemm_f32 gemm_f16 gemm_bf16
           gemm_q8_0 gemm_q4_0 gemm_q4_k gemm_q6_k rmsnorm layernorm fwht rope_half
           rope_pairs glu_silu glu_relu2 kv_store_f16 kv_store_f32 kv_store_i8 attn_block_f16
           attn_block_f32 attn_block_i8 attn_merge probe_read probe_macs probe_fmas

$ trit info --json | sed 's/.*"kernels"//; s/}.*//' | grep -o '":"' | wc -l
34

$ trit info --isa sse9
! trit: --isa must be scalar, avx2, avxvnni, avx512, amx, neon, dotprod or i8mm, not 'sse9'
[2]

# Errors.

$ trit info -m missing.gguf
! trit: missing.gguf: No such file or directory
[3]

$ trit info -m empty.gguf
! trit: empty.gguf is empty
[3]

$ trit info -m truncated.gguf
! trit: truncated.gguf ends early: tensor 'blk.0.attn_output.weight' needs 16416 bytes at 191072 of 201664
[3]

$ trit info -m good.gguf --kv q8
! trit: --kv must be f16, f32 or i8, not 'q8'
[2]

$ trit info -m good.gguf -c -1
! trit: --ctx must be between 1 and 1048576, not -1
[2]

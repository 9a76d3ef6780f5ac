# What transformers saves, in folders that it saved: checkpoints/ (scripts/check_transformers.py).

$ trit convert checkpoints/llama-kept -o kept.gguf 2>&1 | sed 's/in .* s$/in X s/'
trit: the checkpoint is a Llama with bitnet linears: architecture llama
trit: 3 linears are packed; their weight_scale divides the ternary values (linear_class bitlinear)
trit: 4 linears stay in floats, as modules_to_not_convert says; their activations are not quantized
trit: rows of Q and K are rearranged: RoPE of architecture llama rotates neighbors
trit: the vocabulary is byte-level BPE, read from tokenizer.json; its pre-tokenizer is gpt-2's (recognized by its regular expressions)
trit: the BOS is 0 (<end>)
trit: the end token is 0 (<end>)
trit: no BOS is put before texts (from tokenizer.json's post-processor)
kept.gguf: 12 tensors, 0.0 MB in X s

$ trit info -m kept.gguf --tensors | grep 'ffn\|attn_[qk]'
  blk.0.attn_q.weight              BF16         8192 bytes  [64, 64]
  blk.0.attn_k.weight              I2_S          544 bytes  [64, 32]  scale 0.1 · 31.9 % zero
  blk.0.ffn_norm.weight            F32           256 bytes  [64]
  blk.0.ffn_gate.weight            BF16         4096 bytes  [64, 32]
  blk.0.ffn_up.weight              BF16         4096 bytes  [64, 32]
  blk.0.ffn_down.weight            BF16         4096 bytes  [32, 64]

$ trit run -m kept.gguf -p "!" -n 4 -q --temp 0 >out && [ -s out ] && echo it runs
it runs

# Other types of the linears leave those alone.

$ trit quantize kept.gguf f32.gguf --type f32 -q
> trit logits -m kept.gguf --tokens 1,2,3 -o a.npy && trit logits -m f32.gguf --tokens 1,2,3 -o b.npy && cmp a.npy b.npy && echo the same
> trit info -m f32.gguf --tensors | grep 'ffn_up\|attn_k'
the same
  blk.0.attn_k.weight              F32          8192 bytes  [64, 32]  scale 0.1 · 31.9 % zero
  blk.0.ffn_up.weight              BF16         4096 bytes  [64, 32]

# A list in the file that is not one of its linears.

$ LC_ALL=C sed 's/blk\.0\.ffn_down\([^.]\)/blk.0.ffn_dowm\1/' kept.gguf >wrong.gguf
> trit run -m wrong.gguf -p x
! trit: wrong.gguf: metadata 'trit.float_linears' must list linears of the model, each once; of its 4 items 3 are
[3]

# Biases: as config.json says.

$ trit convert checkpoints/llama-bias -o bias.gguf -q && trit info -m bias.gguf --tensors | grep -c '\.bias '
14

$ cp -R checkpoints/llama-bias x1 && sed -i 's/"mlp_bias": true/"mlp_bias": false/' x1/config.json
> trit convert x1 -o no.gguf
! trit: x1/model.safetensors: tensor 'model.layers.0.mlp.gate_proj.bias' is a bias, but mlp_bias of config.json is false
[4]

$ cp -R checkpoints/llama-head x2 && sed -i 's/"mlp_bias": false/"mlp_bias": true/' x2/config.json
> trit convert x2 -o no.gguf
! trit: the checkpoint has no tensor 'model.layers.0.mlp.gate_proj.bias', but mlp_bias of config.json is true
[3]

$ cp -R checkpoints/llama-head x3 && sed -i 's/"attention_bias": false/"attention_bias": true/' x3/config.json
> trit convert x3 -o no.gguf
! trit: the checkpoint has no tensor 'model.layers.0.self_attn.q_proj.bias', but attention_bias of config.json is true
[3]

$ cp -R checkpoints/llama-bias x4 && sed -i 's/"mlp_bias": true/"use_bias": true/' x4/config.json
> trit convert x4 -o no.gguf
! trit: x4/config.json: 'use_bias' is true; it does not say which linears have one
[4]

$ cp -R checkpoints/qwen3-packed x5 && sed -i 's/Qwen3For/Qwen2For/' x5/config.json
> trit convert x5 -o no.gguf
! trit: the checkpoint has no tensor 'model.layers.0.self_attn.q_proj.bias', but its family always has biases there
[3]

# Modules that are not to be converted.

$ cp -R checkpoints/llama-bias x6 && sed -i 's/"lm_head"/"lm_head", "down_proj"/' x6/config.json
> trit convert x6 -o no.gguf
! trit: x6/model.safetensors: tensor 'model.layers.0.mlp.down_proj.weight' is packed (U8), but modules_to_not_convert of config.json names it
[3]

$ cp -R checkpoints/llama-bias x7 && sed -i 's/"lm_head"/"(lm_head)"/' x7/config.json
> trit convert x7 -o no.gguf
! trit: x7/config.json: 'quantization_config.modules_to_not_convert' is '(lm_head)'; supported are names of modules, with ., *, + and \d of regular expressions
[4]

# A head that is packed.

$ trit convert checkpoints/llama-head -o head.gguf 2>&1 | grep 'the head'
> trit info -m head.gguf --tensors | grep output
trit: the head is ternary, too: its values are kept as floats beside a scale, and its activations are quantized
  blk.0.attn_output.weight         I2_S         1056 bytes  [64, 64]  scale 0.1 · 30.5 % zero
  blk.0.attn_output_norm_in.weight F32           256 bytes  [64]
  blk.1.attn_output.weight         I2_S         1056 bytes  [64, 64]  scale 0.1006 · 30.2 % zero
  blk.1.attn_output_norm_in.weight F32           256 bytes  [64]
  output_norm.weight               F32           256 bytes  [64]
  output.weight                    F16          8192 bytes  [64, 64]  scale 1 · 30.6 % zero
  output.scale                     F32             4 bytes  [1]
  output_norm_in.weight            F32           256 bytes  [64]

$ cp -R checkpoints/llama-head x8 && sed -i 's/"modules_to_not_convert": \[\]/"modules_to_not_convert": ["lm_head"]/' x8/config.json
> trit convert x8 -o no.gguf
! trit: x8/model.safetensors: tensor 'lm_head.weight' is packed (U8), but modules_to_not_convert of config.json names it
[3]

$ cp -R checkpoints/llama-head x9 && sed -i 's/"tie_word_embeddings": false/"tie_word_embeddings": true/' x9/config.json
> trit convert x9 -o no.gguf
! trit: x9/model.safetensors: tensor 'lm_head.weight' has type U8; supported are BF16, F16 and F32
[4]

# Floats with a scale beside, and those without.

$ trit convert checkpoints/bitnet-floats -o floats.gguf 2>&1 | grep ternary
trit: 7 float linears are ternary already and are kept unchanged

$ cp -R checkpoints/bitnet-floats x10 && sed -i 's/"offline"/"online"/' x10/config.json
> trit convert x10 -o no.gguf
! trit: x10/model.safetensors: tensor 'model.layers.0.self_attn.q_proj.weight_scale' is the scale of a tensor that is not packed (U8); its meaning is unknown, unless quantization_config has linear_class autobitlinear and quantization_mode offline
[4]

$ cp -R checkpoints/llama-kept x11
> sed -i 's/"bitlinear"/"autobitlinear"/; s/"model.layers.0.mlp"/"model.layers.1.mlp"/' x11/config.json
> trit convert x11 -o no.gguf
! trit: x11/model.safetensors: tensor 'model.layers.0.mlp.gate_proj.weight' is not ternary, but quantization_mode offline of config.json says that linears are (full-precision masters have online)
[4]

# Floats that are ternary, and no quantization_config at all.

$ trit convert checkpoints/mistral-plain -o plain.gguf 2>&1 | grep 'ternary\|quantization_config'
trit: 7 float linears are ternary already and are kept unchanged
trit: config.json has no quantization_config, but the values of all linears are -s, 0 and +s: the model is run as BitNet b1.58, with activations of 8 bits

$ cp -R checkpoints/mistral-plain x12
> printf '\262' | dd of=x12/model.safetensors bs=1 seek=34137 conv=notrunc 2>/dev/null
> trit convert x12 -o no.gguf
! trit: x12/config.json: 'quantization_config' is missing, and tensor 'model.layers.0.self_attn.q_proj.weight' is not ternary: nothing says that this model was trained to be, and quantizing another would destroy it. (For the master of a ternary model, put {"quant_method": "bitnet"} there)
[4]

$ cp -R checkpoints/mistral-plain x13 && w=checkpoints/mistral-plain/model.safetensors
> (head -c 34136 $w; tail -c +34137 $w | head -c 4096 | LC_ALL=C tr '\056\256' '\062\262'; tail -c +38233 $w) >x13/model.safetensors
> trit convert x13 -o no.gguf
! trit: x13/model.safetensors: tensor 'model.layers.0.self_attn.q_proj.weight' holds ternary values of several scales, so it is no full-precision master; one scale per tensor is supported
[4]

# A sliding window is no obstacle for contexts that are not longer.

$ cp -R checkpoints/mistral-plain x14 && sed -i 's/"sliding_window": [^,]*/"sliding_window": 8/' x14/config.json
> trit convert x14 -o window.gguf 2>&1 | grep sliding
> trit run -m window.gguf -p "!" -n 4 -q
> trit logits -m window.gguf --tokens 1,2,3 -o a.npy -c 8 && echo it runs
trit: its sliding_window of 8 positions is not supported, so no context may be longer; max_position_embeddings is 512
it runs
! trit: n_ctx is 512, but this model has a sliding window of 8 positions (llama.attention.sliding_window), which is not supported; a context of at most 8 (-c 8) needs no window

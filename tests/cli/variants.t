# Families whose sources leave much open: what was taken for granted is shown, and --knob changes it.

$ trit convert bitskip-v2 -o v2.gguf 2>&1 | sed 's/in .* s$/in X s/'
trit: the checkpoint is a bitskip v2: architecture bitskip
trit: settings that the sources of bitskip v2 leave open are in the keys trit.*; a knob NAME=VALUE changes one
trit: the vocabulary is byte-level BPE, read from tokenizer.json; its pre-tokenizer is gpt-2's (recognized by its regular expressions)
trit: the BOS is 264 (<|begin_of_text|>)
trit: the end token is 266 (<|eot_id|>)
trit: token 265 (<|end_of_text|>) ends a text too (from generation_config.json)
trit: the BOS is put before texts (add_bos_token is true)
trit: 18 rows of the embedding have no token; unused tokens fill them
trit: 14 linears are full-precision masters and are quantized: the scale of a tensor is the mean of its |w|, weights are rounded to -1, 0 or 1 times that
v2.gguf: 49 tensors, 0.3 MB in X s

$ trit info -m v2.gguf | grep -A4 ^knobs
knobs     causal=true block=pre norm=rms attn_in_norm=false ffn=gated learned_positions=false
          linear_norm=layer linear_norm_eps=1e-05 hadamard=after hadamard_norm=false
          hadamard_output=true act_bits=4 act_eps=1e-06 act_form=div act_dequant=standard
          linear_post=none exit_norm=true exit_min_layers=0 exit_threshold=0
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model

$ trit info -m v2.gguf --json | grep -o '"knobs":{[^}]*}'
"knobs":{"causal":true,"block":"pre","norm":"rms","attn_in_norm":false,"ffn":"gated","learned_positions":false,"linear_norm":"layer","linear_norm_eps":1e-05,"hadamard":"after","hadamard_norm":false,"hadamard_output":true,"act_bits":4,"act_eps":1e-06,"act_form":"div","act_dequant":"standard","linear_post":"none","exit_norm":true,"exit_min_layers":0,"exit_threshold":0}

$ trit convert bitnet-8bit -o eight.gguf 2>&1 | head -n 4
trit: the checkpoint is a bitnet-8bit: architecture bitnet-8bit
trit: settings that the sources of bitnet-8bit leave open are in the keys trit.*; a knob NAME=VALUE changes one
trit: the vocabulary is byte-level BPE, read from tokenizer.json; its pre-tokenizer is gpt-2's (recognized by its regular expressions)
trit: the BOS is 264 (<|begin_of_text|>), from the tokenizer; config.json says 1 (\xc4\x81)

$ trit info -m eight.gguf | grep -A4 ^knobs
knobs     causal=true block=post norm=layer attn_in_norm=true ffn=plain learned_positions=true
          linear_norm=none linear_norm_eps=0 hadamard=none hadamard_norm=false
          hadamard_output=false act_bits=8 act_eps=1e-06 act_form=div act_dequant=standard
          linear_post=relu2 exit_norm=true exit_min_layers=4 exit_threshold=0.95
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model

$ trit convert bitnet-8bit -q --knob exit_norm=false --knob act_dequant=legacy_div -o other.gguf
> trit info -m other.gguf | grep -o 'exit_norm=[a-z]*\|act_dequant=[a-z_]*'
act_dequant=legacy_div
exit_norm=false

# They run, and leave early.

$ for m in v2 eight; do trit run -m $m.gguf -p hi -n 5 -q --exit-layer 1 >out && [ -s out ] && echo $m runs; done
v2 runs
eight runs

$ trit run -m eight.gguf -p hi -n 5 -q -c 33
! trit: n_ctx is 33, but the model has only 32 positions
[2]

# What is no knob, or no value of one.

$ trit convert bitskip-v2 -q --knob color=red -o no.gguf
! trit: 'color=red' is not a knob; a knob is NAME=VALUE, with one of the names causal block norm attn_in_norm ffn learned_positions linear_norm linear_norm_eps hadamard hadamard_norm hadamard_output act_bits act_eps act_form act_dequant linear_post exit_norm exit_min_layers exit_threshold arch ffn_act head_count head_count_kv norm_eps rope_base
[2]

$ trit convert bitskip-v2 -q --knob causal -o no.gguf
! trit: 'causal' is not a knob; a knob is NAME=VALUE, with one of the names causal block norm attn_in_norm ffn learned_positions linear_norm linear_norm_eps hadamard hadamard_norm hadamard_output act_bits act_eps act_form act_dequant linear_post exit_norm exit_min_layers exit_threshold arch ffn_act head_count head_count_kv norm_eps rope_base
[2]

$ trit convert bitskip-v2 -q --knob hadamard=sometimes -o no.gguf
! trit: knob 'hadamard' is 'sometimes'; it must be 'none', 'before' or 'after'
[2]

$ trit convert bitskip-v2 -q --knob act_bits=9 -o no.gguf
! trit: knob 'act_bits' is '9'; it must be 2 to 8
[2]

$ trit convert bitskip-v2 -q --knob arch=gpt2 -o no.gguf
! trit: knob 'arch' is 'gpt2', which no family of checkpoints has; those that need it are bitskip and bitnet-8bit
[2]

$ trit convert bitskip-v2 -q --knob attn_in_norm=true -o no.gguf
! trit: bitskip-v2/config.json asks for attn_in_norm, which requires block 'post'
[4]

$ trit convert --from-gguf v2.gguf --knob causal=false -o no.gguf
! trit: --knob is for folders; it cannot be used with --from-gguf
[2]

# A model that sees later tokens cannot write; logits runs it.

$ trit convert bitskip-v2 -q --knob causal=false -o both.gguf && trit run -m both.gguf -p hi
! trit: the model attends to later tokens (its key trit.causal is false), so it can neither generate text nor be scored on it token by token; it evaluates whole texts only (see trit logits)
[4]

$ trit chat -m both.gguf </dev/null
! trit: standard input is not a terminal; use trit run --chat for a single answer
[2]

$ trit bench -m both.gguf
! trit: the model attends to later tokens (its key trit.causal is false), so it can neither generate text nor be scored on it token by token; it evaluates whole texts only (see trit logits)
[4]

$ printf 'a text of some length %s\n' $(seq 100) >text && trit perplexity -m both.gguf -f text
! trit: the model attends to later tokens (its key trit.causal is false), so it can neither generate text nor be scored on it token by token; it evaluates whole texts only (see trit logits)
[4]

$ trit logits -m both.gguf --tokens 1,2,3,4 -o four.npy && trit logits -m both.gguf --tokens 1,2,3 -o three.npy && cmp -s -i 128 -n 1000 four.npy three.npy || echo the fourth token tells in the first
the fourth token tells in the first

$ trit logits -m both.gguf --tokens 1,2,3,4 -t 1 --exit-layer 1 -o one.npy && trit logits -m both.gguf --tokens 1,2,3,4 -t 2 --exit-layer 1 -o two.npy && cmp one.npy two.npy && echo the same
the same

$ trit logits -m both.gguf --tokens 1,2,3,4 --exit-threshold 0.5 -o no.npy
! trit: the model is not causal, so its tokens cannot exit by a threshold; set a fixed exit layer instead
[4]

$ trit info -m both.gguf | grep -o causal=.....
causal=false

# Learned positions end; what nobody asked for fits them.

$ trit bench -m eight.gguf -r 1 -q --json | grep -o '"n_prompt":[0-9]*,"n_gen":[0-9]*'
"n_prompt":32,"n_gen":0
"n_prompt":0,"n_gen":32

$ trit bench -m eight.gguf --exit-sweep -r 1 -q -o csv | cut -d, -f1
layers
1
2

$ trit run -m eight.gguf -p hi -n 100 --ignore-eos 2>&1 >out | grep full
trit: the context of 32 tokens is full, and the model has no more positions; use --on-full shift to drop the oldest tokens and go on

$ trit run -m eight.gguf -p hi -n 100 -q --ignore-eos --on-full shift >out && [ -s out ] && echo it goes on
it goes on

# Learned positions are an embedding: --embd goes for them in both commands.

$ type() { trit info -m $1 --tensors | grep -o 'position_embd.weight  *[A-Z0-9_]*' | tr -s ' '; }
> trit convert bitnet-8bit -o a.gguf -q && trit convert bitnet-8bit -o b.gguf --embd q8_0 -q
> trit quantize a.gguf c.gguf --embd q8_0 -q; for f in a b c; do type $f.gguf; done
position_embd.weight F16
position_embd.weight Q8_0
position_embd.weight Q8_0

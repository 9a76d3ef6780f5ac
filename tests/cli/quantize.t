# trit quantize makes another file of the same model.

$ trit quantize good.gguf small.gguf --type f32 --embd q8_0 2>&1 | sed 's/in .* s$/in X s/'
trit: linears now have type F32; ternary values are unchanged, and so are their scales
trit: embedding and head now have type Q8_0
small.gguf: 24 tensors, 4.0 MB in X s

$ trit logits -m good.gguf --tokens 1,2,3 -o a.npy && trit quantize small.gguf back.gguf -q &&
>     trit info -m back.gguf --tensors | grep -e token_embd -e blk.1 -e notes -e zeros
notes     linears now have type F32; ternary values are unchanged, and so are their scales
  token_embd.weight                Q8_0        81600 bytes  [256, 300]
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
zeros among the ternary weights: 37.5 %
  blk.1         37.6 %

$ trit quantize good.gguf good2.gguf --type i2_s -q && trit logits -m good2.gguf --tokens 1,2,3 -o b.npy && cmp a.npy b.npy && echo the same
the same

# In its own place.

$ cp good.gguf own.gguf && trit quantize own.gguf own.gguf --type f16 -q && trit info -m own.gguf | head -n 1
file      own.gguf · GGUF 3 · 2.0 MiB · 24 tensors

$ trit quantize good.gguf --type f16 --dry-run | tail -n 2
output_norm.weight           F32      256                      1024  from output_norm.weight (F32)
24 tensors, 2.1 MB
! trit: linears now have type F16; ternary values are unchanged, their scales are rounded to what the type can hold

# What cannot be.

$ trit quantize good.gguf
! trit: quantize needs an input and an output file: trit quantize IN.gguf OUT.gguf --type TYPE
[2]

$ trit quantize good.gguf a.gguf b.gguf
! trit: unexpected argument 'b.gguf' (give the model with -m)
[2]

$ trit quantize good.gguf no.gguf --type q2_k
! trit: linears cannot be written as type 'q2_k'; it must be one of i2_s, tq1_0, tq2_0, f16, bf16, f32
[2]

$ trit quantize good.gguf no.gguf --embd tq1_0
! trit: an embedding or head of type TQ1_0 destroys a model that was not trained for it, so it must be forced
[4]

$ trit quantize good.gguf no.gguf --type tq1_0
! trit: good.gguf: tensor 'blk.0.ffn_down.weight' has rows of 384 weights; type TQ1_0 needs a multiple of 256
[4]

$ trit quantize text.gguf no.gguf
! trit: text.gguf is not a GGUF file
[3]

# Exit code 4: the file is sound, but this program does not do that. What it does is said too.

$ trit run -m unknown_type.gguf -p x
! trit: unknown_type.gguf: tensor 'blk.1.ffn_up.weight' has type 99 (unknown), which is not supported for it; supported are I2_S, TQ1_0, TQ2_0, F16, BF16, F32 with ternary values
[4]

$ trit run -m unknown_arch.gguf -p x
! trit: unknown_arch.gguf has architecture 'perceptron', which is not supported; supported are bitnet-b1.58, bitnet-25, bitnet, llama, qwen2, qwen3, bitskip, bitnet-8bit
[4]

$ trit logits -m unknown_type.gguf --tokens 1 -o out.npy
! trit: unknown_type.gguf: tensor 'blk.1.ffn_up.weight' has type 99 (unknown), which is not supported for it; supported are I2_S, TQ1_0, TQ2_0, F16, BF16, F32 with ternary values
[4]

$ trit logits -m unknown_arch.gguf --tokens 1 -o out.npy
! trit: unknown_arch.gguf has architecture 'perceptron', which is not supported; supported are bitnet-b1.58, bitnet-25, bitnet, llama, qwen2, qwen3, bitskip, bitnet-8bit
[4]

$ trit perplexity -m unknown_type.gguf -p x
! trit: unknown_type.gguf: tensor 'blk.1.ffn_up.weight' has type 99 (unknown), which is not supported for it; supported are I2_S, TQ1_0, TQ2_0, F16, BF16, F32 with ternary values
[4]

$ trit info -m unknown_type.gguf
file      unknown_type.gguf · GGUF 3 · 0.4 MiB · 24 tensors
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model
! trit: unknown_type.gguf: tensor 'blk.1.ffn_up.weight' has type 99 (unknown), which is not supported for it; supported are I2_S, TQ1_0, TQ2_0, F16, BF16, F32 with ternary values
[4]

# trit dummy writes a model of random weights in a known shape.

$ trit dummy --shape tiny -o tiny.gguf

$ trit info -m tiny.gguf
file      tiny.gguf · GGUF 3 · 1.0 MiB · 46 tensors
arch      bitnet-b1.58 · 4 layers · width 256 · 4 heads of 64 (2 KV) · FFN 768 · vocabulary 512
block     relu2 (architecture) · sub-norms · RoPE half, base 10000 · norm eps 1e-05 · trained for 512 positions
weights   3.3 M parameters, 3.1 M of them ternary · embedding F16 · head tied to it
memory    X MiB for the context, X MiB in addition to the file; 1.0 MiB read per token
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model

$ trit run -m tiny.gguf -p hi -n 5 -q >out && [ -s out ] && echo it runs
it runs

# The same seed gives the same file.

$ trit dummy --shape tiny -o a.gguf --seed 7; trit dummy --shape tiny -o b.gguf --seed 7
> cmp a.gguf b.gguf && ! cmp -s a.gguf tiny.gguf && echo so it is
so it is

# Types of the ternary weights, and of embedding and head.

$ for type in i2_s tq1_0 tq2_0 f16 bf16 f32; do
>     trit dummy --shape tiny --type $type -o $type.gguf &&
>         trit logits -m $type.gguf --tokens 1,2 -o out.npy || echo $type; done
> for embd in f32 f16 bf16 q8_0 q6_k q4_k q4_0; do
>     trit dummy --shape tiny --embd $embd -o $embd.gguf &&
>         trit logits -m $embd.gguf --tokens 1,2 -o out.npy || echo $embd; done

# What cannot be is refused before anything is written.

$ trit dummy --shape 5t -o no.gguf
! trit: unknown shape '5t'; it must be one of: tiny 700m 2b4t 3b 8b falcon3-1b falcon3-3b falcon3-7b falcon3-10b falcon-e-1b falcon-e-3b bitskip-v1 bitskip-v2 bitskip-v3 bitnet-8bit
[2]

$ trit dummy --shape tiny --type q4_0 -o no.gguf
! trit: linears cannot be written as type 'q4_0'; it must be one of i2_s, tq1_0, tq2_0, f16, bf16, f32
[2]

$ trit dummy --shape tiny --embd tq1_0 -o no.gguf
! trit: embeddings cannot be written as type 'tq1_0'; it must be one of f16, bf16, f32, q8_0, q6_k, q4_k, q4_0
[2]

$ trit dummy --shape 3b --type tq2_0 -o no.gguf
! trit: the rows of blk.0.ffn_down.weight in shape 3b hold 8640 weights; type TQ2_0 needs a multiple of 256
[4]

$ trit dummy --shape tiny
! trit: no output given; use -o FILE
[2]

$ [ -e no.gguf ] || echo nothing
nothing

$ trit dummy -o no.gguf
! trit: --shape must be one of:
!   tiny             3 M ternary weights: nothing published, to try things out
!   700m           679 M ternary weights: 1bitLLM/bitnet_b1_58-large
!   2b4t          2084 M ternary weights: microsoft/bitnet-b1.58-2B-4T
!   3b            3222 M ternary weights: 1bitLLM/bitnet_b1_58-3B
!   8b            6979 M ternary weights: HF1BitLLM/Llama3-8B-1.58
!   falcon3-1b    1132 M ternary weights: tiiuae/Falcon3-1B-Instruct-1.58bit
!   falcon3-3b    2422 M ternary weights: tiiuae/Falcon3-3B-Instruct-1.58bit
!   falcon3-7b    6650 M ternary weights: tiiuae/Falcon3-7B-Instruct-1.58bit
!   falcon3-10b   9500 M ternary weights: tiiuae/Falcon3-10B-Instruct-1.58bit
!   falcon-e-1b   1585 M ternary weights: tiiuae/Falcon-E-1B
!   falcon-e-3b   2919 M ternary weights: tiiuae/Falcon-E-3B
!   bitskip-v1     856 M ternary weights: Ram07/bitskip-v1-earlyexit
!   bitskip-v2     856 M ternary weights: Ram07/bitskip-v2-earlyexit
!   bitskip-v3     856 M ternary weights: Ram07/bitskip-v3-earlyexit
!   bitnet-8bit    151 M ternary weights: Ram07/bitnet-8bit
[2]

# A link keeps leading to the file, which is replaced once the new one is whole, or kept.

$ trit dummy --shape tiny -o real.gguf; cp real.gguf copy.gguf; ln -s real.gguf link.gguf
> trit dummy --shape 5t -o link.gguf 2>/dev/null; cmp real.gguf copy.gguf && ls *gguf* | grep real
real.gguf

$ trit dummy --shape tiny --seed 9 -o link.gguf
> [ -L link.gguf ] && ! cmp -s real.gguf copy.gguf && trit info -m real.gguf >/dev/null && echo replaced
replaced

# A signal leaves nothing behind.

$ trit dummy --shape 2b4t -o big.gguf & for i in $(seq 600); do ls big.gguf.* && break; sleep 0.1; done \
> >begun 2>/dev/null; kill $!; wait $! 2>/dev/null; [ -s begun ] || echo not begun; ls | grep big
[1]

# The new file has the mode of the old one; one that may not be written to is kept, and a link that
# leads nowhere is no place.

$ trit dummy --shape tiny -o mode.gguf && chmod 600 mode.gguf && trit dummy --shape tiny -o mode.gguf
> ls -l mode.gguf | cut -c 1-10
-rw-------

$ ln -s nowhere.gguf dangling.gguf; trit dummy --shape tiny -o dangling.gguf
! trit: cannot write to dangling.gguf: No such file or directory
[1]

$ ls | grep -c nowhere
0
[1]

# Standard output keeps what others write to it.

$ (echo a; trit logits -m good.gguf --tokens 1 -o /dev/stdout; echo b) >both; head -n 1 both
> tail -c 2 both; trit logits -m good.gguf --tokens 1 -o one; [ $(wc -c <both) = $(($(wc -c <one) + 4)) ]
a
b

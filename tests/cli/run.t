# trit run continues a text. stdout holds what comes after the prompt and nothing else, a leading
# space kept; one line of numbers goes to stderr. (The fixture is a random model: given a word it
# says that word again. --temp 0 takes the likeliest token each time.)

$ trit run -m good.gguf -p "Hello the" -n 5 --temp 0
 the the the the the
! 6 prompt + 5 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# -q: errors only. -v: also what was recognized.

$ trit run -m good.gguf -p "Hello the" -n 5 --temp 0 -q
 the the the the the

$ trit run -m good.gguf -p "Hello the" -n 5 --temp 0 --quiet
 the the the the the

$ trit run -m good.gguf -p "Hello the" -n 5 --temp 0 -v
 the the the the the
! good.gguf: bitnet-b1.58 · 1 M parameters · relu2 (architecture) · context 256 · opened in X ms
! 6 prompt + 5 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · weights read by t2/64:t0 t2/96:t0 f16/512:t0 kv/128:t0 · seed S

$ trit run -m good.gguf -p "Hello the" -n 5 --temp 0 --verbose
 the the the the the
! good.gguf: bitnet-b1.58 · 1 M parameters · relu2 (architecture) · context 256 · opened in X ms
! 6 prompt + 5 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · weights read by t2/64:t0 t2/96:t0 f16/512:t0 kv/128:t0 · seed S

# Long options; a value may stand after "=" as well.

$ trit run --model good.gguf --prompt "Hello the" --max-tokens 5 --temp 0 -q
 the the the the the

$ trit run --model=good.gguf "--prompt=Hello the" --max-tokens=5 --temp=0 --quiet
 the the the the the

# The model may come from the environment; -m goes before it.

$ TRIT_MODEL=good.gguf trit run -p "Hello the" -n 5 --temp 0 -q
 the the the the the

$ TRIT_MODEL=missing.gguf trit run -m good.gguf -p "Hello the" -n 5 --temp 0 -q
 the the the the the

# The seed is random, but for what --seed says.

$ trit run -m good.gguf -p "Hello the" -n 5 --seed 7
 the the the the the
! 6 prompt + 5 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 7

# --echo: the prompt first, as it stands.

$ trit run -m good.gguf -p "Hello the" -n 5 --temp 0 -q --echo
Hello the the the the the the

# No tokens at all. A newline ends the text where it does not end in one, and only there.

$ trit run -m good.gguf -p ab -n 0
\
! 2 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p ab -n 0 -q | hex
0a

$ trit run -m good.gguf -p ab -n 0 -q --echo
ab

$ printf 'ab\n' | trit run -m good.gguf -n 0 -q --echo | hex
61 62 0a

# Token 10 is the newline. A text that ends in one gets no other.

$ trit run -m good.gguf -p x -n 3 -q --temp 0 --logit-bias 10=1000 | hex
0a 0a 0a

# Text comes in whole characters. Tokens 195 and 169 are the two bytes of "é"; here they take
# turns. What is incomplete at the end becomes U+FFFD.

$ echo --temp 0 --logit-bias 195=3000 --logit-bias 169=2500 --presence-penalty 700 \
>     --repeat-last-n 1 >turns

$ trit run -m good.gguf -p x -n 4 -q $(cat turns)
éé

$ trit run -m good.gguf -p x -n 3 -q $(cat turns)
é�

$ trit run -m good.gguf -p x -n 3 -q $(cat turns) | hex
c3 a9 ef bf bd 0a

# Without -n, or with -1, text goes on to an end token or a full context. The context is counted
# with the prompt, and the last token needs no room in it.

$ trit run -m good.gguf -p "abc" -c 8 --temp 0
cccccc
! trit: the context of 8 tokens is full; use a larger -c or --on-full shift to drop the oldest tokens and go on
! 3 prompt + 6 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p "abc" --ctx 8 -n -1 --temp 0
cccccc
! trit: the context of 8 tokens is full; use a larger -c or --on-full shift to drop the oldest tokens and go on
! 3 prompt + 6 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p "abc" -c 3 --temp 0
c
! trit: the context of 3 tokens is full; use a larger -c or --on-full shift to drop the oldest tokens and go on
! 3 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p "abc" -c 3 -n 0 --temp 0
\
! 3 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# The model's own context, of 256 here, is the default.

$ trit run -m good.gguf -p a --temp 0 -q | tr -d '\n' | wc -c | tr -d ' '
256

# Token 299 ends the text: it is neither counted nor shown.

$ trit run -m good.gguf -p x --temp 0 --logit-bias 299=1000
\
! 1 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# --ignore-eos: it is counted, and shown as the nothing it is.

$ trit run -m good.gguf -p x -n 4 --temp 0 --logit-bias 299=1000 --ignore-eos
\
! 1 prompt + 4 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# The text is the same by any number of threads, size of batch, instruction set and way to read.

$ for o in '-t 1' '-t 2' '-t 8' '--threads 3' '-b 1' '-b 4' '--batch 5' '--isa scalar' '--no-mmap'; do
>     trit run -m good.gguf -p "Hello the" -n 12 --seed 1 --temp 25 --min-p 0 --json $o |
>         grep -o '"text":.*,"prompt_tokens'
> done | sort | uniq
"text":"宮��-\u0015g�","tokens":12,"prompt_tokens
! 6 prompt + 12 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 1
! 6 prompt + 12 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 1
! 6 prompt + 12 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 1
! 6 prompt + 12 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 1
! 6 prompt + 12 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 1
! 6 prompt + 12 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 1
! 6 prompt + 12 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 1
! 6 prompt + 12 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 1
! 6 prompt + 12 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 1

$ for i in $(trit info | sed -n 's/^ *\([a-z0-9]*\)  *usable$/\1/p'); do
>     trit run -m good.gguf -p "Hello the" -n 12 --seed 1 --temp 25 --min-p 0 --json -q --isa $i |
>         grep -o '"text":.*,"prompt_tokens'
> done | sort | uniq
"text":"宮��-\u0015g�","tokens":12,"prompt_tokens

$ trit run -m good.gguf -p x -n 1 --isa scalar -t 3 2>&1 | grep -c '· 3 threads scalar ·'
1

# The cache may be kept in other types. f16 is the default.

$ for kv in f16 f32 i8; do trit run -m good.gguf -p "Hello the" -n 5 --seed 1 -q --kv $kv; done
 the the the the the
 the the the the the
 the the the the the

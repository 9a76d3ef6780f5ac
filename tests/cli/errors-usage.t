# Exit code 2: what was asked for makes no sense. One line on stderr says why.

$ trit
! trit: no command given; see trit --help
[2]

$ trit walk
! trit: unknown command 'walk'; see trit --help
[2]

$ trit --nope
! trit: unknown option '--nope'; see trit --help
[2]

$ trit -Z
! trit: unknown option '-Z'; see trit --help
[2]

$ trit run --nope
! trit: unknown option '--nope'; see trit run --help
[2]

$ trit run -Z
! trit: unknown option '-Z'; see trit run --help
[2]

$ trit run --
! trit: unknown option '--'; see trit run --help
[2]

# No positional argument; the command comes first.

$ trit run good.gguf -p x
! trit: unexpected argument 'good.gguf' (the model is given with -m)
[2]

$ trit run info
! trit: unexpected argument 'info' (the model is given with -m)
[2]

$ trit -m good.gguf run
! trit: option '-m' does not belong here; see trit --help
[2]

# Options belong to commands.

$ trit run -m good.gguf -p x --tokens 1
! trit: option '--tokens' does not belong here; see trit run --help
[2]

$ trit run -m good.gguf -p x -o out.npy
! trit: option '-o' does not belong here; see trit run --help
[2]

$ trit info -m good.gguf -n 3
! trit: option '-n' does not belong here; see trit info --help
[2]

$ trit info -m good.gguf -p x
! trit: option '-p' does not belong here; see trit info --help
[2]

$ trit tokenize -m good.gguf -p x --temp 0
! trit: option '--temp' does not belong here; see trit tokenize --help
[2]

$ trit detokenize -m good.gguf -p x
! trit: option '-p' does not belong here; see trit detokenize --help
[2]

$ trit logits -m good.gguf -f prompt
! trit: option '-f' does not belong here; see trit logits --help
[2]

$ trit perplexity -m good.gguf -n 3
! trit: option '-n' does not belong here; see trit perplexity --help
[2]

$ trit run -m good.gguf -p x --chunks 2
! trit: option '--chunks' does not belong here; see trit run --help
[2]

# Flags have no value, the others have one.

$ trit run -m good.gguf -p x --echo=yes
! trit: --echo takes no value
[2]

$ for o in -m -p -f -n -t -c -b --isa --kv --temp --top-k --top-p --min-p --repeat-penalty \
>     --repeat-last-n --presence-penalty --frequency-penalty --logit-bias --seed --stop
> do trit run $o; done
! trit: --model wants a value: FILE
! trit: --prompt wants a value: TEXT
! trit: --file wants a value: FILE
! trit: --max-tokens wants a value: N
! trit: --threads wants a value: N
! trit: --ctx wants a value: N
! trit: --batch wants a value: N
! trit: --isa wants a value: scalar|avx2|avxvnni|avx512|amx|neon|dotprod|i8mm
! trit: --kv wants a value: f16|f32|i8
! trit: --temp wants a value: T
! trit: --top-k wants a value: K
! trit: --top-p wants a value: P
! trit: --min-p wants a value: P
! trit: --repeat-penalty wants a value: X
! trit: --repeat-last-n wants a value: N
! trit: --presence-penalty wants a value: X
! trit: --frequency-penalty wants a value: X
! trit: --logit-bias wants a value: ID=V
! trit: --seed wants a value: N
! trit: --stop wants a value: TEXT
[2]

$ trit logits --tokens
! trit: --tokens wants a value: 1,2,3
[2]

$ trit logits -o
! trit: --output wants a value: OUT.npy
[2]

$ trit detokenize --ids
! trit: --ids wants a value: 1,2,3
[2]

$ trit perplexity --chunks
! trit: --chunks wants a value: N
[2]

# Numbers.

$ for o in '-n x' '-n 1.5' '-n -2' '-n 1e10' '-n nan' '-t 0' '-t -1' '-t 513' '-t two' '-c 0' \
>     '-c 1x' '-c 1048577' '-b 0' '-b 65537' '--temp inf' '--temp cold' '--temp -1' '--temp 1001' \
>     '--top-k -1' '--top-k 0.5' '--top-p -0.1' '--top-p 1.1' '--min-p -1' '--min-p 2' \
>     '--repeat-penalty 0' '--repeat-penalty 1001' '--repeat-last-n -2' '--repeat-last-n x' \
>     '--presence-penalty 1001' '--presence-penalty nan' '--frequency-penalty -1001' \
>     '--seed -1' '--seed 1.5' '--seed x' '--seed 18446744073709551616'
> do trit run -m good.gguf -p x $o; [ $? -eq 2 ] || echo "not 2"; done
! trit: --max-tokens wants a whole number, not 'x'
! trit: --max-tokens wants a whole number, not '1.5'
! trit: --max-tokens -2 is out of range; possible is -1 to 2147483647
! trit: --max-tokens 1e10 is out of range; possible is -1 to 2147483647
! trit: --max-tokens wants a whole number, not 'nan'
! trit: --threads 0 is out of range; possible is 1 to 512
! trit: --threads -1 is out of range; possible is 1 to 512
! trit: --threads 513 is out of range; possible is 1 to 512
! trit: --threads wants a whole number, not 'two'
! trit: --ctx 0 is out of range; possible is 1 to 1048576
! trit: --ctx wants a whole number, not '1x'
! trit: --ctx 1048577 is out of range; possible is 1 to 1048576
! trit: --batch 0 is out of range; possible is 1 to 65536
! trit: --batch 65537 is out of range; possible is 1 to 65536
! trit: --temp wants a number, not 'inf'
! trit: --temp wants a number, not 'cold'
! trit: --temp -1 is out of range; possible is 0 to 1000
! trit: --temp 1001 is out of range; possible is 0 to 1000
! trit: --top-k -1 is out of range; possible is 0 to 2147483647
! trit: --top-k wants a whole number, not '0.5'
! trit: --top-p -0.1 is out of range; possible is 0 to 1
! trit: --top-p 1.1 is out of range; possible is 0 to 1
! trit: --min-p -1 is out of range; possible is 0 to 1
! trit: --min-p 2 is out of range; possible is 0 to 1
! trit: --repeat-penalty 0 is out of range; possible is 0.001 to 1000
! trit: --repeat-penalty 1001 is out of range; possible is 0.001 to 1000
! trit: --repeat-last-n -2 is out of range; possible is -1 to 2147483647
! trit: --repeat-last-n wants a whole number, not 'x'
! trit: --presence-penalty 1001 is out of range; possible is -1000 to 1000
! trit: --presence-penalty wants a number, not 'nan'
! trit: --frequency-penalty -1001 is out of range; possible is -1000 to 1000
! trit: --seed wants a whole number of at most 64 bits, not '-1'
! trit: --seed wants a whole number of at most 64 bits, not '1.5'
! trit: --seed wants a whole number of at most 64 bits, not 'x'
! trit: --seed wants a whole number of at most 64 bits, not '18446744073709551616'

$ trit run -m good.gguf -p x -n ''
! trit: --max-tokens wants a whole number, not ''
[2]

$ trit run -m good.gguf -p x --seed ''
! trit: --seed wants a whole number of at most 64 bits, not ''
[2]

# --logit-bias ID=V

$ for b in '' 97 97= =1 97=x 97=1x x=1 -1=1 300=1 97=inf 97=nan 99999999999=1
> do trit run -m good.gguf -p x --logit-bias "$b"; [ $? -eq 2 ] || echo "not 2"; done
! trit: --logit-bias wants ID=VALUE, not ''
! trit: --logit-bias wants ID=VALUE, not '97'
! trit: --logit-bias wants ID=VALUE, not '97='
! trit: --logit-bias wants ID=VALUE, not '=1'
! trit: --logit-bias wants ID=VALUE, not '97=x'
! trit: --logit-bias wants ID=VALUE, not '97=1x'
! trit: --logit-bias wants ID=VALUE, not 'x=1'
! trit: --logit-bias wants ID=VALUE, not '-1=1'
! trit: a bias of 1 for token 300 is not possible; it must be finite, and the vocabulary has 300
! trit: --logit-bias wants ID=VALUE, not '97=inf'
! trit: --logit-bias wants ID=VALUE, not '97=nan'
! trit: --logit-bias wants ID=VALUE, not '99999999999=1'

# Names.

$ trit run -m good.gguf -p x --kv q8
! trit: --kv is f16, f32 or i8, not 'q8'
[2]

$ trit run -m good.gguf -p x --isa sse9
! trit: unknown instruction set 'sse9'
[2]

$ trit logits -m good.gguf --tokens 1 -o out.npy --isa sse9
! trit: unknown instruction set 'sse9'
[2]

# No model.

$ trit run -p x
! trit: no model given; use -m FILE, or set TRIT_MODEL
[2]

# Wherever the mistake is, nothing was done before it is found.

$ trit run -m missing.gguf -p x --nope
! trit: unknown option '--nope'; see trit run --help
[2]

# What would do nothing is refused.

$ trit run -m good.gguf -p x --stop ''
! trit: --stop wants a text that is not empty
[2]

$ trit run -m good.gguf -p x --stream
! trit: --stream goes with --json
[2]

# A choice is one word of those that there are.

$ for v in '' 'f16|f32' f1 f16x '|' F16
> do trit run -m good.gguf -p x --kv "$v"; [ $? -eq 2 ] || echo "not 2"; done
! trit: --kv is f16, f32 or i8, not ''
! trit: --kv is f16, f32 or i8, not 'f16|f32'
! trit: --kv is f16, f32 or i8, not 'f1'
! trit: --kv is f16, f32 or i8, not 'f16x'
! trit: --kv is f16, f32 or i8, not '|'
! trit: --kv is f16, f32 or i8, not 'F16'

$ trit run -m good.gguf -p x --on-full 'stop|shift'
! trit: --on-full is stop or shift, not 'stop|shift'
[2]

$ trit bench -m good.gguf -o 'md|csv'
! trit: --output is md, csv, json or jsonl, not 'md|csv'
[2]

# A value that is not apart from its letter.

$ trit run -m good.gguf -p x -n5
! trit: unknown option '-n5'; did you mean -n 5? See trit run --help
[2]

$ trit run -m good.gguf -p x -n=5
! trit: unknown option '-n=5'; did you mean -n 5? See trit run --help
[2]

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
! trit: unexpected argument 'good.gguf' (give the model with -m)
[2]

$ trit run info
! trit: unexpected argument 'info' (give the model with -m)
[2]

$ trit -m good.gguf run
! trit: option '-m' must come after a command; see trit --help
[2]

# Options belong to commands.

$ trit run -m good.gguf -p x --tokens 1
! trit: trit run has no option '--tokens'; see trit run --help
[2]

$ trit run -m good.gguf -p x -o out.npy
! trit: trit run has no option '-o'; see trit run --help
[2]

$ trit info -m good.gguf -n 3
! trit: trit info has no option '-n'; see trit info --help
[2]

$ trit info -m good.gguf -p x
! trit: trit info has no option '-p'; see trit info --help
[2]

$ trit tokenize -m good.gguf -p x --temp 0
! trit: trit tokenize has no option '--temp'; see trit tokenize --help
[2]

$ trit detokenize -m good.gguf -p x
! trit: trit detokenize has no option '-p'; see trit detokenize --help
[2]

$ trit logits -m good.gguf -f prompt
! trit: trit logits has no option '-f'; see trit logits --help
[2]

$ trit perplexity -m good.gguf -n 3
! trit: trit perplexity has no option '-n'; see trit perplexity --help
[2]

$ trit run -m good.gguf -p x --chunks 2
! trit: trit run has no option '--chunks'; see trit run --help
[2]

# Flags have no value, the others have one.

$ trit run -m good.gguf -p x --echo=yes
! trit: --echo takes no value
[2]

$ for o in -m -p -f -n -t -c -b --isa --kv --temp --top-k --top-p --min-p --repeat-penalty \
>     --repeat-last-n --presence-penalty --frequency-penalty --logit-bias --seed --stop
> do trit run $o; done
! trit: --model needs a value: FILE
! trit: --prompt needs a value: TEXT
! trit: --file needs a value: FILE
! trit: --max-tokens needs a value: N
! trit: --threads needs a value: N
! trit: --ctx needs a value: N
! trit: --batch needs a value: N
! trit: --isa needs a value: ISAS
! trit: --kv needs a value: f16|f32|i8
! trit: --temp needs a value: T
! trit: --top-k needs a value: K
! trit: --top-p needs a value: P
! trit: --min-p needs a value: P
! trit: --repeat-penalty needs a value: X
! trit: --repeat-last-n needs a value: N
! trit: --presence-penalty needs a value: X
! trit: --frequency-penalty needs a value: X
! trit: --logit-bias needs a value: ID=V
! trit: --seed needs a value: N
! trit: --stop needs a value: TEXT
[2]

$ trit logits --tokens
! trit: --tokens needs a value: 1,2,3
[2]

$ trit logits -o
! trit: --output needs a value: OUT.npy
[2]

$ trit detokenize --ids
! trit: --ids needs a value: 1,2,3
[2]

$ trit perplexity --chunks
! trit: --chunks needs a value: N
[2]

# Numbers.

$ for o in '-n x' '-n 1.5' '-n -3' '-n 1e10' '-n nan' '-t 0' '-t -2' '-t 513' '-t two' '-c -1' \
>     '-c 1x' '-c 1048577' '-b 0' '-b 65537' '--temp inf' '--temp cold' '--temp -1' '--temp 1001' \
>     '--top-k -1' '--top-k 0.5' '--top-p -0.1' '--top-p 1.1' '--min-p -1' '--min-p 2' \
>     '--repeat-penalty 0' '--repeat-penalty 1001' '--repeat-last-n -2' '--repeat-last-n x' \
>     '--presence-penalty 1001' '--presence-penalty nan' '--frequency-penalty -1001' \
>     '--seed -2' '--seed 1.5' '--seed x' '--seed 18446744073709551616'
> do trit run -m good.gguf -p x $o; [ $? -eq 2 ] || echo "not 2"; done
! trit: --max-tokens needs a whole number, not 'x'
! trit: --max-tokens needs a whole number, not '1.5'
! trit: --max-tokens must be between -1 and 2147483647, not -3
! trit: --max-tokens must be between -1 and 2147483647, not 1e10
! trit: --max-tokens needs a whole number, not 'nan'
! trit: --threads must be between 1 and 512, not 0
! trit: --threads must be between 1 and 512, not -2
! trit: --threads must be between 1 and 512, not 513
! trit: --threads needs a whole number, not 'two'
! trit: --ctx must be between 1 and 1048576, not -1
! trit: --ctx needs a whole number, not '1x'
! trit: --ctx must be between 1 and 1048576, not 1048577
! trit: --batch must be between 1 and 65536, not 0
! trit: --batch must be between 1 and 65536, not 65537
! trit: --temp needs a number, not 'inf'
! trit: --temp needs a number, not 'cold'
! trit: --temp must be between 0 and 1000, not -1
! trit: --temp must be between 0 and 1000, not 1001
! trit: --top-k must be between 0 and 2147483647, not -1
! trit: --top-k needs a whole number, not '0.5'
! trit: --top-p must be between 0 and 1, not -0.1
! trit: --top-p must be between 0 and 1, not 1.1
! trit: --min-p must be between 0 and 1, not -1
! trit: --min-p must be between 0 and 1, not 2
! trit: --repeat-penalty must be between 0.001 and 1000, not 0
! trit: --repeat-penalty must be between 0.001 and 1000, not 1001
! trit: --repeat-last-n must be between -1 and 2147483647, not -2
! trit: --repeat-last-n needs a whole number, not 'x'
! trit: --presence-penalty must be between -1000 and 1000, not 1001
! trit: --presence-penalty needs a number, not 'nan'
! trit: --frequency-penalty must be between -1000 and 1000, not -1001
! trit: --seed must be a 64-bit whole number, not '-2'
! trit: --seed must be a 64-bit whole number, not '1.5'
! trit: --seed must be a 64-bit whole number, not 'x'
! trit: --seed must be a 64-bit whole number, not '18446744073709551616'

$ trit run -m good.gguf -p x -n ''
! trit: --max-tokens needs a whole number, not ''
[2]

$ trit run -m good.gguf -p x --seed ''
! trit: --seed must be a 64-bit whole number, not ''
[2]

# --logit-bias ID=V

$ for b in '' 97 97= =1 97=x 97=1x x=1 -1=1 300=1 97=inf 97=nan 99999999999=1
> do trit run -m good.gguf -p x --logit-bias "$b"; [ $? -eq 2 ] || echo "not 2"; done
! trit: --logit-bias needs ID=VALUE, not ''
! trit: --logit-bias needs ID=VALUE, not '97'
! trit: --logit-bias needs ID=VALUE, not '97='
! trit: --logit-bias needs ID=VALUE, not '=1'
! trit: --logit-bias needs ID=VALUE, not '97=x'
! trit: --logit-bias needs ID=VALUE, not '97=1x'
! trit: --logit-bias needs ID=VALUE, not 'x=1'
! trit: --logit-bias needs ID=VALUE, not '-1=1'
! trit: invalid bias 1 of token 300; it must be finite, and the vocabulary has 300 tokens
! trit: --logit-bias needs ID=VALUE, not '97=inf'
! trit: --logit-bias needs ID=VALUE, not '97=nan'
! trit: --logit-bias needs ID=VALUE, not '99999999999=1'

# Names.

$ trit run -m good.gguf -p x --kv q8
! trit: --kv must be f16, f32 or i8, not 'q8'
[2]

$ trit run -m good.gguf -p x --isa sse9
! trit: unknown instruction set 'sse9'; it must be one of: scalar avx2 avxvnni avx512 amx neon dotprod i8mm
[2]

$ trit logits -m good.gguf --tokens 1 -o out.npy --isa sse9
! trit: unknown instruction set 'sse9'; it must be one of: scalar avx2 avxvnni avx512 amx neon dotprod i8mm
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
! trit: --stop needs a non-empty text
[2]

$ trit run -m good.gguf -p x --stream
! trit: --stream requires --json
[2]

# A choice is one word of those that there are.

$ for v in '' 'f16|f32' f1 f16x '|' F16
> do trit run -m good.gguf -p x --kv "$v"; [ $? -eq 2 ] || echo "not 2"; done
! trit: --kv must be f16, f32 or i8, not ''
! trit: --kv must be f16, f32 or i8, not 'f16|f32'
! trit: --kv must be f16, f32 or i8, not 'f1'
! trit: --kv must be f16, f32 or i8, not 'f16x'
! trit: --kv must be f16, f32 or i8, not '|'
! trit: --kv must be f16, f32 or i8, not 'F16'

$ trit run -m good.gguf -p x --on-full 'stop|shift'
! trit: --on-full must be stop or shift, not 'stop|shift'
[2]

$ trit bench -m good.gguf -o 'md|csv'
! trit: --output must be md, csv, json or jsonl, not 'md|csv'
[2]

# A value that is not apart from its letter.

$ trit run -m good.gguf -p x -n5
! trit: unknown option '-n5'; did you mean -n 5? See trit run --help
[2]

$ trit run -m good.gguf -p x -n=5
! trit: unknown option '-n=5'; did you mean -n 5? See trit run --help
[2]

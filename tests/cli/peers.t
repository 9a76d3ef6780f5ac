# What users of llama.cpp, bitnet.cpp and ollama type.

# Honoured, where trit has it.

$ trit tokenize -m good.gguf -e -p 'a\nb\t\x41\\n\q\'
97	"a"
10	"\n"
98	"b"
9	"\u0009"
65	"A"
92	"\\"
110	"n"
92	"\\"
113	"q"
92	"\\"

$ trit tokenize -m good.gguf -p 'a\nb' --ids; trit tokenize -m good.gguf --no-escape -p 'a\nb' --ids
[97,92,110,98]
[97,92,110,98]

$ trit run -m good.gguf -p 'x\ny' -n 0 --seed 1
> trit run -m good.gguf -p 'x\ny' -n 0 --seed 1 -e
\
\
! trit: \n in the prompt is two characters; with -e it is a line break
! 4 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 1
! 3 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 1

$ trit tokenize -m good.gguf --escape -p '\x4\x00\x7\"\r' --ids
[4,92,120,48,48,7,34,13]

$ trit template -m chat.gguf -e -sys 'a\nb' -p 'c\nd' --chat-template chatml
<|im_start|>system
a
b<|im_end|>
<|im_start|>user
c
d<|im_end|>
<|im_start|>assistant

$ trit run -m good.gguf -p x -n 4 --temp 0 -q -e --stop 'x\x78' | hex
0a

$ trit run -m good.gguf -p x -c 0 -n -2 --temp 0 -q | wc -c | tr -d ' '
257

$ trit info -m good.gguf -c 0 --json | tr , '\n' | grep session_bytes
"session_bytes":X

$ trit perplexity -m good.gguf -p "$(seq 999)" -c 0 --chunks 2 --json | tr , '\n' | grep -e ctx -e chunks
"ctx":256
"chunks":2}

$ trit bench -m good.gguf -p 8 -n 0 -r 1 -c 0 -o csv 2>&1 >/dev/null | grep -o 'context of 256'
context of 256

$ trit run -m good.gguf -p x -n 1 --temp 0 --seed -1 --json -q | grep -o '"text":"x"'
"text":"x"

$ trit run -m good.gguf -p x -n 1 --temp 0 -t -1 -q --seed 5 --seed -1
x

$ for b in 98+2000 98=2000 99-0.5 97=-inf 99-inf 99=false
> do trit run -m good.gguf -p x -n 2 --temp 0 -q -l 99=1000 --logit-bias $b; done
bb
bb
cc
cc
xx
xx

$ trit run -m good.gguf -p x -n 2 --temp 0 -q --logit-bias 97-x
! trit: --logit-bias needs ID=VALUE, not '97-x'
[2]

$ trit run -m chat.gguf -p Hi -n 2 --temp 0 -q -st -sys "Be brief." --chat-template chatml >a
> trit run -m chat.gguf -p Hi -n 2 --temp 0 -q --chat -s "Be brief." --template chatml | cmp a

$ trit run -m chat.gguf -p Hi -n 2 --temp 0 -q -sys "Be brief." --chat-template chatml | cmp a
> trit run -m chat.gguf -p Hi -n 2 --temp 0 -q --single-turn --system-prompt "Be brief." --chat-template=chatml | cmp a

$ trit run -m good.gguf -p x -n 300 --temp 0 -q --context-shift | wc -c | tr -d ' '
> trit run -m good.gguf -p x -n 300 --temp 0 -q --no-context-shift | wc -c | tr -d ' '
301
257

$ trit run -m good.gguf -p x -n 2 --temp 0 -q -r xx -ctk q8_0 -ctv q8_0 --display-prompt | hex
78 0a

# Without an effect here: one note for all of them, and none for what trit does anyway.

$ trit run -m good.gguf -p x -n 2 --temp 0 -q -ngl 99 -fa on -ub 64 --keep 4 --no-warmup --simple-io --color -i --no-perf
xx
! trit: no effect here: -ngl (trit runs on the CPU only), -fa (trit has one form of attention), -ub (see -b), --keep (trit keeps the BOS and, in a chat, the system message), --no-warmup (trit needs no run to warm up), --simple-io (TERM=dumb makes the line editor plain), --color (trit prints text without colors), -i (trit chat is a conversation), --no-perf (see -q and -v)

$ trit run -m good.gguf -p x -n 2 --temp 0 -q -no-cnv --no-display-prompt --log-disable --mmap --no-escape --jinja
xx

$ trit run -ngl -1 -m good.gguf -fa -p x --color auto -n 2 -tb 4 --temp 0 --numa distribute -q --keep -1 -np=2
xx
! trit: no effect here: -ngl (trit runs on the CPU only), -fa (trit has one form of attention), --color (trit prints text without colors), -tb (-t is the number of threads for everything), --numa (trit does not bind threads to cores), --keep (trit keeps the BOS and, in a chat, the system message), -np (see --sequences)

$ trit tokenize -m good.gguf -ngl -e -p '\n' --ids
\[10]
! trit: no effect here: -ngl (trit runs on the CPU only)

$ trit bench -m good.gguf -p 8 -n 0 -r 1 -o csv -mmp 0 -fa 0 2>&1 >/dev/null | head -n 1
trit: no effect here: -mmp (trit reads the file as --mlock and --no-mmap say), -fa (trit has one form of attention)

$ trit run -m good.gguf -p x -n 2 --temp 0 -q --nowordwrap --keepalive 5m
xx
! trit: no effect here: --nowordwrap (trit run does not wrap lines), --keepalive (the model is open while the command runs)

# What would change the result is refused, unless its value switches it off.

$ trit run -m good.gguf -p x -n 2 --temp 0 -q --mirostat 0 --typical 1.0 --dry-multiplier 0.0 --dry-base 1.75 \
>     --xtc-probability 0 --rope-freq-scale 1
xx
! trit: no effect here: --dry-base (trit does not have this way of sampling)

$ for o in '--mirostat 2' '--typical 0.9' '--dry-multiplier 0.8' --xtc-probability '--samplers top_k;temp' \
>     '--grammar-file g.gbnf' '--grammar x' '-j {}' '--json-schema-file s.json' '--format json' '--lora a.gguf' \
>     '-md d.gguf' '--mmproj p.gguf' '-hf owner/repo' '-mu https://x' '--rope-freq-base 10000' \
>     '--in-prefix x' '--reasoning-budget 0' '-sysf f' --prompt-cache-ro '-bf f' --no-jinja
> do trit run -m good.gguf -p x -n 2 -q $o; [ $? -eq 2 ] || echo not 2; done
! trit: --mirostat is not supported: trit does not have this way of sampling
! trit: --typical is not supported: trit does not have this way of sampling
! trit: --dry-multiplier is not supported: trit does not have this way of sampling
! trit: --xtc-probability is not supported: trit does not have this way of sampling
! trit: --samplers is not supported: the steps have one order; see trit run --help-all
! trit: --grammar-file is not supported: trit cannot hold the output to a grammar or schema
! trit: --grammar is not supported: trit cannot hold the output to a grammar or schema
! trit: -j is not supported: trit cannot hold the output to a grammar or schema
! trit: --json-schema-file is not supported: trit cannot hold the output to a grammar or schema
! trit: --format is not supported: trit cannot hold the output to a grammar or schema
! trit: --lora is not supported: trit runs a model without adapters; merge them into the checkpoint
! trit: -md is not supported: trit runs one model at a time
! trit: --mmproj is not supported: trit reads text only
! trit: -hf is not supported: trit does not download; give the file with -m
! trit: -mu is not supported: trit does not download; give the file with -m
! trit: --rope-freq-base is not supported: the positions are as the model file says
! trit: --in-prefix is not supported: a template says what is around a message; see --template
! trit: --reasoning-budget is not supported: -n limits the whole answer
! trit: -sysf is not supported: use -s "$(cat FILE)"
! trit: --prompt-cache-ro is not supported: --session always saves; use a copy of the file
! trit: -bf is not supported: use -f FILE
! trit: --no-jinja is not supported: a template says what is around a message; see --template

$ trit perplexity -m good.gguf -f t.txt --kl-divergence-base base.bin
! trit: --kl-divergence-base is not supported: use --save-logits FILE, then --kl FILE
[2]

# A long name is not taken apart into letters; a number after a letter is.

$ for o in -sysprompt -seeds -tempo -nx -cx -teh -feel -n5 -c=512 -m=good.gguf -seed
> do trit run -m good.gguf -p x $o; done
! trit: unknown option '-sysprompt'; did you mean --prompt? See trit run --help
! trit: unknown option '-seeds'; did you mean --seed? See trit run --help
! trit: unknown option '-tempo'; did you mean --temp? See trit run --help
! trit: unknown option '-nx'; see trit run --help
! trit: unknown option '-cx'; did you mean --ctx? See trit run --help
! trit: unknown option '-teh'; see trit run --help
! trit: unknown option '-feel'; see trit run --help
! trit: unknown option '-n5'; did you mean -n 5? See trit run --help
! trit: unknown option '-c=512'; did you mean -c 512? See trit run --help
! trit: unknown option '-m=good.gguf'; did you mean -m good.gguf? See trit run --help
! trit: unknown option '-seed'; did you mean --seed? See trit run --help
[2]

$ trit run -m good.gguf -p x -s 42
! trit: -s is --system, which requires --chat; for a seed, use --seed 42
[2]

$ trit run -m good.gguf -p x --context-shift=yes
> trit run -m good.gguf -p x --chat-template
> trit detokenize -m good.gguf --n-predict 3
! trit: --context-shift takes no value
! trit: --template needs a value: NAME|FILE
! trit: trit detokenize has no option '--n-predict'; see trit detokenize --help
[2]

# Help has one line about them, completion none, the manual all.

$ trit run --help | grep llama.cpp; trit chat --help-all | grep llama.cpp; trit run --help-all | grep -e -ngl -e escape
> trit completion bash | grep -e -ngl -e --n-predict -e --escape
Options of llama.cpp, bitnet.cpp and ollama are understood, too: trit man
Options of llama.cpp, bitnet.cpp and ollama are understood, too: trit man
[1]

$ trit man | grep -A 3 'another name' | cut -c 1-60; trit man | grep -c 'ngl'
The same by another name: \-temp (\-\-temp), \-\-temperature
.PP
Accepted without an effect: \-no\-cnv, \-\-no\-conversation,
.PP
2

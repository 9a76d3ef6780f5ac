# trit perplexity says how well a model predicts a text. (This model predicts what came last.)

$ for i in 1 2 3 4 5 6 7 8 9 10; do printf 'aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbb the the the the '
>     printf 'zzzzzzzzzzzzz'; done >text; wc -c <text | tr -d ' '
> trit tokenize -m good.gguf -f text --ids | tr ',' '\n' | wc -l | tr -d ' '
650
530

$ trit perplexity -m good.gguf -f text
perplexity 1740.2066 ± 1835.3987 · nll 7.46176 · 8.8838 bits per byte · 510 tokens in 2 windows of 256

$ trit perplexity -m good.gguf -f text --json
{"tokens":510,"bytes":618,"nll":7.461759...,"ppl":1740.206565...,"ppl_stderr":1835.398749...,"bits_per_byte":8.883773...,"ctx":256,"chunks":2}

# A window is the model's context, but at most 512, unless --ctx says otherwise. Windows do not
# overlap, the last one is dropped where it is not full, and the first token of each is not scored:
# of 530 tokens 2 windows of 256 score 2*255, 5 windows of 100 score 5*99, one of 300 299.

$ trit perplexity -m good.gguf -f text --ctx 256 --json
{"tokens":510,"bytes":618,"nll":7.461759...,"ppl":1740.206565...,"ppl_stderr":1835.398749...,"bits_per_byte":8.883773...,"ctx":256,"chunks":2}

$ trit perplexity -m good.gguf -f text --ctx 100 --json
{"tokens":495,"bytes":600,"nll":7.609467...,"ppl":2017.204278...,"ppl_stderr":2196.328812...,"bits_per_byte":9.056966...,"ctx":100,"chunks":5}

$ trit perplexity -m good.gguf -f text -c 300 --json
{"tokens":299,"bytes":359,"nll":7.179925...,"ppl":1312.809957...,"ppl_stderr":1775.901181...,"bits_per_byte":8.627226...,"ctx":300,"chunks":1}

$ trit perplexity -m good.gguf -f text --ctx 2 --json
{"tokens":265,"bytes":325,"nll":7.950674...,"ppl":2837.487342...,"ppl_stderr":4363.136109...,"bits_per_byte":9.352786...,"ctx":2,"chunks":265}

# --chunks: so many windows at most.

$ trit perplexity -m good.gguf -f text --ctx 100 --chunks 2 --json
{"tokens":198,"bytes":246,"nll":7.855601...,"ppl":2580.147847...,"ppl_stderr":4451.282044...,"bits_per_byte":9.121874...,"ctx":100,"chunks":2}

$ trit perplexity -m good.gguf -f text --ctx 100 --chunks 1000 --json
{"tokens":495,"bytes":600,"nll":7.609467...,"ppl":2017.204278...,"ppl_stderr":2196.328812...,"bits_per_byte":9.056966...,"ctx":100,"chunks":5}

# --second-half: positions ctx/2+1 to ctx-1 only, 49 of 100 and 50 of 101.

$ trit perplexity -m good.gguf -f text --ctx 100 --second-half --json
{"tokens":245,"bytes":293,"nll":8.213888...,"ppl":3691.870886...,"ppl_stderr":5914.622545...,"bits_per_byte":9.908817...,"ctx":100,"chunks":5}

$ trit perplexity -m good.gguf -f text --ctx 101 --second-half --json
{"tokens":250,"bytes":304,"nll":7.346233...,"ppl":1550.346251...,"ppl_stderr":2333.170662...,"bits_per_byte":8.715768...,"ctx":101,"chunks":5}

$ trit perplexity -m good.gguf -f text --ctx 101 --second-half --chunks 1
perplexity 3868.8675 ± 13749.5630 · nll 8.26072 · 9.6110 bits per byte · 50 tokens in 1 windows of 101

# A model that wants a BOS has it in the first position of each window, which then takes one token
# of text less; the first token of text is not scored even so: 5 windows of 99 score 98 each.

$ trit perplexity -m bos.gguf -f text --ctx 100 --json
{"tokens":490,"bytes":598,"nll":7.654621...,"ppl":2110.377210...,"ppl_stderr":2312.760238...,"bits_per_byte":9.048845...,"ctx":100,"chunks":5}

$ trit perplexity -m bos.gguf -f text --ctx 100 --second-half --json
{"tokens":245,"bytes":302,"nll":7.496611...,"ppl":1801.926334...,"ppl_stderr":2765.236096...,"bits_per_byte":8.774021...,"ctx":100,"chunks":5}

$ trit perplexity -m bos.gguf -p abcde --ctx 3 --json
{"tokens":2,"bytes":2,"nll":75.738876...,"ppl":7.815845...e+32,"ppl_stderr":5.142607...e+33,"bits_per_byte":109.268100...,"ctx":3,"chunks":2}

# The standard error of one score is 0.

$ trit perplexity -m good.gguf -p ab --ctx 2 --json
{"tokens":1,"bytes":1,"nll":78.675844...,"ppl":1.473958...e+34,"ppl_stderr":0,"bits_per_byte":113.505250...,"ctx":2,"chunks":1}

# The text may come as anywhere else.

$ trit perplexity -m good.gguf --ctx 100 --json <text
{"tokens":495,"bytes":600,"nll":7.609467...,"ppl":2017.204278...,"ppl_stderr":2196.328812...,"bits_per_byte":9.056966...,"ctx":100,"chunks":5}

$ trit perplexity -m good.gguf --ctx 100 --json - <text
{"tokens":495,"bytes":600,"nll":7.609467...,"ppl":2017.204278...,"ppl_stderr":2196.328812...,"bits_per_byte":9.056966...,"ctx":100,"chunks":5}

$ trit perplexity -m good.gguf --ctx 100 --json -f - <text
{"tokens":495,"bytes":600,"nll":7.609467...,"ppl":2017.204278...,"ppl_stderr":2196.328812...,"bits_per_byte":9.056966...,"ctx":100,"chunks":5}

$ TRIT_MODEL=good.gguf trit perplexity --file text --ctx 100 --json
{"tokens":495,"bytes":600,"nll":7.609467...,"ppl":2017.204278...,"ppl_stderr":2196.328812...,"bits_per_byte":9.056966...,"ctx":100,"chunks":5}

# Neither threads nor batches nor the way the file is read change anything.

$ for o in '-t 1' '-t 3' '-b 1' '-b 7' '--isa scalar' '--no-mmap' '--kv f16' '-q'; do
>     trit perplexity -m good.gguf -f text --ctx 100 --chunks 2 --json $o
> done | uniq
{"tokens":198,"bytes":246,"nll":7.855601...,"ppl":2580.147847...,"ppl_stderr":4451.282044...,"bits_per_byte":9.121874...,"ctx":100,"chunks":2}

$ for kv in f32 i8; do
>     trit perplexity -m good.gguf -f text --ctx 100 --chunks 2 --json --kv $kv
> done
{"tokens":198,"bytes":246,"nll":7.852809...,"ppl":2572.954104...,"ppl_stderr":4437.057197...,"bits_per_byte":9.118632...,"ctx":100,"chunks":2}
{"tokens":198,"bytes":246,"nll":7.861064...,"ppl":2594.280477...,"ppl_stderr":4478.838064...,"bits_per_byte":9.128217...,"ctx":100,"chunks":2}

$ for i in $(trit info | sed -n 's/^ *\([a-z0-9]*\)  *usable$/\1/p'); do
>     trit perplexity -m good.gguf -f text --ctx 100 --chunks 2 --json --isa $i
> done | sort | uniq
{"tokens":198,"bytes":246,"nll":7.855601...,"ppl":2580.147847...,"ppl_stderr":4451.282044...,"bits_per_byte":9.121874...,"ctx":100,"chunks":2}

# -v says what was recognized.

$ trit perplexity -m good.gguf -f text --ctx 100 --chunks 2 -v
perplexity 2580.1478 ± 4451.2820 · nll 7.85560 · 9.1219 bits per byte · 198 tokens in 2 windows of 100
! good.gguf: bitnet-b1.58 · 1 M parameters · relu2 (architecture) · context 100 · opened in X ms

# Too little text, or too small a window.

$ trit perplexity -m good.gguf -p abc
! trit: the text has 3 tokens, but a window needs 256 (see --ctx)
[2]

$ trit perplexity -m good.gguf -f text --ctx 531
! trit: the text has 530 tokens, but a window needs 531 (see --ctx)
[2]

$ trit perplexity -m good.gguf -f text --ctx 1
! trit: --ctx 1 is too small; no token would be scored
[2]

$ trit perplexity -m bos.gguf -f text --ctx 2
! trit: --ctx 2 is too small; no token would be scored
[2]

$ trit perplexity -m good.gguf </dev/null
! trit: the text has 0 tokens, but a window needs 256 (see --ctx)
[2]

# Other errors.

$ trit perplexity -m good.gguf -f text --chunks 0
! trit: --chunks must be between 1 and 2147483647, not 0
[2]

$ trit perplexity -m good.gguf -f missing
! trit: missing: No such file or directory
[3]

$ trit perplexity -m missing.gguf -f text
! trit: missing.gguf: No such file or directory
[3]

$ trit perplexity -m unknown_arch.gguf -f text
! trit: unknown_arch.gguf has architecture 'perceptron', which is not supported; supported are bitnet-b1.58, bitnet-25, bitnet, llama, qwen2, qwen3, bitskip, bitnet-8bit
[4]

$ trit perplexity -m vocab_only.gguf -f text
! trit: vocab_only.gguf: tensor 'token_embd.weight' is missing
[3]

$ trit perplexity -m non_finite.gguf -f text
! trit: the model produced a non-finite value in layer 0
[1]

# A window whose second half holds nothing to score.

$ trit perplexity -m good.gguf -p abcdef --ctx 2 --second-half
! trit: --ctx 2 is too small; no token would be scored
[2]

# trit perplexity --save-logits keeps the logits of all scored positions; --kl says how far the
# present model and settings are from them.

$ for i in 1 2 3 4 5 6 7 8 9 10; do printf 'aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbb the the the the '
>     printf 'zzzzzzzzzzzzz'; done >text
> trit perplexity -m good.gguf -f text --ctx 100 --save-logits base
> wc -c <base | tr -d ' '; head -c 24 base | hex
perplexity 2017.2043 ± 2196.3288 · nll 7.60947 · 9.0570 bits per byte · 495 tokens in 5 windows of 100
598024
74 72 69 74 6c 6f 67 0a 01 00 00 00 2c 01 00 00
64 00 00 00 05 00 00 00
! base: 0.6 MB for 495 positions of 300 logits

# The same model and settings are exactly the same, with any threads, batches and instruction sets.

$ trit perplexity -m good.gguf -f text --ctx 100 --kl base
> for o in '-t 1' '-t 3' '-b 7' '--isa scalar' '--no-mmap'; do
>     trit perplexity -m good.gguf -f text --ctx 100 --kl base --json $o | sed 's/.*"chunks"/"chunks"/'
> done | uniq
perplexity 2017.2043 ± 2196.3288 · nll 7.60947 · 9.0570 bits per byte · 495 tokens in 5 windows of 100
KL divergence 0 ± 0 · median 0 · 99th percentile 0 · largest 0
same most likely token 100.00 % · ln p of the next token +0.00000 ± 0.00000 · perplexity 1.00000 times the base's 2017.2043
"chunks":5,"kl_mean":0,"kl_stderr":0,"kl_median":0,"kl_p99":0,"kl_max":0,"same_top":1,"lnp_change":0,"lnp_change_stderr":0,"ppl_base":2017.2042786731556,"ppl_ratio":1}

# Another type of the cache is close. (This model is so sure of its predictions that the divergence
# is tiny, and yet the numbers hold.)

$ rounded() { sed -E 's/([0-9]\.[0-9]{2})[0-9]*e/\1...e/g; s/([0-9]\.[0-9]{5})[0-9]+/\1.../g'; }
> trit perplexity -m good.gguf -f text --ctx 100 --kl base --kv i8 --json | rounded
> trit perplexity -m good.gguf -f text --ctx 100 --kl base --kv i8 | tail -n 1
{"tokens":495,"bytes":600,"nll":7.61455...,"ppl":2027.48298...,"ppl_stderr":2209.01176...,"bits_per_byte":9.06301...,"ctx":100,"chunks":5,"kl_mean":2.62...e-25,"kl_stderr":4.00...e-26,"kl_median":3.95...e-27,"kl_p99":4.45...e-24,"kl_max":9.55...e-24,"same_top":1,"lnp_change":-0.00508...,"lnp_change_stderr":0.00253...,"ppl_base":2017.20427...,"ppl_ratio":1.00509...}
same most likely token 100.00 % · ln p of the next token -0.00508 ± 0.00254 · perplexity 1.00510 times the base's 2017.2043

# Both at once, onto the same file too: what is compared with is read before it is replaced.

$ cp base both; trit perplexity -m good.gguf -f text --ctx 100 --kv i8 -q --kl both --save-logits both |
>     tail -n 1
> trit perplexity -m good.gguf -f text --ctx 100 --kv i8 -q --kl both | sed -n 2p; ls both*
same most likely token 100.00 % · ln p of the next token -0.00508 ± 0.00254 · perplexity 1.00510 times the base's 2017.2043
KL divergence 0 ± 0 · median 0 · 99th percentile 0 · largest 0
both

# The other way of scoring, and -q.

$ trit perplexity -m bos.gguf -f text --ctx 64 --chunks 3 --second-half --save-logits half -q
> trit perplexity -m bos.gguf -f text --ctx 64 --chunks 3 --second-half --kl half | sed -n 2p
perplexity 1306.6347 ± 3193.8487 · nll 7.17521 · 9.1686 bits per byte · 93 tokens in 3 windows of 64
KL divergence 0 ± 0 · median 0 · 99th percentile 0 · largest 0

# What has to be the same.

$ trit perplexity -m good.gguf -f text --ctx 99 --kl base
! trit: base has windows of 100 tokens, not 99 (see --ctx)
[2]

$ trit perplexity -m good.gguf -f text --ctx 100 --chunks 4 --kl base
! trit: base has 5 windows, not 4 (see --chunks)
[2]

$ trit perplexity -m good.gguf -f text --ctx 100 --second-half --kl base
! trit: base was made without --second-half
[2]

$ trit perplexity -m bos.gguf -f text --ctx 64 --chunks 3 --kl half
! trit: half was made with --second-half
[2]

$ sed 's/a/b/' text | trit perplexity -m good.gguf --ctx 100 --kl base
! trit: base was made from another text or with another tokenizer
[2]

$ trit perplexity -m bos.gguf -f text --ctx 100 --kl base
! trit: base was made from another text or with another tokenizer
[2]

$ trit perplexity -m small_vocab.gguf -f text --ctx 100 --chunks 5 --kl base
! trit: base has a vocabulary of 300; this model has one of 280
[2]

# A file that is cut or damaged, wherever that is.

$ for n in 0 7 8 63 64 100000 598023; do
>     head -c $n base >cut; trit perplexity -m good.gguf -f text --ctx 100 --kl cut; echo $?
> done
3
3
3
3
3
3
3
! trit: cut is not a file from trit perplexity --save-logits
! trit: cut is not a file from trit perplexity --save-logits
! trit: cut ends early
! trit: cut ends early
! trit: cut ends early
! trit: cut ends early
! trit: cut ends early

$ { cat base; echo; } >long; trit perplexity -m good.gguf -f text --ctx 100 --kl long
! trit: long is damaged: it is larger than its header says
[3]

$ { head -c 16 base; printf x; tail -c +18 base; } >header
> trit perplexity -m good.gguf -f text --ctx 100 --kl header
! trit: header is damaged: its header does not match its checksum
[3]

$ { head -c 300000 base; printf x; tail -c +300002 base; } >row
> trit perplexity -m good.gguf -f text --ctx 100 --kl row
! trit: row is damaged: position 248 does not match its checksum
[3]

# From a pipe only the end says that it comes early.

$ head -c 300000 base | trit perplexity -m good.gguf -f text --ctx 100 --kl /dev/stdin
! trit: /dev/stdin ends early
[3]

$ trit perplexity -m good.gguf -f text --ctx 100 --kl /dev/stdin <base | sed -n 2p
KL divergence 0 ± 0 · median 0 · 99th percentile 0 · largest 0

$ trit perplexity -m good.gguf -f text --kl good.gguf
! trit: good.gguf is not a file from trit perplexity --save-logits
[3]

$ trit perplexity -m good.gguf -f text --kl missing
! trit: missing: No such file or directory
[3]

$ trit perplexity -m good.gguf -f text --kl .
! trit: .: Is a directory
[3]

# What cannot be written. After an error nothing is left, and what was there is still there.

$ trit perplexity -m good.gguf -f text --ctx 100 --save-logits no/such/folder -q
! trit: cannot write to no/such/folder: No such file or directory
[1]

$ trit perplexity -m good.gguf -f text --ctx 100 --kl cut --save-logits base -q
> trit perplexity -m good.gguf -f text --ctx 100 --kl row --save-logits base -q
> wc -c <base | tr -d ' '; ls base*
598024
base
! trit: cut ends early
! trit: row is damaged: position 248 does not match its checksum

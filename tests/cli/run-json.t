# trit run --json prints one object, after all is done. (Times are replaced by X.)

$ trit run -m good.gguf -p "Hello the" -n 3 --temp 0 --seed 7 --json
{"text":" the the the","tokens":3,"prompt_tokens":6,"finish":"length","seed":7,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 6 prompt + 3 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 7

# How it ended: "eos", "length", "stop", "context"; "interrupt" after Ctrl-C.

$ finish() { grep -o '"text":.*"finish":"[a-z]*"'; }; export -f finish
> trit run -m good.gguf -p x --temp 0 --logit-bias 299=1000 --json | finish
> trit run -m good.gguf -p x --temp 0 -n 0 --json | finish
> trit run -m good.gguf -p x --temp 0 -n 5 --json | finish
> trit run -m good.gguf -p x --temp 0 -c 5 --json | finish
> trit run -m good.gguf -p x --temp 0 -n 5 --stop xx --json | finish
"text":"","tokens":0,"prompt_tokens":1,"finish":"eos"
"text":"","tokens":0,"prompt_tokens":1,"finish":"length"
"text":"xxxxx","tokens":5,"prompt_tokens":1,"finish":"length"
"text":"xxxxx","tokens":5,"prompt_tokens":1,"finish":"context"
"text":"","tokens":2,"prompt_tokens":1,"finish":"stop"
! 1 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 5 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! trit: the context of 5 tokens is full; use a larger -c or --on-full shift to drop the oldest tokens and go on
! 1 prompt + 5 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 2 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# Text is escaped as JSON wants it.

$ trit run -m good.gguf -p x -n 1 --temp 0 --logit-bias 34=1000 --json
{"text":"\"","tokens":1,"prompt_tokens":1,"finish":"length","seed":S,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p x -n 1 --temp 0 --logit-bias 92=1000 --json
{"text":"\\","tokens":1,"prompt_tokens":1,"finish":"length","seed":S,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p x -n 2 --temp 0 --logit-bias 10=1000 --json
{"text":"\n\n","tokens":2,"prompt_tokens":1,"finish":"length","seed":S,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 1 prompt + 2 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p x -n 1 --temp 0 --logit-bias 27=1000 --json
{"text":"\u001b","tokens":1,"prompt_tokens":1,"finish":"length","seed":S,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# --stream: a line for each token before it. A token that is no whole character by itself shows
# U+FFFD there, while "text" at the end has the characters.

$ trit run -m good.gguf -p "Hello the" -n 3 --temp 0 --json --stream
{"token":258,"text":" the"}
{"token":258,"text":" the"}
{"token":258,"text":" the"}
{"text":" the the the","tokens":3,"prompt_tokens":6,"finish":"length","seed":S,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 6 prompt + 3 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p x -n 2 --temp 0 --logit-bias 195=3000 --logit-bias 169=2500 \
>     --presence-penalty 700 --repeat-last-n 1 --json --stream
{"token":195,"text":"\ufffd"}
{"token":169,"text":"\ufffd"}
{"text":"é","tokens":2,"prompt_tokens":1,"finish":"length","seed":S,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 1 prompt + 2 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# An end token is no line; control tokens are, and have no text.

$ trit run -m good.gguf -p x -n 2 --temp 0 --logit-bias 299=1000 --json --stream
{"text":"","tokens":0,"prompt_tokens":1,"finish":"eos","seed":S,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 1 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p x -n 2 --temp 0 --logit-bias 299=1000 --ignore-eos --json --stream
{"token":299,"text":""}
{"token":299,"text":""}
{"text":"","tokens":2,"prompt_tokens":1,"finish":"length","seed":S,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 1 prompt + 2 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# The seed is in it, also where it was drawn: with it the text comes again.

$ trit run -m good.gguf -p x -n 20 --temp 50 --min-p 0 --json -q >first
> s=$(sed 's/.*"seed":\([0-9]*\).*/\1/' first)
> trit run -m good.gguf -p x -n 20 --temp 50 --min-p 0 --json -q --seed $s >second
> cmp <(grep -o '"text":.*"seed"' first) <(grep -o '"text":.*"seed"' second) && echo the same
the same

# Seeds are whole: all 64 bits.

$ trit run -m good.gguf -p x -n 0 --seed 18446744073709551615 --json
{"text":"","tokens":0,"prompt_tokens":1,"finish":"length","seed":18446744073709551615,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 1 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed 18446744073709551615

# Instruction set and threads are those that were used.

$ trit run -m good.gguf -p x -n 0 --isa scalar -t 3 --json | grep -o '"threads":.*'
"threads":3}
! 1 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p x -n 0 --isa scalar -t 3 --json | grep -o '"isa":"scalar"'
"isa":"scalar"
! 1 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# --logprobs: what else could have stood at each place, in the object and in the stream.

$ trit run -m good.gguf -p Hi -n 2 --temp 0 --json --logprobs 2 -q | grep -o '"logprobs".*],"tokens"'
"logprobs":[{"token":105,"text":"i","logprob":0,"top_logprobs":[{"token":105,"text":"i","logprob":0},{"token":199,"text":"\ufffd","logprob":-51.2932854}]},{"token":105,"text":"i","logprob":0,"top_logprobs":[{"token":105,"text":"i","logprob":0},{"token":199,"text":"\ufffd","logprob":-52.5280933}]}],"tokens"

$ trit run -m good.gguf -p Hi -n 1 --temp 0 --json --logprobs 1 --stream -q | head -n 1
{"token":105,"text":"i","logprob":0,"top_logprobs":[{"token":105,"text":"i","logprob":0}]}

$ trit run -m good.gguf -p Hi -n 0 --json --logprobs 2 -q | grep -o '"logprobs".*],"tokens"'
"logprobs":[],"tokens"

# The first of them is what temperature 0 takes, and all probabilities of a place together are 1.

$ trit run -m good.gguf -p Hi -n 1 --temp 0 --json --logprobs 100 --kv f32 --logit-bias 105=-60 \
>     --stream -q | head -n 1 | grep -o '"logprob":[-0-9.e]*' | awk -F: '{ n++; s += n > 1 ? exp($2) : 0 }
>     END { print n; if (s > 1.000001 || s < 0.999) print "they sum up to " s }'
101

$ trit run -m good.gguf -p Hi --logprobs 2
! trit: --logprobs requires --json
[2]

$ trit run -m good.gguf -p Hi --json --logprobs 101
! trit: --logprobs must be between 0 and 100, not 101
[2]

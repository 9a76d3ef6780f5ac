# --session FILE keeps the tokens of a run, and what the model made of them, for the next one. (This
# model is made to count a b c d; what comes depends on the last tokens.)

$ echo -q --temp 0 --logit-bias 97=4000 --logit-bias 98=3800 --logit-bias 99=3600 \
>     --logit-bias 100=3400 --presence-penalty 900 --repeat-last-n 3 >abcd

$ trit run -m good.gguf -p x -n 10 $(cat abcd)
abcdabcdab

$ trit run -m good.gguf -p x -n 5 $(cat abcd) --session s
abcda

$ trit run -m good.gguf -p "" -n 5 $(cat abcd) --session s
bcdab

$ trit run -m good.gguf -p "" -n 3 $(cat abcd) --session=s
cda

# In small steps the same tokens come as at once. (--json shows them; none may come again soon, or
# this model would say one word over and over.)

$ echo 'tokens() { grep -o "^{.token.:[0-9]*" | grep -o "[0-9]*$" | paste -sd" " -; }
> say() { trit run -m good.gguf -q --temp 0 --presence-penalty 900 --repeat-last-n 7 \
>     --json --stream "$@"; }' >defs

$ . ./defs; say -p "Hello the" -n 12 | tokens
94 40 6 268 88 87 83 252 192 145 245 227

$ . ./defs; for p in "Hello the" "" "" ""; do say -p "$p" -n 3 --session h; done | tokens
94 40 6 268 88 87 83 252 192 145 245 227

$ . ./defs; for kv in f32 i8; do
>     rm h; say -p "Hello the" -n 12 --kv $kv | tokens
>     for p in "Hello the" "" ""; do say -p "$p" -n 4 --session h --kv $kv; done | tokens
> done
94 40 6 268 288 165 97 228 264 210 145 245
94 40 6 268 288 165 97 228 264 210 145 245
94 40 6 268 288 242 285 247 237 250 148 256
94 40 6 268 288 242 285 247 237 250 148 256

# A new prompt is appended. What was restored is counted apart, and not evaluated.

$ rm -f s; trit run -m good.gguf -p ab -n 3 --temp 0 --session s
bbb
! 2 prompt + 3 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p "Hello the" -n 2 --temp 0 --session s
 the the
! 5 restored + 6 prompt + 2 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p ab -n 2 --temp 0 --session s --json
{"text":"bb","tokens":2,"prompt_tokens":2,"restored_tokens":13,"finish":"length","seed":S,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 13 restored + 2 prompt + 2 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p "" -n 0 --session s
\
! 17 restored + 0 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# A model that wants a BOS gets one in the beginning only.

$ trit run -m bos.gguf -p ab -n 2 --temp 0 --session b
bb
! 3 prompt + 2 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m bos.gguf -p ab -n 2 --temp 0 --session b
bb
! 5 restored + 2 prompt + 2 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# An end token is no part of it: another turn can follow.

$ rm -f s; trit run -m good.gguf -p abc -n 3 --session s --logit-bias 299=1000
\
! 3 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p d -n 1 --session s --logit-bias 299=1000
\
! 3 restored + 1 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# Without a file there must be a prompt, and no file comes of an error.

$ rm -f s; trit run -m good.gguf -p "" --session s; echo $?; [ -e s ] || echo none
2
none
! trit: the prompt is empty

$ trit run -m good.gguf -p x --session ""
! trit: --session needs a file name
[2]

$ trit run -m good.gguf -p x --session nowhere/s
! trit: cannot write to nowhere/s: No such file or directory
[1]

$ trit run -m non_finite.gguf -p x -q --session s; echo $?; [ -e s ] || echo none
1
none
! trit: the model produced a non-finite value in layer 0

# Another type of cache: the tokens are still good.

$ trit run -m good.gguf -p "Hello the" -n 2 -q --temp 0 --session s
 the the

$ cp s whole; trit run -m good.gguf -p "" -n 2 --temp 0 --session s --kv i8
 the the
! trit: s: its keys and values have another type; its 8 tokens were evaluated again
! 8 restored + 0 prompt + 2 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ cp whole s; trit run -m good.gguf -p "" -n 2 -q --temp 0 --session s --kv i8
 the the

# A file that was cut: the same, as long as the tokens are in it.

$ head -c 2000 whole >s; trit run -m good.gguf -p "" -n 2 --temp 0 --session s
 the the
! trit: s: its keys and values are incomplete; its 8 tokens were evaluated again
! 8 restored + 0 prompt + 2 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p "" -n 2 --temp 0 --session s
 the the
! 10 restored + 0 prompt + 2 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ head -c 140 whole >s; cp s before
> trit run -m good.gguf -p "" -n 2 --session s; echo $?; cmp s before
3
! trit: s is damaged or ends early

# What is no session, or another model's, is refused and stays as it is.

$ cp text.gguf s; trit run -m good.gguf -p "" -n 2 --session s; echo $?; cmp s text.gguf
3
! trit: s is not a session file

$ : >s; trit run -m good.gguf -p "" -n 2 --session s; echo $?; wc -c <s | tr -d ' '
3
0
! trit: s is empty

$ cp good.gguf g; trit run -m good.gguf -p x -n 2 --session g; echo $?; cmp g good.gguf
3
! trit: g is not a session file

$ trit dummy --shape tiny -o other.gguf -q

$ cp whole s; trit run -m other.gguf -p x -n 2 --session s; echo $?; cmp s whole
3
! trit: s was made with another model (bitnet-b1.58, 2 layers of 256)

$ mkdir d; trit run -m good.gguf -p x -n 2 --session d
! trit: d is not a regular file
[3]

# More tokens than there is room for.

$ trit run -m good.gguf -p "" -n 2 --session whole -c 7
! trit: whole has 8 tokens; the context has room for 7 (see -c)
[2]

$ trit run -m good.gguf -p abc -n 2 --session whole -c 10
! trit: the prompt has 3 tokens; whole has 8, so the context has room for 2 (see -c)
[2]

$ trit run -m good.gguf -p "Hello the" -c 5 --on-full shift
! trit: the prompt has 6 tokens; the context has room for 5 (see -c)
[2]

# A full context ends it, and it says so. The last token had no room: it comes again in a larger
# one.

$ rm -f s; trit run -m good.gguf -p x -c 6 --temp 0 $(cat abcd) --session s
abcdab

$ trit run -m good.gguf -p "" -n 4 -c 16 $(cat abcd) --session s
bcda

$ trit run -m good.gguf -p x -c 6 --temp 0
xxxxxx
! trit: the context of 6 tokens is full; use a larger -c or --on-full shift to drop the oldest tokens and go on
! 1 prompt + 6 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p x -c 6 --temp 0 --on-full stop --json
{"text":"xxxxxx","tokens":6,"prompt_tokens":1,"finish":"context","seed":S,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! trit: the context of 6 tokens is full; use a larger -c or --on-full shift to drop the oldest tokens and go on
! 1 prompt + 6 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# Or the older half makes room, as often as it must. -q says nothing of it.

$ trit run -m good.gguf -p x -n 12 -c 6 --temp 0 --on-full shift
xxxxxxxxxxxx
! trit: the context of 6 tokens is full; dropped 3 of them
! trit: the context of 6 tokens is full; dropped 3 of them
! 1 prompt + 12 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p x -n 12 -c 6 $(cat abcd) --on-full shift
abcdabcdabcd

$ trit run -m bos.gguf -p x -n 12 -c 6 --temp 0 --on-full shift
xxxxxxxxxxxx
! trit: the context of 6 tokens is full; dropped 3 of them
! trit: the context of 6 tokens is full; dropped 3 of them
! trit: the context of 6 tokens is full; dropped 3 of them
! 2 prompt + 12 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m bos.gguf -p x -n 12 -c 1 --temp 0 --on-full shift
! trit: the prompt has 2 tokens; the context has room for 1 (see -c)
[2]

$ trit run -m good.gguf -p x -n 4 -c 1 --temp 0 --on-full shift
xxxx
! trit: the context of 1 tokens is full; dropped 1 of them
! trit: the context of 1 tokens is full; dropped 1 of them
! trit: the context of 1 tokens is full; dropped 1 of them
! 1 prompt + 4 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p x -n 12 --on-full sometimes
! trit: --on-full must be stop or shift, not 'sometimes'
[2]

# Both together: in steps or at once.

$ . ./defs; say -p "Hello the" -n 24 -c 9 --on-full shift | tokens
94 40 6 268 288 76 170 46 71 190 230 252 192 17 156 262 30 72 109 214 173 203 202 251

$ . ./defs; for n in 1 2 3 4 6 12; do
>     rm h; p="Hello the"
>     for ((i = 0; i < 24 / n; i++)); do
>         say -p "$p" -n $n -c 9 --session h --on-full shift; p=
>     done | tokens
> done
94 40 6 268 288 76 170 46 71 190 230 252 192 17 156 262 30 72 109 214 173 203 202 251
94 40 6 268 288 76 170 46 71 190 230 252 192 17 156 262 30 72 109 214 173 203 202 251
94 40 6 268 288 76 170 46 71 190 230 252 192 17 156 262 30 72 109 214 173 203 202 251
94 40 6 268 288 76 170 46 71 190 230 252 192 17 156 262 30 72 109 214 173 203 202 251
94 40 6 268 288 76 170 46 71 190 230 252 192 17 156 262 30 72 109 214 173 203 202 251
94 40 6 268 288 76 170 46 71 190 230 252 192 17 156 262 30 72 109 214 173 203 202 251

# Nothing is left beside it.

$ ls -A | grep -v -e gguf -e checkpoint -e bit -e abcd -e defs
b
before
bin
bins
d
g
h
s
shards
whole

# A conversation in steps: each message follows the answer before it, which is closed first. What is
# evaluated are the ids of the whole conversation.

$ rm -f s; trit run -m chat.gguf --chat -s Be -p hi --session s -n 3 --temp 0 -q >answer
> trit run -m chat.gguf --chat -p more --session s -n 1 --temp 0 -q --json | grep -o '"prompt_tokens":[0-9]*,"restored_tokens":[0-9]*'
> trit template -m chat.gguf -s Be -p hi --ids | tr -dc ,0-9 | tr , '\n' | wc -l
> trit template -m chat.gguf --template bitnet --turns <(echo '[{"role":"assistant","content":""}]') \
>     -p more --ids | tr -dc ,0-9 | tr , '\n' | wc -l
> trit template -m chat.gguf --turns <(echo '[]') --ids | tr -dc ,0-9 | tr , '\n' | wc -l
"prompt_tokens":23,"restored_tokens":35
31
34
11

$ trit run -m chat.gguf --chat -s New -p more --session s -n 1 -q
! trit: --system starts a conversation, but s already has one
[2]

$ trit run -m chat.gguf --chat -p '' --session s -n 2 --temp 0 -q --json | grep -o '"prompt_tokens":[0-9]*,'
"prompt_tokens":0,

# A session that is full makes room for a prompt, where it may.

$ rm -f s; trit run -m good.gguf -p Hi -c 32 --ignore-eos --session s --temp 0 >/dev/null 2>&1
> trit run -m good.gguf -p more -c 32 -n 2 --session s --temp 0 -q >/dev/null
! trit: the prompt has 4 tokens; s has 32, so the context has room for 0 (see -c)
[2]

$ trit run -m good.gguf -p more -c 32 -n 2 --session s --temp 0 --on-full shift | wc -c
3
! trit: the prompt does not fit the context of 32 tokens; 16 tokens of s were dropped
! 16 restored + 4 prompt + 2 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p "$(printf '%64s' x)" -c 32 --session s --on-full shift -q
! trit: the prompt has 64 tokens; s has 22, so the context has room for 10 (see -c)
[2]

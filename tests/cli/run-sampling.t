# How trit run chooses the next token. To have something to read, this model is pushed: a (token
# 97), b, c and d are far more likely than all else, a the most.

$ echo --logit-bias 97=4000 --logit-bias 98=3800 --logit-bias 99=3600 --logit-bias 100=3400 >abcd

# --temp 0 is greedy, whatever the seed.

$ for s in 1 2 3; do trit run -m good.gguf -p x -n 12 -q $(cat abcd) --temp 0 --seed $s; done
aaaaaaaaaaaa
aaaaaaaaaaaa
aaaaaaaaaaaa

# So are all stages that leave one token, at any temperature.

$ trit run -m good.gguf -p x -n 12 -q $(cat abcd) --temp 1000 --top-k 1
aaaaaaaaaaaa

$ trit run -m good.gguf -p x -n 12 -q $(cat abcd) --temp 1000 --top-p 0 --min-p 0
aaaaaaaaaaaa

$ trit run -m good.gguf -p x -n 12 -q $(cat abcd) --temp 1000 --min-p 1
aaaaaaaaaaaa

# --temp comes last: --min-p, 0.05 unless given, and --top-p see the model's own probabilities.

$ trit run -m good.gguf -p x -n 12 -q $(cat abcd) --temp 1000
aaaaaaaaaaaa

$ trit run -m good.gguf -p x -n 12 -q $(cat abcd) --temp 1000 --top-p 0.999999 --min-p 0
aaaaaaaaaaaa

# A seed is a text: the same by the same seed, another by another.

$ for s in 1 1 2 3; do
>     trit run -m good.gguf -p x -n 30 -q $(cat abcd) --temp 1000 --top-k 4 --min-p 0 --seed $s
> done
cbbbcaabdbdddccdabaabbcbbabdcd
cbbbcaabdbdddccdabaabbcbbabdcd
acaccacabccbcddaccbbabaccbaabc
ccabbbacdadccccaaadccbbaddcdab

# --top-k 2 leaves a and b, --top-k 0 is off.

$ trit run -m good.gguf -p x -n 30 -q $(cat abcd) --temp 1000 --min-p 0 --seed 1 --top-k 2
bababaaabbbbbbbbaaaaaabaaaabbb

$ trit run -m good.gguf -p x -n 10 -q $(cat abcd) --temp 1 --min-p 0 --seed 1 --top-k 0
aaaaaaaaaa

# The hotter, the more even; the cooler, the more of the best.

$ trit run -m good.gguf -p x -n 30 -q $(cat abcd) --top-k 4 --min-p 0 --seed 1 --temp 100
aaaaaaaaaaabbaaaaaaaaaaaaaaaab

# The model itself, asked for one token by twelve seeds. After "H" (72) it says H; without that, it
# gives tokens 204, 76 and 255 logits of 19.9, 18.6 and 18.2.

$ choose() {
>     for s in {1..12}; do
>         trit run -m good.gguf -p H -n 1 --logit-bias 72=-1000 --seed $s --json --stream "$@"
>     done | sed -n 's/{"token":\([0-9]*\).*/\1/p' | paste -s -d ' ' -
> }
> declare -f choose >choose

$ . ./choose; choose
204 76 204 204 204 204 204 204 76 255 204 204
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# These are the defaults.

$ . ./choose; choose --temp 0.8 --top-k 0 --top-p 1.0 --min-p 0.05 --repeat-penalty 1.0 \
>     --repeat-last-n 64 --presence-penalty 0 --frequency-penalty 0
204 76 204 204 204 204 204 204 76 255 204 204
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# The first two only, by number, by their part of all, and by their part of the best one's.

$ . ./choose; choose --top-k 2
204 204 204 204 204 204 204 204 204 76 204 204
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ . ./choose; choose --top-p 0.8
204 204 204 204 204 204 204 204 204 76 204 204
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ . ./choose; choose --min-p 0.2
204 76 204 204 204 204 204 204 76 204 204 204
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# Cold, hot, and hot without --min-p.

$ . ./choose; choose --temp 0.1
204 204 204 204 204 204 204 204 204 204 204 204
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ . ./choose; choose --temp 5
204 76 204 76 76 255 204 255 76 255 76 204
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ . ./choose; choose --temp 5 --min-p 0
204 52 204 77 83 227 204 250 0 282 76 89
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# --logit-bias may take away, too: here "x", which this model would say again. Several add up.

$ trit run -m good.gguf -p x -n 5 -q --temp 0
xxxxx

$ trit run -m good.gguf -p x -n 5 -q --temp 0 --logit-bias 120=-1000 --logit-bias 97=1e3
aaaaa

$ trit run -m good.gguf -p x -n 5 -q --temp 0 --logit-bias 97=600 --logit-bias 97=600 \
>     --logit-bias 98=1000
aaaaa

# Ties go to the lowest id.

$ trit run -m good.gguf -p x -n 5 -q --temp 0 --logit-bias 99=1e30 --logit-bias 98=1e30
bbbbb

# Penalties. --presence-penalty is taken once from what occurred: with a memory of one token the
# best two take turns, with a memory of two the best three.

$ trit run -m good.gguf -p x -n 12 -q $(cat abcd) --temp 0 --presence-penalty 700 --repeat-last-n 1
abababababab

$ trit run -m good.gguf -p x -n 12 -q $(cat abcd) --temp 0 --presence-penalty 700 --repeat-last-n 2
abcabcabcabc

# A memory of none has no penalties; 64 is the default, -1 is all. Once a, b, c and d have all
# occurred they are in their old order.

$ trit run -m good.gguf -p x -n 12 -q $(cat abcd) --temp 0 --presence-penalty 700 --repeat-last-n 0
aaaaaaaaaaaa

$ trit run -m good.gguf -p x -n 12 -q $(cat abcd) --temp 0 --presence-penalty 700
abcdaaaaaaaa

$ trit run -m good.gguf -p x -n 12 -q $(cat abcd) --temp 0 --presence-penalty 700 --repeat-last-n -1
abcdaaaaaaaa

# The prompt is remembered as well: a is behind already.

$ trit run -m good.gguf -p a -n 12 -q $(cat abcd) --temp 0 --presence-penalty 700
bcdaaaaaaaaa

# 64 tokens back, prompt included, and no further: 63 x later the a of the prompt still counts, 64
# later it does not.

$ x=$(printf 'x%.0s' {1..63}); for p in a$x ax$x; do
>     trit run -m good.gguf -p $p -n 1 -q $(cat abcd) --temp 0 --presence-penalty 700
> done
b
a

# --frequency-penalty is taken as often as it occurred: a goes from 4000 to 3600 to 3200, so that b
# with its 3400 comes third, and so on.

$ trit run -m good.gguf -p x -n 9 -q --temp 0 --logit-bias 97=4000 --logit-bias 98=3400 \
>     --frequency-penalty 400
aabababab

# A negative penalty is a reward: the b of the prompt wins.

$ trit run -m good.gguf -p b -n 12 -q $(cat abcd) --temp 0 --presence-penalty -700
bbbbbbbbbbbb

# --repeat-penalty divides what occurred, before anything is added to it. Without it the model says
# " the" for ever; with it nothing comes twice.

$ trit run -m good.gguf -p "Hello the" -n 5 -q --temp 0 --repeat-penalty 1.0
 the the the the the

$ trit run -m good.gguf -p "Hello the" -n 5 --temp 0 --repeat-penalty 1000 --json --stream |
>     grep -o '"token":[0-9]*' | sort | uniq -d
! 6 prompt + 5 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p x -n 5 -q $(cat abcd) --temp 0 --repeat-penalty 1000
aaaaa

# The ends of what is possible.

$ trit run -m good.gguf -p x -n 2 -q --temp 0 --top-k 2147483647 --top-p 1 --min-p 1 \
>     --repeat-last-n 2147483647 --presence-penalty -1000 --frequency-penalty 1000 --json |
>     grep -o '"tokens":[0-9]*'
"tokens":2

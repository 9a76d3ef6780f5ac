# --stop TEXT ends the text before TEXT. This model is made to say abcabcabc.

$ echo --temp 0 --logit-bias 97=4000 --logit-bias 98=3800 --logit-bias 99=3600 \
>     --presence-penalty 700 --repeat-last-n 2 >abc

$ trit run -m good.gguf -p x -n 9 -q $(cat abc)
abcabcabc

# The stop text is not printed, and its tokens have been generated.

$ trit run -m good.gguf -p x -n 9 $(cat abc) --stop ca
ab
! 1 prompt + 4 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# It need not begin or end where a token does.

$ trit run -m good.gguf -p x -n 9 -q --temp 0 --logit-bias 258=1000 --stop he
 t

$ trit run -m good.gguf -p x -n 9 -q --temp 0 --logit-bias 258=1000 --stop "e t"
 th

# What only begins like it comes out after all, at the latest at the end.

$ trit run -m good.gguf -p x -n 9 -q $(cat abc) --stop abx
abcabcabc

$ trit run -m good.gguf -p x -n 9 -q $(cat abc) --stop abcabcabca
abcabcabc

# Several: the first to come ends it.

$ trit run -m good.gguf -p x -n 9 -q $(cat abc) --stop ca --stop bc
a

$ trit run -m good.gguf -p x -n 9 -q $(cat abc) --stop=no --stop=cab --stop=abcabc
\

# Nothing may be left of the text.

$ trit run -m good.gguf -p x -n 9 $(cat abc) --stop a
\
! 1 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p x -n 9 -q $(cat abc) --stop a | hex
0a

# The prompt is no part of it, not even with --echo.

$ trit run -m good.gguf -p abc -n 5 -q --temp 0 --logit-bias 120=1000 --echo --stop bc --stop cx
abcxxxxx

# --json says how it ended.

$ trit run -m good.gguf -p x -n 9 $(cat abc) --stop ca --json
{"text":"ab","tokens":4,"prompt_tokens":1,"finish":"stop","seed":S,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 1 prompt + 4 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p x -n 9 $(cat abc) --stop ac --json
{"text":"abcabcabc","tokens":9,"prompt_tokens":1,"finish":"length","seed":S,"timings":{"load_ms":X,"prompt_ms":X,"first_token_ms":X,"generate_ms":X,"prompt_tps":X,"generate_tps":X},"isa":"ISA","threads":T}
! 1 prompt + 9 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# It may be 1024 bytes long.

$ trit run -m good.gguf -p x -n 9 -q $(cat abc) --stop "$(printf '%1024s')"
abcabcabc

$ trit run -m good.gguf -p x -n 9 -q $(cat abc) --stop "$(printf '%1025s')"
! trit: a stop text is longer than 1024 bytes
[2]

# Where trit run has its prompt from: -p, -f, "-" or standard input. Each is taken verbatim.

$ printf 'Hello the' >prompt

$ trit run -m good.gguf -p "Hello the" -n 3 --temp 0 -q
 the the the

$ trit run -m good.gguf -f prompt -n 3 --temp 0 -q
 the the the

$ trit run -m good.gguf --file prompt -n 3 --temp 0 -q
 the the the

$ trit run -m good.gguf -f - -n 3 --temp 0 -q <prompt
 the the the

$ trit run -m good.gguf - -n 3 --temp 0 -q <prompt
 the the the

$ cat prompt | trit run -m good.gguf -n 3 --temp 0 -q
 the the the

# -p and -f go before standard input.

$ echo other | trit run -m good.gguf -p "Hello the" -n 3 --temp 0 -q
 the the the

$ echo other | trit run -m good.gguf -f prompt -n 3 --temp 0 -q
 the the the

# There is one prompt only.

$ trit run -m good.gguf -p "Hello the" -f prompt -n 3
! trit: give only one prompt: -p, -f or -
[2]

$ trit run -m good.gguf -p "Hello the" - -n 3 <prompt
! trit: give only one prompt: -p, -f or -
[2]

$ trit run -m good.gguf -f prompt - -n 3 <prompt
! trit: give only one prompt: -p, -f or -
[2]

# An empty one is none.

$ trit run -m good.gguf -p "" -n 3
! trit: the prompt is empty
[2]

$ trit run -m good.gguf -n 3 </dev/null
! trit: the prompt is empty
[2]

$ : >empty; trit run -m good.gguf -f empty -n 3
! trit: the prompt is empty
[2]

# Nothing is trimmed, and no backslash means anything: in this vocabulary a byte is a token.

$ trit run -m good.gguf -p '\n  a ' -n 0 --echo -q | hex
5c 6e 20 20 61 20 0a

$ trit run -m good.gguf -p '\n  a ' -n 0
\
! trit: \n in the prompt is two characters; with -e it is a line break
! 6 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ printf ' a\n\n' | trit run -m good.gguf -n 0 --echo
 a
\
! 4 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# Any bytes will do, and --echo prints them as they are.

$ printf 'a\000\377b' | trit run -m good.gguf -n 0 -q --echo | hex
61 00 ff 62 0a

# A prompt that looks like an option.

$ trit run -m good.gguf -p --help -n 0 -q --echo
--help

# The name of a special token is text, unless --special.

$ trit run -m good.gguf -p '<|299|>' -n 0
\
! 7 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p '<|299|>' -n 0 --special
\
! 1 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# A model that wants a BOS has it before the prompt.

$ trit run -m bos.gguf -p 'abc' -n 0
\
! 4 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p 'abc' -n 0
\
! 3 prompt + 0 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

# The prompt may fill the context, no more.

$ trit run -m good.gguf -p 'abcd' -c 4 -n 1 --temp 0
d
! 4 prompt + 1 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf -p 'abcde' -c 4 -n 1
! trit: the prompt has 5 tokens; the context has room for 4 (see -c)
[2]

$ trit run -m bos.gguf -p 'abcd' -c 4 -n 1
! trit: the prompt has 5 tokens; the context has room for 4 (see -c)
[2]

$ printf '%257s' | trit run -m good.gguf -n 1
! trit: the prompt has 257 tokens; the context has room for 256 (see -c)
[2]

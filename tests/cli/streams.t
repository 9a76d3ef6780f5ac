# stdout holds the result, stderr all else.

$ trit run -m good.gguf -p x -n 3 --temp 0 2>/dev/null
xxx

$ trit run -m good.gguf -p x -n 3 --temp 0 >/dev/null
! 1 prompt + 3 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m missing.gguf -p x 2>/dev/null
[3]

# No color and no progress where that is no terminal.

$ { trit run -m good.gguf -p x -n 3 --temp 0; trit perplexity -m good.gguf -p xxxxxx --ctx 3; } 2>&1 |
>     tr -dc '\033\r' | hex

# A reader that goes away is no reason to say anything: exit code 1 without a message.

$ trit run -m good.gguf -p x -c 100000 --temp 0 | head -c 20; c=${PIPESTATUS[0]}; echo; echo $c
xxxxxxxxxxxxxxxxxxxx
1

$ trit run -m good.gguf -p x -c 100000 --temp 0 --json --stream | head -n 1; echo ${PIPESTATUS[0]}
{"token":120,"text":"x"}
1

# The same where nobody reads from the start.

$ mkfifo pipe; closed() { : <pipe & exec 3>pipe; wait; "$@" >&3; echo $?; exec 3>&-; }
> closed trit run -m good.gguf -p x -n 3
> closed trit run -m good.gguf -p x -n 3 -q --echo
> closed trit run -m good.gguf -p x -n 3 --json
> closed trit run -m good.gguf -p x -n 3 --json --stream
> closed trit tokenize -m good.gguf -p x
> closed trit detokenize -m good.gguf --ids 97
> closed trit perplexity -m good.gguf -p xxxxx --ctx 3
> closed trit info -m good.gguf
> closed trit info
> closed trit --help
> closed trit --version
1
1
1
1
1
1
1
1
1
1
1

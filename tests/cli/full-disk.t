# A full disk: exit code 1, and a message.
# requires: [ -c /dev/full ]

$ trit run -m good.gguf -p x -n 3 >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit run -m good.gguf -p x -n 0 -q >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit run -m good.gguf -p x -n 3 --echo >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit run -m good.gguf -p x -n 3 --json >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit run -m good.gguf -p x -n 3 --json --stream >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit logits -m good.gguf --tokens 1,2,3 -o /dev/full
! trit: cannot write to /dev/full: No space left on device
[1]

$ trit perplexity -m good.gguf -p abcdefgh --ctx 4 --save-logits /dev/full -q
! trit: cannot write to /dev/full: No space left on device
[1]

$ trit perplexity -m good.gguf -p "$(seq 1000)" --ctx 100 --save-logits /dev/full -q
! trit: cannot write to /dev/full: No space left on device
[1]

$ trit tokenize -m good.gguf -p x >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit tokenize -m good.gguf -p x --json >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit detokenize -m good.gguf --ids 97 >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit detokenize -m good.gguf --ids $(echo {0..255} | tr ' ' ,) >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit perplexity -m good.gguf -p xxxxx --ctx 3 >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit perplexity -m good.gguf -p xxxxx --ctx 3 --json >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit info -m good.gguf >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit info >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit --version >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit --help >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

$ trit run --help >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

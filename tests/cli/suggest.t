# What was probably meant.

$ trit run --tmep 1
! trit: unknown option '--tmep'; did you mean --temp? See trit run --help
[2]

$ trit chta
! trit: unknown command 'chta'; did you mean chat? See trit --help
[2]

$ trit tokenise
! trit: unknown command 'tokenise'; did you mean tokenize? See trit --help
[2]

$ trit run --max-token=3
! trit: unknown option '--max-token=3'; did you mean --max-tokens? See trit run --help
[2]

$ trit bench --repeats 3
! trit: unknown option '--repeats'; did you mean --repeat? See trit bench --help
[2]

$ trit --verison
! trit: unknown option '--verison'; did you mean --version? See trit --help
[2]

# Nothing near: no guess.

$ trit run --colour
! trit: unknown option '--colour'; see trit run --help
[2]

$ trit run --x
! trit: unknown option '--x'; see trit run --help
[2]

$ trit fly
! trit: unknown command 'fly'; see trit --help
[2]

# Names that bitnet.cpp and llama.cpp have for it.

$ trit run -m good.gguf -p Hi --n-predict 2 -temp 0 --ctx-size 16 -ngl 99 --no-display-prompt -q
ii
! trit: no effect here: -ngl (trit runs on the CPU only)

$ trit run -m good.gguf -p Hi -n 2 --temp 0 -q
ii

$ trit run -m good.gguf -p Hi -n 2 --temperature=0 --n-gpu-layers=3 -q --log-disable
ii
! trit: no effect here: --n-gpu-layers (trit runs on the CPU only)

$ trit run -m good.gguf -p Hi -n 2 --n-gen 3
! trit: trit run has no option '--n-gen'; see trit run --help
[2]

# Conversation has its own command.

$ trit run -m good.gguf -cnv -p "You are kind."
! trit: standard input is not a terminal; use trit run --chat for a single answer
[2]

# Every default is the library's: giving them all changes nothing.

$ trit run -m good.gguf -p Hello --seed 7 -n 30 -q | cmp - <(trit run -m good.gguf -p Hello \
>     --seed 7 -n 30 -q --repeat-penalty 1 --presence-penalty 0 --frequency-penalty 0 \
>     --repeat-last-n 64 --top-k 0 --top-p 1 --min-p 0.05 --temp 0.8)

# A value that is not there takes no option with it.

$ trit run -m good.gguf -ngl -p Hi -n 2 --temp 0 -q
ii
! trit: no effect here: -ngl (trit runs on the CPU only)

$ trit help help | head -n 1
trit: run ternary language models on this computer

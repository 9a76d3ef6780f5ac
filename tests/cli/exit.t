# Tokens may leave before the last layer, and layers be left out.

$ trit logits -m good.gguf --tokens 1,2,3 -o all.npy && trit logits -m good.gguf --tokens 1,2,3 --exit-layer 2 -o two.npy &&
>     trit logits -m good.gguf --tokens 1,2,3 --exit-layer 1 -o one.npy && trit logits -m good.gguf --tokens 1,2,3 --skip-layers 1 -o skip.npy &&
>     cmp all.npy two.npy && cmp one.npy skip.npy && ! cmp -s one.npy two.npy && echo so it is
so it is

$ trit logits -m good.gguf --tokens 1,2,3 --exit-threshold 1 -o sure.npy && cmp all.npy sure.npy && echo none left
none left

$ trit run -m good.gguf -p hi -n 4 --temp 0 --exit-layer 1 2>&1 >/dev/null | sed 's/.* threads [a-z0-9]* · //; s/seed .*/seed/'
1.0 of 2 layers per token · seed

$ trit run -m good.gguf -p hi -n 4 --temp 0 --exit-threshold 0.001 --json -q | grep -o '"mean_layers":[0-9.]*'
"mean_layers":1

# A session goes on at another depth.

$ trit run -m good.gguf -p hi -n 6 --temp 0 --exit-layer 1 --session s -q >/dev/null && trit run -m good.gguf -p 'the' -n 4 --temp 0 --session s -q >a &&
>     [ -s a ] && echo it does
it does

# What cannot be.

$ trit run -m good.gguf -p hi --exit-layer 3
! trit: the exit layer is 3; it must be 1 to 2, the number of layers
[2]

$ trit run -m good.gguf -p hi --skip-layers 2
! trit: layer 2 cannot be skipped; the model has layers 0 to 1
[2]

$ trit run -m good.gguf -p hi --skip-layers 1-
! trit: --skip-layers needs layer numbers such as 3,7-9, not '1-'
[2]

$ trit run -m good.gguf -p hi --skip-layers 1 --layer-drop 0.5
! trit: give --skip-layers or --layer-drop, not both
[2]

$ trit run -m good.gguf -p hi --exit-check 1
! trit: --exit-check requires --exit-threshold
[2]

$ trit run -m good.gguf -p hi --exit-threshold 2
! trit: --exit-threshold must be between 0 and 1, not 2
[2]

$ trit run -m good.gguf -p hi --exit-threshold 0.5 --exit-check 1,9
! trit: a layer to check is 9; it must be 1 to 2, the number of layers
[2]

$ trit logits -m good.gguf --tokens 1,2 --layer-drop 1 --seed 3 -o a.npy
! trit: skipped layers: none

# bench: a row for each number of layers.

$ trit bench -m good.gguf --exit-sweep -n 2 -r 1 -q -o csv | cut -d, -f1,5,6
layers,ppl,agreement
1,,
2,,

$ printf 'the theme %s\n' $(seq 300) >text; trit bench -m good.gguf --exit-sweep -n 2 -r 1 -q -f text --samples -o jsonl | grep -o '"agreement":1,\|"sample":"' | sort | uniq -c | sed 's/^ *//'
2 "agreement":1,
2 "sample":"

$ trit bench -m good.gguf --exit-sweep --samples
! trit: --samples requires a text; use -f FILE
[2]

$ trit bench -m good.gguf --exit-sweep --exit-layer 1
! trit: --exit-sweep measures all exits; omit --exit-layer and --exit-threshold
[2]

# trit run --prompts: an answer per line, several at a time, in the order of the file. The answers
# do not depend on the number of sequences.

$ printf '%s\n' '{"prompt": "Hello the", "max_tokens": 3, "temp": 0}' >prompts.jsonl
> printf '%s\n' '{"prompt": "the", "seed": 7, "max_tokens": 12, "top_k": 40}' '' >>prompts.jsonl
> printf '%s\n' '{"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2, "temp": 0, "stop": ["x", "y"]}' >>prompts.jsonl
> printf '%s\n' '{"prompt": "Hello", "seed": 8, "max_tokens": 5, "stop": "the"}' >>prompts.jsonl

$ trit run -m good.gguf --prompts prompts.jsonl --seed 1 -q | sed 's/,"timings".*//' >one
> for n in 2 3 9; do trit run -m good.gguf --prompts prompts.jsonl --sequences $n --seed 1 -b 2 -q | sed 's/,"timings".*//' | cmp - one; done
> wc -l <one; head -n 1 one; cut -d, -f 2- one | grep -o '"tokens.*'
4
{"text":" the the the","tokens":3,"prompt_tokens":6,"finish":"length","seed":1
"tokens":3,"prompt_tokens":6,"finish":"length","seed":1
"tokens":12,"prompt_tokens":2,"finish":"length","seed":7
"tokens":2,"prompt_tokens":5,"finish":"length","seed":1
"tokens":5,"prompt_tokens":5,"finish":"length","seed":8

$ trit run -m good.gguf -p "the" --seed 7 -n 12 --top-k 40 --json -q | sed 's/,"timings".*//' | diff - <(sed -n 2p one)

$ tail -n 1 prompts.jsonl | trit run -m good.gguf --prompts - -q | sed 's/.*"timings"://; s/,"isa".*//' | tr -d '0-9.'
{"load_ms":,"prompt_ms":,"first_token_ms":,"generate_ms":,"prompt_tps":,"generate_tps":}

# A prompt that does not fit has an error in its place.

$ printf '%s\n' '{"prompt": "Hello the the the the the"}' '{"prompt": "the", "max_tokens": 1, "seed": 1}' >long.jsonl
> trit run -m good.gguf --prompts long.jsonl --sequences 2 -c 4 -q | sed 's/,"timings".*//'; echo ${PIPESTATUS[0]}
{"error":"10 tokens do not fit: the context of 4 has room for 4"}
{"text":"he","tokens":1,"prompt_tokens":2,"finish":"length","seed":S
1

# Mistakes are found before anything is answered.

$ echo '{"prompt": "x", "temprature": 1}' | trit run -m good.gguf --prompts -
! trit: -: prompt 1: unknown name 'temprature'
[3]

$ echo '{"prompt": "x", "top_k": 0.5}' | trit run -m good.gguf --prompts -
! trit: -: prompt 1: top_k must be a whole number
[3]

$ echo '{"prompt": "x", "top_p": 2}' | trit run -m good.gguf --prompts -
! trit: top_p is 2; it must be 0 to 1
! trit: this is in -: prompt 1
[2]

$ echo '{"prompt": "x", "messages": []}' | trit run -m good.gguf --prompts -
! trit: -: prompt 1 needs either a prompt, which is a text, or messages
[3]

$ echo '{"messages": [{"role": "robot", "content": ""}]}' | trit run -m good.gguf --prompts -
! trit: -: prompt 1: turn 1 needs a role: system, user or assistant; turns are [{"role": "user", "content": "…"}, …]
[3]

$ echo '{"prompt": "x", "seed": -1}' | trit run -m good.gguf --prompts -
! trit: -: prompt 1: seed must be a whole number, 0 or more
[3]

$ echo '{"prompt": "x", "stop": [""]}' | trit run -m good.gguf --prompts -
! trit: -: prompt 1: stop must be a text or an array of texts
[3]

$ echo '[1]' | trit run -m good.gguf --prompts -
! trit: -: prompt 1 is not an object
[3]

$ echo '{"prompt": ' | trit run -m good.gguf --prompts -
! trit: -: line 2, column 1: found the end of the text, expected a value
[3]

$ trit run -m good.gguf --prompts missing.jsonl
! trit: missing.jsonl: No such file or directory
[3]

$ trit run -m good.gguf --prompts prompts.jsonl -p x
! trit: -p cannot be used with --prompts
[2]

$ trit run -m good.gguf --sequences 2 -p x
! trit: --sequences requires --prompts
[2]

# trit bench --sequences: tokens per second of all.

$ trit bench -m good.gguf -p 8 -n 4,8 --sequences 1,2,5 -r 1 -t 1 -o csv -q | cut -d, -f 10
test
"pp8"
"tg4"
"tg4 x2"
"tg4 x5"
"tg8"
"tg8 x2"
"tg8 x5"

$ trit bench -m good.gguf -p 0 -n 4 -d 16 --sequences 3 -r 1 -t 1 -o jsonl -q | grep -o '"test":"[^"]*"\|"n_sequences":[0-9]*'
"test":"tg4 x3 @ d16"
"n_sequences":3

$ trit bench -m good.gguf -p 0 -n 4 --sequences 0
! trit: --sequences must be between 1 and 256, not 0
[2]

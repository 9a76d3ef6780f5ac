# The help of every command, word for word.

$ trit --help
trit: run ternary language models on this computer
\
  trit run -m model.gguf -p "Once upon a time"
  echo "Dear diary," | trit run -m model.gguf --json
\
  trit run         continue a text
  trit chat        chat with a model
  trit logits      write the logits of every position to a .npy file
  trit info        describe a model file, or without one what this CPU can run
  trit perplexity  measure how well a model predicts a text
  trit bench       measure the speed of a model against the limits of the machine
  trit convert     convert a Hugging Face checkpoint folder to GGUF
  trit quantize    convert the weights of a GGUF to another type
  trit dummy       write a random model of a given size, for benchmarks
  trit template    show the exact prompt that a chat message becomes
  trit tokenize    convert text to token ids
  trit detokenize  convert token ids to text
  trit completion  print a shell completion script
  trit man         print the manual, for man(1)
\
  trit COMMAND --help, trit COMMAND --help-all, trit --version

$ trit run --help
trit run: continue a text
\
  trit run -m model.gguf -p "Once upon a time"
  trit run -m model.gguf -f prompt.txt -n 100 --temp 0
  echo "Dear diary," | trit run -m model.gguf --json
\
  -m, --model FILE           the model file (default: $TRIT_MODEL)
  -p, --prompt TEXT          the prompt, used verbatim
  -f, --file FILE            read the prompt from FILE; - or a pipe: standard input
      --chat                 answer the prompt as a message, in the model's chat template
  -s, --system TEXT          system message of the chat
      --template NAME|FILE   chat template: bitnet llama3 falcon3 chatml human plain (default:
                             the model's own; -v says why)
      --reasoning on|off|auto
                             whether a model that can think does: on, off, or as its template
                             has it (default: auto)
  -n, --max-tokens N         generate at most N tokens; -1: until an end token or a full context
                             (in chat with a base model: 120) (default: -1)
      --stop TEXT            stop when this text appears, and do not print it (repeatable)
      --session FILE         resume from FILE and save to it on exit (created if missing)
      --prompts FILE.jsonl   answer each line, {"prompt": "…"} or {"messages": […]}, with a
                             JSON object
      --sequences N          with --prompts: answer N of them together
      --seed N               the same seed gives the same text (default: random, and printed)
      --top-p P              keep the most likely tokens that together reach probability P; 1:
                             all (default: 1)
      --temp T               temperature; 0: always the most likely token (default: 0.8)
  -t, --threads N            number of threads (default: physical performance cores)
  -c, --ctx N                context size, in tokens (default: the model's, at most 4096)
      --exit-layer N         run N layers, then the head (default: all)
      --exit-threshold P     exit early once the next token's probability exceeds P; 0: never
                             (default: 0)
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option
\
29 more options: trit run --help-all
Options of llama.cpp, bitnet.cpp and ollama are understood, too: trit man

$ trit chat --help
trit chat: chat with a model
\
  trit chat -m model.gguf
  trit chat -m model.gguf -s "Answer in rhymes."
  trit chat -m model.gguf --session talk
\
  -m, --model FILE           the model file (default: $TRIT_MODEL)
  -s, --system TEXT          system message of the chat
      --template NAME|FILE   chat template: bitnet llama3 falcon3 chatml human plain (default:
                             the model's own; -v says why)
      --reasoning on|off|auto
                             whether a model that can think does: on, off, or as its template
                             has it (default: auto)
  -n, --max-tokens N         generate at most N tokens; -1: until an end token or a full context
                             (in chat with a base model: 120) (default: -1)
      --stop TEXT            stop when this text appears, and do not print it (repeatable)
      --session FILE         resume from FILE and save to it on exit (created if missing)
      --seed N               the same seed gives the same text (default: random, and printed)
      --top-p P              keep the most likely tokens that together reach probability P; 1:
                             all (default: 1)
      --temp T               temperature; 0: always the most likely token (default: 0.8)
  -t, --threads N            number of threads (default: physical performance cores)
  -c, --ctx N                context size, in tokens (default: the model's, at most 4096)
      --exit-layer N         run N layers, then the head (default: all)
      --exit-threshold P     exit early once the next token's probability exceeds P; 0: never
                             (default: 0)
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option
\
23 more options: trit chat --help-all
Options of llama.cpp, bitnet.cpp and ollama are understood, too: trit man

$ trit logits --help
trit logits: write the logits of every position to a .npy file
\
  trit logits -m model.gguf --tokens 1,2,3 -o out.npy
\
  -m, --model FILE           the model file (default: $TRIT_MODEL)
  -p, --prompt TEXT          the prompt, used verbatim
      --tokens 1,2,3         token ids, used verbatim (no BOS is added)
  -o, --output OUT.npy       file to write: float32 array [tokens, vocabulary]
  -t, --threads N            number of threads (default: physical performance cores)
  -c, --ctx N                context size, in tokens (default: the model's, at most 4096)
      --exit-layer N         run N layers, then the head (default: all)
      --exit-threshold P     exit early once the next token's probability exceeds P; 0: never
                             (default: 0)
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option
\
15 more options: trit logits --help-all

$ trit info --help
trit info: describe a model file, or without one what this CPU can run
\
  trit info -m model.gguf --tensors
  trit info
\
  -m, --model FILE           the model file (default: $TRIT_MODEL)
      --tensors              list the tensors
      --metadata             list the metadata
      --template             print the file's own chat template
  -t, --threads N            number of threads (default: physical performance cores)
  -c, --ctx N                context size, in tokens (default: the model's, at most 4096)
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option
\
9 more options: trit info --help-all

$ trit perplexity --help
trit perplexity: measure how well a model predicts a text
\
  trit perplexity -m model.gguf -f text.txt
  trit perplexity -m model.gguf -f text.txt --save-logits base
  trit perplexity -m other.gguf -f text.txt --kl base
\
  -m, --model FILE           the model file (default: $TRIT_MODEL)
  -p, --prompt TEXT          the prompt, used verbatim
  -f, --file FILE            read the prompt from FILE; - or a pipe: standard input
      --chunks N             score at most N windows
      --second-half          score only the second half of each window
      --save-logits FILE     save the logits of all scored positions, for --kl
      --kl FILE              measure the KL divergence from logits saved for the same text
  -t, --threads N            number of threads (default: physical performance cores)
  -c, --ctx N                window size, in tokens (default: the model's, at most 512)
      --exit-layer N         run N layers, then the head (default: all)
      --exit-threshold P     exit early once the next token's probability exceeds P; 0: never
                             (default: 0)
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option
\
15 more options: trit perplexity --help-all

$ trit bench --help
trit bench: measure the speed of a model against the limits of the machine
\
  trit bench -m model.gguf -p 512 -n 128
  trit bench -m model.gguf -t 1,2,4 -d 0,4096 -o md
  trit bench -m model.gguf --compare old.json
\
  -m, --model FILE           the model file (default: $TRIT_MODEL)
  -p, --prompt N,...         prompt lengths to evaluate (default: 512)
  -n, --gen N,...            numbers of tokens to generate (default: 128)
  -d, --depth N,...          tokens already in the context (default: 0)
      --sequences N,...      numbers of sequences to generate together; tokens/s of all
                             (default: 1)
  -t, --threads N,...        numbers of threads (default: physical performance cores)
  -r, --repeat N             measurements per row (default: 5)
  -o, --output md|csv|json|jsonl
                             output format (default: a table, row by row)
      --exit-sweep           a row for each number of layers: speed, and how well it predicts
                             the -f text
  -f, --file FILE            text for --exit-sweep
      --samples              with --exit-sweep: show how each row continues the first words of
                             the text
      --compare OLD.json     compare each row with an earlier result of -o json or -o jsonl
      --exit-layer N         run N layers, then the head (default: all)
      --exit-threshold P     exit early once the next token's probability exceeds P; 0: never
                             (default: 0)
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option
\
17 more options: trit bench --help-all

$ trit dummy --help
trit dummy: write a random model of a given size, for benchmarks
\
  trit dummy --shape 2b4t -o dummy.gguf
\
  -m, --model FILE           the model file (default: $TRIT_MODEL)
      --shape NAME           model whose sizes to use; omit it for a description of each: tiny
                             700m 2b4t 3b 8b falcon3-1b falcon3-3b falcon3-7b falcon3-10b
                             falcon-e-1b falcon-e-3b bitskip-v1 bitskip-v2 bitskip-v3
                             bitnet-8bit
  -o, --output FILE          file to write
      --type TYPE            type of the ternary weights: i2_s tq1_0 tq2_0 f16 bf16 f32
                             (default: i2_s)
      --embd TYPE            type of embedding and head: f16 bf16 f32 q8_0 q6_k q4_k q4_0
                             (default: f16)
      --seed N               the same seed writes the same file (default: 0)
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option
\
3 more options: trit dummy --help-all

$ trit convert --help
trit convert: convert a Hugging Face checkpoint folder to GGUF
\
  trit convert bitnet-b1.58-2B-4T -o model.gguf
  trit convert folder --dry-run
  trit convert --from-gguf odd.gguf --i2s-layout 64 -o model.gguf
\
  FOLDER
  -o, --output FILE          file to write
      --type TYPE            type of the ternary weights: i2_s tq1_0 tq2_0 f16 bf16 f32
                             (default: i2_s)
      --embd TYPE            type of embedding and head: f16 bf16 f32 q8_0 q6_k q4_k q4_0
                             (default: f16)
      --map FILE             tensor names, as lines SOURCE = blk.{}.attn_q.weight or SOURCE =
                             ignore
      --knob NAME=VALUE      set a property that the checkpoint omits, such as causal=false
                             (repeatable)
      --from-gguf FILE       convert a GGUF, such as one with an unusual I2_S layout, instead of
                             a folder
      --dry-run              check everything except the weights and list the output
      --force                quantize even if that ruins the model
  -t, --threads N            number of threads (default: physical performance cores)
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option
\
6 more options: trit convert --help-all

$ trit quantize --help
trit quantize: convert the weights of a GGUF to another type
\
  trit quantize model.gguf small.gguf --type tq1_0 --embd q6_k
\
  IN.gguf OUT.gguf
      --type TYPE            type of the ternary weights: i2_s tq1_0 tq2_0 f16 bf16 f32
                             (default: i2_s)
      --embd TYPE            type of embedding and head: f16 bf16 f32 q8_0 q6_k q4_k q4_0
                             (default: unchanged)
      --dry-run              check everything except the weights and list the output
      --force                quantize even if that ruins the model
  -t, --threads N            number of threads (default: physical performance cores)
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option
\
6 more options: trit quantize --help-all

$ trit tokenize --help
trit tokenize: convert text to token ids
\
  trit tokenize -m model.gguf -p "Hello" --ids
\
  -m, --model FILE           the model file (default: $TRIT_MODEL)
  -p, --prompt TEXT          the prompt, used verbatim
  -f, --file FILE            read the prompt from FILE; - or a pipe: standard input
      --ids                  print [1,2,3] instead of a line per token
      --no-bos               do not add the BOS
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option
\
7 more options: trit tokenize --help-all

$ trit detokenize --help
trit detokenize: convert token ids to text
\
  trit detokenize -m model.gguf --ids 1,2,3
\
  -m, --model FILE           the model file (default: $TRIT_MODEL)
      --ids 1,2,3            the token ids
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option
\
7 more options: trit detokenize --help-all

$ trit completion --help
trit completion: print a shell completion script
\
  trit completion bash >~/.local/share/bash-completion/completions/trit
  trit completion fish >~/.config/fish/completions/trit.fish
\
  bash|zsh|fish
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option

$ trit man --help
trit man: print the manual, for man(1)
\
  trit man | man -l -
\
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option

# And with every option.

$ trit run --help-all
trit run: continue a text
\
  trit run -m model.gguf -p "Once upon a time"
  trit run -m model.gguf -f prompt.txt -n 100 --temp 0
  echo "Dear diary," | trit run -m model.gguf --json
\
  -m, --model FILE           the model file (default: $TRIT_MODEL)
  -p, --prompt TEXT          the prompt, used verbatim
  -f, --file FILE            read the prompt from FILE; - or a pipe: standard input
      --chat                 answer the prompt as a message, in the model's chat template
  -s, --system TEXT          system message of the chat
      --template NAME|FILE   chat template: bitnet llama3 falcon3 chatml human plain (default:
                             the model's own; -v says why)
      --reasoning on|off|auto
                             whether a model that can think does: on, off, or as its template
                             has it (default: auto)
      --show-thoughts        keep thoughts in the text, where the output is no terminal
  -n, --max-tokens N         generate at most N tokens; -1: until an end token or a full context
                             (in chat with a base model: 120) (default: -1; at least -1)
      --stop TEXT            stop when this text appears, and do not print it (repeatable)
      --session FILE         resume from FILE and save to it on exit (created if missing)
      --on-full stop|shift   when the context is full: stop, or drop the oldest half and go on
                             (default: stop)
      --ignore-eos           continue after an end token
      --prompts FILE.jsonl   answer each line, {"prompt": "…"} or {"messages": […]}, with a
                             JSON object
      --sequences N          with --prompts: answer N of them together (1 to 256)
      --cnv                  same as trit chat, with -p as the system message
      --echo                 print the prompt first
      --special              parse control tokens written in the text (and show them in
                             detokenize)
      --seed N               the same seed gives the same text (default: random, and printed)
      --repeat-penalty X     penalize tokens that already occurred; 1: off (default: 1; 0.001 to
                             1000)
      --presence-penalty X   subtract X from a logit if its token occurred (default: 0; -1000 to
                             1000)
      --frequency-penalty X  subtract X from a logit each time its token occurred (default: 0;
                             -1000 to 1000)
      --repeat-last-n N      penalties consider the last N tokens; -1: all (default: 64; at
                             least -1)
      --logit-bias ID=V      add V to the logit of token ID (repeatable)
      --top-k K              keep the K most likely tokens; 0: all (default: 0; at least 0)
      --top-p P              keep the most likely tokens that together reach probability P; 1:
                             all (default: 1; 0 to 1)
      --min-p P              keep tokens at least P times as likely as the best one; 0: all
                             (default: 0.05; 0 to 1)
      --temp T               temperature; 0: always the most likely token (default: 0.8; 0 to
                             1000)
  -t, --threads N            number of threads (default: physical performance cores; 1 to 512)
  -c, --ctx N                context size, in tokens (default: the model's, at most 4096; 1 to
                             1048576)
  -b, --batch N              evaluate at most N prompt tokens at once (default: 512; 1 to 65536)
      --isa ISAS
                             instruction set to use; see trit info (default: the best for this
                             CPU)
      --walk NAME            how to read the weights for a generated token (see trit info): t0
                             t1 nta none t0x1 t0x2 t1x2 t0x8 wide apart (default: chosen by
                             measurement)
      --kv f16|f32|i8        type of the key and value cache (default: f16)
      --exit-layer N         run N layers, then the head (default: all; 1 to 1024)
      --exit-threshold P     exit early once the next token's probability exceeds P; 0: never
                             (default: 0; 0 to 1)
      --exit-min-layer N     first layer at which to check --exit-threshold (default: the
                             model's; 1 to 1024)
      --exit-check 4,8,12    layers at which to check --exit-threshold (default: every layer)
      --skip-layers 3,7-9    skip these layers, numbered from 0 as in blk.N (default: none)
      --layer-drop P         skip layer l of L with probability P*(l/L)^2; --seed makes it
                             repeatable (default: 0; 0 to 1)
      --i2s-layout 128|128row|64|4row|seq
                             order of the weights in I2_S tensors (default: 128)
      --mlock                keep the file in physical memory
      --override KEY=VALUE   use this metadata instead of the file's; may be repeated
      --override-kv KEY=TYPE:VALUE,...
                             the same, with the type int, float, bool or str
      --no-mmap              read the file instead of mapping it
      --json                 print JSON instead of text
      --stream               with --json: also print an object per token
      --logprobs N           with --json: also the N most likely tokens at each position, with
                             ln probabilities (default: 0; 0 to 100)
  -q, --quiet                print only errors on stderr
  -v, --verbose              print more on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option
\
Options of llama.cpp, bitnet.cpp and ollama are understood, too: trit man
\
Sampling applies these steps in order: penalties, --logit-bias, --top-k, --top-p, --min-p,
--temp. A step at its neutral value is off.

$ trit bench --help-all
trit bench: measure the speed of a model against the limits of the machine
\
  trit bench -m model.gguf -p 512 -n 128
  trit bench -m model.gguf -t 1,2,4 -d 0,4096 -o md
  trit bench -m model.gguf --compare old.json
\
  -m, --model FILE           the model file (default: $TRIT_MODEL)
  -p, --prompt N,...         prompt lengths to evaluate (default: 512)
  -n, --gen N,...            numbers of tokens to generate (default: 128)
  -d, --depth N,...          tokens already in the context (default: 0)
      --sequences N,...      numbers of sequences to generate together; tokens/s of all
                             (default: 1)
  -t, --threads N,...        numbers of threads (default: physical performance cores)
  -r, --repeat N             measurements per row (default: 5; 1 to 1000)
  -o, --output md|csv|json|jsonl
                             output format (default: a table, row by row)
      --exit-sweep           a row for each number of layers: speed, and how well it predicts
                             the -f text
  -f, --file FILE            text for --exit-sweep
      --samples              with --exit-sweep: show how each row continues the first words of
                             the text
      --chunks N             with --exit-sweep: use at most N windows of the text, by default 20
                             (at least 1)
      --compare OLD.json     compare each row with an earlier result of -o json or -o jsonl
      --seed N               seed for --layer-drop (default: 0)
  -c, --ctx N                context size, in tokens (default: what the rows need; 1 to 1048576)
  -b, --batch N              evaluate at most N prompt tokens at once (default: 512; 1 to 65536)
      --isa ISAS
                             instruction set to use; see trit info (default: the best for this
                             CPU)
      --walk NAME            how to read the weights for a generated token (see trit info): t0
                             t1 nta none t0x1 t0x2 t1x2 t0x8 wide apart (default: chosen by
                             measurement)
      --kv f16|f32|i8        type of the key and value cache (default: f16)
      --exit-layer N         run N layers, then the head (default: all; 1 to 1024)
      --exit-threshold P     exit early once the next token's probability exceeds P; 0: never
                             (default: 0; 0 to 1)
      --exit-min-layer N     first layer at which to check --exit-threshold (default: the
                             model's; 1 to 1024)
      --exit-check 4,8,12    layers at which to check --exit-threshold (default: every layer)
      --skip-layers 3,7-9    skip these layers, numbered from 0 as in blk.N (default: none)
      --layer-drop P         skip layer l of L with probability P*(l/L)^2; --seed makes it
                             repeatable (default: 0; 0 to 1)
      --i2s-layout 128|128row|64|4row|seq
                             order of the weights in I2_S tensors (default: 128)
      --mlock                keep the file in physical memory
      --override KEY=VALUE   use this metadata instead of the file's; may be repeated
      --override-kv KEY=TYPE:VALUE,...
                             the same, with the type int, float, bool or str
      --no-mmap              read the file instead of mapping it
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
  -v, --verbose              print more on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option

$ trit perplexity --help-all
trit perplexity: measure how well a model predicts a text
\
  trit perplexity -m model.gguf -f text.txt
  trit perplexity -m model.gguf -f text.txt --save-logits base
  trit perplexity -m other.gguf -f text.txt --kl base
\
  -m, --model FILE           the model file (default: $TRIT_MODEL)
  -p, --prompt TEXT          the prompt, used verbatim
  -f, --file FILE            read the prompt from FILE; - or a pipe: standard input
      --seed N               seed for --layer-drop (default: 0)
      --chunks N             score at most N windows (at least 1)
      --second-half          score only the second half of each window
      --save-logits FILE     save the logits of all scored positions, for --kl
      --kl FILE              measure the KL divergence from logits saved for the same text
  -t, --threads N            number of threads (default: physical performance cores; 1 to 512)
  -c, --ctx N                window size, in tokens (default: the model's, at most 512; 1 to
                             1048576)
  -b, --batch N              evaluate at most N prompt tokens at once (default: 512; 1 to 65536)
      --isa ISAS
                             instruction set to use; see trit info (default: the best for this
                             CPU)
      --walk NAME            how to read the weights for a generated token (see trit info): t0
                             t1 nta none t0x1 t0x2 t1x2 t0x8 wide apart (default: chosen by
                             measurement)
      --kv f16|f32|i8        type of the key and value cache (default: f16)
      --exit-layer N         run N layers, then the head (default: all; 1 to 1024)
      --exit-threshold P     exit early once the next token's probability exceeds P; 0: never
                             (default: 0; 0 to 1)
      --exit-min-layer N     first layer at which to check --exit-threshold (default: the
                             model's; 1 to 1024)
      --exit-check 4,8,12    layers at which to check --exit-threshold (default: every layer)
      --skip-layers 3,7-9    skip these layers, numbered from 0 as in blk.N (default: none)
      --layer-drop P         skip layer l of L with probability P*(l/L)^2; --seed makes it
                             repeatable (default: 0; 0 to 1)
      --i2s-layout 128|128row|64|4row|seq
                             order of the weights in I2_S tensors (default: 128)
      --mlock                keep the file in physical memory
      --override KEY=VALUE   use this metadata instead of the file's; may be repeated
      --override-kv KEY=TYPE:VALUE,...
                             the same, with the type int, float, bool or str
      --no-mmap              read the file instead of mapping it
      --json                 print JSON instead of text
  -q, --quiet                print only errors on stderr
  -v, --verbose              print more on stderr
      --version              show version, commit, compiler and instruction sets
  -h, --help                 show this help
      --help-all             show every option

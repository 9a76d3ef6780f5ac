# The help of every command, word for word.

$ trit --help
trit: run ternary language models on this computer
\
  trit run -m model.gguf -p "Once upon a time"
  echo "Dear diary," | trit run -m model.gguf --json
\
  trit run         continue a text
  trit chat        talk with a model
  trit logits      write the logits of every position to a .npy file
  trit info        what is in a model file; without one, what this CPU can run
  trit perplexity  how well a model predicts a text
  trit bench       how fast a model runs here, beside the limits of the machine
  trit convert     make a GGUF of a checkpoint folder as Hugging Face holds it
  trit quantize    make another GGUF of a model, its weights of another type
  trit dummy       write a model of random weights, to measure a size
  trit template    what a model sees of a chat message, to the byte
  trit tokenize    text to token ids
  trit detokenize  token ids to text
  trit completion  print what makes a shell complete trit's commands and options
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
  -m, --model FILE           the model (default: $TRIT_MODEL)
  -p, --prompt TEXT          the text, as it stands
  -f, --file FILE            read the text from a file; - or a pipe: from standard input
      --chat                 answer the text as a message, in the model's chat template
  -s, --system TEXT          the system message of the chat
      --template NAME        the chat template: bitnet llama3 falcon3 chatml human plain
                             (default: chosen by the file; -v says why)
  -n, --max-tokens N         stop after N new tokens; -1: at an end token or a full context, or
                             where chat continues a text after 120 (default: -1)
      --stop TEXT            end before this text (repeatable)
      --session FILE         go on where FILE ended, and save there in the end (made if missing)
      --seed N               the same seed gives the same text (default: random, and printed)
      --top-p P              choose among the likeliest that reach probability P; 1: all
                             (default: 1)
      --temp T               temperature; 0: always the most likely token (default: 0.8)
  -t, --threads N            threads (default: physical performance cores)
  -c, --ctx N                positions to make room for (default: the model's, at most 4096)
      --exit-layer N         tokens pass N layers, then the head (default: all)
      --exit-threshold P     leave at a layer after which the next token is likelier than P; 0:
                             never (default: 0)
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option
\
26 more: trit run --help-all

$ trit chat --help
trit chat: talk with a model
\
  trit chat -m model.gguf
  trit chat -m model.gguf -s "Answer in rhymes."
  trit chat -m model.gguf --session talk
\
  -m, --model FILE           the model (default: $TRIT_MODEL)
  -s, --system TEXT          the system message of the chat
      --template NAME        the chat template: bitnet llama3 falcon3 chatml human plain
                             (default: chosen by the file; -v says why)
  -n, --max-tokens N         stop after N new tokens; -1: at an end token or a full context, or
                             where chat continues a text after 120 (default: -1)
      --stop TEXT            end before this text (repeatable)
      --session FILE         go on where FILE ended, and save there in the end (made if missing)
      --seed N               the same seed gives the same text (default: random, and printed)
      --top-p P              choose among the likeliest that reach probability P; 1: all
                             (default: 1)
      --temp T               temperature; 0: always the most likely token (default: 0.8)
  -t, --threads N            threads (default: physical performance cores)
  -c, --ctx N                positions to make room for (default: the model's, at most 4096)
      --exit-layer N         tokens pass N layers, then the head (default: all)
      --exit-threshold P     leave at a layer after which the next token is likelier than P; 0:
                             never (default: 0)
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option
\
20 more: trit chat --help-all

$ trit logits --help
trit logits: write the logits of every position to a .npy file
\
  trit logits -m model.gguf --tokens 1,2,3 -o out.npy
\
  -m, --model FILE           the model (default: $TRIT_MODEL)
  -p, --prompt TEXT          the text, as it stands
      --tokens 1,2,3         token ids, taken as they are
  -o, --output OUT.npy       float32 array [tokens, vocabulary]
  -t, --threads N            threads (default: physical performance cores)
  -c, --ctx N                positions to make room for (default: the model's, at most 4096)
      --exit-layer N         tokens pass N layers, then the head (default: all)
      --exit-threshold P     leave at a layer after which the next token is likelier than P; 0:
                             never (default: 0)
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option
\
13 more: trit logits --help-all

$ trit info --help
trit info: what is in a model file; without one, what this CPU can run
\
  trit info -m model.gguf --tensors
  trit info
\
  -m, --model FILE           the model (default: $TRIT_MODEL)
      --tensors              list the tensors
      --metadata             list the metadata
      --template             print the chat template that the file carries
  -t, --threads N            threads (default: physical performance cores)
  -c, --ctx N                positions to make room for (default: the model's, at most 4096)
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option
\
7 more: trit info --help-all

$ trit perplexity --help
trit perplexity: how well a model predicts a text
\
  trit perplexity -m model.gguf -f text.txt
  trit perplexity -m model.gguf -f text.txt --save-logits base
  trit perplexity -m other.gguf -f text.txt --kl base
\
  -m, --model FILE           the model (default: $TRIT_MODEL)
  -p, --prompt TEXT          the text, as it stands
  -f, --file FILE            read the text from a file; - or a pipe: from standard input
      --chunks N             windows at most
      --second-half          score the second half of each window only
      --save-logits FILE     keep the logits of all scored positions, for --kl
      --kl FILE              how far this is from what --save-logits kept of the same text
  -t, --threads N            threads (default: physical performance cores)
  -c, --ctx N                positions of a window (default: the model's, at most 512)
      --exit-layer N         tokens pass N layers, then the head (default: all)
      --exit-threshold P     leave at a layer after which the next token is likelier than P; 0:
                             never (default: 0)
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option
\
13 more: trit perplexity --help-all

$ trit bench --help
trit bench: how fast a model runs here, beside the limits of the machine
\
  trit bench -m model.gguf -p 512 -n 128
  trit bench -m model.gguf -t 1,2,4 -d 0,4096 -o md
  trit bench -m model.gguf --compare old.json
\
  -m, --model FILE           the model (default: $TRIT_MODEL)
  -p, --prompt N,...         lengths of the prompts to evaluate (default: 512)
  -n, --gen N,...            tokens to generate (default: 128)
  -d, --depth N,...          tokens that are there before (default: 0)
  -t, --threads N,...        numbers of threads (default: physical performance cores)
  -r, --repeat N             times to measure each (default: 5)
  -o, --output md|csv|json|jsonl
                             form of the result, instead of a table that grows
      --exit-sweep           a row for each number of layers: speed, and how well it predicts -f
  -f, --file FILE            the text of --exit-sweep
      --samples              with --exit-sweep: how each continues the text's first words
      --compare OLD.json     set each row beside that of an earlier result, of -o json or jsonl
      --exit-layer N         tokens pass N layers, then the head (default: all)
      --exit-threshold P     leave at a layer after which the next token is likelier than P; 0:
                             never (default: 0)
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option
\
15 more: trit bench --help-all

$ trit dummy --help
trit dummy: write a model of random weights, to measure a size
\
  trit dummy --shape 2b4t -o dummy.gguf
\
  -m, --model FILE           the model (default: $TRIT_MODEL)
      --shape NAME           sizes of which model: 700m 2b4t 3b 8b falcon3-10b …; without it,
                             lists them all
  -o, --output FILE          the file to write
      --type TYPE            of the ternary weights: i2_s tq1_0 tq2_0 f16 bf16 f32 (default:
                             i2_s)
      --embd TYPE            of embedding and head: f16 f32 bf16 q8_0 q6_k q4_k q4_0 (default:
                             f16)
      --seed N               the same seed gives the same file (default: 0)
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option
\
3 more: trit dummy --help-all

$ trit convert --help
trit convert: make a GGUF of a checkpoint folder as Hugging Face holds it
\
  trit convert bitnet-b1.58-2B-4T -o model.gguf
  trit convert folder --dry-run
  trit convert --from-gguf odd.gguf --i2s-layout 64 -o model.gguf
\
  FOLDER
  -o, --output FILE          the file to write
      --type TYPE            of the ternary weights: i2_s tq1_0 tq2_0 f16 bf16 f32 (default:
                             i2_s)
      --embd TYPE            of embedding and head: f16 f32 bf16 q8_0 q6_k q4_k q4_0 (default:
                             f16)
      --map FILE             names of tensors: lines SOURCE = blk.{}.attn_q.weight, or = ignore
      --knob NAME=VALUE      what the checkpoint leaves open, such as causal=false (repeatable)
      --from-gguf FILE       from a GGUF instead of a folder, such as one with an odd I2_S
                             layout
      --dry-run              check everything but the weights, and list what would be written
      --force                quantise too what that destroys
  -t, --threads N            threads (default: physical performance cores)
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option
\
4 more: trit convert --help-all

$ trit quantize --help
trit quantize: make another GGUF of a model, its weights of another type
\
  trit quantize model.gguf small.gguf --type tq1_0 --embd q6_k
\
  IN.gguf OUT.gguf
      --type TYPE            of the ternary weights: i2_s tq1_0 tq2_0 f16 bf16 f32 (default:
                             i2_s)
      --embd TYPE            of embedding and head: f16 f32 bf16 q8_0 q6_k q4_k q4_0 (default:
                             as they are)
      --dry-run              check everything but the weights, and list what would be written
      --force                quantise too what that destroys
  -t, --threads N            threads (default: physical performance cores)
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option
\
4 more: trit quantize --help-all

$ trit tokenize --help
trit tokenize: text to token ids
\
  trit tokenize -m model.gguf -p "Hello" --ids
\
  -m, --model FILE           the model (default: $TRIT_MODEL)
  -p, --prompt TEXT          the text, as it stands
  -f, --file FILE            read the text from a file; - or a pipe: from standard input
      --ids                  print [1,2,3] instead of a line each
      --no-bos               never put the BOS first
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option
\
5 more: trit tokenize --help-all

$ trit detokenize --help
trit detokenize: token ids to text
\
  trit detokenize -m model.gguf --ids 1,2,3
\
  -m, --model FILE           the model (default: $TRIT_MODEL)
      --ids 1,2,3            the token ids
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option
\
5 more: trit detokenize --help-all

$ trit completion --help
trit completion: print what makes a shell complete trit's commands and options
\
  trit completion bash >~/.local/share/bash-completion/completions/trit
  trit completion fish >~/.config/fish/completions/trit.fish
\
  bash|zsh|fish
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option

$ trit man --help
trit man: print the manual, for man(1)
\
  trit man | man -l -
\
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option

# And with every option.

$ trit run --help-all
trit run: continue a text
\
  trit run -m model.gguf -p "Once upon a time"
  trit run -m model.gguf -f prompt.txt -n 100 --temp 0
  echo "Dear diary," | trit run -m model.gguf --json
\
  -m, --model FILE           the model (default: $TRIT_MODEL)
  -p, --prompt TEXT          the text, as it stands
  -f, --file FILE            read the text from a file; - or a pipe: from standard input
      --chat                 answer the text as a message, in the model's chat template
  -s, --system TEXT          the system message of the chat
      --template NAME        the chat template: bitnet llama3 falcon3 chatml human plain
                             (default: chosen by the file; -v says why)
  -n, --max-tokens N         stop after N new tokens; -1: at an end token or a full context, or
                             where chat continues a text after 120 (default: -1; at least -1)
      --stop TEXT            end before this text (repeatable)
      --session FILE         go on where FILE ended, and save there in the end (made if missing)
      --on-full stop|shift   when the context is full: end, or go on without the oldest half
                             (default: stop)
      --ignore-eos           go on after an end token
      --cnv                  as trit chat, with -p as the system prompt
      --echo                 print the prompt first
      --special              control tokens in the text are those tokens (and detokenize shows
                             them)
      --seed N               the same seed gives the same text (default: random, and printed)
      --repeat-penalty X     make tokens less likely that occurred; 1: not (default: 1; 0.001 to
                             1000)
      --presence-penalty X   taken from a logit if its token occurred (default: 0; -1000 to
                             1000)
      --frequency-penalty X  taken from a logit for each time its token occurred (default: 0;
                             -1000 to 1000)
      --repeat-last-n N      tokens that penalties look back on; -1: all (default: 64; at least
                             -1)
      --logit-bias ID=V      add V to the logit of token ID (repeatable)
      --top-k K              choose among the K most likely; 0: all (default: 0; at least 0)
      --top-p P              choose among the likeliest that reach probability P; 1: all
                             (default: 1; 0 to 1)
      --min-p P              choose among those with P of the best one's probability; 0: all
                             (default: 0.05; 0 to 1)
      --temp T               temperature; 0: always the most likely token (default: 0.8; 0 to
                             1000)
  -t, --threads N            threads (default: physical performance cores; 1 to 512)
  -c, --ctx N                positions to make room for (default: the model's, at most 4096; 1
                             to 1048576)
  -b, --batch N              most tokens of a prompt at once (default: 512; 1 to 65536)
      --isa scalar|avx2|avxvnni|avx512|amx|neon|dotprod|i8mm
                             instruction set to use; see trit info (default: the best of this
                             CPU)
      --walk NAME            how weights are read for a generated token; see trit info (default:
                             chosen by measurement)
      --kv f16|f32|i8        type of the cache of keys and values (default: f16)
      --exit-layer N         tokens pass N layers, then the head (default: all; 1 to 1024)
      --exit-threshold P     leave at a layer after which the next token is likelier than P; 0:
                             never (default: 0; 0 to 1)
      --exit-min-layer N     layers to pass before that is looked at (default: the model's; 1 to
                             1024)
      --exit-check 4,8,12    numbers of layers after which it is looked at (default: every
                             layer)
      --skip-layers 3,7-9    leave these layers out (numbered from 0, as blk.N) (default: none)
      --layer-drop P         leave layers out at random, the l-th of L with P*(l/L)^2 (by
                             --seed) (default: 0; 0 to 1)
      --i2s-layout 128|64|4row|seq|128row
                             how the weights of I2_S tensors lie in the file (default: 128)
      --mlock                keep the file in physical memory
      --no-mmap              read the file instead of mapping it
      --json                 JSON instead of text
      --stream               with --json: one object per token too
      --logprobs N           with --json: the N likeliest tokens at each place, with ln of their
                             probability (default: 0; 0 to 100)
  -q, --quiet                nothing on stderr but errors
  -v, --verbose              say more on stderr
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option
\
Sampling takes these steps in this order: penalties, --logit-bias, --top-k, --top-p,
--min-p, --temp. Each is off at its neutral value.

$ trit bench --help-all
trit bench: how fast a model runs here, beside the limits of the machine
\
  trit bench -m model.gguf -p 512 -n 128
  trit bench -m model.gguf -t 1,2,4 -d 0,4096 -o md
  trit bench -m model.gguf --compare old.json
\
  -m, --model FILE           the model (default: $TRIT_MODEL)
  -p, --prompt N,...         lengths of the prompts to evaluate (default: 512)
  -n, --gen N,...            tokens to generate (default: 128)
  -d, --depth N,...          tokens that are there before (default: 0)
  -t, --threads N,...        numbers of threads (default: physical performance cores)
  -r, --repeat N             times to measure each (default: 5; 1 to 1000)
  -o, --output md|csv|json|jsonl
                             form of the result, instead of a table that grows
      --exit-sweep           a row for each number of layers: speed, and how well it predicts -f
  -f, --file FILE            the text of --exit-sweep
      --samples              with --exit-sweep: how each continues the text's first words
      --chunks N             windows of the text at most; 20 unless said (at least 1)
      --compare OLD.json     set each row beside that of an earlier result, of -o json or jsonl
      --seed N               of --layer-drop (default: 0)
  -c, --ctx N                positions to make room for (default: what the tests take; 1 to
                             1048576)
  -b, --batch N              most tokens of a prompt at once (default: 512; 1 to 65536)
      --isa scalar|avx2|avxvnni|avx512|amx|neon|dotprod|i8mm
                             instruction set to use; see trit info (default: the best of this
                             CPU)
      --walk NAME            how weights are read for a generated token; see trit info (default:
                             chosen by measurement)
      --kv f16|f32|i8        type of the cache of keys and values (default: f16)
      --exit-layer N         tokens pass N layers, then the head (default: all; 1 to 1024)
      --exit-threshold P     leave at a layer after which the next token is likelier than P; 0:
                             never (default: 0; 0 to 1)
      --exit-min-layer N     layers to pass before that is looked at (default: the model's; 1 to
                             1024)
      --exit-check 4,8,12    numbers of layers after which it is looked at (default: every
                             layer)
      --skip-layers 3,7-9    leave these layers out (numbered from 0, as blk.N) (default: none)
      --layer-drop P         leave layers out at random, the l-th of L with P*(l/L)^2 (by
                             --seed) (default: 0; 0 to 1)
      --i2s-layout 128|64|4row|seq|128row
                             how the weights of I2_S tensors lie in the file (default: 128)
      --mlock                keep the file in physical memory
      --no-mmap              read the file instead of mapping it
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
  -v, --verbose              say more on stderr
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option

$ trit perplexity --help-all
trit perplexity: how well a model predicts a text
\
  trit perplexity -m model.gguf -f text.txt
  trit perplexity -m model.gguf -f text.txt --save-logits base
  trit perplexity -m other.gguf -f text.txt --kl base
\
  -m, --model FILE           the model (default: $TRIT_MODEL)
  -p, --prompt TEXT          the text, as it stands
  -f, --file FILE            read the text from a file; - or a pipe: from standard input
      --seed N               of --layer-drop (default: 0)
      --chunks N             windows at most (at least 1)
      --second-half          score the second half of each window only
      --save-logits FILE     keep the logits of all scored positions, for --kl
      --kl FILE              how far this is from what --save-logits kept of the same text
  -t, --threads N            threads (default: physical performance cores; 1 to 512)
  -c, --ctx N                positions of a window (default: the model's, at most 512; 1 to
                             1048576)
  -b, --batch N              most tokens of a prompt at once (default: 512; 1 to 65536)
      --isa scalar|avx2|avxvnni|avx512|amx|neon|dotprod|i8mm
                             instruction set to use; see trit info (default: the best of this
                             CPU)
      --walk NAME            how weights are read for a generated token; see trit info (default:
                             chosen by measurement)
      --kv f16|f32|i8        type of the cache of keys and values (default: f16)
      --exit-layer N         tokens pass N layers, then the head (default: all; 1 to 1024)
      --exit-threshold P     leave at a layer after which the next token is likelier than P; 0:
                             never (default: 0; 0 to 1)
      --exit-min-layer N     layers to pass before that is looked at (default: the model's; 1 to
                             1024)
      --exit-check 4,8,12    numbers of layers after which it is looked at (default: every
                             layer)
      --skip-layers 3,7-9    leave these layers out (numbered from 0, as blk.N) (default: none)
      --layer-drop P         leave layers out at random, the l-th of L with P*(l/L)^2 (by
                             --seed) (default: 0; 0 to 1)
      --i2s-layout 128|64|4row|seq|128row
                             how the weights of I2_S tensors lie in the file (default: 128)
      --mlock                keep the file in physical memory
      --no-mmap              read the file instead of mapping it
      --json                 JSON instead of text
  -q, --quiet                nothing on stderr but errors
  -v, --verbose              say more on stderr
      --version              name, version, commit, compiler and instruction sets built in
  -h, --help                 this
      --help-all             this, with every option

# Help and version go to stdout.

$ trit --version
trit V (COMMIT, COMPILER) isa: ISAS

$ trit --help | head -n 2
trit: run ternary language models on this computer
\

$ trit --help | grep -o '^  trit [a-z]* ' | sed 's/^  trit //' |
>     grep -wo 'run\|logits\|info\|perplexity\|bench\|dummy\|tokenize\|detokenize' | sort
bench
detokenize
dummy
info
logits
perplexity
run
tokenize

$ trit -h | cmp - <(trit --help)

$ trit run --help | head -n 3
trit run: continue a text
\
  trit run -m model.gguf -p "Once upon a time"

$ trit logits -h | head -n 3
trit logits: write the logits of every position to a .npy file
\
  trit logits -m model.gguf --tokens 1,2,3 -o out.npy

$ trit tokenize --help | head -n 3
trit tokenize: text to token ids
\
  trit tokenize -m model.gguf -p "Hello" --ids

$ trit detokenize --help | head -n 3
trit detokenize: token ids to text
\
  trit detokenize -m model.gguf --ids 1,2,3

$ trit perplexity --help | head -n 3
trit perplexity: how well a model predicts a text
\
  trit perplexity -m model.gguf -f text.txt

$ trit info --help | head -n 3
trit info: what is in a model file; without one, what this CPU can run
\
  trit info -m model.gguf --tensors

# The options of each command, but for those of all, which are in common.t.

$ for o in prompt file max-tokens temp top-k top-p min-p repeat-penalty repeat-last-n \
>     presence-penalty frequency-penalty logit-bias seed stop ignore-eos echo stream special
> do trit run --help | grep -q -- "--$o " || echo "$o is missing"; done

$ for o in prompt tokens output; do trit logits --help | grep -q -- "--$o " || echo "$o is missing"; done

$ for o in prompt file ids no-bos special
> do trit tokenize --help | grep -q -- "--$o " || echo "$o is missing"; done

$ for o in ids special; do trit detokenize --help | grep -q -- "--$o " || echo "$o is missing"; done

$ for o in file chunks second-half
> do trit perplexity --help | grep -q -- "--$o " || echo "$o is missing"; done

$ for o in tensors metadata template
> do trit info --help | grep -q -- "--$o " || echo "$o is missing"; done

# Short options.

$ trit run --help | grep -o '^  -[mpfntcbqvh], --[a-z-]*'
  -m, --model
  -p, --prompt
  -f, --file
  -n, --max-tokens
  -t, --threads
  -c, --ctx
  -b, --batch
  -q, --quiet
  -v, --verbose
  -h, --help

# Help asks for nothing else to be right.

$ trit run -m missing.gguf --help | head -n 1
trit run: continue a text

# Options that all commands take. What is nothing to a command it ignores.

$ for o in '-t 1' '--threads 1' '-c 2' '--ctx 2' '-b 4' '--batch 4' '--isa scalar' '--kv f32' \
>     '--no-mmap' '-q' '--quiet' '-v' '--verbose' '--json'
> do
>     trit run -m good.gguf -p x -n 1 $o >/dev/null 2>&1 || echo "run $o"
>     trit logits -m good.gguf --tokens 1 -o out.npy $o >/dev/null 2>&1 || echo "logits $o"
>     trit tokenize -m good.gguf -p x $o >/dev/null 2>&1 || echo "tokenize $o"
>     trit template -m good.gguf -p x $o >/dev/null 2>&1 || echo "template $o"
>     trit detokenize -m good.gguf --ids 120 $o >/dev/null 2>&1 || echo "detokenize $o"
>     trit perplexity -m good.gguf -p xxxx --ctx 2 $o >/dev/null 2>&1 || echo "perplexity $o"
>     trit info -m good.gguf $o >/dev/null 2>&1 || echo "info $o"
> done

$ says() { trit $1 --help-all | grep -q -- "[ ]$2[ ,]" || echo "$1 --help-all does not say $2"; }
> for c in run logits template tokenize detokenize perplexity info bench dummy; do
>     for o in -m --model --no-mmap --json -q --quiet -v --verbose -h --help; do says $c $o; done
> done
> for c in run logits perplexity info bench; do
>     for o in -t --threads -c --ctx -b --batch --isa --kv; do says $c $o; done
> done

# The tokenizer's output is the same by all of them, but for --json.

$ trit tokenize -m good.gguf -p x -t 1 -c 2 -b 4 --isa scalar --kv f32 --no-mmap -q -v
120	"x"

$ trit detokenize -m good.gguf --ids 120,10 -t 1 -c 2 -b 4 --isa scalar --kv f32 --no-mmap -q -v
x

# Where an option is given twice the last one counts.

$ trit tokenize -m missing.gguf -p x -p y -m good.gguf
121	"y"

# A TRIT_MODEL that is empty is none.

$ TRIT_MODEL= trit run -p x
! trit: no model given; use -m FILE, or set TRIT_MODEL
[2]

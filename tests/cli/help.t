# Help and version go to stdout.

$ trit --version
trit V (COMMIT, COMPILER) isa: ISAS

$ trit --help | head -n 2
trit: run ternary language models on this computer
\

$ trit -h | cmp - <(trit --help)

# What is asked for in other words is the same.

$ trit help run | cmp - <(trit run --help)

$ trit --help run | cmp - <(trit run --help)

$ trit help | cmp - <(trit --help)

# Short options.

$ trit run --help-all | grep -o '^  -[mpfntcbqvh], --[a-z-]*'
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

# trit tokenize prints a token a line: its id, a tab, and its text as a JSON string.

$ trit tokenize -m good.gguf -p 'Hello the "t"'
72	"H"
101	"e"
108	"l"
108	"l"
111	"o"
258	" the"
32	" "
34	"\""
116	"t"
34	"\""

# --ids: one list. --json: both.

$ trit tokenize -m good.gguf -p 'Hello the "t"' --ids
[72,101,108,108,111,258,32,34,116,34]

$ trit tokenize -m good.gguf -p 'Hello the "t"' --json
{"ids":[72,101,108,108,111,258,32,34,116,34],"pieces":["H","e","l","l","o"," the"," ","\"","t","\""]}

# Text comes from -p, -f, "-" or standard input, and is taken verbatim.

$ printf ' \\n\n' >text

$ trit tokenize -m good.gguf -p ' \n' --ids
[32,92,110]

$ trit tokenize -m good.gguf -f text --ids
[32,92,110,10]

$ trit tokenize -m good.gguf --file=text --ids
[32,92,110,10]

$ trit tokenize -m good.gguf - --ids <text
[32,92,110,10]

$ trit tokenize -m good.gguf -f - --ids <text
[32,92,110,10]

$ TRIT_MODEL=good.gguf trit tokenize --ids <text
[32,92,110,10]

# Nothing is no token.

$ trit tokenize -m good.gguf -p '' --ids
[]

$ trit tokenize -m good.gguf -p ''

$ trit tokenize -m good.gguf -p '' --json
{"ids":[],"pieces":[]}

# The names of control tokens are text, unless --special.

$ trit tokenize -m good.gguf -p 'a<|299|>' --ids
[97,60,124,50,57,57,124,62]

$ trit tokenize -m good.gguf -p 'a<|299|>' --special
97	"a"
299	"<|299|>"

# BOS where the model wants one, unless --no-bos.

$ trit tokenize -m bos.gguf -p Hi
299	"<|299|>"
72	"H"
105	"i"

$ trit tokenize -m bos.gguf -p Hi --ids
[299,72,105]

$ trit tokenize -m bos.gguf -p Hi --ids --no-bos
[72,105]

$ trit tokenize -m good.gguf -p Hi --ids --no-bos
[72,105]

$ trit tokenize -m bos.gguf -p '' --ids
\[299]

# Where the vocabulary is byte-level any bytes will do, and come back.

$ printf 'a\000\377\303\251b' | trit tokenize -m good.gguf
97	"a"
0	"\u0000"
255	"\ufffd"
195	"\ufffd"
169	"\ufffd"
98	"b"

$ printf 'a\000\377\303\251b' | trit tokenize -m good.gguf --ids
[97,0,255,195,169,98]

$ trit detokenize -m good.gguf --ids 97,0,255,195,169,98 | hex
61 00 ff c3 a9 62

$ trit detokenize -m good.gguf --ids "$(printf '%b' "$(printf '\\%03o' {0..255})" |
>     trit tokenize -m good.gguf --ids | tr -d '[]')" | cksum
> printf '%b' "$(printf '\\%03o' {0..255})" | cksum
1313719201 256
1313719201 256

# A vocabulary is all it takes: neither tensors nor an architecture that can run.

$ trit tokenize -m vocab_only.gguf -p 'Hello the' --ids
[72,101,108,108,111,258]

$ trit tokenize -m unknown_arch.gguf -p 'Hello the' --ids
[72,101,108,108,111,258]

$ trit tokenize -m unknown_type.gguf -p 'Hello the' --ids --no-mmap
[72,101,108,108,111,258]

# SentencePiece: a BOS unless the file says no, a space before the text, and the best score first
# (here "_a" before "ab"). User-defined tokens are always found; what has no token is its bytes.

$ trit tokenize -m spm.gguf -p 'ab'
1	"<s>"
7	" ab"

$ trit tokenize -m spm.gguf -p 'aab b'
1	"<s>"
8	" a"
6	"ab"
3	" "
5	"b"

$ trit tokenize -m spm.gguf -p 'a[tool]a' --no-bos
8	" a"
9	"[tool]"
8	" a"

$ trit tokenize -m spm.gguf -p 'é' --no-bos
3	" "
205	"\ufffd"
179	"\ufffd"

$ trit tokenize -m spm.gguf -p '<s>' --ids
[1,3,70,125,72]

$ trit tokenize -m spm.gguf -p '<s>a</s>' --ids --special
[1,8,2]

# This vocabulary lacks a byte.

$ printf '\377' | trit tokenize -m spm.gguf
! trit: the vocabulary has no token for byte 0xff
[1]

# Errors.

$ trit tokenize -m good.gguf -p a -f text
! trit: give only one prompt: -p, -f or -
[2]

$ trit tokenize -m good.gguf -f missing
! trit: missing: No such file or directory
[3]

$ trit tokenize -p a
! trit: no model given; use -m FILE, or set TRIT_MODEL
[2]

$ trit tokenize -m missing.gguf -p a
! trit: missing.gguf: No such file or directory
[3]

$ trit tokenize -m truncated.gguf -p a
! trit: truncated.gguf ends early: tensor 'blk.0.attn_output.weight' needs 16416 bytes at 191072 of 201664
[3]

$ trit tokenize -m evil_names.gguf -p a
! trit: evil_names.gguf: metadata 'tokenizer.ggml.model' is missing
[3]

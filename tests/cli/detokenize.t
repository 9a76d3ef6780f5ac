# trit detokenize writes the bytes of tokens and nothing more, not even a newline.

$ trit detokenize -m good.gguf --ids 72,101,108,108,111,258
Hello the
\ no newline

$ trit detokenize -m good.gguf --ids 72 | hex
48

$ trit detokenize -m good.gguf --ids=97,10
a

# Tokens need not be characters.

$ trit detokenize -m good.gguf --ids 255,0,195 | hex
ff 00 c3

# Control tokens give nothing, with --special their names.

$ trit detokenize -m good.gguf --ids 299 | hex

$ trit detokenize -m good.gguf --ids 97,299,98,259
ab
\ no newline

$ trit detokenize -m good.gguf --ids 97,299,98,259 --special
a<|299|>b<|259|>
\ no newline

# A vocabulary is all it takes.

$ trit detokenize -m vocab_only.gguf --ids 72,105,10
Hi

$ trit detokenize -m unknown_arch.gguf --ids 72,105,10
Hi

$ TRIT_MODEL=vocab_only.gguf trit detokenize --ids 72,105,10 -q --no-mmap
Hi

# SentencePiece: the mark in a token is a space, byte tokens are bytes.

$ trit detokenize -m spm.gguf --ids 1,7,3,6,9,205,179,2,20
 ab ab[tool]é

$ trit detokenize -m spm.gguf --ids 1,7,3,6,9,205,179,2,20 --special
<s> ab ab[tool]é</s>

# There and back.

$ t='Hello the  <|299|> é'; trit detokenize -m good.gguf \
>     --ids "$(trit tokenize -m good.gguf -p "$t" --ids | tr -d '[]')"; echo
Hello the  <|299|> é

# Errors. Nothing is written where one id is wrong.

$ trit detokenize -m good.gguf
! trit: no ids given; use --ids 1,2,3
[2]

$ trit detokenize -m good.gguf --ids 97,300
! trit: token 300 is out of range; the vocabulary has 300 tokens
[2]

$ trit detokenize -m spm.gguf --ids 265
! trit: token 265 is out of range; the vocabulary has 265 tokens
[2]

$ for t in '' , 1, ,1 1,,2 a -1 1.5 99999999999 '[1' '1]' '[1]2' '[]'; do
>     trit detokenize -m good.gguf --ids "$t"; echo "exit code $?"
> done 2>&1
trit: --ids needs token ids such as 1,2,3, not ''
exit code 2
trit: --ids needs token ids such as 1,2,3, not ','
exit code 2
trit: --ids needs token ids such as 1,2,3, not ''
exit code 2
trit: --ids needs token ids such as 1,2,3, not ',1'
exit code 2
trit: --ids needs token ids such as 1,2,3, not ',2'
exit code 2
trit: --ids needs token ids such as 1,2,3, not 'a'
exit code 2
trit: --ids needs token ids such as 1,2,3, not '-1'
exit code 2
trit: --ids needs token ids such as 1,2,3, not '1.5'
exit code 2
trit: --ids needs token ids such as 1,2,3, not '99999999999'
exit code 2
trit: --ids needs token ids such as 1,2,3, not '1'
exit code 2
trit: --ids needs token ids such as 1,2,3, not '1]'
exit code 2
trit: --ids needs token ids such as 1,2,3, not '1]2'
exit code 2
trit: --ids needs token ids such as 1,2,3, not ']'
exit code 2

$ trit detokenize -m missing.gguf --ids 1
! trit: missing.gguf: No such file or directory
[3]

$ trit detokenize --ids 1
! trit: no model given; use -m FILE, or set TRIT_MODEL
[2]

# What tokenize prints goes back.

$ trit detokenize -m good.gguf --ids "$(trit tokenize -m good.gguf -p 'Hello the' --ids)"
Hello the
\ no newline

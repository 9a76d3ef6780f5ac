# trit logits writes the logits of every position as a NumPy array of float32, one row a token.
# The numbers are the same on every machine, to the last bit.

$ trit logits -m good.gguf --tokens 1,2,3 -o out.npy

$ head -c 8 out.npy | hex; head -c 128 out.npy | tail -c 118 | sed 's/ *$/|/'
93 4e 55 4d 50 59 01 00
{'descr': '<f4', 'fortran_order': False, 'shape': (3, 300), }|

$ cksum <out.npy
3755477202 3728

$ tail -c +129 out.npy | head -c 16 | hex
08 71 89 40 49 00 89 42 b4 99 17 3f da 17 8e be

$ trit logits --model good.gguf --tokens=1,2,3 --output=again.npy && cmp out.npy again.npy

$ TRIT_MODEL=good.gguf trit logits --tokens 1,2,3 -o again.npy && cmp out.npy again.npy

# Neither threads nor batches nor the way the file is read change them, nor does what comes later.

$ for o in '-t 1' '-t 3' '-b 1' '-b 2' '-c 3' '--no-mmap' '--isa scalar' '--kv f32' '-q'; do
>     trit logits -m good.gguf --tokens 1,2,3 -o again.npy $o; cmp out.npy again.npy
> done

$ trit logits -m good.gguf --tokens 1,2 -o less.npy; cmp <(tail -c +129 less.npy) \
>     <(tail -c +129 out.npy | head -c 2400) && echo the same
the same

# A cache of other types rounds.

$ for kv in f16 i8; do
>     trit logits -m good.gguf --tokens 1,2,3 -o again.npy --kv $kv; cksum <again.npy
> done
624072622 3728
1568923827 3728

# A text instead of tokens: "Hi" is 72,105.

$ trit logits -m good.gguf -p Hi -o text.npy; trit logits -m good.gguf --tokens 72,105 -o ids.npy
> cmp text.npy ids.npy && echo the same
the same

# A text has a BOS before it where the model wants one; tokens are taken as they are.

$ trit logits -m bos.gguf -p Hi -o text.npy; trit logits -m bos.gguf --tokens 299,72,105 -o ids.npy
> cmp text.npy ids.npy && echo the same
the same

$ trit logits -m bos.gguf --tokens 72,105 -o ids.npy; head -c 128 ids.npy | tail -c 118 |
>     grep -o "'shape': ([^)]*)"
'shape': (2, 300)

# The first and the last token, and a full context.

$ trit logits -m good.gguf --tokens 0,299 -o out.npy; cksum <out.npy
199603962 2528

$ trit logits -m good.gguf --tokens $(echo {0..255} | tr ' ' ,) -o out.npy; cksum <out.npy
136949847 307328

# It may go into a pipe.

$ trit logits -m good.gguf --tokens 1,2,3 -o /dev/stdout | cksum
3755477202 3728

# What does not work leaves no file behind, and one that was there as it was.

$ cp out.npy old.npy; trit logits -m good.gguf --tokens 300 -o old.npy; cmp out.npy old.npy; ls old*
old.npy
! trit: token 300 (index 0) is out of range; the vocabulary has 300 tokens

$ trit logits -m good.gguf --tokens 1,2,3,300 -o bad.npy
! trit: token 300 (index 3) is out of range; the vocabulary has 300 tokens
[2]

$ trit logits -m non_finite.gguf --tokens 1,2,3 -o bad.npy
! trit: the model produced a non-finite value in layer 0
[1]

$ trit logits -m good.gguf --tokens $(echo {0..256} | tr ' ' ,) -o bad.npy
! trit: the prompt has 257 tokens; the context has room for 256 (see -c)
[2]

$ trit logits -m good.gguf --tokens 1,2,3 -c 2 -o bad.npy
! trit: the prompt has 3 tokens; the context has room for 2 (see -c)
[2]

$ [ -e bad.npy ] || echo none
none

# Usage.

$ trit logits -m good.gguf --tokens 1,2,3
! trit: no output given; use -o OUT.npy
[2]

$ trit logits -m good.gguf -o out.npy
! trit: give either --tokens or -p
[2]

$ trit logits -m good.gguf --tokens 1 -p a -o out.npy
! trit: give either --tokens or -p
[2]

$ trit logits -m good.gguf -p '' -o out.npy
! trit: the prompt is empty
[2]

$ for t in '' , 1, ,1 1,,2 a 1,b '1;2' -1 1.5 99999999999; do
>     trit logits -m good.gguf --tokens "$t" -o out.npy; echo "exit code $?"
> done 2>&1
trit: --tokens needs token ids such as 1,2,3, not ''
exit code 2
trit: --tokens needs token ids such as 1,2,3, not ','
exit code 2
trit: --tokens needs token ids such as 1,2,3, not ''
exit code 2
trit: --tokens needs token ids such as 1,2,3, not ',1'
exit code 2
trit: --tokens needs token ids such as 1,2,3, not ',2'
exit code 2
trit: --tokens needs token ids such as 1,2,3, not 'a'
exit code 2
trit: --tokens needs token ids such as 1,2,3, not 'b'
exit code 2
trit: --tokens needs token ids such as 1,2,3, not '1;2'
exit code 2
trit: --tokens needs token ids such as 1,2,3, not '-1'
exit code 2
trit: --tokens needs token ids such as 1,2,3, not '1.5'
exit code 2
trit: --tokens needs token ids such as 1,2,3, not '99999999999'
exit code 2

$ trit logits -m good.gguf --tokens 1 -o nowhere/out.npy
! trit: cannot write to nowhere/out.npy: No such file or directory
[1]

$ trit logits --tokens 1 -o out.npy
! trit: no model given; use -m FILE, or set TRIT_MODEL
[2]

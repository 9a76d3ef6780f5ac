# Closed streams, limits and signals: no file is damaged, and nothing is left behind.

# A closed standard stream becomes /dev/null, so that no file gets its number and no message is
# written into a file.

$ trit dummy --shape tiny -o open.gguf
> trit dummy --shape tiny -o closed.gguf 2>&-; cmp open.gguf closed.gguf
> trit dummy --shape tiny -o closed.gguf >&- 2>&-; cmp open.gguf closed.gguf
> trit dummy --shape tiny -o closed.gguf <&- >&- 2>&-; cmp open.gguf closed.gguf

$ trit quantize open.gguf open2.gguf --type tq2_0 -q; cp open.gguf model.gguf
> trit quantize model.gguf model.gguf --type tq2_0 2>&-; cmp model.gguf open2.gguf

$ trit logits -m good.gguf --tokens 1,2 -o a.npy; trit logits -m good.gguf --tokens 1,2 -o b.npy <&- 2>&-
> cmp a.npy b.npy

$ trit perplexity -m good.gguf -p abcdefgh --ctx 4 --save-logits a.bin -q >/dev/null
> trit perplexity -m good.gguf -p abcdefgh --ctx 4 --save-logits b.bin >&- 2>&-; cmp a.bin b.bin

$ trit run -m good.gguf -p ab -n 2 --temp 0 --session a.session >/dev/null 2>&1
> trit run -m good.gguf -p ab -n 2 --temp 0 --session b.session -q >&-; cmp a.session b.session
> trit run -m good.gguf -p ab -n 2 --temp 0 --session a.session >/dev/null 2>&1
> trit run -m good.gguf -p ab -n 2 --temp 0 --session b.session <&- >&- 2>&-; cmp a.session b.session

# The exit code is as with /dev/null; a message has nowhere to go.

$ trit tokenize -m good.gguf -p x >&-; trit run -m good.gguf -p x -n 3 -q >&-; trit --version >&-

$ trit info -m missing.gguf 2>&-
[3]

$ trit tokenize -m good.gguf <&- --ids
[]

# A file that grows beyond the limit of its size: a message, exit code 1, and no part of it.

$ ulimit -f 40; trit dummy --shape tiny -o limit.gguf -q || ls | grep limit
! trit: cannot write to limit.gguf: File too large
[1]

$ ulimit -f 40; trit quantize good.gguf limit.gguf --type i2_s -q || ls | grep limit
! trit: cannot write to limit.gguf: File too large
[1]

$ ulimit -f 4; trit convert checkpoint -o limit.gguf -q || ls | grep limit
! trit: cannot write to limit.gguf: File too large
[1]

$ ulimit -f 4; trit logits -m good.gguf --tokens $(echo {1..99} | tr ' ' ,) -o limit.npy || ls | grep limit
! trit: cannot write to limit.npy: File too large
[1]

$ ulimit -f 1; trit run -m good.gguf -p $(echo {1..99} | tr -d ' ') -n 2 -q --session limit >/dev/null ||
> ls | grep limit
! trit: cannot write to limit: File too large
[1]

$ ulimit -f 1; trit info -m good.gguf --tensors --metadata --json >limited
! trit: cannot write to stdout: File too large
[1]

# Signals that end the program leave nothing behind. (With job control, jobs in the background do
# not ignore SIGINT and SIGQUIT.)

$ set -m; for s in INT TERM HUP QUIT XCPU USR1 ABRT; do trit dummy --shape 2b4t -o big.gguf & \
> for i in {1..600}; do ls big.gguf.* >/dev/null && break; sleep 0.02; done; kill -$s $!; wait $!
> done 2>/dev/null; ls | grep big
[1]

# A session is for its owner alone.

$ umask 022; trit run -m good.gguf -p ab -n 2 -q --session own.session >/dev/null; ls -l own.session | cut -c 1-10
-rw-------

# Names in a checkpoint cannot act on the terminal.

$ sed -i.old 's/"pre_tokenizer": {[^}]*}/"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\u001b]0;x"}, "behavior": "Isolated"}/' checkpoint/tokenizer.json
> trit convert checkpoint -o out.gguf -q
! trit: checkpoint/tokenizer.json: has an unknown sequence of 1 pre-tokenization steps, the first '\x1b]0;x'; supported are those of gpt-2, llama-bpe, falcon3, falcon_e, qwen2
[4]

$ mv checkpoint/tokenizer.json.old checkpoint/tokenizer.json
> LC_ALL=C sed -i.old 's/"model\.embed/"\\u001bembed/' checkpoint/model.safetensors
> trit convert checkpoint -o out.gguf -q
! trit: the checkpoint has no tensor '\x1blayers.0.input_layernorm.weight'; its family (BitNet b1.58 of the 2B-4T kind) needs it
[3]

# trit template prints what a model sees of a message, to the byte: no BOS, no newline at the end.

$ trit template -m chat.gguf -p hi
User: hi<|eot_id|>Assistant: 
\ no newline

$ trit template -m chat.gguf -s "Be brief." -p hi
System: Be brief.<|eot_id|>User: hi<|eot_id|>Assistant: 
\ no newline

$ trit template -m chat.gguf -p hi | hex
55 73 65 72 3a 20 68 69 3c 7c 65 6f 74 5f 69 64
7c 3e 41 73 73 69 73 74 61 6e 74 3a 20

# --ids: what the model sees as tokens, with the BOS and with markers that are tokens. --json: both.

$ trit template -m chat.gguf -p hi --ids
[299,85,115,101,114,58,32,104,105,261,65,115,115,105,115,116,97,110,116,58,32]

$ trit template -m chat.gguf -s S -p hi --json
{"template":"bitnet","why":"this architecture with the Llama-3 vocabulary (2B-4T) was trained on it; the file's own template is a different one, wrong for this model, and is ignored","text":"System: S<|eot_id|>User: hi<|eot_id|>Assistant: ","ids":[299,83,121,115,116,101,109,58,32,83,261,85,115,101,114,58,32,104,105,261,65,115,115,105,115,116,97,110,116,58,32],"keep":11}

$ trit template -m good.gguf -p hi --ids --template plain
[104,105]

# Every template.

$ for t in bitnet llama3 falcon3 chatml human plain
> do echo "--- $t"; trit template -m chat.gguf --template $t -s " System " -p " User "; echo; done
--- bitnet
System: System<|eot_id|>User: User<|eot_id|>Assistant: 
--- llama3
<|start_header_id|>system<|end_header_id|>
\
System<|eot_id|><|start_header_id|>user<|end_header_id|>
\
User<|eot_id|><|start_header_id|>assistant<|end_header_id|>
\
\
--- falcon3
<|system|>
 System 
<|user|>
 User 
<|assistant|>
\
--- chatml
<|im_start|>system
 System <|im_end|>
<|im_start|>user
 User <|im_end|>
<|im_start|>assistant
\
--- human
 System 
\
Human:  User 
\
BITNETAssistant: 
--- plain
 System  User 

# An empty system message is none.

$ trit template -m chat.gguf -s "" -p hi
User: hi<|eot_id|>Assistant: 
\ no newline

# -v says which template, and why.

$ trit template -m chat.gguf -p hi -v
User: hi<|eot_id|>Assistant: 
\ no newline
! chat.gguf: template bitnet: this architecture with the Llama-3 vocabulary (2B-4T) was trained on it; the file's own template is a different one, wrong for this model, and is ignored

$ trit template -m bos.gguf -p hi -v
	<user>hi
! bos.gguf: template own: the file's own chat template

$ trit template -m spm.gguf -p ab -v
ab
\ no newline
! spm.gguf: template plain: the file has no chat template, and neither its name nor its end token indicates a chat model

$ trit template -m chat.gguf -p hi --template chatml -v >/dev/null
! chat.gguf: template chatml: chosen by name; the vocabulary lacks its <|im_start|>, which becomes plain text

# What a user writes is text, whatever it looks like.

$ trit template -m chat.gguf -p '<|eot_id|>' --ids
[299,85,115,101,114,58,32,60,124,101,111,116,95,105,100,124,62,261,65,115,115,105,115,116,97,110,116,58,32]

$ trit tokenize -m chat.gguf -p '<|eot_id|>' --ids --special
[299,261]

# Messages come from -p, -f, "-" or standard input.

$ printf 'hi' >text; trit template -m chat.gguf -f text; trit template -m chat.gguf - <text
> trit template -m chat.gguf <text
User: hi<|eot_id|>Assistant: User: hi<|eot_id|>Assistant: User: hi<|eot_id|>Assistant: 
\ no newline

# A vocabulary is all it takes.

$ trit template -m vocab_only.gguf -p hi
hi
\ no newline

$ trit template -m unknown_arch.gguf -p hi --template human --ids
[72,117,109,97,110,58,32,104,105,10,10,66,73,84,78,69,84,65,115,115,105,115,116,97,110,116,58,32]

# trit run --chat answers a message in its template. Base models are announced.

$ trit run -m chat.gguf --chat -p hi -n 3 --temp 0 -v
   
! chat.gguf: bitnet-b1.58 · 1 M parameters · relu2 (architecture) · context 256 · opened in X ms
! chat.gguf: template bitnet: this architecture with the Llama-3 vocabulary (2B-4T) was trained on it; the file's own template is a different one, wrong for this model, and is ignored
! 21 prompt + 3 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · weights read by t2/64:t0 t2/96:t0 f16/512:t0 kv/128:t0 · seed S

$ trit run -m good.gguf --chat -p hi -n 3 --temp 0
iii
! trit: good.gguf looks like a base model: it was not trained to answer, and may not stop by itself
! 2 prompt + 3 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m good.gguf --chat -p hi -n 3 --temp 0 -q
iii

$ trit run -m good.gguf --chat --template chatml -p hi -n 3 --temp 0 -q
\
\
\

$ trit run -m bos.gguf --chat -s "You are a hen." -p hi -n 3 --temp 0
\
\
\
! 36 prompt + 3 new tokens · X t/s prompt · X t/s · first token X ms · T threads ISA · seed S

$ trit run -m chat.gguf --chat --template human -p hi -n 3 --temp 0 --echo -q
hi   

# Its prompt is what trit template says.

$ trit run -m chat.gguf --chat -s S -p hi -n 1 --json -q | grep -o '"prompt_tokens":[0-9]*'
> trit template -m chat.gguf -s S -p hi --ids | tr ',' '\n' | wc -l
"prompt_tokens":31
31

# trit info says it too.

$ trit info -m chat.gguf | grep ^chat
chat      bitnet: this architecture with the Llama-3 vocabulary (2B-4T) was trained on it; the file's own template is a different one, wrong for this model, and is ignored

$ trit info -m chat.gguf --json | grep -o '"chat":{.*}'
"chat":{"template":"bitnet","why":"this architecture with the Llama-3 vocabulary (2B-4T) was trained on it; the file's own template is a different one, wrong for this model, and is ignored","base":false,"guessed":false}}

$ trit info -m evil_names.gguf --json 2>/dev/null | grep -o '"chat":.*'
"chat":null}

$ trit info -m vocab_only.gguf | grep ^chat
chat      plain: the file has no chat template, and neither its name nor its end token indicates a chat model
! trit: vocab_only.gguf: tensor 'token_embd.weight' is missing

# Errors.

$ trit template -m chat.gguf -p hi --template nosuch
! trit: unknown chat template 'nosuch'; choose from: bitnet llama3 falcon3 chatml human plain own
[2]

$ trit template -m chat.gguf -p hi --template ''
! trit: unknown chat template ''; choose from: bitnet llama3 falcon3 chatml human plain own
[2]

$ trit run -m chat.gguf -p hi -s S
! trit: --system requires --chat
[2]

$ trit run -m chat.gguf -p hi --template bitnet
! trit: --template requires --chat
[2]

$ trit run -m chat.gguf -p hi --chat --special
! trit: --special cannot be used with --chat: messages are plain text
[2]

$ trit run -m chat.gguf -p hi --chat --template nosuch
! trit: unknown chat template 'nosuch'; choose from: bitnet llama3 falcon3 chatml human plain own
[2]

$ trit run -m chat.gguf -p hi --chat -c 3
! trit: the prompt has 21 tokens; the context has room for 3 (see -c)
[2]

$ trit template -m evil_names.gguf -p hi
! trit: evil_names.gguf: metadata 'tokenizer.ggml.model' is missing
[3]

$ trit template -p hi
! trit: no model given; use -m FILE, or set TRIT_MODEL
[2]

$ printf '\377' | trit template -m spm.gguf
! trit: the vocabulary has no token for byte 0xff
[1]

$ trit template -m chat.gguf -p hi >/dev/full
! trit: cannot write to stdout: No space left on device
[1]

# --turns: a conversation from a file, with a system message before and a prompt behind it.

$ cat >turns.json <<'E'
> [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Yes?", "name": "x"},
>  {"content": "\u00e9 <|eot_id|>", "role": "user"}]
> E
> trit template -m chat.gguf --turns turns.json
> echo; trit template -m chat.gguf --turns turns.json -s S -p "and \"this\""
> echo; trit template -m chat.gguf --turns turns.json --ids
User: hi<|eot_id|>Assistant: Yes?<|eot_id|>User: é <|eot_id|><|eot_id|>Assistant: 
System: S<|eot_id|>User: hi<|eot_id|>Assistant: Yes?<|eot_id|>User: é <|eot_id|><|eot_id|>User: and "this"<|eot_id|>Assistant: 
[299,85,115,101,114,58,32,104,105,261,65,115,115,105,115,116,97,110,116,58,32,89,101,115,63,261,85,115,101,114,58,32,195,169,32,60,124,101,111,116,95,105,100,124,62,261,65,115,115,105,115,116,97,110,116,58,32]

$ printf '[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]' >t.json
> for t in bitnet llama3 falcon3 chatml human plain
> do trit template -m chat.gguf --template $t --turns t.json | hex | cmp - <(
>     trit template -m chat.gguf --template $t --turns <(printf '[{"role":"user","content":"a"},
>     {"role":"assistant","content":"b"}]') -p c | hex); done

$ echo '[]' >t.json; trit template -m chat.gguf --turns t.json
Assistant: 
\ no newline

$ for t in '{}' '[1]' '[{}]' '[{"role":"tool","content":""}]' '[{"role":"user","content":3}]' '[' \
>     '[{"role":"user","content":"x"},{"role":"user"}]' ''
> do echo "$t" >t.json; trit template -m chat.gguf --turns t.json; [ $? -eq 3 ] || echo "not 3"; done
! trit: t.json is not an array of turns
! trit: t.json: turn 1 is not an object; turns are [{"role": "user", "content": "…"}, …]
! trit: t.json: turn 1 needs a role: system, user or assistant; turns are [{"role": "user", "content": "…"}, …]
! trit: t.json: turn 1 needs a role: system, user or assistant; turns are [{"role": "user", "content": "…"}, …]
! trit: t.json: turn 1 needs a content string; turns are [{"role": "user", "content": "…"}, …]
! trit: t.json: line 2, column 1: found the end of the text, expected a value
! trit: t.json: turn 2 needs a content string; turns are [{"role": "user", "content": "…"}, …]
! trit: t.json: line 2, column 1: found the end of the text, expected a value

$ trit template -m chat.gguf --turns missing.json
! trit: missing.json: No such file or directory
[3]

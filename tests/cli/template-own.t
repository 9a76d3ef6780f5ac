# Templates of a file, and what a template may ask for.

$ printf '{%% for m in messages %%}\n[{{ m.role }}: {{ m.content | trim }}]\n{%% endfor %%}\nanswer: ' >t.jinja
$ trit template -m good.gguf --template t.jinja -s Brief -p ' hi '
[system: Brief]
[user: hi]
answer: 
\ no newline

# What a template cannot do has a place.

$ printf 'a\n{{ messages | nosuch }}' >bad.jinja; trit template -m good.gguf --template bad.jinja -p hi
! trit: chat template given: line 2, column 15: there is no filter 'nosuch'
[3]

$ printf '{%% if messages %%}' >open.jinja; trit template -m good.gguf --template open.jinja -p hi
! trit: the chat template (given) cannot be used: line 1, column 18: found the end of the template, expected elif or else or endif; choose another one with --template
[3]

$ printf '{{ raise_exception("only users") }}' >no.jinja; trit run --chat -m good.gguf --template no.jinja -p hi
! trit: good.gguf looks like a base model: it was not trained to answer, and may not stop by itself
! trit: chat template given: line 1, column 21: the template says: only users
[3]

$ trit template -m good.gguf --template nosuch.jinja -p hi
! trit: unknown chat template 'nosuch.jinja'; choose from: bitnet llama3 falcon3 chatml human plain
[2]

# Thoughts that a template begins are kept out of the text.

$ printf '{{ messages[0].content }}{%% if enable_thinking is not defined or enable_thinking %%}<think>\n{%% endif %%}' >think.jinja
$ answer() { trit run --chat -m good.gguf --template think.jinja -p hi -q -n 3 --temp 0 --logit-bias 120=9999 "$@"; }
> answer; answer --show-thoughts; answer --reasoning off
> answer --json | grep -o '"text":.*"tokens"'; answer --json --reasoning off | grep -o '"text":.*"tokens"'
\
xxx
xxx
"text":"","reasoning_content":"xxx","tokens"
"text":"xxx","tokens"

$ trit run --chat -m good.gguf --template t.jinja --reasoning on -p hi -n 1 --temp 0 --logit-bias 120=9999 2>&1 | grep reasoning
trit: --reasoning on has no effect: the template given does not know enable_thinking

$ trit run --chat -m good.gguf --reasoning maybe -p hi
! trit: --reasoning must be on, off or auto, not 'maybe'
[2]

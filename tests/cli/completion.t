# Completion and the manual are made from the table that --help-all prints, and need no model.

$ trit completion
! trit: trit completion needs a shell: bash, zsh or fish
[2]

$ trit completion tcsh
! trit: no completion for 'tcsh'; choose bash, zsh or fish
[2]

$ trit completion bash extra
! trit: unexpected argument 'extra' (give the model with -m)
[2]

# The options of each command are the same in all of them.

$ for c in $(trit --help | sed -n 's/^  trit \([a-z]*\) .*/\1/p' | grep -v -x run | sort -u) run
> do
>     trit $c --help-all | grep -o '^  \(-., \|    \)--[a-z0-9-]*' | grep -o -- '--.*' | sort >help
>     trit completion bash | grep "^ *$c) words=" | grep -o -- '--[a-z0-9-]*' | sort | cmp help
>     trit completion zsh | awk -v c="$c" '$0 == "    " c ")" { on = 1 } /;;/ { on = 0 } on' |
>         sed -n "s/^ *'\(([^)]*)'{-.,\|[*]*\)\(--[a-z0-9-]*\).*/\2/p" | sort | cmp help
>     trit completion fish | grep "__trit_command $c' -l" | sed "s/.* -l \([a-z0-9-]*\).*/--\1/" |
>         sort | cmp help
>     [ -s help ] || echo "$c has no options"
> done

$ man=$(trit man | sed 's/\\-/-/g')
> for o in $(for c in run bench dummy info perplexity logits template tokenize detokenize; do
>     trit $c --help-all; done | grep -o '^  \(-., \|    \)--[a-z0-9-]*' | grep -o -- '--.*' | sort -u)
> do grep -q -- "^.B \(-., \)*$o\( \|$\)" <<<"$man" || echo "$o is not in the manual"; done

# bash does it.

$ . <(trit completion bash)
> try() { COMP_WORDS=(trit "$@"); COMP_CWORD=$#; _trit; echo "${COMPREPLY[@]}"; }
> try ru; try ben; try run --temp; try run --kv ''; try run --kv f1; try bench -o j
> try completion ''; try run --isa avx5; try run -n ''; try info --te; try help tok
> try run --kv =; try run --kv = f3
run
bench
--template --temp
f16 f32 i8
f16
json jsonl
bash zsh fish --version --help --help-all
avx512
\
--tensors --template
tokenize
f16 f32 i8
f32

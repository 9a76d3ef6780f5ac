# An instruction set that this processor lacks: exit code 4.
# requires: case $(uname -m) in x86_64 | amd64) ;; *) exit 1 ;; esac

$ trit run -m good.gguf -p x --isa neon
! trit: this build has no 'neon' kernels
[4]

$ trit logits -m good.gguf --tokens 1 -o out.npy --isa i8mm
! trit: this build has no 'i8mm' kernels
[4]

$ trit perplexity -m good.gguf -p "Hello the" --ctx 2 --isa dotprod
! trit: this build has no 'dotprod' kernels
[4]

$ trit info --isa neon
! trit: this build does not have the 'neon' kernels
[4]

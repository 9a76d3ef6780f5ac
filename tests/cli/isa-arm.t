# An instruction set that this processor lacks: exit code 4.
# requires: case $(uname -m) in aarch64 | arm64) ;; *) exit 1 ;; esac

$ trit run -m good.gguf -p x --isa avx2
! trit: this build has no 'avx2' kernels
[4]

$ trit logits -m good.gguf --tokens 1 -o out.npy --isa avx512
! trit: this build has no 'avx512' kernels
[4]

$ trit perplexity -m good.gguf -p "Hello the" --ctx 2 --isa amx
! trit: this build has no 'amx' kernels
[4]

$ trit info --isa amx
! trit: this build has no 'amx' kernels
[4]

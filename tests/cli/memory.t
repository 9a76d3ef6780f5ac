# Exit code 5: out of memory. The limit is such that the program starts, but no large context fits;
# builds with sanitizers do not start within it.
# requires: [ "$(uname -s)" = Linux ] && ulimit -v 400000 && trit info -m good.gguf

$ ulimit -v 400000; trit run -m good.gguf -p x -n 3 --temp 0 -q -t 1
xxx

$ ulimit -v 400000; trit run -m good.gguf -p x -t 1 -c 1048576
! trit: out of memory: X MiB for the context (use a smaller -c)
[5]

$ ulimit -v 400000; trit logits -m good.gguf --tokens 1 -o out.npy -t 1 -c 1048576
! trit: out of memory: X MiB for the context (use a smaller -c)
[5]

$ [ -e out.npy ] || echo none
none

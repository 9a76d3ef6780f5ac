# A quota of CPU time, as containers have it, under a real cgroup of version 1 or 2.
# requires: d=$(mktemp -d /sys/fs/cgroup/cpu/trit-XXXXXX || mktemp -d /sys/fs/cgroup/trit-XXXXXX) && { [ -w "$d/cpu.cfs_quota_us" ] || [ -w "$d/cpu.max" ]; }; ok=$?; rmdir "$d"; [ $ok = 0 ]

$ cat >quota <<'END'
> # quota MICROSECONDS COMMAND...: in a cgroup of its own that has so much of each 100 ms
> d=$(mktemp -d /sys/fs/cgroup/cpu/trit-XXXXXX 2>/dev/null || mktemp -d /sys/fs/cgroup/trit-XXXXXX)
> if [ -e "$d/cpu.max" ]; then echo "$1 100000" >"$d/cpu.max"; else echo "$1" >"$d/cpu.cfs_quota_us"; fi
> shift
> (echo $BASHPID >"$d/cgroup.procs" && "$@")
> rmdir "$d"
> END
> bash quota 150000 trit info --json | grep -oE '"threads":[0-9]+|"cpu_limit":[0-9.]+'
> bash quota 50000 trit info --json | grep -oE '"threads":[0-9]+|"cpu_limit":[0-9.]+'
"threads":1
"cpu_limit":1.5
"threads":1
"cpu_limit":0.5

# More is obeyed, and said; -q says nothing.

$ bash quota 150000 trit logits -m good.gguf --tokens 1 -o out.npy -t 3 2>&1 | sed 's/but .* allows/but FILE allows/'
> bash quota 150000 trit logits -m good.gguf --tokens 1 -o out.npy -t 1
> bash quota 150000 trit logits -m good.gguf --tokens 1 -o out.npy -t 3 -q
trit: 3 threads, but FILE allows only 1.5 CPUs: all threads will be throttled

#!/bin/sh
# check_layers_test.sh [CC] - breaks each rule of check_layers.sh once, in a small tree of its own,
# and checks which offence is reported.
set -u
check=$(cd "$(dirname "$0")" && pwd)/check_layers.sh
cc=${1:-cc}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
tree=$work/tree
n_failed=0 n=0

# A tree without offences. Each rule gets a new one, because offences would add up.
new_tree() {
    rm -rf "$tree"
    mkdir -p "$tree/include" "$tree/kernels" "$tree/src/base" "$tree/src/file" "$tree/tools/term" \
        "$tree/tools/commands" "$tree/tests/run" "$tree/tests/support"
    cd "$tree" || exit 2
    echo 'int trit(void);' >include/trit.h
    echo '#include <stdio.h>' >src/base/low.h
    printf '#include "low.h"\n#include "trit.h"\n' >src/base/low.c
    printf '#include "low.h"\n/* printf( */ // exit(1)\nchar a[] = "abort()\\"", c = %s;\n' "'\"'" \
        >src/file/high.c
    echo '#include "trit.h"' >tools/term/screen.h
    echo '#include "screen.h"' >tools/commands/bench.c
    echo 'int f(void);' >kernels/kernels.h
    echo '#include "low.h"' >tests/run/test_low.c
    touch CMakeLists.txt
}

# expect WORDS [BUILD]: the tree has one offence, and its description contains these words.
expect() {
    n=$((n + 1))
    sh "$check" "$tree" ${2:+"$2"} >"$work/said" 2>&1
    status=$?
    if [ $status = 1 ] && grep -qF -- "$1" "$work/said" && [ "$(wc -l <"$work/said")" = 2 ]; then
        return
    fi
    n_failed=$((n_failed + 1))
    echo "expected one offence, '$1'; check_layers.sh ended with $status and said:"
    cat "$work/said"
}

# offence FILE TEXT WORDS: in a good tree, appending TEXT to FILE makes one offence. TEXT is a format
# of printf.
offence() {
    new_tree
    mkdir -p "$(dirname "$1")"
    # shellcheck disable=SC2059
    printf "$2" 0 >>"$1"
    expect "$3"
}

new_tree
sh "$check" "$tree" >"$work/said" 2>&1 || { cat "$work/said"; n_failed=1; }
mkdir "$work/empty"
sh "$check" "$work/empty" 2>/dev/null
[ $? = 2 ] || { echo 'a folder without a tree: not 2'; n_failed=1; }

# ---- Includes ----

offence src/file/x.c '#include "screen.h"\n' \
    'src/file/x.c:1: includes tools/term/screen.h, which is not below src/file'
new_tree
touch src/file/high.h
printf '\n  #  include <high.h>\n' >>src/base/low.h
expect 'src/base/low.h:3: includes src/file/high.h, which is not below src/base'
offence kernels/x.inc '#include "low.h"\n' 'kernels/x.inc:1: includes src/base/low.h'
offence tools/term/x.c '#include "low.h"\n' 'includes src/base/low.h, which is not below tools/'
offence src/file/x.c '#include "../base/low.h"\n' 'paths with .. are not allowed'
offence tests/run/x.c '#include "nothing.h"\n' 'includes nothing.h, which is not in the tree'
offence src/new/x.c '#include "trit.h"\n' 'has no row for src/new'
new_tree
touch tools/commands/bench.h
echo '#include "bench.h"' >tools/term/keys.c
expect 'includes tools/commands/bench.h, which is not below tools/term'
new_tree
touch tests/run/suite.h
echo '#include "suite.h"' >tests/support/x.c
expect 'includes tests/run/suite.h, which is not below tests/support'

# ---- Circles ----

new_tree
echo '#include "b.h"' >src/base/a.c
echo '#include "a.h"' >src/base/b.c
echo '#include "a.h"' >src/base/user.c
touch src/base/a.h src/base/b.h
expect 'circular includes: src/base/a -> src/base/b -> src/base/a'
new_tree
echo '#include "b.h"' >tests/run/a.h
echo '#include "c.h"' >tests/run/b.h
echo '#include "a.h"' >tests/run/c.h
expect 'tests/run/c.h:1: circular includes: tests/run/a -> tests/run/b -> tests/run/c -> tests/'

# ---- Names ----

offence tests/run/low.h '' 'tests/run/low.h:1: has the same name as src/base/low.h'
offence tools/commands/low.c '' 'tools/commands/low.c:1: has the same name as src/base/low.c'
new_tree
touch kernels/lanes.inc tests/run/lanes.inc
expect 'has the same name as kernels/lanes.inc'

# ---- Code ----

offence src/file/x.c '#if defined(__AVX2__)\n' 'src/file/x.c:1: a condition on the architecture'
offence tools/term/x.c '# ifdef __aarch64__\n' 'a condition on the architecture'
offence src/file/x.c 'f(); printf ("");\n' 'must not print'
offence kernels/x.inc 'void f(void) { exit(1); }\n' 'must not end the program'
offence src/base/x.c 'char *p = getenv("X");\n' 'must not read the environment'
offence src/base/x.c 'f(stderr);\n' 'must not use a standard stream'
offence kernels/x.c 'p = malloc(1);\n' 'must not allocate memory'
offence kernels/x.c 'pthread_t t;\n' 'must not use threads'
offence src/base/x.c '/* exit(1)\nexit(1) */ exit(1); // exit(1)\n' 'src/base/x.c:2: the library must not end'

# ---- Text ----

offence tests/run/x.c '\tint x;\n' 'tests/run/x.c:1: contains a tab'
offence src/base/x.c 'int x; \n' 'has trailing blanks'
offence src/base/x.c 'int x;\r\n' 'contains a carriage return'
offence tests/run/x.c '/* TO''DO */\n' 'contains a to-do note'
offence tests/support/x.h '/* %097d */\n' 'is longer than 100 columns'
offence CMakeLists.txt '# %099d\n' 'CMakeLists.txt:1: is longer than 100 columns'
offence src/base/x.c 'int x;\nint y;' 'src/base/x.c:2: has no newline at the end'
new_tree
printf '/* %s */\n' "$(printf '%094d' 0 | sed 's/0/ö/g')" >src/base/x.c # 100 columns, 194 bytes
sh "$check" "$tree" >"$work/said" || { cat "$work/said"; n_failed=$((n_failed + 1)); }

# ---- The top ----

if command -v git >/dev/null; then
    new_tree
    git init -q . && touch junk && git add -A
    expect 'junk: does not belong at the top'
fi

# ---- The public header ----

new_tree
awk 'BEGIN { for (i = 0; i < 71; i++) print "TRIT_API int f" i "(void);" }' >>include/trit.h
expect 'include/trit.h: declares 71 functions, more than 70'
sed -i.old 1,2d include/trit.h && rm include/trit.h.old # 70 are left
sh "$check" "$tree" >"$work/said" || { cat "$work/said"; n_failed=$((n_failed + 1)); }

# ---- Symbols ----

# build_of CODE: a build folder whose library and whose kernels/one.c.o are compiled from CODE.
build_of() {
    new_tree
    echo 'void trit_kernels_init_one(void);' >>kernels/kernels.h
    build=$work/build
    rm -rf "$build"
    mkdir -p "$build/trit_kernels.dir/kernels"
    echo "$1" >"$work/one.c"
    "$cc" -c "$work/one.c" -o "$build/trit_kernels.dir/kernels/one.c.o" &&
        ar rc "$build/libtrit.a" "$build/trit_kernels.dir/kernels/one.c.o"
}

if command -v "$cc" >/dev/null && command -v ar >/dev/null && command -v nm >/dev/null; then
    build_of 'void trit_kernels_init_one(void) {}'
    sh "$check" "$tree" "$build" >"$work/said" || { cat "$work/said"; n_failed=$((n_failed + 1)); }
    build_of 'void trit_kernels_init_one(void) {} void trit_more(void) {}'
    expect 'not only trit_kernels_init_one' "$build"
    rm "$build/libtrit.a" "$build/trit_kernels.dir/kernels/one.c.o"
    expect 'contains no libtrit.a' "$build"
    build_of 'void trit_kernels_init_one(void) {}'
    echo 'int other;' >"$work/two.c"
    "$cc" -c "$work/two.c" -o "$work/two.o" && ar r "$build/libtrit.a" "$work/two.o"
    expect 'libtrit.a: exports other' "$build"
fi

echo "check_layers_test: $n trees with an offence, $n_failed failures"
[ "$n_failed" = 0 ]

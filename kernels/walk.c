/* walk.c - the ways in which a lone token may read its weights. A new one is a row here, and where
 * its order is new a loop in the kernels.
 *
 * t0 is the default, as it is good everywhere: on AMD Zen 4 it reads rows of 640 bytes at the speed
 * of memory, on Intel Emerald Rapids (8 KB ahead) every row. It is not the best everywhere. What a
 * tile reads and asks for must stay in the first-level cache until it is used, beside the
 * activations. On Zen 4 (32 KB) rows of 1.7 KB want tiles of two rows, those of 3.5 KB the
 * second-level cache (t1x2, twice as fast), and an F16 head's rows of 5 KB four long streams
 * (apart, 1.5 times as fast). Values and keys of a long context are best asked for by t1 there. */
#include "kernels.h"

#include <string.h>

enum {
    T2 = TRIT_WALK_T2,
    FLOAT = TRIT_WALK_FLOAT,
    BOTH = T2 | FLOAT,
    ALL = BOTH | TRIT_WALK_KV,
    KB = 1024
};

/* clang-format off */
const struct trit_walk trit_walks[] = {
    {"t0",    TRIT_ORDER_TILES, 4, TRIT_HINT_T0,    4 * KB, ALL,  true,  0,
     "four rows at a time, later ones asked into all caches"},
    {"t1",    TRIT_ORDER_TILES, 4, TRIT_HINT_T1,   16 * KB, ALL,  true,  0,
     "… into the second-level cache"},
    {"nta",   TRIT_ORDER_TILES, 4, TRIT_HINT_NTA,   4 * KB, ALL,  true,  0,
     "… as used only once"},
    {"none",  TRIT_ORDER_TILES, 4, TRIT_HINT_NONE,       0, ALL,  false, 0,
     "… not asked for"},
    {"t0x1",  TRIT_ORDER_TILES, 1, TRIT_HINT_T0,    4 * KB, T2,   false, 0,
     "one row at a time"},
    {"t0x2",  TRIT_ORDER_TILES, 2, TRIT_HINT_T0,    4 * KB, T2,   true,  0,
     "two"},
    {"t1x2",  TRIT_ORDER_TILES, 2, TRIT_HINT_T1,   16 * KB, T2,   true,  0,
     "… into the second-level cache"},
    {"t0x8",  TRIT_ORDER_TILES, 8, TRIT_HINT_T0,    4 * KB, BOTH, false, 0,
     "eight"},
    {"wide",  TRIT_ORDER_WIDE,  4, TRIT_HINT_T0,    4 * KB, T2,   true,  TRIT_CPU_AVX512,
     "four, through 512-bit registers"},
    {"apart", TRIT_ORDER_APART, 4, TRIT_HINT_NONE,       0, FLOAT, true,  0,
     "four rows far apart, not asked for; not of ternary weights"},
    {0},
};
/* clang-format on */

const struct trit_walk *trit_walk_find(const char *name)
{
    for (const struct trit_walk *walk = trit_walks; walk->name; walk++)
        if (strcmp(walk->name, name) == 0)
            return walk;
    return NULL;
}

/* walk.c - the ways in which a single token may read its weights. A new way needs a row here and,
 * if its order is new, a loop in the kernels.
 *
 * t0 is the default because it is good everywhere: on AMD Zen 4 it reads rows of 640 bytes at
 * memory speed, on Intel Emerald Rapids (8 KB ahead) all rows. It is not always the best. The bytes
 * that a tile reads and prefetches must stay in the L1 cache until they are used, together with the
 * activations. On Zen 4 (32 KB) rows of 1.7 KB are fastest in tiles of two rows, those of 3.5 KB
 * through the L2 cache (t1x2, twice as fast), and an F16 head's rows of 5 KB as four long streams
 * (apart, 1.5 times as fast). There, t1 is the best hint for keys and values of a long context. */
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
     "four rows at a time, later ones prefetched into all caches"},
    {"t1",    TRIT_ORDER_TILES, 4, TRIT_HINT_T1,   16 * KB, ALL,  true,  0,
     "… into the second-level cache"},
    {"nta",   TRIT_ORDER_TILES, 4, TRIT_HINT_NTA,   4 * KB, ALL,  true,  0,
     "… as data that is used only once"},
    {"none",  TRIT_ORDER_TILES, 4, TRIT_HINT_NONE,       0, ALL,  false, 0,
     "… not prefetched"},
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
     "four rows far apart, not prefetched; not for ternary weights"},
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

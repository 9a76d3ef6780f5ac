/* check_rope.c - rotary positions: rope. */
#include "harness.h"

static void check_rope(int style)
{
    for (size_t n = 2; n <= 256; n += 2)
        for (int kind = 0; kind < N_FILLS; kind++) {
            begin("n_rot %zu, %s", n, fill_names[kind]);
            const float *before = input_floats(n, (enum fill)kind);
            const float *cosines = input_floats(n / 2, below(4) ? UNIFORM : ZEROS);
            const float *sines = input_floats(n / 2, UNIFORM);
            const struct output x = output(n * sizeof *before, sizeof *before);
            preload(&x, before);
            for (int side = 0; side < 2; side++)
                enter(side)->rope[style](floats(&x, side), cosines, sines, n);
            compare(&x, "x", FLOATS);
        }
}

static const struct check checks[] = {
    {"rope_half", check_rope, TRIT_ROPE_HALF},
    {"rope_pairs", check_rope, TRIT_ROPE_PAIRS},
};

const struct family rope_family = {checks, LENGTH(checks), NULL, 0};

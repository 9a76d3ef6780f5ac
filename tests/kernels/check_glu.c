/* check_glu.c - the gates of the FFN: glu. */
#include "harness.h"

#include <float.h>
#include <math.h>

/* Half of them are from a list: zeros, the ends of the range of exp, the points where squares and
 * exp overflow. */
static void fill_glu(float *x, size_t n)
{
    static const float special[] = {0.0f,    -0.0f,    1e30f,  -1e30f,   88.0f,     -88.0f,
                                    88.5f,   -88.5f,   87.0f,  -87.0f,   87.5f,     -87.5f,
                                    100.0f,  -100.0f,  1e-40f, -1e-40f,  1e-30f,    -1e-30f,
                                    FLT_MAX, -FLT_MAX, 2e19f,  INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < n; i++)
        switch (below(4)) {
        case 0:
        case 1:
            x[i] = special[below(LENGTH(special))];
            break;
        case 2:
            x[i] = uniform() * 100.0f;
            break;
        default:
            x[i] = uniform() * 4.0f;
            break;
        }
}

enum { APART, IN_GATE, IN_UP, N_PLACES };

static void glu_case(int act, size_t n, int place)
{
    static const char *const places[N_PLACES] = {"apart", "y = gate", "y = up"};
    begin("n %zu, %s", n, places[place]);
    float *gate = input(n * sizeof *gate, sizeof *gate), *up = input(n * sizeof *up, sizeof *up);
    const struct output y = output(n * sizeof *gate, sizeof *gate);
    fill_glu(gate, n);
    if (below(2))
        fill_floats(up, n, UNIFORM);
    else
        fill_glu(up, n);
    if (place != APART)
        preload(&y, place == IN_GATE ? gate : up);
    for (int side = 0; side < 2; side++) {
        float *p = floats(&y, side);
        enter(side)->glu[act](p, place == IN_GATE ? p : gate, place == IN_UP ? p : up, n);
    }
    compare(&y, "y", FLOATS);
}

static void check_glu(int act)
{
    for (size_t n = 1; n <= 70; n++)
        for (int i = 0; i < 4 * N_PLACES; i++)
            glu_case(act, n, i % N_PLACES);
    for (int place = 0; place < N_PLACES; place++) {
        glu_case(act, 864, place);
        glu_case(act, 6911, place);
    }
}

static const struct check checks[] = {
    {"glu_silu", check_glu, TRIT_ACT_SILU},
    {"glu_relu2", check_glu, TRIT_ACT_RELU2},
};

const struct family glu_family = {checks, LENGTH(checks), NULL, 0};

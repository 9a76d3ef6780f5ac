/* fmath.c - see fmath.h. Every function reduces its argument to a small interval, where a Taylor
 * series of fixed length has double precision. */
#include "fmath.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static double pow2(int n) /* 2^n, n in -1022..1023 */
{
    const uint64_t u = (uint64_t)(n + 1023) << 52;
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* ln 2 and pi/2 in pieces; the first ones are short enough that their product with n is exact. */
static const double ln2_hi = 0x1.62e42feep-1, ln2_lo = 0x1.a39ef35793c76p-33;
static const double pio2_1 = 0x1.921fb4p+0, pio2_2 = 0x1.4442dp-24, pio2_3 = 0x1.8469898cc5170p-48;

double trit_exp(double x)
{
    assert(fabs(x) <= 700);
    const double n = rint(x * 1.4426950408889634);
    const double r = (x - n * ln2_hi) - n * ln2_lo; /* |r| <= 0.347 */
    double p = 1;
    for (int k = 14; k >= 1; k--) /* 1 + r/1*(1 + r/2*(1 + …)) */
        p = 1 + r / k * p;
    return p * pow2((int)n);
}

double trit_log(double x)
{
    int e;
    assert(x > 0);
    double m = frexp(x, &e); /* in [0.5, 1) */
    if (m < 0.70710678118654752) {
        m *= 2;
        e--;
    }
    const double s = (m - 1) / (m + 1), s2 = s * s; /* |s| <= 0.172; log m = 2 atanh s */
    double p = 0;
    for (int k = 23; k >= 3; k -= 2)
        p = s2 * (p + 1.0 / k);
    return e * ln2_hi + (e * ln2_lo + 2 * (s + s * p));
}

/* sin and cos of r in [-pi/4, pi/4]: alternating series, evaluated from the last term. */
static double sin_series(double r)
{
    const double r2 = r * r;
    double p = 1;
    for (int k = 18; k >= 2; k -= 2)
        p = 1 - r2 * (1.0 / (k * (k + 1))) * p;
    return r * p;
}

static double cos_series(double r)
{
    const double r2 = r * r;
    double p = 1;
    for (int k = 19; k >= 1; k -= 2)
        p = 1 - r2 * (1.0 / (k * (k + 1))) * p;
    return p;
}

/* sin(x + quarter*pi/2) */
static double sin_shifted(double x, int quarter)
{
    assert(fabs(x) <= 0x1p30);
    const double n = rint(x * 0.63661977236758134);
    const double r = ((x - n * pio2_1) - n * pio2_2) - n * pio2_3;
    switch (((int)((int64_t)n & 3) + quarter) & 3) {
    case 0:
        return sin_series(r);
    case 1:
        return cos_series(r);
    case 2:
        return -sin_series(r);
    default:
        return -cos_series(r);
    }
}

double trit_sin(double x)
{
    return sin_shifted(x, 0);
}

double trit_cos(double x)
{
    return sin_shifted(x, 1);
}

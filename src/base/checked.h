/* checked.h - size arithmetic with overflow checks, on numbers from a file or a caller. */
#ifndef TRIT_BASE_CHECKED_H
#define TRIT_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

/* *out = a*b or a+b; false, and *out unchanged, if the result does not fit. */
static inline bool trit_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    if (b && a > UINT64_MAX / b)
        return false;
    *out = a * b;
    return true;
}

static inline bool trit_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    if (a > UINT64_MAX - b)
        return false;
    *out = a + b;
    return true;
}

/* n rounded up to a multiple of `to`, a power of two; n + to must not overflow. */
static inline uint64_t trit_round_up(uint64_t n, uint64_t to)
{
    return (n + to - 1) & ~(to - 1);
}

#endif

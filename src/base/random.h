/* random.h - random bits from a seed, the same on every machine. */
#ifndef TRIT_BASE_RANDOM_H
#define TRIT_BASE_RANDOM_H

#include <stdint.h>

/* splitmix64 (Vigna): the next 64 bits; any state is a seed. */
static inline uint64_t trit_random_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

#endif

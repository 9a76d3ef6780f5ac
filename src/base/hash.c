/* hash.c - see hash.h. The algorithm is that of the xxHash specification, 0.1.1. */
#include "hash.h"

enum { STRIPE = 32 };

#define P1 0x9E3779B185EBCA87u
#define P2 0xC2B2AE3D27D4EB4Fu
#define P3 0x165667B19E3779F9u
#define P4 0x85EBCA77C2B2AE63u
#define P5 0x27D4EB2F165667C5u

static uint64_t rotate(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static uint64_t hash_step(uint64_t lane, uint64_t x)
{
    return rotate(lane + x * P2, 31) * P1;
}

static uint64_t hash_merge(uint64_t value, uint64_t lane)
{
    return (value ^ hash_step(0, lane)) * P1 + P4;
}

static void add_stripe(struct trit_hash *h, const uint8_t *p)
{
    for (int i = 0; i < 4; i++)
        h->lane[i] = hash_step(h->lane[i], trit_load_u64(p + 8 * i));
}

void trit_hash_init(struct trit_hash *h)
{
    *h = (struct trit_hash){.lane = {P1 + P2, P2, 0, -P1}};
}

void trit_hash_add(struct trit_hash *h, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    const size_t at = (size_t)(h->n % STRIPE);

    h->n += n;
    if (n < STRIPE - at) {
        if (n)
            memcpy(h->rest + at, p, n);
        return;
    }
    if (at) {
        memcpy(h->rest + at, p, STRIPE - at);
        add_stripe(h, h->rest);
        p += STRIPE - at;
        n -= STRIPE - at;
    }
    for (; n >= STRIPE; n -= STRIPE, p += STRIPE)
        add_stripe(h, p);
    memcpy(h->rest, p, n);
}

uint64_t trit_hash_value(const struct trit_hash *h)
{
    const uint8_t *p = h->rest, *end = p + h->n % STRIPE;
    uint64_t x = P5;

    if (h->n >= STRIPE) {
        x = rotate(h->lane[0], 1) + rotate(h->lane[1], 7) + rotate(h->lane[2], 12) +
            rotate(h->lane[3], 18);
        for (int i = 0; i < 4; i++)
            x = hash_merge(x, h->lane[i]);
    }
    x += h->n;
    for (; end - p >= 8; p += 8)
        x = rotate(x ^ hash_step(0, trit_load_u64(p)), 27) * P1 + P4;
    if (end - p >= 4) {
        uint32_t u;
        memcpy(&u, p, sizeof u);
        x = rotate(x ^ u * P1, 23) * P2 + P3;
        p += 4;
    }
    for (; p < end; p++)
        x = rotate(x ^ *p * P5, 11) * P1;
    x = (x ^ x >> 33) * P2;
    x = (x ^ x >> 29) * P3;
    return x ^ x >> 32;
}

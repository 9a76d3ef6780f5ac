/* hash.h - a 64-bit checksum at memory speed: XXH64 with seed 0. It detects damage, not forgery. */
#ifndef TRIT_BASE_HASH_H
#define TRIT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Eight bytes as a number, little-endian. */
static inline uint64_t trit_load_u64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* The state after the bytes so far. */
struct trit_hash {
    uint64_t lane[4];
    uint64_t n;       /* bytes added */
    uint8_t rest[32]; /* n % 32 that do not fill a stripe yet */
};

void trit_hash_init(struct trit_hash *h);

/* Add n bytes. How the bytes are split into calls does not matter. */
void trit_hash_add(struct trit_hash *h, const void *bytes, size_t n);

/* The checksum of all bytes so far; more may follow. */
uint64_t trit_hash_value(const struct trit_hash *h);

#endif

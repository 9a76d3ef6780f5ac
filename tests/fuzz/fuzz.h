/* fuzz.h - the parts of every fuzz target. */
#ifndef TRIT_TESTS_FUZZ_H
#define TRIT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The target: one input of len bytes, any at all. Returns 0; a fault ends the program. It is called
 * many times in a process, so it frees what it takes and keeps nothing between calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A promise of the library. NDEBUG does not turn it off, as it would an assert. */
#define FUZZ_CHECK(x)                                                                              \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #x);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif

/* harness.h - shared by the checks of all kernels: random and extreme inputs, guarded memory, the
 * comparison of two sides, and the rows that a family of kernels gives to check_kernels.
 *
 * A check calls the scalar kernel (side 0) and the one under test (side 1) on the same inputs:
 *
 *     begin("n %zu", n);                                  the text of a failure
 *     const float *x = input_floats(n, UNIFORM);
 *     const struct output y = output(n * sizeof *x, sizeof *x);
 *     for (int side = 0; side < 2; side++)
 *         enter(side)->decode[format](floats(&y, side), x, n);
 *     compare(&y, "y", FLOATS);
 *
 * Half of the inputs end where an unmapped page begins, so that reading past the end faults; the
 * others are shifted by a few elements, so that an assumed alignment faults. Outputs lie between
 * canaries. A fault, or fail(), ends this check and no other. One thread only. */
#ifndef TRIT_TESTS_HARNESS_H
#define TRIT_TESTS_HARNESS_H

#include "kernels.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* ---- A family of kernels --------------------------------------------------------------------- */

/* The check of one operation. */
struct check {
    const char *name; /* as in trit_operations[] */
    void (*run)(int index);
    int index; /* for run() */
};

/* The limit that a bench is compared with. */
enum limit {
    LIMIT_NONE,
    LIMIT_READ, /* probe_read over the same bytes: weights stream from memory */
    LIMIT_MACS, /* probe_macs */
};

/* One line of --bench: a kernel with one shape. */
struct bench {
    const char *name;
    int index; /* index of the kernel among its kind */
    size_t n_rows, n_cols, n_tokens;
    void (*run)(const struct trit_kernels *k, const struct bench *b);
    size_t n_weight_bytes;               /* bytes of bench_data.stream that one call reads */
    void (*fill)(const struct bench *b); /* chooses those bytes; NULL: it reads none */
    enum limit limit;
    unsigned walks; /* TRIT_WALK_*: the walks that it uses */
};

struct family {
    const struct check *checks;
    size_t n_checks;
    const struct bench *benches;
    size_t n_benches;
};
extern const struct family attention_family, format_family, glu_family, norm_family, probe_family,
    quantize_family, rope_family, t2_family;

/* The buffers of benches; each bench uses what it needs. Before each, all except y are filled. */
enum { STREAM_BYTES = 256 << 20, BENCH_FLOATS = 6912 * 512, BENCH_TOKENS = 512 };
struct bench_data {
    uint8_t *stream; /* [STREAM_BYTES] */
    size_t at;       /* offset of the weights of this call */
    float *x, *y;    /* [BENCH_FLOATS] */
    int8_t *q;       /* [BENCH_FLOATS] */
    struct trit_q8 xq[BENCH_TOKENS];
    const struct trit_walk *walk;
};
extern struct bench_data bench_data;

/* Calls that only measure limits. */
void bench_read(const struct trit_kernels *k, const struct bench *b);
void bench_macs(const struct trit_kernels *k, const struct bench *b);

/* ---- Chance ---------------------------------------------------------------------------------- */

/* The cases of a kernel depend only on the seed and its name, so a filter does not change them. */
void set_seed(uint64_t seed);
void begin_chance(const char *name);

size_t below(size_t n); /* 0..n-1 */
float uniform(void);    /* -1..1 */
float from_bits(uint32_t u);
void fill_bytes(void *p, size_t n);
void fill_int8(int8_t *q, size_t n); /* -127..127, quantize_row's range */

/* Kinds of float rows. */
enum fill {
    UNIFORM,
    WIDE,     /* any exponent from -40 to 40 */
    SPIKES,   /* a few elements a thousand times the others, as activations have */
    SMALL,    /* about 1e-37, whose reciprocal overflows */
    DENORMAL, /* the lowest 12 bits of a float */
    ZEROS,    /* of both signs */
    N_FINITE_FILLS,
    WITH_NAN = N_FINITE_FILLS, /* at random places, with any payload */
    WITH_INF,
    N_FILLS
};
extern const char *const fill_names[N_FILLS];

void fill_floats(float *x, size_t n, enum fill fill);

/* ---- A case ---------------------------------------------------------------------------------- */

#define PRINTF_LIKE __attribute__((format(printf, 1, 2)))

/* Start a case: release all buffers, and format the text for a failure. */
PRINTF_LIKE void begin(const char *format, ...);

/* End the check with a failure, for this reason. */
_Noreturn PRINTF_LIKE void fail(const char *format, ...);

/* The table to call; later faults count for that side. */
const struct trit_kernels *enter(int side);

/* An input of elements of elem bytes that ends at the unmapped page, or a few elements before
 * it. */
void *input(size_t bytes, size_t elem);
float *input_floats(size_t n, enum fill fill);

/* An address that must not be read. */
const void *unmapped(void);

/* An output, one copy per side. */
struct output {
    uint8_t *p[2];
    size_t bytes, after; /* after: number of canary bytes that follow */
};

struct output output(size_t bytes, size_t elem);
float *floats(const struct output *o, int side);

/* Initialize both sides with these bytes, or with n_rows rows of row_bytes, stride apart, for a
 * kernel that works in place. */
void preload(const struct output *o, const void *bytes);
void preload_rows(const struct output *o, const void *rows, size_t row_bytes, size_t stride,
                  size_t n_rows);

/* NaN: kernels.h promises a NaN, not which one, and instruction sets differ in the payload that
 * arithmetic gives. If a kernel computes floats, any two NaNs are therefore equal (rule FLOATS), as
 * in I8's row_scale. If it only moves or converts bits (decode of F32, F16 and BF16, kv_store,
 * quantize_row), even NaNs must have the same bits (rule BITS). */
enum rule { BITS, FLOATS };

/* Fail unless both sides wrote the same bytes, or the same n_rows rows of row_bytes, stride apart,
 * and nothing else. */
void compare(const struct output *o, const char *name, enum rule rule);
void compare_rows(const struct output *o, const char *name, enum rule rule, size_t row_bytes,
                  size_t stride, size_t n_rows);

/* Whether a case with n tokens tries this walk: every walk for few tokens, whose result it could
 * affect, and one walk for more. `of` is a bit of TRIT_WALK_*. */
bool walk_matters(const struct trit_walk *walk, unsigned of, size_t n_tokens);

/* ---- For the program ------------------------------------------------------------------------- */

struct options {
    size_t slack;       /* bytes between inputs and the unmapped page */
    const char *isa;    /* NULL: all that this CPU supports */
    const char *filter; /* "": all kernels; else part of a name, * and ? as in a shell */
    const char *walk;   /* --bench: the name of a walk, "all", or NULL: the default */
    bool bench, list;
};

bool matches(const struct options *o, const char *name);
bool wanted_row(const struct options *o, const struct trit_isa *isa);

/* Whether the CPU lacks only tiles for this row, which tiles.c emulates. */
bool by_emulation(const struct trit_isa *isa);

/* Benches never run by emulation. */
bool can_run(const struct options *o, const struct trit_isa *isa);

/* Call before any check: maps the buffers, with slack bytes before the unmapped page, and catches
 * faults. Exits without enough memory. */
void open_harness(size_t slack);

/* The tables that checks call. The caller of run_check() fills them. */
struct trit_kernels *kernels_under_test(int side);

/* Run a check and print the result. @return whether it passed */
bool run_check(const char *isa, const struct check *check);

#endif

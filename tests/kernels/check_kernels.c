/* check_kernels.c - every instruction set's kernels against the scalar ones, bit for bit, in the
 * manner of dav1d's checkasm; and, with --bench, how fast each of them is.
 *
 * Each kernel whose function no earlier row has is called on the same random and extreme inputs as
 * the scalar one, and everything both wrote must be equal. Half of the inputs end where an unmapped
 * page begins, so that reading past the end faults; the others are moved off by a few elements, so
 * that an assumed alignment faults. Outputs lie between canaries. A fault fails the one kernel.
 *
 * NaN: kernels.h says that a NaN comes through, not which one, and instruction sets differ in the
 * payload that arithmetic gives. Where a kernel computes floats, two NaNs are therefore equal
 * (rule FLOATS), and so is I8's row_scale; where it only moves or converts bits (decode of F32, F16
 * and BF16, kv_store, quantize_row) even NaNs must have the same bits (rule BITS).
 *
 * The scalar row has nothing to be compared with; "--isa scalar" compares it with itself, which
 * still looks for reads and writes out of bounds. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, sigsetjmp, clock_gettime under -std=c11 */

#include "kernels.h"

#include <assert.h>
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tiles.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

enum {
    N_SLOTS = 12,
    SLOT_BYTES = 6 << 20, /* the largest input is a row of 2^22 int8 */
    CANARY_BYTES = 64,
    CANARY = 0xa5,
    MAX_ROWS = 16,
    MAX_DIM = TRIT_MAX_HEAD_DIM,
};

/* Two floats with different bits are equal if both are NaN, or never. */
enum rule { BITS, FLOATS };

/* The state of a run; a check reads table[] and reports by fail(), which does not return. */
static struct {
    uint64_t seed, rng;
    struct trit_kernels table[2]; /* 0: scalar, 1: the row under test */
    volatile sig_atomic_t armed, side, signal;
    sigjmp_buf failed;
    uint8_t *slot_end[N_SLOTS]; /* each is the start of an unmapped page */
    size_t n_taken;
    unsigned n_cases;
    char shape[200], what[200];
} st;

/* ---- Chance ---------------------------------------------------------------------------------- */

static uint64_t random_bits(void) /* splitmix64 */
{
    uint64_t z = st.rng += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static size_t below(size_t n) /* 0..n-1 */
{
    return (size_t)(random_bits() >> 33) % n;
}

static float uniform(void) /* -1..1 */
{
    return (float)((double)(random_bits() >> 11) * 0x1p-52 - 1.0);
}

static float from_bits(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static void fill_bytes(void *p, size_t n)
{
    uint8_t *b = p;
    for (; n >= 8; n -= 8, b += 8) {
        const uint64_t r = random_bits();
        memcpy(b, &r, 8);
    }
    for (; n > 0; n--)
        *b++ = (uint8_t)random_bits();
}

/* Kinds of float rows. */
enum fill {
    UNIFORM,
    WIDE,     /* any exponent from -40 to 40 */
    SPIKES,   /* a few elements a thousand times the others, as activations have */
    SMALL,    /* about 1e-37, where a reciprocal overflows */
    DENORMAL, /* the lowest 12 bits of a float */
    ZEROS,    /* of both signs */
    N_FINITE_FILLS,
    WITH_NAN = N_FINITE_FILLS, /* somewhere, of any payload */
    WITH_INF,
    N_FILLS
};
static const char *const fill_names[N_FILLS] = {"uniform",  "wide",  "spikes",   "small",
                                                "denormal", "zeros", "with NaN", "with Inf"};

static float random_float(enum fill fill)
{
    const float u = uniform();
    switch (fill) {
    case WIDE:
        return ldexpf(u, (int)below(81) - 40);
    case SPIKES:
        return below(64) ? u : u * 1000.0f;
    case SMALL:
        return u * 3e-37f;
    case DENORMAL:
        return copysignf(from_bits((uint32_t)below(4096)), u);
    case ZEROS:
        return copysignf(0.0f, u);
    default:
        return u;
    }
}

static void fill_floats(float *x, size_t n, enum fill fill)
{
    for (size_t i = 0; i < n; i++)
        x[i] = random_float(fill);
    if (fill == WITH_NAN || fill == WITH_INF) {
        const uint32_t payload = fill == WITH_NAN ? 1 + (uint32_t)below(0x7fffff) : 0;
        const uint32_t u = (uint32_t)below(2) << 31 | 0x7f800000u | payload;
        memcpy(&x[below(n)], &u, sizeof u);
    }
}

/* ---- Failing --------------------------------------------------------------------------------- */

#define PRINTF_LIKE __attribute__((format(printf, 1, 2)))

_Noreturn static PRINTF_LIKE void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(st.what, sizeof st.what, format, args);
    va_end(args);
    siglongjmp(st.failed, 1);
}

static void on_signal(int signal_number, siginfo_t *info, void *context)
{
    (void)info;
    if (signal_number == SIGILL && tiles_step(context))
        return;
    if (!st.armed) { /* not a kernel's fault: let it happen again and kill us */
        signal(signal_number, SIG_DFL);
        return;
    }
    st.signal = signal_number;
    siglongjmp(st.failed, 1);
}

static void catch_signals(void)
{
    static const int caught[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < LENGTH(caught); i++)
        sigaction(caught[i], &action, NULL);
}

/* Start a case: give back all buffers, and note what a failure should say. */
static PRINTF_LIKE void begin(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(st.shape, sizeof st.shape, format, args);
    va_end(args);
    st.n_taken = 0;
    st.n_cases++;
}

/* The table to call; a fault from here on is that side's. */
static const struct trit_kernels *enter(int side)
{
    st.side = side;
    return &st.table[side];
}

/* ---- Guarded buffers ------------------------------------------------------------------------- */

static void map_slots(size_t slack)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < N_SLOTS; i++) {
        uint8_t *p = mmap(NULL, SLOT_BYTES + page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED || mprotect(p + SLOT_BYTES, page, PROT_NONE) != 0) {
            perror("check_kernels: mmap");
            exit(2);
        }
        st.slot_end[i] = p + SLOT_BYTES - slack;
    }
}

/* The last bytes of a slot but for gap, which is filled so that reading it shows. */
static uint8_t *take_before(size_t gap, size_t bytes)
{
    assert(st.n_taken < N_SLOTS && bytes + gap <= SLOT_BYTES);
    uint8_t *end = st.slot_end[st.n_taken++];
    memset(end - gap, 0xff, gap);
    return end - gap - bytes;
}

/* An input of elements of elem bytes: at the unmapped page, or a few elements before it. */
static void *input(size_t bytes, size_t elem)
{
    return take_before(below(2) ? 0 : elem * (1 + below(15)), bytes);
}

static float *input_floats(size_t n, enum fill fill)
{
    float *x = input(n * sizeof *x, sizeof *x);
    fill_floats(x, n, fill);
    return x;
}

/* An output, once for each side. */
struct output {
    uint8_t *p[2];
    size_t bytes, after; /* after: canary bytes that follow */
};

static struct output output(size_t bytes, size_t elem)
{
    struct output o = {.bytes = bytes, .after = CANARY_BYTES + elem * below(16)};
    for (int side = 0; side < 2; side++) {
        uint8_t *base = take_before(0, CANARY_BYTES + bytes + o.after);
        memset(base, CANARY, CANARY_BYTES + bytes + o.after);
        o.p[side] = base + CANARY_BYTES;
    }
    return o;
}

/* Both sides start as these n_rows rows of row_bytes, stride apart: for what a kernel changes in
 * place. */
static void preload_rows(const struct output *o, const void *rows, size_t row_bytes, size_t stride,
                         size_t n_rows)
{
    for (int side = 0; side < 2; side++)
        for (size_t r = 0; r < n_rows; r++)
            memcpy(o->p[side] + r * stride, (const uint8_t *)rows + r * row_bytes, row_bytes);
}

static void preload(const struct output *o, const void *bytes)
{
    preload_rows(o, bytes, o->bytes, o->bytes, 1);
}

static float *floats(const struct output *o, int side)
{
    return (float *)(void *)o->p[side];
}

static void check_canary(const uint8_t *p, size_t n, const char *name, const char *where)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != CANARY)
            fail("%s: writes %s its bounds", name, where);
}

static void compare_row(const uint8_t *want, const uint8_t *got, size_t n_bytes, const char *name,
                        size_t row, enum rule rule)
{
    if (memcmp(want, got, n_bytes) == 0)
        return;
    if (rule == BITS) {
        size_t i = 0;
        while (want[i] == got[i])
            i++;
        fail("%s: byte %zu of row %zu is 0x%02x, scalar has 0x%02x", name, i, row, got[i], want[i]);
    }
    for (size_t i = 0; i < n_bytes / sizeof(float); i++) {
        float a, b;
        memcpy(&a, want + i * sizeof a, sizeof a);
        memcpy(&b, got + i * sizeof b, sizeof b);
        if (bits_of(a) != bits_of(b) && !(isnan(a) && isnan(b)))
            fail("%s[%zu][%zu] is %.9g (%08x), scalar has %.9g (%08x)", name, row, i, (double)b,
                 (unsigned)bits_of(b), (double)a, (unsigned)bits_of(a));
    }
}

/* n_rows rows of row_bytes, stride apart, are equal, and nothing else was written. */
static void compare_rows(const struct output *o, const char *name, enum rule rule, size_t row_bytes,
                         size_t stride, size_t n_rows)
{
    for (int side = 0; side < 2; side++) {
        enter(side);
        check_canary(o->p[side] - CANARY_BYTES, CANARY_BYTES, name, "before");
        check_canary(o->p[side] + o->bytes, o->after, name, "after");
        for (size_t r = 0; r + 1 < n_rows; r++)
            check_canary(o->p[side] + r * stride + row_bytes, stride - row_bytes, name, "between");
    }
    for (size_t r = 0; r < n_rows; r++)
        compare_row(o->p[0] + r * stride, o->p[1] + r * stride, row_bytes, name, r, rule);
}

static void compare(const struct output *o, const char *name, enum rule rule)
{
    compare_rows(o, name, rule, o->bytes, o->bytes, 1);
}

/* ---- quantize_row ---------------------------------------------------------------------------- */

enum { TIES = N_FILLS, BELOW_EPS, N_QUANTIZE_KINDS };

static void fill_quantize(float *x, size_t n, int kind, float q_max)
{
    if (kind == TIES) { /* s is 8 or 1/8: all products are whole numbers and a half */
        const float s = below(2) ? 8.0f : 0.125f;
        for (size_t i = 0; i < n; i++)
            x[i] = (floorf(uniform() * q_max) + 0.5f) / s;
        x[below(n)] = copysignf(q_max / s, uniform());
    } else if (kind == BELOW_EPS) {
        for (size_t i = 0; i < n; i++)
            x[i] = uniform() * 0.5f;
    } else {
        fill_floats(x, n, (enum fill)kind);
    }
}

static void quantize_case(enum trit_act_form form, size_t n, size_t n_padded, int kind)
{
    const float q_max = below(8) ? 127.0f : 7.0f;
    const float eps = kind == BELOW_EPS ? 1.0f : kind == SMALL ? 1e-35f : 1e-5f;
    static const char *const names[] = {"ties", "below eps"};
    begin("%s, n %zu, n_padded %zu, %s, eps %g, q_max %g",
          form == TRIT_ACT_FORM_DIV ? "div" : "mul", n, n_padded,
          kind < N_FILLS ? fill_names[kind] : names[kind - N_FILLS], (double)eps, (double)q_max);

    float *x = input(n * sizeof *x, sizeof *x);
    fill_quantize(x, n, kind, q_max);
    const struct output q = output(n_padded, 1);
    const struct output xq = output(sizeof(struct trit_q8), 4);
    bool ok[2];
    for (int side = 0; side < 2; side++)
        ok[side] = enter(side)->quantize_row[form]((int8_t *)q.p[side], (void *)xq.p[side], x, n,
                                                   n_padded, eps, q_max);
    compare(&q, "q", BITS);
    compare(&xq, "out", BITS);

    const bool finite = kind != WITH_NAN && kind != WITH_INF;
    if (ok[0] != finite || ok[1] != finite)
        fail("returns %d, scalar %d, instead of %d", ok[1], ok[0], finite);
    for (size_t i = finite ? n : 0; i < n_padded; i++)
        if (q.p[1][i] != 0)
            fail("q[%zu] is not 0", i);
}

static void check_quantize_row(int form)
{
    static const size_t wide[] = {320, 864, 2560, 6912};
    for (size_t i = 1; i <= 70 + LENGTH(wide); i++)
        for (int kind = 0; kind < N_QUANTIZE_KINDS; kind++) {
            const size_t n = i <= 70 ? i : wide[i - 71];
            quantize_case((enum trit_act_form)form, n, n, kind);
            quantize_case((enum trit_act_form)form, n, (n + 127) / 128 * 128, kind);
            quantize_case((enum trit_act_form)form, n, n + below(40), kind);
        }
}

/* ---- t2_gemm --------------------------------------------------------------------------------- */

enum { CODES_RANDOM = 4, CODES_TERNARY, N_CODES }; /* below 4: all that code */
enum { X_RANDOM, X_TOP, X_BOTTOM, X_ZERO, N_X };
static const char *const codes_names[N_CODES] = {"0", "1", "2", "3", "0..3", "0..2"};
static const char *const x_names[N_X] = {"random", "127", "-127", "0"};

static void fill_t2(uint8_t *w, size_t n, int codes)
{
    if (codes < CODES_RANDOM)
        memset(w, codes * 0x55, n);
    else
        fill_bytes(w, n);
    if (codes == CODES_TERNARY) /* 3 becomes 1: take the high bit from where the low one is set */
        for (size_t i = 0; i < n; i++)
            w[i] &= (uint8_t)(0xff - (w[i] << 1 & 0xaa));
}

static void fill_x(int8_t *x, size_t n, int kind)
{
    if (kind == X_RANDOM)
        fill_bytes(x, n);
    else
        memset(x, kind == X_TOP ? 127 : kind == X_BOTTOM ? -127 : 0, n);
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] == -128 ? -127 : x[i]; /* quantize_row's range */
}

/* Every walk for a few tokens, which it may make a difference to; for more of them one. */
static bool walk_matters(const struct trit_walk *walk, unsigned of, size_t n_tokens)
{
    return walk == trit_walks || ((walk->of & of) && n_tokens <= 3);
}

static void t2_case(size_t n_rows, size_t n_cols, size_t n_tokens, int codes, int kind)
{
    const size_t ldy = n_rows + (below(2) ? 0 : below(6));
    begin("n_rows %zu, n_cols %zu, n_tokens %zu, ldy %zu, codes %s, x %s", n_rows, n_cols, n_tokens,
          ldy, codes_names[codes], x_names[kind]);

    const bool none = n_rows == 0 || n_tokens == 0;
    uint8_t *w = input(n_rows * n_cols / 4, 1);
    int8_t *x = input(n_tokens * n_cols, 1);
    struct trit_q8 *xq = input(n_tokens * sizeof *xq, 4);
    const struct output y = output(none ? 0 : ((n_tokens - 1) * ldy + n_rows) * sizeof(float), 4);
    fill_t2(w, n_rows * n_cols / 4, codes);
    fill_x(x, n_tokens * n_cols, kind);
    for (size_t t = 0; t < n_tokens; t++) {
        xq[t] = (struct trit_q8){.s = ldexpf(1.5f + uniform() * 0.5f, (int)below(20) - 5)};
        for (size_t i = 0; i < n_cols; i++)
            xq[t].sum += x[t * n_cols + i];
    }
    const float w_scale = uniform() * 4.0f;
    for (const struct trit_walk *walk = trit_walks; walk->name; walk++) {
        if (!walk_matters(walk, TRIT_WALK_T2, n_tokens))
            continue;
        for (int side = walk > trit_walks; side < 2; side++)
            enter(side)->t2_gemm(floats(&y, side), ldy, w, x, xq, w_scale, n_rows, n_cols, n_tokens,
                                 walk);
        compare_rows(&y, walk->name, FLOATS, n_rows * sizeof(float), ldy * sizeof(float),
                     none ? 0 : n_tokens);
    }
}

static void check_t2_gemm(int unused)
{
    /* Around powers of two and around multiples of 8, 10 and 16 blocks, where sums get widened. */
    static const size_t blocks[] = {1, 2, 3, 7, 8, 9, 10, 11, 15, 16, 17, 20, 21, 30, 31, 54, 128};
    static const size_t shapes[][2] = {{1, 1}, {2, 4}, {5, 5}, {4, 1}};
    /* Around the sizes of panels and tiles. */
    static const size_t many[] = {12, 15, 16, 17, 31, 33, 47, 48, 49, 64, 127, 128, 129, 150};
    (void)unused;

    for (size_t rows = 0; rows <= 9; rows++)
        for (size_t tokens = 0; tokens <= 10; tokens++)
            t2_case(rows, 128 * (1 + below(12)), tokens < 10 ? tokens : 17, CODES_RANDOM, X_RANDOM);
    for (size_t i = 0; i < LENGTH(blocks); i++)
        for (int codes = 0; codes < N_CODES; codes++)
            for (int x = 0; x < N_X; x++) {
                const size_t *shape = shapes[below(LENGTH(shapes))];
                t2_case(shape[0], 128 * blocks[i], shape[1], codes, x);
            }
    for (int i = 0; i < 8; i++)
        t2_case(11 + 2 * below(30), 128 * (1 + below(20)), 1 + below(9), CODES_TERNARY, X_RANDOM);
    for (size_t i = 0; i < LENGTH(many); i++)
        t2_case(many[below(LENGTH(many))], 128 * (1 + below(13)), many[i], CODES_RANDOM, X_RANDOM);
    t2_case(1, (size_t)1 << 18, 17, 3, X_BOTTOM);
    t2_case(1, (size_t)1 << 22, 1, 3, X_TOP); /* the widest: the sum comes near 2^31 */
    t2_case(1, (size_t)1 << 22, 1, 3, X_BOTTOM);
}

/* ---- decode and gemm ------------------------------------------------------------------------- */

/* Where the 16-bit floats of a block are, so that random blocks can be given finite ones. The
 * files are little-endian: the upper half of an F32 is a BF16. */
static const struct format {
    size_t n_bytes, at[2], n_floats;
    int mantissa_bits;
} formats[TRIT_N_FORMATS] = {
    [TRIT_FORMAT_F32] = {4, {2}, 1, 7},       [TRIT_FORMAT_F16] = {2, {0}, 1, 10},
    [TRIT_FORMAT_BF16] = {2, {0}, 1, 7},      [TRIT_FORMAT_Q8_0] = {34, {0}, 1, 10},
    [TRIT_FORMAT_Q4_0] = {18, {0}, 1, 10},    [TRIT_FORMAT_Q4_K] = {144, {0, 2}, 2, 10},
    [TRIT_FORMAT_Q6_K] = {210, {208}, 1, 10},
};

/* What the floats are: of similar size, as in a model; any finite; subnormal; or any at all. */
enum weights { ALIKE, FINITE, SUBNORMAL, ANY, N_WEIGHTS };
static const char *const weights_names[N_WEIGHTS] = {"alike", "finite", "subnormal", "any"};

static uint16_t random_half(uint16_t h, int mantissa_bits, enum weights kind)
{
    const uint32_t mantissa = (1u << mantissa_bits) - 1;
    const uint32_t exponent = 0x7fffu & ~mantissa, bias = (exponent >> mantissa_bits) / 2;
    uint32_t u = h;
    if (kind == ALIKE)
        u = (u & ~exponent) | (bias - (uint32_t)below(4)) << mantissa_bits;
    else if (kind == SUBNORMAL)
        u &= ~exponent;
    else if (kind == FINITE && (u & exponent) == exponent)
        u &= ~(1u << mantissa_bits);
    return (uint16_t)u;
}

static void fill_weights(uint8_t *w, size_t n_bytes, enum trit_format format, enum weights kind)
{
    const struct format *f = &formats[format];
    fill_bytes(w, n_bytes);
    for (size_t b = 0; b < n_bytes; b += f->n_bytes)
        for (size_t i = 0; i < f->n_floats; i++) {
            uint16_t h;
            memcpy(&h, w + b + f->at[i], sizeof h);
            h = random_half(h, f->mantissa_bits, kind);
            memcpy(w + b + f->at[i], &h, sizeof h);
        }
}

/* What a weight pointer must be aligned to: nothing where quantised. */
static size_t weight_align(enum trit_format format)
{
    return trit_format_block(format) > 1 ? 1 : trit_format_bytes(format, 1);
}

static void decode_case(enum trit_format format, size_t n, enum weights kind)
{
    begin("n %zu, weights %s", n, weights_names[kind]);
    const size_t n_bytes = trit_format_bytes(format, n);
    uint8_t *w = input(n_bytes, weight_align(format));
    const struct output y = output(n * sizeof(float), 4);
    fill_weights(w, n_bytes, format, kind);
    for (int side = 0; side < 2; side++)
        enter(side)->decode[format](floats(&y, side), w, n);
    compare(&y, "y", trit_format_block(format) > 1 ? FLOATS : BITS);
}

static void every_half(enum trit_format format)
{
    begin("all 65536 values");
    const struct output y = output(65536 * sizeof(float), 4);
    uint16_t *w = input(65536 * sizeof *w, sizeof *w);
    for (size_t i = 0; i < 65536; i++)
        w[i] = (uint16_t)i;
    for (int side = 0; side < 2; side++)
        enter(side)->decode[format](floats(&y, side), w, 65536);
    compare(&y, "y", BITS);
}

static void check_decode(int index)
{
    const enum trit_format format = (enum trit_format)index;
    const size_t block = trit_format_block(format);
    for (size_t n = 1; n <= 40; n++)
        for (int kind = 0; kind < N_WEIGHTS; kind++)
            decode_case(format, n * block, (enum weights)kind);
    decode_case(format, 10240, FINITE);
    if (format == TRIT_FORMAT_F16 || format == TRIT_FORMAT_BF16)
        every_half(format);
}

/* Activations whose every product with the first row of weights is negative and too small for a
 * float: the lanes become -0, and the sum shows which of them the tail was added to. */
static void fill_underflow(float *x, size_t ldx, const uint8_t *w, enum trit_format format,
                           size_t n_cols, size_t n_tokens)
{
    static float row[1 << 13];
    assert(n_cols <= LENGTH(row));
    enter(0)->decode[format](row, w, n_cols);
    for (size_t t = 0; t < n_tokens; t++)
        for (size_t i = 0; i < n_cols; i++)
            x[t * ldx + i] = copysignf(from_bits(1), -row[i]);
}

enum { X_UNIFORM, X_WIDE, X_SPIKES, X_UNDERFLOW, N_GEMM_X };
static const char *const gemm_x_names[N_GEMM_X] = {"uniform", "wide", "spikes", "underflow"};
static const enum fill gemm_x_fills[X_UNDERFLOW] = {UNIFORM, WIDE, SPIKES};

static void gemm_case(enum trit_format format, size_t n_rows, size_t n_cols, size_t n_tokens,
                      enum weights kind, int x_kind)
{
    const size_t ldy = n_rows + (below(2) ? 0 : below(6)), ldx = n_cols + (below(2) ? 0 : below(6));
    begin("n_rows %zu, n_cols %zu, n_tokens %zu, ldy %zu, ldx %zu, weights %s, x %s", n_rows,
          n_cols, n_tokens, ldy, ldx, weights_names[kind], gemm_x_names[x_kind]);

    const bool none = n_rows == 0 || n_tokens == 0;
    const size_t n_bytes = n_rows * trit_format_bytes(format, n_cols);
    const size_t n_x = n_tokens ? (n_tokens - 1) * ldx + n_cols : 0;
    uint8_t *w = input(n_bytes, weight_align(format));
    float *x = input(n_x * sizeof *x, sizeof *x);
    const struct output y = output(none ? 0 : ((n_tokens - 1) * ldy + n_rows) * sizeof(float), 4);
    fill_weights(w, n_bytes, format, kind);
    memset(x, 0xff, n_x * sizeof *x); /* between rows there are NaNs */
    if (x_kind == X_UNDERFLOW)
        fill_underflow(x, ldx, w, format, n_cols, n_tokens);
    else
        for (size_t t = 0; t < n_tokens; t++)
            fill_floats(x + t * ldx, n_cols, gemm_x_fills[x_kind]);
    for (const struct trit_walk *walk = trit_walks; walk->name; walk++) {
        if (!walk_matters(walk, TRIT_WALK_FLOAT, n_tokens))
            continue;
        for (int side = walk > trit_walks; side < 2; side++)
            enter(side)->gemm[format](floats(&y, side), ldy, w, x, ldx, n_rows, n_cols, n_tokens,
                                      walk);
        compare_rows(&y, walk->name, FLOATS, n_rows * sizeof(float), ldy * sizeof(float),
                     none ? 0 : n_tokens);
    }
}

static void gemm_width(enum trit_format format, size_t n_cols)
{
    for (int x = 0; x < X_UNDERFLOW; x++) {
        gemm_case(format, 1 + below(9), n_cols, 1 + below(9), ALIKE, x);
        gemm_case(format, 1 + below(9), n_cols, 1 + below(9), FINITE, x);
    }
    gemm_case(format, 1 + below(9), n_cols, 1 + below(9), SUBNORMAL, X_UNIFORM);
    gemm_case(format, 1 + below(3), n_cols, 1 + below(5), SUBNORMAL, X_UNDERFLOW);
}

static void check_gemm(int index)
{
    /* 512 is where a decoder may take a row in two. */
    static const size_t wide[] = {100, 320, 511, 512, 513, 864, 1040};
    static const size_t wide_blocks[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 20};
    const enum trit_format format = (enum trit_format)index;
    const size_t block = trit_format_block(format), narrow = block > 1 ? block : 35;

    for (size_t rows = 0; rows <= 9; rows++)
        for (size_t tokens = 0; tokens <= 10; tokens++)
            gemm_case(format, rows, narrow, tokens < 10 ? tokens : 17, ALIKE, X_UNIFORM);
    if (block == 1) {
        for (size_t n = 1; n <= 40; n++)
            gemm_width(format, n);
        for (size_t i = 0; i < LENGTH(wide); i++)
            gemm_width(format, wide[i]);
    } else {
        for (size_t i = 0; i < LENGTH(wide_blocks); i++)
            gemm_width(format, wide_blocks[i] * block);
    }
    for (int i = 0; i < 4; i++)
        gemm_case(format, 11 + 2 * below(30), narrow, 1 + below(9), ALIKE, X_UNIFORM);
}

/* ---- Norms, Hadamard transform, rope, glu ---------------------------------------------------- */

enum { HUGE_VALUE = N_FILLS, N_NORM_KINDS };

enum { RMSNORM, LAYERNORM, LAYERNORM_PLAIN, N_NORMS };

static void norm_case(int norm, size_t n, int kind, bool in_place)
{
    begin("n %zu, %s%s%s", n, kind == HUGE_VALUE ? "with 1e30" : fill_names[kind],
          norm == LAYERNORM_PLAIN ? ", no weights" : "", in_place ? ", in place" : "");
    float *x = input_floats(n, kind == HUGE_VALUE ? UNIFORM : (enum fill)kind);
    const float *w = input_floats(n, below(4) ? UNIFORM : WIDE);
    const float *b = input_floats(n, UNIFORM);
    const struct output y = output(n * sizeof *x, sizeof *x);
    const float eps = below(2) ? 1e-5f : 1e-6f;
    bool ok[2];
    if (kind == HUGE_VALUE)
        x[below(n)] = 1e30f;
    if (in_place)
        preload(&y, x);
    for (int side = 0; side < 2; side++) {
        float *p = floats(&y, side);
        const float *from = in_place ? p : x;
        const struct trit_kernels *k = enter(side);
        ok[side] = norm == RMSNORM     ? k->rmsnorm(p, from, w, n, eps)
                   : norm == LAYERNORM ? k->layernorm(p, from, w, b, n, eps)
                                       : k->layernorm(p, from, NULL, NULL, n, eps);
    }
    compare(&y, "y", FLOATS);
    /* a lone element less its mean is 0 */
    const bool finite = kind < N_FINITE_FILLS || (kind == HUGE_VALUE && norm != RMSNORM && n == 1);
    if (ok[0] != finite || ok[1] != finite)
        fail("returns %d, scalar %d, instead of %d", ok[1], ok[0], finite);
}

static void check_norm(int norm)
{
    static const size_t wide[] = {320, 864, 2560, 6912};
    for (size_t i = 1; i <= 70 + LENGTH(wide); i++)
        for (int kind = 0; kind < N_NORM_KINDS; kind++) {
            norm_case(norm, i <= 70 ? i : wide[i - 71], kind, false);
            norm_case(norm, i <= 70 ? i : wide[i - 71], kind, true);
        }
    if (norm == LAYERNORM)
        check_norm(LAYERNORM_PLAIN);
}

static void check_fwht(int unused)
{
    (void)unused;
    for (size_t n = 1; n <= 32768; n *= 2)
        for (int kind = 0; kind < N_FILLS; kind++) {
            begin("n %zu, %s", n, fill_names[kind]);
            const float *before = input_floats(n, (enum fill)kind);
            const struct output x = output(n * sizeof *before, sizeof *before);
            preload(&x, before);
            for (int side = 0; side < 2; side++)
                enter(side)->fwht(floats(&x, side), n);
            compare(&x, "x", FLOATS);
        }
}

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

/* Half of them from a list: zeros, the ends of exp's range, where squares and exp overflow. */
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

/* ---- kv_store -------------------------------------------------------------------------------- */

static const size_t kv_bytes[TRIT_N_KV_FORMATS] = {
    [TRIT_KV_F16] = 2, [TRIT_KV_F32] = 4, [TRIT_KV_I8] = 1};

enum { NEAR_TOP = N_FILLS, NEAR_TINY, HALF_TIES, N_KV_KINDS };

static void fill_kv(float *x, size_t n, int kind)
{
    if (kind < N_FILLS) {
        fill_floats(x, n, (enum fill)kind);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const float sign = copysignf(1.0f, uniform());
        if (kind == NEAR_TOP) /* 65504 is the largest, 65520 where rounding would go to infinity */
            x[i] = sign * (below(2) ? 65520.0f + (float)((int)below(65) - 32) : 65504.0f);
        else if (kind == NEAR_TINY) /* subnormal as f16, or nothing left */
            x[i] = ldexpf(uniform(), -13 - (int)below(15));
        else /* 12 bits: exactly between two f16, subnormal ones too */
            x[i] = ldexpf(sign * (float)(2 * below(2048) + 1), (int)below(26) - 25);
    }
}

static void kv_case(int format, size_t n, int kind)
{
    static const char *const names[] = {"near 65504", "tiny", "ties"};
    begin("n %zu, %s", n, kind < N_FILLS ? fill_names[kind] : names[kind - N_FILLS]);
    float *x = input(n * sizeof *x, sizeof *x);
    fill_kv(x, n, kind);
    const bool scaled = format == TRIT_KV_I8, null_scale = !scaled && below(2);
    const struct output dst = output(n * kv_bytes[format], kv_bytes[format]);
    const struct output scale = output(scaled ? sizeof(float) : 0, 4); /* else all canary */
    for (int side = 0; side < 2; side++)
        enter(side)->kv_store[format](dst.p[side], null_scale ? NULL : floats(&scale, side), x, n);
    compare(&scale, "row_scale", FLOATS);
    compare(&dst, "dst", BITS);
}

static void check_kv_store(int format)
{
    for (size_t n = 1; n <= 130; n++)
        for (int kind = 0; kind < N_KV_KINDS; kind++)
            kv_case(format, n, kind);
}

/* ---- attn_block, attn_merge ------------------------------------------------------------------ */

enum {
    ATTN_USUAL,
    ATTN_SHARP, /* scores far apart */
    ATTN_EQUAL, /* all scores 0 */
    ATTN_TINY,  /* scores that underflow to zeros of both signs */
    ATTN_NAN_Q,
    ATTN_NAN_K,
    ATTN_NAN_V,
    ATTN_INF_Q, /* scores of both infinities, or NaN */
    N_ATTN_KINDS
};
static const char *const attn_names[N_ATTN_KINDS] = {"usual", "sharp",    "equal",    "tiny",
                                                     "NaN q", "NaN in k", "NaN in v", "infinite q"};
static const enum fill q_fills[N_ATTN_KINDS] = {[ATTN_EQUAL] = ZEROS,
                                                [ATTN_TINY] = DENORMAL,
                                                [ATTN_NAN_Q] = WITH_NAN,
                                                [ATTN_INF_Q] = WITH_INF}; /* else UNIFORM */

/* Key or value rows and their scales, stored by the scalar kernel. */
static void fill_rows(int format, uint8_t *rows, float *scales, const struct trit_attn_shape *shape,
                      enum fill fill, bool with_nan)
{
    const size_t bad = with_nan ? below(shape->n_keys) : shape->n_keys;
    for (size_t j = 0; j < shape->n_keys; j++) {
        float x[MAX_DIM];
        fill_floats(x, shape->head_dim, j == bad ? WITH_NAN : fill);
        enter(0)->kv_store[format](rows + j * shape->head_dim * kv_bytes[format],
                                   scales ? &scales[j] : NULL, x, shape->head_dim);
    }
}

/* One maximum in six is far off, infinite or NaN. */
static struct trit_softmax earlier_softmax(void)
{
    static const float maxima[] = {0.0f, 3.0f, -50.0f, 1e30f, -INFINITY, NAN};
    const size_t i = below(4 * LENGTH(maxima));
    return (struct trit_softmax){.max = i < LENGTH(maxima) ? maxima[i] : uniform() * 5.0f,
                                 .sum = 1.0f + fabsf(uniform()) * 64.0f};
}

static void attn_case(int format, size_t n_keys, size_t head_dim, size_t n_q, int kind)
{
    const struct trit_attn_shape shape = {
        .n_keys = n_keys,
        .head_dim = head_dim,
        .scale = 1.0f / sqrtf((float)head_dim),
        .n_q = n_q,
        .ldq = head_dim + (below(2) ? 0 : below(40)),
        .later = below(2),
        .hint = (enum trit_hint)below(4),
        .next = below(2) ? st.slot_end[0] + 1024 : NULL, /* unmapped: it may not be read */
    };
    const bool scaled = format == TRIT_KV_I8;
    const size_t n_bytes = n_keys * head_dim * kv_bytes[format];
    const size_t q_len = (n_q - 1) * shape.ldq + head_dim;
    begin("n_keys %zu, head_dim %zu, %zu queries %zu apart, %s%s", n_keys, head_dim, n_q, shape.ldq,
          attn_names[kind], shape.later ? ", later" : "");

    float *q = input(q_len * sizeof *q, sizeof *q);
    uint8_t *k = input(n_bytes, kv_bytes[format]), *v = input(n_bytes, kv_bytes[format]);
    float *k_scale = scaled ? input(n_keys * sizeof *k_scale, 4) : NULL;
    float *v_scale = scaled ? input(n_keys * sizeof *v_scale, 4) : NULL;
    const struct output acc = output(q_len * sizeof(float), 4);
    const struct output sm = output(n_q * sizeof(struct trit_softmax), 4);
    struct trit_softmax *earlier = input(n_q * sizeof *earlier, 4);
    const float *before = input_floats(n_q * head_dim, below(8) ? UNIFORM : WITH_INF);

    fill_floats(q, q_len, q_fills[kind]);
    for (size_t i = 0; kind == ATTN_TINY && i < q_len; i++)
        q[i] = copysignf(from_bits(1), q[i]);
    for (size_t i = 0; kind == ATTN_SHARP && i < q_len; i++)
        q[i] *= 200.0f;
    fill_rows(format, k, k_scale, &shape, kind == ATTN_SHARP ? SPIKES : UNIFORM,
              kind == ATTN_NAN_K);
    fill_rows(format, v, v_scale, &shape, UNIFORM, kind == ATTN_NAN_V);
    for (size_t i = 0; i < n_q; i++)
        earlier[i] = earlier_softmax();
    if (shape.later) {
        preload(&sm, earlier);
        preload_rows(&acc, before, head_dim * sizeof *before, shape.ldq * sizeof *before, n_q);
    }
    for (int side = 0; side < 2; side++)
        enter(side)->attn_block[format](floats(&acc, side), (void *)sm.p[side], &shape, q, k,
                                        k_scale, v, v_scale);
    compare(&sm, "softmax", FLOATS);
    compare_rows(&acc, "acc", FLOATS, head_dim * sizeof(float), shape.ldq * sizeof(float), n_q);
}

static void check_attn_block(int format)
{
    static const size_t wide[] = {2, 16, 32, 48, 64, 80, 96, 100, 128, 256, 511, 512};
    for (size_t i = 0; i < 20 + LENGTH(wide); i++)
        for (size_t n_keys = 1; n_keys <= TRIT_ATTN_BLOCK; n_keys++)
            attn_case(format, n_keys, i < 20 ? 2 * i + 1 : wide[i - 20],
                      1 + (i + n_keys) % TRIT_ATTN_QUERIES, ATTN_USUAL);
    for (size_t n_keys = 1; n_keys <= TRIT_ATTN_BLOCK; n_keys++)
        for (int i = 0; i < 2 * N_ATTN_KINDS; i++)
            attn_case(format, n_keys, 1 + below(130), 1 + below(TRIT_ATTN_QUERIES),
                      i % N_ATTN_KINDS);
}

static void merge_case(size_t head_dim, size_t n_blocks, size_t stride, size_t difference)
{
    static const float differences[] = {0.0f,  0.1f,   3.0f,  50.0f,    87.0f,
                                        88.5f, 200.0f, 1e30f, INFINITY, NAN};
    float apart = differences[difference % LENGTH(differences)] * (1.0f + 0.1f * uniform());
    if (below(2))
        apart = -apart;
    begin("head_dim %zu, %zu blocks %zu apart, maxima %g apart", head_dim, n_blocks, stride,
          (double)apart);
    const size_t n = n_blocks ? (n_blocks - 1) * stride + 1 : 0;
    const float *before = input_floats(head_dim, UNIFORM);
    const float *block_acc = input_floats(n * head_dim, below(4) ? UNIFORM : WIDE);
    struct trit_softmax *block = input(n * sizeof *block, 4);
    const float max = uniform() * 10.0f;
    const struct trit_softmax sm_before = {.max = max, .sum = 1.0f + fabsf(uniform()) * 64.0f};
    for (size_t i = 0; i < n; i++)
        block[i] = (struct trit_softmax){.max = max + (i ? uniform() * 5.0f : apart),
                                         .sum = 1.0f + fabsf(uniform()) * 64.0f};
    const struct output acc = output(head_dim * sizeof *before, 4);
    const struct output sm = output(sizeof sm_before, 4);
    preload(&acc, before);
    preload(&sm, &sm_before);
    for (int side = 0; side < 2; side++)
        enter(side)->attn_merge(floats(&acc, side), (void *)sm.p[side], block_acc, block, head_dim,
                                n_blocks, stride);
    compare(&sm, "softmax", FLOATS);
    compare(&acc, "acc", FLOATS);
}

static void check_attn_merge(int unused)
{
    static const size_t wide[] = {80, 96, 100, 128, 256, 511, 512};
    (void)unused;
    for (size_t i = 1; i <= 64 + LENGTH(wide); i++)
        for (size_t d = 0; d < 20; d++)
            merge_case(i <= 64 ? i : wide[i - 65], 1, 1 + below(3), d);
    for (size_t n = 0; n < 50; n++)
        for (size_t d = 0; d < 4; d++)
            merge_case(1 + below(140), n, 1 + below(4), below(20));
}

/* ---- Probes ---------------------------------------------------------------------------------- */

static void check_probe_read(int unused)
{
    (void)unused;
    for (size_t i = 0; i < 700; i++) {
        const size_t n = i < 600 ? i : below(100000);
        begin("%zu bytes", n);
        uint8_t *p = input(n, 1);
        uint64_t got[2];
        fill_bytes(p, n);
        for (int side = 0; side < 2; side++)
            got[side] = enter(side)->probe_read(p, n, (enum trit_hint)(i % 4));
        if (got[0] != got[1])
            fail("the sum is %llx, scalar has %llx", (unsigned long long)got[1],
                 (unsigned long long)got[0]);
    }
}

/* What it claims to have done must grow with the rounds and be whole vectors of products. */
static void check_probe(int of_floats)
{
    const struct trit_kernels *k = enter(1);
    uint64_t (*const probe)(size_t) = of_floats ? k->probe_fmas : k->probe_macs;
    const uint64_t one = probe(1), step = of_floats ? 4 : 32;

    for (size_t n = 0; n <= TRIT_PROBE_ROUNDS; n = 2 * n + 1) {
        begin("%zu rounds", n);
        const uint64_t sum = probe(n);
        if (sum != n * one || one % step)
            fail("the sum is %llu, one round's %llu", (unsigned long long)sum,
                 (unsigned long long)one);
    }
    begin("all rounds");
    if (probe(TRIT_PROBE_ROUNDS) != TRIT_PROBE_ROUNDS * one)
        fail("sums overflow");
}

/* ---- The list of kernels --------------------------------------------------------------------- */

/* In the order of trit_operations[]. */
static const struct {
    void (*check)(int index);
    int index;
} checks[] = {
    {check_quantize_row, TRIT_ACT_FORM_MUL}, /* quantize_row */
    {check_quantize_row, TRIT_ACT_FORM_DIV},
    {check_t2_gemm, 0},               /* t2_gemm */
    {check_decode, TRIT_FORMAT_F32},  /* decode_f32 */
    {check_decode, TRIT_FORMAT_F16},  /* decode_f16 */
    {check_decode, TRIT_FORMAT_BF16}, /* decode_bf16 */
    {check_decode, TRIT_FORMAT_Q8_0}, /* decode_q8_0 */
    {check_decode, TRIT_FORMAT_Q4_0}, /* decode_q4_0 */
    {check_decode, TRIT_FORMAT_Q4_K}, /* decode_q4_k */
    {check_decode, TRIT_FORMAT_Q6_K}, /* decode_q6_k */
    {check_gemm, TRIT_FORMAT_F32},    /* gemm_f32 */
    {check_gemm, TRIT_FORMAT_F16},    /* gemm_f16 */
    {check_gemm, TRIT_FORMAT_BF16},   /* gemm_bf16 */
    {check_gemm, TRIT_FORMAT_Q8_0},   /* gemm_q8_0 */
    {check_gemm, TRIT_FORMAT_Q4_0},   /* gemm_q4_0 */
    {check_gemm, TRIT_FORMAT_Q4_K},   /* gemm_q4_k */
    {check_gemm, TRIT_FORMAT_Q6_K},   /* gemm_q6_k */
    {check_norm, RMSNORM},            /* rmsnorm */
    {check_norm, LAYERNORM},          /* layernorm */
    {check_fwht, 0},                  /* fwht */
    {check_rope, TRIT_ROPE_HALF},     /* rope_half */
    {check_rope, TRIT_ROPE_PAIRS},    /* rope_pairs */
    {check_glu, TRIT_ACT_SILU},       /* glu_silu */
    {check_glu, TRIT_ACT_RELU2},      /* glu_relu2 */
    {check_kv_store, TRIT_KV_F16},    /* kv_store_f16 */
    {check_kv_store, TRIT_KV_F32},    /* kv_store_f32 */
    {check_kv_store, TRIT_KV_I8},     /* kv_store_i8 */
    {check_attn_block, TRIT_KV_F16},  /* attn_block_f16 */
    {check_attn_block, TRIT_KV_F32},  /* attn_block_f32 */
    {check_attn_block, TRIT_KV_I8},   /* attn_block_i8 */
    {check_attn_merge, 0},            /* attn_merge */
    {check_probe_read, 0},            /* probe_read */
    {check_probe, 0},                 /* probe_macs */
    {check_probe, 1},                 /* probe_fmas */
};

static struct kernel {
    const char *name;
    size_t offset; /* of the function in struct trit_kernels */
    void (*check)(int index);
    int index;
} kernels[LENGTH(checks)];

static void list_kernels(void)
{
    for (size_t i = 0; i < LENGTH(checks); i++)
        kernels[i] = (struct kernel){trit_operations[i].name, trit_operations[i].offset,
                                     checks[i].check, checks[i].index};
}

/* A kernel that kernels.h has and this list lacks would go unchecked. */
_Static_assert(sizeof(struct trit_kernels) == LENGTH(kernels) * sizeof(void (*)(void)),
               "every function of struct trit_kernels has its line in kernels[]");

static bool same_function(const struct trit_kernels *a, const struct trit_kernels *b, size_t offset)
{
    return memcmp((const char *)a + offset, (const char *)b + offset, sizeof(void (*)(void))) == 0;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* A kernel's cases depend on the seed and its name alone, so a filter does not change them. */
static uint64_t seed_for(const char *name)
{
    uint64_t hash = st.seed;
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
    return hash;
}

static const char *signal_name(int number)
{
    return number == SIGSEGV  ? "SIGSEGV"
           : number == SIGBUS ? "SIGBUS"
           : number == SIGILL ? "SIGILL"
                              : "SIGFPE";
}

/* A kernel that changes how floats round, or flushes subnormals, changes all results after it. */
static void check_float_mode(void)
{
    volatile float x = FLT_MIN;
    x = x * 0.5f;
    x = x * 2.0f;
    if (x != FLT_MIN || fegetround() != FE_TONEAREST)
        fail("leaves the float mode changed");
}

static bool run_kernel(const char *isa, const struct kernel *kernel)
{
    st.rng = seed_for(kernel->name);
    st.n_cases = 0;
    st.signal = 0;
    if (sigsetjmp(st.failed, 1) == 0) {
        st.armed = 1;
        kernel->check(kernel->index);
        check_float_mode();
        st.armed = 0;
        printf("%-8s %-15s ok, %u cases\n", isa, kernel->name, st.n_cases);
        return true;
    }
    st.armed = 0;
    if (st.signal)
        snprintf(st.what, sizeof st.what, "%s in the %s kernel", signal_name((int)st.signal),
                 st.side ? isa : "scalar");
    printf("%-8s %-15s FAILED with %s (case %u): %s; --seed %llu\n", isa, kernel->name, st.shape,
           st.n_cases, st.what, (unsigned long long)st.seed);
    return false;
}

struct options {
    size_t slack;       /* bytes between inputs and the unmapped page */
    const char *isa;    /* NULL: all that this CPU can run */
    const char *filter; /* "": all kernels */
    const char *walk;   /* --bench: one's name, "all", or NULL: the default */
    bool bench, list;
};

/* A row that this CPU lacks nothing for but tiles, whose instructions tiles.c stands in for. */
static bool by_emulation(const struct trit_isa *isa)
{
    const unsigned missing = isa->cpu & ~trit_cpu_features();
    return isa->init && missing == TRIT_CPU_AMX && tiles_emulated();
}

/* A bench of emulation would measure nothing. */
static bool can_run(const struct options *o, const struct trit_isa *isa)
{
    return trit_isa_usable(isa) || (!o->bench && by_emulation(isa));
}

static bool wanted_row(const struct options *o, const struct trit_isa *isa)
{
    if (o->isa)
        return strcmp(o->isa, isa->name) == 0;
    return can_run(o, isa) && (o->bench || isa != trit_isas);
}

static bool matches(const struct options *o, const char *name)
{
    return strstr(name, o->filter) != NULL;
}

static int check_all(const struct options *o)
{
    struct trit_kernels seen[MAX_ROWS];
    size_t n_seen = 0, n_checked = 0, n_failed = 0;

    printf("check_kernels: seed %llu\n", (unsigned long long)st.seed);
    trit_kernels_init(&st.table[0], trit_isas);
    if (!o->isa || strcmp(o->isa, trit_isas->name) != 0)
        seen[n_seen++] = st.table[0];
    for (const struct trit_isa *isa = trit_isas; isa->name; isa++) {
        if (!wanted_row(o, isa))
            continue;
        trit_kernels_init(&st.table[1], isa);
        if (!trit_isa_usable(isa)) {
            isa->init(&st.table[1]);
            printf("%s by emulation of its instructions\n", isa->name);
        }
        for (size_t i = 0; i < LENGTH(kernels); i++) {
            bool fresh = matches(o, kernels[i].name);
            for (size_t s = 0; s < n_seen && fresh; s++)
                fresh = !same_function(&seen[s], &st.table[1], kernels[i].offset);
            if (fresh) {
                n_checked++;
                n_failed += !run_kernel(isa->name, &kernels[i]);
                fflush(stdout);
            }
        }
        assert(n_seen < MAX_ROWS);
        seen[n_seen++] = st.table[1];
    }
    printf("check_kernels: %zu checked, %zu failed\n", n_checked, n_failed);
    return n_failed ? 1 : 0;
}

static int list_all(void)
{
    for (const struct trit_isa *isa = trit_isas; isa->name; isa++)
        printf("isa %-8s %s\n", isa->name,
               trit_isa_usable(isa) ? "usable"
               : by_emulation(isa)  ? "by emulation"
                                    : "not usable here");
    for (size_t i = 0; i < LENGTH(kernels); i++)
        printf("kernel %s\n", kernels[i].name);
    return 0;
}

/* ---- Bench -----------------------------------------------------------------------------------
 *
 * Kernels that take one token, or few, stream weights from memory, as generation does: calls go
 * round a buffer that no cache holds, and the limit beside the figure is that of probe_read over
 * the same bytes. All others are measured with warm caches, the ternary product beside probe_macs.
 * Kernel and limit take turns, so that what else the machine does slows both. */

/* Shapes as in a 2B model; the sizes of what a shape needs follow from the kind of kernel. */
struct bench {
    const char *name;
    int index;
    size_t n_rows, n_cols, n_tokens;
    void (*run)(const struct trit_kernels *k, const struct bench *b);
    size_t n_weight_bytes; /* what one call streams through */
};

enum { STREAM_BYTES = 256 << 20, BENCH_FLOATS = 6912 * 512 };

/* Random contents; every bench uses what it needs. */
static struct {
    uint8_t *stream; /* [STREAM_BYTES] */
    size_t at;       /* of the weights of this call in it */
    float *x, *y;
    int8_t *q;
    struct trit_q8 xq[512];
    struct trit_softmax sm[TRIT_ATTN_QUERIES];
    volatile uint64_t sum;
    const struct trit_walk *walk;
} data;

static void bench_t2(const struct trit_kernels *k, const struct bench *b)
{
    k->t2_gemm(data.y, b->n_rows, data.stream + data.at, data.q, data.xq, 1.0f, b->n_rows,
               b->n_cols, b->n_tokens, data.walk);
}

static void bench_gemm(const struct trit_kernels *k, const struct bench *b)
{
    k->gemm[b->index](data.y, b->n_rows, data.stream + data.at, data.x, b->n_cols, b->n_rows,
                      b->n_cols, b->n_tokens, data.walk);
}

static void bench_attn(const struct trit_kernels *k, const struct bench *b)
{
    const struct trit_attn_shape shape = {
        .n_keys = b->n_rows / 2,
        .head_dim = b->n_cols,
        .scale = 0.1f,
        .n_q = b->n_tokens,
        .ldq = b->n_cols,
        .later = true, /* what is there from the calls before stays finite */
        .hint = TRIT_HINT_T0,
    };
    k->attn_block[b->index](data.y, data.sm, &shape, data.x, data.stream, data.x,
                            data.stream + b->n_weight_bytes / 2, data.x);
}

static void bench_quantize(const struct trit_kernels *k, const struct bench *b)
{
    k->quantize_row[TRIT_ACT_FORM_MUL](data.q, data.xq, data.x, b->n_cols, b->n_cols, 1e-5f,
                                       127.0f);
}

static void bench_rmsnorm(const struct trit_kernels *k, const struct bench *b)
{
    k->rmsnorm(data.y, data.x, data.x + b->n_cols, b->n_cols, 1e-5f);
}

static void bench_layernorm(const struct trit_kernels *k, const struct bench *b)
{
    k->layernorm(data.y, data.x, data.x + b->n_cols, data.x, b->n_cols, 1e-5f);
}

/* In place, so that values grow; after so many they are infinite, which costs nothing more. */
static void bench_fwht(const struct trit_kernels *k, const struct bench *b)
{
    k->fwht(data.y, b->n_cols);
}

static void bench_read(const struct trit_kernels *k, const struct bench *b)
{
    data.sum ^= k->probe_read(data.stream + data.at, b->n_weight_bytes, TRIT_HINT_NONE);
}

static void bench_macs(const struct trit_kernels *k, const struct bench *b)
{
    data.sum ^= k->probe_macs(b->n_rows);
}

#define T2(rows, cols, tokens) "t2_gemm", 0, rows, cols, tokens, bench_t2, (rows) * (cols) / 4
#define GEMM(name, FORMAT, rows, tokens, block, bytes)                                             \
    "gemm_" name, FORMAT, rows, 2560, tokens, bench_gemm, (rows)*2560 / (block) * (bytes)

static const struct bench benches[] = {
    {T2(2560, 2560, 1)},
    {T2(2560, 2560, 2)}, /* two or three digits of a lone token (forward.c) */
    {T2(2560, 2560, 3)},
    {T2(2560, 2560, 8)},
    {T2(2560, 2560, 64)},
    {T2(6912, 2560, 1)},
    {T2(6912, 2560, 64)},
    {T2(2560, 6912, 1)},
    {T2(4096, 14336, 1)},
    {T2(2560, 6912, 8)},
    {T2(2560, 6912, 64)},
    {T2(2560, 2560, 512)}, /* a batch, as AMX wants it */
    {T2(4096, 4096, 512)},
    {T2(2560, 6912, 512)},
    {GEMM("f16", TRIT_FORMAT_F16, 2048, 1, 1, 2)},
    {GEMM("f16", TRIT_FORMAT_F16, 2048, 8, 1, 2)},
    {GEMM("bf16", TRIT_FORMAT_BF16, 2048, 1, 1, 2)},
    {GEMM("f32", TRIT_FORMAT_F32, 2048, 1, 1, 4)},
    {GEMM("q8_0", TRIT_FORMAT_Q8_0, 2048, 1, 32, 34)},
    {GEMM("q4_0", TRIT_FORMAT_Q4_0, 2048, 1, 32, 18)},
    {GEMM("q4_k", TRIT_FORMAT_Q4_K, 2048, 1, 256, 144)},
    {GEMM("q6_k", TRIT_FORMAT_Q6_K, 2048, 1, 256, 210)},
    /* 64 keys; each is multiplied twice, as a key and as a value */
    {"attn_block_f16", TRIT_KV_F16, 2 * 64, 128, 1, bench_attn, 2 * 64 * 128 * 2},
    {"attn_block_f16", TRIT_KV_F16, 2 * 64, 128, 4, bench_attn, 2 * 64 * 128 * 2},
    {"attn_block_f16", TRIT_KV_F16, 2 * 64, 128, 8, bench_attn, 2 * 64 * 128 * 2},
    {"quantize_row", 0, 1, 2560, 1, bench_quantize, 2560 * 4},
    {"rmsnorm", 0, 1, 2560, 1, bench_rmsnorm, 2 * 2560 * 4},
    {"layernorm", 0, 1, 2048, 1, bench_layernorm, 3 * 2048 * 4},
    {"fwht", 0, 1, 2048, 1, bench_fwht, 2048 * 4},
};

static bool streams(const struct bench *b)
{
    return (b->n_tokens <= 3 && b->run == bench_t2) || (b->n_tokens == 1 && b->run == bench_gemm);
}

/* What limits a bench, as a bench; its run is NULL where there is nothing to compare with. */
static struct bench limit_of(const struct bench *b)
{
    struct bench limit = {"limit", 0, 256, 1, 1, NULL, b->n_weight_bytes};
    limit.run = streams(b) ? bench_read : b->run == bench_t2 ? bench_macs : NULL;
    return limit;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds of n calls. Where weights stream, each call has the next ones. */
static double seconds_of(const struct trit_kernels *k, const struct bench *b, size_t n, bool stream)
{
    const double start = now();
    for (size_t i = 0; i < n; i++) {
        if (stream && (data.at += b->n_weight_bytes) > STREAM_BYTES - b->n_weight_bytes)
            data.at = 0;
        b->run(k, b);
    }
    return now() - start;
}

/* Calls that take 1 ms, or 8 ms where a memory is what is measured. */
static size_t calls_per_repeat(const struct trit_kernels *k, const struct bench *b, bool stream)
{
    size_t n = 1;
    while (n < 1u << 20 && seconds_of(k, b, n, stream) < (stream ? 8e-3 : 1e-3))
        n *= 2;
    return n;
}

/* Medians over the repeats, in seconds of one call of each. */
struct times {
    double kernel, limit; /* limit: 0 where there is none */
};

static struct times measure(const struct trit_kernels *k, const struct bench *b)
{
    enum { MIN_REPEATS = 3, MAX_REPEATS = 25 };
    const struct bench limit = limit_of(b);
    const bool stream = streams(b);
    double kernel[MAX_REPEATS], limits[MAX_REPEATS];
    size_t n = 0;

    data.at = 0;
    const size_t n_kernel = calls_per_repeat(k, b, stream);
    const size_t n_limit = limit.run ? calls_per_repeat(k, &limit, stream) : 0;
    const double start = now();
    for (; n < MAX_REPEATS && (n < MIN_REPEATS || now() - start < 0.4); n++) {
        kernel[n] = seconds_of(k, b, n_kernel, stream) / (double)n_kernel;
        if (limit.run)
            limits[n] = seconds_of(k, &limit, n_limit, stream) / (double)n_limit;
    }
    qsort(kernel, n, sizeof *kernel, by_value);
    qsort(limits, limit.run ? n : 0, sizeof *limits, by_value);
    return (struct times){kernel[n / 2], limit.run ? limits[n / 2] : 0};
}

static void fill_data(const struct bench *b)
{
    st.rng = seed_for(b->name);
    if (b->run == bench_gemm)
        fill_weights(data.stream, b->n_weight_bytes, (enum trit_format)b->index, ALIKE);
    else if (b->run == bench_attn) /* f16 rows */
        fill_weights(data.stream, b->n_weight_bytes, TRIT_FORMAT_F16, ALIKE);
    else
        fill_t2(data.stream, b->n_weight_bytes, CODES_TERNARY);
    for (size_t at = b->n_weight_bytes; at + b->n_weight_bytes <= STREAM_BYTES;
         at += b->n_weight_bytes)
        memcpy(data.stream + at, data.stream, b->n_weight_bytes);
    fill_floats(data.x, BENCH_FLOATS, UNIFORM);
    fill_x(data.q, BENCH_FLOATS, X_RANDOM);
    for (size_t t = 0; t < LENGTH(data.xq); t++)
        data.xq[t] = (struct trit_q8){.s = 10.0f};
}

static void bench_one(const struct bench *b, const struct trit_isa *isa)
{
    struct trit_kernels k;
    trit_kernels_init(&k, isa);
    const struct times t = measure(&k, b);
    const double n_macs = (double)b->n_rows * (double)b->n_cols * (double)b->n_tokens;

    printf("%-15s %5zu x %-5zu %6zu  %-8s %-5s %10.2f %8.2f %8.2f", b->name, b->n_rows, b->n_cols,
           b->n_tokens, isa->name, streams(b) ? data.walk->name : "", t.kernel * 1e6,
           (double)b->n_weight_bytes / t.kernel * 1e-9, n_macs / t.kernel * 1e-9);
    if (streams(b))
        printf("  %3.0f %% of %.1f GB/s", 100 * t.limit / t.kernel,
               (double)b->n_weight_bytes / t.limit * 1e-9);
    else if (t.limit > 0) {
        const double peak = (double)k.probe_macs(256) / t.limit;
        printf("  %3.0f %% of %.1f GMAC/s", 100 * n_macs / t.kernel / peak, peak * 1e-9);
    }
    putchar('\n');
    fflush(stdout);
}

/* A batch would take the scalar row minutes. */
static bool worth_it(const struct options *o, const struct bench *b, const struct trit_isa *isa)
{
    return wanted_row(o, isa) && (b->n_tokens <= 64 || isa != trit_isas);
}

/* Whether data.walk is to be measured. */
static bool wanted_walk(const struct options *o, const struct bench *b)
{
    const unsigned of = b->run == bench_t2 ? TRIT_WALK_T2 : TRIT_WALK_FLOAT;

    if (!o->walk || !streams(b))
        return data.walk == trit_walks;
    return (data.walk->of & of) &&
           (strcmp(o->walk, "all") == 0 || strcmp(o->walk, data.walk->name) == 0);
}

static int bench_all(const struct options *o)
{
    data.stream = aligned_alloc(4096, STREAM_BYTES); /* as in a mapped file */
    data.x = aligned_alloc(64, BENCH_FLOATS * sizeof *data.x);
    data.y = aligned_alloc(64, BENCH_FLOATS * sizeof *data.y);
    data.q = aligned_alloc(64, BENCH_FLOATS);
    if (!data.stream || !data.x || !data.y || !data.q) {
        fprintf(stderr, "check_kernels: out of memory\n");
        return 2;
    }
    printf("one thread; up to three tokens: weights from memory, beside the speed of reading\n"
           "them; otherwise caches warm; GB/s of weights (of input where there are none)\n");
    printf("%-15s %5s x %-5s %6s  %-8s %-5s %10s %8s %8s  %s\n", "kernel", "rows", "cols", "tokens",
           "isa", "walk", "us", "GB/s", "GMAC/s", "of the limit");
    for (size_t i = 0; i < LENGTH(benches); i++) {
        if (!matches(o, benches[i].name))
            continue;
        fill_data(&benches[i]);
        for (const struct trit_isa *isa = trit_isas; isa->name; isa++)
            for (data.walk = trit_walks; data.walk->name && worth_it(o, &benches[i], isa);
                 data.walk++)
                if (wanted_walk(o, &benches[i]))
                    bench_one(&benches[i], isa);
    }
    free(data.stream), free(data.x), free(data.y), free(data.q);
    return 0;
}

/* ---- Command line ---------------------------------------------------------------------------- */

static int usage(void)
{
    fprintf(stderr,
            "usage: check_kernels [--seed N] [--isa NAME] [--filter SUBSTRING]\n"
            "                     [--slack N]\n"
            "       check_kernels --bench [SUBSTRING] [--isa NAME] [--walk NAME|all]\n"
            "       check_kernels --list\n"
            "--slack leaves N bytes before the unmapped page: qemu 7.2 reads 16 bytes where\n"
            "a scalar FMA reads 4\n"
            "exit: 0 all equal, 1 a kernel failed, 2 usage, 77 that row cannot run here\n");
    return 2;
}

static bool parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--list") == 0) {
            o->list = true;
        } else if (strcmp(argv[i], "--bench") == 0) {
            o->bench = true;
            if (value && value[0] != '-')
                o->filter = argv[++i];
        } else if (strcmp(argv[i], "--seed") == 0 && value) {
            char *end;
            st.seed = strtoull(argv[++i], &end, 0);
            if (end == value || *end)
                return false;
        } else if (strcmp(argv[i], "--slack") == 0 && value) {
            o->slack = (size_t)atoi(argv[++i]) % 64;
        } else if (strcmp(argv[i], "--isa") == 0 && value) {
            o->isa = argv[++i];
        } else if (strcmp(argv[i], "--walk") == 0 && value) {
            o->walk = argv[++i];
        } else if (strcmp(argv[i], "--filter") == 0 && value) {
            o->filter = argv[++i];
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options o = {.filter = ""};

    list_kernels();
    st.seed = (uint64_t)time(NULL);
    if (!parse(&o, argc, argv))
        return usage();
    if (o.list)
        return list_all();
    if (o.isa) {
        const struct trit_isa *isa = trit_isa_find(o.isa);
        if (!isa) {
            fprintf(stderr, "check_kernels: no row '%s'; see --list\n", o.isa);
            return 2;
        }
        if (!can_run(&o, isa)) {
            printf("check_kernels: this build or CPU cannot run %s\n", o.isa);
            return 77;
        }
    }
    if (o.bench)
        return bench_all(&o);
    map_slots(o.slack);
    catch_signals();
    return check_all(&o);
}

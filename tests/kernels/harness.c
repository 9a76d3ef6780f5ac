/* harness.c - see harness.h. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, sigsetjmp under -std=c11 */

#include "harness.h"

#include <assert.h>
#include <fenv.h>
#include <float.h>
#include <fnmatch.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tiles.h"

enum {
    N_SLOTS = 12,
    SLOT_BYTES = 6 << 20, /* the largest input is a row of 2^22 int8 */
    CANARY_BYTES = 64,
    CANARY = 0xa5,
};

/* The state of a run. A check reads table[] and reports with fail(), which does not return. */
static struct {
    uint64_t seed, rng;
    struct trit_kernels table[2]; /* 0: scalar, 1: the row under test */
    volatile sig_atomic_t armed, side, signal;
    sigjmp_buf failed;
    uint8_t *slot_end[N_SLOTS]; /* each points to the start of an unmapped page */
    size_t n_taken;
    unsigned n_cases;
    char shape[200], what[200];
} st;

/* ---- Chance ---------------------------------------------------------------------------------- */

void set_seed(uint64_t seed)
{
    st.seed = seed;
}

void begin_chance(const char *name)
{
    st.rng = st.seed;
    for (; *name; name++)
        st.rng = (st.rng ^ (uint8_t)*name) * 0x100000001b3u;
}

static uint64_t random_bits(void) /* splitmix64 */
{
    uint64_t z = st.rng += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

size_t below(size_t n) /* 0..n-1 */
{
    return (size_t)(random_bits() >> 33) % n;
}

float uniform(void) /* -1..1 */
{
    return (float)((double)(random_bits() >> 11) * 0x1p-52 - 1.0);
}

float from_bits(uint32_t u)
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

void fill_bytes(void *p, size_t n)
{
    uint8_t *b = p;
    for (; n >= 8; n -= 8, b += 8) {
        const uint64_t r = random_bits();
        memcpy(b, &r, 8);
    }
    for (; n > 0; n--)
        *b++ = (uint8_t)random_bits();
}

const char *const fill_names[N_FILLS] = {"uniform",  "wide",  "spikes",   "small",
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

void fill_floats(float *x, size_t n, enum fill fill)
{
    for (size_t i = 0; i < n; i++)
        x[i] = random_float(fill);
    if (fill == WITH_NAN || fill == WITH_INF) {
        const uint32_t payload = fill == WITH_NAN ? 1 + (uint32_t)below(0x7fffff) : 0;
        const uint32_t u = (uint32_t)below(2) << 31 | 0x7f800000u | payload;
        memcpy(&x[below(n)], &u, sizeof u);
    }
}

void fill_int8(int8_t *q, size_t n)
{
    fill_bytes(q, n);
    for (size_t i = 0; i < n; i++)
        q[i] = q[i] == -128 ? -127 : q[i];
}

/* ---- Failing --------------------------------------------------------------------------------- */

void fail(const char *format, ...)
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
    if (!st.armed) { /* not a fault of a kernel: let it happen again and end the program */
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

void begin(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(st.shape, sizeof st.shape, format, args);
    va_end(args);
    st.n_taken = 0;
    st.n_cases++;
}

const struct trit_kernels *enter(int side)
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

/* The last bytes of a slot, before a gap with canaries, so that reads of the gap show. */
static uint8_t *take_before(size_t gap, size_t bytes)
{
    assert(st.n_taken < N_SLOTS && bytes + gap <= SLOT_BYTES);
    uint8_t *end = st.slot_end[st.n_taken++];
    memset(end - gap, 0xff, gap);
    return end - gap - bytes;
}

void *input(size_t bytes, size_t elem)
{
    return take_before(below(2) ? 0 : elem * (1 + below(15)), bytes);
}

float *input_floats(size_t n, enum fill fill)
{
    float *x = input(n * sizeof *x, sizeof *x);
    fill_floats(x, n, fill);
    return x;
}

struct output output(size_t bytes, size_t elem)
{
    struct output o = {.bytes = bytes, .after = CANARY_BYTES + elem * below(16)};
    for (int side = 0; side < 2; side++) {
        uint8_t *base = take_before(0, CANARY_BYTES + bytes + o.after);
        memset(base, CANARY, CANARY_BYTES + bytes + o.after);
        o.p[side] = base + CANARY_BYTES;
    }
    return o;
}

void preload_rows(const struct output *o, const void *rows, size_t row_bytes, size_t stride,
                  size_t n_rows)
{
    for (int side = 0; side < 2; side++)
        for (size_t r = 0; r < n_rows; r++)
            memcpy(o->p[side] + r * stride, (const uint8_t *)rows + r * row_bytes, row_bytes);
}

void preload(const struct output *o, const void *bytes)
{
    preload_rows(o, bytes, o->bytes, o->bytes, 1);
}

float *floats(const struct output *o, int side)
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

void compare_rows(const struct output *o, const char *name, enum rule rule, size_t row_bytes,
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

void compare(const struct output *o, const char *name, enum rule rule)
{
    compare_rows(o, name, rule, o->bytes, o->bytes, 1);
}

const void *unmapped(void)
{
    return st.slot_end[0] + 1024;
}

bool walk_matters(const struct trit_walk *walk, unsigned of, size_t n_tokens)
{
    return walk == trit_walks || ((walk->of & of) && n_tokens <= 3);
}

/* ---- Running a check ------------------------------------------------------------------------- */

static const char *signal_name(int number)
{
    return number == SIGSEGV  ? "SIGSEGV"
           : number == SIGBUS ? "SIGBUS"
           : number == SIGILL ? "SIGILL"
                              : "SIGFPE";
}

/* A kernel that changes the rounding mode, or flushes subnormals, changes all later results. */
static void check_float_mode(void)
{
    volatile float x = FLT_MIN;
    x = x * 0.5f;
    x = x * 2.0f;
    if (x != FLT_MIN || fegetround() != FE_TONEAREST)
        fail("leaves the float mode changed");
}

bool run_check(const char *isa, const struct check *check)
{
    begin_chance(check->name);
    st.n_cases = 0;
    st.signal = 0;
    if (sigsetjmp(st.failed, 1) == 0) {
        st.armed = 1;
        check->run(check->index);
        check_float_mode();
        st.armed = 0;
        printf("%-8s %-15s ok, %u cases\n", isa, check->name, st.n_cases);
        return true;
    }
    st.armed = 0;
    if (st.signal)
        snprintf(st.what, sizeof st.what, "%s in the %s kernel", signal_name((int)st.signal),
                 st.side ? isa : "scalar");
    printf("%-8s %-15s FAILED with %s (case %u): %s; --seed %llu\n", isa, check->name, st.shape,
           st.n_cases, st.what, (unsigned long long)st.seed);
    return false;
}

struct trit_kernels *kernels_under_test(int side)
{
    return &st.table[side];
}

void open_harness(size_t slack)
{
    map_slots(slack);
    catch_signals();
}

/* ---- What the command line asks for ---------------------------------------------------------- */

bool by_emulation(const struct trit_isa *isa)
{
    const unsigned missing = isa->cpu & ~trit_cpu_features();
    return isa->init && missing == TRIT_CPU_AMX && tiles_emulated();
}

bool can_run(const struct options *o, const struct trit_isa *isa)
{
    return trit_isa_usable(isa) || (!o->bench && by_emulation(isa));
}

bool wanted_row(const struct options *o, const struct trit_isa *isa)
{
    if (o->isa)
        return strcmp(o->isa, isa->name) == 0;
    return can_run(o, isa) && (o->bench || isa != trit_isas);
}

bool matches(const struct options *o, const char *name)
{
    char pattern[200];
    snprintf(pattern, sizeof pattern, "*%s*", o->filter);
    return fnmatch(pattern, name, 0) == 0;
}

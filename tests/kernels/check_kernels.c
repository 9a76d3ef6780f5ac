/* check_kernels.c - compares the kernels of every instruction set with the scalar ones, bit for
 * bit, in the manner of dav1d's checkasm; with --bench, measures them.
 *
 * Each kernel that is not already in an earlier row gets the same random and extreme inputs as the
 * scalar one, and all their output must be equal: see harness.h. The check and the benches of a
 * kernel are together in the check_*.c of its family.
 *
 * The scalar row is the reference; "--isa scalar" compares it with itself, which still detects
 * accesses out of bounds. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench_kernels.h"
#include "harness.h"

enum { MAX_ROWS = 16 };

static const struct family *const families[] = {
    &t2_family,       &format_family, &attention_family,
    &quantize_family, &norm_family,   &rope_family,
    &glu_family,      &probe_family,  NULL,
};

/* ---- Checking -------------------------------------------------------------------------------- */

/* The check of an operation, or NULL. */
static const struct check *find_check(const char *name)
{
    for (const struct family *const *f = families; *f; f++)
        for (size_t i = 0; i < (*f)->n_checks; i++)
            if (strcmp((*f)->checks[i].name, name) == 0)
                return &(*f)->checks[i];
    return NULL;
}

/* Every operation of kernels.h must have a check, and every check an operation. */
static bool families_are_complete(void)
{
    size_t n = 0;

    for (const struct trit_operation *op = trit_operations; op->name; op++, n++)
        if (!find_check(op->name)) {
            fprintf(stderr, "check_kernels: no family checks %s\n", op->name);
            return false;
        }
    for (const struct family *const *f = families; *f; f++)
        n -= (*f)->n_checks;
    if (n)
        fprintf(stderr, "check_kernels: a family checks what is not an operation\n");
    return n == 0;
}

/* Whether the filter matches a kernel, or a line of --bench. */
static bool any_matches(const struct options *o)
{
    for (const struct family *const *f = families; *f; f++) {
        for (size_t i = 0; i < (*f)->n_checks && !o->bench; i++)
            if (matches(o, (*f)->checks[i].name))
                return true;
        for (size_t i = 0; i < (*f)->n_benches && o->bench; i++)
            if (matches(o, (*f)->benches[i].name))
                return true;
    }
    return false;
}

static bool same_function(const struct trit_kernels *a, const struct trit_kernels *b, size_t offset)
{
    return memcmp((const char *)a + offset, (const char *)b + offset, sizeof(void (*)(void))) == 0;
}

static bool is_seen(const struct trit_kernels *seen, size_t n_seen, size_t offset)
{
    for (size_t i = 0; i < n_seen; i++)
        if (same_function(&seen[i], kernels_under_test(1), offset))
            return true;
    return false;
}

static int check_all(const struct options *o, uint64_t seed)
{
    struct trit_kernels seen[MAX_ROWS], *table = kernels_under_test(1);
    size_t n_seen = 0, n_checked = 0, n_failed = 0;

    printf("check_kernels: seed %llu\n", (unsigned long long)seed);
    trit_kernels_init(kernels_under_test(0), trit_isas);
    if (!o->isa || strcmp(o->isa, trit_isas->name) != 0)
        seen[n_seen++] = *kernels_under_test(0);
    for (const struct trit_isa *isa = trit_isas; isa->name; isa++) {
        if (!wanted_row(o, isa))
            continue;
        trit_kernels_init(table, isa);
        if (!trit_isa_usable(isa)) {
            isa->init(table);
            printf("%s by emulation of its instructions\n", isa->name);
        }
        for (const struct trit_operation *op = trit_operations; op->name; op++)
            if (matches(o, op->name) && !is_seen(seen, n_seen, op->offset)) {
                n_checked++;
                n_failed += !run_check(isa->name, find_check(op->name));
                fflush(stdout);
            }
        assert(n_seen < MAX_ROWS);
        seen[n_seen++] = *table;
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
    for (const struct trit_operation *op = trit_operations; op->name; op++)
        printf("kernel %s\n", op->name);
    return 0;
}

/* ---- Command line ---------------------------------------------------------------------------- */

static int usage(void)
{
    fprintf(stderr,
            "usage: check_kernels [--seed N] [--isa NAME] [--filter PATTERN]\n"
            "                     [--slack N]\n"
            "       check_kernels --bench [PATTERN] [--isa NAME] [--walk NAME|all]\n"
            "       check_kernels --list\n"
            "PATTERN is part of a name; * and ? are as in a shell\n"
            "--slack leaves N bytes before the unmapped page: qemu 7.2 reads 16 bytes where\n"
            "a scalar FMA reads 4\n"
            "exit: 0 all equal, 1 a kernel failed, 2 usage, 77 that row cannot run here\n");
    return 2;
}

static bool parse(struct options *o, uint64_t *seed, int argc, char **argv)
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
            *seed = strtoull(argv[++i], &end, 0);
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

/* Checks the options. @return 0, or the exit status */
static int refuse(const struct options *o)
{
    const struct trit_isa *isa = o->isa ? trit_isa_find(o->isa) : NULL;

    if (o->isa && !isa) {
        fprintf(stderr, "check_kernels: no row '%s'; see --list\n", o->isa);
        return 2;
    }
    if (!any_matches(o)) {
        fprintf(stderr, "check_kernels: no kernel is called '%s'; see --list\n", o->filter);
        return 1;
    }
    if (isa && !can_run(o, isa)) {
        printf("check_kernels: this build or CPU cannot run %s\n", o->isa);
        return 77;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options o = {.filter = ""};
    uint64_t seed = (uint64_t)time(NULL);

    if (!families_are_complete())
        return 1;
    if (!parse(&o, &seed, argc, argv))
        return usage();
    if (o.list)
        return list_all();
    const int status = refuse(&o);
    if (status)
        return status;
    set_seed(seed);
    if (o.bench)
        return bench_all(&o, families);
    open_harness(o.slack);
    return check_all(&o, seed);
}

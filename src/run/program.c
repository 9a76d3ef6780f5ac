/* program.c - what the program is and what it can use: version, instruction sets, threads. */
#include "kernels.h"
#include "platform.h"
#include "pool.h"

const char *trit_version(void)
{
    return TRIT_VERSION;
}

bool trit_isa_at(int i, struct trit_isa_info *out)
{
    int n = 0;
    while (trit_isas[n].name)
        n++;
    if (i < 0 || i >= n)
        return false;
    const struct trit_isa *isa = &trit_isas[i];
    *out = (struct trit_isa_info){isa->name, isa->init != NULL, trit_isa_usable(isa)};
    return true;
}

bool trit_operation_at(int i, const char *isa, struct trit_operation_info *out)
{
    const struct trit_isa *row = isa ? trit_isa_find(isa) : trit_isa_best();
    int n = 0;

    while (trit_operations[n].name)
        n++;
    if (i < 0 || i >= n || !row || !trit_isa_usable(row))
        return false;
    *out = (struct trit_operation_info){trit_operations[i].name,
                                        trit_operation_row(&trit_operations[i], row)->name};
    return true;
}

const char *trit_isa_default(void)
{
    return trit_isa_best()->name;
}

int trit_threads_default(void)
{
    const int n = trit_physical_cores();
    return n < TRIT_MAX_THREADS ? n : TRIT_MAX_THREADS;
}

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

const char *trit_isa_default(void)
{
    return trit_isa_best()->name;
}

int trit_threads_default(void)
{
    const int n = trit_physical_cores();
    return n < TRIT_MAX_THREADS ? n : TRIT_MAX_THREADS;
}

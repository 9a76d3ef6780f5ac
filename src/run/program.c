/* program.c - version, instruction sets, walks, operations and the machine. */
#include "trit_tools.h"

#include <stdlib.h>

#include "kernels.h"
#include "machine.h"
#include "pool.h"

#define TEXT(x) #x
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

const char *trit_version(void)
{
    return VERSION(TRIT_VERSION_MAJOR, TRIT_VERSION_MINOR, TRIT_VERSION_PATCH);
}

void trit_free(void *memory)
{
    free(memory);
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

bool trit_walk_at(int i, struct trit_walk_info *out)
{
    int n = 0;
    while (trit_walks[n].name)
        n++;
    if (i < 0 || i >= n)
        return false;
    *out = (struct trit_walk_info){trit_walks[i].name, trit_walks[i].note};
    return true;
}

const char *trit_kv_type_at(int i)
{
    static const char *const names[] = {
        [TRIT_KV_TYPE_F16] = "f16", [TRIT_KV_TYPE_F32] = "f32", [TRIT_KV_TYPE_I8] = "i8"};
    return i >= 0 && i <= TRIT_KV_TYPE_I8 ? names[i] : NULL;
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
    struct trit_machine_info machine;

    trit_cgroup_limits(&machine, "");
    const int n = trit_threads_within(machine.cpu_limit, trit_physical_cores());
    return n < TRIT_MAX_THREADS ? n : TRIT_MAX_THREADS;
}

void trit_machine_get_info(struct trit_machine_info *out)
{
    *out = (struct trit_machine_info){.n_cores = trit_physical_cores(),
                                      .memory_bytes = trit_memory_bytes()};
    trit_cpu_describe(out);
    trit_cgroup_limits(out, "");
}

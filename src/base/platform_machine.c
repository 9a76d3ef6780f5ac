/* platform_machine.c - machine.h for Linux and macOS. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_getaffinity */
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE
#else
#define _POSIX_C_SOURCE 200809L
#endif

#include "machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sched.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

/* ---- Processors ------------------------------------------------------------------------------ */

#if defined(__linux__)

/* A number from a CPU's one-line file in sysfs, or -1. */
static long read_number(const char *sysfs, int cpu, const char *name)
{
    char path[256];
    long n = -1;

    snprintf(path, sizeof path, "%s/system/cpu/cpu%d/%s", sysfs, cpu, name);
    FILE *f = fopen(path, "r");
    if (!f)
        return -1;
    if (fscanf(f, "%ld", &n) != 1)
        n = -1;
    fclose(f);
    return n;
}

/* Whether a CPU is in the list of Intel's efficiency cores, such as "8-15,20". */
static bool is_atom(const char *sysfs, int cpu)
{
    char path[256];
    bool found = false;
    int first, last;

    snprintf(path, sizeof path, "%s/cpu_atom/cpus", sysfs);
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    while (!found && fscanf(f, "%d", &first) == 1) {
        last = first;
        int c = fgetc(f);
        if (c == '-' && fscanf(f, "%d", &last) == 1)
            c = fgetc(f);
        found = cpu >= first && cpu <= last;
        if (c != ',')
            break;
    }
    fclose(f);
    return found;
}

/* On Arm, cpu_capacity is relative to the fastest CPU's 1024; little cores are far below. */
static bool is_little(long capacity, long most)
{
    return capacity > 0 && capacity * 5 < most * 3;
}

int trit_performance_cores(const char *sysfs, const bool *allowed, int n_cpus)
{
    enum { MAX_CORES = 1024 };
    long seen[MAX_CORES][3], most = 0;
    int n_seen = 0;

    for (int cpu = 0; cpu < n_cpus; cpu++) {
        const long capacity = allowed[cpu] ? read_number(sysfs, cpu, "cpu_capacity") : 0;
        most = capacity > most ? capacity : most;
    }
    for (int pass = 0; pass < 2 && !n_seen; pass++) /* second pass: any core */
        for (int cpu = 0; cpu < n_cpus && n_seen < MAX_CORES; cpu++) {
            if (!allowed[cpu] ||
                (pass == 0 &&
                 (is_atom(sysfs, cpu) || is_little(read_number(sysfs, cpu, "cpu_capacity"), most))))
                continue;
            const long id[3] = {/* on Arm, core numbers start over in each cluster */
                                read_number(sysfs, cpu, "topology/physical_package_id"),
                                read_number(sysfs, cpu, "topology/cluster_id"),
                                read_number(sysfs, cpu, "topology/core_id")};
            int i = 0;
            while (i < n_seen && (id[2] < 0 || memcmp(seen[i], id, sizeof id) != 0))
                i++;
            if (i == n_seen)
                memcpy(seen[n_seen++], id, sizeof id);
        }
    return n_seen > 0 ? n_seen : 1;
}

int trit_physical_cores(void)
{
    cpu_set_t set;
    bool allowed[CPU_SETSIZE];

    if (sched_getaffinity(0, sizeof set, &set) != 0) { /* more CPUs than the set holds */
        const long n = sysconf(_SC_NPROCESSORS_ONLN);
        return n > 0 ? (int)n : 1;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        allowed[cpu] = CPU_ISSET((size_t)cpu, &set);
    return trit_performance_cores("/sys/devices", allowed, CPU_SETSIZE);
}

#elif defined(__APPLE__)

int trit_physical_cores(void)
{
    int n = 0;
    size_t size = sizeof n;
    if (sysctlbyname("hw.perflevel0.physicalcpu", &n, &size, NULL, 0) != 0 &&
        sysctlbyname("hw.physicalcpu", &n, &size, NULL, 0) != 0)
        return 1;
    return n > 0 ? n : 1;
}

#else

int trit_physical_cores(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

#endif

/* ---- Containers ------------------------------------------------------------------------------
 *
 * A cgroup is a folder below the mount point of its hierarchy. /proc/self/cgroup gives this
 * process's path in each hierarchy; /proc/self/mountinfo gives each mount point and the path that
 * is mounted there (in a container often its own). Version 2 has one hierarchy, with "QUOTA PERIOD"
 * or "max PERIOD" in cpu.max. Version 1 has one per controller, with quota and period in separate
 * files and -1 for no limit. A limit applies to all descendants, so each folder up to the mount
 * point is read. */

#if defined(__linux__)

enum { MAX_LINE = 4096, MAX_FOLDER = 3 * MAX_LINE };

/* Whether a comma-separated list contains a word. */
static bool list_contains(const char *list, const char *word)
{
    const size_t n = strlen(word);

    for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
        if (strncmp(p, word, n) == 0 && (p[n] == ',' || !p[n]))
            return true;
    return false;
}

/* Decode the kernel's octal escapes, such as \040 for a space. */
static void unescape(char *s)
{
    char *out = s;

    for (; *s; s++)
        if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
            *out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
            s += 3;
        } else {
            *out++ = *s;
        }
    *out = 0;
}

/* The path of this process in a controller's hierarchy, or in version 2's for NULL. */
static bool find_cgroup(char path[MAX_LINE], const char *root, const char *controller)
{
    char line[MAX_LINE];
    bool found = false;

    snprintf(line, sizeof line, "%s/proc/self/cgroup", root);
    FILE *f = fopen(line, "r");
    while (f && !found && fgets(line, sizeof line, f)) { /* "4:memory:/path", "0::/path" */
        char *list = strchr(line, ':'), *at = list ? strchr(list + 1, ':') : NULL;
        if (!at)
            continue;
        *at++ = 0;
        at[strcspn(at, "\n")] = 0;
        found = controller ? list_contains(list + 1, controller) : !list[1];
        if (found)
            snprintf(path, MAX_LINE, "%s", at);
    }
    if (f)
        fclose(f);
    return found;
}

/* The mount point of that hierarchy, and which of its paths is mounted there. */
static bool find_mount(char mount[MAX_LINE], char top[MAX_LINE], const char *root,
                       const char *controller)
{
    char line[MAX_LINE], options[MAX_LINE], type[64];
    bool found = false;

    snprintf(line, sizeof line, "%s/proc/self/mountinfo", root);
    FILE *f = fopen(line, "r");
    while (f && !found && fgets(line, sizeof line, f)) {
        const char *rest = strstr(line, " - "); /* before it: ID PARENT DEVICE TOP MOUNT OPTIONS… */
        if (!rest || sscanf(line, "%*s %*s %*s %4095s %4095s", top, mount) != 2 ||
            sscanf(rest, " - %63s %*s %4095s", type, options) != 2)
            continue;
        found = controller ? strcmp(type, "cgroup") == 0 && list_contains(options, controller)
                           : strcmp(type, "cgroup2") == 0;
    }
    if (f)
        fclose(f);
    unescape(mount);
    unescape(top);
    return found;
}

/* The first numbers of a file, up to the first "max". @return how many were read, at most n */
static int read_numbers(double *x, int n, const char *path)
{
    int got = 0;
    FILE *f = fopen(path, "r");

    while (f && got < n && fscanf(f, "%lf", &x[got]) == 1)
        got++;
    if (f)
        fclose(f);
    return got;
}

/* Lower *out to the limits that the folder sets. */
static void lower_cpus(struct trit_machine_info *out, const char *folder, bool version2)
{
    char path[MAX_FOLDER + 64], period[MAX_FOLDER + 64];
    double x[2] = {0, 0};

    snprintf(path, sizeof path, "%s/%s", folder, version2 ? "cpu.max" : "cpu.cfs_quota_us");
    snprintf(period, sizeof period, "%s/cpu.cfs_period_us", folder);
    const bool whole = version2
                           ? read_numbers(x, 2, path) == 2
                           : read_numbers(x, 1, path) == 1 && read_numbers(x + 1, 1, period) == 1;
    if (!whole || !(x[0] > 0 && x[1] > 0 && x[0] / x[1] < out->cpu_limit)) /* false for NaN */
        return;
    out->cpu_limit = x[0] / x[1];
    snprintf(out->cpu_limit_from, sizeof out->cpu_limit_from, "%.511s", path);
}

static void lower_memory(struct trit_machine_info *out, const char *folder, bool version2)
{
    char path[MAX_FOLDER + 64];
    double x;

    snprintf(path, sizeof path, "%s/%s", folder, version2 ? "memory.max" : "memory.limit_in_bytes");
    /* version 1 writes "no limit" as the largest number of whole pages */
    if (read_numbers(&x, 1, path) != 1 || !(x >= 0 && x < 0x1p62 && x < (double)out->memory_limit))
        return;
    out->memory_limit = (uint64_t)x;
    snprintf(out->memory_limit_from, sizeof out->memory_limit_from, "%.511s", path);
}

/* Visit all folders from the process's up to the mount point of the hierarchy. */
static void lower_by_hierarchy(struct trit_machine_info *out, const char *root,
                               const char *controller,
                               void (*lower)(struct trit_machine_info *, const char *, bool))
{
    static const char up[] = "/..";
    char path[MAX_LINE], mount[MAX_LINE] = "", top[MAX_LINE] = "", folder[MAX_FOLDER];

    if (!find_cgroup(path, root, controller) || !find_mount(mount, top, root, controller))
        return;
    const size_t n_top = strcmp(top, "/") == 0 ? 0 : strlen(top);
    const bool below = strncmp(path, top, n_top) == 0 && (path[n_top] == '/' || !path[n_top]) &&
                       strncmp(path, up, strlen(up)) != 0;
    const int n_mount = snprintf(folder, sizeof folder, "%s%s", root, mount);
    snprintf(folder + n_mount, sizeof folder - (size_t)n_mount, "%s", below ? path + n_top : "");
    for (;;) {
        char *last = strrchr(folder + n_mount, '/');
        if (!last || last[1]) /* skip a "/" after the mount point */
            lower(out, folder, controller == NULL);
        if (!last)
            return;
        *last = 0;
    }
}

#endif

void trit_cgroup_limits(struct trit_machine_info *out, const char *root)
{
    out->cpu_limit = INFINITY;
    out->memory_limit = UINT64_MAX;
    out->cpu_limit_from[0] = out->memory_limit_from[0] = 0;
#if defined(__linux__)
    lower_by_hierarchy(out, root, NULL, lower_cpus);
    lower_by_hierarchy(out, root, "cpu", lower_cpus);
    lower_by_hierarchy(out, root, NULL, lower_memory);
    lower_by_hierarchy(out, root, "memory", lower_memory);
#else
    (void)root;
#endif
}

int trit_threads_within(double cpu_limit, int n_cores)
{
    return cpu_limit >= n_cores ? n_cores : cpu_limit < 1 ? 1 : (int)cpu_limit;
}

/* ---- Description ----------------------------------------------------------------------------- */

#if defined(__linux__)

/* Whether a line of /proc/cpuinfo is "key : value"; then *value is set. */
static bool cpuinfo_value(const char **value, const char *line, const char *key)
{
    const size_t n = strlen(key);
    const char *colon = strchr(line, ':');

    if (!colon || strncmp(line, key, n) != 0 || line[n + strspn(line + n, " \t")] != ':')
        return false;
    *value = colon + 1 + strspn(colon + 1, " \t");
    return true;
}

/* x86 gives a name and numbers; Arm gives numbers, and the board's name further down. */
static void describe_cpuinfo(struct trit_machine_info *out)
{
    static const char *const parts[] = {"vendor_id",       "cpu family", "model",       "stepping",
                                        "CPU implementer", "CPU part",   "CPU revision"};
    char line[MAX_LINE];
    FILE *f = fopen("/proc/cpuinfo", "r");
    bool first = true; /* CPU */

    while (f && fgets(line, sizeof line, f)) {
        const char *value;
        line[strcspn(line, "\n")] = 0;
        first &= line[0] != 0;
        for (size_t i = 0; first && i < sizeof parts / sizeof *parts; i++)
            if (cpuinfo_value(&value, line, parts[i])) {
                const size_t n = strlen(out->cpu_model);
                snprintf(out->cpu_model + n, sizeof out->cpu_model - n, "%s%s",
                         i == 0 || i == 4   ? ""
                         : i == 1 || i == 5 ? " "
                                            : "/",
                         value);
            }
        if (!out->cpu[0] &&
            (cpuinfo_value(&value, line, "model name") || cpuinfo_value(&value, line, "Model")))
            snprintf(out->cpu, sizeof out->cpu, "%.*s", (int)sizeof out->cpu - 1, value);
    }
    if (f)
        fclose(f);
}

/* A cache's file: a number with a unit, such as "1024K", or a word. */
static size_t read_cache(char word[32], int index, const char *name)
{
    char path[128];
    unsigned long n = 0;
    char unit = 0;

    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, name);
    FILE *f = fopen(path, "r");
    word[0] = 0;
    if (!f)
        return 0;
    if (fscanf(f, "%31s", word) == 1)
        sscanf(word, "%lu%c", &n, &unit);
    fclose(f);
    return (size_t)n * (unit == 'K' ? 1u << 10 : unit == 'M' ? 1u << 20 : 1);
}

static void describe_caches(struct trit_machine_info *out)
{
    size_t *const sizes[] = {&out->l1d_bytes, &out->l2_bytes, &out->l3_bytes};
    char word[32];

    for (int i = 0; i < 8; i++) {
        const size_t level = read_cache(word, i, "level"), bytes = read_cache(word, i, "size");
        read_cache(word, i, "type");
        if (level >= 1 && level <= 3 && strcmp(word, "Instruction") != 0)
            *sizes[level - 1] = bytes;
    }
}

void trit_cpu_describe(struct trit_machine_info *out)
{
    describe_cpuinfo(out);
    describe_caches(out);
}

uint64_t trit_memory_bytes(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0 ? (uint64_t)pages * (uint64_t)bytes : 0;
}

#elif defined(__APPLE__)

static uint64_t sysctl_number(const char *name)
{
    uint64_t n = 0;
    size_t size = sizeof n;
    return sysctlbyname(name, &n, &size, NULL, 0) == 0 ? n : 0;
}

static void describe_caches(struct trit_machine_info *out)
{
    out->l1d_bytes = (size_t)sysctl_number("hw.perflevel0.l1dcachesize");
    out->l2_bytes = (size_t)sysctl_number("hw.perflevel0.l2cachesize");
    out->l3_bytes = (size_t)sysctl_number("hw.l3cachesize");
}

void trit_cpu_describe(struct trit_machine_info *out)
{
    size_t n_name = sizeof out->cpu, n_model = sizeof out->cpu_model;

    sysctlbyname("machdep.cpu.brand_string", out->cpu, &n_name, NULL, 0);
    sysctlbyname("hw.model", out->cpu_model, &n_model, NULL, 0);
    describe_caches(out);
}

uint64_t trit_memory_bytes(void)
{
    return sysctl_number("hw.memsize");
}

#else

static void describe_caches(struct trit_machine_info *out)
{
    (void)out;
}

void trit_cpu_describe(struct trit_machine_info *out)
{
    (void)out;
}

uint64_t trit_memory_bytes(void)
{
    return 0;
}

#endif

size_t trit_cache_bytes(void)
{
    enum { UNKNOWN = 32 << 20 };
    struct trit_machine_info cpu = {0};

    describe_caches(&cpu);
    return cpu.l3_bytes ? cpu.l3_bytes : cpu.l2_bytes ? cpu.l2_bytes : UNKNOWN;
}

/* machine.h - this machine's resources, and how much of them this process may use. Implemented for
 * Linux and macOS by platform_machine.c; on other systems little is known. */
#ifndef TRIT_BASE_MACHINE_H
#define TRIT_BASE_MACHINE_H

#include "trit_tools.h"

/* Number of physical performance cores that this process may run on, at least 1. Efficiency cores
 * count only if it may run on no others. */
int trit_physical_cores(void);

/* Linux: the same for the CPUs allowed[0..n_cpus). sysfs: /sys/devices, or a copy for tests. */
int trit_performance_cores(const char *sysfs, const bool *allowed, int n_cpus);

/* Set the limits of out: the lowest of this process's cgroup and all its ancestors. Linux: from
 * /proc/self/cgroup, /proc/self/mountinfo and the mounts below root ("" except in tests). A file
 * that cannot be read sets no limit. Other systems: none. */
void trit_cgroup_limits(struct trit_machine_info *out, const char *root);

/* How many threads to start on n_cores cores: at most cpu_limit, rounded down, and at least one. */
int trit_threads_within(double cpu_limit, int n_cores);

/* Set the name, model and caches of the first CPU, as far as known; nothing else. */
void trit_cpu_describe(struct trit_machine_info *out);

/* Bytes of the first CPU's largest cache; a default if unknown. */
size_t trit_cache_bytes(void);

/* Physical memory of the machine; 0: unknown. */
uint64_t trit_memory_bytes(void);

#endif

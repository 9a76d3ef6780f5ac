/* machine.h - this machine's resources, and how much of them this process may use. Implemented for
 * Linux and macOS by platform_machine.c; on other systems little is known. */
#ifndef TRIT_BASE_MACHINE_H
#define TRIT_BASE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRIT_MACHINE_TEXT = 128, TRIT_MACHINE_PATH = 512 };

/* Number of physical performance cores that this process may run on, at least 1. Efficiency cores
 * are counted only if it may run on nothing else. */
int trit_physical_cores(void);

/* Linux: the same for the CPUs allowed[0..n_cpus). sysfs: /sys/devices, or a copy for tests. */
int trit_performance_cores(const char *sysfs, const bool *allowed, int n_cpus);

/* The limits of a container: the lowest among its cgroup and all its ancestors. */
struct trit_limits {
    double n_cpus;                       /* may be fractional; INFINITY: no limit */
    uint64_t memory;                     /* bytes; UINT64_MAX: no limit */
    char cpus_from[TRIT_MACHINE_PATH];   /* the file that sets the limit, or "" */
    char memory_from[TRIT_MACHINE_PATH]; /* likewise */
};

/* Linux: the limits of this process, from /proc/self/cgroup, /proc/self/mountinfo and the mounts
 * below root ("" except in tests). Files that cannot be read set no limit. Other systems: none. */
void trit_cgroup_limits(struct trit_limits *out, const char *root);

/* How many threads to start on n_cores cores: at most limits->n_cpus, rounded down, and at least
 * one. */
int trit_threads_within(const struct trit_limits *limits, int n_cores);

/* The first CPU. Texts are "" and sizes 0 if unknown. */
struct trit_cpu {
    char name[TRIT_MACHINE_TEXT];  /* "AMD EPYC" */
    char model[TRIT_MACHINE_TEXT]; /* "AuthenticAMD 25/17/1"; the name may not be unique */
    size_t l1d_bytes, l2_bytes, l3_bytes;
};
void trit_cpu_describe(struct trit_cpu *out);

/* Bytes of its largest cache; a default if unknown. */
size_t trit_cache_bytes(void);

/* Physical memory of the machine; 0: unknown. */
uint64_t trit_memory_bytes(void);

#endif

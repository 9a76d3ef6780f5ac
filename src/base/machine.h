/* machine.h - what this machine has, and how much of it this process may use. platform_machine.c
 * asks Linux and macOS; elsewhere little is known. */
#ifndef TRIT_BASE_MACHINE_H
#define TRIT_BASE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRIT_MACHINE_TEXT = 128, TRIT_MACHINE_PATH = 512 };

/* Physical performance cores that this process may run on, at least 1: without those that the
 * processor has for saving energy, unless it may run on no others. */
int trit_physical_cores(void);

/* Linux: the same among the CPUs allowed[0..n_cpus), as /sys/devices, which may lie elsewhere, has
 * them. */
int trit_performance_cores(const char *sysfs, const bool *allowed, int n_cpus);

/* What a container allows: the least of its cgroup and of every one above it. */
struct trit_limits {
    double n_cpus;                       /* CPUs' worth of time; INFINITY: no limit */
    uint64_t memory;                     /* bytes; UINT64_MAX: no limit */
    char cpus_from[TRIT_MACHINE_PATH];   /* the file that says so; "" */
    char memory_from[TRIT_MACHINE_PATH]; /* likewise */
};

/* Linux: of this process, by the files below root, "" but for tests: /proc/self/cgroup,
 * /proc/self/mountinfo and what is mounted. What cannot be read limits nothing; nor does anything
 * elsewhere. */
void trit_cgroup_limits(struct trit_limits *out, const char *root);

/* How many threads to start on n_cores cores: at most the whole CPUs' worth of time that the limits
 * allow, and at least one. */
int trit_threads_within(const struct trit_limits *limits, int n_cores);

/* The first CPU. Texts are "" and sizes 0 where the system does not tell. */
struct trit_cpu {
    char name[TRIT_MACHINE_TEXT];  /* "AMD EPYC" */
    char model[TRIT_MACHINE_TEXT]; /* "AuthenticAMD 25/17/1": others may share the name */
    size_t l1d_bytes, l2_bytes, l3_bytes;
};
void trit_cpu_describe(struct trit_cpu *out);

/* Bytes of its largest cache, or what is taken for that where the system does not tell. */
size_t trit_cache_bytes(void);

/* Physical memory of the machine; 0: not known. */
uint64_t trit_memory_bytes(void);

#endif

/* cpu.c - the instruction sets that this CPU and its operating system support. */
#define _DEFAULT_SOURCE /* syscall under -std=c11 */

#include "kernels.h"

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* The register state that the OS saves on a context switch (XCR0). Instructions whose registers are
 * not saved must not be used, whatever cpuid says. */
static uint64_t saved_state(void)
{
    uint32_t lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

/* On Linux, a process must request permission to use tiles, once for all of its threads. */
static bool tiles_permitted(void)
{
#ifdef __linux__
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA) == 0;
#else
    return false;
#endif
}

static unsigned detect(void)
{
    enum { YMM = 0x6, ZMM = 0xe6, TILES = 0x60000 }; /* XCR0: xmm, ymm; opmask, zmm; tiles */
    enum { AVX_VNNI = 1 << 4, AMX = 3 << 24 };       /* AMX: TILE and INT8 */
    const unsigned avx2_ecx1 = bit_FMA | bit_F16C | bit_AVX | bit_OSXSAVE;
    const unsigned avx2_ebx7 = bit_AVX2 | bit_BMI | bit_BMI2;
    const unsigned avx512_ebx7 = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
    unsigned a, b, c, d, n_sub, features = 0;

    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & avx2_ecx1) != avx2_ecx1)
        return 0;
    const uint64_t saved = saved_state();
    if (!__get_cpuid_count(7, 0, &n_sub, &b, &c, &d))
        return 0;
    if ((saved & YMM) == YMM && (b & avx2_ebx7) == avx2_ebx7)
        features |= TRIT_CPU_AVX2;
    if ((saved & ZMM) == ZMM && (b & avx512_ebx7) == avx512_ebx7 && (c & bit_AVX512VNNI))
        features |= TRIT_CPU_AVX512;
    if ((saved & TILES) == TILES && (d & AMX) == AMX && tiles_permitted())
        features |= TRIT_CPU_AMX;
    if ((saved & YMM) == YMM && n_sub >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) &&
        (a & AVX_VNNI))
        features |= TRIT_CPU_AVXVNNI;
    return features;
}

/* Detected once: the answer must not change during a session, and cpuid is slow in virtual
 * machines. */
unsigned trit_cpu_features(void)
{
    enum { DETECTED = 1 << 30 };
    static _Atomic unsigned known;
    unsigned features = known;

    if (!features)
        known = features = detect() | DETECTED;
    return features & ~(unsigned)DETECTED;
}

#elif defined(__aarch64__) && defined(__linux__)

#include <sys/auxv.h>

unsigned trit_cpu_features(void)
{
    enum { ASIMDDP = 1 << 20, I8MM = 1 << 13 }; /* in AT_HWCAP, in AT_HWCAP2 */
    unsigned features = TRIT_CPU_NEON;

    if (getauxval(AT_HWCAP) & ASIMDDP)
        features |= TRIT_CPU_DOTPROD;
    if (getauxval(AT_HWCAP2) & I8MM)
        features |= TRIT_CPU_I8MM;
    return features;
}

#elif defined(__aarch64__) && defined(__APPLE__)

#include <sys/sysctl.h>

static bool has_feature(const char *name)
{
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value;
}

unsigned trit_cpu_features(void)
{
    return TRIT_CPU_NEON | (has_feature("hw.optional.arm.FEAT_DotProd") ? TRIT_CPU_DOTPROD : 0) |
           (has_feature("hw.optional.arm.FEAT_I8MM") ? TRIT_CPU_I8MM : 0);
}

#elif defined(__aarch64__)

unsigned trit_cpu_features(void)
{
    return TRIT_CPU_NEON;
}

#else

unsigned trit_cpu_features(void)
{
    return 0;
}

#endif

/* hardware.h - what commands say of the machine that they run on. */
#ifndef TRIT_TOOLS_HARDWARE_H
#define TRIT_TOOLS_HARDWARE_H

#include "trit.h"

/* On stdout: "AMD EPYC (AuthenticAMD 25/17/1) · 2 cores · L1 32 KB, L2 1.0 MB, L3 32.0 MB\n". */
void print_cpu(const struct trit_machine_info *m);

/* Say so on stderr where the container's quota of time is less than that many threads would use:
 * all of them are then stopped together, again and again. */
void note_threads(int n_threads);

/* How the session reads each kind of its matrices: "t2/640:t0 f16/5120:apart", a type and the bytes
 * of a row before the walk; "" before a session is open. */
struct walks {
    char text[256];
};
struct walks walks_of(const trit_session *session);

#endif

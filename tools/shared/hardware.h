/* hardware.h - describes the machine and how it is used. */
#ifndef TRIT_TOOLS_HARDWARE_H
#define TRIT_TOOLS_HARDWARE_H

#include "trit_tools.h"

/* Print "AMD EPYC (AuthenticAMD 25/17/1) · 2 cores · L1 32 KB, L2 1.0 MB, L3 32.0 MB\n". */
void print_cpu(const struct trit_machine_info *m);

/* Warn on stderr if the container's CPU quota is less than that many threads use: the kernel then
 * stops all of them again and again. */
void note_threads(int n_threads);

/* How the session reads each kind of matrix, as "t2/640:t0 f16/5120:apart": type, bytes per row and
 * walk. "" before a session is open. */
struct walks {
    char text[256];
};
struct walks walks_of(const trit_session *session);

#endif

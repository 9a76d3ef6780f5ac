/* tiles.h - emulation of AMX tile instructions on CPUs that lack them, so that the compiled code of
 * kernels/amx.c can be tested: an instruction traps, and a handler of SIGILL carries it out. */
#ifndef TRIT_TEST_TILES_H
#define TRIT_TEST_TILES_H

#include <stdbool.h>

/* Whether this platform has an emulation, and every tile instruction traps here. */
bool tiles_emulated(void);

/* For a handler of SIGILL: if the instruction at `context` (its ucontext_t) is a tile instruction,
 * carry it out and move on to the next one. Returns false for any other instruction, and for one
 * that the configuration of the tiles forbids. One thread only. */
bool tiles_step(void *context);

#endif

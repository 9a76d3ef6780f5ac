/* tiles.h - AMX tile instructions on CPUs that lack them, so that kernels/amx.c is checked as it is
 * compiled: the instruction traps, and a handler of SIGILL does what the manual says it does. */
#ifndef TRIT_TEST_TILES_H
#define TRIT_TEST_TILES_H

#include <stdbool.h>

/* Whether there is an emulation for this platform, and every tile instruction traps here. */
bool tiles_emulated(void);

/* For a handler of SIGILL: if the instruction at which `context` (its ucontext_t) stands is one of
 * tiles, does its work and moves on to the next one. False for any other instruction, and one that
 * the tiles' configuration forbids. One thread only. */
bool tiles_step(void *context);

#endif

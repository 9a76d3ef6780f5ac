/* sampling.h - what run and chat share: the sampler that options describe, and what is said of a
 * generation. */
#ifndef TRIT_TOOLS_SAMPLING_H
#define TRIT_TOOLS_SAMPLING_H

#include "open.h"

/* A seed that is short enough to be typed again. */
uint64_t random_seed(void);

/* @return exit code; release with trit_sampler_close() either way */
int open_sampler(trit_sampler **sampler, const struct sampling_args *args, uint64_t seed,
                 int32_t n_vocab);

double per_second(int32_t n, double ms);

/* Tokens after the first one, over the time they took. */
double generate_tps(const struct trit_generate_result *r);

/* The statistics line, on stderr. */
void print_stats(const struct opened *o, const struct trit_generate_result *r, int32_t n_restored,
                 uint64_t seed, bool verbose);

#endif

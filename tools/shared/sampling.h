/* sampling.h - the sampler that options describe, and the statistics of a generation. */
#ifndef TRIT_TOOLS_SAMPLING_H
#define TRIT_TOOLS_SAMPLING_H

#include "open.h"

/* @return a random seed of at most 32 bits, short enough to type again */
uint64_t random_seed(void);

/* @return exit code, after a message; call trit_sampler_close() either way */
int open_sampler(trit_sampler **sampler, const struct sampling_args *args, uint64_t seed,
                 int32_t n_vocab);

double per_second(int32_t n, double ms);

/* @return tokens per second, without the first one */
double generate_tps(const struct trit_generate_result *r);

/* Print the line of statistics on stderr. */
void print_stats(const struct opened *o, const struct trit_generate_result *r, int32_t n_restored,
                 uint64_t seed, bool verbose);

#endif

/* clock.h - time that has passed, and the time of day. */
#ifndef TRIT_TOOLS_CLOCK_H
#define TRIT_TOOLS_CLOCK_H

#include <stdint.h>

/* Milliseconds since some moment. */
double now_ms(void);

/* The local time, in seconds since 1970-01-01 00:00 local time. */
int64_t local_time(void);

#endif

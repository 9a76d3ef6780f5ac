/* clock.h - time that has passed. */
#ifndef TRIT_TOOLS_CLOCK_H
#define TRIT_TOOLS_CLOCK_H

/* Milliseconds since some moment. */
double now_ms(void);

#endif

/* interrupt.h - Ctrl-C. */
#ifndef TRIT_TOOLS_INTERRUPT_H
#define TRIT_TOOLS_INTERRUPT_H

#include "trit.h"

/* The first one is noted and cancels what the session (which may be NULL) evaluates, the
 * second one ends the program at once. Nothing is changed where the signal was ignored from the
 * start, as in scripts' background jobs. */
void watch_interrupts(trit_session *session);
bool interrupted(void);
void forget_interrupts(void); /* those that were noted */

#endif

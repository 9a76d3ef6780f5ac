/* interrupt.h - handles Ctrl-C. */
#ifndef TRIT_TOOLS_INTERRUPT_H
#define TRIT_TOOLS_INTERRUPT_H

#include "trit.h"

/* Let the first Ctrl-C cancel the evaluation of session (which may be NULL), and the second one end
 * the program at once. If the signal is ignored, as in background jobs of scripts, it stays so. */
void watch_interrupts(trit_session *session);
bool interrupted(void); /* since the last forget_interrupts() */
void forget_interrupts(void);

#endif

/* unsupported.h - metadata that changes what a model computes, and that no code here honors. */
#ifndef TRIT_RUN_UNSUPPORTED_H
#define TRIT_RUN_UNSUPPORTED_H

#include "gguf.h"
#include "knobs.h"

/* Check every key of a file against a table of such keys. A key with a value that changes nothing
 * is no reason to refuse.
 * @return TRIT_OK; TRIT_E_UNSUPPORTED, with the key, its value and the only one that is computed */
trit_status trit_check_unsupported(const trit_file *file, const char *arch,
                                   const struct trit_knobs *knobs, struct trit_error *err);

#endif

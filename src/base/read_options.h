/* read_options.h - reading the structs of options of the public interface. */
#ifndef TRIT_BASE_READ_OPTIONS_H
#define TRIT_BASE_READ_OPTIONS_H

#include "error.h"

/* Copy a caller's options, whose first field is their size, or NULL, over zeros to out, [size]. A
 * size of 0 is that of version 0.2, which is still the size of all structs.
 * @return TRIT_OK; TRIT_E_ARGUMENT: they have fields that are set and that this version lacks */
trit_status trit_read_options(void *out, size_t size, const void *options, struct trit_error *err);

#endif

/* read_options.c - see read_options.h. */
#include "read_options.h"

#include <string.h>

trit_status trit_read_options(void *out, size_t size, const void *options, struct trit_error *err)
{
    const unsigned char *bytes = options;
    size_t theirs = 0;

    memset(out, 0, size);
    if (!options)
        return TRIT_OK;
    memcpy(&theirs, options, sizeof theirs);
    theirs = theirs ? theirs : size; /* all fields are of 0.2 */
    if (theirs < sizeof theirs)
        return trit_fail(err, TRIT_E_ARGUMENT, "a struct of options has the size %zu", theirs);
    for (size_t i = size; i < theirs; i++)
        if (bytes[i])
            return trit_fail(err, TRIT_E_ARGUMENT,
                             "options of %zu bytes have fields that this version, with %zu bytes, "
                             "lacks",
                             theirs, size);
    memcpy(out, options, theirs < size ? theirs : size);
    return TRIT_OK;
}

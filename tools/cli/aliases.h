/* aliases.h - what users of llama.cpp, bitnet.cpp and ollama type: a row per option of theirs, and
 * a row per value that means something else here. No help lists them; the manual does. */
#ifndef TRIT_TOOLS_ALIASES_H
#define TRIT_TOOLS_ALIASES_H

#include <stdbool.h>

enum alias_value {
    NO_VALUE,
    SOME_VALUE, /* required */
    ON_OFF,     /* may be followed by on, off, auto, 0 or 1 */
};

/* An option of another program; its spelling includes the dashes. */
struct alias {
    const char *spelling;
    const char *option, *value; /* the same option of trit, and its value, if that is fixed */
    enum alias_value takes;     /* without an option */
    bool chats;                 /* it implies --chat in trit run */
    bool refused;               /* it would change the result, unless its value is `neutral` */
    const char *neutral;        /* number */
    const char *word; /* why it has no effect or is refused; NULL: trit does that anyway */
};
extern const struct alias aliases[]; /* ends with spelling NULL */

/* The row that arg, "--name" or "--name=value", names; or NULL. */
const struct alias *find_alias(const char *arg);

/* A value of an option of trit as other programs have it. @return whether there is one.
 * *meaning: what trit calls it; NULL: as if the option had not been given */
bool find_foreign_value(const char *option, const char *value, const char **meaning);

#endif

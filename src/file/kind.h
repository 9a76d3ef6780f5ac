/* kind.h - what a file is, by its first bytes, if it is not what was expected. */
#ifndef TRIT_FILE_KIND_H
#define TRIT_FILE_KIND_H

#include "trit.h"

/* "; it is …", with what to do; "" if nothing is known about such bytes. */
const char *trit_kind_of_bytes(struct trit_string bytes);

#endif

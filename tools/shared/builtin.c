/* builtin.c - see builtin.h. The assembler includes the file TRIT_BUILT_IN, aligned to the width
 * of any register. */
#include "builtin.h"

#ifdef TRIT_BUILT_IN

#ifdef __APPLE__
#define SECTION ".section __TEXT,__const\n"
#define SYMBOL(name) "_" name
#else
#define SECTION ".section .rodata\n"
#define SYMBOL(name) name
#endif

#define LABEL(name) ".globl " SYMBOL(name) "\n" SYMBOL(name) ":\n"

__asm__(SECTION ".balign 64\n" LABEL("trit_built_in_begin") ".incbin \"" TRIT_BUILT_IN "\"\n" LABEL(
    "trit_built_in_end") ".byte 0\n.text\n");

const char default_model[] = "$TRIT_MODEL, else " BUILT_IN;

extern const unsigned char trit_built_in_begin[], trit_built_in_end[];

const void *built_in_model(size_t *n_bytes)
{
    *n_bytes = (size_t)(trit_built_in_end - trit_built_in_begin);
    return trit_built_in_begin;
}

#else

const char default_model[] = "$TRIT_MODEL";

const void *built_in_model(size_t *n_bytes)
{
    *n_bytes = 0;
    return NULL;
}

#endif

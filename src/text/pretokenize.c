/* pretokenize.c - see pretokenize.h. */
#include "pretokenize.h"

#include <string.h>

enum class { SPACE, LETTER, DIGIT, OTHER };

static enum class class_of(char c) {
    const unsigned char u = (unsigned char)c;
    if (u == ' ' || (u >= '\t' && u <= '\r')) return SPACE;
    if ((u | 0x20) >= 'a' && (u | 0x20) <= 'z') return LETTER;
    if (u >= '0' && u <= '9') return DIGIT;
    return u >= 0x80 ? LETTER : OTHER;
}

static size_t run_of(const char *text, size_t len, enum class class)
{
    size_t n = 0;
    while (n < len && class_of(text[n]) == class)
        n++;
    return n;
}

static size_t contraction(const char *text, size_t len)
{
    static const char *const endings[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t n = strlen(endings[i]);
        if (n <= len && memcmp(text, endings[i], n) == 0)
            return n;
    }
    return 0;
}

size_t trit_pretokenize_gpt2(const char *text, size_t len)
{
    const size_t n_contraction = contraction(text, len);
    if (n_contraction)
        return n_contraction;

    const size_t lead = text[0] == ' ' && len > 1 && class_of(text[1]) != SPACE;
    const enum class class = class_of(text[lead]);
    if (class != SPACE)
        return lead + run_of(text + lead, len - lead, class);

    /* White space before something else leaves its last character to that. */
    const size_t n = run_of(text, len, SPACE);
    return n < len && n > 1 ? n - 1 : n;
}

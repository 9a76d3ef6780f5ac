/* pretokenize.h - cutting text into the pieces that BPE may not merge across. */
#ifndef TRIT_TEXT_PRETOKENIZE_H
#define TRIT_TEXT_PRETOKENIZE_H

#include <stddef.h>

/* Length of the first piece of text[0..len), len > 0; at least 1.
 *
 * The rule of GPT-2, '(s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+, with
 * every byte beyond ASCII taken for a letter. */
size_t trit_pretokenize_gpt2(const char *text, size_t len);

#endif

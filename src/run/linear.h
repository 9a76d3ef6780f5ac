/* linear.h - the products of a block: activations to int8, times ternary or float matrices. */
#ifndef TRIT_RUN_LINEAR_H
#define TRIT_RUN_LINEAR_H

#include "engine_state.h"

/* Tokens whose activations stay in a core's second-level cache while rows of weights pass. */
enum { TRIT_TOKEN_BLOCK = 128 };

/* Activations that a Hadamard transform has made too wide for int8 are multiplied digit by digit.
 * DIGIT_SUMS floats hold the products of DIGIT_ROWS rows and a block of tokens. */
enum { TRIT_MAX_DIGITS = 3, TRIT_DIGIT_ROWS = 48 };
enum { TRIT_DIGIT_SUMS = TRIT_MAX_DIGITS * TRIT_TOKEN_BLOCK * TRIT_DIGIT_ROWS };

/* The input of linears: one row per token of the batch; act(row) * up if up is set, then normed if
 * norm is set. */
struct trit_activations {
    const float *rows;            /* [n, width] */
    const float *up;              /* [n, ldup], or NULL */
    size_t ldup;                  /* 0: all tokens share one row of up */
    const struct trit_norm *norm; /* or NULL */
    enum trit_norm_kind kind;
};

/* y = W x */
struct trit_product {
    const struct trit_linear *w;
    float *y; /* [n, w->n_out] */
};

/* One or more products of the same x, quantized once unless the linears have norms of their own.
 * A row of x that is not finite is reported by trit_bad_row(). */
void trit_linears(struct trit_batch *b, const struct trit_activations *x, size_t n,
                  const struct trit_product *products);

/* h += W x */
void trit_linear_add(struct trit_batch *b, const struct trit_activations *x,
                     const struct trit_linear *w);

/* y = norm(x), both [n]; y may be x. @return false if a value is not finite */
bool trit_norm_row(const struct trit_engine *e, float *y, const float *x,
                   const struct trit_norm *norm, enum trit_norm_kind kind, float eps, size_t n);

/* h = norm(h), by the model's kind of norm. A row that is not finite is reported by
 * trit_bad_row(). */
void trit_norm_residual(struct trit_batch *b, const struct trit_norm *norm);

/* Round a row x [n] to what int8 activations hold, times scale. @return false if a value is not
 * finite */
bool trit_round_row(struct trit_engine *e, float *x, float scale, size_t n);

/* y = M x, x: [n, m->n_cols], y: [n, m->n_rows], n <= 32.
 * @return bit t: row t of y has a value that is not finite */
uint32_t trit_matrix_product(struct trit_engine *e, float *y, const struct trit_matrix *m,
                             const float *x, size_t n);

/* Whether no value is NaN or infinite. */
bool trit_all_finite(const float *x, size_t n);

#endif

/* sizes: n, s; in: x. The gradient is that of the steps, not GradBench's closed form. */

#include "run.h"
#include <stdlib.h>
#include <string.h>

/* k = F(y + by·before), and in `at` the argument. */
static void slope(long n, const double *x, const double *y, const double *before, double by, double *at, double *k) {
  for (long i = 0; i < n; i++) at[i] = y[i] + by * before[i];
  k[0] = x[0];
  for (long i = 1; i < n; i++) k[i] = x[i] * at[i - 1];
}

/* A step from y to `next`; `work` is of eight vectors: arguments and slopes. */
static void step(long n, double h, const double *x, const double *y, double *next, double *work) {
  double *at[4], *k[4];
  for (int j = 0; j < 4; j++) {
    at[j] = work + 2 * j * n;
    k[j] = at[j] + n;
  }
  slope(n, x, y, y, 0, at[0], k[0]);
  slope(n, x, y, k[0], h / 2, at[1], k[1]);
  slope(n, x, y, k[1], h / 2, at[2], k[2]);
  slope(n, x, y, k[2], h, at[3], k[3]);
  for (long i = 0; i < n; i++) next[i] = y[i] + h * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]) / 6;
}

static void primal(const long *sizes, const double *x, double *out) {
  long n = sizes[0];
  double *work = malloc(9 * (size_t)n * sizeof *work);
  double *next = work + 8 * n;
  memset(out, 0, (size_t)n * sizeof *out);
  for (long s = 0; s < sizes[1]; s++) {
    step(n, 2.0 / (double)sizes[1], x, out, next, work);
    memcpy(out, next, (size_t)n * sizeof *out);
  }
  free(work);
}

static void gradient(const long *sizes, const double *x, double *dx) {
  long n = sizes[0];
  long steps = sizes[1];
  double h = 2.0 / (double)steps;
  double *ys = calloc((size_t)(steps + 1) * (size_t)n, sizeof *ys);
  double *work = malloc(11 * (size_t)n * sizeof *work);
  double *dy = work + 8 * n;
  double *dk = dy + n;
  double *dat = dk + n;
  for (long s = 0; s < steps; s++) step(n, h, x, ys + s * n, ys + (s + 1) * n, work);
  memset(dx, 0, (size_t)n * sizeof *dx);
  memset(dy, 0, (size_t)n * sizeof *dy);
  dy[n - 1] = 1;
  const double weights[4] = {h / 6, h / 3, h / 3, h / 6};
  const double reach[4] = {h / 2, h / 2, h, 0};
  double *sum = malloc((size_t)n * sizeof *sum);
  for (long s = steps - 1; s >= 0; s--) {
    step(n, h, x, ys + s * n, ys + (s + 1) * n, work);
    memcpy(sum, dy, (size_t)n * sizeof *sum);
    for (int j = 3; j >= 0; j--) {
      const double *at = work + 2 * j * n;
      for (long i = 0; i < n; i++) dk[i] = weights[j] * dy[i] + (j == 3 ? 0 : reach[j] * dat[i]);
      dx[0] += dk[0];
      for (long i = 1; i < n; i++) dx[i] += dk[i] * at[i - 1];
      for (long i = 0; i + 1 < n; i++) dat[i] = dk[i + 1] * x[i + 1];
      dat[n - 1] = 0;
      for (long i = 0; i < n; i++) sum[i] += dat[i];
    }
    memcpy(dy, sum, (size_t)n * sizeof *dy);
  }
  free(sum);
  free(work);
  free(ys);
}

static size_t all(const long *sizes) { return (size_t)sizes[0]; }

const Function functions[] = {{"primal", all, primal}, {"gradient", all, gradient}, {0}};

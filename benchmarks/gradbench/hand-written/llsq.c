/* sizes: m, n; in: x. */

#include "run.h"
#include <stdlib.h>
#include <string.h>

static double residual(long m, long n, long i, const double *x, double *powers) {
  double t = -1 + 2.0 * (double)i / (double)(n - 1);
  double power = 1;
  double fit = 0;
  for (long j = 0; j < m; j++) {
    powers[j] = power;
    fit += x[j] * power;
    power *= t;
  }
  return (double)((t > 0) - (t < 0)) - fit;
}

static void primal(const long *sizes, const double *x, double *out) {
  double *powers = malloc((size_t)sizes[0] * sizeof *powers);
  double sum = 0;
  for (long i = 0; i < sizes[1]; i++) {
    double r = residual(sizes[0], sizes[1], i, x, powers);
    sum += r * r;
  }
  *out = sum / 2;
  free(powers);
}

static void gradient(const long *sizes, const double *x, double *out) {
  long m = sizes[0];
  double *powers = malloc((size_t)m * sizeof *powers);
  memset(out, 0, (size_t)m * sizeof *out);
  for (long i = 0; i < sizes[1]; i++) {
    double r = residual(m, sizes[1], i, x, powers);
    for (long j = 0; j < m; j++) out[j] -= r * powers[j];
  }
  free(powers);
}

static size_t one(const long *sizes) { return (void)sizes, 1; }
static size_t all(const long *sizes) { return (size_t)sizes[0]; }

const Function functions[] = {{"primal", one, primal}, {"gradient", all, gradient}, {0}};

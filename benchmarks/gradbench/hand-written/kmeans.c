/* sizes: n, k, d; in: points, centroids. */

#include "run.h"
#include <float.h>
#include <stdlib.h>
#include <string.h>

static long nearest(long k, long d, const double *point, const double *centroids, double *least) {
  long best = 0;
  *least = DBL_MAX;
  for (long c = 0; c < k; c++) {
    const double *centroid = centroids + c * d;
    double sum = 0;
    for (long j = 0; j < d; j++) {
      double apart = point[j] - centroid[j];
      sum += apart * apart;
    }
    if (sum < *least) {
      *least = sum;
      best = c;
    }
  }
  return best;
}

static void cost(const long *sizes, const double *points, double *out) {
  long n = sizes[0], k = sizes[1], d = sizes[2];
  double sum = 0;
  for (long i = 0; i < n; i++) {
    double least;
    nearest(k, d, points + i * d, points + n * d, &least);
    sum += least;
  }
  *out = sum;
}

static void dir(const long *sizes, const double *points, double *out) {
  long n = sizes[0], k = sizes[1], d = sizes[2];
  const double *centroids = points + n * d;
  double *counts = calloc((size_t)k, sizeof *counts);
  memset(out, 0, (size_t)(k * d) * sizeof *out);
  for (long i = 0; i < n; i++) {
    double least;
    long c = nearest(k, d, points + i * d, centroids, &least);
    counts[c] += 2;
    for (long j = 0; j < d; j++) out[c * d + j] += 2 * (centroids[c * d + j] - points[i * d + j]);
  }
  for (long c = 0; c < k; c++)
    for (long j = 0; j < d; j++) out[c * d + j] /= counts[c];
  free(counts);
}

static size_t one(const long *sizes) { return (void)sizes, 1; }
static size_t all(const long *sizes) { return (size_t)(sizes[1] * sizes[2]); }

const Function functions[] = {{"cost", one, cost}, {"dir", all, dir}, {0}};

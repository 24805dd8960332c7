/*
 * Runs one function of a problem: run NAME SECONDS RUNS. Reads the number of sizes, the sizes, the number of inputs (64-bit
 * integers) and the inputs (doubles) from standard input; writes the number of runs, the nanoseconds of each, the number of
 * outputs, and the outputs.
 */

#define _POSIX_C_SOURCE 199309L
#include "run.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_SIZES = 8, MOST_RUNS = 4096 };

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what) {
  fprintf(stderr, "run: %s\n", what);
  exit(1);
}

static void take(void *to, size_t size, size_t count) {
  if (fread(to, size, count, stdin) != count) fail("the input ends early");
}

static void give(const void *from, size_t size, size_t count) {
  if (fwrite(from, size, count, stdout) != count) fail("the output cannot be written");
}

int main(int argc, char **argv) {
  if (argc != 4) fail("usage: run NAME SECONDS RUNS");
  const Function *f = functions;
  while (f->name != NULL && strcmp(f->name, argv[1]) != 0) f++;
  if (f->name == NULL) fail("no such function");

  int64_t count;
  int64_t given[MOST_SIZES];
  long sizes[MOST_SIZES];
  take(&count, sizeof count, 1);
  if (count > MOST_SIZES) fail("too many sizes");
  take(given, sizeof *given, (size_t)count);
  for (int64_t i = 0; i < count; i++) sizes[i] = (long)given[i];
  int64_t inputs;
  take(&inputs, sizeof inputs, 1);
  double *in = malloc((size_t)inputs * sizeof *in);
  int64_t outputs = (int64_t)f->outputs(sizes);
  double *out = malloc((size_t)outputs * sizeof *out);
  if (in == NULL || out == NULL) fail("there is not enough memory");
  take(in, sizeof *in, (size_t)inputs);

  static int64_t nanoseconds[MOST_RUNS];
  int64_t runs = 0;
  double left = atof(argv[2]) * 1e9;
  int least = atoi(argv[3]);
  do {
    int64_t start = now();
    f->run(sizes, in, out);
    nanoseconds[runs] = now() - start;
    left -= (double)nanoseconds[runs++];
  } while (runs < MOST_RUNS && (runs < least || left > 0));

  give(&runs, sizeof runs, 1);
  give(nanoseconds, sizeof *nanoseconds, (size_t)runs);
  give(&outputs, sizeof outputs, 1);
  give(out, sizeof *out, (size_t)outputs);
  return 0;
}

/** Threads in C: the library that shares the parts of loops, and what programs say to it. */

/**
 * A library of its own, one in a process, so that all programs have the same workers. The thread that runs a program publishes
 * a task, and everybody claims parts of it until none is left; nobody waits for a worker that has not come.
 */
export const SHARING = `/* Threads of Adjoint. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))
#if defined(__x86_64__) || defined(__i386__)
#define PAUSE __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE __asm__ volatile("yield")
#else
#define PAUSE ((void)0)
#endif

typedef void (*part_t)(char *, ptrdiff_t);

/* The number of the task since the start, how many parts it has (16 bits) and the next one (16 bits). */
static _Atomic uint64_t state;
static _Atomic(part_t) task;
static _Atomic(char *) memory;
static atomic_int done, sleeping, busy;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t called = PTHREAD_COND_INITIALIZER;
static int workers;

static int has_part(uint64_t seen) { return (seen & 0xffff) < (seen >> 16 & 0xffff); }

/* Does parts of the task that there is until none is left; whether there was one. */
static int work(void) {
  int count = 0;
  for (uint64_t seen = atomic_load(&state); has_part(seen); seen = atomic_load(&state)) {
    /* What the task is must be known before the part is taken: from then on a next one may be published. */
    const part_t f = atomic_load(&task);
    char *const m = atomic_load(&memory);
    if (!atomic_compare_exchange_strong(&state, &seen, seen + 1)) continue;
    f(m, (ptrdiff_t)(seen & 0xffff));
    atomic_fetch_add(&done, 1);
    count++;
  }
  return count > 0;
}

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return 1000000000 * (int64_t)now.tv_sec + now.tv_nsec;
}

static void *help(void *unused) {
  for (;;) {
    /* The steps between two tasks take less than that. */
    const int64_t patience = 100000;
    for (int64_t end = nanoseconds() + patience; nanoseconds() < end;) {
      if (work()) end = nanoseconds() + patience;
      for (int i = 0; i < 16; i++) PAUSE;
    }
    pthread_mutex_lock(&lock);
    atomic_fetch_add(&sleeping, 1);
    while (!has_part(atomic_load(&state))) pthread_cond_wait(&called, &lock);
    atomic_fetch_sub(&sleeping, 1);
    pthread_mutex_unlock(&lock);
  }
  return unused;
}

/* Makes sure of a number of workers; how many there are. */
EXPORT int hire(int wanted) {
  pthread_mutex_lock(&lock);
  if (workers == 0) {
    /* Whoever closes this library must not take its code from under them. */
    Dl_info own;
    if (dladdr((void *)&hire, &own) != 0) dlopen(own.dli_fname, RTLD_NOW | RTLD_NODELETE);
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (workers < wanted) {
    pthread_t worker;
    if (pthread_create(&worker, NULL, help, NULL) != 0) break;
    pthread_detach(worker);
    workers++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  const int hired = workers;
  pthread_mutex_unlock(&lock);
  return hired;
}

/* Does all parts of a task. */
EXPORT void share(part_t f, char *m, int parts) {
  if (atomic_exchange(&busy, 1)) {
    /* Another thread's program has the workers. */
    for (int part = 0; part < parts; part++) f(m, part);
    return;
  }
  atomic_store(&task, f);
  atomic_store(&memory, m);
  atomic_store(&done, 0);
  atomic_store(&state, ((atomic_load(&state) >> 32) + 1) << 32 | (uint64_t)parts << 16);
  const int asleep = atomic_load(&sleeping);
  if (asleep > 0) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < asleep && i < parts - 1; i++) pthread_cond_signal(&called);
    pthread_mutex_unlock(&lock);
  }
  work();
  for (int looks = 0; atomic_load(&done) != parts; looks++) {
    /* Whoever is at a part may be waiting for this very processor. */
    const struct timespec moment = {0, 50000};
    if (looks < 1000) PAUSE;
    else nanosleep(&moment, NULL);
  }
  atomic_store(&busy, 0);
}
`;

/** What a program shares its parts with, whose address is in its memory; without it they are done one after the other. */
export function sharingAt(address: number): string {
  return `/* A task is a function of the number of a part. */
typedef void (*part_t)(char *, ptrdiff_t);
typedef void (*share_t)(part_t, char *, int);
static void in_parts(part_t f, char *m, int parts) {
  const share_t share = *(const share_t *)(m + ${address});
  if (share != NULL) share(f, m, parts);
  else for (int part = 0; part < parts; part++) f(m, part);
}`;
}

/*
 * launch: starts a program on a processor of its own, and says what it used.
 *
 *	launch -e CORE PROGRAM ARGUMENT...	becomes the program
 *	launch -m CORE PROGRAM ARGUMENT...	runs it, and writes to descriptor 3
 *
 * CORE is a processor's number, or -1 for any. The program may have as many
 * descriptors as the system lets it have. What -m writes, when the program has
 * ended, is one line:
 *
 *	wall time in ns, user and system time in us, the largest resident set in
 *	kB, voluntary and other context switches
 *
 * The exit status is the program's, or 128 and the signal that ended it.
 *
 * It is in C because of the resident set. Linux counts into ru_maxrss what a
 * process had before execve (setmax_mm_hiwater_rss in exec_mmap), and a
 * process that a Go program starts has its parent's memory until then
 * (CLONE_VM). This one has next to none, and its fork has a copy.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPORT = 3 };

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
	exit(127);
}

static void pin(int core)
{
	cpu_set_t only;

	if (core < 0)
		return;
	CPU_ZERO(&only);
	CPU_SET(core, &only);
	must(sched_setaffinity(0, sizeof only, &only) == 0, "sched_setaffinity");
}

static void allow_descriptors(void)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long microseconds(struct timeval t)
{
	return t.tv_sec * 1000000LL + t.tv_usec;
}

/* run_apart is the child: it ends with its parent. */
static void run_apart(pid_t parent, char **argv)
{
	must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl");
	if (getppid() != parent)
		_exit(127);
	close(REPORT);
	execvp(argv[0], argv);
	must(0, argv[0]);
}

static int measure(char **argv)
{
	struct rusage used;
	int status;
	pid_t self = getpid();
	long long start = now();
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0)
		run_apart(self, argv);
	while (wait4(child, &status, 0, &used) < 0)
		must(errno == EINTR, "wait4");
	dprintf(REPORT, "%lld %lld %lld %ld %ld %ld\n", now() - start, microseconds(used.ru_utime),
		microseconds(used.ru_stime), used.ru_maxrss, used.ru_nvcsw, used.ru_nivcsw);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	if (argc < 4 || (strcmp(argv[1], "-e") != 0 && strcmp(argv[1], "-m") != 0)) {
		fprintf(stderr, "usage: launch -e|-m CORE PROGRAM ARGUMENT...\n");
		return 127;
	}
	pin(atoi(argv[2]));
	allow_descriptors();
	if (argv[1][1] == 'm')
		return measure(argv + 3);
	execvp(argv[3], argv + 3);
	must(0, argv[3]);
}

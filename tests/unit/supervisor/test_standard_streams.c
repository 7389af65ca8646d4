/* SPDX-License-Identifier: ISC */
/* pullgate started with standard streams closed: nothing that it opens may take their numbers. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *binary;
static char folder[64], fifo[80];

/* Its configuration is a pipe, at which it waits until the test has looked. */
static pid_t start(int first_closed, int last_closed)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (int fd = first_closed; fd <= last_closed; fd++)
		close(fd);
	execl(binary, binary, "-n", "-c", fifo, NULL);
	_exit(99);
}

static void closed_ones_are_filled(void **state)
{
	(void)state;
	for (int first = 0; first <= 2; first++) {
		pid_t pid = start(first, 2);
		int writer = open(fifo, O_WRONLY | O_CLOEXEC); /* returns once it reads */
		int status;

		for (int fd = first; fd <= 2; fd++) {
			char path[64], target[PATH_MAX] = "";

			snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
			assert_true(readlink(path, target, sizeof(target) - 1) > 0);
			assert_string_equal(target, "/dev/null");
		}
		close(writer);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE); /* an empty configuration */
	}
}

static int make_fifo(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/pullgate-test-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(fifo, sizeof(fifo), "%s/config", folder);
	return mkfifo(fifo, 0600);
}

static int remove_fifo(void **state)
{
	(void)state;
	unlink(fifo);
	return rmdir(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_ones_are_filled),
	};

	if (argc != 2)
		return 2;
	binary = argv[1];
	return cmocka_run_group_tests(tests, make_fifo, remove_fifo);
}

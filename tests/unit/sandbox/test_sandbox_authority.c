/* SPDX-License-Identifier: ISC */
/* What the kernel says of a process in each role's sandbox, seen from outside. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cell.h"

/* No verdict: a test that hangs ends. */
#define PATIENCE_MS 60000

#define FILE_BYTES 8192

static const enum role children[] = {
	ROLE_CAPTURE,
	ROLE_FETCHER,
	ROLE_CONNECTOR,
	ROLE_INSTALLER,
};

#define FOR_EACH_ROLE(role)                    \
	for (const enum role *role = children; \
		role < children + sizeof(children) / sizeof(children[0]); role++)

/* Says that the sandbox is closed, then waits for the greeting. */
static int wait_outside(const void *argument)
{
	struct pollfd control = {.fd = FD_CONTROL, .events = POLLIN};

	(void)argument;
	if (send(FD_CONTROL, "ready", 5, 0) != 5)
		return 1;
	return poll(&control, 1, PATIENCE_MS) == 1 ? 0 : 2;
}

static void await_ready(const struct cell *cell)
{
	char text[8];

	assert_int_equal(recv(cell->outside[FD_CONTROL], text, sizeof(text), 0), 5);
}

static void release(struct cell *cell)
{
	char log[FILE_BYTES];
	int status;

	assert_int_equal(send(cell->outside[FD_CONTROL], "go", 2, 0), 2);
	status = cell_close(cell, log, sizeof(log));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void read_proc(const struct cell *cell, const char *name, char text[static FILE_BYTES])
{
	char path[64];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)cell->pid, name);
	file = fopen(path, "re");
	assert_non_null(file);
	length = fread(text, 1, FILE_BYTES - 1, file);
	text[length] = '\0';
	fclose(file);
}

static void assert_line(const char *text, const char *line)
{
	if (strstr(text, line) == NULL)
		fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void test_status(void **state)
{
	(void)state;
	cell_need_root();
	FOR_EACH_ROLE(role)
	{
		struct cell cell = cell_open(*role, wait_outside, NULL);
		const char *kept =
			*role == ROLE_INSTALLER ? "0000000000001000" : "0000000000000000";
		char text[FILE_BYTES], line[64];

		await_ready(&cell);
		read_proc(&cell, "status", text);
		assert_line(text, "\nUmask:\t0077\n");
		assert_line(text, "\nUid:\t61001\t61001\t61001\t61001\n");
		assert_line(text, "\nGid:\t61002\t61002\t61002\t61002\n");
		assert_line(text, "\nGroups:\t \n");
		assert_line(text, "\nThreads:\t1\n");
		snprintf(line, sizeof(line), "\nCapPrm:\t%s\n", kept);
		assert_line(text, line);
		snprintf(line, sizeof(line), "\nCapEff:\t%s\n", kept);
		assert_line(text, line);
		assert_line(text, "\nCapInh:\t0000000000000000\n");
		assert_line(text, "\nCapBnd:\t0000000000000000\n");
		assert_line(text, "\nCapAmb:\t0000000000000000\n");
		assert_line(text, "\nNoNewPrivs:\t1\n");
		assert_line(text, "\nSeccomp:\t2\n");
		release(&cell);
	}
}

/* A process that can't be dumped belongs to root in /proc (proc(5)). */
static void test_not_dumpable(void **state)
{
	(void)state;
	cell_need_root();
	FOR_EACH_ROLE(role)
	{
		struct cell cell = cell_open(*role, wait_outside, NULL);
		struct stat status;
		char path[64];

		await_ready(&cell);
		snprintf(path, sizeof(path), "/proc/%d/environ", (int)cell.pid);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_uid, 0);
		release(&cell);
	}
}

/* Soft and hard limit of the line of /proc/PID/limits that begins with name; -1 for unlimited. */
static void read_limit(const char *text, const char *name, long long limits[static 2])
{
	const char *line = strstr(text, name);
	char soft[32], hard[32];

	assert_non_null(line);
	assert_int_equal(sscanf(line + strlen(name), "%31s %31s", soft, hard), 2);
	limits[0] = strcmp(soft, "unlimited") == 0 ? -1 : atoll(soft);
	limits[1] = strcmp(hard, "unlimited") == 0 ? -1 : atoll(hard);
}

static void assert_limit(const char *text, const char *name, long long greatest)
{
	long long limits[2];

	read_limit(text, name, limits);
	assert_in_range(limits[0], 0, greatest);
	assert_int_equal(limits[0], limits[1]);
}

static void test_limits(void **state)
{
	static const struct {
		long long descriptors, memory;
	} expected[ROLE_COUNT] = {
		[ROLE_CAPTURE] = {20, 1073741824},
		[ROLE_FETCHER] = {2304, 2885681152},
		[ROLE_CONNECTOR] = {128, 268435456},
		[ROLE_INSTALLER] = {28, 1073741824},
	};

	(void)state;
	cell_need_root();
	FOR_EACH_ROLE(role)
	{
		struct cell cell = cell_open(*role, wait_outside, NULL);
		char text[FILE_BYTES];

		await_ready(&cell);
		read_proc(&cell, "limits", text);
		assert_limit(text, "Max processes", 0);
		assert_limit(text, "Max core file size", 0);
		assert_limit(text, "Max file size",
			*role == ROLE_FETCHER ? (long long)CACHE_FILE_BYTES_MAX : 0);
		assert_limit(text, "Max msgqueue size", 0);
		assert_limit(text, "Max pending signals", 0);
		assert_limit(text, "Max nice priority", 0);
		assert_limit(text, "Max realtime priority", 0);
		assert_limit(text, "Max open files", expected[*role].descriptors);
#if !defined(PULLGATE_ADDRESS_SANITIZER)
		assert_limit(text, "Max address space", expected[*role].memory);
		assert_limit(text, "Max locked memory",
			*role == ROLE_FETCHER ? expected[*role].memory : 0);
#endif
		release(&cell);
	}
}

/* Whether the process is in the namespace that the test is in. */
static bool shares_namespace(const struct cell *cell, const char *kind)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	assert_int_equal(stat(path, &own), 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)cell->pid, kind);
	assert_int_equal(stat(path, &other), 0);
	return own.st_ino == other.st_ino;
}

static void test_namespaces(void **state)
{
	static const char *const kinds[] = {"mnt", "pid", "ipc", "uts", "cgroup"};

	(void)state;
	cell_need_root();
	FOR_EACH_ROLE(role)
	{
		struct cell cell = cell_open(*role, wait_outside, NULL);

		await_ready(&cell);
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			assert_false(shares_namespace(&cell, kinds[i]));
		assert_int_equal(shares_namespace(&cell, "net"),
			*role == ROLE_CONNECTOR || *role == ROLE_INSTALLER);
		release(&cell);
	}
}

/* One mount, the root; fields as in proc(5). */
static void test_mounts(void **state)
{
	(void)state;
	cell_need_root();
	FOR_EACH_ROLE(role)
	{
		struct cell cell = cell_open(*role, wait_outside, NULL);
		char text[FILE_BYTES];

		await_ready(&cell);
		read_proc(&cell, "mountinfo", text);
		assert_line(text, " / / ro,nosuid,nodev,noexec,relatime - tmpfs ");
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		release(&cell);
	}
}

/* AddressSanitizer locks nothing. */
#if defined(PULLGATE_ADDRESS_SANITIZER)
#define LOCKS_MEMORY false
#else
#define LOCKS_MEMORY true
#endif

static bool has_locked_pages(const struct cell *cell)
{
	char text[FILE_BYTES];

	read_proc(cell, "status", text);
	return strstr(text, "\nVmLck:\t       0 kB\n") == NULL;
}

/* Where CAP_SYS_RESOURCE is missing, the fetcher's limit stays and nothing is locked. */
static bool may_lock_all(const struct cell *cell)
{
	long long locked[2], memory[2];
	char text[FILE_BYTES];

	read_proc(cell, "limits", text);
	read_limit(text, "Max locked memory", locked);
	read_limit(text, "Max address space", memory);
	return locked[0] >= memory[0];
}

static void test_memory(void **state)
{
	(void)state;
	cell_need_root();
	FOR_EACH_ROLE(role)
	{
		struct cell cell = cell_open(*role, wait_outside, NULL);
		char text[FILE_BYTES];

		await_ready(&cell);
		read_proc(&cell, "coredump_filter", text);
		assert_string_equal(text, "00000000\n");
		if (LOCKS_MEMORY) {
			assert_int_equal(has_locked_pages(&cell), may_lock_all(&cell));
			assert_true(*role == ROLE_FETCHER || !may_lock_all(&cell));
		}
		release(&cell);
	}
}

static int log_to_file(const void *argument)
{
	int file = open("/tmp", O_TMPFILE | O_WRONLY, 0600);

	(void)argument;
	return file >= 0 && dup2(file, STDERR_FILENO) >= 0 && close(file) == 0 ? 0 : 1;
}

static int write_log(const void *argument)
{
	(void)argument;
	return write(STDERR_FILENO, "line\n", 5) == 5 ? 0 : 1;
}

/* The one file that may grow is the operator's own: `pullgate 2>FILE`. */
static void test_log_file(void **state)
{
	struct cell cell;
	char log[FILE_BYTES];

	(void)state;
	cell_need_root();
	cell = cell_open_as(ROLE_CAPTURE, CELL_USER, CELL_GROUP, log_to_file, write_log, NULL);
	assert_int_equal(cell_close(&cell, log, sizeof(log)), 0);
}

/* Deaf to its channels, so that only a signal can end it early. */
static int wait_deaf(const void *argument)
{
	(void)argument;
	if (send(FD_CONTROL, "ready", 5, 0) != 5)
		return 1;
	poll(NULL, 0, PATIENCE_MS);
	return 2;
}

static void test_dies_with_parent(void **state)
{
	(void)state;
	cell_need_root();
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	FOR_EACH_ROLE(role)
	{
		pid_t parent, child;
		int status, told[2];

		assert_int_equal(pipe2(told, O_CLOEXEC), 0);
		parent = fork();
		assert_true(parent >= 0);
		if (parent == 0) {
			struct cell cell = cell_open(*role, wait_deaf, NULL);

			await_ready(&cell);
			_exit(write(told[1], &cell.pid, sizeof(cell.pid)) == sizeof(cell.pid) ? 0
											      : 1);
		}
		assert_int_equal(waitpid(parent, &status, 0), parent);
		assert_int_equal(status, 0);
		assert_int_equal(read(told[0], &child, sizeof(child)), sizeof(child));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGKILL);
		close(told[0]);
		close(told[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_not_dumpable),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_log_file),
		cmocka_unit_test(test_dies_with_parent),
	};

	return cmocka_run_group_tests_name("sandbox: authority", tests, NULL, NULL);
}

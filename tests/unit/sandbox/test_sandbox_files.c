/* SPDX-License-Identifier: ISC */
/*
 * A fetcher whose origin is a directory: what it can read there, and that there is nothing else. Built
 * twice: with the filter, and without it, for what the other walls hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cell.h"

#define FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

/* The directory lies in one that holds a file, too. */
static char outside[64], directory[96];

static void make_file(const char *folder, const char *name)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(name, file);
	fclose(file);
	assert_int_equal(chmod(path, 0644), 0);
}

static int make_directory(void **state)
{
	char path[160];

	(void)state;
	umask(0);
	strcpy(outside, "/tmp/pullgate-test-XXXXXX");
	if (mkdtemp(outside) == NULL || chmod(outside, 0755) != 0)
		return -1;
	snprintf(directory, sizeof(directory), "%s/peers", outside);
	if (mkdir(directory, 0755) != 0)
		return -1;
	make_file(outside, "secret");
	make_file(directory, "file");
	snprintf(path, sizeof(path), "%s/link", directory);
	if (symlink("../secret", path) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/far_link", directory);
	return symlink("/etc/passwd", path);
}

static int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", outside);
	return system(command) == 0 ? 0 : -1;
}

static int status_within(cell_function *work, const void *argument)
{
	struct cell cell = cell_open_within(directory, work, argument);
	char log[4096];
	int status = cell_close(&cell, log, sizeof(log));

	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		print_message("%s", log);
	return status;
}

static bool fails_with(long result, int error)
{
	return result < 0 && errno == error;
}

/* As the fetcher does it. */
static int read_file(const void *argument)
{
	int fd = openat(AT_FDCWD, "file", FLAGS);
	struct stat status;
	char bytes[16];

	(void)argument;
	if (fd < 0 || fstat(fd, &status) != 0 || status.st_size != 4)
		return 1;
	if (pread(fd, bytes, sizeof(bytes), 0) != 4 || memcmp(bytes, "file", 4) != 0)
		return 2;
	if (stat(".", &status) != 0 || status.st_nlink == 0)
		return 3;
	if (!fails_with(openat(AT_FDCWD, "none", FLAGS), ENOENT))
		return 4;
	return close(fd);
}

/* Whatever is written for a name. */
static int find_nothing_else(const void *argument)
{
	static const char *const paths[] = {"secret", "../secret", "/../secret", "/etc/passwd",
		"../../etc/passwd", "/proc/self/root/etc/passwd", "/proc", "/dev/null"};

	(void)argument;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!fails_with(openat(AT_FDCWD, paths[i], FLAGS), ENOENT))
			return 1 + (int)i;
	}
	if (!fails_with(openat(AT_FDCWD, "link", FLAGS), ELOOP) ||
		!fails_with(openat(AT_FDCWD, "far_link", FLAGS), ELOOP))
		return 20;
	return 0;
}

static void reads_files_of_the_directory(void **state)
{
	(void)state;
	cell_need_root();
	assert_int_equal(status_within(read_file, NULL), 0);
}

static void finds_nothing_outside(void **state)
{
	(void)state;
	cell_need_root();
	assert_int_equal(status_within(find_nothing_else, NULL), 0);
}

#if !defined(PULLGATE_TEST_WITHOUT_SECCOMP)

static int open_with(const void *argument)
{
	return openat(AT_FDCWD, "file", *(const int *)argument, 0600) >= 0 ? 1 : 2;
}

/* Nothing is opened by other flags than those. */
static void opens_for_nothing_but_reading(void **state)
{
	static const int flags[] = {O_WRONLY | FLAGS, O_RDWR | FLAGS, FLAGS | O_CREAT,
		FLAGS | O_TRUNC, FLAGS & ~O_NOFOLLOW, FLAGS & ~O_NONBLOCK, O_RDONLY, O_PATH,
		FLAGS | O_DIRECTORY, FLAGS | O_PATH, O_TMPFILE | O_RDWR};

	(void)state;
	cell_need_root();
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		int status = status_within(open_with, &flags[i]);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("flags %o: status %x", (unsigned)flags[i], (unsigned)status);
	}
}

static int open_plainly(const void *argument)
{
	(void)argument;
	return openat(AT_FDCWD, "file", FLAGS) >= 0 ? 1 : 2;
}

/* A fetcher of an HTTP origin opens nothing at all. */
static void opens_nothing_without_a_directory(void **state)
{
	int status;

	(void)state;
	cell_need_root();
	status = cell_run(ROLE_FETCHER, open_plainly, NULL);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

#else

/* The mount's own walls; Landlock is in the way of none but the last. */
static int try_the_mount(const void *argument)
{
	const unsigned long flags = ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC;
	struct statvfs status;

	(void)argument;
	if (statvfs("/", &status) != 0 || (status.f_flag & flags) != flags)
		return 1;
	if (!fails_with(open("/link", O_RDONLY), ENOENT) ||
		!fails_with(open("/far_link", O_RDONLY), ENOENT))
		return 2;
	if (open("/new", O_WRONLY | O_CREAT, 0600) >= 0 || open("/file", O_WRONLY) >= 0)
		return 3;
	if (unlink("/file") == 0 || rename("/file", "/file2") == 0 || chmod("/file", 0600) == 0)
		return 4;
	return 0;
}

static void is_kept_by_the_mount_too(void **state)
{
	(void)state;
	cell_need_root();
	assert_int_equal(status_within(try_the_mount, NULL), 0);
}

/* The keys of all peers need no list: files are opened by name. */
static int list_files(const void *argument)
{
	(void)argument;
	return fails_with(open("/", O_RDONLY | O_DIRECTORY), EACCES) ? 0 : 1;
}

static void lists_no_files(void **state)
{
	(void)state;
	cell_need_root();
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) <= 0)
		skip();
	assert_int_equal(status_within(list_files, NULL), 0);
}

#endif

static void assert_refused(const char *path)
{
	struct cell cell = cell_open_within(path, read_file, NULL);
	char log[4096];
	int status = cell_close(&cell, log, sizeof(log));

	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	assert_non_null(strstr(log, "step=new_root"));
}

static void needs_a_directory(void **state)
{
	char path[160];

	(void)state;
	cell_need_root();
	assert_refused("/");
	assert_refused("/nonexistent");
	snprintf(path, sizeof(path), "%s/file", directory);
	assert_refused(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_files_of_the_directory),
		cmocka_unit_test(finds_nothing_outside),
#if !defined(PULLGATE_TEST_WITHOUT_SECCOMP)
		cmocka_unit_test(opens_for_nothing_but_reading),
		cmocka_unit_test(opens_nothing_without_a_directory),
#else
		cmocka_unit_test(is_kept_by_the_mount_too),
		cmocka_unit_test(lists_no_files),
#endif
		cmocka_unit_test(needs_a_directory),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

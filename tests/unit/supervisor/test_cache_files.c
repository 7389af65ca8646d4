/* SPDX-License-Identifier: ISC */
/* The files of the cache that survives: made, found again, and refused where others have a right. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/role.h"
#include "supervisor/cache_files.h"

static char folder[64], directory[96], database[128], log_path[128];
static const char *what;

static int make_folder(void **state)
{
	(void)state;
	umask(0);
	strcpy(folder, "/tmp/pullgate-cache-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(directory, sizeof(directory), "%s/pullgate/wg0", folder);
	snprintf(database, sizeof(database), "%s/" CACHE_FILE_NAME, directory);
	snprintf(log_path, sizeof(log_path), "%s/" CACHE_LOG_NAME, directory);
	return 0;
}

static int remove_folder(void **state)
{
	char parent[96];

	(void)state;
	unlink(database);
	unlink(log_path);
	snprintf(parent, sizeof(parent), "%s/pullgate", folder);
	rmdir(directory);
	rmdir(parent);
	return rmdir(folder);
}

static void close_files(const struct cache_files *files)
{
	close(files->database);
	close(files->log);
}

static void make(void)
{
	struct cache_files files;

	assert_int_equal(cache_files_open(&files, directory, &what), 0);
	close_files(&files);
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(lstat(path, &status), 0);
	return status.st_mode & 07777;
}

static void assert_refused(int error, const char *expected)
{
	struct cache_files files;

	assert_int_equal(cache_files_open(&files, directory, &what), -error);
	assert_string_equal(what, expected);
	assert_int_equal(files.database, -1);
	assert_int_equal(files.log, -1);
}

static void are_made_for_us_alone(void **state)
{
	struct cache_files files;

	(void)state;
	assert_int_equal(cache_files_open(&files, directory, &what), 0);
	assert_int_equal(mode_of(directory), 0700);
	assert_int_equal(mode_of(database), 0600);
	assert_int_equal(mode_of(log_path), 0600);
	close_files(&files);
}

static void are_found_again(void **state)
{
	struct cache_files files;
	char byte;

	(void)state;
	assert_int_equal(cache_files_open(&files, directory, &what), 0);
	assert_int_equal(write(files.database, "x", 1), 1);
	close_files(&files);
	assert_int_equal(cache_files_open(&files, directory, &what), 0);
	assert_int_equal(pread(files.database, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
	close_files(&files);
}

static void without_a_directory_there_are_none(void **state)
{
	struct cache_files files;

	(void)state;
	assert_int_equal(cache_files_open(&files, "", &what), 0);
	assert_int_equal(files.database, -1);
	assert_int_equal(files.log, -1);
}

static void are_one_instances(void **state)
{
	struct cache_files files;

	(void)state;
	assert_int_equal(cache_files_open(&files, directory, &what), 0);
	assert_refused(EWOULDBLOCK, "lock");
	close_files(&files);
	make();
}

static void others_have_no_right(void **state)
{
	static const struct {
		const char *path, *what;
		mode_t before, after;
	} all[] = {
		{directory, "directory", 0700, 0750},
		{directory, "directory", 0700, 0701},
		{database, CACHE_FILE_NAME, 0600, 0640},
		{log_path, CACHE_LOG_NAME, 0600, 0602},
	};

	(void)state;
	make();
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(chmod(all[i].path, all[i].after), 0);
		assert_refused(EPERM, all[i].what);
		assert_int_equal(chmod(all[i].path, all[i].before), 0);
	}
	if (geteuid() == 0) {
		assert_int_equal(chown(database, 12345, (gid_t)-1), 0);
		assert_refused(EPERM, CACHE_FILE_NAME);
		assert_int_equal(chown(database, 0, (gid_t)-1), 0);
	}
	make();
}

static void nothing_else_stands_for_them(void **state)
{
	char other[128];

	(void)state;
	make();
	snprintf(other, sizeof(other), "%s/other", directory);
	assert_int_equal(rename(database, other), 0);
	assert_int_equal(symlink("other", database), 0);
	assert_refused(ELOOP, CACHE_FILE_NAME);
	assert_int_equal(unlink(database), 0);
	assert_int_equal(link(other, database), 0);
	assert_refused(EPERM, CACHE_FILE_NAME);
	assert_int_equal(unlink(database), 0);
	assert_int_equal(mkfifo(database, 0600), 0);
	assert_refused(EPERM, CACHE_FILE_NAME);
	assert_int_equal(unlink(other), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(are_made_for_us_alone),
		TEST(are_found_again),
		TEST(without_a_directory_there_are_none),
		TEST(are_one_instances),
		TEST(others_have_no_right),
		TEST(nothing_else_stands_for_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

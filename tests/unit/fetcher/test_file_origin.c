/* SPDX-License-Identifier: ISC */
/* A directory as the origin: what each thing that can lie there is taken for. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "fetcher/file_origin.h"
#include "fetcher/http_field.h"

#define NOBODY 65534

static char directory[64];
static struct file_origin origin;
static struct http_result result;

static int enter_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/pullgate-test-XXXXXX");
	return mkdtemp(directory) != NULL && chdir(directory) == 0 ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static void write_file(const char *name, const void *bytes, size_t length)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	close(fd);
}

static void get(const char *name, const struct http_conditions *conditions)
{
	memset(&result, 0x55, sizeof(result));
	file_origin_get(&origin, &result, name, conditions);
}

static void assert_status(const char *name, long status)
{
	get(name, NULL);
	assert_int_equal(result.end, HTTP_COMPLETE);
	assert_int_equal(result.origin.status, status);
}

static void assert_unusable(const char *name, const char *reason)
{
	get(name, NULL);
	assert_int_equal(result.end, HTTP_UNUSABLE);
	assert_string_equal(result.reason, reason);
	assert_int_equal(result.origin.length, 0);
}

static void reads_a_file(void **state)
{
	(void)state;
	write_file("a", "{\"x\": 1}", 8);
	assert_status("a", 200);
	assert_int_equal(result.origin.length, 8);
	assert_memory_equal(result.origin.body, "{\"x\": 1}", 8);
	assert_string_equal(result.origin.cache_control, "");
	assert_string_equal(result.origin.last_modified, "");
	assert_string_equal(result.origin.content_type, "application/json");
	assert_true(http_is_entity_tag(result.origin.etag));
	write_file("empty", "", 0);
	assert_status("empty", 200);
	assert_int_equal(result.origin.length, 0);
}

static void wipes_what_it_read(void **state)
{
	static const struct file_origin zero;

	(void)state;
	write_file("secret", "SECRET", 6);
	assert_status("secret", 200);
	file_origin_wipe(&origin);
	assert_memory_equal(&origin, &zero, sizeof(zero));
}

static void goes_by_the_name_for_msgpack(void **state)
{
	(void)state;
	write_file("a.msgpack", "\x80", 1);
	assert_status("a.msgpack", 200);
	assert_string_equal(result.origin.content_type, "application/msgpack");
	write_file(".msgpack", "\x80", 1);
	assert_status(".msgpack", 200);
	assert_string_equal(result.origin.content_type, "application/json");
	write_file("a.msgpack.json", "{}", 2);
	assert_status("a.msgpack.json", 200);
	assert_string_equal(result.origin.content_type, "application/json");
}

/* The tag changes with whatever may change what the file says. */
static void confirms_what_has_not_changed(void **state)
{
	char tag[HTTP_VALIDATOR_BYTES];
	struct http_conditions conditions = {.etag = tag, .last_modified = ""};
	struct timespec times[2];
	struct stat status;

	(void)state;
	write_file("b", "one", 3);
	assert_status("b", 200);
	strcpy(tag, result.origin.etag);
	get("b", &conditions);
	assert_int_equal(result.end, HTTP_COMPLETE);
	assert_int_equal(result.origin.status, 304);
	assert_int_equal(result.origin.length, 0);
	/* Another size. */
	write_file("b", "four", 4);
	get("b", &conditions);
	assert_int_equal(result.origin.status, 200);
	assert_memory_equal(result.origin.body, "four", 4);
	/* Another file with the same size and time. */
	strcpy(tag, result.origin.etag);
	assert_int_equal(stat("b", &status), 0);
	times[0] = times[1] = status.st_mtim;
	write_file("b.new", "five", 4);
	assert_int_equal(utimensat(AT_FDCWD, "b.new", times, 0), 0);
	assert_int_equal(rename("b.new", "b"), 0);
	get("b", &conditions);
	assert_int_equal(result.origin.status, 200);
	/* The same file, its time set back by who wrote into it; a clock tick later than its last
	 * change, whose length is the kernel's affair. */
	strcpy(tag, result.origin.etag);
	for (int i = 0; i < 10000 && (i == 0 || result.origin.status == 304); i++) {
		write_file("b", "nine", 4);
		assert_int_equal(utimensat(AT_FDCWD, "b", times, 0), 0);
		get("b", &conditions);
	}
	assert_int_equal(result.origin.status, 200);
	assert_memory_equal(result.origin.body, "nine", 4);
}

static void says_what_is_missing(void **state)
{
	struct http_conditions conditions = {.etag = "\"x\"", .last_modified = ""};

	(void)state;
	assert_status("none", 404);
	get("none", &conditions);
	assert_int_equal(result.origin.status, 404);
}

static void refuses_what_is_no_file(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(mkfifo("fifo", 0666), 0);
	assert_unusable("fifo", "not a regular file");
	assert_int_equal(mkdir("folder", 0777), 0);
	assert_unusable("folder", "not a regular file");
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_unusable("socket", "not a regular file");
	write_file("target", "{}", 2);
	assert_int_equal(symlink("target", "inside"), 0);
	assert_int_equal(symlink("/etc/passwd", "outside"), 0);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_unusable("inside", "the file is a symbolic link");
	assert_unusable("outside", "the file is a symbolic link");
	assert_unusable("dangling", "the file is a symbolic link");
}

static void bounds_the_size(void **state)
{
	static char bytes[HTTP_CLIENT_BODY_BYTES + 1];

	(void)state;
	memset(bytes, ' ', sizeof(bytes));
	write_file("full", bytes, sizeof(bytes) - 1);
	assert_status("full", 200);
	assert_int_equal(result.origin.length, HTTP_CLIENT_BODY_BYTES);
	write_file("over", bytes, sizeof(bytes));
	assert_unusable("over", "file larger than 65536 bytes");
	write_file("hole", "", 0);
	assert_int_equal(truncate("hole", (off_t)1 << 30), 0);
	assert_unusable("hole", "file larger than 65536 bytes");
}

static void says_what_may_not_be_read(void **state)
{
	(void)state;
	write_file("mine", "{}", 2);
	if (geteuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	else
		assert_int_equal(chmod("mine", 0), 0);
	get("mine", NULL);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(result.end, HTTP_UNUSABLE);
	assert_non_null(strstr(result.reason, "may not be read"));
}

/* It is empty, but that is no answer about any key. */
static void notices_its_deletion(void **state)
{
	(void)state;
	assert_int_equal(mkdir("gone", 0700), 0);
	assert_int_equal(chdir("gone"), 0);
	assert_status("none", 404);
	assert_int_equal(rmdir("../gone"), 0);
	get("none", NULL);
	assert_int_equal(result.end, HTTP_FAILED);
	assert_string_equal(result.reason, "the directory has been deleted");
	assert_int_equal(chdir(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_file),
		cmocka_unit_test(wipes_what_it_read),
		cmocka_unit_test(goes_by_the_name_for_msgpack),
		cmocka_unit_test(confirms_what_has_not_changed),
		cmocka_unit_test(says_what_is_missing),
		cmocka_unit_test(refuses_what_is_no_file),
		cmocka_unit_test(bounds_the_size),
		cmocka_unit_test(says_what_may_not_be_read),
		cmocka_unit_test(notices_its_deletion),
	};

	return cmocka_run_group_tests(tests, enter_directory, remove_directory);
}

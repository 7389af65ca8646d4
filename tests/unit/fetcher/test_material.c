/* SPDX-License-Identifier: ISC */
/* Certificates, key and token: read whole, bounded, wiped. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "fetcher/material.h"

static struct material_set set;
static const char *reason;

static int make_file(const void *bytes, size_t length)
{
	int fd = memfd_create("material", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), (ssize_t)length);
	return fd;
}

static int read_file(enum material_kind kind, const void *bytes, size_t length)
{
	int fd = make_file(bytes, length);
	int error = material_read(&set, kind, fd);

	close(fd);
	return error;
}

static int open_set(void **state)
{
	(void)state;
	return material_open(&set);
}

static int close_set(void **state)
{
	(void)state;
	material_close(&set);
	return 0;
}

static void reads_each_kind(void **state)
{
	(void)state;
	assert_int_equal(read_file(MATERIAL_CA, "ca", 2), 0);
	assert_int_equal(read_file(MATERIAL_CLIENT_KEY, "key", 3), 0);
	assert_int_equal(set.items[MATERIAL_CA].length, 2);
	assert_memory_equal(set.items[MATERIAL_CA].bytes, "ca", 3);
	assert_memory_equal(set.items[MATERIAL_CLIENT_KEY].bytes, "key", 4);
	assert_int_equal(set.items[MATERIAL_CLIENT_CERT].length, 0);
	/* From the start of the file, wherever its offset is, and in place of what was there. */
	assert_int_equal(read_file(MATERIAL_CLIENT_KEY, "k", 1), 0);
	assert_memory_equal(set.items[MATERIAL_CLIENT_KEY].bytes, "k\0\0", 4);
	assert_int_equal(read_file(MATERIAL_CLIENT_KEY, "", 0), 0);
	assert_int_equal(set.items[MATERIAL_CLIENT_KEY].length, 0);
	assert_int_equal(material_read(&set, MATERIAL_CA, -1), -EBADF);
	assert_int_equal(set.items[MATERIAL_CA].length, 0);
}

static void refuses_what_is_too_long(void **state)
{
	char *bytes = calloc(1, MATERIAL_CA_BYTES_MAX + 1);

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(read_file(MATERIAL_CA, bytes, MATERIAL_CA_BYTES_MAX), 0);
	assert_int_equal(read_file(MATERIAL_CA, bytes, MATERIAL_CA_BYTES_MAX + 1), -EFBIG);
	assert_int_equal(set.items[MATERIAL_CA].length, 0);
	assert_int_equal(read_file(MATERIAL_CLIENT_KEY, bytes, MATERIAL_CLIENT_KEY_BYTES_MAX), 0);
	assert_int_equal(
		read_file(MATERIAL_CLIENT_KEY, bytes, MATERIAL_CLIENT_KEY_BYTES_MAX + 1), -EFBIG);
	assert_int_equal(read_file(MATERIAL_TOKEN, bytes, MATERIAL_TOKEN_BYTES_MAX + 1), -EFBIG);
	free(bytes);
}

static void wipes_what_it_held(void **state)
{
	static const uint8_t zeros[4096];

	(void)state;
	assert_int_equal(read_file(MATERIAL_CLIENT_KEY, "a secret of some length", 23), 0);
	assert_int_equal(read_file(MATERIAL_CLIENT_KEY, "short", 5), 0);
	assert_memory_equal(set.items[MATERIAL_CLIENT_KEY].bytes + 5, zeros, 100);
	assert_int_equal(read_file(MATERIAL_TOKEN, "tok", 3), 0);
	material_clear(&set);
	for (size_t i = 0; i < MATERIAL_KINDS; i++) {
		assert_int_equal(set.items[i].length, 0);
		assert_memory_equal(set.items[i].bytes, zeros, sizeof(zeros));
	}
}

static void trims_a_token(void **state)
{
	static const struct {
		const char *text, *token;
	} rows[] = {
		{"tok-123", "tok-123"},
		{"tok-123\n", "tok-123"},
		{"tok-123\r\n", "tok-123"},
		{"tok-123\n\n", "tok-123"},
		{"!~", "!~"},
		{"\n", NULL},
		{"\ntok", NULL},
		{"tok 123", NULL},
		{"tok\t", NULL},
		{"tok\nX-Evil: 1", NULL},
		{"tok\r\nX", NULL},
		{"tok\x7f", NULL},
		{"tok\xc3\xa4", NULL},
	};

	(void)state;
	assert_int_equal(material_trim_token(&set, &reason), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_file(MATERIAL_TOKEN, rows[i].text, strlen(rows[i].text)), 0);
		if (rows[i].token == NULL) {
			assert_int_equal(material_trim_token(&set, &reason), -EINVAL);
			continue;
		}
		assert_int_equal(material_trim_token(&set, &reason), 0);
		assert_string_equal((const char *)set.items[MATERIAL_TOKEN].bytes, rows[i].token);
		assert_int_equal(set.items[MATERIAL_TOKEN].length, strlen(rows[i].token));
	}
	assert_int_equal(read_file(MATERIAL_TOKEN, "a\0b", 3), 0);
	assert_int_equal(material_trim_token(&set, &reason), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_each_kind, open_set, close_set),
		cmocka_unit_test_setup_teardown(refuses_what_is_too_long, open_set, close_set),
		cmocka_unit_test_setup_teardown(wipes_what_it_held, open_set, close_set),
		cmocka_unit_test_setup_teardown(trims_a_token, open_set, close_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

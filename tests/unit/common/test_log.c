/* SPDX-License-Identifier: ISC */
/* Log lines: their form, their limits, and what may not get into one. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"

static int saved_stderr, read_end;

/* Standard error is a pipe of ours while a test runs. */
static int catch_stderr(void **state)
{
	int ends[2];

	(void)state;
	if (pipe(ends) != 0)
		return -1;
	saved_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	read_end = ends[0];
	unsetenv("JOURNAL_STREAM");
	log_open("pullgate-test");
	log_set_verbose(false);
	return 0;
}

static int release_stderr(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(read_end);
	return 0;
}

static const char *logged(void)
{
	static char text[4 * LOG_LINE_BYTES];
	ssize_t length;

	log_event(LOG_LEVEL_ERROR, "end", ""); /* so that read never waits */
	length = read(read_end, text, sizeof(text) - 1);
	text[length > 0 ? length : 0] = '\0';
	return text;
}

static void one_line_an_event(void **state)
{
	(void)state;
	log_event(LOG_LEVEL_INFO, "demand", "id=%d key=%s", 7, "abc");
	log_event(LOG_LEVEL_DEBUG, "hidden", "");
	assert_string_equal(logged(), "pullgate-test level=info event=demand id=7 key=abc\n"
				      "pullgate-test level=error event=end\n");
	log_set_verbose(true);
	log_event(LOG_LEVEL_DEBUG, "shown", "");
	assert_non_null(strstr(logged(), "pullgate-test level=debug event=shown\n"));
}

static void journald_gets_its_level(void **state)
{
	struct stat status;
	char stream[64];

	(void)state;
	fstat(STDERR_FILENO, &status);
	snprintf(stream, sizeof(stream), "%lu:%lu", (unsigned long)status.st_dev,
		(unsigned long)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("pullgate-test");
	log_event(LOG_LEVEL_WARNING, "rejected", "id=1");
	assert_string_equal(
		logged(), "<4>pullgate-test event=rejected id=1\n<3>pullgate-test event=end\n");
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_open("pullgate-test");
	log_event(LOG_LEVEL_WARNING, "rejected", "id=1");
	assert_non_null(strstr(logged(), "pullgate-test level=warning event=rejected id=1\n"));
}

static void long_lines_are_cut(void **state)
{
	char huge[3 * LOG_LINE_BYTES];
	const char *text, *end;

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	log_event(LOG_LEVEL_INFO, "long", "text=%s", huge);
	text = logged();
	end = strchr(text, '\n');
	assert_non_null(end);
	assert_int_equal(end + 1 - text, LOG_LINE_BYTES);
	assert_memory_equal(end - 3, "...", 3);
}

static void reader_that_goes_away_ends_nobody(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_DFL);
	log_open("pullgate-test");
	close(read_end);
	log_event(LOG_LEVEL_ERROR, "lost", "");
	read_end = -1;
}

static void quoting_leaves_nothing_to_forge_with(void **state)
{
	char quoted[LOG_QUOTED_BYTES], huge[1000];

	(void)state;
	assert_string_equal(log_quote(quoted, "a b"), "\"a b\"");
	assert_string_equal(log_quote(quoted, ""), "\"\"");
	assert_string_equal(
		log_quote(quoted, "x\"\n<3>y\\\x7f\xc3"), "\"x\\x22\\x0a<3>y\\x5c\\x7f\\xc3\"");
	for (size_t length = 0; length < sizeof(huge); length++) {
		memset(huge, '\n', length);
		huge[length] = '\0';
		log_quote(quoted, huge);
		assert_true(strlen(quoted) < LOG_QUOTED_BYTES);
		assert_int_equal(quoted[strlen(quoted) - 1], '"');
	}
	assert_memory_equal(quoted + strlen(quoted) - 4, "...\"", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_line_an_event, catch_stderr, release_stderr),
		cmocka_unit_test_setup_teardown(
			journald_gets_its_level, catch_stderr, release_stderr),
		cmocka_unit_test_setup_teardown(long_lines_are_cut, catch_stderr, release_stderr),
		cmocka_unit_test_setup_teardown(
			reader_that_goes_away_ends_nobody, catch_stderr, release_stderr),
		cmocka_unit_test(quoting_leaves_nothing_to_forge_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

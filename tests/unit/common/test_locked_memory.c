/* SPDX-License-Identifier: ISC */
/* Memory for secrets, as the kernel sees it. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/locked_memory.h"

/* The line "VmFlags: ..." of a mapping in /proc/self/smaps (proc(5)). */
static void read_flags(const void *memory, char *line, int size)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	bool is_here = false;

	assert_non_null(file);
	line[0] = '\0';
	while (fgets(line, size, file) != NULL) {
		uintptr_t begin, end;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &begin, &end) == 2)
			is_here = (uintptr_t)memory >= begin && (uintptr_t)memory < end;
		else if (is_here && strncmp(line, "VmFlags:", 8) == 0)
			break;
	}
	fclose(file);
	assert_memory_equal(line, "VmFlags:", 8);
}

/* AddressSanitizer takes mlock(2) for nothing. */
static bool is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return true;
#elif defined(__has_feature)
	return __has_feature(address_sanitizer);
#else
	return false;
#endif
}

static void locked_undumped_unforked(void **state)
{
	char *memory = locked_memory_new(5000);
	char flags[256];

	(void)state;
	assert_non_null(memory);
	assert_int_equal(memory[0] | memory[4999], 0);
	read_flags(memory, flags, sizeof(flags));
	if (strstr(flags, " lo") == NULL)
		assert_true(is_sanitized());
	assert_non_null(strstr(flags, " dd"));
	assert_non_null(strstr(flags, " wf"));
}

static void gone_in_a_forked_process(void **state)
{
	char *memory = locked_memory_new(1);
	pid_t pid;
	int status;

	(void)state;
	memory[0] = 1;
	pid = fork();
	if (pid == 0)
		_exit(memory[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(locked_undumped_unforked),
		cmocka_unit_test(gone_in_a_forked_process),
	};

	return cmocka_run_group_tests_name("common: locked memory", tests, NULL, NULL);
}

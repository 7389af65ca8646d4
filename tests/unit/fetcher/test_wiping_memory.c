/* SPDX-License-Identifier: ISC */
/* Memory is wiped before it is freed. The linker puts this test's free() in the library's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fetcher/wiping_memory.h"

#define SECRET "a preshared key, say"

void __real_free(void *memory);
void __wrap_free(void *memory);

static const void *watched;
static char seen[64];

void __wrap_free(void *memory)
{
	if (memory != NULL && memory == watched) {
		memcpy(seen, memory, sizeof(seen));
		watched = NULL;
	}
	__real_free(memory);
}

static char *make_secret(void)
{
	char *memory = wiping_malloc(sizeof(seen));

	assert_non_null(memory);
	memset(memory, 'x', sizeof(seen));
	memcpy(memory, SECRET, sizeof(SECRET));
	memset(seen, 'y', sizeof(seen));
	watched = memory;
	return memory;
}

static void assert_wiped(void)
{
	static const char zeros[sizeof(seen)];

	assert_null(watched);
	assert_memory_equal(seen, zeros, sizeof(seen));
}

static void wipes_on_free(void **state)
{
	(void)state;
	wiping_free(make_secret());
	assert_wiped();
	wiping_free(NULL);
}

static void wipes_on_realloc(void **state)
{
	static const size_t sizes[] = {8, sizeof(seen), 100000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *moved = wiping_realloc(make_secret(), sizes[i]);

		assert_wiped();
		assert_memory_equal(moved, SECRET, 8);
		wiping_free(moved);
	}
	wiping_free(wiping_realloc(NULL, 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wipes_on_free),
		cmocka_unit_test(wipes_on_realloc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* cmocka with what it wants included before it, and small helps. */
#ifndef PULLGATE_TEST_CAPTURE_UNIT_H
#define PULLGATE_TEST_CAPTURE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline void assert_zeroed(const void *memory, size_t bytes)
{
	assert_true(sodium_is_zero(memory, bytes));
}

static inline int start_sodium(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

#endif

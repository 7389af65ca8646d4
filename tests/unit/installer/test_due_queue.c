/* SPDX-License-Identifier: ISC */
#include "installer/due_queue.h"

#include <errno.h>
#include <stdlib.h>

#include "unit.h"

#define SLOTS 500

static struct due_queue queue;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(due_queue_init(&queue, SLOTS), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	due_queue_destroy(&queue);
	return 0;
}

static void expect_first(uint32_t slot, int64_t at_ms)
{
	int64_t first_ms;

	assert_int_equal(due_queue_first(&queue, &first_ms), slot);
	assert_int_equal(first_ms, at_ms);
}

static void test_order(void **state)
{
	int64_t at_ms;

	(void)state;
	assert_int_equal(due_queue_first(&queue, &at_ms), DUE_QUEUE_NONE);
	due_queue_set(&queue, 7, 30);
	due_queue_set(&queue, 3, 10);
	due_queue_set(&queue, 5, 20);
	expect_first(3, 10);
	due_queue_set(&queue, 3, 25); /* later than before */
	expect_first(5, 20);
	due_queue_set(&queue, 7, DUE_AT_ONCE); /* earlier */
	expect_first(7, DUE_AT_ONCE);
	due_queue_remove(&queue, 7);
	due_queue_remove(&queue, 7); /* it isn't queued any more */
	due_queue_remove(&queue, 5);
	expect_first(3, 25);
	due_queue_remove(&queue, 3);
	assert_int_equal(due_queue_first(&queue, &at_ms), DUE_QUEUE_NONE);
	assert_int_equal(queue.count, 0);
}

/* Against an array that is searched from end to end. */
static void test_at_random(void **state)
{
	static int64_t times[SLOTS]; /* 0: not queued */
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		uint32_t slot = (uint32_t)rand_r(&seed) % SLOTS, first = DUE_QUEUE_NONE;
		int64_t at_ms = 1 + rand_r(&seed) % 100000;

		if (rand_r(&seed) % 3 == 0) {
			due_queue_remove(&queue, slot);
			times[slot] = 0;
		} else {
			due_queue_set(&queue, slot, at_ms);
			times[slot] = at_ms;
		}
		for (uint32_t i = 0; i < SLOTS; i++) {
			if (times[i] != 0 && (first == DUE_QUEUE_NONE || times[i] < times[first]))
				first = i;
		}
		if (first == DUE_QUEUE_NONE) {
			assert_int_equal(queue.count, 0);
			continue;
		}
		slot = due_queue_first(&queue, &at_ms);
		assert_int_equal(at_ms, times[first]);
		assert_int_equal(times[slot], at_ms);
	}
}

static void test_capacity(void **state)
{
	struct due_queue none;

	(void)state;
	assert_int_equal(due_queue_init(&none, 0), -EINVAL);
	for (uint32_t slot = 0; slot < SLOTS; slot++)
		due_queue_set(&queue, slot, SLOTS - slot);
	for (uint32_t slot = SLOTS; slot-- > 0;) {
		expect_first(slot, SLOTS - slot);
		due_queue_remove(&queue, slot);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_at_random),
		TEST(test_capacity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

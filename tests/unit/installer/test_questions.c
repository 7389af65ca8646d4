/* SPDX-License-Identifier: ISC */
#include "installer/questions.h"

#include "unit.h"

static struct questions questions;

static int set_up(void **state)
{
	(void)state;
	memset(&questions, 0, sizeof(questions));
	return 0;
}

static uint64_t add(uint32_t number, int64_t now_ms)
{
	uint8_t key[WIREGUARD_KEY_BYTES];
	struct question *question;

	make_key(key, number);
	question = questions_add(&questions, key, number, now_ms);
	return question != NULL ? question->id : 0;
}

static struct question *find(uint64_t id, uint32_t number)
{
	uint8_t key[WIREGUARD_KEY_BYTES];

	make_key(key, number);
	return questions_find(&questions, id, key);
}

static void test_id_and_key(void **state)
{
	uint64_t first = add(1, 0), second = add(2, 0);

	(void)state;
	assert_true((first & QUESTION_ID_BIT) != 0 && (second & QUESTION_ID_BIT) != 0);
	assert_int_equal(find(first, 1)->slot, 1);
	assert_int_equal(find(second, 2)->slot, 2);
	assert_null(find(first, 2));
	assert_null(find(first & ~QUESTION_ID_BIT, 1));
	assert_null(find(first + QUESTIONS_MAX, 1)); /* the same place */
	assert_null(find(first + 2, 1));             /* a free one */
	assert_null(find(0, 0));
}

/* It answers once, and its place serves another then. */
static void test_forgotten(void **state)
{
	uint64_t first = add(1, 0), second;

	(void)state;
	questions_forget(&questions, find(first, 1));
	assert_null(find(first, 1));
	assert_int_equal(questions.count, 0);
	second = add(1, 0);
	assert_int_not_equal(first, second);
	assert_null(find(first, 1));
	assert_non_null(find(second, 1));
}

static void test_full(void **state)
{
	uint64_t ids[QUESTIONS_MAX];

	(void)state;
	for (uint32_t i = 0; i < QUESTIONS_MAX; i++)
		assert_int_not_equal(ids[i] = add(i, i), 0);
	assert_int_equal(add(1000, 0), 0);
	for (uint32_t i = 0; i < QUESTIONS_MAX; i++)
		assert_int_equal(find(ids[i], i)->slot, i);
	questions_forget(&questions, find(ids[77], 77));
	assert_int_not_equal(add(1000, 0), 0);
	assert_int_equal(questions.count, QUESTIONS_MAX);
}

static void test_older(void **state)
{
	uint64_t first = add(1, 1000);

	(void)state;
	add(2, 2000);
	assert_null(questions_find_older(&questions, 5000, 5999));
	assert_int_equal(questions_find_older(&questions, 5000, 6000)->id, first);
	questions_forget(&questions, find(first, 1));
	assert_null(questions_find_older(&questions, 5000, 6999));
	assert_int_equal(questions_find_older(&questions, 5000, 7000)->slot, 2);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_id_and_key),
		TEST(test_forgotten),
		TEST(test_full),
		TEST(test_older),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* Overlaps of allowed IPs, by example and at random against looking at each one. */
#include "installer/allowed_ips.h"

#include <errno.h>
#include <stdlib.h>

#include "unit.h"

#define OWNERS   12
#define CAPACITY 200

static struct allowed_ips table;

static int set_up(void **state)
{
	(void)state;
	return allowed_ips_init(&table, OWNERS, CAPACITY);
}

static int tear_down(void **state)
{
	(void)state;
	allowed_ips_destroy(&table);
	return 0;
}

static void add(uint32_t owner, const char *text)
{
	struct prefix prefix = prefix_of(text);
	uint32_t moved_from;

	assert_int_equal(allowed_ips_add(&table, owner, &prefix, &moved_from), 0);
}

static uint32_t overlap(const char *text, uint32_t except)
{
	struct prefix prefix = prefix_of(text), found;

	return allowed_ips_overlap(&table, &prefix, except, &found);
}

static void test_lengths(void **state)
{
	(void)state;
	add(1, "10.64.0.0/16");
	add(2, "10.65.7.0/24");
	add(3, "fd64:1::/32");
	add(4, "fd64:2::7/128");
	assert_int_equal(overlap("10.64.0.0/16", 0), 1);
	assert_int_equal(overlap("10.64.0.0/15", 2), 1);
	assert_int_equal(overlap("10.64.0.0/15", 1), 2);
	assert_int_equal(overlap("10.64.3.9/32", 0), 1);
	assert_int_equal(overlap("0.0.0.0/0", 1), 2);
	assert_int_equal(overlap("0.0.0.0/0", 2), 1);
	assert_int_equal(overlap("10.65.6.0/23", 0), 2);
	assert_int_equal(overlap("10.65.8.0/24", 0), ALLOWED_IPS_NO_OWNER);
	assert_int_equal(overlap("10.65.7.0/24", 2), ALLOWED_IPS_NO_OWNER);
	assert_int_equal(overlap("fd64:1:ffff::1/128", 0), 3);
	assert_int_equal(overlap("fd64::/16", 3), 4);
	assert_int_equal(overlap("fd64:2::6/127", 0), 4);
	assert_int_equal(overlap("fd64:2::8/128", 0), ALLOWED_IPS_NO_OWNER);
	assert_int_equal(overlap("::/0", 3), 4);
}

/* Its own prefixes may nest; another's inside or around them still counts. */
static void test_except_self(void **state)
{
	(void)state;
	add(1, "10.64.0.0/16");
	add(1, "10.64.1.0/24");
	add(1, "10.64.1.1/32");
	assert_int_equal(overlap("10.64.0.0/12", 1), ALLOWED_IPS_NO_OWNER);
	assert_int_equal(overlap("10.64.1.1/32", 1), ALLOWED_IPS_NO_OWNER);
	add(2, "10.64.1.1/32");
	assert_int_equal(overlap("10.64.0.0/12", 1), 2);
	assert_int_equal(overlap("10.64.1.0/24", 1), 2);
	assert_int_equal(overlap("10.64.1.1/32", 2), 1);
}

static void test_moves(void **state)
{
	struct prefix prefix = prefix_of("10.64.0.1/32"), other = prefix_of("10.64.0.2/32");
	uint32_t moved_from;

	(void)state;
	allowed_ips_add(&table, 1, &prefix, &moved_from);
	assert_int_equal(moved_from, ALLOWED_IPS_NO_OWNER);
	allowed_ips_add(&table, 1, &other, &moved_from);
	allowed_ips_add(&table, 1, &prefix, &moved_from);
	assert_int_equal(moved_from, ALLOWED_IPS_NO_OWNER);
	assert_int_equal(allowed_ips_count(&table, 1), 2);
	allowed_ips_add(&table, 2, &prefix, &moved_from);
	assert_int_equal(moved_from, 1);
	assert_int_equal(allowed_ips_count(&table, 1), 1);
	assert_int_equal(allowed_ips_count(&table, 2), 1);
	assert_int_equal(table.count, 2);
}

static void test_order_and_cut(void **state)
{
	static const char *const texts[] = {
		"10.64.0.9/32", "fd64::/64", "10.64.0.0/24", "10.64.0.1/32"};
	allowed_ips_place place;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		add(5, texts[i]);
	place = allowed_ips_first(&table, 5);
	for (size_t i = 0; i < 4; i++, place = allowed_ips_next(&table, place)) {
		struct prefix expected = prefix_of(texts[i]),
			      got = allowed_ips_prefix(&table, place);

		assert_memory_equal(&got, &expected, sizeof(got));
	}
	assert_int_equal(place, 0);
	allowed_ips_cut(&table, 5, allowed_ips_next(&table, allowed_ips_first(&table, 5)));
	assert_int_equal(allowed_ips_count(&table, 5), 1);
	assert_int_equal(overlap("10.64.0.9/32", 0), 5);
	assert_int_equal(overlap("10.64.0.1/32", 0), ALLOWED_IPS_NO_OWNER);
	assert_int_equal(overlap("fd64::/64", 0), ALLOWED_IPS_NO_OWNER);
}

static void test_full(void **state)
{
	struct prefix prefix = prefix_of("10.0.0.0/32");
	uint32_t moved_from;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < CAPACITY; i++) {
			prefix.bytes[3] = (uint8_t)i;
			assert_int_equal(allowed_ips_add(&table, 1, &prefix, &moved_from), 0);
		}
		prefix.bytes[2] = 1;
		assert_int_equal(allowed_ips_add(&table, 1, &prefix, &moved_from), -ENOSPC);
		prefix.bytes[2] = 0;
		allowed_ips_remove_all(&table, 1);
		assert_int_equal(table.count, 0);
		assert_int_equal(table.roots[0], 0);
		assert_int_equal(overlap("0.0.0.0/0", 0), ALLOWED_IPS_NO_OWNER);
	}
}

/* The slow way: every prefix there is, with its owner. */
struct model {
	uint32_t count;
	struct {
		struct prefix prefix;
		uint32_t owner;
	} item[CAPACITY];
};

/* Few bits vary, so that prefixes meet, nest and branch everywhere. */
static struct prefix random_prefix(void)
{
	struct prefix prefix = {.family = rand() % 2 == 0 ? 4 : 6};
	unsigned bits = prefix.family == 4 ? 32 : 128;

	prefix.length = (uint8_t)((unsigned)rand() % 7 + (rand() % 4 == 0 ? bits - 6 : 0));
	prefix.bytes[0] = (uint8_t)((unsigned)rand() % 64 << 2);
	prefix.bytes[bits / 8 - 1] = (uint8_t)((unsigned)rand() % 4);
	for (unsigned bit = prefix.length; bit < bits; bit++)
		prefix.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return prefix;
}

static void model_add(struct model *model, uint32_t owner, const struct prefix *prefix)
{
	for (uint32_t i = 0; i < model->count; i++) {
		if (memcmp(&model->item[i].prefix, prefix, sizeof(*prefix)) == 0) {
			model->item[i].owner = owner;
			return;
		}
	}
	model->item[model->count].prefix = *prefix;
	model->item[model->count++].owner = owner;
}

static void model_remove(struct model *model, uint32_t owner)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < model->count; i++) {
		if (model->item[i].owner != owner)
			model->item[kept++] = model->item[i];
	}
	model->count = kept;
}

static bool model_overlaps(
	const struct model *model, const struct prefix *prefix, uint32_t except, uint32_t owner)
{
	for (uint32_t i = 0; i < model->count; i++) {
		if (model->item[i].owner != except &&
			(owner == ALLOWED_IPS_NO_OWNER || model->item[i].owner == owner) &&
			prefix_overlaps(&model->item[i].prefix, prefix))
			return true;
	}
	return false;
}

static void test_random(void **state)
{
	static struct model model;

	(void)state;
	model.count = 0;
	srand(7);
	for (unsigned step = 0; step < 60000; step++) {
		uint32_t owner = (uint32_t)rand() % OWNERS, found_owner, moved_from;
		struct prefix prefix = random_prefix(), found;

		if (rand() % 24 == 0) {
			allowed_ips_remove_all(&table, owner);
			model_remove(&model, owner);
		} else if (allowed_ips_add(&table, owner, &prefix, &moved_from) == 0) {
			model_add(&model, owner, &prefix);
		}
		assert_int_equal(table.count, model.count);
		prefix = random_prefix();
		found_owner = allowed_ips_overlap(&table, &prefix, owner, &found);
		assert_int_equal(found_owner != ALLOWED_IPS_NO_OWNER,
			model_overlaps(&model, &prefix, owner, ALLOWED_IPS_NO_OWNER));
		if (found_owner == ALLOWED_IPS_NO_OWNER)
			continue;
		assert_true(model_overlaps(&model, &prefix, owner, found_owner));
		assert_true(prefix_overlaps(&prefix, &found));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lengths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_except_self, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_moves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order_and_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_random, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

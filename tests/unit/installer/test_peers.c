/* SPDX-License-Identifier: ISC */
/* The table of peers. */
#include "installer/peers.h"

#include <errno.h>

#include "unit.h"

static struct peers peers;

static int set_up(void **state)
{
	(void)state;
	return peers_init(&peers, 10, 1); /* 10 and 4096 static ones, a prefix each */
}

static int tear_down(void **state)
{
	(void)state;
	peers_destroy(&peers);
	return 0;
}

static uint32_t add(uint32_t number, enum known_state known)
{
	uint8_t key[WIREGUARD_KEY_BYTES];

	make_key(key, number);
	return peers_add(&peers, key, known);
}

static void test_full(void **state)
{
	uint8_t key[WIREGUARD_KEY_BYTES];
	uint32_t slot = 0;

	(void)state;
	for (uint32_t i = 0; i < 10 + 4096; i++) {
		slot = add(i, KNOWN_STATIC);
		assert_int_not_equal(slot, KEY_INDEX_NONE);
	}
	assert_int_equal(add(99999, KNOWN_INSTALLED), KEY_INDEX_NONE);
	peers_remove(&peers, slot);
	assert_int_equal(add(99999, KNOWN_INSTALLED), slot);
	make_key(key, 99999);
	assert_int_equal(peers_find(&peers, key), slot);
	assert_memory_equal(peers_key(&peers, slot), key, sizeof(key));
	make_key(key, 10 + 4095);
	assert_int_equal(peers_find(&peers, key), KEY_INDEX_NONE);
}

static void test_counts(void **state)
{
	uint32_t fixed = add(1, KNOWN_STATIC), first = add(2, KNOWN_INSTALLED),
		 second = add(3, KNOWN_INSTALLED);

	(void)state;
	assert_int_equal(peers.installed, 2);
	assert_int_equal(peers.unconfirmed, 2);
	peers_confirm(&peers, first);
	peers_confirm(&peers, first);
	assert_int_equal(peers.unconfirmed, 1);
	peers_begin_installation(&peers, first, 7);
	peers_begin_installation(&peers, first, 8);
	assert_int_equal(peers.unconfirmed, 2);
	assert_int_equal(peers.items[first].installed_ms, 8);
	peers_confirm(&peers, first);
	peers_remove(&peers, first);
	peers_remove(&peers, fixed);
	assert_int_equal(peers.installed, 1);
	assert_int_equal(peers.unconfirmed, 1);
	peers_remove(&peers, second);
	assert_int_equal(peers.installed + peers.unconfirmed, 0);
}

/* Removed and added again, it has nothing of its earlier life. */
static void test_again(void **state)
{
	struct prefix prefix = prefix_of("10.64.0.1/32"), found;
	uint32_t slot = add(1, KNOWN_INSTALLED);

	(void)state;
	assert_int_equal(peers_set_allowed_ips(&peers, slot, &prefix, 1), 0);
	peers_confirm(&peers, slot);
	peers.items[slot].received_bytes = 5;
	peers.items[slot].announcement = 3;
	peers_remove(&peers, slot);
	assert_int_equal(
		allowed_ips_overlap(&peers.allowed_ips, &prefix, ALLOWED_IPS_NO_OWNER, &found),
		ALLOWED_IPS_NO_OWNER);
	assert_int_equal(add(2, KNOWN_INSTALLED), slot);
	assert_false(peers.items[slot].is_confirmed);
	assert_int_equal(peers.items[slot].received_bytes, 0);
	assert_int_equal(peers.items[slot].announcement, 0);
	assert_int_equal(allowed_ips_count(&peers.allowed_ips, slot), 0);
}

static void test_allowed_ips(void **state)
{
	struct prefix list[] = {
		prefix_of("10.64.0.1/32"), prefix_of("fd64::1/128"), prefix_of("10.64.0.1/32")};
	struct prefix turned[] = {list[1], list[0]};
	uint32_t slot = add(1, KNOWN_INSTALLED);

	(void)state;
	assert_true(peers_has_allowed_ips(&peers, slot, list, 0));
	assert_int_equal(peers_set_allowed_ips(&peers, slot, list, 3), 0);
	assert_int_equal(allowed_ips_count(&peers.allowed_ips, slot), 2);
	assert_true(peers_has_allowed_ips(&peers, slot, list, 3));
	assert_true(peers_has_allowed_ips(&peers, slot, turned, 2));
	assert_false(peers_has_allowed_ips(&peers, slot, list, 1));
	turned[0] = prefix_of("fd64::2/128");
	assert_false(peers_has_allowed_ips(&peers, slot, turned, 2));
	assert_int_equal(peers_set_allowed_ips(&peers, slot, turned, 2), 0);
	assert_true(peers_has_allowed_ips(&peers, slot, turned, 2));
}

static void test_no_room_for_allowed_ips(void **state)
{
	struct prefix prefix = prefix_of("10.64.0.0/32");
	uint32_t slot = add(1, KNOWN_STATIC), moved_from;

	(void)state;
	for (uint32_t i = 0; i < 10 + 4096; i++) {
		prefix.bytes[2] = (uint8_t)(i >> 8);
		prefix.bytes[3] = (uint8_t)i;
		assert_int_equal(
			allowed_ips_add(&peers.allowed_ips, slot, &prefix, &moved_from), 0);
	}
	slot = add(2, KNOWN_INSTALLED);
	prefix = prefix_of("10.65.0.0/32");
	assert_int_equal(peers_set_allowed_ips(&peers, slot, &prefix, 1), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_allowed_ips, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_room_for_allowed_ips, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

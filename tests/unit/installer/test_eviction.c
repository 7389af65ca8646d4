/* SPDX-License-Identifier: ISC */
/* Who goes by itself, and who yields to newcomers. */
#include "installer/eviction.h"

#include "unit.h"

static struct peers peers;

static int set_up(void **state)
{
	(void)state;
	return peers_init(&peers, 1000, 1);
}

static int tear_down(void **state)
{
	(void)state;
	peers_destroy(&peers);
	return 0;
}

static uint32_t add(uint32_t number, bool is_confirmed, int64_t installed_ms, int64_t active_ms)
{
	uint8_t key[WIREGUARD_KEY_BYTES];
	uint32_t slot;

	make_key(key, number);
	slot = peers_add(&peers, key, KNOWN_INSTALLED);
	peers_begin_installation(&peers, slot, installed_ms);
	if (is_confirmed)
		peers_confirm(&peers, slot);
	peers.items[slot].active_ms = active_ms;
	return slot;
}

static const struct eviction usual = {.idle_after_ms = 300000, .unconfirmed_after_ms = 30000};

static void test_reasons(void **state)
{
	const struct eviction off = {.unconfirmed_after_ms = 30000};
	struct peer *waiting = &peers.items[add(1, false, 1000, 1000)];
	struct peer *idle = &peers.items[add(2, true, 1000, 5000)];

	(void)state;
	assert_null(eviction_reason(&usual, waiting, 30999));
	assert_string_equal(eviction_reason(&usual, waiting, 31000), "unconfirmed");
	assert_null(eviction_reason(&usual, idle, 304999));
	assert_string_equal(eviction_reason(&usual, idle, 305000), "idle");
	assert_null(eviction_reason(&off, idle, INT64_MAX / 2));
	assert_string_equal(eviction_reason(&off, waiting, 31000), "unconfirmed");
	waiting->is_intent = true;
	assert_null(eviction_reason(&usual, waiting, INT64_MAX / 2));
	idle->state = KNOWN_STATIC;
	assert_null(eviction_reason(&usual, idle, INT64_MAX / 2));
}

static void offer_all(
	struct eviction_candidates *candidates, const struct eviction *eviction, int64_t dump_ms)
{
	for (uint32_t slot = 0; slot < peers.index.end; slot++)
		eviction_offer(candidates, eviction, &peers, slot, dump_ms);
}

static void test_live_sessions_stay(void **state)
{
	struct eviction_candidates candidates = {.count = 0};
	const struct eviction shorter = {.idle_after_ms = 50000, .unconfirmed_after_ms = 30000};

	(void)state;
	add(1, true, 0, 100000);
	add(2, false, 100000 + EVICTION_SESSION_MS - EVICTION_HANDSHAKE_MS, 0);
	offer_all(&candidates, &usual, 100000 + EVICTION_SESSION_MS - 1);
	assert_int_equal(candidates.count, 0);
	offer_all(&candidates, &usual, 100000 + EVICTION_SESSION_MS);
	assert_int_equal(candidates.count, 2);
	candidates.count = 0;
	offer_all(&candidates, &shorter, 150000);
	assert_int_equal(candidates.count, 1);
}

static void test_order(void **state)
{
	struct eviction_candidates candidates = {.count = 0};
	uint32_t idle = add(1, true, 0, 1000), longer = add(2, true, 0, 500);
	uint32_t waiting = add(3, false, 9000, 9000);

	(void)state;
	offer_all(&candidates, &usual, 1000000);
	assert_int_equal(eviction_take(&candidates, &peers), waiting);
	assert_int_equal(eviction_take(&candidates, &peers), longer);
	assert_int_equal(eviction_take(&candidates, &peers), idle);
	assert_int_equal(eviction_take(&candidates, &peers), KEY_INDEX_NONE);
}

/* More than there is room for: the first to go are kept, whatever the order of offering. */
static void test_bounded(void **state)
{
	struct eviction_candidates candidates = {.count = 0};
	uint32_t count = 5 * EVICTION_CANDIDATES_MAX;

	(void)state;
	for (uint32_t i = 0; i < count; i++)
		add(i, true, 0, (int64_t)(i * 7919 % count) + 1);
	offer_all(&candidates, &usual, 1000000);
	assert_int_equal(candidates.count, EVICTION_CANDIDATES_MAX);
	for (int64_t i = 1; i <= EVICTION_CANDIDATES_MAX; i++) {
		uint32_t slot = eviction_take(&candidates, &peers);

		assert_int_not_equal(slot, KEY_INDEX_NONE);
		assert_int_equal(peers.items[slot].active_ms, i);
	}
}

/* One that has changed since it was offered is no longer to go. */
static void test_outdated(void **state)
{
	struct eviction_candidates candidates = {.count = 0};
	uint32_t active = add(1, true, 0, 1), again = add(2, false, 2, 2),
		 gone = add(3, true, 0, 3);
	uint32_t intent = add(4, true, 0, 4), still = add(5, true, 0, 5);

	(void)state;
	offer_all(&candidates, &usual, 1000000);
	peers.items[active].active_ms = 999999;
	peers_begin_installation(&peers, again, 999999);
	peers_remove(&peers, gone);
	peers.items[intent].is_intent = true;
	assert_int_equal(eviction_take(&candidates, &peers), still);
	assert_int_equal(eviction_take(&candidates, &peers), KEY_INDEX_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reasons, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_live_sessions_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_outdated, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

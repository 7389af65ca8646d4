/* SPDX-License-Identifier: ISC */
/* The table follows what dumps show. */
#include "installer/reconcile.h"

#include "unit.h"

static struct peers peers;
static struct reconcile reconcile;

static int set_up(void **state)
{
	(void)state;
	reconcile_init(&reconcile, &peers);
	return peers_init(&peers, 10, 1);
}

static int tear_down(void **state)
{
	(void)state;
	peers_destroy(&peers);
	return 0;
}

struct seen {
	int64_t handshake;
	uint64_t received;
};

static void show(uint32_t number, struct seen seen, bool is_continued, const char *const *texts)
{
	struct device_peer peer = {
		.handshake_seconds = seen.handshake, .received_bytes = seen.received};

	make_key(peer.public_key, number);
	reconcile_peer(&reconcile, &peer, is_continued);
	for (; *texts != NULL; texts++) {
		struct prefix prefix = prefix_of(*texts);

		reconcile_allowed_ip(&reconcile, &prefix);
	}
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define EMPTY     ((const char *const[]){NULL})

static uint32_t slot_of(uint32_t number)
{
	uint8_t key[WIREGUARD_KEY_BYTES];

	make_key(key, number);
	return peers_find(&peers, key);
}

static uint32_t install(uint32_t number, int64_t now_ms, const char *allowed_ip)
{
	struct prefix prefix = prefix_of(allowed_ip);
	uint8_t key[WIREGUARD_KEY_BYTES];
	uint32_t slot;

	make_key(key, number);
	slot = peers_add(&peers, key, KNOWN_INSTALLED);
	peers_set_allowed_ips(&peers, slot, &prefix, 1);
	peers_begin_installation(&peers, slot, now_ms);
	reconcile_installed(&reconcile, slot);
	return slot;
}

static bool has(uint32_t number, const char *const *texts)
{
	struct prefix list[8];
	uint32_t count = 0;

	for (; *texts != NULL; texts++)
		list[count++] = prefix_of(*texts);
	return peers_has_allowed_ips(&peers, slot_of(number), list, count);
}

static void test_static(void **state)
{
	(void)state;
	reconcile_begin(&reconcile, 0);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
	show(1, (struct seen){0}, true, LIST("fd64::1/128"));
	show(2, (struct seen){0}, false, EMPTY);
	reconcile_end(&reconcile, false);
	assert_true(reconcile.found_static);
	assert_int_equal(peers.items[slot_of(1)].state, KNOWN_STATIC);
	assert_int_equal(peers.installed, 0);
	assert_true(has(1, LIST("10.64.0.1/32", "fd64::1/128")));
	assert_true(has(2, EMPTY));
}

/* The kernel left out the rest of a peer that it shows in two messages: it is there all the same. */
static void test_left_out(void **state)
{
	struct device_peer again = {.may_lack_allowed_ips = true};

	(void)state;
	reconcile_begin(&reconcile, 0);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32", "fd64::1/128"));
	reconcile_end(&reconcile, false);
	for (unsigned i = 0; i < 2; i++) {
		reconcile_begin(&reconcile, 0);
		show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
		make_key(again.public_key, 1);
		reconcile_peer(&reconcile, &again, true);
		show(2, (struct seen){0}, false, EMPTY);
		reconcile_end(&reconcile, true);
		assert_true(has(1, LIST("10.64.0.1/32", "fd64::1/128")));
		assert_true(reconcile_was_seen(&reconcile, slot_of(1)));
	}
	reconcile_begin(&reconcile, 0);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
	reconcile_end(&reconcile, false);
	assert_true(has(1, LIST("10.64.0.1/32")));
}

static void test_changed_allowed_ips(void **state)
{
	static const char *const steps[][4] = {
		{"10.64.0.1/32", "10.64.0.2/32", "10.64.0.3/32", NULL},
		{"10.64.0.1/32", "10.64.0.3/32", NULL},
		{"10.64.0.3/32", "10.64.0.1/32", "fd64::/64", NULL},
		{"10.64.0.3/32", NULL},
		{NULL},
		{"10.64.0.9/32", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		reconcile_begin(&reconcile, 0);
		show(1, (struct seen){0}, false, steps[i]);
		reconcile_end(&reconcile, false);
		assert_true(has(1, steps[i]));
	}
	assert_int_equal(peers.allowed_ips.count, 1);
}

static void test_moved_allowed_ip(void **state)
{
	(void)state;
	install(1, 0, "10.64.0.1/32");
	reconcile_begin(&reconcile, 0);
	show(1, (struct seen){0}, false, EMPTY);
	show(2, (struct seen){0}, false, LIST("10.64.0.1/32"));
	reconcile_end(&reconcile, false);
	assert_true(has(1, EMPTY));
	assert_true(has(2, LIST("10.64.0.1/32")));
	/* Shown in the other order, as when the operator's peer is the older one. */
	reconcile_begin(&reconcile, 0);
	show(2, (struct seen){0}, false, EMPTY);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
	reconcile_end(&reconcile, false);
	reconcile_begin(&reconcile, 0);
	show(2, (struct seen){0}, false, LIST("10.64.0.1/32"));
	show(1, (struct seen){0}, false, EMPTY);
	reconcile_end(&reconcile, false);
	assert_true(has(1, EMPTY));
	assert_true(has(2, LIST("10.64.0.1/32")));
}

static void test_gone(void **state)
{
	uint32_t early = install(1, 0, "10.64.0.1/32"), late, intent;

	(void)state;
	reconcile_begin(&reconcile, 10);
	late = install(2, 11, "10.64.0.2/32"); /* behind the dump's back */
	intent = install(3, 11, "10.64.0.3/32");
	peers.items[intent].is_intent = true;
	peers.items[intent].since = 0;
	assert_false(reconcile_is_gone(&reconcile, early)); /* it isn't at its end */
	reconcile_end(&reconcile, false);
	assert_true(reconcile_is_gone(&reconcile, early));
	assert_false(reconcile_is_gone(&reconcile, late));
	assert_false(reconcile_is_gone(&reconcile, intent));
	install(4, 12, "10.64.0.4/32"); /* after the end */
	assert_false(reconcile_is_gone(&reconcile, slot_of(4)));
	reconcile_begin(&reconcile, 20);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
	reconcile_end(&reconcile, false);
	assert_false(reconcile_is_gone(&reconcile, early));
	assert_true(reconcile_was_seen(&reconcile, early));
	assert_true(reconcile_is_gone(&reconcile, late));
	assert_false(reconcile_was_seen(&reconcile, late));
}

/* One that was interrupted proves as much as it went beyond. */
static void test_gone_though_interrupted(void **state)
{
	uint32_t first = install(1, 0, "10.64.0.1/32"), late;

	(void)state;
	install(2, 0, "10.64.0.2/32");
	install(3, 0, "10.64.0.3/32");
	reconcile_begin(&reconcile, 10);
	show(1, (struct seen){0}, false, EMPTY);
	show(2, (struct seen){0}, false, EMPTY);
	show(3, (struct seen){0}, false, EMPTY);
	reconcile_end(&reconcile, false);
	late = install(4, 11, "10.64.0.4/32");
	/* Cut short: nothing is proved, and the number of the one before stays. */
	reconcile_begin(&reconcile, 20);
	show(2, (struct seen){0}, false, EMPTY);
	assert_false(reconcile_has_passed_tail(&reconcile));
	reconcile_begin(&reconcile, 30);
	show(2, (struct seen){0}, false, EMPTY);
	show(3, (struct seen){0}, false, EMPTY);
	assert_true(reconcile_has_passed_tail(&reconcile));
	reconcile_end(&reconcile, true);
	assert_true(reconcile_is_gone(&reconcile, first));
	assert_false(reconcile_is_gone(&reconcile, late));
	assert_false(reconcile_is_gone(&reconcile, slot_of(2)));
	/* Ended before the last of that one: 3 may still be there, and so may 4. */
	reconcile_begin(&reconcile, 40);
	show(2, (struct seen){0}, false, EMPTY);
	reconcile_end(&reconcile, true);
	assert_false(reconcile_is_gone(&reconcile, slot_of(3)));
	assert_false(reconcile_is_gone(&reconcile, late));
	/* Made anew since it was last shown: it may be behind the end. */
	reconcile_begin(&reconcile, 50);
	show(2, (struct seen){0}, false, EMPTY);
	show(3, (struct seen){0}, false, EMPTY);
	reconcile_end(&reconcile, false);
	reconcile_installed(&reconcile, slot_of(2));
	reconcile_begin(&reconcile, 60);
	show(3, (struct seen){0}, false, EMPTY);
	reconcile_end(&reconcile, true);
	assert_false(reconcile_is_gone(&reconcile, slot_of(2)));
}

static void test_handshake(void **state)
{
	uint32_t slot = install(1, 1000, "10.64.0.1/32");
	const struct peer *peer = &peers.items[slot];

	(void)state;
	reconcile_begin(&reconcile, 2000);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
	reconcile_end(&reconcile, false);
	assert_false(peer->is_confirmed);
	assert_int_equal(peer->active_ms, 1000);
	reconcile_begin(&reconcile, 3000);
	show(1, (struct seen){.handshake = 5, .received = 148}, false, LIST("10.64.0.1/32"));
	reconcile_end(&reconcile, false);
	assert_true(peer->is_confirmed);
	assert_int_equal(peers.unconfirmed, 0);
	assert_int_equal(peer->active_ms, 3000);
	assert_int_equal(peer->installed_ms, 1000);
	reconcile_begin(&reconcile, 4000);
	show(1, (struct seen){.handshake = 5, .received = 148}, false, LIST("10.64.0.1/32"));
	reconcile_end(&reconcile, false);
	assert_int_equal(peer->active_ms, 3000);
	reconcile_begin(&reconcile, 5000);
	show(1, (struct seen){.handshake = 5, .received = 149}, false, LIST("10.64.0.1/32"));
	reconcile_end(&reconcile, false);
	assert_int_equal(peer->active_ms, 5000);
	/* Removed and made again by others: its life begins anew. */
	reconcile_begin(&reconcile, 6000);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
	reconcile_end(&reconcile, false);
	assert_false(peer->is_confirmed);
	assert_int_equal(peer->installed_ms, 6000);
	assert_int_equal(peers.unconfirmed, 1);
}

/* Removed under a dump that had shown it already: it must not come back as static. */
static void test_removed_under_way(void **state)
{
	uint32_t slot = install(1, 0, "10.64.0.1/32");

	(void)state;
	reconcile_begin(&reconcile, 10);
	show(2, (struct seen){0}, false, LIST("10.64.0.2/32"));
	reconcile_removed(&reconcile);
	peers_remove(&peers, slot);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
	reconcile_end(&reconcile, false);
	assert_int_equal(slot_of(1), KEY_INDEX_NONE);
	assert_int_equal(peers.allowed_ips.count, 1);
	reconcile_begin(&reconcile, 20);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
	reconcile_end(&reconcile, false);
	assert_int_equal(peers.items[slot_of(1)].state, KNOWN_STATIC);
}

/* The slot of the peer that is being shown goes to another one between two packets. */
static void test_slot_reused_under_way(void **state)
{
	uint32_t slot = install(1, 0, "10.64.0.1/32");

	(void)state;
	reconcile_begin(&reconcile, 10);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
	reconcile_removed(&reconcile);
	peers_remove(&peers, slot);
	assert_int_equal(install(7, 11, "10.64.0.7/32"), slot);
	show(1, (struct seen){0}, true, LIST("10.64.0.9/32"));
	reconcile_end(&reconcile, false);
	assert_true(has(7, LIST("10.64.0.7/32")));
}

/* The same with nobody in its place: nothing may be added to an empty slot. */
static void test_slot_freed_under_way(void **state)
{
	uint32_t slot = install(1, 0, "10.64.0.1/32");

	(void)state;
	reconcile_begin(&reconcile, 10);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
	reconcile_removed(&reconcile);
	peers_remove(&peers, slot);
	show(1, (struct seen){0}, true, LIST("10.64.0.9/32"));
	reconcile_end(&reconcile, false);
	assert_int_equal(peers.allowed_ips.count, 0);
}

/* Installed again with other allowed IPs while the dump goes on: its packets may be older. */
static void test_installed_under_way(void **state)
{
	uint32_t slot = install(1, 0, "10.64.0.1/32");
	struct prefix prefix = prefix_of("10.64.0.5/32");

	(void)state;
	reconcile_begin(&reconcile, 10);
	peers_set_allowed_ips(&peers, slot, &prefix, 1);
	reconcile_installed(&reconcile, slot);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
	reconcile_end(&reconcile, false);
	assert_true(has(1, LIST("10.64.0.5/32")));
	reconcile_begin(&reconcile, 20);
	show(1, (struct seen){0}, false, LIST("10.64.0.1/32"));
	peers_set_allowed_ips(&peers, slot, &prefix, 1);
	reconcile_installed(&reconcile, slot);
	show(1, (struct seen){0}, true, LIST("10.64.0.2/32"));
	reconcile_end(&reconcile, false);
	assert_true(has(1, LIST("10.64.0.5/32")));
}

static void test_lacks_room(void **state)
{
	struct prefix prefix = prefix_of("10.64.0.0/32");

	(void)state;
	reconcile_begin(&reconcile, 0);
	show(1, (struct seen){0}, false, EMPTY);
	for (uint32_t i = 0; i < 10 + 4096 + 1; i++) {
		prefix.bytes[2] = (uint8_t)(i >> 8);
		prefix.bytes[3] = (uint8_t)i;
		assert_false(reconcile.lacks_room);
		reconcile_allowed_ip(&reconcile, &prefix);
	}
	reconcile_end(&reconcile, false);
	assert_true(reconcile.lacks_room);
	reconcile_begin(&reconcile, 0);
	assert_true(reconcile.lacks_room); /* until a dump has shown otherwise */
	for (uint32_t i = 0; i < 10 + 4096 + 1; i++)
		show(i, (struct seen){0}, false, EMPTY);
	reconcile_end(&reconcile, false);
	assert_true(reconcile.lacks_room);
	assert_int_equal(peers.allowed_ips.count, 0);
	reconcile_begin(&reconcile, 0);
	show(1, (struct seen){0}, false, EMPTY);
	reconcile_end(&reconcile, false);
	assert_false(reconcile.lacks_room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_static, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changed_allowed_ips, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_moved_allowed_ip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gone_though_interrupted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_handshake, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_removed_under_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slot_reused_under_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slot_freed_under_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_installed_under_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lacks_room, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

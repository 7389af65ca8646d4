/* SPDX-License-Identifier: ISC */
/* The table of keys: how a demand begins, lives and ends; full, expiring and colliding. */
#include "unit.h"

#include <errno.h>

#include "capture/key_table.h"

static const struct key_table_limits small = {
	.installed = 4,
	.fixed = 2,
	.negative = 3,
	.pending = 3,
	.pending_ms = 15000,
	.strangers = 3,
};

struct key {
	uint8_t bytes[32];
};

struct stamp {
	uint8_t bytes[12];
};

static struct key key_of(uint32_t number)
{
	struct key key = {{0x77}};

	memcpy(key.bytes + 4, &number, sizeof(number));
	return key;
}

static struct stamp stamp_of(uint8_t number)
{
	struct stamp stamp = {{0x40}};

	stamp.bytes[11] = number;
	return stamp;
}

static struct packet packet_of(uint8_t number)
{
	struct packet packet = {.source_port = number};

	packet.initiation[147] = number;
	return packet;
}

static enum key_verdict initiate_as(struct key_table *table, bool is_stranger, uint32_t number,
	uint8_t stamp, int64_t now_ms, struct key_demand **demand)
{
	struct key key = key_of(number);
	struct stamp timestamp = stamp_of(stamp);
	struct packet packet = packet_of(stamp);

	return key_table_initiation(
		table, key.bytes, timestamp.bytes, is_stranger, &packet, now_ms, demand);
}

/* An initiation of key `number` with timestamp `stamp`, its packet numbered by the stamp too. */
static enum key_verdict initiate(struct key_table *table, uint32_t number, uint8_t stamp,
	int64_t now_ms, struct key_demand **demand)
{
	return initiate_as(table, false, number, stamp, now_ms, demand);
}

static enum key_standing standing_of(struct key_table *table, uint32_t number, int64_t now_ms)
{
	struct key key = key_of(number);

	return key_table_standing(table, key.bytes, now_ms);
}

static int known(struct key_table *table, uint32_t number, enum key_standing standing)
{
	struct key key = key_of(number);

	return key_table_known(table, key.bytes, standing);
}

static int outcome(struct key_table *table, uint64_t id, uint32_t number,
	enum key_standing standing, int64_t hold_ms, int64_t now_ms)
{
	struct key key = key_of(number);
	struct key_demand ended;

	return key_table_outcome(table, id, key.bytes, standing, hold_ms, now_ms, &ended);
}

/* A whole demand that ends at once. */
static void make_negative(struct key_table *table, uint32_t number, int64_t hold_ms, int64_t now_ms)
{
	struct key_demand *demand;

	assert_int_equal(initiate(table, number, 1, now_ms, &demand), KEY_DEMAND);
	assert_int_equal(outcome(table, demand->id, number, KEY_NEGATIVE, hold_ms, now_ms), 0);
}

static size_t count_demands(const struct key_table *table)
{
	const struct key_demand *demand = NULL;
	size_t count = 0, strangers = 0;

	while ((demand = key_table_next_demand(table, demand)) != NULL) {
		count++;
		strangers += demand->is_stranger;
	}
	assert_int_equal(strangers, table->strangers);
	return count;
}

/* What holds at any time: the counts, both lists, and every entry in one bucket or free. */
static void check_whole(const struct key_table *table)
{
	uint32_t negative = table->count[KEY_NEGATIVE];

	assert_int_equal(count_demands(table), table->pending);
	for (int i = KEY_INSTALLED; i < KEY_STANDINGS; i++)
		assert_true(table->count[i] <= table->limit[i]);
	assert_int_equal(negative == 0, table->negative_list.oldest == 0);
	assert_int_equal(negative == 0, table->negative_list.newest == 0);
	assert_int_equal(table->pending == 0, table->demand_list.newest == 0);
}

static void test_unknown_key_is_a_demand(void **state)
{
	struct key_table table;
	struct key_demand *demand;
	struct key key = key_of(7);

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(standing_of(&table, 7, 0), KEY_UNKNOWN);
	assert_int_equal(initiate(&table, 7, 5, 100, &demand), KEY_DEMAND);
	assert_non_null(demand);
	assert_memory_equal(demand->key, key.bytes, 32);
	assert_int_equal(demand->timestamp[11], 5);
	assert_int_equal(demand->packet.source_port, 5);
	assert_int_equal(demand->packet.initiation[147], 5);
	assert_int_equal(table.pending, 1);
	check_whole(&table);
	key_table_free(&table);
}

static void test_outcome_installed(void **state)
{
	struct key_table table;
	struct key_demand *demand;
	struct key key = key_of(7);
	struct key_demand ended;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(initiate(&table, 7, 5, 100, &demand), KEY_DEMAND);
	assert_int_equal(
		key_table_outcome(&table, demand->id, key.bytes, KEY_INSTALLED, 0, 200, &ended), 0);
	assert_memory_equal(ended.key, key.bytes, 32);
	assert_memory_equal(ended.timestamp, stamp_of(5).bytes, 12);
	assert_int_equal(standing_of(&table, 7, 200), KEY_INSTALLED);
	assert_int_equal(table.pending, 0);
	check_whole(&table);
	key_table_free(&table);
}

/* While a demand is pending, only a newer initiation matters, and it takes the waiting one's place.
 */
static void test_a_newer_packet_replaces(void **state)
{
	struct key_table table;
	struct key_demand *demand;
	struct key key = key_of(7);
	struct key_demand ended;
	uint64_t id;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(initiate(&table, 7, 5, 0, &demand), KEY_DEMAND);
	id = demand->id;
	assert_int_equal(initiate(&table, 7, 5, 10, &demand), KEY_REPLAY);
	assert_null(demand);
	assert_int_equal(initiate(&table, 7, 4, 10, &demand), KEY_REPLAY);
	assert_int_equal(initiate(&table, 7, 6, 10, &demand), KEY_DEMAND_REPLACE);
	assert_int_equal(demand->id, id);
	assert_int_equal(demand->packet.source_port, 6);
	assert_int_equal(initiate(&table, 7, 5, 20, &demand), KEY_REPLAY);
	assert_int_equal(table.pending, 1);
	assert_int_equal(
		key_table_outcome(&table, id, key.bytes, KEY_INSTALLED, 0, 200, &ended), 0);
	assert_memory_equal(ended.timestamp, stamp_of(6).bytes, 12);
	assert_int_equal(ended.packet.source_port, 6);
	key_table_free(&table);
}

/* A retry that comes so late means that the question was lost: it is asked again, same id. */
static void test_a_late_retry_asks_again(void **state)
{
	struct key_table table;
	struct key_demand *demand;
	uint64_t id;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(initiate(&table, 7, 1, 0, &demand), KEY_DEMAND);
	id = demand->id;
	assert_int_equal(initiate(&table, 7, 2, KEY_ASK_AGAIN_MS - 1, &demand), KEY_DEMAND_REPLACE);
	assert_int_equal(initiate(&table, 7, 3, KEY_ASK_AGAIN_MS, &demand), KEY_DEMAND_AGAIN);
	assert_int_equal(demand->id, id);
	assert_int_equal(
		initiate(&table, 7, 4, 2 * KEY_ASK_AGAIN_MS - 1, &demand), KEY_DEMAND_REPLACE);
	assert_int_equal(initiate(&table, 7, 5, 2 * KEY_ASK_AGAIN_MS, &demand), KEY_DEMAND_AGAIN);
	assert_int_equal(table.pending, 1);
	key_table_free(&table);
}

/* What has to be sent: both at first, DEMAND for another packet, both when it is asked again. */
static void test_what_a_demand_owes(void **state)
{
	struct key_table table;
	struct key_demand *demand;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(initiate(&table, 7, 1, 0, &demand), KEY_DEMAND);
	assert_true(demand->owes_demand && demand->owes_lookup);
	demand->owes_demand = demand->owes_lookup = false;
	assert_int_equal(initiate(&table, 7, 2, 10, &demand), KEY_DEMAND_REPLACE);
	assert_true(demand->owes_demand && !demand->owes_lookup);
	demand->owes_demand = false;
	assert_int_equal(initiate(&table, 7, 2, 11, &demand), KEY_REPLAY);
	demand = key_table_next_demand(&table, NULL);
	assert_false(demand->owes_demand || demand->owes_lookup);
	assert_int_equal(initiate(&table, 7, 3, KEY_ASK_AGAIN_MS, &demand), KEY_DEMAND_AGAIN);
	assert_true(demand->owes_demand && demand->owes_lookup);
	/* Its place is used again, and owes anew. */
	demand->owes_demand = demand->owes_lookup = false;
	assert_int_equal(outcome(&table, demand->id, 7, KEY_NEGATIVE, 0, 0), 0);
	assert_int_equal(initiate(&table, 8, 1, 0, &demand), KEY_DEMAND);
	assert_true(demand->owes_demand && demand->owes_lookup);
	key_table_free(&table);
}

static void test_negative_until_its_time(void **state)
{
	struct key_table table;
	struct key_demand *demand;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	make_negative(&table, 7, 3000, 1000);
	assert_int_equal(standing_of(&table, 7, 3999), KEY_NEGATIVE);
	assert_int_equal(initiate(&table, 7, 9, 3999, &demand), KEY_HELD);
	assert_null(demand);
	assert_int_equal(initiate(&table, 7, 9, 4000, &demand), KEY_DEMAND);
	assert_int_equal(table.count[KEY_NEGATIVE], 0);
	make_negative(&table, 8, 3000, 4000);
	assert_int_equal(standing_of(&table, 8, 7000), KEY_UNKNOWN);
	assert_int_equal(table.count[KEY_NEGATIVE], 0);
	check_whole(&table);
	key_table_free(&table);
}

/* Without a time to hold it, a refusal leaves nothing behind. */
static void test_negative_without_hold(void **state)
{
	struct key_table table;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	for (uint32_t i = 0; i < 100; i++)
		make_negative(&table, i, 0, 1000);
	assert_int_equal(table.count[KEY_NEGATIVE], 0);
	assert_int_equal(standing_of(&table, 5, 1000), KEY_UNKNOWN);
	check_whole(&table);
	key_table_free(&table);
}

static void test_full_of_negatives(void **state)
{
	struct key_table table;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	for (uint32_t i = 0; i < 4; i++)
		make_negative(&table, i, 60000 - i, i);
	assert_int_equal(table.count[KEY_NEGATIVE], 3);
	assert_int_equal(table.recycled, 1);
	assert_int_equal(standing_of(&table, 0, 10), KEY_UNKNOWN); /* the first made went first */
	for (uint32_t i = 1; i < 4; i++)
		assert_int_equal(standing_of(&table, i, 10), KEY_NEGATIVE);
	check_whole(&table);
	key_table_free(&table);
}

/* One taken out of the list's middle, end and beginning. */
static void test_negative_list_order(void **state)
{
	struct key_table table;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	for (uint32_t i = 0; i < 3; i++)
		make_negative(&table, i, 60000, 0);
	assert_int_equal(known(&table, 1, KEY_INSTALLED), 0);
	check_whole(&table);
	make_negative(&table, 3, 60000, 0);
	assert_int_equal(table.recycled, 0);
	assert_int_equal(known(&table, 3, KEY_INSTALLED), 0);
	check_whole(&table);
	make_negative(&table, 4, 60000, 0);
	make_negative(&table, 5, 60000, 0);
	assert_int_equal(table.recycled, 1);
	assert_int_equal(standing_of(&table, 0, 0), KEY_UNKNOWN);
	assert_int_equal(standing_of(&table, 2, 0), KEY_NEGATIVE);
	assert_int_equal(known(&table, 2, KEY_STATIC), 0);
	check_whole(&table);
	make_negative(&table, 6, 60000, 0);
	assert_int_equal(table.recycled, 1);
	check_whole(&table);
	key_table_free(&table);
}

static void test_full_of_demands(void **state)
{
	struct key_table table;
	struct key_demand *demand;
	uint64_t first_id;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(initiate(&table, 0, 1, 0, &demand), KEY_DEMAND);
	first_id = demand->id;
	assert_int_equal(initiate(&table, 1, 1, 0, &demand), KEY_DEMAND);
	assert_int_equal(initiate(&table, 2, 1, 0, &demand), KEY_DEMAND);
	assert_int_equal(initiate(&table, 3, 1, 0, &demand), KEY_REFUSED);
	assert_null(demand);
	/* Those that wait still take newer packets. */
	assert_int_equal(initiate(&table, 2, 2, 0, &demand), KEY_DEMAND_REPLACE);
	assert_int_equal(outcome(&table, first_id, 0, KEY_INSTALLED, 0, 0), 0);
	assert_int_equal(initiate(&table, 3, 1, 0, &demand), KEY_DEMAND);
	assert_int_equal(initiate(&table, 4, 1, 0, &demand), KEY_REFUSED);
	check_whole(&table);
	key_table_free(&table);
}

static void test_full_of_installed(void **state)
{
	struct key_table table;
	struct key_demand *demand;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(known(&table, i, KEY_INSTALLED), 0);
	assert_int_equal(known(&table, 4, KEY_INSTALLED), -ENOSPC);
	assert_int_equal(known(&table, 3, KEY_INSTALLED), 0); /* no second time */
	assert_int_equal(standing_of(&table, 4, 0), KEY_UNKNOWN);
	assert_int_equal(known(&table, 5, KEY_STATIC), 0);
	assert_int_equal(known(&table, 6, KEY_STATIC), 0);
	assert_int_equal(known(&table, 7, KEY_STATIC), -ENOSPC);
	/* A negative key that can't be kept as installed isn't negative any more. */
	make_negative(&table, 8, 60000, 0);
	assert_int_equal(known(&table, 8, KEY_INSTALLED), -ENOSPC);
	assert_int_equal(standing_of(&table, 8, 0), KEY_UNKNOWN);
	assert_int_equal(table.count[KEY_NEGATIVE], 0);
	/* Nor does an outcome find room; the demand ends all the same. */
	assert_int_equal(initiate(&table, 9, 1, 0, &demand), KEY_DEMAND);
	assert_int_equal(outcome(&table, demand->id, 9, KEY_INSTALLED, 0, 0), 0);
	assert_int_equal(standing_of(&table, 9, 0), KEY_UNKNOWN);
	assert_int_equal(table.pending, 0);
	check_whole(&table);
	key_table_free(&table);
}

static void test_known_takes_only_what_the_kernel_holds(void **state)
{
	struct key_table table;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(known(&table, 1, KEY_NEGATIVE), -EINVAL);
	assert_int_equal(known(&table, 1, KEY_UNKNOWN), -EINVAL);
	assert_int_equal(standing_of(&table, 1, 0), KEY_UNKNOWN);
	assert_int_equal(known(&table, 1, KEY_INSTALLED), 0);
	assert_int_equal(known(&table, 1, KEY_STATIC), 0);
	assert_int_equal(standing_of(&table, 1, 0), KEY_STATIC);
	assert_int_equal(table.count[KEY_INSTALLED], 0);
	assert_int_equal(table.count[KEY_STATIC], 1);
	key_table_free(&table);
}

/* The hint: one initiation is the kernel's; a second within 30 s says that it doesn't answer. */
static void test_installed_is_a_hint(void **state)
{
	static const enum key_standing standings[] = {KEY_INSTALLED, KEY_STATIC};
	struct key_demand *demand;

	(void)state;
	for (size_t i = 0; i < COUNT(standings); i++) {
		struct key_table table;

		assert_int_equal(key_table_init(&table, &small), 0);
		assert_int_equal(known(&table, 7, standings[i]), 0);
		assert_int_equal(initiate(&table, 7, 1, 1000, &demand), KEY_DONE);
		assert_null(demand);
		/* A session's regular handshake, two minutes later. */
		assert_int_equal(initiate(&table, 7, 2, 121000, &demand), KEY_DONE);
		assert_int_equal(
			initiate(&table, 7, 3, 121000 + KEY_ANSWER_MS + 1, &demand), KEY_DONE);
		assert_int_equal(initiate(&table, 7, 4, 121000 + 2 * KEY_ANSWER_MS + 1, &demand),
			KEY_DEMAND);
		assert_int_equal(demand->packet.source_port, 4);
		/* It stands as it did until the outcome says otherwise. */
		assert_int_equal(standing_of(&table, 7, 200000), standings[i]);
		check_whole(&table);
		key_table_free(&table);
	}
}

/*
 * The first initiation after an install is the kernel's: with connect = retry it is the one that
 * connects. A second one within KEY_ANSWER_MS tells that the kernel doesn't answer.
 */
static void test_retry_after_an_install(void **state)
{
	const int64_t start_ms = 1000000;
	struct key_table table;
	struct key_demand *demand;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(initiate(&table, 7, 1, start_ms, &demand), KEY_DEMAND);
	assert_int_equal(outcome(&table, demand->id, 7, KEY_INSTALLED, 0, start_ms + 100), 0);
	assert_int_equal(initiate(&table, 7, 2, start_ms + 5000, &demand), KEY_DONE);
	assert_int_equal(initiate(&table, 7, 3, start_ms + 10000, &demand), KEY_DEMAND);
	assert_int_equal(outcome(&table, demand->id, 7, KEY_INSTALLED, 0, start_ms + 10100), 0);
	assert_int_equal(initiate(&table, 7, 4, start_ms + 15000, &demand), KEY_DONE);
	assert_int_equal(
		initiate(&table, 7, 5, start_ms + 15000 + KEY_ANSWER_MS + 1, &demand), KEY_DONE);
	key_table_free(&table);
}

static void test_removed(void **state)
{
	struct key_table table;
	struct key_demand *demand;
	struct key one = key_of(1), two = key_of(2), three = key_of(3), four = key_of(4);

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(known(&table, 1, KEY_INSTALLED), 0);
	key_table_removed(&table, one.bytes);
	assert_int_equal(standing_of(&table, 1, 0), KEY_UNKNOWN);
	/* Removed by 404 or 410: what was said of it stays. */
	make_negative(&table, 2, 60000, 0);
	key_table_removed(&table, two.bytes);
	assert_int_equal(standing_of(&table, 2, 0), KEY_NEGATIVE);
	/* A demand that is pending stays, and its outcome finds it. */
	assert_int_equal(known(&table, 3, KEY_INSTALLED), 0);
	assert_int_equal(initiate(&table, 3, 1, 0, &demand), KEY_DONE);
	assert_int_equal(initiate(&table, 3, 2, 10, &demand), KEY_DEMAND);
	key_table_removed(&table, three.bytes);
	assert_int_equal(standing_of(&table, 3, 0), KEY_UNKNOWN);
	assert_int_equal(table.pending, 1);
	assert_int_equal(outcome(&table, demand->id, 3, KEY_INSTALLED, 0, 20), 0);
	assert_int_equal(standing_of(&table, 3, 20), KEY_INSTALLED);
	key_table_removed(&table, four.bytes); /* never heard of */
	check_whole(&table);
	key_table_free(&table);
}

/* An answer to what is no longer asked: a late refusal changes nothing, an installation is a fact.
 */
static void test_stale_outcomes(void **state)
{
	struct key_table table;
	struct key_demand *demand;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(outcome(&table, 1, 7, KEY_NEGATIVE, 60000, 0), -ESRCH);
	assert_int_equal(standing_of(&table, 7, 0), KEY_UNKNOWN);
	assert_int_equal(known(&table, 7, KEY_INSTALLED), 0);
	assert_int_equal(outcome(&table, 1, 7, KEY_NEGATIVE, 60000, 0), -ESRCH);
	assert_int_equal(standing_of(&table, 7, 0), KEY_INSTALLED);
	assert_int_equal(outcome(&table, 1, 8, KEY_INSTALLED, 0, 0), -ESRCH);
	assert_int_equal(standing_of(&table, 8, 0), KEY_INSTALLED);
	/* The right key under another demand's id, and the other way round. */
	assert_int_equal(initiate(&table, 9, 1, 0, &demand), KEY_DEMAND);
	assert_int_equal(outcome(&table, demand->id + 1, 9, KEY_NEGATIVE, 60000, 0), -ESRCH);
	assert_int_equal(outcome(&table, demand->id, 10, KEY_NEGATIVE, 60000, 0), -ESRCH);
	assert_int_equal(standing_of(&table, 9, 0), KEY_UNKNOWN);
	assert_int_equal(table.pending, 1);
	check_whole(&table);
	key_table_free(&table);
}

/*
 * The origin doesn't know a key that the kernel holds (an operator's own peer, say): it is not asked
 * again for the hold's time, and from then on the key is answered by the kernel as before.
 */
static void test_refusal_of_what_the_kernel_holds(void **state)
{
	struct key_table table;
	struct key_demand *demand;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(known(&table, 1, KEY_STATIC), 0);
	assert_int_equal(known(&table, 2, KEY_INSTALLED), 0);
	for (uint32_t number = 1; number <= 2; number++) {
		enum key_standing standing = number == 1 ? KEY_STATIC : KEY_INSTALLED;

		assert_int_equal(initiate(&table, number, 1, 0, &demand), KEY_DONE);
		assert_int_equal(initiate(&table, number, 2, 5000, &demand), KEY_DEMAND);
		assert_int_equal(outcome(&table, demand->id, number, KEY_NEGATIVE, 3000, 5000), 0);
		assert_int_equal(standing_of(&table, number, 5000), standing);
		assert_int_equal(initiate(&table, number, 3, 7999, &demand), KEY_HELD);
		assert_null(demand);
		assert_int_equal(initiate(&table, number, 4, 8000, &demand), KEY_DONE);
		/* Still a hint. */
		assert_int_equal(initiate(&table, number, 5, 13000, &demand), KEY_DEMAND);
		assert_int_equal(outcome(&table, demand->id, number, KEY_NEGATIVE, 0, 13000), 0);
		assert_int_equal(standing_of(&table, number, 13000), standing);
		check_whole(&table);
	}
	/* Once it is gone, the refusal is too. */
	assert_int_equal(initiate(&table, 2, 6, 50000, &demand), KEY_DONE);
	assert_int_equal(initiate(&table, 2, 7, 50001, &demand), KEY_DEMAND);
	assert_int_equal(outcome(&table, demand->id, 2, KEY_NEGATIVE, 60000, 50001), 0);
	key_table_removed(&table, key_of(2).bytes);
	assert_int_equal(initiate(&table, 2, 8, 50002, &demand), KEY_DEMAND);
	check_whole(&table);
	key_table_free(&table);
}

static void test_demands_expire(void **state)
{
	struct key_table table;
	struct key_demand *demand;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(known(&table, 1, KEY_INSTALLED), 0);
	assert_int_equal(initiate(&table, 1, 1, 0, &demand), KEY_DONE);
	assert_int_equal(initiate(&table, 1, 2, 0, &demand), KEY_DEMAND);
	assert_int_equal(initiate(&table, 2, 1, 1000, &demand), KEY_DEMAND);
	assert_int_equal(initiate(&table, 3, 1, 2000, &demand), KEY_DEMAND);
	assert_int_equal(key_table_expire(&table, 14999), 0);
	/* A newer packet lengthens a demand's life, as it does the installer's ticket; a copy doesn't. */
	assert_int_equal(initiate(&table, 2, 2, 14000, &demand), KEY_DEMAND_AGAIN);
	assert_int_equal(initiate(&table, 3, 1, 14000, &demand), KEY_REPLAY);
	assert_int_equal(key_table_expire(&table, 15000), 1);
	assert_int_equal(standing_of(&table, 1, 15000), KEY_INSTALLED);
	assert_int_equal(key_table_expire(&table, 17000), 1);
	assert_int_equal(table.pending, 1);
	demand = key_table_next_demand(&table, NULL);
	assert_memory_equal(demand->key, key_of(2).bytes, 32);
	assert_int_equal(key_table_expire(&table, 28999), 0);
	assert_int_equal(key_table_expire(&table, 29000), 1);
	assert_int_equal(key_table_expire(&table, INT64_MAX / 2), 0);
	check_whole(&table);
	key_table_free(&table);
}

/* For a renewed channel: all that are pending, by the age of their newest packets. */
static void test_walk_over_demands(void **state)
{
	struct key_table table;
	struct key_demand *demand;
	uint64_t middle_id;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_null(key_table_next_demand(&table, NULL));
	assert_int_equal(initiate(&table, 1, 1, 0, &demand), KEY_DEMAND);
	assert_int_equal(initiate(&table, 2, 2, 0, &demand), KEY_DEMAND);
	middle_id = demand->id;
	assert_int_equal(initiate(&table, 3, 3, 0, &demand), KEY_DEMAND);
	assert_int_equal(initiate(&table, 1, 4, 0, &demand), KEY_DEMAND_REPLACE);
	assert_int_equal(outcome(&table, middle_id, 2, KEY_INSTALLED, 0, 0), 0);
	demand = key_table_next_demand(&table, NULL);
	assert_memory_equal(demand->key, key_of(3).bytes, 32);
	demand = key_table_next_demand(&table, demand);
	assert_memory_equal(demand->key, key_of(1).bytes, 32);
	assert_int_equal(demand->packet.source_port, 4);
	assert_null(key_table_next_demand(&table, demand));
	key_table_free(&table);
}

static void test_forget_known(void **state)
{
	struct key_table table;
	struct key_demand *demand;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(known(&table, 1, KEY_INSTALLED), 0);
	assert_int_equal(known(&table, 2, KEY_STATIC), 0);
	make_negative(&table, 3, 60000, 0);
	assert_int_equal(initiate(&table, 4, 1, 0, &demand), KEY_DEMAND);
	assert_int_equal(initiate(&table, 1, 1, 0, &demand), KEY_DONE);
	assert_int_equal(initiate(&table, 1, 2, 0, &demand), KEY_DEMAND);
	key_table_forget_known(&table);
	assert_int_equal(standing_of(&table, 1, 0), KEY_UNKNOWN);
	assert_int_equal(standing_of(&table, 2, 0), KEY_UNKNOWN);
	assert_int_equal(standing_of(&table, 3, 0), KEY_NEGATIVE);
	assert_int_equal(table.pending, 2);
	assert_int_equal(table.count[KEY_INSTALLED] + table.count[KEY_STATIC], 0);
	check_whole(&table);
	key_table_free(&table);
}

static void test_forget_refusals(void **state)
{
	struct key_table table;
	struct key_demand *demand;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	assert_int_equal(known(&table, 1, KEY_INSTALLED), 0);
	assert_int_equal(initiate(&table, 1, 1, 0, &demand), KEY_DONE);
	assert_int_equal(initiate(&table, 1, 2, 0, &demand), KEY_DEMAND);
	assert_int_equal(outcome(&table, demand->id, 1, KEY_NEGATIVE, 60000, 0), 0);
	make_negative(&table, 2, 60000, 0);
	make_negative(&table, 3, 60000, 0);
	assert_int_equal(initiate(&table, 4, 1, 0, &demand), KEY_DEMAND);
	key_table_forget_refusals(&table);
	assert_int_equal(standing_of(&table, 1, 0), KEY_INSTALLED);
	assert_int_equal(initiate(&table, 1, 3, 0, &demand), KEY_DONE);
	assert_int_equal(table.count[KEY_NEGATIVE], 0);
	assert_int_equal(initiate(&table, 2, 1, 0, &demand), KEY_DEMAND);
	assert_int_equal(table.pending, 2);
	check_whole(&table);
	key_table_free(&table);
}

static void test_ids_are_never_twice(void **state)
{
	struct key_table table, other;
	struct key_demand *demand;
	uint64_t id = 0;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(initiate(&table, i, 1, 0, &demand), KEY_DEMAND);
		assert_true(demand->id > id);
		id = demand->id;
		assert_int_equal(outcome(&table, id, i, KEY_NEGATIVE, 0, 0), 0);
	}
	assert_int_equal(key_table_init(&other, &small), 0);
	assert_true(other.next_id != table.next_id);
	assert_memory_not_equal(other.hash_key, table.hash_key, sizeof(table.hash_key));
	key_table_free(&table);
	key_table_free(&other);
}

/* What a table of any shape must say of a key, kept as simply as can be. */
struct model {
	enum key_standing standing;
	int64_t hold_until_ms;
	uint64_t demand_id; /* 0: none */
};

enum { MODEL_KEYS = 24 };

static void check_model(struct key_table *table, struct model *models, int64_t now_ms)
{
	uint32_t pending = 0;

	for (uint32_t i = 0; i < MODEL_KEYS; i++) {
		struct model *model = &models[i];

		if (model->standing == KEY_NEGATIVE && now_ms >= model->hold_until_ms)
			model->standing = KEY_UNKNOWN;
		assert_int_equal(standing_of(table, i, now_ms), model->standing);
		pending += model->demand_id != 0;
	}
	assert_int_equal(table->pending, pending);
	check_whole(table);
}

static void random_outcome(
	struct key_table *table, struct model *model, uint32_t number, int64_t now_ms)
{
	bool installed = randombytes_uniform(2) == 0;
	int64_t hold_ms = 1 + randombytes_uniform(50);

	assert_int_equal(outcome(table, model->demand_id, number,
				 installed ? KEY_INSTALLED : KEY_NEGATIVE, hold_ms, now_ms),
		0);
	if (installed)
		model->standing = KEY_INSTALLED;
	else if (model->standing != KEY_INSTALLED && model->standing != KEY_STATIC)
		model->standing = KEY_NEGATIVE;
	model->hold_until_ms = now_ms + hold_ms;
	model->demand_id = 0;
}

static void random_step(struct key_table *table, struct model *models, int64_t now_ms)
{
	uint32_t number = randombytes_uniform(MODEL_KEYS);
	struct model *model = &models[number];
	struct key key = key_of(number);
	struct key_demand *demand;

	switch (randombytes_uniform(4)) {
	case 0:
		key_table_removed(table, key.bytes);
		if (model->standing != KEY_NEGATIVE)
			model->standing = KEY_UNKNOWN;
		break;
	case 1:
		assert_int_equal(known(table, number, KEY_STATIC), 0);
		model->standing = KEY_STATIC;
		break;
	case 2:
		if (model->demand_id != 0)
			random_outcome(table, model, number, now_ms);
		break;
	default:
		(void)initiate(table, number, 1, now_ms, &demand);
		if (demand != NULL) {
			assert_int_equal(model->demand_id, 0); /* else a replay: same timestamp */
			model->demand_id = demand->id;
		}
	}
}

/* Random life with every key in one bucket, with a few buckets, and with many. */
static void test_collisions(void **state)
{
	static const uint32_t buckets[] = {1, 3, 0};

	(void)state;
	for (size_t i = 0; i < COUNT(buckets); i++) {
		struct key_table_limits limits = {
			.installed = MODEL_KEYS,
			.fixed = MODEL_KEYS,
			.negative = MODEL_KEYS,
			.pending = MODEL_KEYS,
			.strangers = MODEL_KEYS,
			.buckets = buckets[i],
			.pending_ms = 1000000,
		};
		struct model models[MODEL_KEYS] = {{0}};
		struct key_table table;

		assert_int_equal(key_table_init(&table, &limits), 0);
		for (int64_t now_ms = 0; now_ms < 4000; now_ms++) {
			random_step(&table, models, now_ms);
			check_model(&table, models, now_ms);
		}
		key_table_free(&table);
	}
}

/* Every kind filled to the brim at once: the entries suffice, and all come back. */
static void test_every_kind_full(void **state)
{
	struct key_table table;
	struct key_demand *demand;

	(void)state;
	assert_int_equal(key_table_init(&table, &small), 0);
	for (int round = 0; round < 50; round++) {
		int64_t now_ms = round * 100000;

		for (uint32_t i = 0; i < 4; i++)
			(void)known(&table, 100 + i, KEY_INSTALLED);
		for (uint32_t i = 0; i < 2; i++)
			(void)known(&table, 200 + i, KEY_STATIC);
		for (uint32_t i = 0; i < 5; i++)
			make_negative(&table, 300 + i, 50000, now_ms);
		for (uint32_t i = 0; i < 3; i++)
			assert_int_equal(initiate(&table, 400 + i, 1, now_ms, &demand), KEY_DEMAND);
		assert_int_equal(initiate(&table, 500, 1, now_ms, &demand), KEY_REFUSED);
		assert_int_equal(table.count[KEY_INSTALLED], 4);
		assert_int_equal(table.count[KEY_STATIC], 2);
		assert_int_equal(table.count[KEY_NEGATIVE], 3);
		assert_int_equal(table.free_entry, 0);
		assert_int_equal(table.fresh_entry, table.entry_count + 1);
		check_whole(&table);
		assert_int_equal(key_table_expire(&table, now_ms + 20000), 3);
		key_table_forget_known(&table);
	}
	key_table_free(&table);
}

/* Begins demands of strangers `first` to `last`; fails the test if one can't. */
static void begin_strangers(struct key_table *table, uint32_t first, uint32_t last)
{
	struct key_demand *demand;

	for (uint32_t i = first; i <= last; i++)
		assert_int_equal(initiate_as(table, true, i, 1, 0, &demand), KEY_DEMAND);
}

/* Ends the pending demand of that key. */
static void end(struct key_table *table, uint32_t number)
{
	struct key key = key_of(number);
	struct key_demand *demand = NULL;

	do {
		demand = key_table_next_demand(table, demand);
		assert_non_null(demand);
	} while (memcmp(demand->key, key.bytes, sizeof(key.bytes)) != 0);
	assert_int_equal(outcome(table, demand->id, number, KEY_NEGATIVE, 0, 0), 0);
}

static const struct key_table_limits crowd = {
	.installed = 4,
	.fixed = 2,
	.negative = 3,
	.pending = 30,
	.pending_ms = 15000,
	.strangers = 16, /* two are a few */
};

/* Alone, strangers fill their limit, and are let in again when they are few. */
static void test_strangers_alone(void **state)
{
	struct key_table table;
	struct key_demand *demand;

	(void)state;
	assert_int_equal(key_table_init(&table, &crowd), 0);
	begin_strangers(&table, 1, 16);
	assert_int_equal(initiate_as(&table, true, 17, 1, 0, &demand), KEY_CROWDED);
	assert_null(demand);
	/* Their own retries aren't new demands, and others aren't strangers. */
	assert_int_equal(initiate_as(&table, true, 1, 2, 0, &demand), KEY_DEMAND_REPLACE);
	assert_int_equal(initiate(&table, 100, 1, 0, &demand), KEY_DEMAND);
	end(&table, 100);
	for (uint32_t i = 1; i <= 13; i++)
		end(&table, i);
	assert_true(table.is_crowded);
	end(&table, 14);
	assert_false(table.is_crowded);
	begin_strangers(&table, 1, 14);
	assert_true(table.is_crowded);
	check_whole(&table);
	/* What expires ends too. */
	assert_int_equal(key_table_expire(&table, 15000), 16);
	assert_int_equal(table.strangers, 0);
	assert_false(table.is_crowded);
	key_table_free(&table);
}

/* Beside others a few may come, and then none until these have ended. */
static void test_strangers_give_way(void **state)
{
	struct key_table table;
	struct key_demand *demand;

	(void)state;
	assert_int_equal(key_table_init(&table, &crowd), 0);
	assert_int_equal(initiate(&table, 100, 1, 0, &demand), KEY_DEMAND);
	begin_strangers(&table, 1, 2);
	assert_false(table.is_crowded);
	begin_strangers(&table, 3, 3);
	assert_true(table.is_crowded);
	end(&table, 1);
	end(&table, 2);
	assert_true(table.is_crowded); /* one is left, and 100 still waits */
	end(&table, 3);
	assert_false(table.is_crowded);
	end(&table, 100);
	/* They are many when another one comes. */
	begin_strangers(&table, 1, 10);
	assert_false(table.is_crowded);
	assert_int_equal(initiate(&table, 100, 1, 0, &demand), KEY_DEMAND);
	assert_true(table.is_crowded);
	for (uint32_t i = 1; i <= 8; i++)
		end(&table, i);
	assert_true(table.is_crowded);
	end(&table, 100);
	assert_false(table.is_crowded);
	key_table_free(&table);
}

static void test_limits(void **state)
{
	struct key_table table;
	struct key_table_limits limits;

	(void)state;
	limits = small;
	limits.installed = 0;
	assert_int_equal(key_table_init(&table, &limits), -EINVAL);
	limits = small;
	limits.fixed = 0;
	assert_int_equal(key_table_init(&table, &limits), -EINVAL);
	limits = small;
	limits.negative = 0;
	assert_int_equal(key_table_init(&table, &limits), -EINVAL);
	limits = small;
	limits.pending = 0;
	assert_int_equal(key_table_init(&table, &limits), -EINVAL);
	limits = small;
	limits.pending = 1U << 28;
	assert_int_equal(key_table_init(&table, &limits), -EINVAL);
	limits = small;
	limits.pending_ms = 0;
	assert_int_equal(key_table_init(&table, &limits), -EINVAL);
	limits = small;
	limits.strangers = 0;
	assert_int_equal(key_table_init(&table, &limits), -EINVAL);
	assert_zeroed(&table, sizeof(table));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_key_is_a_demand),
		cmocka_unit_test(test_outcome_installed),
		cmocka_unit_test(test_a_newer_packet_replaces),
		cmocka_unit_test(test_a_late_retry_asks_again),
		cmocka_unit_test(test_what_a_demand_owes),
		cmocka_unit_test(test_negative_until_its_time),
		cmocka_unit_test(test_negative_without_hold),
		cmocka_unit_test(test_full_of_negatives),
		cmocka_unit_test(test_negative_list_order),
		cmocka_unit_test(test_full_of_demands),
		cmocka_unit_test(test_full_of_installed),
		cmocka_unit_test(test_known_takes_only_what_the_kernel_holds),
		cmocka_unit_test(test_installed_is_a_hint),
		cmocka_unit_test(test_retry_after_an_install),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_stale_outcomes),
		cmocka_unit_test(test_refusal_of_what_the_kernel_holds),
		cmocka_unit_test(test_demands_expire),
		cmocka_unit_test(test_walk_over_demands),
		cmocka_unit_test(test_forget_known),
		cmocka_unit_test(test_forget_refusals),
		cmocka_unit_test(test_ids_are_never_twice),
		cmocka_unit_test(test_collisions),
		cmocka_unit_test(test_every_kind_full),
		cmocka_unit_test(test_strangers_alone),
		cmocka_unit_test(test_strangers_give_way),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("key_table", tests, start_sodium, NULL);
}

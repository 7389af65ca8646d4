/* SPDX-License-Identifier: ISC */
/* The ticket rule. */
#include "installer/tickets.h"

#include "unit.h"

#define CAPACITY 4

static int set_up(void **state)
{
	static struct tickets tickets;

	*state = &tickets;
	return tickets_init(&tickets, CAPACITY);
}

static int tear_down(void **state)
{
	tickets_destroy(*state);
	return 0;
}

static struct message_demand demand_of(uint64_t id, uint32_t key, uint8_t initiation)
{
	struct message_demand demand = {.id = id, .initiation = {initiation}};

	make_key(demand.key, key);
	return demand;
}

static enum ticket_result demand(struct tickets *tickets, uint64_t id, uint32_t key, int64_t now_ms)
{
	struct message_demand message = demand_of(id, key, 1);
	struct ticket *ticket;

	return tickets_demand(tickets, &message, now_ms, &ticket);
}

static struct ticket *take(struct tickets *tickets, uint64_t id, uint32_t key, int64_t now_ms)
{
	struct message_demand message = demand_of(id, key, 0);

	return tickets_take(tickets, id, message.key, now_ms);
}

static void test_used_once(void **state)
{
	struct tickets *tickets = *state;

	assert_null(take(tickets, 1, 1, 0));
	assert_int_equal(demand(tickets, 1, 1, 0), TICKET_WAITS);
	assert_non_null(take(tickets, 1, 1, 1));
	assert_null(take(tickets, 1, 1, 1));
	assert_int_equal(demand(tickets, 1, 1, 2), TICKET_SPENT);
	assert_null(take(tickets, 1, 1, 3));
	/* A new demand for that key is a new ticket. */
	assert_int_equal(demand(tickets, 2, 1, 4), TICKET_WAITS);
	assert_null(take(tickets, 1, 1, 5));
	assert_non_null(take(tickets, 2, 1, 5));
}

static void test_id_and_key(void **state)
{
	struct tickets *tickets = *state;

	demand(tickets, 1, 1, 0);
	demand(tickets, 2, 2, 0);
	assert_null(take(tickets, 2, 1, 0));
	assert_null(take(tickets, 1, 2, 0));
	assert_null(take(tickets, 1, 3, 0));
	assert_non_null(take(tickets, 1, 1, 0));
	assert_non_null(take(tickets, 2, 2, 0));
}

static void test_expiry(void **state)
{
	struct tickets *tickets = *state;

	demand(tickets, 1, 1, 1000);
	demand(tickets, 2, 2, 1000);
	assert_non_null(take(tickets, 1, 1, 1000 + TICKET_LIFE_MS - 1));
	assert_null(take(tickets, 2, 2, 1000 + TICKET_LIFE_MS));
	tickets_expire(tickets, 1000 + TICKET_LIFE_MS - 1);
	assert_int_equal(tickets->index.count, 2);
	tickets_expire(tickets, 1000 + TICKET_LIFE_MS);
	assert_int_equal(tickets->index.count, 0);
}

static void test_newest_initiation(void **state)
{
	struct tickets *tickets = *state;
	struct message_demand first = demand_of(1, 1, 11), second = demand_of(1, 1, 22);
	struct ticket *ticket;

	first.source_port = 5;
	second.source_port = 6;
	assert_int_equal(tickets_demand(tickets, &first, 0, &ticket), TICKET_WAITS);
	assert_int_equal(tickets_demand(tickets, &second, 5000, &ticket), TICKET_WAITS);
	assert_int_equal(tickets->index.count, 1);
	/* It lives on from the second. */
	ticket = take(tickets, 1, 1, TICKET_LIFE_MS + 4999);
	assert_non_null(ticket);
	assert_int_equal(ticket->demand.initiation[0], 22);
	assert_int_equal(ticket->demand.source_port, 6);
}

static void test_full(void **state)
{
	struct tickets *tickets = *state;
	struct message_demand one_more = demand_of(99, 99, 1);
	struct ticket *ticket;

	for (uint32_t i = 0; i < CAPACITY; i++)
		assert_int_equal(demand(tickets, i, i, i), TICKET_WAITS);
	assert_int_equal(tickets_demand(tickets, &one_more, 10, &ticket), TICKET_REFUSED);
	assert_null(ticket);
	assert_null(take(tickets, 99, 99, 10));
	assert_int_equal(demand(tickets, 0, 0, 11), TICKET_WAITS); /* its own place */
	for (uint32_t i = 0; i < CAPACITY; i++)
		assert_non_null(take(tickets, i, i, 12));
	/* The second of them, now the oldest, makes room when its time is over. */
	assert_int_equal(demand(tickets, 99, 99, TICKET_LIFE_MS), TICKET_REFUSED);
	assert_int_equal(demand(tickets, 99, 99, TICKET_LIFE_MS + 1), TICKET_WAITS);
}

static void test_owed_outcomes(void **state)
{
	struct tickets *tickets = *state;
	struct ticket *first, *second;

	demand(tickets, 1, 1, 0);
	demand(tickets, 2, 2, 0);
	demand(tickets, 3, 3, 0);
	assert_null(tickets_next_owing(tickets, NULL));
	second = take(tickets, 3, 3, 1);
	tickets_answer(tickets, second, OUTCOME_ABSENT, 5);
	first = take(tickets, 1, 1, 1);
	tickets_answer(tickets, first, OUTCOME_INSTALLED, 0);
	tickets_answer(tickets, first, OUTCOME_INSTALLED, 0);
	assert_int_equal(tickets->owing, 2);
	assert_ptr_equal(tickets_next_owing(tickets, NULL), first);
	assert_ptr_equal(tickets_next_owing(tickets, first), second);
	assert_null(tickets_next_owing(tickets, second));
	tickets_told(tickets, first);
	tickets_told(tickets, first);
	assert_int_equal(tickets->owing, 1);
	assert_ptr_equal(tickets_next_owing(tickets, NULL), second);
	tickets_expire(tickets, TICKET_LIFE_MS);
	assert_int_equal(tickets->owing, 0);
	assert_null(tickets_next_owing(tickets, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_used_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_id_and_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_expiry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_newest_initiation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_owed_outcomes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* Which origins a CONNECT may name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "connector/origins.h"

static struct origins origins;

static int begin(void **state)
{
	(void)state;
	memset(&origins, 0, sizeof(origins));
	return 0;
}

static void add_host(const char *host)
{
	struct message_connector_origin named = {.port = 443};

	snprintf(named.host, sizeof(named.host), "%s", host);
	origins_add(&origins, &named);
}

static void add_socket(const char *path)
{
	struct message_connector_origin named = {.port = 0};

	snprintf(named.unix_path, sizeof(named.unix_path), "%s", path);
	origins_add(&origins, &named);
}

static void keeps_their_order(void **state)
{
	(void)state;
	add_socket("/run/a.sock");
	assert_null(origins_find(&origins, 0)); /* not before the settings */
	add_host("192.0.2.1");
	add_host("192.0.2.2");
	assert_int_equal(origins_take(&origins), ORIGINS_CHANGED);
	assert_string_equal(origins_find(&origins, 0)->named.unix_path, "/run/a.sock");
	assert_string_equal(origins_find(&origins, 1)->named.host, "192.0.2.1");
	assert_string_equal(origins_find(&origins, 2)->named.host, "192.0.2.2");
	assert_int_equal(origins_find(&origins, 2)->addresses.list.count, 1);
	assert_true(origins_have_host(&origins));
}

/* An index past all is an offence; one that a reload took away is none. */
static void knows_which_there_were(void **state)
{
	(void)state;
	add_host("192.0.2.1");
	add_host("192.0.2.2");
	origins_take(&origins);
	assert_null(origins_find(&origins, 2));
	assert_false(origins_had(&origins, 2));
	assert_false(origins_had(&origins, UINT64_MAX));
	add_host("192.0.2.2");
	assert_int_equal(origins_take(&origins), ORIGINS_CHANGED);
	assert_string_equal(origins_find(&origins, 0)->named.host, "192.0.2.2");
	assert_null(origins_find(&origins, 1));
	assert_true(origins_had(&origins, 1));
	assert_false(origins_had(&origins, 2));
}

static void keeps_what_is_known_of_the_same(void **state)
{
	(void)state;
	add_host("cp.example");
	origins_take(&origins);
	origins_find(&origins, 0)->addresses.resolved_ms = 7;
	add_host("cp.example");
	assert_int_equal(origins_take(&origins), ORIGINS_SAME);
	assert_int_equal(origins_find(&origins, 0)->addresses.resolved_ms, 7);
	add_host("cp.example");
	add_host("other.example");
	assert_int_equal(origins_take(&origins), ORIGINS_CHANGED);
}

static void refuses_a_set_that_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(origins_take(&origins), ORIGINS_REFUSED); /* none */
	add_host("192.0.2.1");
	origins_take(&origins);
	add_host("192.0.2.2");
	add_host("");
	assert_int_equal(origins_take(&origins), ORIGINS_REFUSED);
	for (int i = 0; i <= ORIGINS_MAX; i++)
		add_host("192.0.2.2");
	assert_int_equal(origins_take(&origins), ORIGINS_REFUSED);
	assert_int_equal(origins.count, 1);
	assert_string_equal(origins_find(&origins, 0)->named.host, "192.0.2.1");
	add_host("192.0.2.2"); /* forgotten is what was wrong */
	assert_int_equal(origins_take(&origins), ORIGINS_CHANGED);
}

static void says_when_the_root_lacks_something(void **state)
{
	(void)state;
	add_socket("/run/a.sock");
	add_socket("/run/b.sock");
	origins_take(&origins);
	assert_false(origins_have_host(&origins));
	add_socket("/run/b.sock");
	assert_false(origins_need_another_root(&origins));
	add_socket("/run/c.sock");
	assert_true(origins_need_another_root(&origins));
	origins_take(&origins);
	add_socket("/run/b.sock");
	add_host("192.0.2.1");
	assert_true(origins_need_another_root(&origins));
	origins_take(&origins);
	add_host("cp.example");
	assert_false(origins_need_another_root(&origins));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keeps_their_order, begin),
		cmocka_unit_test_setup(knows_which_there_were, begin),
		cmocka_unit_test_setup(keeps_what_is_known_of_the_same, begin),
		cmocka_unit_test_setup(refuses_a_set_that_is_wrong, begin),
		cmocka_unit_test_setup(says_when_the_root_lacks_something, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

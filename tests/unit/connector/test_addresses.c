/* SPDX-License-Identifier: ISC */
/* Where the origin is, and when it is looked for again. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "connector/addresses.h"

static struct message_connector_origin settings_for(
	const char *host, uint16_t port, const char *unix_path)
{
	struct message_connector_origin settings = {.port = port};

	snprintf(settings.host, sizeof(settings.host), "%s", host);
	snprintf(settings.unix_path, sizeof(settings.unix_path), "%s", unix_path);
	return settings;
}

static int set(struct addresses *addresses, const char *host, uint16_t port, const char *unix_path)
{
	struct message_connector_origin settings = settings_for(host, port, unix_path);

	return addresses_set(addresses, &settings);
}

static void assert_only(const struct addresses *addresses, const char *expected)
{
	char text[ADDRESSES_TEXT_BYTES];

	assert_int_equal(addresses->list.count, 1);
	assert_string_equal(addresses_format(text, &addresses->list.items[0]), expected);
	/* Nothing to resolve, ever. */
	assert_false(addresses_are_due(addresses, 0));
	assert_false(addresses_are_due(addresses, INT64_MAX));
}

static void knows_numbers_and_paths(void **state)
{
	struct addresses addresses;
	char path[108];

	(void)state;
	assert_int_equal(set(&addresses, "192.0.2.1", 443, ""), 0);
	assert_only(&addresses, "192.0.2.1:443");
	assert_int_equal(set(&addresses, "2001:db8::1", 8443, ""), 0);
	assert_only(&addresses, "[2001:db8::1]:8443");
	assert_int_equal(set(&addresses, "", 0, "/run/origin.sock"), 0);
	assert_only(&addresses, "unix:/run/origin.sock");
	memset(path, 'p', sizeof(path));
	path[0] = '/';
	path[107] = '\0';
	assert_int_equal(set(&addresses, "", 0, path), 0);
	assert_int_equal(addresses.list.items[0].ss_family, AF_UNIX);
}

static void refuses_both_and_neither(void **state)
{
	struct addresses addresses;

	(void)state;
	assert_int_equal(set(&addresses, "", 443, ""), -EINVAL);
	assert_int_equal(set(&addresses, "cp.example", 443, "/run/origin.sock"), -EINVAL);
	assert_int_equal(set(&addresses, "cp.example", 0, ""), -EINVAL);
}

static void resolves_names_when_due(void **state)
{
	struct addresses addresses;
	const char *reason;

	(void)state;
	addresses_open();
	assert_int_equal(set(&addresses, "localhost", 8080, ""), 0);
	assert_int_equal(addresses.list.count, 0);
	assert_true(addresses_are_due(&addresses, 1000));
	assert_int_equal(addresses_resolve(&addresses, 1000, &reason), 0);
	assert_true(addresses.list.count > 0);
	assert_false(addresses_are_due(&addresses, 1000 + ADDRESSES_FRESH_MS - 1));
	assert_true(addresses_are_due(&addresses, 1000 + ADDRESSES_FRESH_MS));
	addresses_suspect(&addresses);
	assert_false(addresses_are_due(&addresses, 1000 + ADDRESSES_RETRY_MS - 1));
	assert_true(addresses_are_due(&addresses, 1000 + ADDRESSES_RETRY_MS));
	assert_int_equal(addresses_resolve(&addresses, 3000, &reason), 0);
	assert_false(addresses_are_due(&addresses, 3000 + ADDRESSES_RETRY_MS));
}

static void keeps_what_it_knew(void **state)
{
	struct addresses addresses;
	const char *reason = NULL;
	size_t count;

	(void)state;
	assert_int_equal(set(&addresses, "localhost", 8080, ""), 0);
	assert_int_equal(addresses_resolve(&addresses, 1000, &reason), 0);
	count = addresses.list.count;
	/* Longer than a name can be: no resolver is asked. */
	memset(addresses.host, 'a', 255);
	assert_int_equal(addresses_resolve(&addresses, 2000, &reason), -EHOSTUNREACH);
	assert_non_null(reason);
	assert_int_equal(addresses.list.count, count);
	assert_false(addresses_are_due(&addresses, 2000 + ADDRESSES_RETRY_MS));
}

static void prefers_what_worked(void **state)
{
	static const char *const before[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"};
	static const char *const after[] = {
		"192.0.2.3:80", "192.0.2.1:80", "192.0.2.2:80", "192.0.2.4:80"};
	struct addresses addresses = {.list.count = 4, .is_suspect = true};
	char text[ADDRESSES_TEXT_BYTES];
	struct sockaddr_storage worked;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};

		inet_pton(AF_INET, before[i], &address.sin_addr);
		memcpy(&addresses.list.items[i], &address, sizeof(address));
		addresses.list.lengths[i] = sizeof(address);
	}
	worked = addresses.list.items[2];
	addresses_prefer(&addresses, &worked);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(addresses_format(text, &addresses.list.items[i]), after[i]);
	assert_false(addresses.is_suspect);
	/* The first, and one that is no longer known, change nothing. */
	addresses_prefer(&addresses, &worked);
	memset(&worked, 0, sizeof(worked));
	addresses_prefer(&addresses, &worked);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(addresses_format(text, &addresses.list.items[i]), after[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_numbers_and_paths),
		cmocka_unit_test(refuses_both_and_neither),
		cmocka_unit_test(resolves_names_when_due),
		cmocka_unit_test(keeps_what_it_knew),
		cmocka_unit_test(prefers_what_worked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

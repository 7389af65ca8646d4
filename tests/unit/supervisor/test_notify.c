/* SPDX-License-Identifier: ISC */
/* What the service manager is told, read from its own socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "service_manager.h"
#include "supervisor/notify.h"

static char path[64], text[SERVICE_MANAGER_BYTES];
static int manager = -1;
static struct notify notify;

static void open_on(const char *name)
{
	manager = service_manager_open(name);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_open(&notify);
}

static int begin(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/pullgate-notify-%d", (int)getpid());
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (manager >= 0)
		close(manager);
	if (notify.fd >= 0)
		close(notify.fd);
	manager = -1;
	unlink(path);
	return 0;
}

static void each_state_is_told_as_the_protocol_has_it(void **state)
{
	unsigned long long microseconds;

	(void)state;
	open_on(path);
	notify_ready(&notify, "serving wg0 on port 51820");
	assert_string_equal(
		service_manager_read(manager, text), "READY=1\nSTATUS=serving wg0 on port 51820");
	notify_reloading(&notify);
	assert_int_equal(sscanf(service_manager_read(manager, text),
				 "RELOADING=1\nMONOTONIC_USEC=%llu", &microseconds),
		1);
	assert_true(microseconds > 0);
	notify_status(&notify, "degraded: fetcher is not ready");
	assert_string_equal(
		service_manager_read(manager, text), "STATUS=degraded: fetcher is not ready");
	notify_stopping(&notify);
	assert_string_equal(service_manager_read(manager, text), "STOPPING=1\nSTATUS=stopping");
}

static void abstract_socket_works_too(void **state)
{
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@pullgate-notify-%d", (int)getpid());
	open_on(name);
	notify_status(&notify, "x");
	assert_string_equal(service_manager_read(manager, text), "STATUS=x");
}

static void socket_of_the_start_is_the_one_that_counts(void **state)
{
	(void)state;
	open_on(path);
	unlink(path);
	notify_status(&notify, "x");
	assert_string_equal(service_manager_read(manager, text), "STATUS=x");
}

static void environment_is_emptied(void **state)
{
	(void)state;
	setenv("WATCHDOG_USEC", "1000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	open_on(path);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
}

static void without_a_manager_nothing_happens(void **state)
{
	(void)state;
	notify_open(&notify);
	assert_int_equal(notify.fd, -1);
	notify_ready(&notify, "x");
	notify_watchdog(&notify, 1);
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	notify_open(&notify);
	assert_int_equal(notify.fd, -1);
	assert_int_equal(notify.watchdog_every_ms, 0);
}

static void manager_that_does_not_read_stops_nobody(void **state)
{
	(void)state;
	open_on(path);
	for (int i = 0; i < 2000; i++)
		notify_status(&notify, "x");
}

static void watchdog_is_fed_at_half_of_its_time(void **state)
{
	char pid[16];

	(void)state;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	open_on(path);
	assert_int_equal(notify.watchdog_every_ms, 1500);
	notify_watchdog(&notify, 10000);
	assert_string_equal(service_manager_read(manager, text), "WATCHDOG=1");
	notify_watchdog(&notify, 11499);
	assert_string_equal(service_manager_read(manager, text), "");
	notify_watchdog(&notify, 11500);
	assert_string_equal(service_manager_read(manager, text), "WATCHDOG=1");
}

static void assert_no_watchdog(const char *microseconds, const char *pid)
{
	setenv("WATCHDOG_USEC", microseconds, 1);
	if (pid != NULL)
		setenv("WATCHDOG_PID", pid, 1);
	open_on(path);
	notify_watchdog(&notify, 1000000);
	assert_string_equal(service_manager_read(manager, text), "");
	end(NULL);
}

static void watchdog_of_another_process_is_not_fed(void **state)
{
	(void)state;
	assert_no_watchdog("3000000", "1");
	assert_no_watchdog("3000000", "");
}

static void watchdog_without_a_time_is_not_fed(void **state)
{
	static const char *const bad[] = {"", "0", "-1", " 1", "1s", "99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_no_watchdog(bad[i], NULL);
}

#define NOTIFY_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NOTIFY_TEST(each_state_is_told_as_the_protocol_has_it),
		NOTIFY_TEST(abstract_socket_works_too),
		NOTIFY_TEST(socket_of_the_start_is_the_one_that_counts),
		NOTIFY_TEST(environment_is_emptied),
		NOTIFY_TEST(without_a_manager_nothing_happens),
		NOTIFY_TEST(manager_that_does_not_read_stops_nobody),
		NOTIFY_TEST(watchdog_is_fed_at_half_of_its_time),
		NOTIFY_TEST(watchdog_of_another_process_is_not_fed),
		NOTIFY_TEST(watchdog_without_a_time_is_not_fed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

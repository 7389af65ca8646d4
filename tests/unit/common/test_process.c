/* SPDX-License-Identifier: ISC */
/* A process at work, with the test as its supervisor. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/process.h"

static struct process process;
static struct channel supervisor;

static int open_control(void **state)
{
	int ends[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	process = (struct process){.role = ROLE_FETCHER};
	process.channels[ROLE_SUPERVISOR] =
		(struct channel){.fd = ends[0], .self = ROLE_FETCHER, .peer = ROLE_SUPERVISOR};
	supervisor = (struct channel){.fd = ends[1], .self = ROLE_SUPERVISOR, .peer = ROLE_FETCHER};
	return 0;
}

static int close_control(void **state)
{
	(void)state;
	channel_close(&process.channels[ROLE_SUPERVISOR]);
	channel_close(&supervisor);
	return 0;
}

static void ask(uint64_t id)
{
	struct message message = {.type = MESSAGE_TYPE_HEALTH_ASK, .health_ask.id = id};

	assert_int_equal(channel_send(&supervisor, &message), 0);
}

static void assert_answered(uint64_t id)
{
	struct message message;

	assert_int_equal(channel_receive(&supervisor, &message), 0);
	assert_int_equal(message.type, MESSAGE_TYPE_HEALTH_ANSWER);
	assert_true(message.health_answer.id == id);
}

static void questions_are_answered_with_their_ids(void **state)
{
	struct message message;
	int fd;

	(void)state;
	ask(7);
	ask(UINT64_MAX);
	assert_false(process_receive_control(&process, &message, &fd));
	assert_int_equal(fd, -1);
	assert_answered(7);
	assert_answered(UINT64_MAX);
	assert_int_equal(channel_receive(&supervisor, &message), -EAGAIN);
}

static void what_comes_behind_a_question_is_returned(void **state)
{
	struct message message = {
		.type = MESSAGE_TYPE_FETCHER_SETTINGS, .fetcher_settings.timeout_ms = 77};
	int fd;

	(void)state;
	ask(1);
	assert_int_equal(channel_send(&supervisor, &message), 0);
	assert_true(process_receive_control(&process, &message, &fd));
	assert_int_equal(message.type, MESSAGE_TYPE_FETCHER_SETTINGS);
	assert_int_equal(message.fetcher_settings.timeout_ms, 77);
	assert_answered(1);
}

static void descriptor_with_a_question_is_closed(void **state)
{
	struct message message = {.type = MESSAGE_TYPE_HEALTH_ASK};
	int before = dup(STDIN_FILENO), fd;

	(void)state;
	close(before);
	assert_int_equal(channel_send_descriptor(&supervisor, &message, STDIN_FILENO), 0);
	assert_false(process_receive_control(&process, &message, &fd));
	assert_true(fcntl(before, F_GETFD) < 0); /* the number that it came by */
	assert_answered(0);
}

#define PROCESS_TEST(name) cmocka_unit_test_setup_teardown(name, open_control, close_control)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROCESS_TEST(questions_are_answered_with_their_ids),
		PROCESS_TEST(what_comes_behind_a_question_is_returned),
		PROCESS_TEST(descriptor_with_a_question_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

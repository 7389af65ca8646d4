/* SPDX-License-Identifier: ISC */
/* Channels: what passes, what is an offence, what happens when a queue is full or a peer gone. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/channel.h"

struct pair {
	struct channel capture, installer;
};

static struct pair pair;

static int open_pair(void **state)
{
	int ends[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	pair.capture =
		(struct channel){.fd = ends[0], .self = ROLE_CAPTURE, .peer = ROLE_INSTALLER};
	pair.installer =
		(struct channel){.fd = ends[1], .self = ROLE_INSTALLER, .peer = ROLE_CAPTURE};
	return 0;
}

static int close_pair(void **state)
{
	(void)state;
	channel_close(&pair.capture);
	channel_close(&pair.installer);
	return 0;
}

static struct message demand(uint64_t id)
{
	struct message message = {.type = MESSAGE_TYPE_DEMAND};

	message.demand.id = id;
	message.demand.source = (struct address){.family = 4, .bytes = {192, 0, 2, 1}};
	message.demand.destination = (struct address){.family = 4, .bytes = {192, 0, 2, 2}};
	return message;
}

static void messages_pass_in_order(void **state)
{
	struct message message;

	(void)state;
	assert_int_equal(channel_receive(&pair.installer, &message), -EAGAIN);
	for (uint64_t id = 1; id <= 3; id++) {
		message = demand(id);
		assert_int_equal(channel_send(&pair.capture, &message), 0);
	}
	for (uint64_t id = 1; id <= 3; id++) {
		assert_int_equal(channel_receive(&pair.installer, &message), 0);
		assert_int_equal(message.demand.id, id);
	}
	assert_int_equal(channel_receive(&pair.installer, &message), -EAGAIN);
	assert_int_equal(pair.installer.received, 3);
}

/* Nothing at all, sent on purpose, is no end: it must not make the receiver deaf. */
static void empty_packet_is_an_offence(void **state)
{
	struct message message = demand(1);

	(void)state;
	assert_int_equal(send(pair.capture.fd, "", 0, 0), 0);
	assert_int_equal(channel_receive(&pair.installer, &message), -EBADMSG);
	assert_int_equal(channel_receive(&pair.installer, &message), -EAGAIN);
	assert_int_equal(shutdown(pair.capture.fd, SHUT_WR), 0);
	assert_int_equal(channel_receive(&pair.installer, &message), -EBADMSG);
	channel_close(&pair.capture);
	assert_int_equal(channel_receive(&pair.installer, &message), -ENOTCONN);
}

static void what_the_table_forbids_is_not_sent(void **state)
{
	struct message message = {.type = MESSAGE_TYPE_REMOVED};

	(void)state;
	assert_int_equal(channel_send(&pair.capture, &message), -EINVAL);
	assert_int_equal(channel_receive(&pair.installer, &message), -EAGAIN);
}

static void what_the_table_forbids_is_an_offence(void **state)
{
	struct channel liar = pair.installer;
	struct message message = {.type = MESSAGE_TYPE_REMOVED};

	(void)state;
	/* The installer's own REMOVED, come from capture's side. */
	liar.fd = pair.capture.fd;
	assert_int_equal(channel_send(&liar, &message), 0);
	assert_int_equal(channel_receive(&pair.installer, &message), -EBADMSG);
}

static void junk_is_an_offence(void **state)
{
	static const uint8_t junk[MESSAGE_BYTES_MAX + 100];
	struct message message;

	(void)state;
	send(pair.capture.fd, junk, 1, 0);
	assert_int_equal(channel_receive(&pair.installer, &message), -EBADMSG);
	send(pair.capture.fd, junk, MESSAGE_BYTES_MAX + 1, 0);
	assert_int_equal(channel_receive(&pair.installer, &message), -EBADMSG);
	/* A valid message with bytes behind what fits into our buffer. */
	assert_int_equal(channel_receive(&pair.installer, &message), -EAGAIN);
}

static void full_queue_is_counted_and_nothing_stalls(void **state)
{
	struct message message = demand(1);
	uint64_t sent = 0;

	(void)state;
	while (channel_send(&pair.capture, &message) == 0)
		assert_true(++sent < 100000);
	assert_int_equal(channel_send(&pair.capture, &message), -EAGAIN);
	assert_int_equal(pair.capture.dropped, 2);
	assert_int_equal(pair.capture.sent, sent);
	assert_int_equal(channel_receive(&pair.installer, &message), 0);
}

static void peer_gone(void **state)
{
	struct message message = demand(1);

	(void)state;
	channel_close(&pair.installer);
	assert_int_equal(channel_send(&pair.capture, &message), -ENOTCONN);
	assert_int_equal(channel_receive(&pair.capture, &message), -ENOTCONN);
	channel_close(&pair.capture);
	message = demand(1);
	assert_int_equal(channel_send(&pair.capture, &message), -ENOTCONN);
	assert_int_equal(channel_receive(&pair.capture, &message), -ENOTCONN);
}

static int lowest_free(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

static int count_open(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void send_with_descriptors(int count)
{
	uint8_t bytes[MESSAGE_BYTES_MAX];
	struct message message = demand(1);
	struct iovec part = {.iov_base = bytes};
	char control[CMSG_SPACE(4 * sizeof(int))] __attribute__((aligned(8))) = {0};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
	struct cmsghdr *attached;

	part.iov_len = (size_t)message_encode(&message, bytes, sizeof(bytes));
	header.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
	attached = CMSG_FIRSTHDR(&header);
	attached->cmsg_level = SOL_SOCKET;
	attached->cmsg_type = SCM_RIGHTS;
	attached->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
	for (int i = 0; i < count; i++)
		memcpy(CMSG_DATA(attached) + (size_t)i * sizeof(int), &(int){STDERR_FILENO},
			sizeof(int));
	assert_true(sendmsg(pair.capture.fd, &header, 0) > 0);
}

static void descriptors_come_where_they_are_expected(void **state)
{
	struct message message = demand(7);
	int before = lowest_free(), fd;

	(void)state;
	assert_int_equal(channel_send_descriptor(&pair.capture, &message, STDERR_FILENO), 0);
	assert_int_equal(channel_receive_descriptor(&pair.installer, &message, &fd), 0);
	assert_int_equal(fd, before);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(message.demand.id, 7);
	close(fd);
	/* recv() alone never installs one. */
	assert_int_equal(channel_send_descriptor(&pair.capture, &message, STDERR_FILENO), 0);
	assert_int_equal(channel_receive(&pair.installer, &message), 0);
	assert_int_equal(lowest_free(), before); /* closed with the packet */
}

static void more_than_one_descriptor_is_an_offence(void **state)
{
	struct message message;
	int before = count_open(), fd;

	(void)state;
	for (int count = 2; count <= 4; count++) {
		send_with_descriptors(count);
		assert_int_equal(
			channel_receive_descriptor(&pair.installer, &message, &fd), -EBADMSG);
		assert_int_equal(fd, -1);
		assert_int_equal(count_open(), before);
	}
}

/* The kernel tells of our unread bytes before it gives what the peer said. */
static void last_words_are_read(void **state)
{
	struct message message = demand(7), unread = {.type = MESSAGE_TYPE_REMOVED};
	int fd;

	(void)state;
	for (int with_descriptor = 0; with_descriptor < 2; with_descriptor++) {
		message = demand(7);
		assert_int_equal(channel_send(&pair.installer, &unread), 0);
		assert_int_equal(channel_send(&pair.capture, &message), 0);
		channel_close(&pair.capture);
		message = demand(0);
		if (with_descriptor)
			assert_int_equal(
				channel_receive_descriptor(&pair.installer, &message, &fd), 0);
		else
			assert_int_equal(channel_receive(&pair.installer, &message), 0);
		assert_int_equal(message.demand.id, 7);
		assert_int_equal(channel_receive(&pair.installer, &message), -ENOTCONN);
		channel_close(&pair.installer);
		assert_int_equal(open_pair(state), 0);
	}
}

static void full_table_of_our_own_is_no_offence(void **state)
{
	struct message message = demand(7);
	struct rlimit limit, none;
	int fd;

	(void)state;
	assert_int_equal(channel_send_descriptor(&pair.capture, &message, STDERR_FILENO), 0);
	assert_int_equal(channel_send(&pair.capture, &message), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){.rlim_cur = (rlim_t)lowest_free(), .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(channel_receive_descriptor(&pair.installer, &message, &fd), -EMFILE);
	assert_int_equal(fd, -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(channel_receive_descriptor(&pair.installer, &message, &fd), 0);
	assert_int_equal(fd, -1);
}

#define CHANNEL_TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHANNEL_TEST(messages_pass_in_order),
		CHANNEL_TEST(empty_packet_is_an_offence),
		CHANNEL_TEST(what_the_table_forbids_is_not_sent),
		CHANNEL_TEST(what_the_table_forbids_is_an_offence),
		CHANNEL_TEST(junk_is_an_offence),
		CHANNEL_TEST(full_queue_is_counted_and_nothing_stalls),
		CHANNEL_TEST(peer_gone),
		CHANNEL_TEST(descriptors_come_where_they_are_expected),
		CHANNEL_TEST(more_than_one_descriptor_is_an_offence),
		CHANNEL_TEST(last_words_are_read),
		CHANNEL_TEST(full_table_of_our_own_is_no_offence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

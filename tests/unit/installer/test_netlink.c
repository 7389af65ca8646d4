/* SPDX-License-Identifier: ISC */
/* Walking through the messages of a packet. */
#include "installer/netlink.h"

#include <errno.h>

#include "unit.h"

#define SEQUENCE 77

static struct {
	_Alignas(16) uint8_t bytes[512];
	size_t length;
} packet;

static unsigned handled;
static int handler_error;

static int handle(void *context, const struct nlmsghdr *header)
{
	assert_ptr_equal(context, &packet);
	assert_int_equal(header->nlmsg_type, 40);
	handled++;
	return handler_error;
}

static int set_up(void **state)
{
	(void)state;
	memset(&packet, 0, sizeof(packet));
	handled = 0;
	handler_error = 0;
	return 0;
}

static void put(uint16_t type, uint16_t flags, uint32_t sequence, const void *body, size_t length)
{
	struct nlmsghdr header = {.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + length),
		.nlmsg_type = type,
		.nlmsg_flags = flags,
		.nlmsg_seq = sequence};

	memcpy(packet.bytes + packet.length, &header, sizeof(header));
	if (length > 0)
		memcpy(packet.bytes + packet.length + NLMSG_HDRLEN, body, length);
	packet.length += NLMSG_ALIGN(header.nlmsg_len);
}

static int walk(struct netlink_progress *progress)
{
	*progress = (struct netlink_progress){.is_done = false};
	return netlink_walk(packet.bytes, packet.length, SEQUENCE, handle, &packet, progress);
}

static void test_goes_on(void **state)
{
	struct netlink_progress progress;

	(void)state;
	put(40, NLM_F_MULTI, SEQUENCE, "abcdef", 6);
	put(40, NLM_F_MULTI, SEQUENCE, NULL, 0);
	put(40, NLM_F_MULTI, SEQUENCE - 1, NULL, 0); /* of another request */
	put(NLMSG_NOOP, 0, SEQUENCE, NULL, 0);
	assert_int_equal(walk(&progress), 0);
	assert_int_equal(handled, 2);
	assert_false(progress.is_done);
	assert_false(progress.is_interrupted);
}

static void test_ends(void **state)
{
	struct netlink_progress progress;
	int error = 0;

	(void)state;
	put(40, NLM_F_MULTI | NLM_F_DUMP_INTR, SEQUENCE, NULL, 0);
	put(NLMSG_DONE, NLM_F_MULTI, SEQUENCE, &error, sizeof(error));
	put(40, 0, SEQUENCE, NULL, 0); /* not looked at */
	assert_int_equal(walk(&progress), 0);
	assert_int_equal(handled, 1);
	assert_true(progress.is_done);
	assert_true(progress.is_interrupted);
}

static void test_other_end(void **state)
{
	struct netlink_progress progress;
	int error = -ENODEV;

	(void)state;
	put(NLMSG_ERROR, 0, SEQUENCE + 1, &error, sizeof(error));
	put(NLMSG_DONE, NLM_F_DUMP_INTR, SEQUENCE + 1, &error, sizeof(error));
	assert_int_equal(walk(&progress), 0);
	assert_false(progress.is_done);
	assert_false(progress.is_interrupted);
}

static void test_errors(void **state)
{
	struct netlink_progress progress;
	int error = -ENODEV, positive = 5;

	(void)state;
	put(NLMSG_ERROR, 0, SEQUENCE, &error, sizeof(error));
	assert_int_equal(walk(&progress), -ENODEV);
	assert_true(progress.is_done);
	set_up(NULL);
	put(NLMSG_DONE, 0, SEQUENCE, &error, sizeof(error));
	assert_int_equal(walk(&progress), -ENODEV);
	set_up(NULL);
	put(NLMSG_ERROR, 0, SEQUENCE, &positive, sizeof(positive));
	assert_int_equal(walk(&progress), -EBADMSG);
	set_up(NULL);
	put(NLMSG_ERROR, 0, SEQUENCE, "ab", 2);
	assert_int_equal(walk(&progress), -EBADMSG);
	set_up(NULL);
	put(NLMSG_OVERRUN, 0, SEQUENCE, NULL, 0);
	assert_int_equal(walk(&progress), -ENOBUFS);
	set_up(NULL);
	handler_error = -ENOSPC;
	put(40, 0, SEQUENCE, NULL, 0);
	put(40, 0, SEQUENCE, NULL, 0);
	assert_int_equal(walk(&progress), -ENOSPC);
	assert_int_equal(handled, 1);
}

static void test_acknowledgement(void **state)
{
	struct netlink_progress progress;
	int error = 0;

	(void)state;
	put(NLMSG_ERROR, NLM_F_CAPPED, SEQUENCE, &error, sizeof(error));
	assert_int_equal(walk(&progress), 0);
	assert_true(progress.is_done);
}

/* Lengths that lie: shorter than a header, longer than the packet, a rest that is no message. */
static void test_broken_lengths(void **state)
{
	struct netlink_progress progress;
	uint32_t lengths[] = {0, 1, NLMSG_HDRLEN - 1, 500, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		set_up(NULL);
		put(40, 0, SEQUENCE, NULL, 0);
		put(40, 0, SEQUENCE, NULL, 0);
		memcpy(packet.bytes + NLMSG_HDRLEN, &lengths[i], sizeof(lengths[i]));
		assert_int_equal(walk(&progress), -EBADMSG);
		assert_int_equal(handled, 1);
	}
	set_up(NULL);
	put(40, 0, SEQUENCE, NULL, 0);
	packet.length += 3;
	assert_int_equal(walk(&progress), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_goes_on, set_up),
		cmocka_unit_test_setup(test_ends, set_up),
		cmocka_unit_test_setup(test_other_end, set_up),
		cmocka_unit_test_setup(test_errors, set_up),
		cmocka_unit_test_setup(test_acknowledgement, set_up),
		cmocka_unit_test_setup(test_broken_lengths, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/*
 * A channel whose peer sends anything, with none to three descriptors attached. First byte: who
 * speaks to whom; second: how it is sent and received. What arrives is what message_decode() and
 * message_allowed() say of the bytes; no descriptor is left behind.
 */
#include "common/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum { DESCRIPTORS_MAX = 3 };

struct wire {
	int ends[2];
	int null; /* what is attached */
};

static int lowest_free(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD, 0);

	FUZZ_CHECK(fd >= 0);
	close(fd);
	return fd;
}

static const struct wire *open_wire(void)
{
	static struct wire wire = {.null = -1};

	if (wire.null >= 0)
		return &wire;
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wire.ends) == 0);
	wire.null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	FUZZ_CHECK(wire.null >= 0);
	return &wire;
}

/* False for what the kernel doesn't send at all. */
static bool send_bytes(const struct wire *wire, const uint8_t *bytes, size_t length, size_t count)
{
	union {
		char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = {.bytes = {0}};
	struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	if (count > 0) {
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		CMSG_FIRSTHDR(&header)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&header)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&header)->cmsg_len = CMSG_LEN(count * sizeof(int));
		for (size_t i = 0; i < count; i++)
			memcpy(CMSG_DATA(CMSG_FIRSTHDR(&header)) + i * sizeof(int), &wire->null,
				sizeof(int));
	}
	return sendmsg(wire->ends[0], &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static int expected_error(
	const struct channel *channel, struct message *message, const uint8_t *bytes, size_t length)
{
	if (length == 0 || length > MESSAGE_BYTES_MAX ||
		message_decode(message, bytes, length) != 0)
		return -EBADMSG;
	return message_allowed(message->type, channel->peer, channel->self) ? 0 : -EBADMSG;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct message expected, received;
	struct fuzz_input input = {data, size};
	uint8_t roles = fuzz_byte(&input), how = fuzz_byte(&input);
	const struct wire *wire = open_wire();
	struct channel channel = {.fd = wire->ends[1],
		.self = (enum role)(roles % ROLE_COUNT),
		.peer = (enum role)(roles / ROLE_COUNT % ROLE_COUNT)};
	size_t count = how % (DESCRIPTORS_MAX + 1);
	bool takes = (how & 0x80) != 0;
	int lowest = lowest_free(), fd = -1, error, expected_now;

	if (!send_bytes(wire, input.at, input.left, count))
		return 0;
	expected_now = expected_error(&channel, &expected, input.at, input.left);
	if (takes && count > 1)
		expected_now = -EBADMSG;
	if (takes)
		error = channel_receive_descriptor(&channel, &received, &fd);
	else
		error = channel_receive(&channel, &received);
	FUZZ_CHECK(error == expected_now);
	FUZZ_CHECK(channel.received == (error == 0));
	FUZZ_CHECK((fd >= 0) == (error == 0 && takes && count == 1));
	if (error == 0)
		FUZZ_CHECK(memcmp(&received, &expected, sizeof(received)) == 0);
	if (fd >= 0)
		close(fd);
	FUZZ_CHECK(lowest_free() == lowest);
	FUZZ_CHECK(channel_receive(&channel, &received) == -EAGAIN);
	return 0;
}

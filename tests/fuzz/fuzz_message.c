/* SPDX-License-Identifier: ISC */
/*
 * Messages between processes. What decodes lies within the table's limits, encodes to a canonical
 * form no longer than the table allows, and that form decodes to the same message.
 */
#include <errno.h>
#include <string.h>

#include "common/message.h"
#include "tests/fuzz/fuzz.h"

static void check_uint(uint64_t value, uint64_t limit)
{
	FUZZ_CHECK(value <= limit);
}

static void check_text(const char *text, size_t limit)
{
	FUZZ_CHECK(strnlen(text, limit + 1) <= limit);
}

static void check_addresses(const struct address *items, uint32_t count, uint32_t limit)
{
	FUZZ_CHECK(count <= limit);
	for (uint32_t i = 0; i < count; i++)
		FUZZ_CHECK(fuzz_is_address(&items[i]));
}

static void check_prefixes(const struct prefix *items, uint32_t count, uint32_t limit)
{
	FUZZ_CHECK(count <= limit);
	for (uint32_t i = 0; i < count; i++)
		FUZZ_CHECK(fuzz_is_prefix(&items[i]));
}

#define CHECK_UINT(field, limit)       check_uint(field, limit);
#define CHECK_BYTES(field, limit)      (void)(field);
#define CHECK_TEXT(field, limit)       check_text(field, limit);
#define CHECK_ADDRESS(field, limit)    check_addresses(&(field), 1, 1);
#define CHECK_ADDRESSES(field, limit)  check_addresses((field).item, (field).count, limit);
#define CHECK_PREFIXES(field, limit)   check_prefixes((field).item, (field).count, limit);
#define CHECK_KEYS(field, limit)       FUZZ_CHECK((field).count <= (limit));
#define CHECK_FIELD(kind, name, limit) CHECK_##kind(of->name, limit)

/* check_start(), check_demand(), ... */
#define CHECK_FUNCTION(number, NAME, member, sender, receiver)        \
	static void check_##member(const struct message_##member *of) \
	{                                                             \
		(void)of;                                             \
		MESSAGE_##NAME(CHECK_FIELD)                           \
	}
MESSAGE_TABLE(CHECK_FUNCTION)

static void check_limits(const struct message *message)
{
	switch (message->type) {
#define CHECK_CASE(number, NAME, member, sender, receiver) \
	case MESSAGE_TYPE_##NAME:                          \
		check_##member(&message->member);          \
		return;
		MESSAGE_TABLE(CHECK_CASE)
#undef CHECK_CASE
	}
	FUZZ_CHECK(false && "a type of the table");
}

static void check_zero(const struct message *message)
{
	static const struct message zero;

	FUZZ_CHECK(memcmp(message, &zero, sizeof(zero)) == 0);
}

/* Every buffer that is too small is refused, and nothing behind its end is written. */
static void check_short_buffers(const struct message *message, size_t length, size_t some)
{
	size_t size = some % length;
	uint8_t *buffer = malloc(size);

	FUZZ_CHECK(buffer != NULL);
	FUZZ_CHECK(message_encode(message, buffer, size) == -EMSGSIZE);
	free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct message message, again;
	static uint8_t canonical[MESSAGE_BYTES_MAX], twice[MESSAGE_BYTES_MAX];
	uint8_t *bytes = fuzz_copy(data, size);
	int error, length;

	memset(&message, 0xa5, sizeof(message));
	error = message_decode(&message, bytes, size);
	FUZZ_CHECK(error == 0 || error == -EBADMSG);
	if (error != 0) {
		check_zero(&message);
		free(bytes);
		return 0;
	}
	check_limits(&message);
	length = message_encode(&message, canonical, sizeof(canonical));
	FUZZ_CHECK(length > 0 && (size_t)length <= message_bytes_max(message.type));
	FUZZ_CHECK((size_t)length <= size); /* msgpack-c writes the shortest form */
	FUZZ_CHECK(message_decode(&again, canonical, (size_t)length) == 0);
	FUZZ_CHECK(memcmp(&message, &again, sizeof(message)) == 0);
	FUZZ_CHECK(message_encode(&again, twice, sizeof(twice)) == length);
	FUZZ_CHECK(memcmp(canonical, twice, (size_t)length) == 0);
	check_short_buffers(&message, (size_t)length, size > 1 ? data[size - 1] : 0);
	/* A byte less, or one more, is another message or none. */
	FUZZ_CHECK(message_decode(&again, canonical, (size_t)length - 1) == -EBADMSG);
	if (length < MESSAGE_BYTES_MAX) {
		canonical[length] = 0;
		FUZZ_CHECK(message_decode(&again, canonical, (size_t)length + 1) == -EBADMSG);
	}
	free(bytes);
	return 0;
}

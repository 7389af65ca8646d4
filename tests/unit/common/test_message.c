/* SPDX-License-Identifier: ISC */
/*
 * Every message of the table: encoded and decoded at its limits, cut at every byte, extended, with
 * each element of a wrong type, length or value.
 */
#include <errno.h>
#include <msgpack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/message.h"

#define TYPES_END 64

/* Sets every field to its greatest value. */
#define FULL_UINT(name, limit)  m->name = (limit);
#define FULL_BYTES(name, limit) memset(m->name, 0xa5, (limit));
#define FULL_TEXT(name, limit)  memset(m->name, 'x', (limit));
#define FULL_ADDRESS(name, limit) \
	m->name = (struct address){.family = 6, .bytes = {0xfd, [15] = 1}};
#define FULL_ADDRESSES(name, limit)                                       \
	for (m->name.count = 0; m->name.count < (limit); m->name.count++) \
		m->name.item[m->name.count] = (struct address){.family = 4, .bytes = {10, 1, 2, 3}};
#define FULL_PREFIXES(name, limit)                                        \
	for (m->name.count = 0; m->name.count < (limit); m->name.count++) \
		m->name.item[m->name.count] =                             \
			(struct prefix){.family = 6, .length = 32, .bytes = {0xfd, 0x64, 1, 2}};
#define FULL_KEYS(name, limit)                                            \
	for (m->name.count = 0; m->name.count < (limit); m->name.count++) \
		memset(m->name.item[m->name.count], (int)m->name.count, 32);
#define FULL(kind, name, limit) FULL_##kind(name, limit)

static void fill(struct message *message, enum message_type type)
{
	memset(message, 0, sizeof(*message));
	message->type = type;
	switch (type) {
#define FILL_CASE(number, NAME, member, sender, receiver)      \
	case MESSAGE_TYPE_##NAME: {                            \
		struct message_##member *m = &message->member; \
		(void)m;                                       \
		MESSAGE_##NAME(FULL) break;                    \
	}
		MESSAGE_TABLE(FILL_CASE)
	}
}

static bool exists(unsigned type)
{
	return message_bytes_max((enum message_type)type) != 0;
}

static int encode(unsigned type, uint8_t bytes[static MESSAGE_BYTES_MAX])
{
	struct message message;

	fill(&message, (enum message_type)type);
	return message_encode(&message, bytes, MESSAGE_BYTES_MAX);
}

static void all_messages_come_back(void **state)
{
	uint8_t bytes[MESSAGE_BYTES_MAX];
	unsigned count = 0;

	(void)state;
	for (unsigned type = 0; type < TYPES_END; type++) {
		struct message sent, received;
		int length;

		if (!exists(type))
			continue;
		count++;
		fill(&sent, (enum message_type)type);
		length = message_encode(&sent, bytes, sizeof(bytes));
		assert_true(length > 0);
		assert_true((size_t)length <= message_bytes_max((enum message_type)type));
		assert_true(message_bytes_max((enum message_type)type) <= MESSAGE_BYTES_MAX);
		assert_int_equal(message_decode(&received, bytes, (size_t)length), 0);
		assert_memory_equal(&received, &sent, sizeof(sent));
		assert_int_equal(message_encode(&sent, bytes, (size_t)length - 1), -EMSGSIZE);
	}
	assert_int_equal(count, 26);
}

static void cut_and_extended_messages_are_refused(void **state)
{
	uint8_t bytes[MESSAGE_BYTES_MAX + 1];
	struct message message;
	static const struct message none;

	(void)state;
	for (unsigned type = 0; type < TYPES_END; type++) {
		int length = exists(type) ? encode(type, bytes) : 0;

		for (int cut = 0; cut < length; cut++)
			assert_int_equal(message_decode(&message, bytes, (size_t)cut), -EBADMSG);
		if (length == 0)
			continue;
		for (unsigned last = 0; last < 256; last++) {
			bytes[length] = (uint8_t)last;
			assert_int_equal(
				message_decode(&message, bytes, (size_t)length + 1), -EBADMSG);
		}
		assert_memory_equal(&message, &none, sizeof(none));
	}
}

enum spoil {
	SPOIL_NIL,
	SPOIL_NEGATIVE,
	SPOIL_FLOAT,
	SPOIL_MAP,
	SPOIL_ARRAY,
	SPOIL_GREATER,
	SPOIL_LONGER,
	SPOIL_SHORTER,
	SPOIL_OTHER_STRING,
	SPOIL_COUNT,
};

static void pack_bytes(
	msgpack_packer *packer, const msgpack_object *object, bool as_text, size_t length)
{
	static const char padding[2 * MESSAGE_BYTES_MAX];
	const char *bytes =
		object->type == MSGPACK_OBJECT_STR ? object->via.str.ptr : object->via.bin.ptr;
	size_t known =
		object->type == MSGPACK_OBJECT_STR ? object->via.str.size : object->via.bin.size;
	size_t take = length < known ? length : known;

	if (as_text)
		msgpack_pack_str(packer, length);
	else
		msgpack_pack_bin(packer, length);
	if (as_text) {
		msgpack_pack_str_body(packer, bytes, take);
		msgpack_pack_str_body(packer, padding, length - take);
	} else {
		msgpack_pack_bin_body(packer, bytes, take);
		msgpack_pack_bin_body(packer, padding, length - take);
	}
}

/* Packs a spoilt form of the element; false where that spoiling doesn't apply to it. */
static bool pack_spoilt(msgpack_packer *packer, const msgpack_object *object, enum spoil spoil)
{
	bool number = object->type == MSGPACK_OBJECT_POSITIVE_INTEGER;
	bool text = object->type == MSGPACK_OBJECT_STR;
	size_t length = text ? object->via.str.size : number ? 0 : object->via.bin.size;

	switch (spoil) {
	case SPOIL_NIL:
		return msgpack_pack_nil(packer) == 0;
	case SPOIL_NEGATIVE:
		return msgpack_pack_int(packer, -1) == 0;
	case SPOIL_FLOAT:
		return msgpack_pack_double(packer, 1.0) == 0;
	case SPOIL_MAP:
		return msgpack_pack_map(packer, 0) == 0;
	case SPOIL_ARRAY:
		return msgpack_pack_array(packer, 0) == 0;
	case SPOIL_GREATER:
		if (!number || object->via.u64 == UINT64_MAX)
			return false;
		return msgpack_pack_uint64(packer, object->via.u64 + 1) == 0;
	case SPOIL_LONGER:
		if (number)
			return false;
		pack_bytes(packer, object, text, length + 1);
		return true;
	case SPOIL_SHORTER:
		if (number || text)
			return false;
		pack_bytes(packer, object, text, length - 1);
		return true;
	case SPOIL_OTHER_STRING:
		if (number)
			return false;
		pack_bytes(packer, object, !text, length);
		return true;
	default:
		return false;
	}
}

static void expect_spoilt_refused(const msgpack_object *whole, uint32_t place, enum spoil spoil)
{
	msgpack_sbuffer buffer;
	msgpack_packer packer;
	struct message message;
	bool applies = true;

	msgpack_sbuffer_init(&buffer);
	msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
	msgpack_pack_array(&packer, whole->via.array.size);
	for (uint32_t i = 0; i < whole->via.array.size; i++) {
		if (i == place)
			applies = pack_spoilt(&packer, &whole->via.array.ptr[i], spoil);
		else
			msgpack_pack_object(&packer, whole->via.array.ptr[i]);
	}
	if (applies)
		assert_int_equal(
			message_decode(&message, (const uint8_t *)buffer.data, buffer.size),
			-EBADMSG);
	msgpack_sbuffer_destroy(&buffer);
}

static void spoilt_elements_are_refused(void **state)
{
	(void)state;
	for (unsigned type = 0; type < TYPES_END; type++) {
		uint8_t bytes[MESSAGE_BYTES_MAX];
		int length = exists(type) ? encode(type, bytes) : 0;
		msgpack_unpacked whole;

		if (length == 0)
			continue;
		msgpack_unpacked_init(&whole);
		assert_int_equal(
			msgpack_unpack_next(&whole, (const char *)bytes, (size_t)length, NULL),
			MSGPACK_UNPACK_SUCCESS);
		for (uint32_t place = 1; place < whole.data.via.array.size; place++) {
			for (int spoil = 0; spoil < SPOIL_COUNT; spoil++)
				expect_spoilt_refused(&whole.data, place, (enum spoil)spoil);
		}
		msgpack_unpacked_destroy(&whole);
	}
}

static void wrong_arity_is_refused(void **state)
{
	struct message message;

	(void)state;
	for (unsigned type = 0; type < TYPES_END; type++) {
		uint8_t bytes[MESSAGE_BYTES_MAX + 1];
		int length = exists(type) ? encode(type, bytes) : 0;

		if (length == 0)
			continue;
		assert_true((bytes[0] & 0xf0) == 0x90); /* fixarray: so far no message is longer */
		bytes[length] = 0;
		bytes[0]++; /* one more element, and it is there */
		assert_int_equal(message_decode(&message, bytes, (size_t)length + 1), -EBADMSG);
		bytes[0] = (uint8_t)(bytes[0] - 2); /* one less */
		assert_int_equal(message_decode(&message, bytes, (size_t)length), -EBADMSG);
	}
}

static void other_bytes_are_refused(void **state)
{
	/* A bare number, empty array, nested arrays, unknown numbers, an array said to be huge. */
	static const struct {
		uint8_t bytes[8];
		size_t length;
	} rows[] = {{{0x08}, 1}, {{0x90}, 1}, {{0x91, 0x91, 0x08}, 3}, {{0x91, 0x00}, 2},
		{{0x91, 0x16}, 2}, {{0x91, 0x7f}, 2}, {{0x91, 0xcd, 0x01, 0x08}, 4},
		{{0x91, 0xff}, 2}, {{0x91, 0xa1, 'x'}, 3},
		{{0xdd, 0xff, 0xff, 0xff, 0xff, 0x08}, 6}, {{0xc1}, 1}, {{0x81, 0x08, 0x08}, 3},
		{{0x91, 0xcf, 1, 0, 0, 0, 0, 0}, 8}};
	uint8_t ready[] = {0x91, 0x08};
	struct message message;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(message_decode(&message, rows[i].bytes, rows[i].length), -EBADMSG);
	assert_int_equal(message_decode(&message, ready, sizeof(ready)), 0);
	assert_int_equal(message.type, MESSAGE_TYPE_READY);
}

/* A list's values are checked, not only its length: on both sides. */
static void invalid_values_are_refused(void **state)
{
	struct message message;
	uint8_t bytes[MESSAGE_BYTES_MAX];
	uint8_t *at;
	int length;

	(void)state;
	fill(&message, MESSAGE_TYPE_PEER);
	message.peer.allowed_ips.item[63].bytes[15] = 1; /* host bits */
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes)), -EINVAL);
	message.peer.allowed_ips.item[63].bytes[15] = 0;
	message.peer.allowed_ips.count = 65;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes)), -EINVAL);
	message.peer.allowed_ips.count = 64;
	length = message_encode(&message, bytes, sizeof(bytes));
	at = memmem(bytes, (size_t)length, "\x06\x20\xfd\x64\x01\x02", 6);
	assert_non_null(at);
	at[6] = 1;
	assert_int_equal(message_decode(&message, bytes, (size_t)length), -EBADMSG);
	fill(&message, MESSAGE_TYPE_DEMAND);
	message.demand.source.family = 0;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes)), -EINVAL);
	message.type = (enum message_type)0;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes)), -EINVAL);
	fill(&message, MESSAGE_TYPE_CONNECT_FAILED);
	length = message_encode(&message, bytes, sizeof(bytes));
	bytes[length - 1] = '\0'; /* a zero within a text */
	assert_int_equal(message_decode(&message, bytes, (size_t)length), -EBADMSG);
	fill(&message, MESSAGE_TYPE_MATERIAL);
	message.material.kind++;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes)), -EINVAL);
	fill(&message, MESSAGE_TYPE_CONNECT);
	message.connect.origin = ORIGINS_MAX;
	assert_int_equal(message_encode(&message, bytes, sizeof(bytes)), -EINVAL);
}

static void table_says_who_may_send_what(void **state)
{
	(void)state;
	assert_true(message_allowed(MESSAGE_TYPE_DEMAND, ROLE_CAPTURE, ROLE_INSTALLER));
	assert_false(message_allowed(MESSAGE_TYPE_DEMAND, ROLE_FETCHER, ROLE_INSTALLER));
	assert_false(message_allowed(MESSAGE_TYPE_DEMAND, ROLE_INSTALLER, ROLE_CAPTURE));
	assert_true(message_allowed(MESSAGE_TYPE_PEER, ROLE_FETCHER, ROLE_INSTALLER));
	assert_false(message_allowed(MESSAGE_TYPE_PEER, ROLE_CAPTURE, ROLE_INSTALLER));
	assert_true(message_allowed(MESSAGE_TYPE_READY, ROLE_CONNECTOR, ROLE_SUPERVISOR));
	assert_false(message_allowed(MESSAGE_TYPE_READY, ROLE_CONNECTOR, ROLE_FETCHER));
	assert_false(message_allowed(MESSAGE_TYPE_RENEW, ROLE_CAPTURE, ROLE_FETCHER));
	assert_true(message_allowed(MESSAGE_TYPE_GATEWAY, ROLE_INSTALLER, ROLE_CAPTURE));
	assert_false(message_allowed(MESSAGE_TYPE_GATEWAY, ROLE_INSTALLER, ROLE_FETCHER));
	assert_false(message_allowed((enum message_type)0, ROLE_CAPTURE, ROLE_INSTALLER));
	assert_false(message_allowed(MESSAGE_TYPE_DEMAND, ROLE_COUNT, ROLE_INSTALLER));
	assert_string_equal(message_name(MESSAGE_TYPE_OUTCOME), "OUTCOME");
	assert_string_equal(message_name((enum message_type)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_messages_come_back),
		cmocka_unit_test(cut_and_extended_messages_are_refused),
		cmocka_unit_test(spoilt_elements_are_refused),
		cmocka_unit_test(wrong_arity_is_refused),
		cmocka_unit_test(other_bytes_are_refused),
		cmocka_unit_test(invalid_values_are_refused),
		cmocka_unit_test(table_says_who_may_send_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

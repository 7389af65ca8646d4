/* SPDX-License-Identifier: ISC */
/*
 * Coding of the messages, driven by message_table.h. msgpack-c does the format; what it accepts is
 * checked against the table field by field.
 */
#include "common/message.h"

#include <errno.h>
#include <msgpack.h>
#include <string.h>

enum kind {
	KIND_UINT,
	KIND_BYTES,
	KIND_TEXT,
	KIND_ADDRESS,
	KIND_ADDRESSES,
	KIND_PREFIXES,
	KIND_KEYS,
};

struct field {
	const char *name;
	enum kind kind;
	size_t offset; /* in struct message */
	uint64_t limit;
};

struct layout {
	const char *name;
	size_t size; /* of its structure */
	const struct field *fields;
	uint32_t count;
	unsigned senders, receivers; /* bit masks of roles */
};

#define ROLES_SUPERVISOR (1U << ROLE_SUPERVISOR)
#define ROLES_CAPTURE    (1U << ROLE_CAPTURE)
#define ROLES_FETCHER    (1U << ROLE_FETCHER)
#define ROLES_CONNECTOR  (1U << ROLE_CONNECTOR)
#define ROLES_INSTALLER  (1U << ROLE_INSTALLER)
#define ROLES_CHILD      (ROLES_CAPTURE | ROLES_FETCHER | ROLES_CONNECTOR | ROLES_INSTALLER)

#define FIELD(field_kind, field_name, field_limit)     \
	{.name = #field_name,                          \
		.kind = KIND_##field_kind,             \
		.offset = offsetof(owner, field_name), \
		.limit = (field_limit)},

/* layout_demand() and so on; the last, empty entry keeps the array of READY from being empty. */
#define LAYOUT_FUNCTION(number, NAME, member, sender, receiver)                             \
	static struct layout layout_##member(void)                                          \
	{                                                                                   \
		typedef struct message_##member owner;                                      \
		static const struct field fields[] = {MESSAGE_##NAME(FIELD){.name = NULL}}; \
                                                                                            \
		return (struct layout){.name = #NAME,                                       \
			.size = sizeof(owner),                                              \
			.fields = fields,                                                   \
			.count = sizeof(fields) / sizeof(fields[0]) - 1,                    \
			.senders = ROLES_##sender,                                          \
			.receivers = ROLES_##receiver};                                     \
	}
MESSAGE_TABLE(LAYOUT_FUNCTION)
#undef LAYOUT_FUNCTION

static int find_layout(struct layout *layout, enum message_type type)
{
	switch (type) {
#define LAYOUT_CASE(number, NAME, member, sender, receiver) \
	case MESSAGE_TYPE_##NAME:                           \
		*layout = layout_##member();                \
		return 0;
		MESSAGE_TABLE(LAYOUT_CASE)
#undef LAYOUT_CASE
	}
	return -EINVAL;
}

const char *message_name(enum message_type type)
{
	struct layout layout;

	return find_layout(&layout, type) == 0 ? layout.name : "unknown";
}

bool message_allowed(enum message_type type, enum role sender, enum role receiver)
{
	struct layout layout;

	if ((unsigned)sender >= ROLE_COUNT || (unsigned)receiver >= ROLE_COUNT)
		return false;
	return find_layout(&layout, type) == 0 && (layout.senders & 1U << sender) != 0 &&
	       (layout.receivers & 1U << receiver) != 0;
}

/* Bytes of one item of a list kind, as in memory so on the wire; 0 for the other kinds. */
static size_t item_bytes(enum kind kind)
{
	switch (kind) {
	case KIND_ADDRESSES:
		return sizeof(struct address);
	case KIND_PREFIXES:
		return sizeof(struct prefix);
	case KIND_KEYS:
		return WIREGUARD_KEY_BYTES;
	default:
		return 0;
	}
}

size_t message_bytes_max(enum message_type type)
{
	struct layout layout;
	size_t total = 3 + 2; /* array header, number */

	if (find_layout(&layout, type) != 0)
		return 0;
	for (uint32_t i = 0; i < layout.count; i++) {
		const struct field *field = &layout.fields[i];

		if (field->kind == KIND_UINT)
			total += 9;
		else if (field->kind == KIND_ADDRESS)
			total += 2 + sizeof(struct address);
		else if (item_bytes(field->kind) != 0)
			total += 5 + (size_t)field->limit * item_bytes(field->kind);
		else
			total += 5 + (size_t)field->limit;
	}
	return total;
}

struct writer {
	uint8_t *buffer;
	size_t size, used;
};

static int write_bytes(void *context, const char *bytes, size_t length)
{
	struct writer *writer = context;

	if (length > writer->size - writer->used)
		return -1;
	memcpy(writer->buffer + writer->used, bytes, length);
	writer->used += length;
	return 0;
}

/* Where a list's count and items lie: the macro in message.h puts items right behind the count. */
struct list {
	uint32_t count;
	uint8_t items[];
};

static bool items_valid(enum kind kind, const uint8_t *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const uint8_t *item = items + i * item_bytes(kind);

		if (kind == KIND_ADDRESSES && !address_valid((const struct address *)item))
			return false;
		if (kind == KIND_PREFIXES && !prefix_valid((const struct prefix *)item))
			return false;
	}
	return true;
}

static int encode_bin(msgpack_packer *packer, const void *bytes, size_t length)
{
	return msgpack_pack_bin_with_body(packer, bytes, length) == 0 ? 0 : -EMSGSIZE;
}

static int encode_list(msgpack_packer *packer, const struct field *field, const struct list *list)
{
	if (list->count > field->limit || !items_valid(field->kind, list->items, list->count))
		return -EINVAL;
	return encode_bin(packer, list->items, list->count * item_bytes(field->kind));
}

static int encode_field(msgpack_packer *packer, const struct field *field, const uint8_t *value)
{
	uint64_t number;
	size_t length;

	switch (field->kind) {
	case KIND_UINT:
		memcpy(&number, value, sizeof(number));
		if (number > field->limit)
			return -EINVAL;
		return msgpack_pack_uint64(packer, number) == 0 ? 0 : -EMSGSIZE;
	case KIND_BYTES:
		return encode_bin(packer, value, (size_t)field->limit);
	case KIND_TEXT:
		length = strnlen((const char *)value, (size_t)field->limit + 1);
		if (length > field->limit)
			return -EINVAL;
		return msgpack_pack_str_with_body(packer, value, length) == 0 ? 0 : -EMSGSIZE;
	case KIND_ADDRESS:
		if (!address_valid((const struct address *)value))
			return -EINVAL;
		return encode_bin(packer, value, sizeof(struct address));
	default:
		return encode_list(packer, field, (const struct list *)value);
	}
}

int message_encode(const struct message *message, uint8_t *buffer, size_t size)
{
	struct writer writer = {.buffer = buffer, .size = size};
	struct layout layout;
	msgpack_packer packer;

	if (find_layout(&layout, message->type) != 0)
		return -EINVAL;
	msgpack_packer_init(&packer, &writer, write_bytes);
	if (msgpack_pack_array(&packer, layout.count + 1) != 0 ||
		msgpack_pack_uint64(&packer, (uint64_t)message->type) != 0)
		return -EMSGSIZE;
	for (uint32_t i = 0; i < layout.count; i++) {
		const struct field *field = &layout.fields[i];
		int error = encode_field(
			&packer, field, (const uint8_t *)&message->start + field->offset);

		if (error != 0)
			return error;
	}
	return (int)writer.used;
}

static int decode_list(const struct field *field, const msgpack_object *object, struct list *list)
{
	size_t item = item_bytes(field->kind);
	size_t length = object->via.bin.size;

	if (length == 0)
		return 0; /* msgpack-c has no pointer to nothing */
	if (length % item != 0 || length / item > field->limit)
		return -EBADMSG;
	if (!items_valid(field->kind, (const uint8_t *)object->via.bin.ptr, length / item))
		return -EBADMSG;
	memcpy(list->items, object->via.bin.ptr, length);
	list->count = (uint32_t)(length / item);
	return 0;
}

static int decode_text(const struct field *field, const msgpack_object *object, char *text)
{
	size_t length = object->via.str.size;

	if (length == 0)
		return 0; /* msgpack-c has no pointer to nothing */
	if (length > field->limit || memchr(object->via.str.ptr, '\0', length) != NULL)
		return -EBADMSG;
	memcpy(text, object->via.str.ptr, length);
	text[length] = '\0';
	return 0;
}

/* value lies in a zeroed structure. */
static int decode_field(const struct field *field, const msgpack_object *object, uint8_t *value)
{
	if (field->kind == KIND_UINT) {
		if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
			object->via.u64 > field->limit)
			return -EBADMSG;
		memcpy(value, &object->via.u64, sizeof(object->via.u64));
		return 0;
	}
	if (field->kind == KIND_TEXT)
		return object->type == MSGPACK_OBJECT_STR
			       ? decode_text(field, object, (char *)value)
			       : -EBADMSG;
	if (object->type != MSGPACK_OBJECT_BIN)
		return -EBADMSG;
	if (item_bytes(field->kind) != 0)
		return decode_list(field, object, (struct list *)value);
	if (field->kind == KIND_ADDRESS) {
		if (object->via.bin.size != sizeof(struct address) ||
			!address_valid((const struct address *)object->via.bin.ptr))
			return -EBADMSG;
	} else if (object->via.bin.size != field->limit) {
		return -EBADMSG;
	}
	memcpy(value, object->via.bin.ptr, object->via.bin.size);
	return 0;
}

/*
 * Reads one element from *at on. Only what a field can be is given to msgpack-c: a container is
 * refused by its first byte, since the library would allocate whatever size an array claims to
 * have.
 */
static int decode_element(msgpack_object *object, const uint8_t *bytes, size_t length, size_t *at)
{
	uint8_t first = *at < length ? bytes[*at] : 0xc1; /* 0xc1: never used, msgpack spec */
	bool number = first <= 0x7f || (first >= 0xcc && first <= 0xcf);
	bool text = (first >= 0xa0 && first <= 0xbf) || (first >= 0xd9 && first <= 0xdb);
	bool bin = first >= 0xc4 && first <= 0xc6;
	msgpack_zone unused = {0}; /* where containers would go; scalars take no memory */
	msgpack_unpack_return result;

	if (!number && !text && !bin)
		return -EBADMSG;
	result = msgpack_unpack((const char *)bytes, length, at, &unused, object);
	if (result != MSGPACK_UNPACK_SUCCESS && result != MSGPACK_UNPACK_EXTRA_BYTES)
		return -EBADMSG;
	return 0;
}

/* The array's head and the message's number; *at is then the first field. */
static int decode_head(struct message *message, struct layout *layout, const uint8_t *bytes,
	size_t length, size_t *at)
{
	msgpack_object number;

	*at = 1;
	if (length < 2 || length > MESSAGE_BYTES_MAX || (bytes[0] & 0xf0) != 0x90) /* fixarray */
		return -EBADMSG;
	if (decode_element(&number, bytes, length, at) != 0 ||
		number.type != MSGPACK_OBJECT_POSITIVE_INTEGER || number.via.u64 > UINT8_MAX)
		return -EBADMSG;
	message->type = (enum message_type)number.via.u64;
	if (find_layout(layout, message->type) != 0 || (bytes[0] & 0x0fU) != layout->count + 1)
		return -EBADMSG;
	return 0;
}

static int decode(struct message *message, const uint8_t *bytes, size_t length)
{
	struct layout layout;
	size_t at;

	if (decode_head(message, &layout, bytes, length, &at) != 0)
		return -EBADMSG;
	for (uint32_t i = 0; i < layout.count; i++) {
		const struct field *field = &layout.fields[i];
		uint8_t *value = (uint8_t *)&message->start + field->offset;
		msgpack_object object;

		if (decode_element(&object, bytes, length, &at) != 0 ||
			decode_field(field, &object, value) != 0)
			return -EBADMSG;
	}
	return at == length ? 0 : -EBADMSG;
}

int message_decode(struct message *message, const uint8_t *bytes, size_t length)
{
	int error;

	memset(message, 0, sizeof(*message));
	error = decode(message, bytes, length);
	if (error != 0)
		explicit_bzero(message, sizeof(*message));
	return error;
}

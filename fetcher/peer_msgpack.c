/* SPDX-License-Identifier: ISC */
/*
 * A body in MessagePack. msgpack-c reads what has no parts; arrays and maps are taken apart here,
 * since the library would allocate whatever size one claims to have.
 */
#include "fetcher/peer_msgpack.h"

#include <msgpack.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *bytes;
	size_t length, at;
	unsigned depth; /* of the value that is being read */
	char *reason;
};

/* Returns NULL, as what couldn't be read. Only the first reason is the reason. */
static json_t *refuse(const struct reader *reader, const char *why)
{
	if (reader->reason[0] == '\0')
		peer_refuse(reader->reason, "body: %s, byte %zu", why, reader->at);
	return NULL;
}

static json_t *read_value(struct reader *reader);

static json_t *make_string(struct reader *reader, const msgpack_object_str *text)
{
	json_t *string;

	if (text->size == 0)
		return json_string(""); /* msgpack-c has no pointer to nothing */
	if (memchr(text->ptr, '\0', text->size) != NULL)
		return refuse(reader, "a zero character");
	string = json_stringn(text->ptr, text->size);
	return string != NULL ? string : refuse(reader, "text that is not UTF-8");
}

/* JSON's reader refuses it too. */
static json_t *make_integer(struct reader *reader, uint64_t value)
{
	return value <= INT64_MAX ? json_integer((json_int_t)value)
				  : refuse(reader, "an integer past 2^63");
}

static json_t *make_real(struct reader *reader, double value)
{
	json_t *real = json_real(value); /* refuses infinity, and what is not a number */

	return real != NULL ? real : refuse(reader, "a number that JSON hasn't");
}

static json_t *make_value(struct reader *reader, const msgpack_object *object)
{
	switch (object->type) {
	case MSGPACK_OBJECT_NIL:
		return json_null();
	case MSGPACK_OBJECT_BOOLEAN:
		return json_boolean(object->via.boolean);
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		return make_integer(reader, object->via.u64);
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return json_integer(object->via.i64);
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return make_real(reader, object->via.f64);
	case MSGPACK_OBJECT_STR:
		return make_string(reader, &object->via.str);
	case MSGPACK_OBJECT_BIN:
	case MSGPACK_OBJECT_EXT:
		return json_true(); /* a value, and of a type that no field has */
	default:
		return refuse(reader, "not msgpack");
	}
}

/* What is neither array nor map. */
static json_t *read_scalar(struct reader *reader)
{
	msgpack_zone unused = {0}; /* where containers would go; scalars take no memory */
	msgpack_object object;
	msgpack_unpack_return result = msgpack_unpack(
		(const char *)reader->bytes, reader->length, &reader->at, &unused, &object);

	if (result == MSGPACK_UNPACK_CONTINUE)
		return refuse(reader, "cut short");
	if (result != MSGPACK_UNPACK_SUCCESS && result != MSGPACK_UNPACK_EXTRA_BYTES)
		return refuse(reader, "not msgpack");
	return make_value(reader, &object);
}

static json_t *read_array(struct reader *reader, uint32_t count)
{
	json_t *array = json_array();

	for (; array != NULL && count > 0; count--) {
		if (json_array_append_new(array, read_value(reader)) != 0) {
			json_decref(array);
			return refuse(reader, "no memory");
		}
	}
	return array;
}

/* One name and its value. 0 or -1. */
static int read_member(struct reader *reader, json_t *map)
{
	json_t *name = read_value(reader);
	int error = -1;

	if (json_is_string(name) && json_object_get(map, json_string_value(name)) == NULL)
		error = json_object_set_new(map, json_string_value(name), read_value(reader));
	else if (name != NULL)
		refuse(reader, json_is_string(name) ? "a member twice" : "a name that is no text");
	json_decref(name);
	return error;
}

static json_t *read_map(struct reader *reader, uint32_t count)
{
	json_t *map = json_object();

	for (; map != NULL && count > 0; count--) {
		if (read_member(reader, map) != 0) {
			json_decref(map);
			return refuse(reader, "no memory");
		}
	}
	return map;
}

/* A big-endian number of so many bytes, behind the first byte of a value. False when it is cut. */
static bool take_size(struct reader *reader, unsigned bytes, uint32_t *size)
{
	if (reader->length - reader->at < 1 + bytes)
		return false;
	reader->at++;
	*size = 0;
	for (; bytes > 0; bytes--)
		*size = *size << 8 | reader->bytes[reader->at++];
	return true;
}

/* Reads the head of an array or map, after its kind: in the first byte, or in 2 or 4 behind it. */
static json_t *read_container(struct reader *reader)
{
	uint8_t first = reader->bytes[reader->at];
	bool is_fixed = first < 0xa0, is_map = is_fixed ? first < 0x90 : first >= 0xde;
	uint32_t count = 0;

	if (!take_size(reader, is_fixed ? 0 : 2U << (first & 1), &count))
		return refuse(reader, "cut short");
	if (is_fixed)
		count = first & 0x0f;
	return is_map ? read_map(reader, count) : read_array(reader, count);
}

/* fixmap, fixarray; array 16, array 32, map 16, map 32. */
static bool is_container(uint8_t first)
{
	return (first >= 0x80 && first <= 0x9f) || (first >= 0xdc && first <= 0xdf);
}

static json_t *read_value(struct reader *reader)
{
	json_t *value;

	if (reader->at == reader->length)
		return refuse(reader, "cut short");
	if (!is_container(reader->bytes[reader->at]))
		return read_scalar(reader);
	if (reader->depth == PEER_MSGPACK_DEPTH)
		return refuse(reader, "nested too deep");
	reader->depth++;
	value = read_container(reader);
	reader->depth--;
	return value;
}

json_t *peer_msgpack_parse(const void *body, size_t length, char reason[static PEER_REASON_BYTES])
{
	struct reader reader = {.bytes = body, .length = length, .reason = reason};
	json_t *value;

	reason[0] = '\0';
	value = read_value(&reader);
	if (value == NULL)
		return refuse(&reader, "no memory");
	if (reader.at != length) {
		json_decref(value);
		return refuse(&reader, "something behind the object");
	}
	return value;
}

/* SPDX-License-Identifier: ISC */
/* A peer's configuration out of a body's members, read strictly. */
#include "fetcher/peer_fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/key_text.h"

int peer_refuse(char reason[static PEER_REASON_BYTES], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, PEER_REASON_BYTES, format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

static int read_public_key(
	struct message_peer *peer, const json_t *object, const uint8_t *asked_key, char *reason)
{
	const json_t *member = json_object_get(object, "public_key");

	if (member == NULL)
		return peer_refuse(reason, "public_key: missing");
	if (!json_is_string(member))
		return peer_refuse(reason, "public_key: not a string");
	if (key_from_base64(peer->public_key, json_string_value(member)) != 0)
		return peer_refuse(reason, "public_key: not 32 bytes in padded base64");
	if (memcmp(peer->public_key, asked_key, WIREGUARD_KEY_BYTES) != 0)
		return peer_refuse(reason, "public_key: not the key asked for");
	return 0;
}

static int read_allowed_ip(
	struct message_peer *peer, const json_t *element, size_t index, char *reason)
{
	struct prefix *prefix = &peer->allowed_ips.item[index];
	int error;

	if (!json_is_string(element))
		return peer_refuse(reason, "allowed_ips[%zu]: not a string", index);
	error = prefix_parse(prefix, json_string_value(element));
	if (error == -EDOM)
		return peer_refuse(reason, "allowed_ips[%zu]: host bits set", index);
	if (error != 0)
		return peer_refuse(reason, "allowed_ips[%zu]: not ADDRESS/LENGTH", index);
	for (size_t i = 0; i < index; i++) {
		if (memcmp(&peer->allowed_ips.item[i], prefix, sizeof(*prefix)) == 0)
			return peer_refuse(
				reason, "allowed_ips[%zu]: same as allowed_ips[%zu]", index, i);
	}
	peer->allowed_ips.count++;
	return 0;
}

static int read_allowed_ips(
	struct message_peer *peer, const json_t *object, uint64_t max, char *reason)
{
	const size_t room = sizeof(peer->allowed_ips.item) / sizeof(peer->allowed_ips.item[0]);
	const json_t *member = json_object_get(object, "allowed_ips");
	const json_t *element;
	size_t index;

	if (max > room)
		max = room;
	if (member == NULL)
		return peer_refuse(reason, "allowed_ips: missing");
	if (!json_is_array(member))
		return peer_refuse(reason, "allowed_ips: not an array");
	if (json_array_size(member) == 0)
		return peer_refuse(reason, "allowed_ips: empty");
	if (json_array_size(member) > max)
		return peer_refuse(reason, "allowed_ips: %zu where at most %llu are allowed",
			json_array_size(member), (unsigned long long)max);
	json_array_foreach(member, index, element)
	{
		int error = read_allowed_ip(peer, element, index, reason);

		if (error != 0)
			return error;
	}
	return 0;
}

static int read_preshared_key(struct message_peer *peer, const json_t *object, char *reason)
{
	const json_t *member = json_object_get(object, "preshared_key");

	if (member == NULL || json_is_null(member))
		return 0;
	if (!json_is_string(member))
		return peer_refuse(reason, "preshared_key: not a string");
	if (key_from_base64(peer->preshared_key, json_string_value(member)) != 0)
		return peer_refuse(reason, "preshared_key: not 32 bytes in padded base64");
	peer->has_preshared_key = 1;
	return 0;
}

static int read_keepalive(struct message_peer *peer, const json_t *object, char *reason)
{
	const json_t *member = json_object_get(object, "persistent_keepalive");

	if (member == NULL)
		return 0;
	if (!json_is_integer(member))
		return peer_refuse(reason, "persistent_keepalive: not an integer");
	if (json_integer_value(member) < 0 || json_integer_value(member) > UINT16_MAX)
		return peer_refuse(reason, "persistent_keepalive: not within 0 to 65535");
	peer->persistent_keepalive = (uint64_t)json_integer_value(member);
	return 0;
}

static int read_members(struct message_peer *peer, const json_t *object, const uint8_t *asked_key,
	uint64_t max_allowed_ips, char *reason)
{
	int error;

	if (!json_is_object(object))
		return peer_refuse(reason, "body: not an object");
	error = read_public_key(peer, object, asked_key, reason);
	if (error == 0)
		error = read_allowed_ips(peer, object, max_allowed_ips, reason);
	if (error == 0)
		error = read_preshared_key(peer, object, reason);
	if (error == 0)
		error = read_keepalive(peer, object, reason);
	return error;
}

void peer_fields_clear(struct message_peer *peer)
{
	explicit_bzero(peer->public_key, sizeof(peer->public_key));
	explicit_bzero(&peer->allowed_ips, sizeof(peer->allowed_ips));
	explicit_bzero(peer->preshared_key, sizeof(peer->preshared_key));
	peer->has_preshared_key = 0;
	peer->persistent_keepalive = 0;
}

int peer_fields_read(struct message_peer *peer, const json_t *body,
	const uint8_t asked_key[static WIREGUARD_KEY_BYTES], uint64_t max_allowed_ips,
	char reason[static PEER_REASON_BYTES])
{
	int error;

	peer_fields_clear(peer);
	error = read_members(peer, body, asked_key, max_allowed_ips, reason);
	if (error != 0)
		peer_fields_clear(peer);
	return error;
}

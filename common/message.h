/* SPDX-License-Identifier: ISC */
/* The messages of message_table.h as C structures, and their strict msgpack coding. */
#ifndef PULLGATE_MESSAGE_H
#define PULLGATE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/message_table.h"
#include "common/role.h"
#include "common/wireguard.h"

enum connect_mode { CONNECT_REPLAY, CONNECT_INITIATE, CONNECT_RETRY };
enum material_kind { MATERIAL_CA, MATERIAL_CLIENT_CERT, MATERIAL_CLIENT_KEY, MATERIAL_TOKEN };
enum known_state { KNOWN_INSTALLED, KNOWN_STATIC };
enum on_stale { ON_STALE_KEEP, ON_STALE_REMOVE };
enum peer_answer { PEER_FOUND, PEER_ABSENT, PEER_REVOKED, PEER_FAILED };
enum outcome_result {
	OUTCOME_INSTALLED,
	OUTCOME_ABSENT,   /* the origin doesn't know the key: 404 */
	OUTCOME_REVOKED,  /* the origin knows it as gone: 410 */
	OUTCOME_REJECTED, /* the installer's policy refuses it */
	OUTCOME_FAILED,   /* no answer, or the kernel refused */
};

enum message_type {
#define MESSAGE_ENUM(number, NAME, member, sender, receiver) MESSAGE_TYPE_##NAME = (number),
	MESSAGE_TABLE(MESSAGE_ENUM)
#undef MESSAGE_ENUM
};

#define MESSAGE_MEMBER_UINT(name, limit)    uint64_t name;
#define MESSAGE_MEMBER_BYTES(name, limit)   uint8_t name[limit];
#define MESSAGE_MEMBER_TEXT(name, limit)    char name[(limit) + 1];
#define MESSAGE_MEMBER_ADDRESS(name, limit) struct address name;
#define MESSAGE_MEMBER_LIST(type, name, limit, suffix) \
	struct {                                       \
		uint32_t count;                        \
		type item[limit] suffix;               \
	} name;
#define MESSAGE_MEMBER_ADDRESSES(name, limit) MESSAGE_MEMBER_LIST(struct address, name, limit, )
#define MESSAGE_MEMBER_PREFIXES(name, limit)  MESSAGE_MEMBER_LIST(struct prefix, name, limit, )
#define MESSAGE_MEMBER_KEYS(name, limit)      MESSAGE_MEMBER_LIST(uint8_t, name, limit, [32])
#define MESSAGE_MEMBER(kind, name, limit)     MESSAGE_MEMBER_##kind(name, limit)

/* struct message_start, struct message_demand, ... */
#define MESSAGE_STRUCT(number, NAME, member, sender, receiver) \
	struct message_##member {                              \
		MESSAGE_##NAME(MESSAGE_MEMBER)                 \
	};
MESSAGE_TABLE(MESSAGE_STRUCT)
#undef MESSAGE_STRUCT

struct message {
	enum message_type type;
	union {
#define MESSAGE_UNION(number, NAME, member, sender, receiver) struct message_##member member;
		MESSAGE_TABLE(MESSAGE_UNION)
#undef MESSAGE_UNION
	};
};

/* No message is longer on the wire or has more than 14 fields; a test holds the table to it. */
#define MESSAGE_BYTES_MAX 5120

/* "DEMAND"; never NULL ("unknown" for a number that the table doesn't have). */
const char *message_name(enum message_type type);

/* Whether the table lets this sender send this message to this receiver. */
bool message_allowed(enum message_type type, enum role sender, enum role receiver);

/* The greatest length on the wire of that message; 0 for a number that the table doesn't have. */
size_t message_bytes_max(enum message_type type);

/*
 * Writes the message to buffer and returns its length, or -EINVAL for an unknown type or a field
 * beyond its limit, -EMSGSIZE for a buffer that is too small. The caller wipes the buffer where
 * the message holds a secret.
 */
int message_encode(const struct message *message, uint8_t *buffer, size_t size);

/*
 * Reads the one message that bytes hold. 0, or -EBADMSG for anything but exactly one message of
 * the table with every field in its type and limit; message is then zeroed. Allocates nothing.
 */
int message_decode(struct message *message, const uint8_t *bytes, size_t length);

#endif

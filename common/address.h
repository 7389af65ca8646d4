/* SPDX-License-Identifier: ISC */
/*
 * IP addresses and prefixes as messages carry them: bytes only, without padding, so that they
 * can be compared, hashed and sent as they lie in memory.
 */
#ifndef PULLGATE_ADDRESS_H
#define PULLGATE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* family is 4 or 6; an IPv4 address fills bytes[0..3] and leaves the rest zero. Network order. */
struct address {
	uint8_t family;
	uint8_t bytes[16];
};

/* As struct address; length is the prefix length, 0..32 or 0..128; bits past it are zero. */
struct prefix {
	uint8_t family;
	uint8_t length;
	uint8_t bytes[16];
};

/* Greatest texts, terminating zero included. */
#define ADDRESS_TEXT_BYTES 46
#define PREFIX_TEXT_BYTES  50
/* As many prefixes as a log line has room for. */
#define PREFIX_LIST_TEXT_BYTES 700

/* Whether it is one of the two shapes above, unused bytes zero. */
bool address_valid(const struct address *address);
bool address_equal(const struct address *a, const struct address *b);

/* Whether the prefix has one of the shapes above: length within its family, no host bits set. */
bool prefix_valid(const struct prefix *prefix);

/*
 * Reads "ADDRESS/LENGTH", or "ADDRESS" alone for the whole address, in the forms of inet_pton(3).
 * 0, -EINVAL for what is not such a text (leading zeros in the length included), or -EDOM when
 * bits behind the length are set.
 */
int prefix_parse(struct prefix *prefix, const char *text);

/* Writes into text and returns it. */
const char *address_format(char text[static ADDRESS_TEXT_BYTES], const struct address *address);
const char *prefix_format(char text[static PREFIX_TEXT_BYTES], const struct prefix *prefix);
/* Joined by commas; ends in ",..." where there are more than have room. */
const char *prefix_list_format(
	char text[static PREFIX_LIST_TEXT_BYTES], const struct prefix *prefixes, uint32_t count);

/* Whether every address of inner lies in outer. Never across families. */
bool prefix_contains(const struct prefix *outer, const struct prefix *inner);

/* Whether they share an address; for prefixes that means one contains the other. */
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);

#endif

/* SPDX-License-Identifier: ISC */
/* IP addresses and prefixes as messages carry them. */
#include "common/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static unsigned family_bits(uint8_t family)
{
	return family == 4 ? 32 : family == 6 ? 128 : 0;
}

static int family_af(uint8_t family)
{
	return family == 4 ? AF_INET : AF_INET6;
}

/* Whether all bits from number first on are zero. */
static bool zero_from_bit(const uint8_t bytes[16], unsigned first)
{
	if (first % 8 != 0 && (bytes[first / 8] & (0xff >> (first % 8))) != 0)
		return false;
	for (unsigned i = (first + 7) / 8; i < 16; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

bool address_valid(const struct address *address)
{
	unsigned bits = family_bits(address->family);

	return bits != 0 && zero_from_bit(address->bytes, bits);
}

bool address_equal(const struct address *a, const struct address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool prefix_valid(const struct prefix *prefix)
{
	unsigned bits = family_bits(prefix->family);

	return bits != 0 && prefix->length <= bits && zero_from_bit(prefix->bytes, prefix->length);
}

/* Reads 0..128 in plain decimal; -EINVAL for anything else. */
static int parse_length(const char *text)
{
	int length = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return -EINVAL;
	for (const char *digit = text; *digit != '\0'; digit++) {
		if (*digit < '0' || *digit > '9' || digit - text >= 3)
			return -EINVAL;
		length = length * 10 + (*digit - '0');
	}
	return length;
}

int prefix_parse(struct prefix *prefix, const char *text)
{
	const char *slash = strchr(text, '/');
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char host[ADDRESS_TEXT_BYTES];
	int bits;

	if (length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	memset(prefix, 0, sizeof(*prefix));
	prefix->family = strchr(host, ':') != NULL ? 6 : 4;
	if (inet_pton(family_af(prefix->family), host, prefix->bytes) != 1)
		return -EINVAL;
	bits = slash != NULL ? parse_length(slash + 1) : (int)family_bits(prefix->family);
	if (bits < 0 || bits > (int)family_bits(prefix->family))
		return -EINVAL;
	prefix->length = (uint8_t)bits;
	return prefix_valid(prefix) ? 0 : -EDOM;
}

const char *address_format(char text[static ADDRESS_TEXT_BYTES], const struct address *address)
{
	if (family_bits(address->family) == 0 ||
		inet_ntop(family_af(address->family), address->bytes, text, ADDRESS_TEXT_BYTES) ==
			NULL)
		snprintf(text, ADDRESS_TEXT_BYTES, "invalid");
	return text;
}

const char *prefix_format(char text[static PREFIX_TEXT_BYTES], const struct prefix *prefix)
{
	struct address address = {.family = prefix->family};
	size_t length;

	memcpy(address.bytes, prefix->bytes, sizeof(address.bytes));
	address_format(text, &address);
	length = strlen(text);
	snprintf(text + length, PREFIX_TEXT_BYTES - length, "/%u", prefix->length);
	return text;
}

const char *prefix_list_format(
	char text[static PREFIX_LIST_TEXT_BYTES], const struct prefix *prefixes, uint32_t count)
{
	char one[PREFIX_TEXT_BYTES];
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < count; i++) {
		size_t left = PREFIX_LIST_TEXT_BYTES - used;

		if (left < sizeof(one) + sizeof(",...")) {
			snprintf(text + used, left, ",...");
			break;
		}
		used += (size_t)snprintf(text + used, left, "%s%s", i > 0 ? "," : "",
			prefix_format(one, &prefixes[i]));
	}
	return text;
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner)
{
	unsigned whole = outer->length / 8, rest = outer->length % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	if (outer->family != inner->family || outer->length > inner->length)
		return false;
	if (memcmp(outer->bytes, inner->bytes, whole) != 0)
		return false;
	return rest == 0 || ((outer->bytes[whole] ^ inner->bytes[whole]) & mask) == 0;
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_contains(a, b) || prefix_contains(b, a);
}

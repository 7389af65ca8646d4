/* SPDX-License-Identifier: ISC */
/* What counts as one source: an IPv4 address, or an IPv6 /64, which one subscriber has whole. */
#ifndef PULLGATE_SOURCE_PREFIX_H
#define PULLGATE_SOURCE_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"

/* Without padding, so that it can be hashed as it lies in memory. */
struct source_prefix {
	uint8_t family;
	uint8_t bytes[8]; /* an IPv4 address and four zeros, or half an IPv6 one */
};

struct source_prefix source_prefix_of(const struct address *source);

bool source_prefix_equal(const struct source_prefix *a, const struct source_prefix *b);

#endif

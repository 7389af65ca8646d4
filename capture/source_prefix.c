/* SPDX-License-Identifier: ISC */
/* What counts as one source. */
#include "capture/source_prefix.h"

#include <string.h>

struct source_prefix source_prefix_of(const struct address *source)
{
	struct source_prefix prefix = {.family = source->family};

	memcpy(prefix.bytes, source->bytes, source->family == 4 ? 4 : sizeof(prefix.bytes));
	return prefix;
}

bool source_prefix_equal(const struct source_prefix *a, const struct source_prefix *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

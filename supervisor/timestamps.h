/* SPDX-License-Identifier: ISC */
/* The memory of capture's timestamp record, which outlives capture. */
#ifndef PULLGATE_TIMESTAMPS_H
#define PULLGATE_TIMESTAMPS_H

#include <stdint.h>

/*
 * A memfd of TIMESTAMPS_BYTES(max_peers), sealed, so that capture can't take bytes away from under
 * its successor. Descriptor or negative errno.
 */
int timestamps_open(uint32_t max_peers);

#endif

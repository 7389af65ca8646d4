/* SPDX-License-Identifier: ISC */
/*
 * Slots in the order in which something is due for them: a binary heap, so that the next one is at
 * hand and any change takes at most 20 steps among 2^20. All memory is taken at the start.
 */
#ifndef PULLGATE_INSTALLER_DUE_QUEUE_H
#define PULLGATE_INSTALLER_DUE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define DUE_QUEUE_NONE UINT32_MAX
/* Before every other time. */
#define DUE_AT_ONCE INT64_MIN

struct due_queue {
	uint32_t capacity, count;
	uint32_t *heap; /* slots; none is due before the one at (its place - 1) / 2 */
	struct due {
		int64_t at_ms;
		uint32_t place; /* in heap, from 1; 0: not queued */
	} * items;              /* by slot */
};

/* For slots 0 to capacity - 1. 0, -EINVAL for a capacity of 0, or -ENOMEM. */
int due_queue_init(struct due_queue *queue, uint32_t capacity);
void due_queue_destroy(struct due_queue *queue);

/* Queues a slot, or moves one that is queued. */
void due_queue_set(struct due_queue *queue, uint32_t slot, int64_t at_ms);
/* Takes a slot out, if it is queued. */
void due_queue_remove(struct due_queue *queue, uint32_t slot);

/* The slot that is due first, and when; DUE_QUEUE_NONE when none is queued. */
uint32_t due_queue_first(const struct due_queue *queue, int64_t *at_ms);

/* The slot at a place from 0 to count - 1, for those who look at many: at each place stands one that
 * is due no later than those at its double plus 1 and plus 2. Moving it to an earlier time leaves the
 * places behind it as they were. */
uint32_t due_queue_at(const struct due_queue *queue, uint32_t place, int64_t *at_ms);

#endif

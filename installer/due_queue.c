/* SPDX-License-Identifier: ISC */
/* Slots in the order in which something is due for them: a binary heap. */
#include "installer/due_queue.h"

#include <errno.h>
#include <stdlib.h>

int due_queue_init(struct due_queue *queue, uint32_t capacity)
{
	*queue = (struct due_queue){.capacity = capacity};
	if (capacity == 0)
		return -EINVAL;
	queue->heap = calloc(capacity, sizeof(*queue->heap));
	queue->items = calloc(capacity, sizeof(*queue->items));
	if (queue->heap != NULL && queue->items != NULL)
		return 0;
	due_queue_destroy(queue);
	return -ENOMEM;
}

void due_queue_destroy(struct due_queue *queue)
{
	free(queue->heap);
	free(queue->items);
	*queue = (struct due_queue){.capacity = 0};
}

static bool is_before(const struct due_queue *queue, uint32_t slot, uint32_t other)
{
	return queue->items[slot].at_ms < queue->items[other].at_ms;
}

static void put(struct due_queue *queue, uint32_t index, uint32_t slot)
{
	queue->heap[index] = slot;
	queue->items[slot].place = index + 1;
}

/* Moves what is due later down, until the slot can stand at the index that it returns. */
static uint32_t rise(struct due_queue *queue, uint32_t index, uint32_t slot)
{
	while (index > 0 && is_before(queue, slot, queue->heap[(index - 1) / 2])) {
		put(queue, index, queue->heap[(index - 1) / 2]);
		index = (index - 1) / 2;
	}
	return index;
}

/* Moves what is due earlier up, likewise. */
static uint32_t sink(struct due_queue *queue, uint32_t index, uint32_t slot)
{
	for (;;) {
		uint32_t child = 2 * index + 1;

		if (child + 1 < queue->count &&
			is_before(queue, queue->heap[child + 1], queue->heap[child]))
			child++;
		if (child >= queue->count || !is_before(queue, queue->heap[child], slot))
			return index;
		put(queue, index, queue->heap[child]);
		index = child;
	}
}

static void settle(struct due_queue *queue, uint32_t index, uint32_t slot)
{
	index = rise(queue, index, slot);
	put(queue, sink(queue, index, slot), slot);
}

void due_queue_set(struct due_queue *queue, uint32_t slot, int64_t at_ms)
{
	uint32_t place = queue->items[slot].place;

	queue->items[slot].at_ms = at_ms;
	settle(queue, place != 0 ? place - 1 : queue->count++, slot);
}

void due_queue_remove(struct due_queue *queue, uint32_t slot)
{
	uint32_t place = queue->items[slot].place;

	if (place == 0)
		return;
	queue->items[slot].place = 0;
	queue->count--;
	if (place - 1 < queue->count)
		settle(queue, place - 1, queue->heap[queue->count]);
}

uint32_t due_queue_first(const struct due_queue *queue, int64_t *at_ms)
{
	return queue->count > 0 ? due_queue_at(queue, 0, at_ms) : DUE_QUEUE_NONE;
}

uint32_t due_queue_at(const struct due_queue *queue, uint32_t place, int64_t *at_ms)
{
	*at_ms = queue->items[queue->heap[place]].at_ms;
	return queue->heap[place];
}

/* SPDX-License-Identifier: ISC */
/*
 * The memory in which capture keeps timestamps: whatever a killed or broken process left in it. The
 * input is the memory's bytes, taken over; a second process continues what the first recorded.
 */
#include "capture/timestamp_record.h"

#include <errno.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { KEYS = 4, MEMORY_MAX = 16384 };

static void name(uint8_t key[static WIREGUARD_KEY_BYTES], unsigned number)
{
	memset(key, 0, WIREGUARD_KEY_BYTES);
	key[0] = (uint8_t)number;
}

/* What is kept refuses itself and all that is earlier, and nothing later. */
static void check_key(struct timestamp_record *record, unsigned number)
{
	uint8_t key[WIREGUARD_KEY_BYTES], stamp[TIMESTAMP_BYTES], later[TIMESTAMP_BYTES];

	name(key, number);
	memset(stamp, 0xfe, sizeof(stamp));
	memcpy(later, stamp, sizeof(later));
	later[TIMESTAMP_BYTES - 1] = 0xff;
	timestamp_record_keep(record, key, stamp, 5000);
	FUZZ_CHECK(timestamp_record_is_replay(record, key, stamp));
	if (timestamp_record_is_replay(record, key, later))
		return; /* the memory held a greater one, with a right check */
	FUZZ_CHECK(timestamp_record_raise(record, key, later, 6000));
	FUZZ_CHECK(timestamp_record_is_replay(record, key, later));
	FUZZ_CHECK(timestamp_record_raise(record, key, stamp, 7000));
	FUZZ_CHECK(timestamp_record_is_replay(record, key, later));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t bytes = size < MEMORY_MAX ? size & ~(size_t)7 : MEMORY_MAX;
	struct timestamp_record record, next;
	uint8_t *memory = fuzz_copy(data, bytes), key[WIREGUARD_KEY_BYTES];
	static const uint8_t stamp[TIMESTAMP_BYTES] = {1};
	int error = timestamp_record_attach(&record, memory, bytes);

	FUZZ_CHECK(error == (bytes < timestamp_record_bytes(1) ? -EINVAL : 0));
	if (error == 0) {
		for (unsigned number = 0; number < KEYS; number++)
			check_key(&record, number);
		FUZZ_CHECK(timestamp_record_attach(&next, memory, bytes) == 0 && next.continued);
		name(key, KEYS - 1);
		FUZZ_CHECK(timestamp_record_is_replay(&next, key, stamp));
	}
	free(memory);
	return 0;
}

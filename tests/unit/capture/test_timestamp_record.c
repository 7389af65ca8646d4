/* SPDX-License-Identifier: ISC */
/*
 * The timestamp record: what is a replay, what survives, and what a process that is killed at any
 * of its instructions leaves behind.
 */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/timestamp_record.h"

struct stamp {
	uint8_t bytes[12];
};

struct key {
	uint8_t bytes[32];
};

/* In order, and such that the order is the bytes': 255 and 256 differ in two of them. */
static struct stamp stamp_of(uint32_t number)
{
	struct stamp stamp = {{0x40}};

	stamp.bytes[4] = (uint8_t)(number >> 24);
	stamp.bytes[6] = (uint8_t)(number >> 16);
	stamp.bytes[8] = (uint8_t)(number >> 8);
	stamp.bytes[11] = (uint8_t)number;
	return stamp;
}

static struct key key_of(uint32_t number)
{
	struct key key = {{0x77}};

	memcpy(key.bytes + 28, &number, sizeof(number));
	return key;
}

static bool is_replay(const struct timestamp_record *record, uint32_t key, uint32_t stamp)
{
	return timestamp_record_is_replay(record, key_of(key).bytes, stamp_of(stamp).bytes);
}

static bool raise_to(struct timestamp_record *record, uint32_t key, uint32_t stamp, int64_t now_ms)
{
	return timestamp_record_raise(record, key_of(key).bytes, stamp_of(stamp).bytes, now_ms);
}

static void keep(struct timestamp_record *record, uint32_t key, uint32_t stamp, int64_t now_ms)
{
	timestamp_record_keep(record, key_of(key).bytes, stamp_of(stamp).bytes, now_ms);
}

/* Exactly `stamp` is recorded for the key. */
static bool records(const struct timestamp_record *record, uint32_t key, uint32_t stamp)
{
	return is_replay(record, key, stamp) && !is_replay(record, key, stamp + 1);
}

static void *new_memory(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);

	assert_non_null(memory);
	memset(memory, 0, bytes);
	return memory;
}

static void attach(struct timestamp_record *record, void *memory, size_t bytes, bool continued)
{
	assert_int_equal(timestamp_record_attach(record, memory, bytes), 0);
	assert_int_equal(record->continued, continued);
}

static void test_less_equal_greater(void **state)
{
	static const uint32_t numbers[] = {0, 1, 255, 256, 65535, 65536, 0xffffff, 0x1000000};
	size_t bytes = timestamp_record_bytes(8);
	void *memory = new_memory(bytes);
	struct timestamp_record record;

	(void)state;
	attach(&record, memory, bytes, false);
	assert_false(is_replay(&record, 1, 0));
	for (size_t i = 0; i < COUNT(numbers); i++) {
		keep(&record, 1, numbers[i], 0);
		for (size_t j = 0; j < COUNT(numbers); j++)
			assert_int_equal(is_replay(&record, 1, numbers[j]), j <= i);
		assert_false(is_replay(&record, 2, 0));
	}
	free(memory);
}

static void test_never_lowered(void **state)
{
	size_t bytes = timestamp_record_bytes(8);
	void *memory = new_memory(bytes), *before = new_memory(bytes);
	struct timestamp_record record;

	(void)state;
	attach(&record, memory, bytes, false);
	keep(&record, 1, 100, 0);
	keep(&record, 1, 99, 0);
	assert_true(records(&record, 1, 100));
	/* Nor is the stamp behind it given up for less. */
	memcpy(before, memory, bytes);
	assert_true(raise_to(&record, 1, 50, 5000));
	assert_true(raise_to(&record, 1, 100, 5000));
	assert_memory_equal(memory, before, bytes);
	assert_true(records(&record, 1, 100));
	assert_true(raise_to(&record, 1, 101, 0));
	assert_true(records(&record, 1, 101));
	free(memory);
	free(before);
}

/* Raising begins nothing: only the origin's approval does, by timestamp_record_keep. */
static void test_raise_begins_nothing(void **state)
{
	size_t bytes = timestamp_record_bytes(8);
	void *memory = new_memory(bytes);
	struct timestamp_record record;

	(void)state;
	attach(&record, memory, bytes, false);
	assert_false(raise_to(&record, 1, 100, 0));
	assert_false(is_replay(&record, 1, 100));
	free(memory);
}

static void test_survives_a_restart(void **state)
{
	size_t bytes = timestamp_record_bytes(20000); /* so large that none gives way */
	void *memory = new_memory(bytes);
	struct timestamp_record record;

	(void)state;
	attach(&record, memory, bytes, false);
	for (uint32_t i = 0; i < 200; i++) {
		keep(&record, i, 1000 + i, i);
		raise_to(&record, i, 2000 + i, i);
	}
	memset(&record, 0, sizeof(record));
	attach(&record, memory, bytes, true);
	for (uint32_t i = 0; i < 200; i++)
		assert_true(records(&record, i, 2000 + i));
	assert_false(is_replay(&record, 200, 0));
	free(memory);
}

/* In memory that isn't ours, or that another size was prepared for, nothing is taken over. */
static void test_foreign_memory(void **state)
{
	size_t bytes = timestamp_record_bytes(80), fewer = timestamp_record_bytes(40);
	uint8_t *memory = new_memory(bytes);
	struct timestamp_record record;

	(void)state;
	attach(&record, memory, bytes, false);
	keep(&record, 1, 100, 0);
	attach(&record, memory, fewer, false);
	assert_false(is_replay(&record, 1, 100));
	attach(&record, memory, bytes, false);
	assert_false(is_replay(&record, 1, 100));
	for (int i = 0; i < 20; i++) {
		randombytes_buf(memory, bytes);
		attach(&record, memory, bytes, false);
		for (uint32_t key = 0; key < 100; key++)
			assert_false(is_replay(&record, key, 0));
		keep(&record, 1, 100, 0);
		assert_true(records(&record, 1, 100));
	}
	free(memory);
}

/* Any bit of the header: begun anew, or (the magic's aside) not even that; never taken as it is. */
static void test_each_header_bit_flipped(void **state)
{
	size_t bytes = timestamp_record_bytes(8);
	uint8_t *memory = new_memory(bytes);
	struct timestamp_record record;

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(struct timestamp_header); bit++) {
		memset(memory, 0, bytes);
		attach(&record, memory, bytes, false);
		keep(&record, 1, 100, 0);
		memory[bit / 8] ^= (uint8_t)(1 << bit % 8);
		attach(&record, memory, bytes, false);
		assert_false(is_replay(&record, 1, 100));
		attach(&record, memory, bytes, true);
	}
	free(memory);
}

/* One flipped bit of a record costs at most its newest stamp, and never makes another one. */
static void test_each_record_bit_flipped(void **state)
{
	size_t bytes = timestamp_record_bytes(8);
	uint8_t *memory = new_memory(bytes), *pristine = new_memory(bytes);
	struct timestamp_record record;
	size_t whole = 0, older = 0, lost = 0;

	(void)state;
	attach(&record, memory, bytes, false);
	keep(&record, 1, 100, 0);
	raise_to(&record, 1, 200, 0);
	memcpy(pristine, memory, bytes);
	for (size_t bit = 8 * sizeof(struct timestamp_header); bit < 8 * bytes; bit++) {
		memcpy(memory, pristine, bytes);
		memory[bit / 8] ^= (uint8_t)(1 << bit % 8);
		attach(&record, memory, bytes, true);
		if (records(&record, 1, 200))
			whole++;
		else if (records(&record, 1, 100))
			older++;
		else
			lost += !is_replay(&record, 1, 0);
	}
	assert_int_equal(older, 8 * sizeof(struct timestamp_stamp));
	assert_int_equal(lost, 8 * 32); /* the key's own bits */
	assert_int_equal(whole + older + lost, 8 * (bytes - sizeof(struct timestamp_header)));
	free(memory);
	free(pristine);
}

/* Eight keys a set: the ninth takes the place of the one that rose longest ago. */
static void test_full_set(void **state)
{
	size_t bytes = timestamp_record_bytes(1);
	void *memory = new_memory(bytes);
	struct timestamp_record record;

	(void)state;
	attach(&record, memory, bytes, false);
	assert_int_equal(record.sets, 1);
	for (uint32_t i = 0; i < 8; i++)
		keep(&record, i, 100, i * 1000);
	assert_int_equal(record.recycled, 0);
	raise_to(&record, 0, 101, 9000);
	keep(&record, 8, 100, 10000);
	assert_int_equal(record.recycled, 1);
	assert_false(is_replay(&record, 1, 0));
	assert_true(records(&record, 0, 101));
	assert_true(records(&record, 8, 100));
	for (uint32_t i = 2; i < 8; i++)
		assert_true(records(&record, i, 100));
	/* Nothing of the key before shows in the new one's record. */
	raise_to(&record, 8, 102, 11000);
	assert_true(records(&record, 8, 102));
	free(memory);
}

/* Twice the room, as the header advises: hardly a record gives way. */
static void test_advised_size(void **state)
{
	size_t bytes = timestamp_record_bytes(20000);
	void *memory = new_memory(bytes);
	struct timestamp_record record;
	size_t kept = 0;

	(void)state;
	attach(&record, memory, bytes, false);
	for (uint32_t i = 0; i < 10000; i++)
		keep(&record, i, 100, i);
	for (uint32_t i = 0; i < 10000; i++)
		kept += records(&record, i, 100);
	assert_int_equal(kept + record.recycled, 10000);
	assert_in_range(record.recycled, 0, 250);
	free(memory);
}

static void test_bad_memory(void **state)
{
	size_t bytes = timestamp_record_bytes(1);
	uint8_t *memory = new_memory(bytes + 8);
	struct timestamp_record record;

	(void)state;
	assert_int_equal(timestamp_record_attach(&record, memory, bytes - 1), -EINVAL);
	assert_int_equal(timestamp_record_attach(&record, memory, 0), -EINVAL);
	assert_int_equal(timestamp_record_attach(&record, memory + 1, bytes), -EINVAL);
	assert_int_equal(timestamp_record_attach(&record, NULL, bytes), -EINVAL);
	assert_int_equal(timestamp_record_attach(&record, memory + 8, bytes), 0);
	free(memory);
}

static void test_bytes(void **state)
{
	(void)state;
	assert_int_equal(timestamp_record_bytes(0), timestamp_record_bytes(1));
	assert_int_equal(timestamp_record_bytes(8), timestamp_record_bytes(1));
	assert_int_equal(timestamp_record_bytes(9) - timestamp_record_bytes(8),
		8 * sizeof(struct timestamp_entry));
}

/* Another process has another hash key, so nobody knows which keys share a set. */
static void test_hash_keys_differ(void **state)
{
	size_t bytes = timestamp_record_bytes(1);
	void *one_memory = new_memory(bytes), *other_memory = new_memory(bytes);
	struct timestamp_record one, other;

	(void)state;
	attach(&one, one_memory, bytes, false);
	attach(&other, other_memory, bytes, false);
	assert_memory_not_equal(one.hash_key, other.hash_key, sizeof(one.hash_key));
	free(one_memory);
	free(other_memory);
}

/* ---- Killed at any instruction ---- */

/* A single set, filled by `prepare`; then a child that does `change` is stopped after each step. */
struct kill_case {
	void (*prepare)(struct timestamp_record *record);
	void (*change)(struct timestamp_record *record);
	/* What must hold of what the child left, begun or not; returns whether the change shows. */
	bool (*check)(const struct timestamp_record *left);
};

static void run_changer(const struct kill_case *kill_case, void *memory, size_t bytes)
{
	struct timestamp_record record;

	if (timestamp_record_attach(&record, memory, bytes) != 0)
		_exit(1);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(2);
	raise(SIGSTOP);
	kill_case->change(&record);
	_exit(0);
}

/* What a successor finds in the memory as it is now; it works on a copy. */
static bool check_successor(
	const struct kill_case *kill_case, const void *memory, void *copy, size_t bytes)
{
	struct timestamp_record left;

	memcpy(copy, memory, bytes);
	attach(&left, copy, bytes, true);
	return kill_case->check(&left);
}

static void kill_at_each_instruction(const struct kill_case *kill_case)
{
	size_t bytes = timestamp_record_bytes(1), steps = 0, shown = 0;
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	void *seen = new_memory(bytes), *copy = new_memory(bytes);
	struct timestamp_record record;
	int status;
	pid_t child;

	assert_ptr_not_equal(memory, MAP_FAILED);
	attach(&record, memory, bytes, false);
	kill_case->prepare(&record);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		run_changer(kill_case, memory, bytes);
	assert_int_equal(waitpid(child, &status, 0), child);
	while (WIFSTOPPED(status)) {
		if (steps == 0 || memcmp(seen, memory, bytes) != 0) {
			memcpy(seen, memory, bytes);
			shown += check_successor(kill_case, memory, copy, bytes);
		}
		steps++;
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* It did go step by step, and in the end the change is there. */
	assert_true(steps > 100);
	assert_true(shown > 0);
	assert_true(check_successor(kill_case, memory, copy, bytes));
	munmap(memory, bytes);
	free(seen);
	free(copy);
}

static void prepare_one(struct timestamp_record *record)
{
	keep(record, 1, 100, 0);
	keep(record, 2, 7, 0);
}

static void change_raise(struct timestamp_record *record)
{
	raise_to(record, 1, 0x01020304, 0);
}

/* Never nothing, and never a timestamp that nobody sent. */
static bool check_raise(const struct timestamp_record *left)
{
	assert_true(records(left, 2, 7));
	if (records(left, 1, 0x01020304))
		return true;
	assert_true(records(left, 1, 100));
	return false;
}

static void test_killed_while_raising(void **state)
{
	static const struct kill_case kill_case = {prepare_one, change_raise, check_raise};

	(void)state;
	kill_at_each_instruction(&kill_case);
}

static void prepare_twice(struct timestamp_record *record)
{
	keep(record, 1, 50, 0);
	raise_to(record, 1, 100, 0);
	keep(record, 2, 7, 0);
}

static void test_killed_while_raising_again(void **state)
{
	static const struct kill_case kill_case = {prepare_twice, change_raise, check_raise};

	(void)state;
	kill_at_each_instruction(&kill_case);
}

static void change_keep(struct timestamp_record *record)
{
	keep(record, 3, 0x01020304, 0);
}

static bool check_keep(const struct timestamp_record *left)
{
	assert_true(records(left, 1, 100));
	assert_true(records(left, 2, 7));
	if (records(left, 3, 0x01020304))
		return true;
	assert_false(is_replay(left, 3, 0));
	return false;
}

static void test_killed_while_beginning_a_record(void **state)
{
	static const struct kill_case kill_case = {prepare_one, change_keep, check_keep};

	(void)state;
	kill_at_each_instruction(&kill_case);
}

static void prepare_full(struct timestamp_record *record)
{
	for (uint32_t i = 10; i < 18; i++) {
		keep(record, i, 100 + i, i * 1000);
		raise_to(record, i, 200 + i, i * 1000);
	}
}

static bool check_recycle(const struct timestamp_record *left)
{
	for (uint32_t i = 11; i < 18; i++)
		assert_true(records(left, i, 200 + i));
	if (!records(left, 10, 200 + 10) && !records(left, 10, 100 + 10))
		assert_false(is_replay(left, 10, 0));
	if (records(left, 3, 0x01020304))
		return true;
	assert_false(is_replay(left, 3, 0));
	return false;
}

static void test_killed_while_recycling(void **state)
{
	static const struct kill_case kill_case = {prepare_full, change_keep, check_recycle};

	(void)state;
	kill_at_each_instruction(&kill_case);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_less_equal_greater),
		cmocka_unit_test(test_never_lowered),
		cmocka_unit_test(test_raise_begins_nothing),
		cmocka_unit_test(test_survives_a_restart),
		cmocka_unit_test(test_foreign_memory),
		cmocka_unit_test(test_each_header_bit_flipped),
		cmocka_unit_test(test_each_record_bit_flipped),
		cmocka_unit_test(test_full_set),
		cmocka_unit_test(test_advised_size),
		cmocka_unit_test(test_bad_memory),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_hash_keys_differ),
		cmocka_unit_test(test_killed_while_raising),
		cmocka_unit_test(test_killed_while_raising_again),
		cmocka_unit_test(test_killed_while_beginning_a_record),
		cmocka_unit_test(test_killed_while_recycling),
	};

	return cmocka_run_group_tests_name("timestamp_record", tests, start_sodium, NULL);
}

/* SPDX-License-Identifier: ISC */
/*
 * What every fuzz target shares: a check that stops the fuzzer, a cursor over the input, and texts
 * and files made of it.
 *
 * A target defines LLVMFuzzerTestOneInput (libFuzzer's entry) and, where it has a start to make,
 * LLVMFuzzerInitialize. It links the production library, and checks what the header of the code
 * under test promises, not only that nothing crashes.
 */
#ifndef PULLGATE_FUZZ_H
#define PULLGATE_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/address.h"

int LLVMFuzzerInitialize(int *argument_count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a header promises. libFuzzer keeps the input that breaks it. */
#define FUZZ_CHECK(promise)                                                           \
	do {                                                                          \
		if (!(promise)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #promise); \
			abort();                                                      \
		}                                                                     \
	} while (0)

/* What is left of an input. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/* The next byte; 0 behind the end. */
uint8_t fuzz_byte(struct fuzz_input *input);

/* The next two, little-endian. */
uint16_t fuzz_u16(struct fuzz_input *input);

/*
 * The next piece: two bytes of length, little-endian, then that many bytes, or what is left. In
 * memory of just that size, so that AddressSanitizer sees a read behind it; the caller frees it.
 */
uint8_t *fuzz_piece(struct fuzz_input *input, size_t *length);

/* A copy of bytes in memory of just that size, for the same reason; the caller frees it. */
void *fuzz_copy(const void *bytes, size_t length);

/* All of the input up to a zero byte as a string in memory of just its size; the caller frees it. */
char *fuzz_text(struct fuzz_input *input);

/* A memory file that holds the bytes; the same one, filled anew, at each call. */
int fuzz_file(const void *bytes, size_t length);

/* Whether the text is visible ASCII and blanks. */
bool fuzz_is_printable(const char *text);

/* Whether the prefix is one that the kernel could take: a family, a length, no host bits. Written
 * apart from prefix_valid(), bit by bit. */
bool fuzz_is_prefix(const struct prefix *prefix);
bool fuzz_is_address(const struct address *address);

#endif

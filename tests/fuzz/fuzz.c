/* SPDX-License-Identifier: ISC */
/* What every fuzz target shares. */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint8_t fuzz_byte(struct fuzz_input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

uint16_t fuzz_u16(struct fuzz_input *input)
{
	uint8_t low = fuzz_byte(input);

	return (uint16_t)(low | fuzz_byte(input) << 8);
}

void *fuzz_copy(const void *bytes, size_t length)
{
	void *copy = malloc(length);

	FUZZ_CHECK(copy != NULL);
	if (length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

uint8_t *fuzz_piece(struct fuzz_input *input, size_t *length)
{
	uint8_t *piece;

	*length = fuzz_u16(input);
	if (*length > input->left)
		*length = input->left;
	piece = fuzz_copy(input->at, *length);
	input->at += *length;
	input->left -= *length;
	return piece;
}

char *fuzz_text(struct fuzz_input *input)
{
	size_t length = input->left > 0 ? strnlen((const char *)input->at, input->left) : 0;
	char *text = malloc(length + 1);

	FUZZ_CHECK(text != NULL);
	if (length > 0)
		memcpy(text, input->at, length);
	text[length] = '\0';
	input->at += length;
	input->left -= length;
	return text;
}

int fuzz_file(const void *bytes, size_t length)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0);
	FUZZ_CHECK(ftruncate(fd, 0) == 0);
	FUZZ_CHECK(pwrite(fd, bytes, length, 0) == (ssize_t)length);
	return fd;
}

bool fuzz_is_printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

/* Whether the bits from number first on are zero. */
static bool bits_are_zero(const uint8_t bytes[16], unsigned first)
{
	for (unsigned bit = first; bit < 128; bit++) {
		if ((bytes[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return false;
	}
	return true;
}

bool fuzz_is_prefix(const struct prefix *prefix)
{
	return (prefix->family == 4 || prefix->family == 6) &&
	       prefix->length <= (prefix->family == 4 ? 32 : 128) &&
	       bits_are_zero(prefix->bytes, prefix->length);
}

bool fuzz_is_address(const struct address *address)
{
	return address->family == 6 || (address->family == 4 && bits_are_zero(address->bytes, 32));
}

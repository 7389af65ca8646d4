/* SPDX-License-Identifier: ISC */
/* What the installer's unit tests share. */
#ifndef PULLGATE_TESTS_UNIT_INSTALLER_UNIT_H
#define PULLGATE_TESTS_UNIT_INSTALLER_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "common/address.h"
#include "common/message.h"

/* A key of 32 equal bytes and a number, so that tests can name many. */
static inline void make_key(uint8_t key[WIREGUARD_KEY_BYTES], uint32_t number)
{
	memset(key, 0xa5, WIREGUARD_KEY_BYTES);
	memcpy(key, &number, sizeof(number));
}

static inline struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(&prefix, text), 0);
	return prefix;
}

static inline struct address address_of(const char *text)
{
	struct address address = {.family = strchr(text, ':') != NULL ? 6 : 4};

	assert_int_equal(
		inet_pton(address.family == 4 ? AF_INET : AF_INET6, text, address.bytes), 1);
	return address;
}

#endif

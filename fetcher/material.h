/* SPDX-License-Identifier: ISC */
/*
 * Certificates, key and token that the supervisor hands over as sealed memory files, so that this
 * process opens no file. Their pages are made at the start, so that a reload inside the sandbox
 * needs nothing but pread(2); those of the key and the token are locked and left out of dumps.
 */
#ifndef PULLGATE_FETCHER_MATERIAL_H
#define PULLGATE_FETCHER_MATERIAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/message.h"

#define MATERIAL_KINDS (MATERIAL_TOKEN + 1)

/* Greatest lengths. Debian's bundle of all public CAs has 220 kB. */
#define MATERIAL_CA_BYTES_MAX          (4U << 20)
#define MATERIAL_CLIENT_CERT_BYTES_MAX (1U << 20)
#define MATERIAL_CLIENT_KEY_BYTES_MAX  (64U << 10)
/* RFC 6750 sets no limit; a header line of this length passes every common server. */
#define MATERIAL_TOKEN_BYTES_MAX 7168U

struct material {
	uint8_t *bytes; /* a zero byte follows, so that a token is a string */
	size_t length;  /* 0: not configured */
	size_t size;    /* greatest length */
};

/* By enum material_kind. */
struct material_set {
	struct material items[MATERIAL_KINDS];
};

/* Makes the pages. 0, or -ENOMEM, also when those of the secrets can't be locked. */
int material_open(struct material_set *set);
void material_close(struct material_set *set);

/* Wipes all that was read, and keeps the pages. */
void material_clear(struct material_set *set);

/*
 * Reads the whole file behind fd, which stays the caller's, in place of what that kind held. 0,
 * -EFBIG past the kind's limit, or what pread(2) said; the kind is then empty.
 */
int material_read(struct material_set *set, enum material_kind kind, int fd);

/*
 * Makes a token out of a file's bytes: trailing newlines go. 0 (also when there is no token), or
 * -EINVAL with *reason (static text) when nothing is left or it holds anything but visible ASCII,
 * which a header must not (RFC 6750 section 2.1).
 */
int material_trim_token(struct material_set *set, const char **reason);

/* "ca_file", "client_cert_file", ...: the configuration's name of it. */
const char *material_name(enum material_kind kind);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * What the supervisor gives up: whatever it doesn't need for restarting its children. With what is
 * left it is as good as root all the same.
 */
#ifndef PULLGATE_AUTHORITY_H
#define PULLGATE_AUTHORITY_H

#include "sandbox/credentials.h"
#include "supervisor/config.h"

/* The capabilities that it keeps; authority.c says why. */
capability_set authority_kept(void);

/*
 * Of the process, which must be root: leaves these capabilities in the permitted, effective and
 * bounding sets and none in the others, and forbids dumps and tracing. Called before any file is
 * read, so that what can't be read without more shows at the start and not at a reload. 0, or a
 * negative errno with a reason, -EPERM where one of them is missing.
 */
int authority_reduce(char error[static CONFIG_ERROR_BYTES]);

/*
 * Closes the seccomp filter around the process, and so around its children. After everything is
 * open, and before the first child. 0, or a negative errno with a reason.
 */
int authority_close_filter(char error[static CONFIG_ERROR_BYTES]);

#endif

/* SPDX-License-Identifier: ISC */
/*
 * The system calls that each process is allowed, as tables for people to read: the call, why it is
 * there, and what its arguments must be. Everything else kills the process.
 *
 * A row lets a call through when all its conditions hold; several rows of one call are
 * alternatives. calls_every.c holds what all processes need, calls_ROLE.c what one needs besides.
 * The kernel sees the arguments' registers (seccomp(2)), never what a pointer points to.
 */
#ifndef PULLGATE_SANDBOX_CALLS_H
#define PULLGATE_SANDBOX_CALLS_H

#include <seccomp.h>
#include <stddef.h>

#include "common/role.h"

#define CALL_CONDITIONS_MAX 3

struct call {
	int number;
	const char *reason;
	/* Ends at the first without an operator. */
	struct scmp_arg_cmp conditions[CALL_CONDITIONS_MAX + 1];
};

struct call_list {
	const struct call *calls;
	size_t count;
};

#define CALL(name, why)                                   \
	{                                                 \
		.number = SCMP_SYS(name), .reason = (why) \
	}
#define CALL_IF(name, why, ...)                                                          \
	{                                                                                \
		.number = SCMP_SYS(name), .reason = (why), .conditions = { __VA_ARGS__ } \
	}
#define CALL_LIST(table)                                                      \
	{                                                                     \
		.calls = (table), .count = sizeof(table) / sizeof((table)[0]) \
	}

/*
 * Conditions on argument n, counted from 0. The kernel reads an int from the register's lower
 * half, and the upper half is anybody's: so only the lower one is compared.
 */
#define INT_IS(n, value)                                               \
	{                                                              \
		(n), SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)(value) \
	}
#define BITS_ARE(n, mask, b)                         \
	{                                            \
		(n), SCMP_CMP_MASKED_EQ, (mask), (b) \
	}
#define IS_NULL(n)                     \
	{                              \
		(n), SCMP_CMP_EQ, 0, 0 \
	}

/* Sets (of arguments that are int). */
#define NO_ADDRESS          IS_NULL(4) /* of sendto */
#define NOT_EXECUTABLE(n)   BITS_ARE((n), PROT_EXEC, 0)
#define OWN_DESCRIPTOR(n)   BITS_ARE((n), ~(uint32_t)3, FD_INHERITED_END) /* 16 to 19 */
#define CHANNEL_TO(n, role) INT_IS((n), FD_CHANNEL(role))

_Static_assert(FD_INHERITED_END % 4 == 0, "OWN_DESCRIPTOR is an aligned block of four");

extern const struct call_list calls_every_process;

/* What a child needs besides; an empty list for a role that is no child. */
const struct call_list *calls_of_role(enum role role);

/* The supervisor's own, which calls_supervisor.c says more of. */
extern const struct call_list calls_supervisor;

extern const struct call_list calls_capture;
extern const struct call_list calls_fetcher;
extern const struct call_list calls_connector;
/* Besides calls_fetcher, where the origin is a directory. */
extern const struct call_list calls_fetcher_files;
extern const struct call_list calls_installer;

#endif

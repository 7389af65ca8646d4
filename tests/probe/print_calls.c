/* SPDX-License-Identifier: ISC */
/*
 * Prints each process' list of system calls for tests/kernel/test_system_calls.py, a row a line:
 * role, call, reason, conditions, with tabs between. A condition is argument:mask:value, hexadecimal
 * but for the first; commas stand between them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "sandbox/calls.h"

static int print_condition(const struct scmp_arg_cmp *condition, const char *separator)
{
	uint64_t mask = UINT64_MAX, value = condition->datum_a;

	if (condition->op == SCMP_CMP_MASKED_EQ) {
		mask = condition->datum_a;
		value = condition->datum_b;
	} else if (condition->op != SCMP_CMP_EQ) {
		return -1; /* no row has another, and the test knows none */
	}
	printf("%s%u:%llx:%llx", separator, condition->arg, (unsigned long long)mask,
		(unsigned long long)value);
	return 0;
}

static int print_row(enum role role, const struct call *call)
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call->number);
	int error = name == NULL ? -1 : 0;

	if (error == 0)
		printf("%s\t%s\t%s\t", role_name(role), name, call->reason);
	free(name);
	for (size_t i = 0; i < CALL_CONDITIONS_MAX && call->conditions[i].op != 0 && error == 0;
		i++)
		error = print_condition(&call->conditions[i], i > 0 ? "," : "");
	putchar('\n');
	return error;
}

static int print_list(enum role role, const struct call_list *list)
{
	int error = 0;

	for (size_t i = 0; i < list->count && error == 0; i++)
		error = print_row(role, &list->calls[i]);
	return error;
}

int main(void)
{
	int error = print_list(ROLE_SUPERVISOR, &calls_supervisor);

	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT && error == 0; role++) {
		error = print_list(role, &calls_every_process);
		if (error == 0)
			error = print_list(role, calls_of_role(role));
	}
	return error == 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

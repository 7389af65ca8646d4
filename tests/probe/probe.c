/* SPDX-License-Identifier: ISC */
/*
 * Takes the place of process_ready() in a role's own main(), which otherwise runs as it is: what
 * comes in, what is opened and how the sandbox closes are production's. Instead of saying READY it
 * tries one thing and ends with its errno as status.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attempt.h"
#include "common/process.h"

static size_t number;
static struct surroundings surroundings;

/* The roles' main() takes no arguments: where an interface's name stands are ours. */
__attribute__((constructor)) static void read_arguments(int argc, char **argv)
{
	unsigned role;

	if (argc != 2 || sscanf(argv[1], "%zu %u %d %d %d", &number, &role, &surroundings.sibling,
				 &surroundings.twin, &surroundings.link) != 5)
		_exit(EXIT_FAILURE);
	surroundings.role = (enum role)role;
}

/* The linker's names (ld(1), --wrap). */
void __wrap_process_ready(struct process *process);

void __wrap_process_ready(struct process *process)
{
	(void)process;
	if (number >= attempt_count ||
		send(FD_CONTROL, PROBE_BEGINS, strlen(PROBE_BEGINS), MSG_NOSIGNAL) < 0)
		_exit(EXIT_FAILURE);
	_exit(-attempts[number].try(&surroundings));
}

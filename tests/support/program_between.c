/* SPDX-License-Identifier: ISC */
/*
 * Takes a child's place and becomes it, as somebody might who slipped a program in between: with a
 * file open in a place of the table, and a variable in the environment. The child's binary is in the
 * folder `hidden` beside this one.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define PLACE 8

int main(int argc, char **argv)
{
	const char *own = (const char *)getauxval(AT_EXECFN);
	const char *slash = own != NULL ? strrchr(own, '/') : NULL;
	char *environment[] = {"PASSED=on", NULL};
	char path[PATH_MAX];
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	(void)argc;
	if (slash == NULL || fd < 0 || dup2(fd, PLACE) < 0)
		return 1;
	snprintf(path, sizeof(path), "%.*s/hidden/%s", (int)(slash - own), own, slash + 1);
	execve(path, argv, environment);
	return 1;
}

/* SPDX-License-Identifier: ISC */
/*
 * What holds when seccomp doesn't: the sandbox without its last step, tried from inside. One
 * process an attempt; each returns 0 when it met its wall.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cell.h"
#include "sandbox/root.h"

#define CAPTURE   (1U << ROLE_CAPTURE)
#define FETCHER   (1U << ROLE_FETCHER)
#define CONNECTOR (1U << ROLE_CONNECTOR)
#define INSTALLER (1U << ROLE_INSTALLER)
#define EVERY     (CAPTURE | FETCHER | CONNECTOR | INSTALLER)

/* This test, and what it has to hide: seen from outside. */
static pid_t outsider;
static char outsider_memory[] = "secret";

static bool fails_with(long result, int error)
{
	return result < 0 && errno == error;
}

/* ---- files ---- */

static int no_host_files(const void *argument)
{
	static const char *const paths[] = {"/etc/shadow", "/etc/passwd", "/proc", "/sys", "/dev",
		"/run", "/tmp", "/usr", "/bin", "/../etc/shadow", "../../../../etc/shadow",
		"/../proc"};

	(void)argument;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!fails_with(access(paths[i], F_OK), ENOENT) ||
			!fails_with(open(paths[i], O_PATH), ENOENT))
			return 1 + (int)i;
	}
	return 0;
}

static int nothing_new(const void *argument)
{
	(void)argument;
	if (open("/file", O_CREAT | O_WRONLY, 0600) >= 0 || mkdir("/folder", 0700) == 0)
		return 1;
	return open("/", O_TMPFILE | O_WRONLY, 0600) >= 0 || symlink("x", "/link") == 0;
}

static int no_other_root(const void *argument)
{
	(void)argument;
	if (!fails_with(chroot("/"), EPERM) || !fails_with(unshare(CLONE_NEWNS), EPERM))
		return 1;
	if (!fails_with(syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL), EPERM) ||
		!fails_with(syscall(SYS_umount2, "/", 0), EPERM))
		return 2;
	return fails_with(syscall(SYS_fsopen, "tmpfs", 0), EPERM) ? 0 : 3;
}

/* Descriptors are no way out either. */
static int no_directory_inherited(const void *argument)
{
	struct stat status;

	(void)argument;
	for (int fd = 0; fd < 1024; fd++) {
		if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
			return 1;
	}
	return 0;
}

/* ---- other processes ---- */

static int first_of_its_kind(const void *argument)
{
	(void)argument;
	return getpid() == 1 && getppid() == 0 ? 0 : 1;
}

static int no_process_outside(const void *argument)
{
	char bytes[sizeof(outsider_memory)];
	struct iovec here = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct iovec there = {.iov_base = outsider_memory, .iov_len = sizeof(bytes)};

	(void)argument;
	if (!fails_with(kill(outsider, 0), ESRCH))
		return 1;
	if (!fails_with(ptrace(PTRACE_ATTACH, outsider, NULL, NULL), ESRCH))
		return 2;
	if (!fails_with(process_vm_readv(outsider, &here, 1, &there, 1, 0), ESRCH))
		return 3;
	return fails_with(syscall(SYS_pidfd_open, outsider, 0), ESRCH) ? 0 : 4;
}

static int no_new_process(const void *argument)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	(void)argument;
	if (pid == 0)
		_exit(0);
	return fails_with(pid, EAGAIN) ? 0 : 1;
}

/* ---- network ---- */

static int no_network(const void *argument)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct if_nameindex *interfaces = if_nameindex();

	(void)argument;
	if (interfaces == NULL || strcmp(interfaces[0].if_name, "lo") != 0 ||
		interfaces[1].if_index != 0)
		return 1;
	/* Even the one that is there is down. */
	if (!fails_with(sendto(fd, "x", 1, 0, (void *)&address, sizeof(address)), ENETUNREACH))
		return 2;
	address.sin_addr.s_addr = htonl(0xc0000201);
	return fails_with(sendto(fd, "x", 1, 0, (void *)&address, sizeof(address)), ENETUNREACH)
		       ? 0
		       : 3;
}

static int no_packet_socket(const void *argument)
{
	(void)argument;
	return fails_with(socket(AF_PACKET, SOCK_RAW, 0), EPERM) &&
			       fails_with(socket(AF_INET, SOCK_RAW, IPPROTO_RAW), EPERM)
		       ? 0
		       : 1;
}

/* ---- authority ---- */

static int no_way_back_to_root(const void *argument)
{
	(void)argument;
	if (!fails_with(setresuid(0, 0, 0), EPERM) || !fails_with(setresgid(0, 0, 0), EPERM))
		return 1;
	return fails_with(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL) ? 0 : 2;
}

static int no_greater_limit(const void *argument)
{
	const struct rlimit one = {1, 1};

	(void)argument;
	return fails_with(setrlimit(RLIMIT_NPROC, &one), EPERM) &&
			       fails_with(setrlimit(RLIMIT_CORE, &one), EPERM)
		       ? 0
		       : 1;
}

static int no_message_queue(const void *argument)
{
	(void)argument;
	return fails_with(syscall(SYS_mq_open, "queue", O_CREAT | O_RDWR, 0600, NULL), EMFILE) ? 0
											       : 1;
}

static int no_priority(const void *argument)
{
	const struct sched_param real_time = {.sched_priority = 1};

	(void)argument;
	return fails_with(setpriority(PRIO_PROCESS, 0, -1), EACCES) &&
			       fails_with(sched_setscheduler(0, SCHED_FIFO, &real_time), EPERM)
		       ? 0
		       : 1;
}

static const struct {
	const char *name;
	unsigned roles;
	cell_function *work;
} walls[] = {
	{"no host files", EVERY, no_host_files},
	{"nothing new", EVERY, nothing_new},
	{"no other root", EVERY, no_other_root},
	{"no directory inherited", EVERY, no_directory_inherited},
	{"first of its kind", EVERY, first_of_its_kind},
	{"no process outside", EVERY, no_process_outside},
	{"no new process", EVERY, no_new_process},
	{"no network", CAPTURE | FETCHER, no_network},
	{"no packet socket", EVERY, no_packet_socket},
	{"no way back to root", EVERY, no_way_back_to_root},
	{"no greater limit", EVERY, no_greater_limit},
	{"no message queue", EVERY, no_message_queue},
	{"no priority", EVERY, no_priority},
};

static void assert_wall(enum role role, const char *name, cell_function *work)
{
	int status = cell_run(role, work, NULL);

	if (status != 0)
		fail_msg("%s, %s: status %x", role_name(role), name, (unsigned)status);
}

static void test_walls(void **state)
{
	(void)state;
	cell_need_root();
	outsider = getpid();
	for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
		for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
			if ((walls[i].roles & 1U << role) != 0)
				assert_wall(role, walls[i].name, walls[i].work);
		}
	}
}

/* ---- the root ---- */

/* How many entries it has besides . and .. */
static int count_entries(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	int count = 0;

	if (folder == NULL)
		return -1;
	while ((entry = readdir(folder)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

/* As root, for Landlock forbids to look: the step alone. */
static int look_around(const void *argument)
{
	enum role role = *(const enum role *)argument;
	const struct root_needs needs = {.resolver_files = role == ROLE_CONNECTOR};
	int expected = role == ROLE_CONNECTOR ? 1 : 0;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return 1;
	if (root_change(role, &needs) != 0)
		return 2;
	if (count_entries("/") != expected || count_entries("/..") != expected)
		return 3;
	if (!fails_with(mkdir("/folder", 0700), EROFS))
		return 4;
	/* Nor could it be filled if it were not read-only. */
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) != 0)
		return 5;
	if (role != ROLE_CONNECTOR && !fails_with(mkdir("/folder", 0700), ENOSPC))
		return 6;
	return 0;
}

static int run_apart(cell_function *work, const void *argument)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(work(argument));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_root_is_empty(void **state)
{
	(void)state;
	cell_need_root();
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++)
		assert_int_equal(run_apart(look_around, &role), 0);
}

static int write_text(const char *path, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int error = 0;

	while (length > 0 && error == 0) {
		char bytes[4096];
		size_t part = length < sizeof(bytes) ? length : sizeof(bytes);

		memset(bytes, '#', sizeof(bytes));
		error = write(fd, bytes, part) == (ssize_t)part ? 0 : -1;
		length -= part;
	}
	return fd < 0 || close(fd) != 0 ? -1 : error;
}

/* An /etc of the test's own, with a file of the resolver that anybody may read and other ones. */
static int make_etc(size_t hosts_bytes)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("etc", "/etc", "tmpfs", 0, "mode=755") != 0)
		return -1;
	return write_text("/etc/hosts", hosts_bytes) != 0 || write_text("/etc/shadow", 1) != 0 ||
	       symlink("../nowhere/resolv.conf", "/etc/resolv.conf") != 0;
}

static int make_small_etc(const void *argument)
{
	(void)argument;
	return make_etc(ROOT_FILE_BYTES_MAX);
}

static int make_large_etc(const void *argument)
{
	(void)argument;
	return make_etc(ROOT_FILE_BYTES_MAX + 1);
}

static int read_etc(const void *argument)
{
	struct stat status;
	int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
	char byte;

	(void)argument;
	if (fd < 0 || read(fd, &byte, 1) != 1 || byte != '#')
		return 1;
	if (fstat(fd, &status) != 0 || status.st_size != ROOT_FILE_BYTES_MAX ||
		status.st_uid != 0 || (status.st_mode & 0222) != 0)
		return 2;
	if (!fails_with(access("/etc/shadow", F_OK), ENOENT) ||
		!fails_with(access("/etc/resolv.conf", F_OK), ENOENT))
		return 3;
	return open("/etc/hosts", O_RDWR | O_CLOEXEC) < 0 ? 0 : 4;
}

static void test_connector_has_the_resolvers_files(void **state)
{
	struct cell cell;
	char log[4096];

	(void)state;
	cell_need_root();
	cell = cell_open_as(ROLE_CONNECTOR, CELL_USER, CELL_GROUP, make_small_etc, read_etc, NULL);
	assert_int_equal(cell_close(&cell, log, sizeof(log)), 0);
	cell = cell_open_as(ROLE_CONNECTOR, CELL_USER, CELL_GROUP, make_large_etc, read_etc, NULL);
	assert_int_not_equal(cell_close(&cell, log, sizeof(log)), 0);
	assert_non_null(strstr(log, "step=new_root error=\"File too large\""));
}

/* ---- the origin's Unix socket ---- */

static char folder[] = "/tmp/pullgate-walls.XXXXXX";
static struct sockaddr_un origin = {.sun_family = AF_UNIX};

static int listen_there(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(origin.sun_path);
	if (bind(fd, (void *)&origin, sizeof(origin)) != 0 || chmod(origin.sun_path, 0777) != 0 ||
		listen(fd, 4) != 0)
		return -1;
	return fd;
}

static int connect_there(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = connect(fd, (void *)&origin, sizeof(origin));

	close(fd);
	return error;
}

/* Once, and once more when the origin was started anew. */
static int use_socket(const void *argument)
{
	char byte;

	(void)argument;
	if (connect_there() != 0 || send(FD_CONTROL, "again", 5, 0) != 5 ||
		recv(FD_CONTROL, &byte, 1, 0) != 1 || connect_there() != 0)
		return 1;
	if (!fails_with(access("/etc", F_OK), ENOENT) || !fails_with(access("/proc", F_OK), ENOENT))
		return 2;
	return creat(origin.sun_path, 0600) < 0 && unlink(origin.sun_path) < 0 ? 0 : 3;
}

static void test_origin_is_a_unix_socket(void **state)
{
	struct root_needs needs = {.socket_count = 1};
	struct cell cell;
	char text[4096];
	int first, second;

	(void)state;
	cell_need_root();
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0755), 0);
	snprintf(origin.sun_path, sizeof(origin.sun_path), "%s/origin.sock", folder);
	needs.socket_paths[0] = origin.sun_path;
	first = listen_there();
	cell = cell_open_sharing(&needs, use_socket);
	assert_int_equal(recv(cell.outside[FD_CONTROL], text, sizeof(text), 0), 5);
	close(first);
	second = listen_there();
	assert_int_equal(send(cell.outside[FD_CONTROL], "x", 1, 0), 1);
	assert_int_equal(cell_close(&cell, text, sizeof(text)), 0);
	close(second);
	unlink(origin.sun_path);
	rmdir(folder);
}

/* A socket's directory, one that is missing, and names, each beside the others. */
static int use_all(const void *argument)
{
	struct stat missing, root;

	(void)argument;
	if (connect_there() != 0 || access("/etc/hosts", R_OK) != 0)
		return 1;
	if (stat("/nonexistent/pullgate", &missing) != 0 || stat("/", &root) != 0)
		return 2;
	return missing.st_dev == root.st_dev && mkdir("/nonexistent/pullgate/x", 0700) < 0 ? 0 : 3;
}

static void test_origins_of_several_kinds(void **state)
{
	struct root_needs needs = {.resolver_files = true,
		.socket_count = 3,
		.socket_paths = {
			origin.sun_path, "/nonexistent/pullgate/origin.sock", origin.sun_path}};
	struct cell cell;
	char log[4096];
	int listener;

	(void)state;
	cell_need_root();
	strcpy(folder, "/tmp/pullgate-walls.XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0755), 0);
	snprintf(origin.sun_path, sizeof(origin.sun_path), "%s/origin.sock", folder);
	listener = listen_there();
	cell = cell_open_sharing(&needs, use_all);
	assert_int_equal(cell_close(&cell, log, sizeof(log)), 0);
	close(listener);
	unlink(origin.sun_path);
	rmdir(folder);
}

static void test_socket_that_can_not_be_shared(void **state)
{
	const struct root_needs needs = {.socket_count = 1, .socket_paths = {"/origin.sock"}};
	struct cell cell;
	char log[4096];

	(void)state;
	cell_need_root();
	cell = cell_open_sharing(&needs, use_socket);
	assert_int_not_equal(cell_close(&cell, log, sizeof(log)), 0);
	assert_non_null(strstr(log, "step=new_root"));
}

/* ---- what some kernels lack ---- */

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

/* Anybody may list this root, and any root. */
static int list_root(const void *argument)
{
	(void)argument;
	return fails_with(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), EACCES) ? 0 : 1;
}

/* Neither what is there besides files, nor how it is reached, is open to the connector. */
static int list_etc(const void *argument)
{
	(void)argument;
	if (!fails_with(open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), EACCES))
		return 1;
	return open("/etc/hosts", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 2;
}

static void test_landlock(void **state)
{
	(void)state;
	cell_need_root();
	if (!has_landlock()) {
		print_message("skipped: this kernel has no Landlock, or doesn't use it\n");
		skip();
	}
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++)
		assert_wall(role, "Landlock", list_root);
	assert_wall(ROLE_CONNECTOR, "Landlock, /etc", list_etc);
}

/* With seccomp, mprotect(2) is never allowed at all. */
static int make_code(const void *argument)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);

	(void)argument;
	if (page == MAP_FAILED || !fails_with(mprotect(page, 4096, PROT_READ | PROT_EXEC), EACCES))
		return 1;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0) == MAP_FAILED ? 0
												: 2;
}

static void test_no_new_code(void **state)
{
	(void)state;
	cell_need_root();
	if (prctl(66 /* PR_GET_MDWE */, 0, 0, 0, 0) < 0) {
		print_message("skipped: no memory-deny-write-execute before Linux 6.3\n");
		skip();
	}
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++)
		assert_wall(role, "code", make_code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walls),
		cmocka_unit_test(test_root_is_empty),
		cmocka_unit_test(test_connector_has_the_resolvers_files),
		cmocka_unit_test(test_origin_is_a_unix_socket),
		cmocka_unit_test(test_origins_of_several_kinds),
		cmocka_unit_test(test_socket_that_can_not_be_shared),
		cmocka_unit_test(test_landlock),
		cmocka_unit_test(test_no_new_code),
	};

	return cmocka_run_group_tests_name("sandbox: walls", tests, NULL, NULL);
}

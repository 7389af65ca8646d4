/* SPDX-License-Identifier: ISC */
/* Attempts on the kernel's wider surface, and on memory. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <sched.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/shm.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "attempts.h"

#define PAGE_BYTES     4096
#define MUCH_MEMORY    ((size_t)3 << 30) /* more than any role's limit */
#define MANY           4096              /* more descriptors than any role's limit */
#define KERNEL_LOG_ALL 3                 /* syslog(2): SYSLOG_ACTION_READ_ALL */

int try_user_namespace(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(unshare(CLONE_NEWUSER));
}

int try_network_namespace(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(unshare(CLONE_NEWNET));
}

/* A user namespace of its own gives every capability over what is made in it. */
int try_mount_in_user_namespace(const struct surroundings *surroundings)
{
	(void)surroundings;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return -errno;
	return attempt_result(mount("none", "/", "tmpfs", 0, NULL));
}

int try_bpf(const struct surroundings *surroundings)
{
	struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attributes = {0};

	(void)surroundings;
	attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attributes.insns = (__u64)(unsigned long)program;
	attributes.insn_cnt = 2;
	attributes.license = (__u64)(unsigned long)"GPL";
	return attempt_result(syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes)));
}

int try_io_uring(const struct surroundings *surroundings)
{
	struct io_uring_params parameters = {0};

	(void)surroundings;
	return attempt_result(syscall(SYS_io_uring_setup, 1, &parameters));
}

int try_perf(const struct surroundings *surroundings)
{
	struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(event),
		.config = PERF_COUNT_SW_TASK_CLOCK,
		.exclude_kernel = 1,
		.exclude_hv = 1};

	(void)surroundings;
	return attempt_result(syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
}

int try_add_key(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(
		syscall(SYS_add_key, "user", "probe", "x", 1, KEY_SPEC_PROCESS_KEYRING));
}

int try_userfaultfd(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY));
}

int try_map_write_execute(const struct surroundings *surroundings)
{
	void *memory = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)surroundings;
	return memory == MAP_FAILED ? -errno : 0;
}

int try_protect_execute(const struct surroundings *surroundings)
{
	void *memory =
		mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)surroundings;
	if (memory == MAP_FAILED)
		return -errno;
	return attempt_result(mprotect(memory, PAGE_BYTES, PROT_READ | PROT_EXEC));
}

/* getpid(2), by its number there. */
int try_32_bit_call(const struct surroundings *surroundings)
{
	long result = 20;

	(void)surroundings;
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	return result > 0 ? 0 : (int)result;
}

int try_local_descriptor_table(const struct surroundings *surroundings)
{
	char table[64];

	(void)surroundings;
	return attempt_result(syscall(SYS_modify_ldt, 0, table, sizeof(table)));
}

int try_host_name(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(sethostname("probe", 5));
}

int try_reboot(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(reboot((int)LINUX_REBOOT_CMD_CAD_OFF));
}

int try_load_module(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(syscall(SYS_init_module, "", 0, ""));
}

int try_swap(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(swapon("/", 0));
}

int try_set_clock(const struct surroundings *surroundings)
{
	struct timespec now;

	(void)surroundings;
	clock_gettime(CLOCK_REALTIME, &now);
	return attempt_result(clock_settime(CLOCK_REALTIME, &now));
}

int try_kernel_log(const struct surroundings *surroundings)
{
	char text[64];

	(void)surroundings;
	return attempt_result(klogctl(KERNEL_LOG_ALL, text, sizeof(text)));
}

int try_port_access(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(iopl(3));
}

int try_shared_memory(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(shmget(PROBE_SHARED_KEY, PAGE_BYTES, 0));
}

int try_message_queue(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(mq_open(PROBE_QUEUE, O_RDONLY));
}

int try_much_memory(const struct surroundings *surroundings)
{
	void *memory = mmap(NULL, MUCH_MEMORY, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)surroundings;
	return memory == MAP_FAILED ? -errno : 0;
}

int try_lock_memory(const struct surroundings *surroundings)
{
	static char page[PAGE_BYTES];

	(void)surroundings;
	return attempt_result(mlock(page, sizeof(page)));
}

int try_many_descriptors(const struct surroundings *surroundings)
{
	(void)surroundings;
	for (int i = 0; i < MANY; i++) {
		if (dup(FD_CONTROL) < 0)
			return -errno;
	}
	return 0;
}

/* Typed into the terminal that standard error is, which the operator's shell will read. */
int try_type_for_operator(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(ioctl(STDERR_FILENO, TIOCSTI, "x"));
}

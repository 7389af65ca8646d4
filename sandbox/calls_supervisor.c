/* SPDX-License-Identifier: ISC */
/*
 * The system calls of the supervisor, and of its children until they close filters of their own,
 * which this one stays around. Here is what the supervisor does once it runs, and what a child does
 * from its birth on; what the children's own lists hold besides is added to it, without their
 * conditions. A call that has a row here is ruled by these rows alone.
 *
 * Whoever owns the supervisor is as good as root all the same: it starts processes, and mounts.
 * Tracing, loading code into the kernel, BPF, keys, other processes' memory, clocks and reboots
 * are what this takes away.
 */
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "sandbox/calls.h"

#ifndef PR_SET_MDWE /* Linux 6.3 */
#define PR_SET_MDWE 65
#endif

/* A socket's type, whatever its flags. */
#define TYPE_IS(n, type)      BITS_ARE((n), ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK), (type))
#define SOCKET(why, ...)      CALL_IF(socket, why, __VA_ARGS__)
#define PRCTL(operation, why) CALL_IF(prctl, why, INT_IS(0, operation))

static const struct call calls[] = {
	/* The supervisor's own. */
	CALL(clone3, "starts a child, with a pidfd and a PID namespace"),
	CALL(waitid, "a child's end"),
	CALL_IF(pidfd_send_signal, "ends a child", INT_IS(1, SIGKILL)),
	CALL(read, "signals, the configuration's files"),
	CALL(openat, "the configuration's files; in a child: /dev/null, libraries, its root"),
	CALL(memfd_create, "certificates, key and token on their way to the fetcher"),
	CALL(sendfile, "the same"),
	CALL_IF(socketpair, "channels", INT_IS(0, AF_UNIX)),
	CALL(sendmsg, "channels and material to children"),
	CALL(sendto, "messages to children and to the service manager"),
	CALL_IF(ioctl, "if_nametoindex: lo, for the packet socket's filter",
		INT_IS(1, SIOCGIFINDEX)),
	CALL_IF(ioctl, "the resolver's, in a child", INT_IS(1, FIONREAD)),
	CALL(fcntl, "seals; in a child: descriptors parked and looked at"),
	CALL(close_range, "what no child inherits"),
	CALL(dup2, "a child's table of descriptors"),
	CALL(rt_sigprocmask, "a child begins with no signal blocked"),
	CALL(rt_sigaction, "SIGPIPE ignored"),
	CALL(rt_sigreturn, "the way back from a signal handler, where a library sets one"),

	SOCKET("packet socket of a changed device", INT_IS(0, AF_PACKET), TYPE_IS(1, SOCK_DGRAM),
		INT_IS(2, 0)),
	SOCKET("connector: the origin; getaddrinfo: nscd; if_nametoindex", INT_IS(0, AF_UNIX)),
	SOCKET("connector: the origin", INT_IS(0, AF_INET), TYPE_IS(1, SOCK_STREAM)),
	SOCKET("connector: the origin", INT_IS(0, AF_INET6), TYPE_IS(1, SOCK_STREAM)),
	SOCKET("connector: name servers; installer: whose the listen port is", INT_IS(0, AF_INET),
		TYPE_IS(1, SOCK_DGRAM)),
	SOCKET("connector: name servers", INT_IS(0, AF_INET6), TYPE_IS(1, SOCK_DGRAM)),
	SOCKET("installer: addresses; getaddrinfo: the same", INT_IS(0, AF_NETLINK),
		TYPE_IS(1, SOCK_RAW), INT_IS(2, NETLINK_ROUTE)),
	SOCKET("installer: WireGuard", INT_IS(0, AF_NETLINK), TYPE_IS(1, SOCK_RAW),
		INT_IS(2, NETLINK_GENERIC)),

	/* A child becomes its binary: kernel, ld.so and C library. */
	CALL(execve, "a child's binary"),
	CALL(access, "ld.so: /etc/ld.so.preload"),
	CALL(newfstatat, "ld.so: libraries; resolver files"),
	CALL(pread64, "ld.so: libraries; fetcher: material"),
	CALL_IF(mmap, "memory, or code that can't be written", BITS_ARE(2, PROT_EXEC, 0)),
	CALL_IF(mmap, "ld.so: code", BITS_ARE(2, PROT_WRITE, 0)),
	CALL_IF(mprotect, "memory; ld.so: RELRO", BITS_ARE(2, PROT_EXEC, 0)),
	CALL(arch_prctl, "C library: thread's memory"),
	CALL(set_tid_address, "C library: start"),
	CALL(set_robust_list, "C library: start"),
	CALL(rseq, "C library: start"),
	CALL(prlimit64, "C library: size of the stack; a child's limits"),
	CALL(getrandom, "C library: malloc; OpenSSL, libsodium"),
	CALL(sysinfo, "C library: qsort's memory"),
	CALL(lseek, "C library: files"),
	CALL(futex, "C library: once"),
	CALL(madvise, "secrets are left out of dumps"),
	CALL(mlock, "secrets stay in memory"),
	CALL(mlockall, "fetcher: libraries' copies of its secrets too"),

	/* A child closes its sandbox, in the order of sandbox.c. */
	CALL(geteuid, "is it root"),
	CALL(getpid, "OpenSSL"),
	CALL(setsid, "own session: no terminal"),
	CALL(umask, "files of nobody else"),
	CALL_IF(unshare, "own namespaces, but never one of users", BITS_ARE(0, CLONE_NEWUSER, 0)),
	CALL(mount, "own root"),
	CALL(umount2, "own root: the old one goes"),
	CALL(pivot_root, "own root"),
	CALL(fsopen, "own root: a tmpfs"),
	CALL(fsconfig, "own root: a tmpfs"),
	CALL(fsmount, "own root: a tmpfs"),
	CALL(move_mount, "own root: in its place"),
	CALL(open_tree, "own root: what it shows of the host"),
	CALL(mount_setattr, "own root: read-only"),
	CALL(mkdirat, "own root: directories"),
	CALL(write, "own root: copies of the resolver's files; log lines"),
	CALL(chdir, "own root: into it"),
	CALL(fchdir, "own root: into it"),
	CALL(statfs, "own root: is it the tmpfs"),
	CALL(setgroups, "no supplementary groups"),
	CALL(setresgid, "the role's group"),
	CALL(setresuid, "the role's user"),
	CALL(getresgid, "is it the role's group"),
	CALL(getresuid, "is it the role's user"),
	CALL(getgroups, "are they gone"),
	CALL(capset, "no capabilities but the role's"),
	CALL(capget, "are they gone"),
	CALL(landlock_create_ruleset, "no files"),
	CALL(landlock_add_rule, "no files but the resolver's"),
	CALL(landlock_restrict_self, "no files"),
	CALL(seccomp, "the child's own filter"),
	PRCTL(PR_CAPBSET_READ, "is it the last capability"),
	PRCTL(PR_CAPBSET_DROP, "empty bounding set"),
	PRCTL(PR_CAP_AMBIENT, "empty ambient set"),
	PRCTL(PR_SET_KEEPCAPS, "installer: CAP_NET_ADMIN past the change of user"),
	PRCTL(PR_SET_NO_NEW_PRIVS, "no new privileges"),
	PRCTL(PR_SET_DUMPABLE, "no dumps"),
	PRCTL(PR_GET_DUMPABLE, "is it so"),
	PRCTL(PR_SET_PDEATHSIG, "the supervisor's end is the child's"),
	PRCTL(PR_SET_MDWE, "no memory that is written and executed"),

#if defined(PULLGATE_ADDRESS_SANITIZER)
	CALL(sigaltstack, "AddressSanitizer, in a build for tests: start and end"),
	CALL(sched_yield, "AddressSanitizer: locks"),
	CALL(readlink, "AddressSanitizer: /proc/self/exe"),
	CALL(readlinkat, "AddressSanitizer: /proc/self/exe"),
	CALL(gettid, "AddressSanitizer: start"),
	CALL(getcwd, "AddressSanitizer: start"),
	CALL(personality, "AddressSanitizer: is the address space laid out at random"),
	CALL(sched_getaffinity, "AddressSanitizer: start"),
	PRCTL(PR_SET_VMA, "AddressSanitizer: names its memory"),
	PRCTL(PR_SET_NAME, "AddressSanitizer: names its memory"),
	CALL(getdents64, "AddressSanitizer: is there another thread"),
	CALL(open, "AddressSanitizer: /proc/self/maps"),
	CALL(stat, "AddressSanitizer: /proc/self/maps"),
	CALL(fstat, "AddressSanitizer: /proc/self/maps"),
#endif
};

const struct call_list calls_supervisor = CALL_LIST(calls);

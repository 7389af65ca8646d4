# SPDX-License-Identifier: ISC
# Installs the Debian packages that building and testing need. To be sourced by a bash script.
#
#   packages_install build     what compiling, formatting and analysing need
#   packages_install kernel    what the tests on a real kernel need
#   packages_install image     what on-kernel needs in addition where it can't use virtiofsd
#   packages_install build kernel
#
# Says which packages are missing before it installs them, starts no service, and does nothing at
# all (not even an update of apt's lists) when everything is there.

packages_of_group() {
	case $1 in
	build)
		echo git patch gcc libc6-dev binutils clang llvm libclang-rt-14-dev cmake ninja-build pkg-config \
			libnl-3-dev libnl-genl-3-dev libcurl4-openssl-dev libmsgpack-dev libseccomp-dev \
			libcmocka-dev libsodium-dev libjansson-dev libsqlite3-dev libinih-dev libssl-dev \
			clang-format clang-tidy cppcheck
		;;
	kernel)
		echo qemu-system-x86 qemu-system-common busybox-static cpio kmod util-linux procps \
			wireguard-tools wireguard-go iproute2 iputils-ping nftables tcpdump \
			nginx-light openssl curl ca-certificates passwd strace \
			python3 python3-pytest python3-cryptography python3-hpack python3-yaml
		;;
	image)
		echo squashfs-tools tar
		;;
	*)
		echo "packages: no such group: $1" >&2
		return 1
		;;
	esac
}

packages_missing() {
	local package
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
			echo "$package"
	done
}

# Some packages (nginx) start their service when they are installed, unless policy-rc.d forbids it.
# One that the machine already has is its owner's and stays.
packages_without_services() (
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		trap 'rm -f $policy' EXIT
		trap 'exit 130' INT TERM
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
	fi
	"$@"
)

packages_apt_get() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

packages_install() {
	local group wanted=() missing
	for group in "$@"; do
		# shellcheck disable=SC2207 # names of packages have no blanks
		wanted+=($(packages_of_group "$group")) || return 1
	done
	missing=$(packages_missing "${wanted[@]}" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	echo "packages: to install: $missing" >&2
	if [ "$(id -u)" -ne 0 ]; then
		echo "packages: not root; install them as root, then run this again" >&2
		return 1
	fi
	packages_apt_get update >&2 || return 1
	# shellcheck disable=SC2086 # a list of words on purpose
	packages_without_services packages_apt_get install -y --no-install-recommends $missing >&2
}

# SPDX-License-Identifier: ISC
# Finds out whether this machine's kernel has WireGuard, and gets one that has: Debian's stock cloud
# kernel, unpacked but not installed. To be sourced by a bash script.

# 0 if this machine's own kernel makes WireGuard interfaces. Tried in a throw-away network namespace.
kernel_has_wireguard() {
	[ "$(id -u)" -eq 0 ] &&
		unshare --net ip link add probe type wireguard 2>/dev/null
}

kernel_newest_package() {
	apt-cache search --names-only '^linux-image-6\.1\.[0-9.]+-[0-9]+-cloud-amd64$' |
		cut -d ' ' -f 1 | sort -V | tail -n 1
}

# Unpacks the kernel into directory $1, once; later calls find it there and need no network.
# A kernel is complete when the file "release" names it: that is written last.
kernel_fetch() {
	local directory=$1 package temporary release
	[ -s "$directory/release" ] && return 0
	if [ "$(uname -m)" != x86_64 ]; then
		echo "kernel: this machine's kernel has no WireGuard, and another is known for x86_64 only" >&2
		return 1
	fi
	mkdir -p "$directory" || return 1
	package=$(kernel_newest_package)
	if [ -z "$package" ]; then
		apt-get -q -o DPkg::Lock::Timeout=300 update >&2 || return 1
		package=$(kernel_newest_package)
	fi
	if [ -z "$package" ]; then
		echo "kernel: apt knows no linux-image-6.1.*-cloud-amd64" >&2
		return 1
	fi
	echo "kernel: fetching $package" >&2
	temporary=$(mktemp -d "$directory/fetch.XXXXXX") || return 1
	if ! kernel_unpack "$package" "$temporary"; then
		rm -rf "$temporary"
		return 1
	fi
	release=${package#linux-image-}
	rm -rf "$directory/boot" "$directory/lib"
	mv "$temporary/root/boot" "$temporary/root/lib" "$directory/" || return 1
	rm -rf "$temporary"
	echo "$release" >"$directory/release"
}

kernel_unpack() {
	local package=$1 temporary=$2
	(cd "$temporary" && apt-get -q -o APT::Sandbox::User=root download "$package" >&2) || return 1
	dpkg -x "$temporary"/*.deb "$temporary/root" || return 1
	depmod -b "$temporary/root" "${package#linux-image-}"
}

# The file names of modules "$@" of the kernel in directory $1 and of all that they need, in the
# order of loading.
kernel_modules() {
	local directory=$1 release
	release=$(cat "$directory/release")
	shift
	modprobe -d "$directory" -S "$release" --show-depends -a "$@" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# Prints kvm if a guest of kernel $1 with initramfs $2 gets as far as its own init with it, else tcg.
# The device can be there and not work (nested virtualisation). The answer is kept in file $3 until
# the machine boots again.
kernel_accelerator() {
	local image=$1 initramfs=$2 memory=$3 boot accelerator=tcg
	boot=$(cat /proc/sys/kernel/random/boot_id)
	if [ -w /dev/kvm ] && [ "$(cut -d ' ' -f 1 "$memory" 2>/dev/null)" != "$boot" ]; then
		timeout -k 1 15 qemu-system-x86_64 -accel kvm -cpu host -m 256 -nodefaults \
			-display none -no-reboot -kernel "$image" -initrd "$initramfs" \
			-append 'console=ttyS0 quiet panic=-1 pullgate.probe' -serial stdio \
			</dev/null 2>/dev/null | grep -q 'pullgate: alive' && accelerator=kvm
		echo "$boot $accelerator" >"$memory"
	elif [ -w /dev/kvm ]; then
		accelerator=$(cut -d ' ' -f 2 "$memory")
	fi
	echo "$accelerator"
}

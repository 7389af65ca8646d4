# SPDX-License-Identifier: ISC
# Configures and builds a tree. To be sourced by a bash script in the checkout's top folder.
#
#   build_tree DIRECTORY COMPILER [CMAKE-OPTION...]    quiet unless it fails

build_tree() {
	local directory=$1 compiler=$2 log
	shift 2
	mkdir -p "$directory"
	log=$directory/build.log
	if ! {
		cmake -S . -B "$directory" -G Ninja -DCMAKE_C_COMPILER="$compiler" "$@" &&
			cmake --build "$directory"
	} >"$log" 2>&1; then
		cat "$log" >&2
		return 1
	fi
}

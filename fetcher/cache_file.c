/* SPDX-License-Identifier: ISC */
/* SQLite's files as two descriptors. */
#include "fetcher/cache_file.h"

#include <errno.h>
#include <malloc.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "common/role.h"
#include "fetcher/wiping_memory.h"

/* Pages that are kept, statements, and the index of the log: 4 MiB are used. */
#define HEAP_BYTES_MAX (64LL << 20)

#define PATH_MAX_BYTES 64
#define SECTOR_BYTES   4096

/* SQLite's configuration is one for the whole process, and so is this. */
static struct {
	int database, log;
} descriptors = {-1, -1};

struct file {
	sqlite3_file base;
	int fd;
};

static int fd_of(const sqlite3_file *file)
{
	return ((const struct file *)file)->fd;
}

/* Of a file */

static int close_file(sqlite3_file *file)
{
	(void)file;
	return SQLITE_OK; /* the descriptor stays */
}

/* How much was read, short only at the file's end; or a negative errno. */
static ssize_t read_whole(int fd, void *buffer, size_t size, off_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, (char *)buffer + done, size - done, offset + (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	memset((char *)buffer + done, 0, size - done);
	return (ssize_t)done;
}

static int read_file(sqlite3_file *file, void *buffer, int size, sqlite3_int64 offset)
{
	ssize_t got = read_whole(fd_of(file), buffer, (size_t)size, offset);

	if (got < 0)
		return SQLITE_IOERR_READ;
	return got == size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

/* No room, in whatever way. The limit of file sizes is one: SIGXFSZ is ignored (main.c). */
static int write_error(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG ? SQLITE_FULL
								    : SQLITE_IOERR_WRITE;
}

static int write_file(sqlite3_file *file, const void *buffer, int size, sqlite3_int64 offset)
{
	size_t done = 0;

	if (offset + size > (sqlite3_int64)CACHE_FILE_BYTES_MAX)
		return SQLITE_FULL;
	while (done < (size_t)size) {
		ssize_t put = pwrite(fd_of(file), (const char *)buffer + done, (size_t)size - done,
			offset + (off_t)done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return write_error(put < 0 ? errno : ENOSPC);
		done += (size_t)put;
	}
	return SQLITE_OK;
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
	return ftruncate(fd_of(file), size) == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int sync_file(sqlite3_file *file, int flags)
{
	(void)flags;
	return fdatasync(fd_of(file)) == 0 ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static int size_of_file(sqlite3_file *file, sqlite3_int64 *size)
{
	*size = lseek(fd_of(file), 0, SEEK_END);
	return *size >= 0 ? SQLITE_OK : SQLITE_IOERR_FSTAT;
}

static int lock_file(sqlite3_file *file, int kind)
{
	(void)file;
	(void)kind;
	return SQLITE_OK;
}

static int check_lock(sqlite3_file *file, int *is_reserved)
{
	(void)file;
	*is_reserved = 0;
	return SQLITE_OK;
}

static int control_file(sqlite3_file *file, int operation, void *argument)
{
	(void)file;
	(void)operation;
	(void)argument;
	return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *file)
{
	(void)file;
	return SECTOR_BYTES;
}

/* As SQLite's own for Unix: what lies beside a write that a power cut breaks off stays as it was. */
static int characteristics(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* Version 1: no shared memory, which exclusive locking does without, and none mapped. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = close_file,
	.xRead = read_file,
	.xWrite = write_file,
	.xTruncate = truncate_file,
	.xSync = sync_file,
	.xFileSize = size_of_file,
	.xLock = lock_file,
	.xUnlock = lock_file,
	.xCheckReservedLock = check_lock,
	.xFileControl = control_file,
	.xSectorSize = sector_size,
	.xDeviceCharacteristics = characteristics,
};

/* Of the VFS */

static bool is_log(const char *name)
{
	return strcmp(name, CACHE_FILE_DATABASE "-wal") == 0;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *given)
{
	(void)vfs;
	file->pMethods = NULL; /* there is nothing to close where this fails */
	if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0 || name == NULL)
		return SQLITE_CANTOPEN;
	((struct file *)file)->fd = is_log(name) ? descriptors.log : descriptors.database;
	file->pMethods = &methods;
	if (given != NULL)
		*given = flags;
	return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
	(void)vfs;
	(void)sync_directory;
	if (!is_log(name))
		return SQLITE_IOERR_DELETE_NOENT;
	return ftruncate(descriptors.log, 0) == 0 ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

/* An empty log is none. */
static int access_file(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
	(void)vfs;
	(void)flags;
	*result = is_log(name) ? lseek(descriptors.log, 0, SEEK_END) > 0
			       : strcmp(name, CACHE_FILE_DATABASE) == 0;
	return SQLITE_OK;
}

static int full_name(sqlite3_vfs *vfs, const char *name, int size, char *full)
{
	(void)vfs;
	if (strlen(name) >= (size_t)size)
		return SQLITE_CANTOPEN;
	memcpy(full, name, strlen(name) + 1);
	return SQLITE_OK;
}

static int draw_random(sqlite3_vfs *vfs, int size, char *bytes)
{
	(void)vfs;
	return getrandom(bytes, (size_t)size, 0) == size ? size : 0;
}

/* Between tries to lock, which never fail. */
static int sleep_not(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	(void)us;
	return 0;
}

/* Milliseconds of the Julian calendar. */
static int tell_time(sqlite3_vfs *vfs, sqlite3_int64 *ms)
{
	(void)vfs;
	*ms = 210866760000000 + (sqlite3_int64)time(NULL) * 1000;
	return SQLITE_OK;
}

static int last_error(sqlite3_vfs *vfs, int size, char *text)
{
	(void)vfs;
	(void)size;
	(void)text;
	return 0;
}

/* Nothing is ever loaded: xDlOpen and its like stay away. */
static sqlite3_vfs vfs = {
	.iVersion = 2,
	.szOsFile = sizeof(struct file),
	.mxPathname = PATH_MAX_BYTES,
	.zName = CACHE_FILE_VFS,
	.xOpen = open_file,
	.xDelete = delete_file,
	.xAccess = access_file,
	.xFullPathname = full_name,
	.xRandomness = draw_random,
	.xSleep = sleep_not,
	.xGetLastError = last_error,
	.xCurrentTimeInt64 = tell_time,
};

/* Memory: preshared keys pass through pages and rows. */

static void *allocate(int size)
{
	return wiping_malloc((size_t)size);
}

static void *reallocate(void *memory, int size)
{
	return wiping_realloc(memory, (size_t)size);
}

static int size_of(void *memory)
{
	return (int)malloc_usable_size(memory);
}

static int round_up(int size)
{
	return (size + 7) & ~7;
}

static int start_memory(void *context)
{
	(void)context;
	return SQLITE_OK;
}

static void stop_memory(void *context)
{
	(void)context;
}

static const sqlite3_mem_methods memory = {
	.xMalloc = allocate,
	.xFree = wiping_free,
	.xRealloc = reallocate,
	.xSize = size_of,
	.xRoundup = round_up,
	.xInit = start_memory,
	.xShutdown = stop_memory,
};

int cache_file_install(void)
{
	if (sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) != SQLITE_OK ||
		sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) != SQLITE_OK ||
		sqlite3_initialize() != SQLITE_OK || sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
		return -ENOMEM;
	sqlite3_hard_heap_limit64(HEAP_BYTES_MAX);
	return 0;
}

void cache_file_use(int database, int log)
{
	descriptors.database = database;
	descriptors.log = log;
}

int cache_file_read_head(uint8_t head[static CACHE_FILE_HEAD_BYTES])
{
	ssize_t got = read_whole(descriptors.database, head, CACHE_FILE_HEAD_BYTES, 0);

	return got < 0 ? (int)got : 0;
}

/* The database first: SQLite throws away a log beside an empty one, but would take an old database
 * without its log for whole. */
int cache_file_empty(void)
{
	if (ftruncate(descriptors.database, 0) != 0 || fdatasync(descriptors.database) != 0 ||
		ftruncate(descriptors.log, 0) != 0 || fdatasync(descriptors.log) != 0)
		return -errno;
	return 0;
}

int cache_file_sync_log(void)
{
	return fdatasync(descriptors.log) == 0 ? 0 : -errno;
}

#include "tools/mta/queue/disk_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace mta {

int DiskSync::sync_file(int fd) { return ::fsync(fd) == 0 ? 0 : errno; }

int DiskSync::sync_directory(int fd) { return ::fsync(fd) == 0 ? 0 : errno; }

void DiskSync::start_file(int fd) {
  // What goes wrong here, the calls that wait tell.
  ::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int DiskSync::write_file(int fd) {
  constexpr unsigned int kAll =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  if (::sync_file_range(fd, 0, 0, kAll) == 0) return 0;
  if (errno != ENOSYS && errno != EINVAL && errno != ESPIPE) return errno;
  return ::fdatasync(fd) == 0 ? 0 : errno;
}

DiskSync& DiskSync::real() {
  static DiskSync disk;
  return disk;
}

}  // namespace mta

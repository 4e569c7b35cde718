/// How what was written gets to the disk: a seam for tests.
#pragma once

namespace mta {

/// Each function returns 0 or an errno value. Thread-safe.
class DiskSync {
 public:
  virtual ~DiskSync() = default;

  /// fsync(): the file's bytes, size, mode and number of names are safe.
  virtual int sync_file(int fd);

  /// fsync(): the names in the directory are safe.
  virtual int sync_directory(int fd);

  /// Starts to write out what is new in a file, and does not wait. Promises nothing.
  virtual void start_file(int fd);

  /// Writes out what is new in a file, and waits until the disk has the bytes. After a crash they may not be
  /// found again without sync_file(); but what is done to the file system later does not get there before.
  virtual int write_file(int fd);

  /// The real one.
  static DiskSync& real();
};

}  // namespace mta

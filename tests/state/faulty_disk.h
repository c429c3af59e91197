// A disk under RocksDB whose faults can be chosen: full, broken, or torn in the middle of a write.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace portrait {

enum class DiskFault {
  kNone,
  kFull,    // ENOSPC
  kBroken,  // EIO
  kTorn,    // half of the bytes arrive, then EIO
};

// Safe from any thread. All writes after the first that fails fail, too, until Heal.
class FaultyDisk final : public rocksdb::FileSystemWrapper {
 public:
  FaultyDisk() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultyDisk"; }

  void FailAfter(int64_t writes, DiskFault fault) {
    fault_ = fault;
    left_ = writes;
    failed_ = false;
  }
  void Heal() { fault_ = DiskFault::kNone; }
  bool failed() const { return failed_; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    if (rocksdb::IOStatus s = Count(); !s.ok()) return s;
    std::unique_ptr<rocksdb::FSWritableFile> file;
    rocksdb::IOStatus made = target()->NewWritableFile(name, options, &file, debug);
    if (made.ok()) *result = std::make_unique<File>(std::move(file), *this);
    return made;
  }

 private:
  class File final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSWritableFile> file, FaultyDisk& disk)
        : rocksdb::FSWritableFileOwnerWrapper(std::move(file)), disk_(disk) {}
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
      rocksdb::IOStatus s = disk_.Count();
      if (s.ok()) return FSWritableFileOwnerWrapper::Append(data, options, debug);
      if (disk_.fault_ == DiskFault::kTorn) {
        static_cast<void>(
            FSWritableFileOwnerWrapper::Append(rocksdb::Slice(data.data(), data.size() / 2), options, debug));
      }
      return s;
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             const rocksdb::DataVerificationInfo&, rocksdb::IODebugContext* debug) override {
      return Append(data, options, debug);
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
      if (rocksdb::IOStatus s = disk_.Count(); !s.ok()) return s;
      return FSWritableFileOwnerWrapper::Sync(options, debug);
    }

   private:
    FaultyDisk& disk_;
  };

  // One more write: whether it may happen.
  rocksdb::IOStatus Count() {
    if (fault_ == DiskFault::kNone || left_-- > 0) return rocksdb::IOStatus::OK();
    failed_ = true;
    if (fault_ == DiskFault::kFull) return rocksdb::IOStatus::NoSpace("No space left on device");
    return rocksdb::IOStatus::IOError("Input/output error");
  }

  std::atomic<DiskFault> fault_{DiskFault::kNone};
  std::atomic<int64_t> left_{0};
  std::atomic<bool> failed_{false};
};

}  // namespace portrait

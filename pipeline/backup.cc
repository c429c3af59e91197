#include "pipeline/backup.h"

#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/util/json_util.h"

namespace portrait {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAbout = "BACKUP.json";

absl::Status Failed(std::string_view what, const fs::path& path, const std::error_code& error) {
  const std::string text =
      absl::StrCat("cannot ", absl::string_view(what.data(), what.size()), " ", path.string(), ": ", error.message());
  if (error == std::errc::no_space_on_device) return absl::ResourceExhaustedError(text);
  return absl::InternalError(text);
}

std::string Name(int32_t partition) { return absl::StrCat("partition-", partition); }

absl::Status WriteAbout(const v1::Backup& backup, const fs::path& folder) {
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  if (!google::protobuf::util::MessageToJsonString(backup, &json, options).ok()) {
    return absl::InternalError("a backup could not be described");
  }
  std::ofstream file(folder / kAbout);
  file << json;
  file.close();
  if (!file) return absl::InternalError(absl::StrCat("cannot write ", (folder / kAbout).string()));
  return absl::OkStatus();
}

}  // namespace

fs::path StoreFolder(const fs::path& state_dir, const std::string& application_id, int32_t partition) {
  return state_dir / application_id / Name(partition);
}

absl::StatusOr<v1::Backup> MakeBackup(const std::vector<StoreSource>& stores, v1::Backup backup, const fs::path& to) {
  std::error_code error;
  if (fs::exists(to, error)) {
    return absl::AlreadyExistsError(
        absl::StrCat("a backup makes its folder itself; there is one already: ", to.string()));
  }
  fs::path making = to;
  making += ".partial";
  fs::remove_all(making, error);  // of a backup that did not end
  fs::create_directories(making, error);
  if (error) return Failed("make", making, error);
  backup.clear_partitions();
  for (const StoreSource& store : stores) {
    auto meta = store.copier->CopyTo(making / Name(store.partition));
    if (absl::IsNotFound(meta.status())) continue;
    if (!meta.ok()) return meta.status();
    v1::BackedUpPartition& partition = *backup.add_partitions();
    partition.set_partition(store.partition);
    *partition.mutable_meta() = *std::move(meta);
  }
  if (backup.partitions().empty()) {
    fs::remove_all(making, error);
    return absl::FailedPreconditionError("there is nothing to back up: this process has no partition now");
  }
  if (absl::Status s = WriteAbout(backup, making); !s.ok()) return s;
  fs::rename(making, to, error);
  if (error) return Failed("name", to, error);
  return backup;
}

std::string DescribeBackup(const v1::Backup& backup) {
  const auto time = [](int64_t us) {
    return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::FromUnixMicros(us), absl::UTCTimeZone());
  };
  std::string out = absl::StrCat("application ", backup.application(), ", instance ", backup.instance(), ", made ",
                                 time(backup.made_us()), "\n");
  for (const v1::BackedUpPartition& partition : backup.partitions()) {
    absl::StrAppend(&out, "partition ", partition.partition(), ": changelog up to ",
                    partition.meta().changelog_position(), ", as of ", time(partition.meta().as_of_us()), "\n");
  }
  return out;
}

absl::StatusOr<v1::Backup> ReadBackup(const fs::path& from) {
  std::ifstream file(from / kAbout);
  if (!file) return absl::NotFoundError(absl::StrCat("not a backup: there is no ", (from / kAbout).string()));
  const std::string json((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  v1::Backup backup;
  if (!google::protobuf::util::JsonStringToMessage(json, &backup).ok()) {
    return absl::DataLossError(absl::StrCat("cannot be read: ", (from / kAbout).string()));
  }
  return backup;
}

absl::Status RestoreBackup(const fs::path& from, const fs::path& state_dir, const std::string& application_id) {
  auto backup = ReadBackup(from);
  if (!backup.ok()) return backup.status();
  if (backup->application() != application_id) {
    return absl::FailedPreconditionError(absl::StrCat("the backup is of another application: backup ",
                                                      backup->application(), ", configuration ", application_id));
  }
  std::error_code error;
  for (const v1::BackedUpPartition& partition : backup->partitions()) {
    const fs::path folder = StoreFolder(state_dir, application_id, partition.partition());
    if (fs::exists(folder, error)) {
      return absl::AlreadyExistsError(
          absl::StrCat("there is local state already; stop the process and move it away first: ", folder.string()));
    }
    if (!fs::exists(from / Name(partition.partition()), error)) {
      return absl::DataLossError(
          absl::StrCat("the backup is not whole: ", (from / Name(partition.partition())).string()));
    }
  }
  for (const v1::BackedUpPartition& partition : backup->partitions()) {
    const fs::path folder = StoreFolder(state_dir, application_id, partition.partition());
    fs::path copying = folder;
    copying += ".partial";
    fs::remove_all(copying, error);
    fs::create_directories(copying.parent_path(), error);
    if (error) return Failed("make", copying.parent_path(), error);
    fs::copy(from / Name(partition.partition()), copying, fs::copy_options::recursive, error);
    if (error) return Failed("copy to", copying, error);
    fs::rename(copying, folder, error);
    if (error) return Failed("name", folder, error);
  }
  return absl::OkStatus();
}

}  // namespace portrait

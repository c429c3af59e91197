#include "pipeline/standby.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "pipeline/memory/memory_broker.h"
#include "portrait/v1/journal.pb.h"
#include "state/memory_row_store.h"

namespace portrait {
namespace {

class FakeMembers final : public GroupMembers {
 public:
  explicit FakeMembers(std::vector<GroupMember>* members) : members_(members) {}
  absl::StatusOr<std::vector<GroupMember>> Describe(Duration) override { return *members_; }

 private:
  std::vector<GroupMember>* members_;
};

// Two processes, one partition; this one is b, and a owns the partition.
struct Fixture {
  Fixture() {
    broker.CreateTopic("changelog", 1);
    broker.CreateTopic("journal", 1);
    standby = std::make_unique<Standby>(
        Standby::Options{
            .process = "b", .partitions = 1, .replicas = 1, .changelog = "changelog", .journal = "journal"},
        Standby::Ports{.reader = broker.NewReader(),
                       .members = std::make_unique<FakeMembers>(&members),
                       .clock = &clock,
                       .open_store = [this](int32_t) -> absl::StatusOr<std::unique_ptr<RowStore>> {
                         ++opened;
                         if (!open_error.ok()) return open_error;
                         return std::make_unique<MemoryRowStore>(&disk);
                       }},
        metrics);
  }

  void Append(const std::string& topic, const std::string& key, std::string value) {
    StoredRecord record;
    record.key = key;
    record.value = std::move(value);
    broker.Append(topic, 0, std::move(record));
  }
  void Entry(const std::string& lineage) {
    v1::JournalEntry entry;
    entry.set_lineage(lineage);
    Append("journal", "", entry.SerializeAsString());
  }
  void Row(const std::string& customer, uint64_t number) {
    v1::Row row;
    row.set_number(number);
    Append("changelog", customer, row.SerializeAsString());
  }
  std::string Stored() {
    MemoryRowStore store(&disk);
    const auto meta = store.Meta().value();
    if (!meta) return "nothing";
    std::string out = absl::StrCat(meta->lineage(), " P=", meta->changelog_position());
    const absl::Status scanned = store.Scan([&](std::string_view customer, std::string_view row) {
      absl::StrAppend(&out, " ", std::string(customer), "@", ReadRowHeader(row)->number);
      return absl::OkStatus();
    });
    return scanned.ok() ? out : scanned.ToString();
  }
  bool LagIsTold() const { return metrics.Text().find("portrait_standby_lag_records{") != std::string::npos; }

  ManualClock clock{FromMicros(50'000'000)};
  MemoryBroker broker{&clock};
  MemoryDisk disk;
  Metrics metrics;
  std::vector<GroupMember> members = {{"a-worker-0", {0}}, {"b-worker-0", {}}};
  int opened = 0;
  absl::Status open_error;
  std::unique_ptr<Standby> standby;
};

TEST_CASE("a standby follows the changelog of a partition that it would own if its owner left") {
  Fixture f;
  f.Entry("history");
  f.Row("ann", 1);
  CHECK(f.standby->RunOnce());
  CHECK(f.Stored() == "history P=1 ann@1");
  f.Row("bob", 2);
  f.Row("ann", 3);
  CHECK(f.standby->RunOnce());
  CHECK(f.Stored() == "history P=3 ann@3 bob@2");
  CHECK(f.opened == 1);
  CHECK(f.LagIsTold());
}

TEST_CASE("a worker is given the standby's open store, and the standby lets it be") {
  Fixture f;
  f.Entry("history");
  f.Row("ann", 1);
  REQUIRE(f.standby->RunOnce());
  auto store = f.standby->OpenStore(0);
  REQUIRE(store.ok());
  CHECK(f.opened == 1);
  CHECK((*store)->Meta().value()->changelog_position() == 1);
  CHECK_FALSE(f.LagIsTold());
  f.open_error = absl::FailedPreconditionError("a worker has it");
  f.Row("bob", 2);
  f.standby->RunOnce();
  CHECK(f.Stored() == "history P=1 ann@1");
}

TEST_CASE("a worker whose partition has no standby opens the store itself") {
  Fixture f;
  CHECK(f.standby->OpenStore(0).ok());
  CHECK(f.opened == 1);
}

TEST_CASE("a standby lets go of a partition that it would not own any more") {
  Fixture f;
  f.Entry("history");
  f.Row("ann", 1);
  REQUIRE(f.standby->RunOnce());
  f.members = {{"a-worker-0", {}}, {"b-worker-0", {0}}};  // this process has it
  f.clock.Advance(seconds(10));
  f.standby->RunOnce();
  CHECK_FALSE(f.LagIsTold());
  f.Row("bob", 2);
  f.standby->RunOnce();
  CHECK(f.Stored() == "history P=1 ann@1");
}

TEST_CASE("a store of another history is left to a recovery") {
  Fixture f;
  f.Entry("history");
  f.Row("ann", 1);
  MemoryRowStore store(&f.disk);
  RowBatch batch;
  batch.meta.set_format(kStoreFormat);
  batch.meta.set_lineage("another");
  REQUIRE(store.Write(batch).ok());
  f.standby->RunOnce();
  CHECK(f.Stored() == "another P=0");
}

TEST_CASE("a store that may have missed a removal is thrown away and followed from the beginning") {
  Fixture f;
  f.Entry("history");
  f.Row("ann", 1);
  f.Row("bob", 2);
  MemoryRowStore store(&f.disk);
  v1::Row row;
  row.set_number(1);
  RowBatch batch;
  batch.writes.emplace_back("eve", row.SerializeAsString());
  batch.meta.set_format(kStoreFormat);
  batch.meta.set_lineage("history");
  batch.meta.set_changelog_position(1);
  batch.meta.set_as_of_us(ToMicros(f.clock.Now()));
  REQUIRE(store.Write(batch).ok());
  f.clock.Advance(days(4));
  f.standby->RunOnce();
  CHECK(f.Stored() == "history P=2 ann@1 bob@2");
}

TEST_CASE("a store in the format of another build is thrown away and followed from the beginning") {
  Fixture f;
  f.Entry("history");
  f.Row("ann", 1);
  MemoryRowStore store(&f.disk);
  RowBatch batch;
  batch.meta.set_format(kStoreFormat + 1);
  batch.meta.set_lineage("history");
  batch.meta.set_changelog_position(1);
  batch.meta.set_as_of_us(ToMicros(f.clock.Now()));
  REQUIRE(store.Write(batch).ok());
  f.standby->RunOnce();
  CHECK(f.Stored() == "history P=1 ann@1");
}

TEST_CASE("a partition without history is not opened") {
  Fixture f;
  f.standby->RunOnce();
  CHECK(f.opened == 0);
}

}  // namespace
}  // namespace portrait

#include "pipeline/row_set.h"

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/testing/harness.h"
#include "portrait/v1/journal.pb.h"
#include "state/memory_row_store.h"

namespace portrait {
namespace {

// Counts its events.
class Count final : public Operator<v1::TaskState> {
 public:
  static void Describe(Description& about) { about.Name("count").ReadsEverything(); }
  void OnEvent(const Event&, v1::TaskState& state, Context&) const override {
    state.set_last_tick_us(state.last_tick_us() + 1);
  }
};

class NoResults final : public OutputSink {
 public:
  void Add(size_t, std::string_view, const google::protobuf::Message&) override {}
};

// A row set, the steps applied to it by hand, and its transactions.
struct Rows {
  std::unique_ptr<Chain> chain = std::move(ChainBuilder().Add<Count>()).Build("v").value();
  MemoryDisk disk;
  RowSet set{*chain, std::make_unique<MemoryRowStore>(&disk), 0};  // a row leaves the cache as soon as it may
  NoResults none;
  Calendar calendar;
  uint64_t step = 0;
  uint64_t floor = 0;  // of the last committed transaction

  void Apply(const std::string& customer, bool erase = false) {
    Event event = EventFor(customer, At("2026-01-01"));
    if (erase) {
      event.mutable_customer_erased();
    } else {
      event.mutable_page_viewed();
    }
    CachedRow& row = **set.Get(customer);
    chain->OnEvent(event, {}, false, customer, row.state, calendar, none);
    set.Touched(row, ++step, seconds(0));
  }

  std::vector<RowImage> Freeze(bool images = true) {
    std::vector<RowImage> taken;
    if (images) taken = set.TakeImages({.commit_interval = seconds(1), .checkpoint_interval = seconds(1)}, seconds(0));
    set.TakeRemovals(floor, taken);
    return taken;
  }
  void Commit(std::vector<RowImage> images) {
    floor = set.Floor(step);
    const auto staged = set.Stage(std::move(images), {});
    REQUIRE(set.Write(staged).ok());
    set.Settle(staged);
  }

  static std::string Shown(const std::vector<RowImage>& images) {
    std::string out;
    for (const RowImage& image : images) {
      absl::StrAppend(&out, image.customer_id, " ", image.number,
                      !image.row   ? " removed; "
                      : image.gone ? " gone; "
                                   : "; ");
    }
    return out;
  }
};

TEST_CASE("an erased row keeps its number until a committed floor has passed it, and goes then") {
  Rows rows;
  rows.Apply("anna");
  rows.Apply("bert");
  rows.Apply("anna", /*erase=*/true);
  auto images = rows.Freeze();
  CHECK(Rows::Shown(images) == "anna 3 gone; bert 2; ");
  CHECK(images[0].row->size() < 8);      // the number and nothing that was known
  CHECK_FALSE(rows.set.HasRemovals(4));  // not committed
  rows.Commit(std::move(images));
  CHECK(rows.floor == 4);
  CHECK_FALSE(rows.set.HasRemovals(3));
  REQUIRE(rows.set.HasRemovals(4));
  images = rows.Freeze();
  CHECK(Rows::Shown(images) == "anna 3 removed; ");
  CHECK((*rows.set.store().Get("anna")).has_value());
  rows.Commit(std::move(images));
  CHECK_FALSE((*rows.set.store().Get("anna")).has_value());
  CHECK((*rows.set.store().Get("bert")).has_value());
  CHECK_FALSE(rows.set.HasRemovals(100));
}

TEST_CASE("a row that another row's floor holds back is not removed") {
  Rows rows;
  rows.Apply("bert");
  rows.Apply("anna", /*erase=*/true);
  auto images = rows.Freeze();
  images.resize(1);  // as if only bert's image had gone out
  rows.Commit(std::move(images));
  rows.Apply("carl");
  CHECK(Rows::Shown(rows.Freeze(/*images=*/false)).empty());
}

TEST_CASE("a customer who comes back after erasure starts anew and is not removed") {
  Rows rows;
  rows.Apply("anna");
  rows.Apply("anna", /*erase=*/true);
  rows.Commit(rows.Freeze());
  rows.Apply("anna");
  CHECK_FALSE(rows.set.HasRemovals(100));
  rows.Commit(rows.Freeze());
  CHECK_FALSE((*rows.set.Get("anna"))->state.gone);
  CHECK((*rows.set.Get("anna"))->state.states.As<v1::TaskState>(1).last_tick_us() == 1);
}

TEST_CASE("a customer who comes back while the removal is under way survives it") {
  Rows rows;
  rows.Apply("anna", /*erase=*/true);
  rows.Commit(rows.Freeze());
  auto removal = rows.Freeze();
  CHECK(Rows::Shown(removal) == "anna 1 removed; ");
  rows.Apply("anna");
  rows.Commit(std::move(removal));
  auto images = rows.Freeze();
  CHECK(Rows::Shown(images) == "anna 2; ");
  rows.Commit(std::move(images));
  CHECK((*rows.set.store().Get("anna")).has_value());
}

TEST_CASE("rows that were gone when the store was written are removed after a start, too") {
  Rows rows;
  rows.Apply("anna", /*erase=*/true);
  rows.Apply("bert");
  rows.Commit(rows.Freeze());
  CHECK(rows.set.Load(2).value() == 2);
  CHECK(rows.set.HasRemovals(2));
  CHECK(Rows::Shown(rows.Freeze()) == "anna 1 removed; ");
}

TEST_CASE("a row ahead of the journal is refused") {
  Rows rows;
  rows.Apply("anna");
  rows.Apply("anna");
  rows.Commit(rows.Freeze());
  CHECK(rows.set.Load(1).status().message() == "a local row is ahead of the journal: row at step 2, journal at step 1");
}

// Counts the calls that read rows.
class CountingStore final : public MemoryRowStore {
 public:
  CountingStore(MemoryDisk* disk, int& single, int& many) : MemoryRowStore(disk), single_(single), many_(many) {}
  absl::StatusOr<std::optional<std::string>> Get(std::string_view customer_id) override {
    ++single_;
    return MemoryRowStore::Get(customer_id);
  }
  absl::Status GetMany(const std::vector<std::string_view>& customer_ids, const VisitRow& visit) override {
    ++many_;
    single_ -= static_cast<int>(customer_ids.size());  // which RowStore's own way calls
    return MemoryRowStore::GetMany(customer_ids, visit);
  }

 private:
  int& single_;
  int& many_;
};

TEST_CASE("rows that will be asked for soon are read all at once, and each counts as missed once") {
  Rows rows;
  for (const char* customer : {"anna", "bert", "carl", "anna"}) rows.Apply(customer);
  rows.Commit(rows.Freeze());
  int single = 0, many = 0;
  RowSet set(*rows.chain, std::make_unique<CountingStore>(&rows.disk, single, many), 1 << 20);
  REQUIRE(set.Load(4).ok());
  CHECK((*set.Get("bert"))->number == 2);
  CHECK(single == 1);
  set.Prefetch({"anna", "zoe", "bert", "anna"});
  CHECK((many == 1 && single == 1));
  CHECK((*set.Get("anna"))->number == 4);
  CHECK((*set.Get("anna"))->state.states.As<v1::TaskState>(1).last_tick_us() == 2);
  CHECK((*set.Get("zoe"))->number == 0);
  CHECK((*set.Get("bert"))->number == 2);
  CHECK((many == 1 && single == 1));
  CHECK((set.misses() == 3 && set.hits() == 2));
  set.Prefetch({"anna", "zoe", "bert"});  // all there
  CHECK(many == 1);
  CHECK((*set.Get("carl"))->number == 3);
  CHECK(single == 2);
}

TEST_CASE("a row's timers are found at their time, whatever was set meanwhile, by two entries in memory at most") {
  Rows rows;
  rows.Apply("anna");
  CachedRow* row = *rows.set.Get("anna");
  std::mt19937 random(5);
  int found = 0;
  for (int64_t now = 1; now < 20'000; ++now) {
    // Of two timers, one is moved now and then, or goes, as visits and midnights are.
    if (const auto id = static_cast<uint32_t>(random() % 2); random() % 3 == 0) {
      const int64_t ahead = 1 + static_cast<int64_t>(random() % (id == 0 ? 5 : 50));
      random() % 8 == 0 ? row->state.timers.Cancel(1, id) : row->state.timers.Set(1, id, FromMicros(now + ahead));
      rows.set.Index(*row);
    }
    CHECK(rows.set.timers().in_memory() <= 2);
    while (true) {
      const auto hint = rows.set.timers().TakeBelow(JustAfter(now)).value();
      if (!hint) break;
      REQUIRE(hint->customer_id == "anna");
      if (!rows.set.TakeHint(*row, hint->time_us)) continue;
      for (; !row->state.timers.empty() && row->state.timers.next() <= FromMicros(now); ++found) {
        REQUIRE(row->state.timers.next() == FromMicros(now));
        row->state.timers.RemoveFirst();
      }
      rows.set.Index(*row);
    }
    if (row->state.timers.next()) REQUIRE(*row->state.timers.next() > FromMicros(now));  // none is missed
    if (random() % 1'000 == 0) {
      rows.Apply("anna");
      rows.Commit(rows.Freeze());
      row = *rows.set.Get("anna");
    }
  }
  CHECK(found > 1'000);
}

}  // namespace
}  // namespace portrait

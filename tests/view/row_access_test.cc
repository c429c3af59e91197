// Looking at rows from another thread while a worker works, parks and closes.
#include "pipeline/row_access.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "operators/person.h"
#include "pipeline/decode/decoder.h"
#include "state/memory_row_store.h"

namespace portrait {
namespace {

// A task with nobody in it.
struct OneTask {
  OneTask() : chain(std::move(ChainBuilder().Add<Person>()).Build("test").value()), decoder(DecoderOptions{}) {
    options.sources = {{"events", WireFormat::kProtobuf}};
    chains = std::make_unique<FixedChain>(*chain);
    task = std::make_unique<Task>(0, 1, *chains, options, decoder, std::make_unique<MemoryRowStore>(&disk), 1 << 20);
  }
  std::unique_ptr<Chain> chain;
  std::unique_ptr<FixedChain> chains;
  EngineOptions options;
  MemoryDisk disk;
  Decoder decoder;
  std::unique_ptr<Task> task;
};

struct Asked {
  std::string answer = "waits";
  RowAccess::Done Done() {
    return [this](absl::StatusOr<RowLook> look) {
      answer = !look.ok()  ? std::string(absl::StatusCodeToString(look.status().code()))
               : look->row ? "a row"
                           : "no row";
    };
  }
};

TEST_CASE("a worker that works answers between its slices, a parked one at once, a closed one not") {
  OneTask one;
  RowAccess access([&](int32_t partition) { return partition == 0 ? one.task.get() : nullptr; });
  Asked closed, working, parked, elsewhere;
  access.Ask(0, "anna", closed.Done());
  CHECK(closed.answer == "UNAVAILABLE");
  access.Open({0}, /*parked=*/false);
  CHECK(access.Owns(0));
  CHECK_FALSE(access.Owns(1));
  access.Ask(0, "anna", working.Done());
  CHECK(working.answer == "waits");
  access.Serve();
  CHECK(working.answer == "no row");
  {
    const Parked waits(access);
    access.Ask(0, "anna", parked.Done());
    CHECK(parked.answer == "no row");
    access.Ask(1, "anna", elsewhere.Done());
    CHECK(elsewhere.answer == "NOT_FOUND");
  }
  Asked waiting, late;
  access.Ask(0, "anna", waiting.Done());
  {
    const Parked waits(access);  // answers what waits before it parks
    CHECK(waiting.answer == "no row");
  }
  access.Ask(0, "anna", late.Done());
  access.Close();
  CHECK(late.answer == "UNAVAILABLE");
}

TEST_CASE("a partition that has been elsewhere has another number, one that stayed has not") {
  OneTask one;
  RowAccess access([&](int32_t) { return one.task.get(); });
  access.Open({0, 1}, /*parked=*/false);
  const auto before = access.Owned();
  access.Close();
  access.Open({0}, /*parked=*/false);
  CHECK(access.Owned() == std::map<int32_t, uint64_t>{{0, before.at(0)}});
  access.Close();
  access.Open({0, 1}, /*parked=*/false);
  CHECK(access.Owned().at(0) == before.at(0));
  CHECK(access.Owned().at(1) != before.at(1));
}

TEST_CASE("the rows of a store are read in slices, and those that it does not have by name") {
  OneTask one;
  {
    MemoryRowStore store(&one.disk);
    RowBatch batch;
    for (const char* customer : {"a", "b", "c"}) {
      std::string row;
      one.chain->Encode(3, one.chain->EmptyRow(), row);
      batch.writes.emplace_back(customer, std::move(row));
    }
    REQUIRE(store.Write(batch).ok());
  }
  RowAccess access([&](int32_t partition) { return partition == 0 ? one.task.get() : nullptr; });
  std::string read, unwritten = "?", failed;
  const auto names = [&](std::string& to) {
    return [&to](absl::StatusOr<CopiedRows> rows) {
      to = rows.ok() ? "" : rows.status().ToString();
      if (rows.ok()) {
        for (const auto& [customer, row] : *rows) to += customer;
      }
    };
  };
  access.AskStored(0, "", 2, names(failed));
  CHECK(failed.find("UNAVAILABLE") == 0);
  access.Open({0}, /*parked=*/true);
  access.AskStored(0, "", 2, names(read));
  CHECK(read == "ab");
  access.AskStored(0, "b", 2, names(read));
  CHECK(read == "c");
  access.AskStored(0, "c", 2, names(read));
  CHECK(read.empty());
  access.AskMany(0, {"c", "nobody", "a"}, names(read));
  CHECK(read == "ca");
  access.AskUnwritten(0, [&](absl::StatusOr<std::vector<std::string>> customers) {
    unwritten = customers.ok() && customers->empty() ? "none" : "some";
  });
  CHECK(unwritten == "none");
  access.AskStored(1, "", 2, names(failed));
  CHECK(failed.find("NOT_FOUND") == 0);
}

TEST_CASE("no more than a bounded number of look-ups wait") {
  OneTask one;
  RowAccess access([&](int32_t) { return one.task.get(); });
  access.Open({0}, /*parked=*/false);
  int refused = 0, answered = 0;
  for (int i = 0; i < 1100; ++i) {
    access.Ask(0, "anna", [&](absl::StatusOr<RowLook> look) {
      if (look.ok()) ++answered;
      if (absl::IsResourceExhausted(look.status())) ++refused;
    });
  }
  CHECK(refused == 1100 - 1024);
  for (int i = 0; i < 1024 / 64; ++i) access.Serve();
  CHECK(answered == 1024);
}

TEST_CASE("every look-up is answered once, whatever the worker does meanwhile") {
  OneTask one;
  RowAccess access([&](int32_t) { return one.task.get(); });
  access.Open({0}, /*parked=*/false);
  constexpr int kEach = 2000;
  std::atomic<int> answered{0};
  std::atomic<bool> done{false};
  std::thread worker([&] {
    for (int i = 0; !done; ++i) {
      access.Serve();
      const Parked parked(access);
      if (i % 16 == 0) std::this_thread::yield();
    }
  });
  std::vector<std::thread> askers;
  for (int t = 0; t < 3; ++t) {
    askers.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) access.Ask(0, absl::StrCat("c", i), [&](const auto&) { ++answered; });
    });
  }
  for (std::thread& asker : askers) asker.join();
  done = true;
  worker.join();
  access.Close();
  CHECK(answered == 3 * kEach);
}

}  // namespace
}  // namespace portrait

#include "pipeline/memory_plan.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

namespace portrait {
namespace {

size_t Sum(const MemoryPlan& plan, int workers) {
  return plan.fixed + plan.rows + plan.rocksdb +
         static_cast<size_t>(workers) * (plan.inputs + plan.results + plan.fetched + plan.unsent);
}

TEST_CASE("the shares make up the whole limit, however many workers and partitions there are") {
  for (const int workers : {1, 2, 3, 16}) {
    for (const int partitions : {1, 8, 100}) {
      for (const size_t limit : {size_t{900'000'000}, size_t{1'000'000'001}, size_t{64'000'000'000}}) {
        CAPTURE(workers, partitions, limit);
        const auto plan = PlanMemory({.limit = limit, .workers = workers, .partitions = partitions});
        if (!plan.ok()) continue;
        CHECK(Sum(*plan, workers) == limit);
        CHECK(plan->restore <= plan->rows / static_cast<size_t>(workers));
      }
    }
  }
}

TEST_CASE("rows get the most, and all that queues have no use for") {
  const auto small = PlanMemory({.limit = 1'000'000'000, .workers = 2, .partitions = 8});
  REQUIRE(small.ok());
  CHECK(small->rows > small->rocksdb);
  CHECK(small->rows * 3 > size_t{1'000'000'000});
  const auto large = PlanMemory({.limit = 64'000'000'000, .workers = 2, .partitions = 8});
  REQUIRE(large.ok());
  CHECK(large->fetched == 64'000'000);
  CHECK(large->rows > size_t{45'000'000'000});
}

TEST_CASE("a limit that is too small is refused with what would do, and that does") {
  const auto plan = PlanMemory({.limit = 50'000'000, .workers = 2, .partitions = 8});
  REQUIRE_FALSE(plan.ok());
  const std::string message(plan.status().message());
  CAPTURE(message);
  REQUIRE(message.starts_with("memory.limit is too small for 2 workers and 8 partitions: 50MB, at least "));
  const size_t enough = std::stoul(message.substr(message.rfind(' ') + 1)) * 1'000'000;
  CHECK(PlanMemory({.limit = enough, .workers = 2, .partitions = 8}).ok());
  CHECK_FALSE(PlanMemory({.limit = enough - 1'000'000, .workers = 2, .partitions = 8}).ok());
}

TEST_CASE("a queue holds the largest record") {
  const auto plan = PlanMemory({.limit = 2'000'000'000, .workers = 1, .partitions = 1, .largest_record = 100'000'000});
  REQUIRE(plan.ok());
  CHECK(plan->fetched >= 200'000'000);
}

}  // namespace
}  // namespace portrait

// Events through a whole engine and back: the demonstration, small.
#include "pipeline/tools/demo.h"

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "operators/testing/harness.h"
#include "pipeline/config/default_chain.h"
#include "tests/kafka/test_cluster.h"

namespace portrait {
namespace {

TEST_CASE("every event goes through, dirt is set aside or dropped, and every result is read", "[demo]") {
  const bool real = GENERATE(false, true);
  TestCluster cluster = real ? TestCluster::Real() : TestCluster::Mock();
  const auto folder =
      std::filesystem::temp_directory_path() / absl::StrCat("portrait-demo-test-", getpid(), real ? "-real" : "-mock");
  Config base;
  base.kafka.brokers = cluster.Options().brokers;
  auto chain = BuildDefaultChain(base);
  REQUIRE(chain.ok());
  const DemoPlace place{
      .application_id = cluster.Unique("demo"), .topic_prefix = cluster.Unique("demo") + ".", .partitions = 2};
  DemoOptions options{.config = DemoConfig(base, place, ResultTopics(**chain, base.engine), folder), .dirt = 0.02};
  options.population = {.seed = 4, .customers = 150, .begin = At("2025-01-01"), .end = At("2025-07-01")};
  REQUIRE(CreateDemoTopics(options.config, place.partitions, real ? nullptr : &cluster.mock()).ok());
  const StopSignal stop;
  Demo demo(options, **chain, stop);
  std::ostringstream told;
  const absl::Status status = demo.Run(told);
  INFO(status);
  REQUIRE(status.ok());
  const Demo::Counts counts = demo.counts();
  CHECK(counts.events > 20'000);
  CHECK(counts.received == counts.sent);
  CHECK(counts.read == counts.results);
  CHECK(counts.duplicates_sent > 0);
  CHECK(counts.duplicates == counts.duplicates_sent);
  CHECK(counts.dead_letters == counts.sent - counts.events - counts.duplicates_sent);
  for (const char* code : {"time_in_future", "malformed_protobuf", "missing_customer_id", "tombstone"}) {
    INFO(told.str());
    CHECK(told.str().find(code) != std::string::npos);
  }
  CHECK(told.str().find("\nStories\nCustomer c000") != std::string::npos);
  CHECK(demo.Stop().ok());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace portrait

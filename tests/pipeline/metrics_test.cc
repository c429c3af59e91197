#include "pipeline/metrics.h"

#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "absl/strings/str_join.h"
#include "tests/pipeline/documents.h"

namespace portrait {
namespace {

// The lines of the text format that hold values of this metric.
std::string Samples(const Metrics& metrics, std::string_view name) {
  std::string out;
  for (const std::string& line : LinesOf(metrics.Text())) {
    if (line.starts_with(name)) out += line + "\n";
  }
  return out;
}

TEST_CASE("docs/metrics.md lists every metric as the registry has it") {
  Metrics metrics;
  std::vector<std::string> expected;
  for (const MetricDescription& about : metrics.descriptions()) {
    expected.push_back("| `" + about.name + "` | " + about.type + " | " + absl::StrJoin(about.labels, ", ") + " | " +
                       about.help + " |");
  }
  CHECK(TableUnder("docs/metrics.md", "# Metrics", expected) == Joined(expected));
}

TEST_CASE("a counter is written in Prometheus' text format, with its label") {
  Metrics metrics;
  metrics.RecordsIn("purchase-events").Increment();
  metrics.RecordsIn("purchase-events").Increment(2);
  CHECK(Samples(metrics, "portrait_records_in_total") == "portrait_records_in_total{topic=\"purchase-events\"} 3\n");
  CHECK(metrics.Text().find("# TYPE portrait_records_in_total counter\n") != std::string::npos);
}

TEST_CASE("every outcome of a commit is there before the first commit") {
  Metrics metrics;
  metrics.Commits(CommitOutcome::kFenced).Increment();
  for (const std::string sample : {"committed\"} 0", "aborted\"} 0", "unknown\"} 0", "fenced\"} 1"}) {
    CHECK(Samples(metrics, "portrait_commits_total").find(sample) != std::string::npos);
  }
}

TEST_CASE("the gauges of a partition go with its last handle") {
  Metrics metrics;
  auto first = metrics.ForPartition(3);
  first->Lag("browsing-events").Set(7);
  auto second = metrics.ForPartition(3);
  second->watermark_seconds.Set(12);
  first.reset();
  CHECK(Samples(metrics, "portrait_lag_records") ==
        "portrait_lag_records{partition=\"3\",topic=\"browsing-events\"} 7\n");
  CHECK(Samples(metrics, "portrait_watermark_seconds") == "portrait_watermark_seconds{partition=\"3\"} 12\n");
  second.reset();
  CHECK(Samples(metrics, "portrait_lag_records").empty());
  CHECK(Samples(metrics, "portrait_watermark_seconds").empty());
}

TEST_CASE("tasks are counted while they restore and while they run") {
  Metrics metrics;
  const auto counted = [&] {
    return Samples(metrics, "portrait_tasks{state=\"restoring\"}") +
           Samples(metrics, "portrait_tasks{state=\"running\"}");
  };
  {
    const auto first = metrics.ForPartition(3), second = metrics.ForPartition(4);
    second->Running();
    CHECK(counted() == "portrait_tasks{state=\"restoring\"} 1\nportrait_tasks{state=\"running\"} 1\n");
  }
  CHECK(counted() == "portrait_tasks{state=\"restoring\"} 0\nportrait_tasks{state=\"running\"} 0\n");
}

TEST_CASE("threads count together") {
  Metrics metrics;
  auto count = [&] {
    for (int i = 0; i < 10'000; ++i) metrics.steps.Increment();
    for (int i = 0; i < 100; ++i) metrics.ForPartition(i)->restore_progress.Set(1);
  };
  std::thread a(count), b(count);
  a.join();
  b.join();
  CHECK(Samples(metrics, "portrait_steps_total") == "portrait_steps_total 20000\n");
  CHECK(Samples(metrics, "portrait_restore_progress_ratio").empty());
}

}  // namespace
}  // namespace portrait

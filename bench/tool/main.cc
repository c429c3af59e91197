// What bench/run.sh runs beside the contenders: bench_tool COMMAND --help
#include <iostream>

#include "CLI/CLI.hpp"
#include "bench/tool/commands.h"
#include "pipeline/log.h"

namespace portrait::bench {
namespace {

absl::Status RunCommand(int argc, char** argv) {
  CLI::App app("Fills topics, watches contenders, compares their results; and the bare client", "bench_tool");
  app.require_subcommand(1);
  absl::Status status;

  FillOptions fill;
  CLI::App* command = app.add_subcommand("fill", "Makes the source topics and writes the lean work's events");
  command->add_option("--brokers", fill.brokers)->required();
  command->add_option("--events", fill.events);
  command->add_option("--customers", fill.customers);
  command->add_option("--partitions", fill.partitions);
  command->add_flag("--more", fill.more, "The topics are there: the same events once more");
  command->add_option("--begin-us", fill.begin_us, "Event time of the first, since 1970");
  command->callback([&] { status = Fill(fill); });

  TopicsOptions topics;
  command = app.add_subcommand("topics", "Makes empty topics");
  command->add_option("--brokers", topics.brokers)->required();
  command->add_option("--names", topics.names)->required()->delimiter(',');
  command->add_option("--partitions", topics.partitions);
  command->callback([&] { status = MakeTopics(topics); });

  WatchOptions watch;
  command = app.add_subcommand("watch", "Follows a contender until it has committed all events");
  command->add_option("--brokers", watch.brokers)->required();
  command->add_option("--group", watch.group)->required();
  command->add_option("--topics", watch.topics)->required()->delimiter(',');
  command->add_option("--partitions", watch.partitions);
  command->add_option("--events", watch.events)->required();
  command->add_option("--pid", watch.pid)->required();
  command->add_option("--timeout", watch.timeout_s, "In seconds");
  command->callback([&] { status = Watch(watch); });

  LengthOptions length;
  command = app.add_subcommand("length", "Counts the offsets of topics");
  command->add_option("--brokers", length.brokers)->required();
  command->add_option("--topics", length.topics)->required()->delimiter(',');
  command->add_option("--partitions", length.partitions);
  command->callback([&] { status = Length(length); });

  CompareOptions compare;
  command = app.add_subcommand("compare", "Compares the lean results of two contenders");
  command->add_option("--brokers", compare.brokers)->required();
  command->add_option("--expected", compare.expected)->required();
  command->add_option("--actual", compare.actual)->required();
  command->add_option("--results", compare.results)->required();
  command->callback([&] { status = Compare(compare); });

  LatencyOptions latency;
  command = app.add_subcommand("latency", "Sends events at an even pace, and times the results that they cause");
  command->add_option("--brokers", latency.brokers)->required();
  command->add_option("--output", latency.output)->required();
  command->add_option("--rate", latency.rate, "Events a second")->required();
  command->add_option("--seconds", latency.seconds);
  command->add_option("--warm-up", latency.warm_up_s, "Of these seconds: not counted");
  command->add_option("--skip", latency.skip, "Events of the sequence that have been sent before");
  command->add_option("--customers", latency.customers);
  command->add_flag("--at-wall-time", latency.at_wall_time, "Events are of the moment at which they go");
  command->callback([&] { status = Latency(latency); });

  BareClientOptions bare;
  command = app.add_subcommand("bare-client", "The ceiling: a transactional copy of every n-th record");
  command->add_option("--brokers", bare.brokers)->required();
  command->add_option("--group", bare.group)->required();
  command->add_option("--topics", bare.topics)->required()->delimiter(',');
  command->add_option("--output", bare.output)->required();
  command->add_option("--every", bare.every);
  command->add_option("--commit-interval", bare.commit_interval_ms, "In milliseconds");
  command->callback([&] { status = BareClient(bare); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? absl::OkStatus() : absl::InvalidArgumentError("wrong usage");
  }
  return status;
}

}  // namespace
}  // namespace portrait::bench

int main(int argc, char** argv) {
  portrait::StartLog({});
  const absl::Status status = portrait::bench::RunCommand(argc, argv);
  if (status.ok()) return 0;
  std::cerr << "bench_tool: " << status.message() << std::endl;
  return 1;
}

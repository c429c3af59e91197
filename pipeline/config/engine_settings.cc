#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pipeline/config/settings.h"

namespace portrait {
namespace {

constexpr Duration kMillisecond = std::chrono::milliseconds(1);
constexpr uint64_t kUnbounded = std::numeric_limits<uint64_t>::max();

SettingType<WireFormat> Format() {
  return OneOf<WireFormat>({{"protobuf", WireFormat::kProtobuf}, {"json", WireFormat::kJson}});
}

// One topic of a source or an output: {topic: name, format: json}.
struct TopicAndFormat {
  std::string topic;
  WireFormat format;
};

// Reads the map at `node`; what it does not name keeps its value. False when there is a problem.
bool ReadTopic(const ConfigNode& node, std::string_view key, ConfigProblems& problems, TopicAndFormat& out) {
  if (node.kind != ConfigNode::Kind::kMap) {
    Refuse(node, key, "must be a map, as in {topic: my-events, format: json}", problems);
    return false;
  }
  bool good = true;
  for (const ConfigNode::Entry& entry : node.entries) {
    const std::string path = absl::StrCat(std::string(key), ".", entry.key);
    if (entry.key == "topic") {
      good &= ReadScalar(entry.value, path, KafkaName(), problems, out.topic);
    } else if (entry.key == "format") {
      good &= ReadScalar(entry.value, path, Format(), problems, out.format);
    } else {
      problems.Add(entry.line, path, "no such setting; known here are topic and format");
      good = false;
    }
  }
  return good;
}

std::string Shown(const std::string& topic, WireFormat format) {
  return absl::StrCat("{topic: ", topic, ", format: ", Format().show(format), "}");
}

void ReadSources(const ConfigNode& node, Config& config, ConfigProblems& problems) {
  if (node.kind != ConfigNode::Kind::kList || node.items.empty()) {
    Refuse(node, "sources", "must be a list with a topic or more, as in [{topic: my-events, format: json}]", problems);
    return;
  }
  config.engine.sources.clear();
  std::set<std::string> seen;
  for (const ConfigNode& item : node.items) {
    TopicAndFormat source{"", SourceOptions().format};
    if (!ReadTopic(item, "sources", problems, source)) continue;
    if (source.topic.empty()) {
      problems.Add(item.line, "sources", "a source needs a topic");
    } else if (!seen.insert(source.topic).second) {
      problems.Add(item.line, "sources", absl::StrCat("two sources of one topic: ", source.topic));
    } else {
      config.engine.sources.push_back({source.topic, source.format});
    }
  }
}

void ReadOutputs(const ConfigNode& node, Config& config, ConfigProblems& problems) {
  if (node.kind != ConfigNode::Kind::kMap && node.kind != ConfigNode::Kind::kNothing) {
    Refuse(node, "outputs", "must be a map, as in {tag-changes: {topic: my-tags, format: json}}", problems);
    return;
  }
  config.engine.outputs.clear();
  for (const ConfigNode::Entry& entry : node.entries) {
    TopicAndFormat output{entry.key, OutputOptions().format};
    if (!ReadTopic(entry.value, absl::StrCat("outputs.", entry.key), problems, output)) continue;
    config.engine.outputs.push_back({entry.key, output.topic, output.format});
  }
  // In an order of its own, so that the same outputs show the same.
  std::sort(config.engine.outputs.begin(), config.engine.outputs.end(),
            [](const OutputOptions& a, const OutputOptions& b) { return a.output < b.output; });
}

Setting Sources() {
  return {.key = "sources",
          .type = "list of {topic, format: json or protobuf}",
          .meaning =
              "The topics that events are read from, all with the same number of partitions; `format` is that of "
              "records without a content-type header, `json` unless given",
          .read = ReadSources,
          .show = [](const Config& config) {
            return absl::StrCat("[",
                                absl::StrJoin(config.engine.sources, ", ",
                                              [](std::string* out, const auto& source) {
                                                absl::StrAppend(out, Shown(source.topic, source.format));
                                              }),
                                "]");
          }};
}

Setting Outputs() {
  return {.key = "outputs",
          .type = "map of name: {topic, format: json or protobuf}",
          .meaning =
              "Where results go. The names are those that `portrait describe` lists, and `dead-letters`; one that "
              "is not given goes to the topic of its name, as `protobuf`",
          .read = ReadOutputs,
          .show = [](const Config& config) {
            return absl::StrCat("{",
                                absl::StrJoin(config.engine.outputs, ", ",
                                              [](std::string* out, const auto& output) {
                                                absl::StrAppend(out, output.output, ": ",
                                                                Shown(output.topic, output.format));
                                              }),
                                "}");
          }};
}

}  // namespace

void AddEngineSettings(std::vector<Setting>& all) {
  all.push_back(Essential(
      Scalar("application.id", KafkaName(),
             "Names this pipeline: the consumer group, and the start of its internal topics. It never changes",
             [](auto& c) -> auto& { return c.engine.application_id; })));
  all.push_back(
      Essential(Scalar("instance.id", KafkaName(),
                       "Names this process among those of the pipeline. Each has its own, and keeps it over restarts",
                       [](auto& c) -> auto& { return c.engine.instance_id; })));
  all.push_back(
      Essential(Scalar("state.dir", Text(), "The directory for the rows. Each process has its own; a local disk",
                       [](auto& c) -> auto& { return c.engine.state_dir; })));
  all.push_back(ChangesResults(Essential(Sources())));
  all.push_back(Essential(Outputs()));
  all.push_back(Essential(
      Scalar("workers", WholeBetween(1, 256),
             "Threads that process partitions, at best one for each core; more than there are partitions are of no use",
             [](auto& c) -> auto& { return c.engine.workers; })));
  all.push_back(
      Essential(Scalar("clock", OneOf<ClockMode>({{"wall", ClockMode::kWall}, {"event", ClockMode::kEvent}}),
                       "`wall`: silence counts by the clock. `event`: time is only what the events say, for history",
                       [](auto& c) -> auto& { return c.engine.clock; })));
  all.push_back(ChangesResults(Essential(
      Scalar("time_zone", ZoneName(), "Where a day begins and ends", [](auto& c) -> auto& { return c.engine.zone; }))));
  all.push_back(Essential(Scalar("commit.interval", DurationBetween(kMillisecond, seconds(30)),
                                 "How often results become visible. Shorter is sooner, longer is cheaper",
                                 [](auto& c) -> auto& { return c.engine.commit_interval; })));
  all.push_back(Scalar("checkpoint.interval", DurationBetween(kMillisecond, hours(1)),
                       "How long a changed row may stay in memory only; bounds how much a recovery replays",
                       [](auto& c) -> auto& { return c.engine.checkpoint_interval; }));
  all.push_back(
      Scalar("journal.trim.interval", DurationBetween(seconds(1), days(3650)),
             "How often what no recovery needs any more is cut off the journal; longer keeps it for a look with "
             "`portrait journal`",
             [](auto& c) -> auto& { return c.engine.journal_trim_interval; }));
  all.push_back(ChangesResults(Scalar("lateness", DurationBetween(Duration(0), days(30)),
                                      "How far events may come out of order before they count as late",
                                      [](auto& c) -> auto& { return c.engine.allowed_lateness; })));
  all.push_back(
      Scalar("merge.wait", DurationBetween(Duration(0), minutes(1)),
             "How long a source that has more to come is waited for, so that sources are read in the order of time",
             [](auto& c) -> auto& { return c.engine.merge_wait; }));
  all.push_back(
      Scalar("memory.limit", BytesBetween(100'000'000, kUnbounded),
             "Memory of the whole process: rows, RocksDB, queues. The more, the more rows are found in memory",
             [](auto& c) -> auto& { return c.engine.memory_limit; }));
  all.push_back(
      ChangesResults(Scalar("limits.record", BytesBetween(1'000, 100'000'000), "A larger record is a dead letter",
                            [](auto& c) -> auto& { return c.engine.max_record_bytes; })));
  all.push_back(ChangesResults(
      Scalar("limits.output", BytesBetween(1'000, 100'000'000),
             "A larger dead letter is cut to this; at most what the brokers accept (`message.max.bytes`)",
             [](auto& c) -> auto& { return c.engine.max_output_bytes; })));
  all.push_back(Scalar("startup.timeout", DurationBetween(seconds(1), hours(24)),
                       "How long to wait at the start for brokers that cannot be reached",
                       [](auto& c) -> auto& { return c.engine.startup_timeout; }));
  all.push_back(
      Scalar("standby.replicas", WholeBetween(0, 3),
             "How many processes may be lost for the others to have their rows at hand: each keeps, beside its "
             "own partitions, those that it would then have. 1 is useful with several processes",
             [](auto& c) -> auto& { return c.engine.standby_replicas; }));
  all.push_back(Scalar("session.timeout", DurationBetween(seconds(1), minutes(30)),
                       "A process that the brokers have not heard of for this long loses its partitions to the others; "
                       "brokers accept 6s and more unless told otherwise (`group.min.session.timeout.ms`)",
                       [](auto& c) -> auto& { return c.engine.session_timeout; }));
  all.push_back(Scalar(
      "transaction.timeout", DurationBetween(seconds(1), minutes(15)),
      "After this the brokers end the transaction of a process that has died; at least twice `commit.interval`, at "
      "most `session.timeout`",
      [](auto& c) -> auto& { return c.engine.transaction_timeout; }));
}

}  // namespace portrait

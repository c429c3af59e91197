// How the engine is to run; made from the configuration file, or by hand in tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "operators/time.h"

namespace portrait {

enum class WireFormat { kProtobuf, kJson };

struct SourceOptions {
  std::string topic;
  WireFormat format = WireFormat::kJson;  // of records without a content-type header
};

// Where the results of one type go. `output` is the name the operator declares (Description::Writes), or
// "dead-letters".
struct OutputOptions {
  std::string output;
  std::string topic;
  WireFormat format = WireFormat::kProtobuf;
};

enum class ClockMode {
  kWall,   // ticks of wall time move the watermark on when nothing comes
  kEvent,  // time is what the events say: for history
};

struct EngineOptions {
  std::string application_id = "portrait";  // consumer group, and prefix of the internal topics
  std::string instance_id =
      "portrait-1";  // static member and transactional ids begin with it; its own for each process
  int workers = 1;
  std::filesystem::path state_dir = "portrait-state";

  std::vector<SourceOptions> sources;
  std::vector<OutputOptions> outputs;  // what is not named here goes to a topic of the output's own name, as Protobuf

  Duration commit_interval = std::chrono::milliseconds(100);
  Duration checkpoint_interval =
      seconds(10);  // how long a changed row may stay unwritten; bounds the replay after a crash
  Duration journal_trim_interval = seconds(60);  // how often what no recovery needs is cut off the journal
  // A journal's tail that this other chain version has written is replayed all the same: its steps are computed by this
  // version, results already written stay. Empty: refused.
  std::string replay_tail_of;
  // For how long the changelog's topic keeps tombstones: local state that has not seen its end for half of that is
  // thrown away, since it may have missed a row's removal.
  Duration changelog_tombstones_kept = days(7);
  Duration allowed_lateness = seconds(10);
  Duration merge_wait = std::chrono::milliseconds(500);
  int rows_fired_at_once =
      64;  // rows whose timers fire between two inputs: few, so midnight does not stall live events
  int rows_swept_at_once = 64;  // after a change of rules, between two looks at the inputs: for the same reason
  ClockMode clock = ClockMode::kWall;
  absl::TimeZone zone = absl::UTCTimeZone();

  size_t memory_limit = 1'000'000'000;  // of the whole process; PlanMemory divides it into these:
  size_t cache_bytes = 256u << 20;      // of rows, all tasks together
  size_t input_bytes = 64u << 20;       // of each worker: records that wait for their turn
  size_t result_bytes = 64u << 20;   // of each worker: results of the open transaction, which is then committed early
  size_t restore_bytes = 32u << 20;  // of each worker: rows on their way from the changelog
  size_t max_record_bytes = 1'000'000;  // a larger input is a dead letter
  size_t max_output_bytes = 900'000;    // a larger dead letter is cut
  int recovery_threads = 1;             // of each worker: how many of its tasks are recovered at the same time
  Duration startup_timeout = seconds(60);
  int standby_replicas = 0;                    // losses of other processes for which this one keeps rows warm
  Duration session_timeout = seconds(10);      // a process that is not heard of for longer loses its partitions
  Duration transaction_timeout = seconds(10);  // at most session_timeout

  std::string JournalTopic() const { return application_id + ".journal"; }
  std::string ChangelogTopic() const { return application_id + ".changelog"; }
  std::string ControlTopic() const { return application_id + ".control"; }  // one partition
};

}  // namespace portrait

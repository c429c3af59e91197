// The commands of bench_tool: what a comparison needs beside its contenders. Each prints JSON, one object a line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace portrait::bench {

struct FillOptions {
  std::string brokers;
  uint64_t events = 5'000'000;
  uint64_t customers = 200'000;
  int partitions = 2;
  bool more = false;
  int64_t begin_us = 0;  // event time of the first; 0: as the sequence says
};
// Makes the topics of LeanEvents and writes the events, partitioned by customer as every contender expects it; `more`:
// the topics are there, and the events come again. Prints {"events", "bytes", "results"}.
absl::Status Fill(const FillOptions& options);

struct TopicsOptions {
  std::string brokers;
  std::vector<std::string> names;
  int partitions = 2;
};
// Makes empty topics for results.
absl::Status MakeTopics(const TopicsOptions& options);

struct WatchOptions {
  std::string brokers;
  std::string group;
  std::vector<std::string> topics;
  int partitions = 2;
  int64_t events = 0;
  int pid = 0;
  int timeout_s = 600;
};
// Ten times a second, until the group has committed all events: {"s" since the watch began, "events" committed,
// "cpu_s" of the process, "write_bytes" by it to disk}. DeadlineExceeded after the time-out, Aborted when the process
// ends early.
absl::Status Watch(const WatchOptions& options);

struct LengthOptions {
  std::string brokers;
  std::vector<std::string> topics;
  int partitions = 2;
};
// How many offsets the topics have, markers of transactions included. Prints {"records"}.
absl::Status Length(const LengthOptions& options);

struct CompareOptions {
  std::string brokers;
  std::string expected, actual;  // topics of lean results
  uint64_t results = 0;          // how many there must be
};
// Whether both topics hold the same results: each id once in both, for the same customer, with the same cause and the
// same reason. What may differ: version, emission time, and the customer's own time, which depends on the order of
// events of different topics. Prints {"results", "customers"}; FailedPrecondition names the first that differs.
absl::Status Compare(const CompareOptions& options);

struct LatencyOptions {
  std::string brokers;
  std::string output;  // a topic of lean results or of tag changes
  double rate = 1000;  // events a second
  double seconds = 30;
  double warm_up_s = 5;  // of these: results of the first are not counted
  uint64_t skip = 0;     // events of the sequence that have been sent before
  uint64_t customers = 200'000;
  bool at_wall_time = false;  // events are of the moment at which they go; else they follow those before
};
// Sends the lean work's events at an even pace, and takes the time until a reader of what is committed has the results
// that they cause. Prints {"sent" events, "results" counted, "p50_ms", "p99_ms", "p999_ms", "behind_ms": how far the
// sender itself fell behind its pace, at most, which is in the latencies; "by_second": for each second in which events
// were due, [results, p99 in ms, results of other causes that came in it]}. FailedPrecondition when no result came.
absl::Status Latency(const LatencyOptions& options);

struct BareClientOptions {
  std::string brokers;
  std::string group;
  std::vector<std::string> topics;
  std::string output;
  double every = 10;  // one record is written for so many read
  int commit_interval_ms = 100;
};
// The ceiling: consumes, parses nothing, keeps nothing, and writes every n-th record to the output, in transactions
// with the offsets. Until SIGTERM.
absl::Status BareClient(const BareClientOptions& options);

}  // namespace portrait::bench

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/tool/commands.h"
#include "pipeline/kafka/client.h"

namespace portrait::bench {
namespace {

// User and system time of all threads; nothing when the process has ended.
std::optional<double> CpuSeconds(int pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  std::istringstream fields(line.substr(line.rfind(')') + 2));  // the name before it may hold blanks
  std::string field;
  fields >> field;
  if (field == "Z" || field == "X") return std::nullopt;  // nobody has asked for its exit code yet
  for (int i = 4; i < 14; ++i) fields >> field;           // … 13: cmajflt
  int64_t user = 0, system = 0;
  fields >> user >> system;
  if (field.empty() || !fields) return std::nullopt;
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

int64_t BytesToDisk(int pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/io"));
  std::string name;
  int64_t value = 0;
  while (file >> name >> value) {
    if (name == "write_bytes:") return value;
  }
  return 0;
}

// Records of the topics that the group has committed; the topics begin at offset 0.
absl::StatusOr<int64_t> Committed(rd_kafka_t* client, const WatchOptions& options) {
  const TopicPartitionsPtr list(rd_kafka_topic_partition_list_new(4));
  for (const std::string& topic : options.topics) {
    rd_kafka_topic_partition_list_add_range(list.get(), topic.c_str(), 0, options.partitions - 1);
  }
  const rd_kafka_resp_err_t error = rd_kafka_committed(client, list.get(), 5000);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(error, absl::StrCat("offsets of group ", options.group));
  int64_t events = 0;
  for (int i = 0; i < list->cnt; ++i) events += std::max<int64_t>(0, list->elems[i].offset);
  return events;
}

}  // namespace

absl::Status Watch(const WatchOptions& options) {
  KafkaConf conf;
  // Not a member of the group; uncommitted: an open transaction does not make the answer wait.
  conf.Set("bootstrap.servers", options.brokers)
      .Set("group.id", options.group)
      .Set("client.id", "bench-watch")
      .Set("isolation.level", "read_uncommitted");
  auto client = KafkaClient::Create(RD_KAFKA_CONSUMER, std::move(conf), {.name = "watch"});
  if (!client.ok()) return client.status();

  const auto begin = std::chrono::steady_clock::now();
  while (true) {
    const auto committed = Committed((*client)->get(), options);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    const auto cpu_s = CpuSeconds(options.pid);
    if (!cpu_s) return absl::AbortedError(absl::StrCat("the contender ended early: process ", options.pid));
    if (committed.ok()) {
      std::cout << absl::StrFormat(R"({"s": %.3f, "events": %d, "cpu_s": %.2f, "write_bytes": %d})", passed.count(),
                                   *committed, *cpu_s, BytesToDisk(options.pid))
                << std::endl;
      if (*committed >= options.events) return absl::OkStatus();
    } else if (!absl::IsUnavailable(committed.status())) {
      return committed.status();
    }
    if (passed.count() > options.timeout_s) {
      return absl::DeadlineExceededError(absl::StrCat("not all events were committed within ", options.timeout_s,
                                                      " s: ", committed.value_or(0), " of ", options.events));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

absl::Status Length(const LengthOptions& options) {
  KafkaConf conf;
  conf.Set("bootstrap.servers", options.brokers).Set("client.id", "bench-length");
  auto client = KafkaClient::Create(RD_KAFKA_PRODUCER, std::move(conf), {.name = "length"});
  if (!client.ok()) return client.status();
  int64_t records = 0;
  for (const std::string& topic : options.topics) {
    for (int partition = 0; partition < options.partitions; ++partition) {
      int64_t begin = 0, end = 0;
      const rd_kafka_resp_err_t error =
          rd_kafka_query_watermark_offsets((*client)->get(), topic.c_str(), partition, &begin, &end, 10'000);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(error, absl::StrCat("ends of ", topic));
      records += end - begin;
    }
  }
  std::cout << absl::StrFormat(R"({"records": %d})", records) << std::endl;
  return absl::OkStatus();
}

}  // namespace portrait::bench

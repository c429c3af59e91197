// The part of KafkaGroupConsumer that joins, is assigned to, and leaves.
#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pipeline/kafka/errors.h"
#include "pipeline/kafka/group_consumer.h"
#include "pipeline/log.h"

namespace portrait {

// In librdkafka's callback, on the polling thread. Only noted: the listener may take long, may fail, and polling goes
// on to hand out messages of the same batch.
void KafkaGroupConsumer::NoteRebalance(rd_kafka_resp_err_t kind, const rd_kafka_topic_partition_list_t* partitions) {
  if (closing_) {
    rd_kafka_assign(client_->get(), nullptr);
    return;
  }
  TopicPartitionsPtr copy(partitions != nullptr ? rd_kafka_topic_partition_list_copy(partitions)
                                                : rd_kafka_topic_partition_list_new(0));
  rebalances_.push_back({kind, std::move(copy)});
  // Ends rd_kafka_consumer_poll at once. Never in a batch call: librdkafka 2.0.2 would lose the next message there.
  if (may_yield_) rd_kafka_yield(client_->get());
}

absl::Status KafkaGroupConsumer::ServeRebalances() {
  absl::Status status;
  while (!rebalances_.empty()) {
    const Rebalance rebalance = std::move(rebalances_.front());
    rebalances_.pop_front();
    const bool assign = rebalance.kind == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (!assign && rebalance.kind != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
      LogWarning("rebalance failed",
                 {{"instance", options_.instance_id}, {"error", rd_kafka_err2name(rebalance.kind)}});
    }
    absl::Status served = assign ? Assign(*rebalance.partitions) : Unassign();
    if (status.ok()) status = served;
  }
  return status;
}

absl::Status KafkaGroupConsumer::Assign(const rd_kafka_topic_partition_list_t& partitions) {
  const auto give_up = [&](absl::Status status) {
    rd_kafka_assign(client_->get(), nullptr);
    generation_.reset();
    return status;
  };
  auto generation = KafkaGroupGeneration::Of(client_->get());
  if (!generation.ok()) {
    // The membership was lost before the assignment was served; librdkafka joins again by itself.
    LogWarning("assignment dropped",
               {{"instance", options_.instance_id}, {"reason", std::string(generation.status().message())}});
    return give_up(absl::OkStatus());
  }
  absl::StatusOr<std::vector<int32_t>> indexes = IndexesOf(partitions);
  if (!indexes.ok()) return give_up(indexes.status());
  generation_ = *std::move(generation);
  LogInfo("partitions assigned", {{"instance", options_.instance_id},
                                  {"generation", generation_->number()},
                                  {"partitions", absl::StrJoin(*indexes, ",")}});
  absl::StatusOr<std::vector<PartitionStart>> starts = listener_->OnAssigned(*indexes);
  if (!starts.ok()) return give_up(starts.status());
  std::set<int32_t> started;
  for (const PartitionStart& start : *starts) started.insert(start.partition);
  if (starts->size() != indexes->size() || started != std::set<int32_t>(indexes->begin(), indexes->end())) {
    return give_up(absl::InternalError("the listener must name a start for each partition it was given, and no other"));
  }
  partitions_ = *std::move(indexes);
  absl::Status status = StartAt(*starts);
  return status.ok() ? status : give_up(status);
}

absl::Status KafkaGroupConsumer::StartAt(const std::vector<PartitionStart>& starts) {
  const TopicPartitionsPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(starts.size() * sources_.size())));
  for (const PartitionStart& start : starts) {
    if (start.next_offsets.size() != sources_.size()) {
      return absl::InternalError(absl::StrCat("the listener must name a start for each source of partition ",
                                              start.partition, ": ", start.next_offsets.size(), " of ",
                                              sources_.size()));
    }
    for (size_t source = 0; source < sources_.size(); ++source) {
      const int64_t offset = start.next_offsets[source];
      if (offset < 0) {
        return absl::InternalError(absl::StrCat("the listener named no offset to start at: topic ", sources_[source],
                                                ", partition ", start.partition, ", offset ", offset));
      }
      const char* topic = sources_[source].c_str();
      rd_kafka_topic_partition_list_add(list.get(), topic, start.partition)->offset = offset;
      std::vector<SourcePartition>& states = states_[source];
      if (states.size() <= static_cast<size_t>(start.partition))
        states.resize(static_cast<size_t>(start.partition) + 1);
      SourcePartition state{.assigned = true, .next = offset};
      int64_t low = -1;
      rd_kafka_get_watermark_offsets(client_->get(), topic, start.partition, &low, &state.stale_high);
      states[static_cast<size_t>(start.partition)] = state;
    }
  }
  return StatusOf(rd_kafka_assign(client_->get(), list.get()), "assign");
}

absl::Status KafkaGroupConsumer::Unassign() {
  TellListener(rd_kafka_assignment_lost(client_->get()) != 0);
  return StatusOf(rd_kafka_assign(client_->get(), nullptr), "unassign");
}

void KafkaGroupConsumer::TellListener(bool lost) {
  if (!partitions_.empty()) {
    LogInfo(lost ? "partitions lost" : "partitions revoked",
            {{"instance", options_.instance_id}, {"partitions", absl::StrJoin(partitions_, ",")}});
    if (lost) {
      generation_.reset();
      listener_->OnLost(partitions_);
    } else {
      listener_->OnRevoked(partitions_);  // may commit, with the generation
    }
  }
  generation_.reset();
  partitions_.clear();
  source_of_topic_.clear();
  for (std::vector<SourcePartition>& states : states_) states.clear();
}

absl::StatusOr<std::vector<int32_t>> KafkaGroupConsumer::IndexesOf(
    const rd_kafka_topic_partition_list_t& partitions) const {
  std::map<int32_t, std::set<int32_t>> sources_of_index;
  for (int i = 0; i < partitions.cnt; ++i) {
    const rd_kafka_topic_partition_t& entry = partitions.elems[i];
    const int32_t source = SourceOf(std::string_view(entry.topic));
    if (source < 0) return absl::InternalError(absl::StrCat("assigned a topic that is no source: ", entry.topic));
    sources_of_index[entry.partition].insert(source);
  }
  std::vector<int32_t> indexes;
  for (const auto& [index, sources] : sources_of_index) {
    for (size_t source = 0; source < sources_.size(); ++source) {
      if (sources.contains(static_cast<int32_t>(source))) continue;
      return absl::FailedPreconditionError(absl::StrCat(
          "the group splits a partition index over members; source topics need equal partition counts: topic ",
          sources_[source], " is not assigned, but another source is: partition ", index));
    }
    indexes.push_back(index);
  }
  return indexes;
}

absl::Status KafkaGroupConsumer::Close() {
  if (closed_) return absl::OkStatus();
  closed_ = true;
  if (listener_ != nullptr) TellListener(rd_kafka_assignment_lost(client_->get()) != 0);
  rebalances_.clear();
  closing_ = true;
  rd_kafka_assign(client_->get(), nullptr);  // answers a rebalance that was noted and not served
  return StatusOf(rd_kafka_consumer_close(client_->get()), "close");
}

}  // namespace portrait

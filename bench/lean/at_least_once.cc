// The switch of portrait-lean-at-least-once: it stands between the engine and librdkafka, and takes the place of its
// transactional calls. Records are written by the same producer, idempotent, but in no transaction; the offsets are
// committed by the consumer once all is delivered. So what the two programs differ by is what exactly-once costs.
//
// A benchmark's alone: the product has no such switch, and a crash would bring results twice.
#include <dlfcn.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

namespace {

std::mutex mutex;
std::vector<rd_kafka_t*> consumers;                                 // guarded by mutex
std::map<rd_kafka_t*, rd_kafka_topic_partition_list_t*> to_commit;  // by producer; guarded by mutex

template <class Function>
Function* Original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool Owns(rd_kafka_t* consumer, const rd_kafka_topic_partition_t& partition) {
  rd_kafka_topic_partition_list_t* assigned = nullptr;
  if (rd_kafka_assignment(consumer, &assigned) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  const bool owns = rd_kafka_topic_partition_list_find(assigned, partition.topic, partition.partition) != nullptr;
  rd_kafka_topic_partition_list_destroy(assigned);
  return owns;
}

void Forget(rd_kafka_t* client) {
  const std::lock_guard lock(mutex);
  std::erase(consumers, client);
  if (const auto it = to_commit.find(client); it != to_commit.end()) {
    if (it->second != nullptr) rd_kafka_topic_partition_list_destroy(it->second);
    to_commit.erase(it);
  }
}

}  // namespace

extern "C" {

rd_kafka_conf_res_t rd_kafka_conf_set(rd_kafka_conf_t* conf, const char* name, const char* value, char* why,
                                      size_t why_size) {
  if (std::string_view(name) == "transactional.id") return RD_KAFKA_CONF_OK;
  static auto* const original = Original<decltype(rd_kafka_conf_set)>("rd_kafka_conf_set");
  return original(conf, name, value, why, why_size);
}

rd_kafka_t* rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t* conf, char* why, size_t why_size) {
  static auto* const original = Original<decltype(rd_kafka_new)>("rd_kafka_new");
  rd_kafka_t* const client = original(type, conf, why, why_size);
  const std::lock_guard lock(mutex);
  if (client != nullptr && type == RD_KAFKA_CONSUMER) consumers.push_back(client);
  return client;
}

// The way in which the engine destroys its clients.
void rd_kafka_destroy_flags(rd_kafka_t* client, int flags) {
  Forget(client);
  static auto* const original = Original<decltype(rd_kafka_destroy_flags)>("rd_kafka_destroy_flags");
  original(client, flags);
}

rd_kafka_error_t* rd_kafka_init_transactions(rd_kafka_t*, int) { return nullptr; }

rd_kafka_error_t* rd_kafka_begin_transaction(rd_kafka_t*) { return nullptr; }

rd_kafka_error_t* rd_kafka_send_offsets_to_transaction(rd_kafka_t* producer,
                                                       const rd_kafka_topic_partition_list_t* offsets,
                                                       const rd_kafka_consumer_group_metadata_t*, int) {
  const std::lock_guard lock(mutex);
  rd_kafka_topic_partition_list_t*& kept = to_commit[producer];
  if (kept != nullptr) rd_kafka_topic_partition_list_destroy(kept);
  kept = rd_kafka_topic_partition_list_copy(offsets);
  return nullptr;
}

// All is delivered when the engine calls this.
rd_kafka_error_t* rd_kafka_commit_transaction(rd_kafka_t* producer, int) {
  const std::lock_guard lock(mutex);
  const rd_kafka_topic_partition_list_t* const offsets = to_commit[producer];
  if (offsets == nullptr || offsets->cnt == 0) return nullptr;
  const auto owner = std::find_if(consumers.begin(), consumers.end(),
                                  [&](rd_kafka_t* consumer) { return Owns(consumer, offsets->elems[0]); });
  if (owner == consumers.end()) return rd_kafka_error_new(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, "no consumer has them");
  const rd_kafka_resp_err_t error = rd_kafka_commit(*owner, offsets, /*async=*/0);
  return error == RD_KAFKA_RESP_ERR_NO_ERROR ? nullptr : rd_kafka_error_new(error, "%s", rd_kafka_err2str(error));
}

rd_kafka_error_t* rd_kafka_abort_transaction(rd_kafka_t*, int) {
  return rd_kafka_error_new(RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, "there is no transaction to abort");
}

}  // extern "C"

#include "pipeline/kafka/mock_cluster.h"

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/errors.h"

namespace portrait {

absl::StatusOr<std::unique_ptr<MockCluster>> MockCluster::Start(int brokers) {
  if (brokers < 1) return absl::InvalidArgumentError(absl::StrCat("a cluster needs a broker: ", brokers));
  auto host = KafkaClient::Create(RD_KAFKA_PRODUCER, KafkaConf(), {.name = "embedded-broker"});
  if (!host.ok()) return host.status();
  std::unique_ptr<MockCluster> mock(new MockCluster);
  mock->host_ = *std::move(host);
  mock->cluster_ = rd_kafka_mock_cluster_new(mock->host_->get(), brokers);
  if (mock->cluster_ == nullptr) return absl::InternalError("the embedded broker does not start");
  mock->broker_count_ = brokers;
  mock->brokers_ = rd_kafka_mock_cluster_bootstraps(mock->cluster_);
  return mock;
}

MockCluster::~MockCluster() {
  if (cluster_ != nullptr) rd_kafka_mock_cluster_destroy(cluster_);
}

absl::Status MockCluster::CreateTopic(const std::string& topic, int partitions) {
  return StatusOf(rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1),
                  absl::StrCat("create topic ", topic, " with ", partitions, " partitions"));
}

void MockCluster::FailNext(int16_t api_key, const std::vector<rd_kafka_resp_err_t>& errors) {
  rd_kafka_mock_push_request_errors_array(cluster_, api_key, errors.size(), errors.data());
}

absl::Status MockCluster::SetDown(bool down) {
  for (int id = 1; id <= broker_count_; ++id) {
    const rd_kafka_resp_err_t error =
        down ? rd_kafka_mock_broker_set_down(cluster_, id) : rd_kafka_mock_broker_set_up(cluster_, id);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(error, absl::StrCat("embedded broker ", id));
  }
  return absl::OkStatus();
}

absl::Status MockCluster::SetRoundTrip(Duration time) {
  for (int id = 1; id <= broker_count_; ++id) {
    const rd_kafka_resp_err_t error = rd_kafka_mock_broker_set_rtt(cluster_, id, TimeoutMillis(time));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(error, absl::StrCat("embedded broker ", id));
  }
  return absl::OkStatus();
}

}  // namespace portrait

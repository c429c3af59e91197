// Transactions, as the engine needs them: the port's guarantees on a real broker, lost answers on the embedded one.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/group_consumer.h"
#include "pipeline/kafka/log_reader.h"
#include "pipeline/kafka/producer.h"
#include "pipeline/kafka/transactional_producer.h"
#include "pipeline/partitioner.h"
#include "tests/kafka/test_cluster.h"

namespace portrait {
namespace {

using std::chrono::milliseconds;

constexpr int16_t kEndTxn = 26;

void Write(TransactionalProducer& producer, const std::string& topic, const std::string& value) {
  REQUIRE(producer.Write({.topic = topic, .partition = 0, .key = "k", .value = value}).ok());
}

std::unique_ptr<KafkaLogReader> NewReader(const KafkaOptions& options) {
  auto reader = KafkaLogReader::Create(options);
  REQUIRE(reader.ok());
  return *std::move(reader);
}

// The end of the log, once it is at least `end`: records and markers arrive when they like.
int64_t WaitForEnd(KafkaLogReader& reader, const std::string& topic, int64_t end) {
  for (int i = 0; i < 500; ++i) {
    const absl::StatusOr<LogRange> range = reader.Range(topic, 0, seconds(10));
    REQUIRE(range.ok());
    if (range->end >= end) return range->end;
    std::this_thread::sleep_for(milliseconds(20));
  }
  FAIL("the log never reached offset " << end);
  return -1;
}

// A member of the group with all partitions of `source`.
struct Member {
  Member(const KafkaOptions& options, const std::string& source) : listener(1) {
    auto created = KafkaGroupConsumer::Create(options);
    REQUIRE(created.ok());
    consumer = *std::move(created);
    REQUIRE(consumer->Subscribe({source}, &listener).ok());
  }
  void WaitForAssignment() {
    std::vector<Record> records;
    const absl::Status status = PollUntil(*consumer, records, [&] { return !listener.assigned.empty(); });
    INFO(status);
    REQUIRE(status.ok());
  }

  TestListener listener;
  std::unique_ptr<KafkaGroupConsumer> consumer;
};

TEST_CASE("a committed transaction is read whole") {
  const bool real = GENERATE(false, true);
  TestCluster cluster = real ? TestCluster::Real() : TestCluster::Mock();
  const std::string topic = cluster.NewTopic("out", 1);
  auto producer = NewTransactionalProducer(cluster.Options(), cluster.Unique("t"));
  std::vector<int64_t> ends;
  for (const char* values : {"ab", "cd"}) {
    REQUIRE(producer->Begin().ok());
    Write(*producer, topic, std::string(1, values[0]));
    Write(*producer, topic, std::string(1, values[1]));
    REQUIRE(producer->Commit(seconds(10)) == CommitOutcome::kCommitted);
    ends.push_back(producer->WrittenEnd(topic, 0));
    CHECK(producer->WrittenEnd(topic, 1) == -1);
  }
  CHECK(ReadAll(*NewReader(cluster.Options()), topic, 0) == "a b c d");
  CHECK(ends ==
        (real ? std::vector<int64_t>{2, 5} : std::vector<int64_t>{2, 4}));  // the embedded broker writes no markers
}

TEST_CASE("keys go to the partitions of Java's partitioner") {
  TestCluster cluster = TestCluster::Mock();
  const std::string topic = cluster.NewTopic("out", 5);
  auto producer = NewTransactionalProducer(cluster.Options(), cluster.Unique("t"));
  REQUIRE(producer->Begin().ok());
  std::map<int32_t, std::string> expected;
  for (int i = 0; i < 40; ++i) {
    const std::string key = absl::StrCat("customer-", i * 7919);
    REQUIRE(producer->Write({.topic = topic, .key = key, .value = key}).ok());
    std::string& values = expected[PartitionOf(key, 5)];
    absl::StrAppend(&values, values.empty() ? "" : " ", key);
  }
  REQUIRE(producer->Commit(seconds(10)) == CommitOutcome::kCommitted);
  auto reader = NewReader(cluster.Options());
  for (int32_t partition = 0; partition < 5; ++partition)
    CHECK(ReadAll(*reader, topic, partition) == expected[partition]);
}

TEST_CASE("an aborted transaction is never seen, also at the end of the log") {
  TestCluster cluster = TestCluster::Real();
  const std::string topic = cluster.NewTopic("out", 1);
  auto producer = NewTransactionalProducer(cluster.Options(), cluster.Unique("t"));
  auto reader = NewReader(cluster.Options());
  int64_t end = 0;
  const auto transact = [&](const std::string& value, bool commit) {
    REQUIRE(producer->Begin().ok());
    Write(*producer, topic, value);
    WaitForEnd(*reader, topic, end + 1);  // an abort takes back what is not yet sent
    end += 2;                             // the record and a marker
    if (commit) {
      REQUIRE(producer->Commit(seconds(10)) == CommitOutcome::kCommitted);
    } else {
      REQUIRE(producer->Abort(seconds(10)).ok());
    }
    WaitForEnd(*reader, topic, end);
  };
  transact("a", true);
  transact("x", false);
  transact("b", true);
  transact("y", false);
  transact("z", false);
  CHECK(ReadAll(*reader, topic, 0) == "a b");
  CHECK(reader->Range(topic, 0, seconds(10))->end == 10);
}

TEST_CASE("an open transaction holds a reader below its end until it is settled") {
  TestCluster cluster = TestCluster::Real();
  const std::string topic = cluster.NewTopic("out", 1);
  auto open = NewTransactionalProducer(cluster.Options(), cluster.Unique("open"));
  auto other = NewTransactionalProducer(cluster.Options(), cluster.Unique("other"));
  REQUIRE(other->Begin().ok());
  Write(*other, topic, "a");
  REQUIRE(other->Commit(seconds(10)) == CommitOutcome::kCommitted);

  REQUIRE(open->Begin().ok());
  Write(*open, topic, "open");
  auto reader = NewReader(cluster.Options());
  const LogRange range{0, WaitForEnd(*reader, topic, 3)};  // a, marker, open
  REQUIRE(other->Begin().ok());
  Write(*other, topic, "behind");
  REQUIRE(other->Commit(seconds(10)) == CommitOutcome::kCommitted);

  auto cursor = reader->Open(topic, 0, range.begin, range.end);
  REQUIRE(cursor.ok());
  CHECK((*cursor)->Next(seconds(10))->value().value == "a");
  CHECK(absl::IsUnavailable((*cursor)->Next(milliseconds(500)).status()));
  SECTION("by a commit") {
    REQUIRE(open->Commit(seconds(10)) == CommitOutcome::kCommitted);
    CHECK((*cursor)->Next(seconds(10))->value().value == "open");
  }
  SECTION("by an abort") { REQUIRE(open->Abort(seconds(10)).ok()); }
  SECTION("by a successor under the same id") { NewTransactionalProducer(cluster.Options(), open->transactional_id()); }
  const absl::StatusOr<std::optional<Record>> end = (*cursor)->Next(seconds(10));
  REQUIRE(end.ok());
  CHECK_FALSE(end->has_value());
}

TEST_CASE("several cursors read at once, two of them the same partition") {
  TestCluster cluster = TestCluster::Mock();
  const std::string topic = cluster.NewTopic("out", 2);
  auto producer = KafkaProducer::Create(cluster.Options());
  for (int i = 0; i < 3000; ++i) {
    REQUIRE((*producer)->Write({.topic = topic, .partition = i % 2, .value = absl::StrCat(i)}).ok());
  }
  REQUIRE((*producer)->Flush(seconds(30)).ok());
  auto reader = NewReader(cluster.Options());
  auto zero = reader->Open(topic, 0, 0, 1500), zero_again = reader->Open(topic, 0, 1000, 1500),
       one = reader->Open(topic, 1, 0, 1500);
  REQUIRE((zero.ok() && zero_again.ok() && one.ok()));
  for (int i = 0; i < 1500; ++i) {
    CHECK((*zero)->Next(seconds(10))->value().value == absl::StrCat(2 * i));
    CHECK((*one)->Next(seconds(10))->value().value == absl::StrCat(2 * i + 1));
    if (i < 500) CHECK((*zero_again)->Next(seconds(10))->value().value == absl::StrCat(2 * (i + 1000)));
  }
  CHECK_FALSE((*zero)->Next(seconds(10))->has_value());
  CHECK_FALSE((*zero_again)->Next(seconds(10))->has_value());
  CHECK_FALSE((*one)->Next(seconds(10))->has_value());
  one->reset();
  CHECK((*reader->Open(topic, 1, 1499, 1500))->Next(seconds(10))->value().value == "2999");
  CHECK(absl::IsOutOfRange(reader->Open(topic, 1, 0, 1501).status()));
}

TEST_CASE("a producer that was overtaken is fenced and its transaction never seen") {
  TestCluster cluster = TestCluster::Real();
  const std::string topic = cluster.NewTopic("out", 1), id = cluster.Unique("t");
  auto zombie = NewTransactionalProducer(cluster.Options(), id);
  REQUIRE(zombie->Begin().ok());
  Write(*zombie, topic, "zombie");
  auto successor = NewTransactionalProducer(cluster.Options(), id);
  CHECK(successor->incarnation() != zombie->incarnation());
  REQUIRE(successor->Begin().ok());
  Write(*successor, topic, "successor");
  CHECK(zombie->Commit(seconds(10)) == CommitOutcome::kFenced);
  CHECK(successor->Commit(seconds(10)) == CommitOutcome::kCommitted);
  CHECK(ReadAll(*NewReader(cluster.Options()), topic, 0) == "successor");
  CHECK(absl::IsFailedPrecondition(zombie->Begin()));
}

TEST_CASE("offsets are committed with the transaction, and awaited while it is open") {
  TestCluster cluster = TestCluster::Real();
  const std::string source = cluster.NewTopic("in", 1), out = cluster.NewTopic("out", 1);
  Member member(cluster.Options(), source);
  member.WaitForAssignment();
  KafkaGroupConsumer& consumer = *member.consumer;
  CHECK(*consumer.Committed(0, seconds(10)) == std::vector<int64_t>{-1});

  auto producer = NewTransactionalProducer(cluster.Options(), cluster.Unique("t"));
  REQUIRE(producer->Begin().ok());
  Write(*producer, out, "a");
  REQUIRE(producer->SendOffsets({source}, {{0, {7}}}, *consumer.generation()).ok());
  CHECK(absl::IsUnavailable(consumer.Committed(0, milliseconds(700)).status()));
  SECTION("a commit makes them count") {
    REQUIRE(producer->Commit(seconds(10)) == CommitOutcome::kCommitted);
    CHECK(*consumer.Committed(0, seconds(10)) == std::vector<int64_t>{7});
  }
  SECTION("an abort does not") {
    REQUIRE(producer->Abort(seconds(10)).ok());
    CHECK(*consumer.Committed(0, seconds(10)) == std::vector<int64_t>{-1});
  }
}

TEST_CASE("markers, aborted records and open transactions at the end of a source are not known to have more") {
  TestCluster cluster = TestCluster::Real();
  const std::string source = cluster.NewTopic("in", 1);
  Member member(cluster.Options(), source);
  member.WaitForAssignment();
  KafkaGroupConsumer& consumer = *member.consumer;
  auto producer = NewTransactionalProducer(cluster.Options(), cluster.Unique("t"));
  auto reader = NewReader(cluster.Options());
  std::vector<Record> records;
  const auto expect_end = [&](int64_t log_end, int64_t known_end) {
    WaitForEnd(*reader, source, log_end);
    CHECK(PollUntil(consumer, records, [&] { return consumer.EndOffset(0, 0) == known_end; }) == absl::OkStatus());
    for (int i = 0; i < 10; ++i) REQUIRE(consumer.Poll(milliseconds(30), 10, records).ok());
    CHECK(consumer.EndOffset(0, 0) == known_end);
  };

  REQUIRE(producer->Begin().ok());
  Write(*producer, source, "a");
  Write(*producer, source, "b");
  REQUIRE(producer->Commit(seconds(10)) == CommitOutcome::kCommitted);
  expect_end(3, 2);  // a, b, marker
  REQUIRE(producer->Begin().ok());
  Write(*producer, source, "x");
  expect_end(4, 2);  // and x, open
  REQUIRE(producer->Abort(seconds(10)).ok());
  expect_end(5, 2);  // and a marker
  REQUIRE(producer->Begin().ok());
  Write(*producer, source, "c");
  REQUIRE(producer->Commit(seconds(10)) == CommitOutcome::kCommitted);
  expect_end(7, 6);  // c at 5, marker
  CHECK(Values(records) == "a b c");
}

TEST_CASE("offsets of a generation that has passed are refused, and the producer goes on after an abort") {
  TestCluster cluster = TestCluster::Real();
  const std::string source = cluster.NewTopic("in", 2), out = cluster.NewTopic("out", 1);
  Member first(cluster.Options("one"), source);
  first.WaitForAssignment();
  const std::shared_ptr<const GroupGeneration> old = first.consumer->generation();
  Member second(cluster.Options("two"), source);
  std::vector<Record> records;
  REQUIRE(PollUntil(*first.consumer, records, [&] {
            REQUIRE(second.consumer->Poll(milliseconds(20), 10, records).ok());
            return second.listener.assigned.size() == 1 && first.listener.assigned.size() == 1;
          }).ok());

  auto producer = NewTransactionalProducer(cluster.Options(), cluster.Unique("t"));
  REQUIRE(producer->Begin().ok());
  Write(*producer, out, "late");
  CHECK(absl::IsAborted(producer->SendOffsets({source}, {{0, {1}}, {1, {1}}}, *old)));
  REQUIRE(producer->Abort(seconds(10)).ok());

  REQUIRE(producer->Begin().ok());
  Write(*producer, out, "in time");
  REQUIRE(producer->SendOffsets({source}, {{0, {1}}}, *first.consumer->generation()).ok());
  REQUIRE(producer->Commit(seconds(10)) == CommitOutcome::kCommitted);
  CHECK(ReadAll(*NewReader(cluster.Options()), out, 0) == "in time");
  CHECK(*first.consumer->Committed(0, seconds(10)) == std::vector<int64_t>{1});
}

TEST_CASE("offsets that would fence nothing are refused") {
  TestCluster cluster = TestCluster::Mock();
  const std::string source = cluster.NewTopic("in", 1);
  Member member(cluster.Options(), source);
  member.WaitForAssignment();
  const std::shared_ptr<const GroupGeneration> generation = member.consumer->generation();
  auto producer = NewTransactionalProducer(cluster.Options(), cluster.Unique("t"));
  REQUIRE(producer->Begin().ok());
  CHECK(producer->SendOffsets({source}, {}, *generation).message() ==
        "a transaction without offsets would not be fenced");
  CHECK(producer->SendOffsets({source}, {{0, {-1}}}, *generation).message() ==
        "not an offset: topic " + source + ", partition 0, offset -1");
  CHECK(producer->SendOffsets({source}, {{0, {}}}, *generation).message() ==
        "offsets of every source are needed: partition 0, 0 of 1");
  struct OtherGeneration final : GroupGeneration {};
  CHECK(absl::IsInvalidArgument(producer->SendOffsets({source}, {{0, {1}}}, OtherGeneration())));
}

TEST_CASE("a commit whose answer does not come is of unknown outcome, and a successor settles it") {
  TestCluster cluster = TestCluster::Mock();
  const std::string topic = cluster.NewTopic("out", 1), id = cluster.Unique("t");
  auto producer = NewTransactionalProducer(cluster.Options(), id);
  REQUIRE(producer->Begin().ok());
  Write(*producer, topic, "a");
  SECTION("every answer is an error that passes") {
    cluster.mock().FailNext(kEndTxn,
                            std::vector<rd_kafka_resp_err_t>(1000, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS));
    CHECK(producer->Commit(seconds(2)) == CommitOutcome::kUnknown);
  }
  SECTION("the connection drops each time") {
    cluster.mock().FailNext(kEndTxn, std::vector<rd_kafka_resp_err_t>(1000, RD_KAFKA_RESP_ERR__TRANSPORT));
    CHECK(producer->Commit(seconds(2)) == CommitOutcome::kUnknown);
  }
  SECTION("the answer says that the producer's id is not known: maybe it was committed before") {
    cluster.mock().FailNext(kEndTxn, {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING});
    CHECK(producer->Commit(seconds(2)) == CommitOutcome::kUnknown);
  }
  SECTION("the answer is nothing we know") {
    cluster.mock().FailNext(kEndTxn, {RD_KAFKA_RESP_ERR_UNKNOWN});
    CHECK(producer->Commit(seconds(2)) == CommitOutcome::kUnknown);
  }
  producer.reset();
  cluster.mock().FailNext(kEndTxn, {});
  auto successor = NewTransactionalProducer(cluster.Options(), id);
  REQUIRE(successor->Begin().ok());
  Write(*successor, topic, "b");
}

TEST_CASE("a producer may be thrown away at any moment of a transaction") {
  TestCluster cluster = TestCluster::Mock();
  const std::string id = cluster.Unique("t");
  for (int i = 0; i < 60; ++i) {
    const std::string topic = cluster.NewTopic(absl::StrCat("out-", i), 1);
    auto producer = NewTransactionalProducer(cluster.Options(), id);
    REQUIRE(producer->Begin().ok());
    Write(*producer, topic, "a");
    std::this_thread::sleep_for(std::chrono::microseconds(i * 100));
  }
}

TEST_CASE("a commit that meets a passing error succeeds when it is tried again") {
  TestCluster cluster = TestCluster::Mock();
  const std::string topic = cluster.NewTopic("out", 1);
  auto producer = NewTransactionalProducer(cluster.Options(), cluster.Unique("t"));
  REQUIRE(producer->Begin().ok());
  Write(*producer, topic, "a");
  cluster.mock().FailNext(kEndTxn, {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR__TRANSPORT,
                                    RD_KAFKA_RESP_ERR_NOT_COORDINATOR});
  CHECK(producer->Commit(seconds(20)) == CommitOutcome::kCommitted);
}

TEST_CASE("a record that cannot be delivered aborts the transaction") {
  TestCluster cluster = TestCluster::Mock();
  const std::string topic = cluster.NewTopic("out", 1);
  auto producer = NewTransactionalProducer(cluster.Options(), cluster.Unique("t"));
  REQUIRE(producer->Begin().ok());
  SECTION("because the client may not send it") {
    const std::string huge(2'000'000, 'x');
    CHECK(absl::IsInvalidArgument(producer->Write({.topic = topic, .partition = 0, .value = huge})));
    REQUIRE(producer->Abort(seconds(10)).ok());
  }
  SECTION("because the broker refuses it") {
    Write(*producer, topic, "refused");
    cluster.mock().FailNext(/*Produce*/ 0, std::vector<rd_kafka_resp_err_t>(1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
    CHECK(producer->Commit(seconds(10)) == CommitOutcome::kAborted);
  }
  // The refused record leaves a gap in the sequence numbers, which may cost one more transaction.
  CommitOutcome outcome = CommitOutcome::kAborted;
  for (int i = 0; i < 2 && outcome == CommitOutcome::kAborted; ++i) {
    REQUIRE(producer->Begin().ok());
    Write(*producer, topic, "next");
    outcome = producer->Commit(seconds(10));
  }
  CHECK(outcome == CommitOutcome::kCommitted);
}

TEST_CASE("a transaction that stays open too long is aborted by the coordinator and fences its producer") {
  TestCluster cluster = TestCluster::Real();
  const std::string topic = cluster.NewTopic("out", 1);
  KafkaOptions options = cluster.Options();
  options.transaction_timeout = seconds(1);
  auto producer = NewTransactionalProducer(options, cluster.Unique("t"));
  REQUIRE(producer->Begin().ok());
  Write(*producer, topic, "slow");
  std::this_thread::sleep_for(milliseconds(500));         // the broker has it
  CHECK(ReadAll(*NewReader(options), topic, 0).empty());  // waits until it is settled
  CHECK(producer->Commit(seconds(10)) == CommitOutcome::kFenced);
}

TEST_CASE("a producer waits for a coordinator that is away") {
  TestCluster cluster = TestCluster::Mock();
  REQUIRE(cluster.mock().SetDown(true).ok());
  auto producer = KafkaTransactionalProducer::Create(cluster.Options(), cluster.Unique("t"));
  REQUIRE(producer.ok());
  CHECK(absl::IsUnavailable((*producer)->Init(milliseconds(500))));
  REQUIRE(cluster.mock().SetDown(false).ok());
  absl::Status status = absl::UnavailableError("");
  for (int i = 0; i < 30 && absl::IsUnavailable(status); ++i) status = (*producer)->Init(seconds(1));
  CHECK(status == absl::OkStatus());
}

}  // namespace
}  // namespace portrait

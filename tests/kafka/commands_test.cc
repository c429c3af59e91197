// The commands around the engine, against the embedded broker and the real one.
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "operators/testing/harness.h"
#include "pipeline/cli/program.h"
#include "pipeline/kafka/producer.h"
#include "pipeline/kafka/tail.h"
#include "pipeline/partitioner.h"
#include "portrait/v1/result.pb.h"
#include "tests/kafka/test_cluster.h"

namespace portrait {
namespace {

struct Done {
  int code = 0;
  std::string out, err;
};

// Runs the program in this process, as from a shell.
Done Portrait(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "portrait");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  std::ostringstream out, err;
  auto* const out_before = std::cout.rdbuf(out.rdbuf());
  auto* const err_before = std::cerr.rdbuf(err.rdbuf());
  Done done{.code = Main(static_cast<int>(argv.size()), argv.data())};
  std::cout.rdbuf(out_before);
  std::cerr.rdbuf(err_before);
  done.out = out.str();
  done.err = err.str();
  return done;
}

// A cluster with topics of this test only, and the configuration that names them.
class Shop {
 public:
  explicit Shop(bool real) : cluster(real ? TestCluster::Real() : TestCluster::Mock()), real_(real) {
    folder_ = std::filesystem::temp_directory_path() / absl::StrCat("portrait-commands-", getpid(), "-", ++made_);
    std::filesystem::create_directories(folder_);
    std::string yaml = absl::StrCat("brokers: ", cluster.Options().brokers,
                                    "\napplication: {id: ", cluster.Unique("shop"), "}\nsources:\n");
    for (const char* source : {"browsing", "email", "purchases", "service", "profile"})
      absl::StrAppend(&yaml, "  - {topic: ", cluster.Unique(source), "}\n");
    absl::StrAppend(&yaml, "outputs:\n");
    for (const char* output : {"tag-changes", "churn-alerts", "dead-letters"})
      absl::StrAppend(&yaml, "  ", output, ": {topic: ", cluster.Unique(output), "}\n");
    std::ofstream(File("portrait.yaml")) << yaml;
  }
  ~Shop() { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& name) const { return (folder_ / name).string(); }

  // Runs a command with this shop's configuration.
  Done Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin() + 1, {"--config", File("portrait.yaml")});
    return Portrait(arguments);
  }

  // The embedded broker makes topics only from inside.
  void MakeTopics(int partitions) {
    if (real_) {
      const Done done = Run({"topics", "--create", "--partitions", std::to_string(partitions), "--replication", "1"});
      INFO(done.out << done.err);
      REQUIRE(done.code == 0);
      return;
    }
    for (const char* topic :
         {"browsing", "email", "purchases", "service", "profile", "tag-changes", "churn-alerts", "dead-letters"}) {
      REQUIRE(cluster.mock().CreateTopic(cluster.Unique(topic), partitions).ok());
    }
    for (const char* topic : {".journal", ".changelog"})
      REQUIRE(cluster.mock().CreateTopic(cluster.Unique("shop") + topic, partitions).ok());
  }

  void Write(const std::string& topic, const google::protobuf::Message& result, std::string_view key) {
    auto producer = KafkaProducer::Create(cluster.Options());
    REQUIRE(producer.ok());
    const std::string value = result.SerializeAsString();
    NewRecord record{.topic = topic, .key = key, .value = value};
    record.headers.push_back({"content-type", "application/x-protobuf"});
    REQUIRE((*producer)->Write(record).ok());
    REQUIRE((*producer)->Flush(seconds(30)).ok());
  }

  // All records of a topic: "partition key=value time headers" a line.
  std::vector<Record> Read(const std::string& topic) {
    std::vector<Record> records;
    auto tail = KafkaTail::Open(cluster.Options("reader"), topic, KafkaTail::Start::Beginning(), seconds(20));
    REQUIRE(tail.ok());
    while (!(*tail)->at_end()) {
      auto record = (*tail)->Next(std::chrono::milliseconds(100));
      REQUIRE(record.ok());
      if (record->has_value()) records.push_back(**std::move(record));
    }
    return records;
  }

  TestCluster cluster;

 private:
  static inline int made_ = 0;
  bool real_;
  std::filesystem::path folder_;
};

TEST_CASE("topics says what is missing, creates it, and is content then", "[commands]") {
  Shop shop(/*real=*/true);
  const Done missing = shop.Run({"topics"});
  CHECK(missing.code == 1);
  CHECK(missing.out.find(absl::StrCat("missing   ", shop.cluster.Unique("purchases"), ": does not exist\n")) !=
        std::string::npos);
  CHECK(missing.err.find("--create makes what is missing: 11") != std::string::npos);
  const Done created = shop.Run({"topics", "--create", "--partitions", "3", "--replication", "1"});
  INFO(created.out << created.err);
  CHECK(created.code == 0);
  const Done again = shop.Run({"topics"});
  CHECK(again.code == 0);
  CHECK(again.out.find(absl::StrCat("exists    ", shop.cluster.Unique("purchases"))) != std::string::npos);
  CHECK(again.out.find("WRONG") == std::string::npos);
  CHECK(again.out.find("doubtful") == std::string::npos);
}

TEST_CASE("topics finds what is wrong with those that exist", "[commands]") {
  Shop shop(/*real=*/true);
  shop.cluster.NewTopic("purchases", 3, {{"retention.ms", "604800000"}});
  shop.cluster.NewTopic("email", 4, {{"message.timestamp.type", "LogAppendTime"}});
  const Done done = shop.Run({"topics"});
  CHECK(done.code == 1);
  CHECK(done.out.find(absl::StrCat("doubtful  ", shop.cluster.Unique("purchases"), ": records older than 7.0 days")) !=
        std::string::npos);
  CHECK(done.out.find(absl::StrCat("partition count differs: ", shop.cluster.Unique("email"), " 4, ",
                                   shop.cluster.Unique("purchases"), " 3")) != std::string::npos);
}

TEST_CASE("imported rows arrive, each once, in the partition of their key and with their time", "[commands]") {
  Shop shop(GENERATE(false, true));
  shop.MakeTopics(3);
  std::string rows = "customer,when,amount\n";
  for (int i = 0; i < 2000; ++i) absl::StrAppend(&rows, "customer", i % 97, ",1997-0", 1 + i % 9, "-01,", i, ".50\n");
  std::ofstream(shop.File("sales.csv")) << rows << "broken row\n";
  const Done done = shop.Run({"import", "--topic", shop.cluster.Unique("purchases"), "--customer", "customer", "--time",
                              "when", "--event", "order_completed", "--field", "total=amount", "--field",
                              "currency==USD", shop.File("sales.csv")});
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(done.err.find(
            "       2 001 rows read\n       2 000 events sent\n           1 rejected\n           1   ragged\n") !=
        std::string::npos);
  int64_t sum = 0;
  std::set<std::string> ids;
  size_t astray = 0;
  for (const Record& record : shop.Read(shop.cluster.Unique("purchases"))) {
    Event event;
    REQUIRE(event.ParseFromArray(record.value->data(), static_cast<int>(record.value->size())));
    ids.insert(event.event_id());
    sum += event.order_completed().total_micros();
    astray += record.partition != PartitionOf(*record.key, 3) || *record.key != event.customer_id();
  }
  CHECK(ids.size() == 2000);
  CHECK(sum == int64_t{1000} * 2000 * 1'000'000);  // 0.5 + 1.5 + ... + 1999.5
  CHECK(astray == 0);
}

TEST_CASE("generated events arrive, dirt included", "[commands]") {
  Shop shop(GENERATE(false, true));
  shop.MakeTopics(2);
  const Done done = shop.Run({"generate", "--topic", shop.cluster.Unique("browsing"), "--customers", "20", "--limit",
                              "500", "--dirt", "0.2", "--from", "2026-01-01"});
  INFO(done.err);
  REQUIRE(done.code == 0);
  size_t dirt = 0;
  for (const absl::string_view line : absl::StrSplit(done.err, '\n')) {
    const size_t at = line.find("dirt added: ");
    if (at == absl::string_view::npos) continue;
    size_t count = 0;
    REQUIRE(absl::SimpleAtoi(line.substr(line.rfind(' ') + 1), &count));
    dirt += count;
  }
  CHECK(dirt > 50);
  CHECK(shop.Read(shop.cluster.Unique("browsing")).size() == 500 + dirt);
}

TEST_CASE("events to a topic that does not exist go nowhere, and the topic is named", "[commands]") {
  Shop shop(GENERATE(false, true));
  const Done done = shop.Run({"generate", "--topic", "no-such-topic", "--limit", "5"});
  CHECK(done.code == 1);
  CHECK(done.err.find("no such topic: no-such-topic; `portrait topics --create` makes what is missing") !=
        std::string::npos);
}

v1::TagChange Change(const std::string& customer, const std::string& tag) {
  v1::TagChange change;
  change.mutable_info()->set_customer_id(customer);
  change.mutable_info()->set_event_time_us(ToMicros(At("2026-01-31 12:00")));
  change.mutable_info()->add_reasons()->set_text("no activity for 60 days");
  change.set_tag(tag);
  change.set_after(true);
  return change;
}

TEST_CASE("tail shows results as lines and as JSON, filtered", "[commands]") {
  Shop shop(GENERATE(false, true));
  shop.MakeTopics(1);
  const std::string topic = shop.cluster.Unique("tag-changes");
  shop.Write(topic, Change("anna", "silent"), "anna");
  shop.Write(topic, Change("bert", "silent"), "bert");
  shop.Write(topic, Change("anna", "lost"), "anna");
  CHECK(shop.Run({"tail", "tag-changes", "--from-beginning", "--exit"}).out ==
        "2026-01-31 12:00  anna  + silent  because no activity for 60 days\n"
        "2026-01-31 12:00  bert  + silent  because no activity for 60 days\n"
        "2026-01-31 12:00  anna  + lost  because no activity for 60 days\n");
  CHECK(shop.Run({"tail", "--from-beginning", "--exit", "--customer", "anna", "--tag", "lost"}).out ==
        "2026-01-31 12:00  anna  + lost  because no activity for 60 days\n");
  CHECK(shop.Run({"tail", topic, "--from-beginning", "--json", "--limit", "1"}).out.starts_with("{\"info\":{"));
  const Done unknown = shop.Run({"tail", "gossip"});
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find("no such output: gossip; there are: churn-alerts, tag-changes, dead-letters") !=
        std::string::npos);
}

v1::DeadLetter Letter(const std::string& code, const std::string& topic, const std::string& value) {
  v1::DeadLetter letter;
  letter.set_code(code);
  letter.set_text("because of a test");
  letter.set_topic(topic);
  letter.set_partition(1);
  letter.set_offset(7);
  letter.set_timestamp_us(ToMicros(At("2026-01-31 12:00")));
  letter.set_has_key(true);
  letter.set_key("anna");
  letter.set_value(value);
  auto* header = letter.add_headers();
  header->set_name("content-type");
  header->set_value("application/json");
  return letter;
}

TEST_CASE("dead letters are shown, counted, and sent again as they were", "[commands]") {
  Shop shop(GENERATE(false, true));
  shop.MakeTopics(3);
  const std::string letters = shop.cluster.Unique("dead-letters"), purchases = shop.cluster.Unique("purchases");
  shop.Write(letters, Letter("wrong_partition", purchases, "{\"first\":1}"), "anna");
  shop.Write(letters, Letter("malformed_json", purchases, "{broken"), "anna");
  shop.Write(letters, Letter("wrong_partition", purchases, "{\"second\":2}"), "anna");
  CHECK(
      shop.Run({"dead-letters", "count"}).out.starts_with("           3 dead letters\n           1  malformed_json, "));
  CHECK(shop.Run({"dead-letters", "list", "--code", "malformed_json"}).out ==
        absl::StrCat("2026-01-31 12:00  ", purchases, "/1@7  ! malformed_json: because of a test (7 bytes)\n"));
  CHECK(shop.Run({"dead-letters", "resend"}).code == 2);
  CHECK(shop.Run({"dead-letters", "resend", "--code", "wrong_partition", "--dry-run"})
            .out.starts_with("2 records would be sent again\n"));
  CHECK(shop.Read(purchases).empty());
  const Done done = shop.Run({"dead-letters", "resend", "--code", "wrong_partition"});
  INFO(done.err);
  CHECK(done.out == absl::StrCat("2 records sent again\n  to ", purchases, "  2\n"));
  std::string told;
  for (const Record& record : shop.Read(purchases)) {
    REQUIRE(record.headers.size() == 1);
    absl::StrAppend(&told, record.partition == PartitionOf("anna", 3) ? "right partition " : "wrong partition ",
                    std::string(*record.key), " ", std::string(*record.value), " ", std::string(record.headers[0].name),
                    "=", std::string(*record.headers[0].value), "\n");
  }
  CHECK(told ==
        "right partition anna {\"first\":1} content-type=application/json\n"
        "right partition anna {\"second\":2} content-type=application/json\n");
}

}  // namespace
}  // namespace portrait

#include "pipeline/tools/demo.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/kafka/topics.h"
#include "pipeline/service/kafka_client_options.h"
#include "pipeline/tools/dirt.h"
#include "pipeline/tools/kafka_sink.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/result_text.h"
#include "pipeline/tools/topic_plan.h"

namespace portrait {

namespace {

constexpr Duration kLook = std::chrono::milliseconds(20);
constexpr size_t kWatchedMost = 1500;
constexpr int kStoryOrders = 4, kStoryOrdersMost = 14;

// Counts the events of the population, and lets the story book remember them.
class WatchedStream final : public EventStream {
 public:
  WatchedStream(EventStream* events, StoryBook* stories, std::mutex* mutex,
                uint64_t* orders)  // NOLINT(readability-non-const-parameter): counted through the reference
      : events_(*events), stories_(*stories), mutex_(*mutex), orders_(*orders) {}
  bool Next(Event& event) override {
    if (!events_.Next(event)) return false;
    orders_ += event.has_order_completed();
    const std::scoped_lock lock(mutex_);
    stories_.Add(event);
    return true;
  }

 private:
  EventStream& events_;
  StoryBook& stories_;
  std::mutex& mutex_;
  uint64_t& orders_;
};

EventTopics TopicsOf(const Config& config) {
  const auto& sources = config.engine.sources;
  return {.browsing = sources[0].topic,
          .email = sources[1].topic,
          .purchases = sources[2].topic,
          .service = sources[3].topic,
          .profile = sources[4].topic};
}

std::vector<std::string> SourceNames(const Config& config) {
  std::vector<std::string> names;
  names.reserve(config.engine.sources.size());
  for (const SourceOptions& source : config.engine.sources) names.push_back(source.topic);
  return names;
}

}  // namespace

Config DemoConfig(const Config& base, const DemoPlace& place, const std::vector<ResultTopic>& results,
                  const std::filesystem::path& state_dir) {
  Config config = base;
  config.engine.application_id = place.application_id;
  config.engine.instance_id = place.application_id + "-1";
  config.engine.clock = ClockMode::kEvent;
  // Days go by in a second here, so a moment's delay between two topics is days of event time.
  config.engine.allowed_lateness = days(7);
  config.engine.state_dir = state_dir;
  config.engine.sources.clear();
  for (const char* source :
       {"browsing-events", "email-events", "purchase-events", "service-events", "profile-events"}) {
    config.engine.sources.push_back({place.topic_prefix + source, WireFormat::kJson});
  }
  config.engine.outputs.clear();
  for (const ResultTopic& result : results)
    config.engine.outputs.push_back({result.output, place.topic_prefix + result.output, WireFormat::kProtobuf});
  return config;
}

absl::Status CreateDemoTopics(const Config& config, int partitions, MockCluster* mock) {
  std::vector<std::string> outputs;
  outputs.reserve(config.engine.outputs.size());
  for (const OutputOptions& output : config.engine.outputs) outputs.push_back(output.topic);
  const auto planned = PlanTopics(config.engine, outputs, {.partitions = partitions, .replication = -1});
  if (mock != nullptr) {
    absl::Status status;
    for (const PlannedTopic& topic : planned) status.Update(mock->CreateTopic(topic.name, topic.partitions));
    return status;
  }
  auto admin = KafkaTopics::Create(KafkaClientOptions(config, "demo-topics"));
  if (!admin.ok()) return admin.status();
  std::vector<NewTopic> topics;
  topics.reserve(planned.size());
  for (const PlannedTopic& topic : planned) {
    topics.push_back({.name = topic.name,
                      .partitions = topic.partitions,
                      .replication = topic.replication,
                      .configs = topic.configs});
  }
  return (*admin)->CreateAll(topics, seconds(30));
}

std::string DemoConfigYaml(const Config& config) {
  std::string yaml = absl::StrCat(
      "# Written by `portrait demo`, for the other commands to look at it.\nbrokers: ", config.kafka.brokers,
      "\napplication: {id: ", config.engine.application_id, "}\nclock: event\nlateness: 7d\nsources:\n");
  for (const SourceOptions& source : config.engine.sources) absl::StrAppend(&yaml, "  - {topic: ", source.topic, "}\n");
  absl::StrAppend(&yaml, "outputs:\n");
  for (const OutputOptions& output : config.engine.outputs)
    absl::StrAppend(&yaml, "  ", output.output, ": {topic: ", output.topic, "}\n");
  return yaml;
}

Demo::Demo(DemoOptions options, const Chain& chain, const StopSignal& stop)
    : options_(std::move(options)),
      chain_(chain),
      stop_(stop),
      results_(ResultTopics(chain, options_.config.engine)),
      stories_(ChooseWatched()) {}

Demo::~Demo() { static_cast<void>(Stop()); }

absl::flat_hash_set<std::string> Demo::ChooseWatched() const {
  absl::flat_hash_set<std::string> watched;
  std::map<std::string, int> orders;
  for (const GivenPurchase& purchase : options_.purchases) ++orders[purchase.customer_id];
  for (const auto& [customer, count] : orders) {
    if (count >= kStoryOrders && count <= kStoryOrdersMost && watched.size() < kWatchedMost) watched.insert(customer);
  }
  for (uint32_t i = 1;
       options_.purchases.empty() && i <= std::min<uint32_t>(options_.population.customers, kWatchedMost); ++i) {
    watched.insert(absl::StrFormat("%s%06d", options_.population.id_prefix, i));
  }
  return watched;
}

absl::Status Demo::StartEngine() {
  if (options_.view) {
    auto view = options_.view({options_.config, chain_, metrics_, health_});
    if (!view.ok()) return view.status();
    view_ = *std::move(view);
  }
  auto ports = KafkaPorts::Connect(options_.config);
  if (!ports.ok()) return ports.status();
  ports_ = *std::move(ports);
  Divide(ports_->memory_plan(), options_.config.engine);
  engine_ = std::make_unique<Engine>(chains_, options_.config.engine, *ports_, metrics_, health_,
                                     view_ ? view_->results() : nullptr);
  if (view_) {
    auto members = ports_->NewMembers();
    if (!members.ok()) return members.status();
    view_->Attach(*engine_, chains_, ports_->partitions(), *std::move(members));
  }
  engine_->Start();
  waiter_ = std::thread([this] {
    absl::Status status = engine_->Wait();
    const std::scoped_lock lock(mutex_);
    engine_status_ = std::move(status);
    ended_ = true;
  });
  return absl::OkStatus();
}

absl::Status Demo::CheckRunning() const {
  if (stop_.raised()) return absl::CancelledError("stopped");
  const std::scoped_lock lock(mutex_);
  if (!reader_status_.ok()) return reader_status_;
  if (ended_) return absl::AbortedError(absl::StrCat("the engine has ended: ", engine_status_.message()));
  return absl::OkStatus();
}

uint64_t Demo::Received() const {
  double sum = 0;
  for (const SourceOptions& source : options_.config.engine.sources) sum += metrics_.RecordsIn(source.topic).Value();
  return static_cast<uint64_t>(sum);
}

uint64_t Demo::Written() const {
  double sum = 0;
  for (const ResultTopic& result : results_) sum += metrics_.RecordsOut(result.topic).Value();
  return static_cast<uint64_t>(sum);
}

Demo::Counts Demo::counts() const {
  Counts counts{.sent = sent_,
                .orders = orders_,
                .events = sent_events_,
                .duplicates_sent = duplicates_sent_,
                .received = Received(),
                .results = Written(),
                .read = read_};
  counts.duplicates = static_cast<uint64_t>(metrics_.duplicate_events.Value());
  counts.late = static_cast<uint64_t>(metrics_.late_events.Value());
  const std::scoped_lock lock(mutex_);
  counts.dead_letters = tally_.dead_letters();
  return counts;
}

std::string Demo::Note() const {
  return absl::StrCat(ShortCount(sent_), " events sent, ", ShortCount(Received()), " in, ", ShortCount(read_),
                      " results");
}

absl::Status Demo::Send() {
  auto kafka = KafkaSink::Open(options_.config, "demo", SourceNames(options_.config));
  if (!kafka.ok()) return kafka.status();
  DirtySink dirty({.rate = options_.dirt, .seed = options_.population.seed}, kafka->get());
  EventWriter writer({.format = WireFormat::kProtobuf, .topics = TopicsOf(options_.config)}, &dirty);
  Population population(options_.population, options_.purchases);
  WatchedStream events(&population, &stories_, &mutex_, &orders_);
  ProgressBar bar("demo", {.total = static_cast<uint64_t>((population.end() - population.begin()).count())});
  const auto dirt = [&] {
    uint64_t sum = 0;
    for (size_t i = 0; i < kDirtKinds; ++i) sum += dirty.count(static_cast<Dirt>(i));
    return sum;
  };
  Event event;
  while (events.Next(event)) {
    if (absl::Status status = writer.Write(event); !status.ok()) return status;
    sent_ = writer.events() + dirt();
    if (sent_ % 500 != 0) continue;
    do {
      if (absl::Status status = CheckRunning(); !status.ok()) return status;
      bar.Update(static_cast<uint64_t>(event.event_time_us() - ToMicros(population.begin())), Note());
      if (sent_ - Received() <= options_.in_flight_most) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    } while (true);
  }
  sent_ = writer.events() + dirt();
  sent_by_topic_ = writer.by_topic();
  sent_events_ = writer.events();
  duplicates_sent_ = dirty.count(Dirt::kDuplicate);
  for (size_t i = 0; i < kDirtKinds; ++i) {
    const auto kind = static_cast<Dirt>(i);
    if (dirty.count(kind) > 0)
      absl::StrAppendFormat(&dirt_text_, "  %-24s %12s\n", std::string(DirtName(kind)), LongCount(dirty.count(kind)));
  }
  if (absl::Status status = (*kafka)->Finish(); !status.ok()) return status;
  bar.Update(static_cast<uint64_t>((population.end() - population.begin()).count()), Note());
  return absl::OkStatus();
}

absl::Status Demo::WaitUntilApplied() {
  // The mock cluster may drop what nobody has read yet; then the counts never meet, and an idle engine says so.
  int idle_looks = 0;
  while (true) {
    if (absl::Status status = CheckRunning(); !status.ok()) return status;
    const bool idle = engine_->Idle() && Received() >= sent_;
    if (idle && read_ >= Written() && ++idle_looks > 5) return absl::OkStatus();
    if (engine_->Idle() && ++idle_looks > 500) return absl::OkStatus();
    if (!engine_->Idle()) idle_looks = 0;
    std::this_thread::sleep_for(kLook);
  }
}

void Demo::Take(const google::protobuf::Message& result) {
  const std::scoped_lock lock(mutex_);
  if (result.GetDescriptor() == v1::TagChange::descriptor()) {
    const auto& change = static_cast<const v1::TagChange&>(result);
    stories_.Add(change);
    tally_.Add(change);
  } else if (result.GetDescriptor() == v1::ChurnAlert::descriptor()) {
    const auto& alert = static_cast<const v1::ChurnAlert&>(result);
    stories_.Add(alert);
    tally_.Add(alert);
  } else if (result.GetDescriptor() == v1::DeadLetter::descriptor()) {
    tally_.Add(static_cast<const v1::DeadLetter&>(result));
  }
}

void Demo::ReadResults(ResultReader& reader) {
  while (!reader_stop_) {
    auto result = reader.Next(std::chrono::milliseconds(100));
    if (absl::IsUnavailable(result.status())) continue;
    absl::Status status = result.status();
    if (status.ok() && !result->has_value()) continue;
    if (status.ok()) {
      const auto message = DecodeResult(*(*result)->topic->type, (*result)->record);
      status = message.status();
      if (status.ok()) Take(**message);
      ++read_;
    }
    if (status.ok()) continue;
    const std::scoped_lock lock(mutex_);
    reader_status_ = status;
    return;
  }
}

absl::Status Demo::Run(std::ostream& out) {
  const SystemClock clock;
  const Duration began = clock.Monotonic();
  auto reader = ResultReader::Open(options_.config, "demo-results", results_, KafkaTail::Start::Beginning());
  if (!reader.ok()) return reader.status();
  reader_ = std::thread([this, reader = std::shared_ptr<ResultReader>(*std::move(reader))] { ReadResults(*reader); });
  absl::Status status = StartEngine();
  if (status.ok()) status = Send();
  if (status.ok()) status = WaitUntilApplied();
  reader_stop_ = true;
  reader_.join();
  if (!status.ok()) return status;
  Tell(out, std::chrono::duration<double>(clock.Monotonic() - began).count());
  return absl::OkStatus();
}

absl::Status Demo::Stop() {
  reader_stop_ = true;
  if (reader_.joinable()) reader_.join();
  if (engine_ == nullptr) return absl::OkStatus();
  engine_->Stop();
  if (waiter_.joinable()) waiter_.join();
  if (view_) view_->Detach();
  const std::scoped_lock lock(mutex_);
  return engine_status_;
}

void Demo::Tell(std::ostream& out, double took_s) const {
  const Counts all = counts();
  const std::scoped_lock lock(mutex_);
  out << absl::StrFormat("\nEvents: %s in %.1f s, from %s\n", LongCount(all.sent), took_s,
                         options_.purchases.empty() ? "a made-up population"
                                                    : "real purchases with made-up browsing and mail around them");
  for (const auto& [topic, count] : sent_by_topic_) out << absl::StrFormat("  %-24s %12s\n", topic, LongCount(count));
  out << absl::StrFormat("  %-24s %12s\n", "of them orders", LongCount(all.orders));
  if (!dirt_text_.empty()) out << "Dirt sent with them, on purpose\n" << dirt_text_;
  out << "\nWhat the engine made of them\n"
      << absl::StrFormat("  %-24s %12s\n", "received", LongCount(all.received))
      << absl::StrFormat("  %-24s %12s\n", "duplicates dropped", LongCount(all.duplicates))
      << absl::StrFormat("  %-24s %12s\n", "late, counted still", LongCount(all.late))
      << absl::StrFormat("  %-24s %12s\n", "dead letters", LongCount(all.dead_letters)) << tally_.LettersText();
  if (all.received != all.sent)
    out << "  " << LongCount(all.sent - all.received) << " events never arrived: the broker dropped them\n";
  if (all.read != all.results)
    out << "  results written " << LongCount(all.results) << ", read " << LongCount(all.read) << "\n";
  out << "\nTags\n" << tally_.TagsText() << "\nChurn alerts\n" << tally_.AlertsText();
  const std::vector<std::string> chosen = stories_.Choose(options_.stories);
  if (!chosen.empty()) out << "\nStories\n";
  for (const std::string& customer : chosen) out << stories_.Tell(customer) << "\n";
  out << std::flush;
}

}  // namespace portrait

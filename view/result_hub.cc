#include "view/result_hub.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "pipeline/absl_view.h"
#include "view/findings.h"
#include "view/result_json.h"

namespace portrait::view {
namespace {

constexpr size_t kIncomingBytes = 16u << 20;  // handed over and not yet taken; more is a gap
constexpr size_t kEntryBytes = 256;           // of an entry beside its texts
constexpr size_t kLatenciesMost = 100'000;

template <class Result>
std::optional<Result> Parsed(const std::string& bytes) {
  Result result;
  if (!result.ParseFromString(bytes)) return std::nullopt;
  return result;
}

std::string Event(std::string_view name, std::string_view id, const Json& data) {
  std::string out;
  if (!id.empty()) absl::StrAppend(&out, "id: ", AbslView(id), "\n");
  absl::StrAppend(&out, "event: ", AbslView(name), "\ndata: ", Dump(data), "\n\n");
  return out;
}

}  // namespace

class ResultHub::Stream final : public TextStream {
 public:
  Stream(ResultHub& hub, StreamFilter filter, uint64_t next, std::string first)
      : hub_(hub), filter_(std::move(filter)), next_(next), first_(std::move(first)) {
    hub_.streams_.insert(this);
  }
  ~Stream() override { hub_.streams_.erase(this); }

  std::optional<std::string> Take(size_t bytes) override {
    std::string out = std::exchange(first_, {});
    if (next_ < hub_.oldest()) return std::nullopt;
    // Numbers follow one another without a hole.
    for (size_t i = next_ - hub_.oldest(); i < hub_.ring_.size() && out.size() < bytes; ++i, ++next_) {
      Entry& entry = hub_.ring_[i];
      if (Passes(entry)) out += hub_.TextOf(entry, filter_.masked);
    }
    return out;
  }
  void OnReady(std::function<void()> wake) override { wake_ = std::move(wake); }
  void Wake() const {
    if (wake_) wake_();
  }

 private:
  bool Passes(Entry& entry) {
    if (entry.gap) return true;
    if (entry.alert ? !filter_.alerts : !filter_.changes) return false;
    if (!filter_.customers.empty() && !filter_.customers.contains(entry.customer)) return false;
    hub_.Read(entry);
    if (!entry.alert) return filter_.tags.empty() || filter_.tags.contains(entry.tag);
    return entry.band >= filter_.band;
  }

  ResultHub& hub_;
  const StreamFilter filter_;
  uint64_t next_;
  std::string first_;
  std::function<void()> wake_;
};

ResultHub::ResultHub(Options options, ServerThread& thread, const Clock& clock)
    : options_(std::move(options)),
      thread_(thread),
      clock_(clock),
      epoch_(absl::StrCat(absl::Hex(ToMicros(clock.Now())))),
      since_(clock.Now()) {}

ResultHub::~ResultHub() = default;

std::string ResultHub::IdOf(uint64_t number) const { return absl::StrCat(epoch_, "-", number); }

void ResultHub::OnCommitted(const CommittedResults& results) {
  std::vector<Entry> entries;
  ForFindings(results, [&](bool alert, std::string_view customer, std::string_view payload) {
    Entry& entry = entries.emplace_back();
    entry.alert = alert;
    entry.customer = std::string(customer);
    entry.bytes = std::string(payload);
    entry.emission_us = results.emission_us;
  });
  if (!entries.empty()) HandOver(std::move(entries), false);
}

void ResultHub::OnGap() { HandOver({}, true); }

void ResultHub::OnElsewhere(bool alert, const v1::ResultInfo& info, std::string bytes) {
  std::vector<Entry> entries(1);
  entries[0].alert = alert;
  entries[0].elsewhere = true;
  entries[0].customer = info.customer_id();
  entries[0].bytes = std::move(bytes);
  entries[0].emission_us = info.emission_time_us();
  HandOver(std::move(entries), false);
}

void ResultHub::OnGapElsewhere() {
  std::vector<Entry> entries(1);
  entries[0].gap = entries[0].elsewhere = true;
  entries[0].emission_us = ToMicros(clock_.Now());
  HandOver(std::move(entries), false);
}

void ResultHub::HandOver(std::vector<Entry> entries, bool lost) {
  size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.customer.size() + entry.bytes.size() + kEntryBytes;
  {
    const std::lock_guard lock(mutex_);
    const bool first = incoming_.empty() && !incoming_lost_;
    if (lost || incoming_bytes_ + bytes > kIncomingBytes) {
      incoming_lost_ = true;
    } else {
      incoming_bytes_ += bytes;
      std::move(entries.begin(), entries.end(), std::back_inserter(incoming_));
    }
    if (!first) return;
  }
  thread_.Run([this] { Drain(); });
}

void ResultHub::Drain() {
  std::vector<Entry> entries;
  bool lost = false;
  {
    const std::lock_guard lock(mutex_);
    entries.swap(incoming_);
    incoming_bytes_ = 0;
    lost = std::exchange(incoming_lost_, false);
  }
  const int64_t now_us = ToMicros(clock_.Now());
  for (Entry& entry : entries) {
    Read(entry);
    if (!entry.elsewhere) ++counts_.results;
    if (entry.gap || ids_.insert(entry.id).second) Add(std::move(entry));
  }
  if (lost) {
    Entry gap;
    gap.gap = true;
    gap.emission_us = now_us;
    Add(std::move(gap));
    since_ = FromMicros(now_us);
  }
  while (bytes_ > options_.bytes && ring_.size() > 1) {
    const Entry& oldest = ring_.front();
    since_ = std::max(since_, FromMicros(oldest.emission_us));
    bytes_ -=
        oldest.customer.size() + oldest.bytes.size() + oldest.text[0].size() + oldest.text[1].size() + kEntryBytes;
    if (!oldest.gap) ids_.erase(oldest.id);
    ring_.pop_front();
  }
  for (const Stream* stream : streams_) stream->Wake();
}

void ResultHub::Add(Entry entry) {
  entry.number = next_++;
  bytes_ += entry.customer.size() + entry.bytes.size() + kEntryBytes;
  ring_.push_back(std::move(entry));
}

// Counts, too, since it is done once.
void ResultHub::Read(Entry& entry) {
  if (entry.read || entry.gap) return;
  entry.read = true;
  std::optional<v1::ChurnAlert> alert;
  std::optional<v1::TagChange> change;
  if (entry.alert) {
    if (alert = Parsed<v1::ChurnAlert>(entry.bytes); !alert) return;
    const bool closed = alert->phase() == v1::ChurnAlert::CLOSED;
    entry.band = std::max(alert->band_before(), closed ? v1::ChurnAlert::NONE : alert->band());
    if (!entry.elsewhere) ++counts_.alerts[closed ? v1::ChurnAlert::NONE : alert->band()];
  } else {
    if (change = Parsed<v1::TagChange>(entry.bytes); !change) return;
    entry.tag = change->tag();
    if (!entry.elsewhere) ++(change->after() ? counts_.gained : counts_.lost)[entry.tag];
  }
  const v1::ResultInfo& info = alert ? alert->info() : change->info();
  entry.id = absl::HashOf(entry.alert, info.id());
  if (!entry.elsewhere && info.origin() == v1::LIVE && counts_.latency_ms.size() < kLatenciesMost) {
    counts_.latency_ms.push_back(static_cast<double>(ToMicros(clock_.Now()) - info.event_time_us()) / 1e3);
  }
}

const std::string& ResultHub::TextOf(Entry& entry, bool masked) {
  std::string& text = entry.text[masked ? 1 : 0];
  if (!text.empty()) return text;
  const std::string id = IdOf(entry.number);
  if (entry.gap) {
    text = Event("gap", id, {{"reason", "results may have been committed that this process does not know"}});
  } else if (entry.alert) {
    auto alert = Parsed<v1::ChurnAlert>(entry.bytes);
    if (!alert) return text;
    alert->mutable_info()->set_emission_time_us(entry.emission_us);
    text = Event("alert", id, ResultJson(*alert, masked));
  } else {
    auto change = Parsed<v1::TagChange>(entry.bytes);
    if (!change) return text;
    change->mutable_info()->set_emission_time_us(entry.emission_us);
    text = Event("tag", id, ResultJson(*change, masked));
  }
  bytes_ += text.size();
  return text;
}

std::shared_ptr<TextStream> ResultHub::Follow(StreamFilter filter, std::string_view last_id) {
  uint64_t next = next_;
  std::string first = "retry: 1000\n\n";
  const Json hello = {{"instance", options_.instance}, {"oldest", IdOf(oldest())}, {"latest", IdOf(next_ - 1)}};
  first += Event("hello", "", hello);
  if (!last_id.empty()) {
    const size_t dash = last_id.find('-');
    uint64_t last = 0;
    const bool known = dash != std::string_view::npos && last_id.substr(0, dash) == epoch_ &&
                       absl::SimpleAtoi(AbslView(last_id.substr(dash + 1)), &last) && last < next_;
    if (known && last + 1 >= oldest()) {
      next = last + 1;
    } else {
      next = oldest();
      first += Event("gap", "", {{"reason", known ? "what followed is no longer remembered" : "of another process"}});
    }
  }
  return std::make_shared<Stream>(*this, std::move(filter), next, std::move(first));
}

ResultHub::Remembered ResultHub::Of(std::string_view customer) {
  Remembered out{.since = since_};
  for (const Entry& entry : ring_) {
    if (entry.gap || entry.customer != customer) continue;
    if (entry.alert) {
      if (auto alert = Parsed<v1::ChurnAlert>(entry.bytes)) out.alerts.push_back(*std::move(alert));
    } else if (auto change = Parsed<v1::TagChange>(entry.bytes)) {
      out.changes.push_back(*std::move(change));
    }
  }
  return out;
}

void ResultHub::TakeCounts(ResultCounts& counts) {
  for (const auto& [tag, count] : counts_.gained) counts.gained[tag] += count;
  for (const auto& [tag, count] : counts_.lost) counts.lost[tag] += count;
  for (const auto& [band, count] : counts_.alerts) counts.alerts[band] += count;
  counts.results += counts_.results;
  counts.latency_ms = std::move(counts_.latency_ms);
  counts_ = {};
}

}  // namespace portrait::view

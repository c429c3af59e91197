#include "tests/simulation/checker.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "portrait/v1/journal.pb.h"
#include "portrait/v1/result.pb.h"

namespace portrait::simulation {
namespace {

// A result in words; the partition whose task it belongs to; its id.
struct Result {
  std::string text;
  int32_t partition = -1;
  std::string id;
};

Result ReadChange(const LogRecord& record, const Layout& layout) {
  v1::TagChange change;
  if (!record.value || !change.ParseFromString(*record.value)) return {"a result that cannot be read"};
  const v1::ResultInfo& info = change.info();
  if (record.key != info.customer_id()) return {"a result under another key"};
  if (info.emission_time_us() == 0) return {"a result without an emission time"};
  const v1::Cause& by = info.cause();
  const std::string cause = !by.rules().empty()  ? absl::StrCat("rules ", by.rules())
                            : by.timer().empty() ? by.event_id()
                                                 : absl::StrCat(by.timer(), "@", by.timer_time_us());
  return {absl::StrCat(info.customer_id(), " ", change.tag(), " at ", info.event_time_us(), " by ", cause),
          layout.home.at(info.customer_id()), info.id()};
}

Result ReadDeadLetter(const LogRecord& record) {
  v1::DeadLetter letter;
  if (!record.value || !letter.ParseFromString(*record.value)) return {"a dead letter that cannot be read"};
  const std::string text = absl::StrCat("dead ", letter.topic(), "/", letter.partition(), "/", letter.offset());
  return {text, letter.partition(), text};
}

std::string Differ(const std::vector<std::string>& got, const std::vector<std::string>& want) {
  const auto differ = std::mismatch(got.begin(), got.end(), want.begin(), want.end());
  return absl::StrCat(got.size(), " came, want ", want.size(), "; number ", differ.first - got.begin(), " is \"",
                      differ.first == got.end() ? "" : *differ.first, "\", want \"",
                      differ.second == want.end() ? "" : *differ.second, "\"");
}

}  // namespace

// What a transaction carries for one partition.
struct Checker::Carried {
  std::vector<std::string> results;
  std::vector<const LogRecord*> images;
  std::vector<const LogRecord*> entries;
};

Checker::Checker(Layout layout, Transactions& transactions) : layout_(std::move(layout)), transactions_(transactions) {
  for (int32_t p = 0; p < layout_.partitions; ++p) {
    std::vector<const Log*> sources;
    for (const std::string& source : layout_.sources) sources.push_back(&transactions.log(source, p));
    partitions_.push_back({Reference(layout_, p, std::move(sources)), {}, 1, {}});
  }
}

void Checker::Wrong(const std::string& what) {
  if (absl::StrContains(wrong_, "\n...")) return;
  absl::StrAppend(&wrong_, wrong_.empty() ? "" : "\n", wrong_.size() > 2000 ? "..." : what);
}

void Checker::OnCommit(const Transaction& transaction) {
  std::map<int32_t, Carried> carried;
  for (const auto& [place, offset] : transaction.records) {
    const LogRecord& record = transactions_.log(place.first, place.second).at(offset);
    if (place.first == layout_.journal) {
      carried[place.second].entries.push_back(&record);
    } else if (place.first == layout_.changelog) {
      carried[place.second].images.push_back(&record);
    } else if (place.first == "results" || place.first == "dead-letters") {
      Result result = place.first == "results" ? ReadChange(record, layout_) : ReadDeadLetter(record);
      if (result.partition < 0) return Wrong(result.text);
      if (!ids_.insert(result.id).second) Wrong(absl::StrCat("RESULT twice: ", result.text));
      expected_.insert(result.text);
      carried[result.partition].results.push_back(std::move(result.text));
    }
  }
  for (const auto& [place, offset] : transaction.offsets) carried[place.second];
  for (const auto& [partition, parts] : carried) {
    if (parts.entries.size() != 1) {
      Wrong(absl::StrCat("a transaction of ", transaction.id, " has effects on partition ", partition, " and ",
                         parts.entries.size(), " journal entries"));
      continue;
    }
    v1::JournalEntry entry;
    if (!entry.ParseFromString(*parts.entries[0]->value)) Wrong("a journal record is no entry");
    CheckEntry(entry, partition, parts, transaction);
  }
}

void Checker::CheckEntry(const v1::JournalEntry& entry, int32_t index, const Carried& carried,
                         const Transaction& transaction) {
  Partition& partition = partitions_[static_cast<size_t>(index)];
  const std::string name =
      absl::StrCat("partition ", index, " entry ", entry.first(), "..", entry.last(), " by ", transaction.id, ": ");
  std::vector<std::string> wrong;
  const std::vector<std::string> results = partition.reference.Apply(entry, wrong);
  for (const std::string& what : wrong) Wrong(name + what);
  if (carried.results != results) Wrong(absl::StrCat(name, "RESULTS differ: ", Differ(carried.results, results)));
  for (size_t s = 0; s < layout_.sources.size(); ++s) {
    const auto sent = transaction.offsets.find({layout_.sources[s], index});
    const int64_t before = transactions_.committed_offset({layout_.sources[s], index}).value_or(0);
    const int64_t offset = sent == transaction.offsets.end() ? before : sent->second;
    if (offset != partition.reference.next(s)) {
      Wrong(absl::StrCat(name, "OFFSETS differ: ", layout_.sources[s], " ", offset, ", reached ",
                         partition.reference.next(s)));
    }
  }
  for (const LogRecord* image : carried.images) {
    image->value ? CheckImage(partition, *image) : CheckRemoval(partition, *image);
  }
  for (const auto& [customer, row] : partition.reference.rows()) {
    const uint64_t image = partition.images[customer];
    const uint64_t needed = partition.reference.FirstAfter(customer, image);
    if (needed != 0 && needed < entry.floor()) {
      Wrong(absl::StrCat(name, "FLOOR ", entry.floor(), " too high: the row of ", customer, " in the changelog is at ",
                         image, " and needs step ", needed));
    }
  }
  partition.floor = entry.floor();
  Entry& kept = partition.entries.emplace_back(Entry{entry.first(), entry.last(), {}});
  for (const auto& source : entry.sources()) {
    kept.from.push_back(source.count() > 0 ? source.first_offset() : source.next_offset());
  }
  while (partition.entries.size() > 1 && partition.entries.front().last < partition.floor) {
    partition.entries.erase(partition.entries.begin());
  }
  ++entries_;
  results_ += results.size();
}

void Checker::CheckImage(Partition& partition, const LogRecord& image) {
  const std::string customer = image.key.value_or("");
  const auto row = ReadRow(*image.value);
  if (!row) return Wrong(absl::StrCat("CHANGELOG record of ", customer, " is no row"));
  const auto want = partition.reference.RowAt(customer, row->number);
  if (!want || row->text != *want) {
    Wrong(absl::StrCat("CHANGELOG row of ", customer, " differs: ", row->text, ", want ", want.value_or("none")));
  }
  if (row->number < partition.images[customer]) Wrong(absl::StrCat("CHANGELOG row of ", customer, " goes back"));
  partition.images[customer] = row->number;
}

void Checker::CheckRemoval(Partition& partition, const LogRecord& tombstone) {
  const std::string customer = tombstone.key.value_or("");
  const uint64_t number = tombstone.headers.size() == 1 ? std::stoull(tombstone.headers[0].second) : 0;
  const std::string name = absl::StrCat("CHANGELOG: the removal of ", customer, " at ", number);
  if (partition.reference.RowAt(customer, number) != absl::StrCat("number ", number, " gone")) {
    Wrong(absl::StrCat(name, ": it was not gone then"));
  }
  if (number != partition.images[customer]) Wrong(absl::StrCat(name, ": its image is not the last one"));
  if (number >= partition.floor) Wrong(absl::StrCat(name, ": the committed floor is ", partition.floor));
}

void Checker::CheckDisk(MemoryDisk& disk, int32_t index, const std::string& name) {
  const Partition& partition = partitions_[static_cast<size_t>(index)];
  MemoryRowStore store(&disk);
  const absl::Status scanned = store.Scan([&](std::string_view key, std::string_view bytes) {
    const std::string customer(key);
    const auto row = ReadRow(bytes);
    if (!row) {
      Wrong(absl::StrCat("DISK ", name, ": the row of ", customer, " is no row"));
    } else if (row->number > partition.reference.step()) {
      Wrong(absl::StrCat("DISK ", name, ": UNCOMMITTED row of ", customer, " at ", row->number));
    } else if (const auto want = partition.reference.RowAt(customer, row->number); !want || row->text != *want) {
      Wrong(absl::StrCat("DISK ", name, ": the row of ", customer, " differs: ", row->text, ", want ",
                         want.value_or("none")));
    }
    return absl::OkStatus();
  });
  if (!scanned.ok()) Wrong(scanned.ToString());
}

// Compaction takes a record when a later one of the customer is there, which may lie at the store's position or beyond:
// who read after that has an earlier row, or none, until it reads on.
void Checker::CheckPosition(MemoryDisk& disk, int32_t index, const std::string& name) {
  MemoryRowStore store(&disk);
  const auto meta = store.Meta();
  if (!meta.ok() || !meta->has_value()) return;
  using Row = std::optional<std::string>;
  std::map<std::string, std::vector<Row>> allowed;  // the latest is last
  const Log& log = transactions_.log(layout_.changelog, index);
  std::map<std::string, int64_t> last;
  for (int64_t offset = 0; offset < log.end(); ++offset) {
    const LogRecord& record = log.at(offset);
    if (record.state == LogRecord::State::kCommitted) last[record.key.value_or("")] = offset;
  }
  for (int64_t offset = 0; offset < std::min((*meta)->changelog_position(), log.end()); ++offset) {
    const LogRecord& record = log.at(offset);
    if (record.state != LogRecord::State::kCommitted) continue;
    std::vector<Row>& rows = allowed.try_emplace(record.key.value_or(""), std::vector<Row>{std::nullopt}).first->second;
    // A removal that is gone by its age, too, must have been seen.
    if (!record.compacted || offset == last.at(record.key.value_or(""))) rows.clear();
    rows.push_back(record.value);
  }
  const auto shown = [](const Row& row) { return row ? absl::StrCat("at ", ReadRowHeader(*row)->number) : "none"; };
  const absl::Status scanned = store.Scan([&](std::string_view key, std::string_view bytes) {
    const Row row{std::string(bytes)};
    const auto found = allowed.find(std::string(key));
    const bool right =
        found != allowed.end() && std::find(found->second.begin(), found->second.end(), row) != found->second.end();
    if (!right) {
      Wrong(absl::StrCat("DISK ", name, ": the row of ", std::string(key), " is ", shown(row),
                         ", the changelog's below ", (*meta)->changelog_position(), " is ",
                         shown(found == allowed.end() ? std::nullopt : found->second.back())));
    }
    allowed.erase(std::string(key));
    return absl::OkStatus();
  });
  if (!scanned.ok()) Wrong(scanned.ToString());
  for (const auto& [customer, rows] : allowed) {
    if (std::find(rows.begin(), rows.end(), std::nullopt) != rows.end()) continue;
    Wrong(absl::StrCat("DISK ", name, ": the row of ", customer, " is missing, ", shown(rows.back())));
  }
}

void Checker::CheckDiskComplete(MemoryDisk& disk, int32_t index, const std::string& name) {
  const Partition& partition = partitions_[static_cast<size_t>(index)];
  MemoryRowStore store(&disk);
  for (const auto& [customer, row] : partition.reference.rows()) {
    const auto stored = store.Get(customer);
    const auto got = stored.ok() && stored->has_value() ? ReadRow(**stored) : std::nullopt;
    if (row.gone && !got) continue;  // removed
    if (!got || got->text != row.text()) {
      Wrong(absl::StrCat("DISK ", name, ": after the end the row of ", customer, " is ", got ? got->text : "missing",
                         ", want ", row.text()));
    }
    if (partition.images.at(customer) != row.number) {
      Wrong(absl::StrCat("CHANGELOG: after the end the row of ", customer, " is at ", partition.images.at(customer),
                         ", want ", row.number));
    }
  }
  if (partition.floor != partition.reference.step() + 1) Wrong("after a clean stop there is something to replay");
}

void Checker::CheckEnd(int64_t control_position) {
  for (size_t p = 0; p < partitions_.size(); ++p) {
    if (!partitions_[p].reference.all_applied()) Wrong(absl::StrCat("INPUTS of partition ", p, " are left"));
    const Reference& reference = partitions_[p].reference;
    if (reference.control_position() != control_position || reference.sweeping()) {
      Wrong(absl::StrCat("RULES of partition ", p, ": those of position ", reference.control_position(),
                         reference.sweeping() ? ", still sweeping" : "", ", want ", control_position));
    }
    const std::string overdue = partitions_[p].reference.Overdue();
    if (!overdue.empty()) Wrong(absl::StrCat("TIMER of partition ", p, " never fired: ", overdue));
  }
  std::multiset<std::string> came;
  for (const char* topic : {"results", "dead-letters"}) {
    for (int32_t p = 0; p < transactions_.partitions(topic); ++p) {
      const Log& log = transactions_.log(topic, p);
      for (const LogRecord* record = log.Next(0); record != nullptr; record = log.Next(record->offset + 1)) {
        came.insert(
            (std::string_view(topic) == "results" ? ReadChange(*record, layout_) : ReadDeadLetter(*record)).text);
      }
    }
  }
  if (came != expected_) Wrong("RESULTS that readers see are not those that were committed");
}

bool Checker::all_applied() const {
  return std::all_of(partitions_.begin(), partitions_.end(),
                     [](const Partition& partition) { return partition.reference.all_applied(); });
}

int64_t Checker::Needed(size_t source, int32_t index) const {
  const Partition& partition = partitions_[static_cast<size_t>(index)];
  int64_t needed = partition.reference.next(source);
  for (const Entry& entry : partition.entries) {
    if (entry.last >= partition.floor && entry.first <= entry.last) needed = std::min(needed, entry.from[source]);
  }
  return needed;
}

}  // namespace portrait::simulation

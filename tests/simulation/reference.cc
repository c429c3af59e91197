#include "tests/simulation/reference.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "portrait/v1/row.pb.h"

namespace portrait::simulation {
namespace {

int64_t Hash(int64_t state, const std::string& text, int64_t number) {
  uint64_t hash = 1469598103934665603u ^ (static_cast<uint64_t>(state) * 31);
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
  return static_cast<int64_t>((hash ^ static_cast<uint64_t>(number)) * 1099511628211u);
}

}  // namespace

std::optional<RowInWords> ReadRow(std::string_view bytes) {
  v1::Row stored;
  if (!stored.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
  Reference::Row row;
  row.number = stored.number();
  row.time_us = stored.time_us();
  row.gone = stored.gone();
  for (const v1::OperatorState& op : stored.operators()) {
    if (op.operator_() != "fold") continue;
    v1::TaskState state;
    if (!state.ParseFromString(op.state())) return std::nullopt;
    row.state = state.highest_time_us();
    row.version = state.last_tick_us();
    for (const v1::OperatorTimer& timer : op.timers()) row.timers[timer.id()] = timer.time_us();
  }
  int64_t first = 0;
  for (const auto& [id, time_us] : row.timers) first = first == 0 ? time_us : std::min(first, time_us);
  if (stored.next_timer_us() != first) return RowInWords{row.number, "next_timer_us is not its first timer"};
  return RowInWords{row.number, row.text()};
}

std::string Reference::Row::text() const {
  if (gone) {
    const bool empty = timers.empty() && state == 0 && version == 0 && time_us == 0;
    return absl::StrCat("number ", number, empty ? " gone" : " half gone");
  }
  std::string text = absl::StrCat("number ", number, " time ", time_us, " state ", state, " version ", version);
  for (const auto& [id, at] : timers) absl::StrAppend(&text, " timer ", id, "@", at);
  return text;
}

Reference::Reference(const Layout& layout, int32_t partition, std::vector<const Log*> sources)
    : layout_(layout), partition_(partition), sources_(std::move(sources)), next_(sources_.size(), 0) {}

std::vector<std::string> Reference::Apply(const v1::JournalEntry& entry, std::vector<std::string>& wrong) {
  told_.clear();
  if (entry.first() != step_ + 1) wrong.push_back(absl::StrCat("FORK: step ", entry.first(), " follows ", step_));
  for (int i = 0; i + 1 < entry.order_size(); i += 2) {
    const uint64_t what = entry.order(i), how = entry.order(i + 1);
    if (what >= 4) {
      for (uint64_t n = 0; n < how; ++n, Input(what - 4, wrong)) ++step_;
    } else if (what == 0) {
      ++step_;
      Tick(entry.ticks_us(static_cast<int>(how)));
    } else if (what == 1) {
      ++step_;
      const auto& bound = entry.firings(static_cast<int>(how));
      FireUpTo(bound.time_us(), bound.customer_id(), wrong);
    } else if (what == 2) {
      ++step_;
      Switch(entry.switches(static_cast<int>(how)), wrong);
    } else if (what == 3) {
      ++step_;
      Sweep(entry.sweeps(static_cast<int>(how)), wrong);
    } else {
      wrong.push_back(absl::StrCat("a step of unknown kind ", what));
    }
  }
  if (step_ != entry.last()) wrong.push_back(absl::StrCat("an entry ends at ", entry.last(), ", its steps at ", step_));
  for (size_t s = 0; s < sources_.size(); ++s) {
    const int64_t next = entry.sources(static_cast<int>(s)).next_offset();
    if (next != next_[s]) wrong.push_back(absl::StrCat("an entry's next offset is ", next, ", reached ", next_[s]));
  }
  const v1::TaskState& after = entry.after();
  v1::TaskState expected;
  expected.set_any_time(any_time_);
  expected.set_highest_time_us(highest_us_);
  expected.set_last_tick_us(last_tick_us_);
  if (rules_ != 0) expected.set_rules(absl::StrCat("v", rules_));
  expected.set_shadow(shadow_);
  expected.set_models(models_);
  expected.set_models_shadow(models_shadow_);
  expected.set_control_position(control_position_);
  expected.set_sweeping(sweeping_);
  expected.set_swept_to(swept_to_);
  const std::string got = after.ShortDebugString(), want = expected.ShortDebugString();
  if (got != want) wrong.push_back(absl::StrCat("the task's state is ", got, ", want ", want));
  return told_;
}

bool Reference::all_applied() const {
  for (size_t s = 0; s < sources_.size(); ++s) {
    if (sources_[s]->NextEver(next_[s]) != nullptr) return false;
  }
  return true;
}

std::string Reference::Overdue() const {
  for (const auto& [customer, row] : rows_) {
    for (const auto& [id, at] : row.timers) {
      if (any_time_ && at <= highest_us_ - layout_.lateness_us) return absl::StrCat(customer, ": ", row.text());
    }
  }
  return "";
}

void Reference::Input(size_t source, std::vector<std::string>& wrong) {
  const LogRecord* record = sources_.at(source)->NextEver(next_[source]);
  if (record == nullptr) {
    wrong.push_back(
        absl::StrCat("INPUT: step ", step_, " took a record of ", layout_.sources[source], " that is not there"));
    return;
  }
  next_[source] = record->offset + 1;
  v1::Event event;
  if (*record->value == "bad" || !event.ParseFromString(*record->value) ||
      layout_.home.at(event.customer_id()) != partition_) {
    told_.push_back(absl::StrCat("dead ", layout_.sources[source], "/", partition_, "/", record->offset));
    return;
  }
  Event(event);
}

void Reference::Event(const v1::Event& event) {
  const std::string& customer = event.customer_id();
  Row& row = rows_[customer];
  const int64_t time_us = event.event_time_us();
  const bool late = any_time_ && time_us <= highest_us_ - layout_.lateness_us;
  while (!row.timers.empty()) {
    int64_t first = INT64_MAX;
    for (const auto& [id, at] : row.timers) first = std::min(first, at);
    if (first > time_us) break;
    FireFirst(customer, row);
  }
  row.gone = false;
  row.time_us = std::max(row.time_us, time_us);
  row.state = Hash(row.state, event.event_id(), time_us + (late ? 1 : 0) + 3 * version_);
  row.version = version_;
  if (event.has_page_viewed()) SetTimer(row, 1, time_us + 7'000'000);
  if (event.has_clicked() && !row.timers.contains(2)) SetTimer(row, 2, row.time_us + 20'000'000);
  Tell(customer, row, "event", event.event_id());
  if (event.has_order_completed()) {
    for (const char* part : {"north", "east", "south", "west"}) Tell(customer, row, part, event.event_id());
  }
  if (event.has_customer_erased()) {
    row = Row();
    row.gone = true;
  }
  Keep(customer);
  highest_us_ = any_time_ ? std::max(highest_us_, time_us) : time_us;
  any_time_ = true;
}

void Reference::Tick(int64_t time_us) {
  last_tick_us_ = time_us;
  highest_us_ = any_time_ ? std::max(highest_us_, time_us) : time_us;
  any_time_ = true;
}

void Reference::FireUpTo(int64_t time_us, const std::string& customer, std::vector<std::string>& wrong) {
  if (!any_time_ || time_us > highest_us_ - layout_.lateness_us) wrong.emplace_back("fired ahead of the watermark");
  while (true) {
    auto first = rows_.end();
    std::pair<int64_t, std::string> when(time_us, customer);
    for (auto it = rows_.begin(); it != rows_.end(); ++it) {
      for (const auto& [id, at] : it->second.timers) {
        const std::pair<int64_t, std::string> candidate(at, it->first);
        if (candidate > std::pair(time_us, customer)) continue;
        if (first == rows_.end() || candidate < when) first = it, when = candidate;
      }
    }
    if (first == rows_.end()) return;
    FireFirst(first->first, first->second);
    Keep(first->first);
  }
}

void Reference::Switch(const v1::Switch& to, std::vector<std::string>& wrong) {
  if (to.control_position() <= control_position_) wrong.emplace_back("SWITCH to older rules");
  control_position_ = to.control_position();
  rules_ = to.rules().empty() ? 0 : std::stoll(to.rules().substr(1));
  shadow_ = to.shadow();
  models_ = to.models();
  models_shadow_ = to.models_shadow();
  const int64_t version = rules_ + 1000 * shadow_ + 1'000'000 * models_ + 1'000'000'000 * models_shadow_;
  if (version == version_) return;
  version_ = version;
  sweeping_ = true;
  swept_to_.clear();
}

void Reference::Sweep(const v1::Sweep& bound, std::vector<std::string>& wrong) {
  if (!sweeping_) wrong.emplace_back("SWEEP without a switch");
  if (!Overdue().empty()) wrong.push_back(absl::StrCat("SWEEP before a timer that is due: ", Overdue()));
  const std::string after = swept_to_;
  for (auto& [customer, row] : rows_) {
    if (!any_time_ || customer <= after || (!bound.done() && customer > bound.last_customer())) continue;
    if (row.gone || row.version == version_ || (row.state & 1) == 0) continue;
    row.time_us = std::max(row.time_us, highest_us_ - layout_.lateness_us);
    row.state = Hash(row.state, "switch", version_);
    row.version = version_;
    SetTimer(row, 4, row.time_us + 3'000'000);
    Tell(customer, row, "switch", rules_ == 0 ? "" : absl::StrCat("rules v", rules_));
    Keep(customer);
  }
  sweeping_ = !bound.done();
  swept_to_ = bound.done() ? "" : bound.last_customer();
}

void Reference::FireFirst(const std::string& customer, Row& row) {
  auto first = row.timers.begin();
  for (auto it = row.timers.begin(); it != row.timers.end(); ++it) {
    if (std::tie(it->second, it->first) < std::tie(first->second, first->first)) first = it;
  }
  const auto [id, at] = *first;
  row.timers.erase(first);
  row.time_us = std::max(row.time_us, at);
  row.state = Hash(row.state, "timer", at + id + 5 * version_);
  if (id == 1) SetTimer(row, 3, at + 2'000'000);
  Tell(customer, row, "timer", absl::StrCat("fold/", id, "@", at));
}

void Reference::SetTimer(Row& row, uint32_t id, int64_t time_us) {
  row.timers[id] = std::max(time_us, row.time_us + 1);
}

void Reference::Tell(const std::string& customer, const Row& row, std::string_view what, const std::string& cause) {
  told_.push_back(absl::StrCat(customer, " ", absl::string_view(what.data(), what.size()), " ", row.state, " at ",
                               row.time_us, " by ", cause));
}

void Reference::Keep(const std::string& customer) {
  Row& row = rows_.at(customer);
  row.number = step_;
  history_[customer][step_] = row.text();
}

std::optional<std::string> Reference::RowAt(const std::string& customer, uint64_t number) const {
  const auto rows = history_.find(customer);
  if (rows == history_.end()) return std::nullopt;
  const auto row = rows->second.find(number);
  return row == rows->second.end() ? std::nullopt : std::optional(row->second);
}

uint64_t Reference::FirstAfter(const std::string& customer, uint64_t number) const {
  const auto rows = history_.find(customer);
  if (rows == history_.end()) return 0;
  const auto row = rows->second.upper_bound(number);
  return row == rows->second.end() ? 0 : row->first;
}

}  // namespace portrait::simulation

#include "operators/testing/harness.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace portrait {
namespace {

[[noreturn]] void Fail(const std::string& text) {
  std::cerr << "operator harness: " << text << std::endl;
  std::abort();
}

}  // namespace

Timestamp At(std::string_view time) {
  for (const char* format : {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%E*S"}) {
    absl::Time parsed;
    if (absl::ParseTime(format, std::string(time), &parsed, nullptr)) return FromMicros(absl::ToUnixMicros(parsed));
  }
  Fail(absl::StrCat("not a time: ", std::string(time)));
}

Event EventFor(std::string_view customer_id, Timestamp time) {
  static int64_t made = 0;
  Event event;
  event.set_event_id(absl::StrCat("event-", ++made));
  event.set_customer_id(std::string(customer_id));
  event.set_event_time_us(ToMicros(time));
  return event;
}

OperatorHarness::OperatorHarness(ChainBuilder builder, absl::TimeZone zone) : calendar_(zone) {
  auto chain = std::move(builder).Build("test");
  if (!chain.ok()) Fail(chain.status().ToString());
  chain_ = *std::move(chain);
}

Chain::Verdict OperatorHarness::Send(Event event) {
  const Timestamp arrival = std::max(EventTime(event), now_);
  if (auto rejection = chain_->Check(event, {arrival})) {
    rejections_.push_back(*std::move(rejection));
    return Chain::Verdict::kApplied;
  }
  const std::string customer(RowKey(event));
  RowState& row = rows_.try_emplace(customer, chain_->EmptyRow()).first->second;
  const auto verdict =
      chain_->OnEvent(event, {"test", 0, sent_++}, EventTime(event) < now_, customer, row, calendar_, *this);
  StoreAndLoad(row);
  return verdict;
}

void OperatorHarness::AdvanceTo(Timestamp time) {
  now_ = std::max(now_, time);
  while (true) {
    auto due = rows_.end();
    std::optional<Timestamp> first;
    for (auto it = rows_.begin(); it != rows_.end(); ++it) {
      const auto next = it->second.timers.next();
      if (next && *next <= now_ && (!first || *next < *first)) {
        first = next;
        due = it;
      }
    }
    if (due == rows_.end()) return;
    chain_->FireTimers(*first, due->first, due->second, calendar_, *this);
    StoreAndLoad(due->second);
  }
}

bool OperatorHarness::Sweep(std::string_view customer_id, const SwitchCause& cause) {
  const auto it = rows_.find(customer_id);
  if (it == rows_.end() || !chain_->Reconsiders(now_, customer_id, it->second, calendar_)) return false;
  chain_->Switch(cause, now_, customer_id, it->second, calendar_, *this);
  StoreAndLoad(it->second);
  return true;
}

void OperatorHarness::StoreAndLoad(RowState& row) {
  std::string bytes, again;
  chain_->Encode(7, row, bytes);
  RowState loaded;
  if (auto number = chain_->Decode(bytes, loaded); !number.ok()) Fail(number.status().ToString());
  chain_->Encode(7, loaded, again);
  if (bytes != again) Fail("a row changes when it is stored and loaded");
  row = std::move(loaded);
}

Moment OperatorHarness::NowFor(const RowState& row) const { return calendar_.At(std::max(row.time, now_)); }

const RowState* OperatorHarness::Row(std::string_view customer_id) const {
  const auto it = rows_.find(customer_id);
  return it == rows_.end() ? nullptr : &it->second;
}

std::string OperatorHarness::Feature(std::string_view customer_id, std::string_view name) const {
  const RowState* row = Row(customer_id);
  if (row == nullptr) return "no row";
  const auto feature = chain_->features().Find(name);
  if (!feature.ok()) Fail(feature.status().ToString());
  return ToText(FeatureReader(*row, NowFor(*row)).Get(*feature));
}

std::string OperatorHarness::ItemsFeature(std::string_view customer_id, std::string_view name) const {
  const RowState* row = Row(customer_id);
  if (row == nullptr) return "no row";
  const auto feature = chain_->features().Find(name);
  if (!feature.ok()) Fail(feature.status().ToString());
  std::string out;
  for (const Item& item : FeatureReader(*row, NowFor(*row)).GetItems(*feature)) {
    absl::StrAppend(&out, out.empty() ? "" : " ", std::string(item.name), "(");
    for (size_t i = 0; i < item.columns.size(); ++i) absl::StrAppend(&out, i ? ", " : "", ToText(item.columns[i]));
    absl::StrAppend(&out, ")");
  }
  return out;
}

size_t OperatorHarness::RowBytes(std::string_view customer_id) const { return Stored(customer_id).size(); }

std::string OperatorHarness::Stored(std::string_view customer_id) const {
  std::string bytes;
  if (const RowState* row = Row(customer_id)) chain_->Encode(7, *row, bytes);
  return bytes;
}

void OperatorHarness::Load(std::string_view customer_id, const std::string& stored) {
  RowState& row = rows_[std::string(customer_id)];
  if (auto number = chain_->Decode(stored, row); !number.ok()) Fail(number.status().ToString());
}

void OperatorHarness::Add(size_t, std::string_view, const google::protobuf::Message& result) {
  std::unique_ptr<google::protobuf::Message> copy(result.New());
  copy->CopyFrom(result);
  results_.push_back(std::move(copy));
}

}  // namespace portrait

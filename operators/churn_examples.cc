#include "operators/churn_examples.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "operators/learned_churn_model.h"
#include "xxhash.h"

namespace portrait {
namespace {

using State = v1::state::ChurnExamples;

constexpr uint32_t kSnapshotTimer = 1;
constexpr uint32_t kCloseTimer = 2;
constexpr int kLongestSilenceDays = 365;

uint64_t Hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace

ChurnExamples::ChurnExamples(ChurnExamplesOptions options, FittedModels models, std::optional<FittedModels> shadow)
    : options_(std::move(options)),
      reader_(options_.features),
      schema_(
          static_cast<uint32_t>(Hash(absl::StrCat(options_.horizon_days, " ", absl::StrJoin(options_.features, " "))))),
      population_(MakePopulationModel(models)),
      in_force_(MakeChurnModel(std::move(models))),
      shadow_(shadow ? MakeChurnModel(*std::move(shadow)) : nullptr) {}

void ChurnExamples::Describe(Description& about) {
  about.Name("churn_examples")
      .About("What was known of customers, and whether they ordered again: what a model of churn is learned from")
      .Reads({Event::kOrderCompleted})
      .Writes<v1::ChurnExample>("churn-examples", "The horizon of a snapshot is over")
      .Timer(kSnapshotTimer, "a snapshot is taken")
      .Timer(kCloseTimer, "the horizon of the oldest open snapshot is over");
  about.Feature<State>("open", "snapshots", "Snapshots whose horizon is not over",
                       [](const State& s) -> int64_t { return s.open_size(); });
}

absl::Status ChurnExamples::Bind(const FeatureRegistry& features) {
  if (options_.every_days < 1 || options_.every_days * ChurnExamplesOptions::kMostOpen < options_.horizon_days) {
    return absl::InvalidArgumentError(absl::StrCat("snapshots must lie a day and a quarter of the horizon (",
                                                   options_.horizon_days, " days) apart: ", options_.every_days));
  }
  const absl::Status found = features.FindAll(
      {{"purchases.last", &last_}, {"purchases.occasions", &occasions_}, {"purchases.spend", &spend_}});
  if (!found.ok()) return found;
  if (absl::Status s = population_->Bind(features); !s.ok()) return s;
  if (absl::Status s = in_force_->Bind(features); !s.ok()) return s;
  if (shadow_ != nullptr) {
    if (absl::Status s = shadow_->Bind(features); !s.ok()) return s;
  }
  return reader_.Bind(features);
}

// The instants are the customer's own, whenever they became one: a phase, and every so many days from there.
Timestamp ChurnExamples::NextSnapshot(const Context& context) const {
  const int64_t every = Duration(days(options_.every_days)).count();
  const auto phase = static_cast<int64_t>(Hash(context.customer_id()) % static_cast<uint64_t>(every));
  const int64_t passed = (ToMicros(context.now()) - phase) / every - (ToMicros(context.now()) < phase ? 1 : 0);
  return FromMicros(phase + (passed + 1) * every);
}

void ChurnExamples::OnEvent(const Event&, State&, Context& context) const {
  if (!context.TimerAt(kSnapshotTimer)) context.SetTimer(kSnapshotTimer, NextSnapshot(context));
}

void ChurnExamples::OnTimer(const Timer& timer, State& state, Context& context) const {
  CloseDue(state, context);
  if (timer.id == kSnapshotTimer) TakeSnapshot(state, context);
  if (state.open().empty()) return context.CancelTimer(kCloseTimer);
  context.SetTimer(kCloseTimer, FromMicros(state.open(0).origin_us()) + days(options_.horizon_days));
}

void ChurnExamples::TakeSnapshot(State& state, Context& context) const {
  const Value last = context.Get(last_);
  const auto* const last_order = std::get_if<Timestamp>(&last);
  if (AsNumber(context.Get(occasions_)) < 1 || last_order == nullptr) return;
  if (context.now() - *last_order > days(kLongestSilenceDays)) return;
  context.SetTimer(kSnapshotTimer, NextSnapshot(context));
  if (state.open_size() >= ChurnExamplesOptions::kMostOpen) return;

  const auto features = [&](const FeatureRef& ref) { return context.Get(ref); };
  std::vector<double> values(reader_.names().size());
  reader_.Read(features, context.now(), population_->Score(features, context.now(), options_.horizon_days),
               absl::MakeSpan(values));
  auto& open = *state.add_open();
  open.set_origin_us(ToMicros(context.now()));
  open.set_schema(schema_);
  for (const double value : values) open.add_values(static_cast<float>(value));
  open.set_log_odds(in_force_->Score(features, context.now(), options_.horizon_days));
  open.set_model(std::string(in_force_->name()));
  open.set_spend(AsNumber(context.Get(spend_)));
  if (shadow_ == nullptr) return;
  open.set_shadow_model(std::string(shadow_->name()));
  open.set_shadow_log_odds(shadow_->Score(features, context.now(), options_.horizon_days));
}

void ChurnExamples::CloseDue(State& state, Context& context) const {
  int due = 0;
  for (const auto& open : state.open()) {
    if (FromMicros(open.origin_us()) + days(options_.horizon_days) > context.now()) break;
    const bool readable = open.schema() == schema_ && static_cast<size_t>(open.values_size()) == reader_.names().size();
    if (readable) Write(open, context);
    ++due;
  }
  state.mutable_open()->DeleteSubrange(0, due);
}

void ChurnExamples::Write(const v1::state::OpenExample& open, Context& context) const {
  v1::ChurnExample example;
  example.set_origin_us(open.origin_us());
  example.set_horizon_days(options_.horizon_days);
  for (size_t i = 0; i < reader_.names().size(); ++i) {
    auto& feature = *example.add_features();
    feature.set_name(reader_.names()[i]);
    feature.set_value(static_cast<double>(open.values(static_cast<int>(i))));
  }
  example.set_probability(FromLogOdds(open.log_odds()));
  example.set_model(open.model());
  example.set_shadow_model(open.shadow_model());
  if (!open.shadow_model().empty()) example.set_shadow_probability(FromLogOdds(open.shadow_log_odds()));
  const Value last = context.Get(last_);
  const auto* const last_order = std::get_if<Timestamp>(&last);
  example.set_no_order(last_order == nullptr || ToMicros(*last_order) <= open.origin_us());
  const double spent = std::clamp(AsNumber(context.Get(spend_)) - open.spend(), 0.0, 1e12);
  example.set_spend_micros(std::llround(spent * 1e6));
  example.set_currency(options_.home_currency);
  context.Emit(std::move(example));
}

}  // namespace portrait

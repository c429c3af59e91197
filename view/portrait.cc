#include "view/portrait.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/churn_signs.h"
#include "pipeline/tools/result_text.h"
#include "portrait/v1/state/purchases.pb.h"
#include "portrait/v1/state/service.pb.h"
#include "portrait/v1/state/site.pb.h"
#include "portrait/v1/state/tags.pb.h"
#include "view/masking.h"
#include "view/result_json.h"

namespace portrait::view {
namespace {

// "email" of "person.email".
std::string_view Short(std::string_view feature) { return feature.substr(feature.find('.') + 1); }

}  // namespace

KnownSlots::KnownSlots(const Chain& chain) {
  for (size_t i = 0; i < chain.operators().size(); ++i) {
    const Chain::Link& link = chain.operators()[i];
    const auto is = [&](std::string_view name, const google::protobuf::Descriptor* state) {
      return link.about->name() == name && link.op->EmptyState().GetDescriptor() == state;
    };
    const Slot slot = static_cast<Slot>(i + 1);
    if (is("purchases", v1::state::Purchases::descriptor())) purchases = slot;
    if (is("churn", v1::state::Churn::descriptor())) churn = slot;
    if (is("site", v1::state::Site::descriptor())) site = slot;
    if (link.about->name() == "email") email = slot;
    if (is("service", v1::state::Service::descriptor())) service = slot;
    if (link.about->name() == "person") person = slot;
  }
}

Portraits::Portraits(const Chain& chain, const Config& config)
    : chain_(chain),
      currency_(config.currency.home),
      clock_(config.engine.clock),
      slots_(chain),
      tags_(chain),
      churn_(ChurnOfChain(chain)),
      calendar_(config.engine.zone) {}

void Portraits::Use(std::shared_ptr<const Chain> edition) {
  if (edition.get() == (edition_ ? edition_.get() : &chain_)) return;
  tags_ = TagsOfChain(*edition);
  churn_ = ChurnOfChain(*edition);
  edition_ = std::move(edition);
}

absl::StatusOr<std::optional<Portraits::Row>> Portraits::Read(std::string_view bytes) const {
  Row row;
  auto number = chain_.Decode(bytes, row.state);
  if (!number.ok()) return number.status();
  if (row.state.gone) return std::nullopt;
  row.number = *number;
  return row;
}

Timestamp Portraits::AsOf(const RowState& row, Timestamp now) const {
  return clock_ == ClockMode::kWall ? std::max(now, row.time) : row.time;
}

Json Portraits::Customer(const Row& row, Timestamp as_of, bool masked) const {
  const FeatureReader reader(row.state, calendar_.At(as_of));
  Json out = {{"masked", masked}, {"currency", currency_}};
  out["facts"] = Facts(reader, Timestamp::max(), masked);
  out["tags"] = Tags(row.state, as_of, masked);
  out["pins"] = Pins(row.state, masked);
  out["churn"] = Churn(row.state, reader, as_of);
  out["purchases"] = Purchases(row.state, reader);
  out["sessions"] = Sessions(row.state, Timestamp::max());
  out["interests"] = {{"categories", List(reader, "site.interests")}, {"products", List(reader, "site.products")}};
  const Value unsubscribed = Get(reader, "email.unsubscribed");
  out["mails"] = {{"unsubscribed", std::holds_alternative<bool>(unsubscribed) && std::get<bool>(unsubscribed)},
                  {"campaigns", List(reader, "email.campaigns")},
                  {"kinds", List(reader, "email.kinds")}};
  out["contacts"] = {{"tickets", Tickets(row.state, Timestamp::max())}};
  out["features"] = Features(reader, masked);
  out["timers"] = TimersOf(row.state);
  return out;
}

Value Portraits::Get(const FeatureReader& reader, std::string_view feature) const {
  const auto found = chain().features().Find(feature);
  if (!found.ok() || found->description().type == FeatureType::kItems) return {};
  return reader.Get(*found);
}

Json Portraits::List(const FeatureReader& reader, std::string_view feature) const {
  const auto found = chain().features().Find(feature);
  if (!found.ok() || found->description().type != FeatureType::kItems) return Json::array();
  return ItemsJson(found->description(), reader.GetItems(*found));
}

// Those that are known, with where they come from.
Json Portraits::Facts(const FeatureReader& reader, Timestamp until, bool masked) const {
  Json out = Json::array();
  const auto facts = chain().features().Find("person.facts");
  if (!facts.ok() || facts->description().type != FeatureType::kItems) return out;
  for (const Item& item : reader.GetItems(*facts)) {
    const auto* learned = item.columns.empty() ? nullptr : std::get_if<Timestamp>(&item.columns[0]);
    if (learned != nullptr && *learned > until) continue;
    const std::string feature = absl::StrCat("person.", std::string(item.name));
    const Json value = ToJson(Get(reader, feature));
    out.push_back({{"name", std::string(item.name)},
                   {"value", masked && IsPersonal(feature) ? Masked(feature, value) : value},
                   {"learned", item.columns.empty() ? Json() : ToJson(item.columns[0])},
                   {"source", item.columns.size() < 2 ? Json() : ToJson(item.columns[1])}});
  }
  return out;
}

std::string Portraits::About(std::string_view tag) const {
  const rules::RuleSet* rules = tags_.op != nullptr ? tags_.op->rules() : nullptr;
  const int32_t rule = rules != nullptr ? rules->RuleOf(tag) : -1;
  return rule < 0 ? "" : rules->rules()[static_cast<size_t>(rule)].rule.about;
}

std::vector<v1::Reason> Portraits::WhyHeld(std::string_view tag, const RowState& row, Timestamp as_of) const {
  if (tags_.op == nullptr || tags_.op->rules() == nullptr) return {};
  const auto& state = row.states.As<v1::state::Tags>(tags_.slot);
  if (state.rules() != tags_.op->rules()->version()) return {};
  const portrait::Moment moment = calendar_.At(as_of);
  auto standing = tags_.op->Explain(tag, state, FeatureReader(row, moment), moment);
  return standing.ok() ? std::move(standing->reasons) : std::vector<v1::Reason>();
}

Json Portraits::Tags(const RowState& row, Timestamp as_of, bool masked) const {
  Json out = Json::array();
  if (tags_.op == nullptr) return out;
  for (const auto& held : row.states.As<v1::state::Tags>(tags_.slot).held()) {
    out.push_back({{"name", held.name()},
                   {"since", TimeOf(held.since_us())},
                   {"about", About(held.name())},
                   {"reasons", ReasonsJson(WhyHeld(held.name(), row, as_of), masked)}});
  }
  return out;
}

Json Portraits::Pins(const RowState& row, bool masked) const {
  Json out = Json::array();
  if (tags_.op == nullptr) return out;
  for (const auto& pin : row.states.As<v1::state::Tags>(tags_.slot).pins()) {
    out.push_back({{"tag", pin.tag()},
                   {"absent", pin.absent()},
                   {"since", TimeOf(pin.since_us())},
                   {"until", MaybeTime(pin.until_us())},
                   {"author", pin.author()},
                   {"reason", masked ? MaskedText(pin.reason()) : pin.reason()}});
  }
  return out;
}

v1::TagStanding Portraits::Standing(const Row& row, Timestamp as_of) const {
  v1::TagStanding out;
  if (tags_.op != nullptr) {
    for (const auto& held : row.state.states.As<v1::state::Tags>(tags_.slot).held()) {
      auto* one = out.add_held();
      one->set_tag(held.name());
      one->set_since_us(held.since_us());
    }
  }
  if (slots_.churn && churn_ != nullptr && !row.state.states.As<v1::state::Churn>(*slots_.churn).episode_id().empty()) {
    const FeatureReader reader(row.state, calendar_.At(as_of));
    const auto forecast = churn_->model().Forecast([&](const FeatureRef& ref) { return reader.Get(ref); }, as_of,
                                                   churn_->options().horizon_days);
    out.set_value_at_risk_micros(std::llround(forecast.spend_at_risk_micros));
  }
  return out;
}

Json Portraits::Churn(const RowState& row, const FeatureReader& reader, Timestamp as_of) const {
  const Value last = Get(reader, "purchases.last");
  const auto* last_order = std::get_if<Timestamp>(&last);
  if (churn_ == nullptr || last_order == nullptr || AsNumber(Get(reader, "purchases.occasions")) < 1) return nullptr;
  const auto& state = row.states.As<v1::state::Churn>(*slots_.churn);
  ChurnForecast forecast = churn_->model().Forecast([&](const FeatureRef& ref) { return reader.Get(ref); }, as_of,
                                                    churn_->options().horizon_days);
  const ChurnOptions& options = churn_->options();
  ChurnSigns signs = SignsAt(options, state, KnownCauses(state), as_of, calendar_.At(as_of).day, *last_order,
                             state.silence_limit_days());
  const bool silence = (signs.causes & kSilence) != 0;
  signs.causes = state.causes();  // what an alert has said
  forecast.score += BesideModel(options, signs.causes);
  const double probability = FromLogOdds(forecast.score);
  std::vector<v1::Reason> reasons = ReasonsOf(options, signs, silence, std::move(forecast.reasons));
  if (options.profit.given()) {
    reasons.push_back(ProfitReason(options, probability, forecast.spend_at_risk_micros));
  }

  Json episode;
  if (!state.episode_id().empty()) {
    episode = {{"id", state.episode_id()},
               {"opened", TimeOf(state.opened_us())},
               {"worst_band", std::string(BandName(state.worst()))},
               {"causes", CauseNames(state.causes())}};
  }
  const double spend = forecast.spend_at_risk_micros / 1e6;
  const ContactProfit& profit = options.profit;
  return {{"at_risk", !state.episode_id().empty()},
          {"band", std::string(BandName(BandOf(options, probability, forecast.spend_at_risk_micros)))},
          {"probability", probability},
          {"horizon_days", options.horizon_days},
          {"value_at_risk", spend},
          {"expected_profit", profit.given() ? Json(profit.Net(probability, spend)) : Json()},
          {"judged_at", TimeText(as_of)},
          {"last_order", TimeText(*last_order)},
          {"expected_order", ToJson(Get(reader, "purchases.expected_next"))},
          {"silence_limit_days", signs.limit_days},
          {"alert_expected", TimeText(*last_order + FromDays(signs.limit_days))},
          {"episode", std::move(episode)},
          {"model", std::string(churn_->model().name())},
          {"reasons", ReasonsJson(reasons, false)}};
}

Json Portraits::PurchaseDays(const RowState& row, Timestamp until) const {
  Json out = Json::array();
  if (!slots_.purchases) return out;
  const auto& state = row.states.As<v1::state::Purchases>(*slots_.purchases);
  for (int i = 0; i < state.day_size() && i < state.day_orders_size() && i < state.day_last_us_size(); ++i) {
    if (FromMicros(state.day_last_us(i)) > until) continue;
    out.push_back(
        {{"day", DayText(state.day(i))}, {"orders", state.day_orders(i)}, {"last", TimeOf(state.day_last_us(i))}});
  }
  return out;
}

int64_t Portraits::EarlierPurchaseDays(const RowState& row) const {
  if (!slots_.purchases) return 0;
  const auto& state = row.states.As<v1::state::Purchases>(*slots_.purchases);
  return std::max<int64_t>(0, state.occasions() - state.day_size());
}

Json Portraits::Purchases(const RowState& row, const FeatureReader& reader) const {
  return {{"days", PurchaseDays(row, Timestamp::max())},
          {"earlier_days", EarlierPurchaseDays(row)},
          {"categories", List(reader, "purchases.categories")},
          {"channels", List(reader, "purchases.channels")}};
}

Json Portraits::Sessions(const RowState& row, Timestamp until) const {
  Json out = Json::array();
  if (!slots_.site) return out;
  const auto add = [&](const auto& session, bool open, std::string_view entry_page, std::string_view exit_page) {
    if (FromMicros(session.start_us()) > until) return;
    const int64_t end_us = session.start_us() + session.length_us();
    const bool over = FromMicros(end_us) <= until;  // else what it came to is not known of then
    out.push_back({{"start", TimeOf(session.start_us())},
                   {"end", over ? TimeOf(end_us) : Json()},
                   {"pages", over ? Json(session.pages()) : Json()},
                   {"open", open || !over},
                   {"entry_page", TextOrNull(entry_page)},
                   {"exit_page", TextOrNull(over ? exit_page : "")}});
  };
  const auto& sessions = row.states.As<v1::state::Site>(*slots_.site).sessions();
  if (sessions.has_last()) {
    const auto& last = sessions.last();
    add(last, last.open(), last.entry_page(), last.exit_page());
  }
  if (sessions.has_before()) add(sessions.before(), false, "", "");
  return out;
}

Json Portraits::Tickets(const RowState& row, Timestamp until) const {
  Json out = Json::array();
  if (!slots_.service) return out;
  for (const auto& ticket : row.states.As<v1::state::Service>(*slots_.service).tickets()) {
    const auto time = [&](bool known, int64_t time_us) {
      return known && FromMicros(time_us) <= until ? TimeOf(time_us) : Json();
    };
    const Json opened = time(ticket.has_opened_us(), ticket.opened_us());
    const Json answered = time(ticket.has_answered_us(), ticket.answered_us());
    const Json resolved = time(ticket.has_resolved_us(), ticket.resolved_us());
    if (opened.is_null() && answered.is_null() && resolved.is_null()) continue;
    out.push_back({{"id", ticket.id()},
                   {"kind", ticket.complaint() ? "complaint" : "question"},
                   {"opened", opened},
                   {"answered", answered},
                   {"resolved", resolved}});
  }
  return out;
}

Json Portraits::Features(const FeatureReader& reader, bool masked) const {
  Json out = Json::object();
  std::string operator_name;
  Json* of_operator = nullptr;
  for (const FeatureRef& feature : chain().features().all()) {
    const std::string& name = feature.description().name;
    const std::string_view of(name.data(), name.find('.'));
    if (of_operator == nullptr || of != operator_name) {
      operator_name = std::string(of);
      of_operator = &out.emplace(operator_name, Json::object()).first.value();
    }
    Json value = feature.description().type == FeatureType::kItems
                     ? ItemsJson(feature.description(), reader.GetItems(feature))
                     : ToJson(reader.Get(feature));
    if (masked && IsPersonal(name)) value = Masked(name, value);
    of_operator->emplace(std::string(Short(name)), std::move(value));
  }
  return out;
}

Json Portraits::TimersOf(const RowState& row) const {
  Json out = Json::array();
  for (const TimerEntry& timer : row.timers) {
    if (timer.slot == 0 || timer.slot > chain_.operators().size()) continue;
    const Description& about = *chain_.operators()[timer.slot - 1].about;
    const auto described = std::find_if(about.timers().begin(), about.timers().end(),
                                        [&](const TimerDescription& one) { return one.id == timer.id; });
    out.push_back({{"operator", about.name()},
                   {"meaning", described == about.timers().end() ? "" : described->meaning},
                   {"due", TimeText(timer.time)}});
  }
  return out;
}

}  // namespace portrait::view

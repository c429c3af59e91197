#include "operators/email.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "operators/optional_time.h"
#include "operators/packed.h"
#include "operators/text.h"
#include "operators/window_features.h"
#include "xxhash.h"

namespace portrait {
namespace {

using State = v1::state::Email;

// What a mail is known by: the lower bits of its entry among the known mails.
enum Known : uint32_t { kDelivered = 1, kOpened = 2, kClicked = 4, kBounced = 8 };
constexpr uint32_t kHashMask = ~uint32_t{15};

// Marks the mail, and tells whether it had not been marked so before. Mails without an id are always news.
bool IsNews(const std::string& mail_id, Known mark, State& state) {
  if (mail_id.empty()) return true;
  const auto hash = static_cast<uint32_t>(XXH3_64bits(mail_id.data(), mail_id.size())) & kHashMask;
  auto& mails = *state.mutable_known_mails();
  const auto known =
      std::find_if(mails.rbegin(), mails.rend(), [&](uint32_t mail) { return (mail & kHashMask) == hash; });
  if (known != mails.rend()) {
    const bool news = (*known & mark) == 0;
    *known |= mark;
    return news;
  }
  if (mails.size() == kKnownMails) mails.erase(mails.begin());
  mails.Add(hash | mark);
  return true;
}

// ---- Tallies by name

// Packed: the name, after its length, and the other four as varints.
struct Tallied {
  std::string_view name;
  uint32_t delivered = 0, opened = 0, clicked = 0;
  uint32_t last_day = 0;  // local, as days since 1970-01-01
};
constexpr size_t kTalliedBytes = 1 + kMailNameBytes + 4 * PackedWriter::kVarint;  // at most

// Names point into the bytes.
using Tally = absl::InlinedVector<Tallied, kMailCampaigns>;

Tally ReadTally(const std::string& bytes) {
  Tally tally;
  for (PackedReader in(bytes); !in.done();) {
    Tallied& one = tally.emplace_back();
    one.name = in.Text(in.Byte());
    for (uint32_t* number : {&one.delivered, &one.opened, &one.clicked, &one.last_day}) {
      *number = static_cast<uint32_t>(in.Unsigned());
    }
  }
  return tally;
}

void WriteTally(const Tally& tally, std::string& bytes) {
  absl::InlinedVector<uint8_t, kMailCampaigns * kTalliedBytes> buffer(tally.size() * kTalliedBytes);
  PackedWriter out(buffer.data());
  for (const Tallied& one : tally) {
    out.Byte(static_cast<uint8_t>(one.name.size()));
    out.Text(one.name);
    for (const uint32_t number : {one.delivered, one.opened, one.clicked, one.last_day}) out.Unsigned(number);
  }
  bytes.assign(out.data(), out.size());
}

// Of a new name at the end, or in the place of the one whose latest day is the oldest; null where all are newer.
Tallied* PlaceFor(std::string_view name, uint32_t day, int names_max, Tally& tally) {
  const auto found = std::find_if(tally.begin(), tally.end(), [&](const Tallied& one) { return one.name == name; });
  if (found != tally.end()) return &*found;
  if (tally.size() < static_cast<size_t>(names_max)) return &tally.emplace_back(Tallied{.name = name, .last_day = day});
  Tallied& oldest = *std::min_element(tally.begin(), tally.end(),
                                      [](const Tallied& a, const Tallied& b) { return a.last_day < b.last_day; });
  if (oldest.last_day > day) return nullptr;
  oldest = {.name = name, .last_day = day};
  return &oldest;
}

void Count(std::string_view name, int32_t local_day, int names_max, Known what, std::string& bytes) {
  name = Clip(name, kMailNameBytes);
  const auto day = static_cast<uint32_t>(std::max(0, local_day));
  Tally tally = ReadTally(bytes);
  Tallied* const one = PlaceFor(name, day, names_max, tally);
  if (one == nullptr) return;
  if (what == kDelivered) ++one->delivered;
  if (what == kOpened) ++one->opened;
  if (what == kClicked) ++one->clicked;
  one->last_day = std::max(one->last_day, day);
  WriteTally(tally, bytes);
}

void TallyBoth(const v1::Email& mail, int32_t day, Known what, State& state) {
  if (!mail.campaign_id().empty()) Count(mail.campaign_id(), day, kMailCampaigns, what, *state.mutable_campaigns());
  if (!mail.kind().empty()) Count(mail.kind(), day, kMailKinds, what, *state.mutable_kinds());
}

// ---- Events

void Deliver(const v1::Email& mail, int64_t second, int32_t day, State& state) {
  if (!IsNews(mail.mail_id(), kDelivered, state)) return;
  WindowAdd(*state.mutable_mails(), day, 1);
  TallyBoth(mail, day, kDelivered, state);
  state.set_last_delivered_s(std::max(state.last_delivered_s(), second));
}

void Open(const v1::Email& mail, int64_t second, int32_t day, State& state) {
  state.set_last_opened_s(std::max(state.last_opened_s(), second));
  if (!IsNews(mail.mail_id(), kOpened, state)) return;
  WindowAdd(*state.mutable_reactions(), day, 1);
  TallyBoth(mail, day, kOpened, state);
}

void Click(const v1::Email& mail, int64_t second, int32_t day, State& state) {
  state.set_last_clicked_s(std::max(state.last_clicked_s(), second));
  state.set_links_clicked(state.links_clicked() + 1);
  if (!mail.mail_id().empty()) Open(mail, second, day, state);
  if (!IsNews(mail.mail_id(), kClicked, state)) return;
  WindowAdd(*state.mutable_reactions(), day, 0, 1);
  TallyBoth(mail, day, kClicked, state);
}

void Bounce(const v1::Email& mail, int32_t day, State& state) {
  if (IsNews(mail.mail_id(), kBounced, state)) WindowAdd(*state.mutable_mails(), day, 0, 1);
}

// Of two words at one time the one that came last holds.
void Subscribe(bool wanted, int64_t us, State& state) {
  if (us < state.subscription_us()) return;
  state.set_subscription_us(us);
  state.set_unsubscribed(!wanted);
}

// ---- Features

std::optional<double> Rate(int64_t reactions, int64_t delivered) {
  if (delivered <= 0) return std::nullopt;
  return std::min(1.0, static_cast<double>(reactions) / static_cast<double>(delivered));
}

void DescribeRates(Description& about, const std::string& name, const std::string& what, WindowPart part) {
  for (const int window_days : kWindowDays) {
    about.Feature<State>(
        name + WindowSuffix(window_days), "1", what + ", by the mails delivered," + WindowWords(window_days),
        [=](const State& s, const Moment& at) {
          return Rate(WithinDays(s.reactions(), part, at, window_days),
                      WithinDays(s.mails(), WindowPart::kCount, at, window_days));
        },
        ChangesOn<State>([=](const State& s, const Moment& at) {
          return FirstChange({&s.mails(), &s.reactions()}, at.day, window_days);
        }));
  }
  about.Feature<State>(name, "1", what + ", by the mails delivered, so far", [=](const State& s) {
    return Rate(Lifetime(s.reactions(), part), Lifetime(s.mails(), WindowPart::kCount));
  });
}

// The one mailed or reacted to last comes first, on one day by name.
Items TallyItems(const std::string& bytes, const Moment& at) {
  Tally tally = ReadTally(bytes);
  std::sort(tally.begin(), tally.end(), [](const Tallied& a, const Tallied& b) {
    return a.last_day != b.last_day ? a.last_day > b.last_day : a.name < b.name;
  });
  Items out;
  for (const Tallied& one : tally) {
    const auto open_rate = Rate(one.opened, one.delivered);
    out.push_back({one.name,
                   {int64_t{one.delivered}, int64_t{one.opened}, int64_t{one.clicked},
                    open_rate ? Value(*open_rate) : Value(), std::max(int64_t{0}, at.day - int64_t{one.last_day})}});
  }
  return out;
}

void DescribeTallies(Description& about) {
  const std::vector<FeatureColumn> columns = {
      {"delivered", FeatureType::kInteger, "mails", "Mails delivered", OverTime::Still()},
      {"opened", FeatureType::kInteger, "mails", "Mails opened", OverTime::Still()},
      {"clicked", FeatureType::kInteger, "mails", "Mails clicked in", OverTime::Still()},
      {"open_rate", FeatureType::kNumber, "1", "Mails opened by mails delivered; none where none was delivered",
       OverTime::Still()},
      {"days_since", FeatureType::kInteger, "days", "Days since the latest of these",
       OverTime::EachDay(OverTime::Trend::kRises)}};
  about.ItemsFeature<State>("campaigns", columns, "The 8 campaigns heard of last, the latest first",
                            [](const State& s, const Moment& at) { return TallyItems(s.campaigns(), at); });
  about.ItemsFeature<State>("kinds", columns, "The 6 kinds of mail heard of last, the latest first",
                            [](const State& s, const Moment& at) { return TallyItems(s.kinds(), at); });
}

void DescribeTimes(Description& about) {
  about.Feature<State>("last_delivered", "time", "When the latest mail was delivered",
                       [](const State& s) { return TimeOfSecond(s.last_delivered_s()); });
  about.Feature<State>("last_opened", "time", "When a mail was last opened",
                       [](const State& s) { return TimeOfSecond(s.last_opened_s()); });
  about.Feature<State>("last_clicked", "time", "When a link in a mail was last clicked",
                       [](const State& s) { return TimeOfSecond(s.last_clicked_s()); });
}

}  // namespace

void Email::Describe(Description& about) {
  about.Name("email")
      .About("Mails delivered, opened and clicked, by window, campaign and kind; bounces, spam, unsubscribing")
      .Reads({Event::kEmailDelivered, Event::kEmailOpened, Event::kEmailLinkClicked, Event::kEmailBounced,
              Event::kEmailMarkedAsSpam, Event::kUnsubscribed, Event::kConsentChanged});
  DescribeWindow(about, "delivered", "mails", "Mails delivered", &State::mails, WindowPart::kCount);
  DescribeWindow(about, "opened", "mails", "Mails opened", &State::reactions, WindowPart::kCount);
  DescribeWindow(about, "clicked", "mails", "Mails clicked in", &State::reactions, WindowPart::kSum);
  DescribeWindow(about, "bounced", "mails", "Mails bounced", &State::mails, WindowPart::kSum);
  DescribeRates(about, "open_rate", "Mails opened", WindowPart::kCount);
  DescribeRates(about, "click_rate", "Mails clicked in", WindowPart::kSum);
  about.Feature<State>("links_clicked", "clicks", "Links clicked so far",
                       [](const State& s) -> int64_t { return s.links_clicked(); });
  about.Feature<State>("spam_reports", "reports", "Mails marked as spam so far",
                       [](const State& s) -> int64_t { return s.spam_reports(); });
  about.Feature<State>("unsubscriptions", "times", "How often the customer unsubscribed",
                       [](const State& s) -> int64_t { return s.unsubscriptions(); });
  about.Feature<State>("unsubscribed", "1", "Whether the customer wants no more mail",
                       [](const State& s) { return s.unsubscribed(); });
  DescribeTimes(about);
  DescribeTallies(about);
}

void Email::OnEvent(const Event& event, v1::state::Email& state, Context& context) const {
  const int64_t us = event.event_time_us();
  const int64_t second = us / 1'000'000;
  const int32_t day = context.DayOf(EventTime(event));
  switch (event.body_case()) {
    case Event::kEmailDelivered: return Deliver(event.email_delivered(), second, day, state);
    case Event::kEmailOpened: return Open(event.email_opened(), second, day, state);
    case Event::kEmailLinkClicked: return Click(event.email_link_clicked(), second, day, state);
    case Event::kEmailBounced: return Bounce(event.email_bounced(), day, state);
    case Event::kEmailMarkedAsSpam:
      state.set_spam_reports(state.spam_reports() + 1);
      return Subscribe(false, us, state);
    case Event::kUnsubscribed:
      state.set_unsubscriptions(state.unsubscriptions() + 1);
      return Subscribe(false, us, state);
    case Event::kConsentChanged:
      if (event.consent_changed().marketing() == v1::Consent::GRANTED) Subscribe(true, us, state);
      return;
    default: return;
  }
}

void Email::Fetch(const State& state, Fetcher& fetch) const {
  fetch.Text(state.mails());
  fetch.Text(state.reactions());
  fetch.Numbers(state.known_mails());
  fetch.Text(state.campaigns());
  fetch.Text(state.kinds());
}

}  // namespace portrait

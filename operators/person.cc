#include "operators/person.h"

#include <array>
#include <string>

#include "operators/text.h"

namespace portrait {
namespace {

using State = v1::state::Person;

constexpr size_t kTextBytesMax = 100;
constexpr size_t kEmailBytesMax = 254;  // RFC 5321, 4.5.3.1.3: a path of 256 with its brackets
constexpr size_t kPhoneBytesMax = 32;   // 15 digits by E.164, written generously
constexpr size_t kSourceBytesMax = 24;
constexpr double kDaysOfYear = 365.2425;

// A text among the facts. Its place in kTexts is its number in State.lesson_of, so the order never changes.
struct TextFact {
  const char* name;
  const std::string& (v1::Person::*get)() const;
  std::string* (v1::Person::*mutate)();
  const char* meaning;
  size_t bytes_max = kTextBytesMax;
  bool exact = false;  // too long: no such fact, rather than its start
};

constexpr std::array<TextFact, 10> kTexts = {{
    {"name", &v1::Person::name, &v1::Person::mutable_name, "Name"},
    {"sex", &v1::Person::sex, &v1::Person::mutable_sex, "Sex, as the source writes it"},
    {"country", &v1::Person::country, &v1::Person::mutable_country, "Country, as the source writes it"},
    {"region", &v1::Person::region, &v1::Person::mutable_region, "Region or state"},
    {"city", &v1::Person::city, &v1::Person::mutable_city, "City"},
    {"occupation", &v1::Person::occupation, &v1::Person::mutable_occupation, "Occupation"},
    {"education", &v1::Person::education, &v1::Person::mutable_education, "Education"},
    {"family", &v1::Person::family, &v1::Person::mutable_family, "Family status"},
    {"email", &v1::Person::email, &v1::Person::mutable_email, "Email address", kEmailBytesMax, true},
    {"phone", &v1::Person::phone, &v1::Person::mutable_phone, "Phone number", kPhoneBytesMax, true},
}};

// The facts that are no texts; they are numbered after those.
enum Fact { kBirthYear = kTexts.size(), kAge, kIncome, kConsentMarketing, kConsentAnalytics, kFacts };

constexpr std::array<const char*, kFacts - kTexts.size()> kOtherNames = {"birth_year", "age", "income",
                                                                         "consent_marketing", "consent_analytics"};

std::string_view FactName(int fact) {
  const auto at = static_cast<size_t>(fact);
  return at < kTexts.size() ? kTexts[at].name : kOtherNames[at - kTexts.size()];
}

const v1::state::Lesson* LessonOf(const State& state, int fact) {
  if (fact >= state.lesson_of_size() || state.lesson_of(fact) == 0) return nullptr;
  return &state.lessons(static_cast<int>(state.lesson_of(fact)) - 1);
}

// Takes the facts of one event into the state. The lesson is added with the first fact that is news.
class Learning {
 public:
  Learning(const Event& event, State& state)
      : state_(state), time_us_(event.event_time_us()), source_(Clip(event.source(), kSourceBytesMax)) {}

  // Whether this event's word on the fact is the latest. If so, the fact is now this event's.
  bool Learns(int fact) {
    const v1::state::Lesson* known = LessonOf(state_, fact);
    if (known != nullptr && known->time_us() > time_us_) return false;
    while (state_.lesson_of_size() <= fact) state_.add_lesson_of(0);
    state_.set_lesson_of(fact, Lesson());
    return true;
  }

  void Text(int number, const v1::Person& said) {
    const TextFact& fact = kTexts[static_cast<size_t>(number)];
    const std::string& text = (said.*fact.get)();
    if (text.empty() || (fact.exact && text.size() > fact.bytes_max) || !Learns(number)) return;
    (state_.mutable_facts()->*fact.mutate)()->assign(Clip(text, fact.bytes_max));
  }

  void Facts(const v1::Person& said) {
    for (int i = 0; i < static_cast<int>(kTexts.size()); ++i) Text(i, said);
    if (said.birth_year() > 0 && Learns(kBirthYear)) state_.mutable_facts()->set_birth_year(said.birth_year());
    if (said.age() > 0 && Learns(kAge)) state_.mutable_facts()->set_age(said.age());
    if (said.income_micros() > 0 && Learns(kIncome)) {
      state_.mutable_facts()->set_income_micros(said.income_micros());
      state_.mutable_facts()->mutable_income_currency()->assign(Clip(said.income_currency(), kTextBytesMax));
    }
  }

  void Consent(const v1::Consent& said) {
    if (said.marketing() != v1::Consent::UNKNOWN && Learns(kConsentMarketing)) {
      state_.mutable_consent()->set_marketing(said.marketing());
    }
    if (said.analytics() != v1::Consent::UNKNOWN && Learns(kConsentAnalytics)) {
      state_.mutable_consent()->set_analytics(said.analytics());
    }
  }

  // Drops the lessons that no fact comes from any more.
  void Finish() {
    if (lesson_ == 0) return;
    std::array<bool, kFacts + 2> used{};  // by place + 1; before the drop there may be one lesson more than facts
    for (const uint32_t lesson : state_.lesson_of()) used[lesson] = true;
    for (int i = state_.lessons_size(); i > 0; --i) {
      if (used[static_cast<size_t>(i)]) continue;
      state_.mutable_lessons()->DeleteSubrange(i - 1, 1);
      for (uint32_t& lesson : *state_.mutable_lesson_of()) {
        if (lesson > static_cast<uint32_t>(i)) --lesson;
      }
    }
  }

 private:
  uint32_t Lesson() {
    if (lesson_ == 0) {
      auto* lesson = state_.add_lessons();
      lesson->set_time_us(time_us_);
      lesson->mutable_source()->assign(source_);
      lesson_ = static_cast<uint32_t>(state_.lessons_size());
    }
    return lesson_;
  }

  State& state_;
  int64_t time_us_;
  std::string_view source_;
  uint32_t lesson_ = 0;  // place in lessons + 1; 0: no fact was news yet
};

std::optional<std::string_view> TextOrNone(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

std::optional<std::string_view> ChoiceText(v1::Consent::Choice choice) {
  switch (choice) {
    case v1::Consent::GRANTED: return "granted";
    case v1::Consent::DENIED: return "denied";
    default: return std::nullopt;
  }
}

std::optional<bool> IsAllowed(v1::Consent::Choice choice) {
  if (choice != v1::Consent::GRANTED && choice != v1::Consent::DENIED) return std::nullopt;
  return choice == v1::Consent::GRANTED;
}

int YearOf(int32_t day) {
  return static_cast<int>(std::chrono::year_month_day(std::chrono::sys_days(days(day))).year());
}

// By the year of birth where it is known, since that does not age; else the stated age and the years since then.
std::optional<int64_t> AgeAt(const State& state, const Moment& at) {
  if (state.facts().birth_year() > 0) return YearOf(at.day) - state.facts().birth_year();
  const v1::state::Lesson* lesson = LessonOf(state, kAge);
  if (lesson == nullptr) return std::nullopt;
  return state.facts().age() + static_cast<int64_t>(InDays(at.time - FromMicros(lesson->time_us())) / kDaysOfYear);
}

// The local day before which the age stays the same.
std::optional<int32_t> AgeChangesOn(const State& state, const Moment& at) {
  const auto age = AgeAt(state, at);
  if (!age) return std::nullopt;
  if (state.facts().birth_year() > 0) {
    const auto new_year = std::chrono::sys_days(std::chrono::year(YearOf(at.day) + 1) / 1 / 1);
    return static_cast<int32_t>(new_year.time_since_epoch().count());
  }
  // The day itself is known to the local hour only, so from a day before on it is looked at every day.
  const Timestamp learned = FromMicros(LessonOf(state, kAge)->time_us());
  const auto years = static_cast<double>(*age - state.facts().age() + 1);
  const double left = years * kDaysOfYear - InDays(at.time - learned);
  return at.day + std::max(1, static_cast<int32_t>(left) - 1);
}

Items FactsOf(const State& state) {
  Items out;
  for (int fact = 0; fact < kFacts; ++fact) {
    const v1::state::Lesson* lesson = LessonOf(state, fact);
    if (lesson == nullptr) continue;
    out.push_back({FactName(fact), {FromMicros(lesson->time_us()), std::string_view(lesson->source())}});
  }
  return out;
}

void DescribeNumbers(Description& about) {
  about.Feature<State>("birth_year", "year", "Year of birth", [](const State& s) -> std::optional<int64_t> {
    if (s.facts().birth_year() == 0) return std::nullopt;
    return s.facts().birth_year();
  });
  about.Feature<State>("age", "years",
                       "Age: reached this year by the year of birth, or else as stated, and the years since then",
                       AgeAt, ChangesOn<State>(AgeChangesOn, OverTime::Trend::kRises));
  about.Feature<State>("income", "income_currency", "Income a year", [](const State& s) -> std::optional<double> {
    if (s.facts().income_micros() == 0) return std::nullopt;
    return static_cast<double>(s.facts().income_micros()) / 1e6;
  });
  about.Feature<State>("income_currency", "text", "Currency of the income; none = the home currency",
                       [](const State& s) { return TextOrNone(s.facts().income_currency()); });
}

void DescribeConsent(Description& about) {
  about.Feature<State>("consent_marketing", "text", "Consent to marketing: granted or denied; none = never asked",
                       [](const State& s) { return ChoiceText(s.consent().marketing()); });
  about.Feature<State>("consent_analytics", "text", "Consent to analytics: granted or denied; none = never asked",
                       [](const State& s) { return ChoiceText(s.consent().analytics()); });
  about.Feature<State>("marketing_allowed", "1", "Whether there is consent to marketing; none = never asked",
                       [](const State& s) { return IsAllowed(s.consent().marketing()); });
  about.Feature<State>("analytics_allowed", "1", "Whether there is consent to analytics; none = never asked",
                       [](const State& s) { return IsAllowed(s.consent().analytics()); });
}

}  // namespace

void Person::Describe(Description& about) {
  about.Name("person")
      .About("The basic facts about a person, where and when each was learned, and consent")
      .ReadsEverything();
  for (const TextFact& fact : kTexts) {
    about.Feature<State>(fact.name, "text", fact.meaning,
                         [get = fact.get](const State& state) { return TextOrNone((state.facts().*get)()); });
  }
  DescribeNumbers(about);
  DescribeConsent(about);
  about.ItemsFeature<State>("facts",
                            {{"learned", FeatureType::kTimestamp, "time", "When it was learned"},
                             {"source", FeatureType::kText, "text", "The source of the event that told it"}},
                            "The facts that are known", [](const State& s) { return FactsOf(s); });
}

void Person::OnEvent(const Event& event, v1::state::Person& state, Context&) const {
  if (!event.has_identified() && !event.has_consent_changed() && !event.has_consent()) return;
  Learning learning(event, state);
  learning.Consent(event.consent());
  if (event.has_identified()) learning.Facts(event.identified());
  if (event.has_consent_changed()) learning.Consent(event.consent_changed());
  learning.Finish();
}

}  // namespace portrait

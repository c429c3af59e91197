#include "pipeline/decode/iso_time.h"

#include <chrono>

namespace portrait {
namespace {

// Takes parts off the front of a text; after a failure every further part fails too.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  // Exactly `digits` digits with a value from `low` to `high`.
  int Number(size_t digits, int low, int high) {
    if (rest_.size() < digits) return Fail();
    int value = 0;
    for (size_t i = 0; i < digits; ++i) {
      const unsigned digit = static_cast<unsigned char>(rest_[i]) - unsigned{'0'};
      if (digit > 9) return Fail();
      value = value * 10 + static_cast<int>(digit);
    }
    rest_.remove_prefix(digits);
    return value < low || value > high ? Fail() : value;
  }

  // Takes one character if it is among these.
  bool Take(std::string_view any_of) {
    if (rest_.empty()) return false;
    for (const char c : any_of) {
      if (rest_.front() != c) continue;
      taken_ = c;
      rest_.remove_prefix(1);
      return true;
    }
    return false;
  }
  void Need(std::string_view any_of) {
    if (!Take(any_of)) Fail();
  }
  char taken() const { return taken_; }

  // The digits of a fraction as millionths; at least one digit.
  int64_t Micros() {
    if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') return Fail();
    int64_t micros = 0, worth = 100'000;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1), worth /= 10) {
      micros += worth * (rest_.front() - '0');
    }
    return micros;
  }

  bool at_end() const { return rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  int Fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  char taken_ = 0;
  bool ok_ = true;
};

constexpr int64_t kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;

int64_t TimeOfDay(Scanner& scan) {
  int64_t us = scan.Number(2, 0, 23) * kHour;
  scan.Need(":");
  us += scan.Number(2, 0, 59) * kMinute;
  if (!scan.Take(":")) return us;
  us += scan.Number(2, 0, 60) * kSecond;
  if (scan.Take(".,")) us += scan.Micros();
  return us;
}

int64_t ZoneOffset(Scanner& scan) {
  if (scan.Take("Zz") || !scan.Take("+-")) return 0;
  const int64_t sign = scan.taken() == '-' ? -1 : 1;
  int64_t us = scan.Number(2, 0, 23) * kHour;
  if (scan.Take(":") || !scan.at_end()) us += scan.Number(2, 0, 59) * kMinute;
  return sign * us;
}

}  // namespace

std::optional<int64_t> ParseIsoTime(std::string_view text) {
  Scanner scan(text);
  const int year = scan.Number(4, 1, 9999);
  scan.Need("-");
  const int month = scan.Number(2, 1, 12);
  scan.Need("-");
  const int day = scan.Number(2, 1, 31);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!scan.ok() || !date.ok()) return std::nullopt;
  int64_t us = std::chrono::sys_days(date).time_since_epoch().count() * kDay;
  if (scan.Take("Tt ")) {
    us += TimeOfDay(scan);
    us -= ZoneOffset(scan);
  }
  if (!scan.ok() || !scan.at_end()) return std::nullopt;
  return us;
}

}  // namespace portrait

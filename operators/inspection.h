// Checks and corrects the fields of one event; the working part of Clean::Check.
//
//   Inspection check(options, rates, event);
//   check.Label("category", page.category(), [&] { return page.mutable_category(); });
//   return std::move(check).rejection();
//
// The first rejection is kept, later ones are not. A text is given as it is and by a function that gives access to
// change it, since asking Protobuf for the latter makes a string where there is none. One thread, one event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "operators/clean.h"
#include "operators/rejection_codes.h"
#include "operators/utf8.h"

namespace portrait {

// What one unit of a currency is worth in the home currency, in 10^-12 units.
using Rates = absl::flat_hash_map<std::string, int64_t>;
inline constexpr int64_t kRateUnit = 1'000'000'000'000;

// amount * rate, rounded to the nearest millionth, halves away from zero. Nothing if it does not fit.
std::optional<int64_t> Convert(int64_t amount_micros, int64_t rate);

// An email address without blanks around it, in lower case (A to Z only). The local part is lowered too, against the
// letter of RFC 5321: no provider in use tells such addresses apart, but many forms capitalise them.
std::string TidyEmail(std::string_view address);
bool IsTidyEmail(std::string_view address);
bool LooksLikeEmail(std::string_view address);  // something@something, without blanks

// A phone number as digits with an optional + in front: blanks, dots, dashes, slashes and brackets go, 00 becomes +.
// Nothing if something else is in it, or not 3 to 15 digits (E.164).
std::optional<std::string> TidyPhone(std::string_view number);

class Inspection {
 public:
  Inspection(const CleanOptions& options, const Rates& rates, Event& event)
      : options_(options), rates_(rates), event_(event) {}

  void Fail(RejectionCode code, std::string text) {
    if (!rejection_) rejection_ = Reject(code, std::move(text));
  }
  bool failed() const { return rejection_.has_value(); }
  std::optional<Rejection> rejection() && { return std::move(rejection_); }

  // Names the field in Event.corrected, once.
  void Corrected(std::string_view name);

  // An id: rejected if it is too long, blank or has control characters. Empty is fine.
  void Id(std::string_view name, std::string_view id) {
    if (id.size() > options_.max_id_bytes || !IsPlain(id)) ExamineId(name, id);
  }

  template <class Mutable>
  void Label(std::string_view name, std::string_view text, Mutable change) {
    Cut(name, text, options_.max_label_bytes, change);
  }

  template <class Mutable>
  void Text(std::string_view name, std::string_view text, Mutable change) {
    Cut(name, text, options_.max_text_bytes, change);
  }

  template <class Mutable>
  void Email(std::string_view name, std::string_view address, Mutable change) {
    if (IsTidyEmail(address)) return Label(name, address, change);
    Replace(name, TidyEmail(address), change);
    Label(name, *change(), change);
  }

  // A currency code. Gives the rate by which its amounts are to be multiplied; kRateUnit for the home currency.
  template <class Mutable>
  int64_t Currency(std::string_view name, std::string_view code, Mutable change) {
    if (code.empty() || code == options_.home_currency) return kRateUnit;
    const int64_t rate = RateOf(name, code);
    if (!failed()) Replace(name, options_.home_currency, change);
    return rate;
  }

  // The amount in the home currency.
  int64_t Amount(std::string_view name, int64_t micros, int64_t rate = kRateUnit) {
    if (rate == kRateUnit && micros >= 0 && micros <= options_.max_amount * 1'000'000) return micros;
    return UnusualAmount(name, micros, rate);
  }

  void Quantity(std::string_view name, int64_t quantity);
  void Score(std::string_view name, double score);

 private:
  // Nothing but printable ASCII without blanks; so are most ids, and then nothing else needs a look.
  static bool IsPlain(std::string_view id);
  void ExamineId(std::string_view name, std::string_view id);
  int64_t RateOf(std::string_view name, std::string_view code);
  int64_t UnusualAmount(std::string_view name, int64_t micros, int64_t rate);

  template <class Mutable>
  void Cut(std::string_view name, std::string_view text, size_t max_bytes, Mutable change) {
    if (text.size() <= max_bytes && IsAscii(text)) return;
    if (!IsUtf8(text)) return FailUtf8(name, text);
    if (text.size() > max_bytes) Replace(name, std::string(CutUtf8(text, max_bytes)), change);
  }
  void FailUtf8(std::string_view name, std::string_view text);

  template <class Mutable>
  void Replace(std::string_view name, std::string text, Mutable change) {
    *change() = std::move(text);
    Corrected(name);
  }

  const CleanOptions& options_;
  const Rates& rates_;
  Event& event_;
  std::optional<Rejection> rejection_;
};

}  // namespace portrait

#include "operators/inspection.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/numeric/int128.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

std::string_view WithoutBlanks(std::string_view text) {
  const absl::string_view stripped = absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size()));
  return {stripped.data(), stripped.size()};
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

}  // namespace

std::optional<int64_t> Convert(int64_t amount_micros, int64_t rate) {
  const absl::int128 product = absl::int128(amount_micros) * rate;
  const absl::int128 half = product < 0 ? -kRateUnit / 2 : kRateUnit / 2;
  const absl::int128 converted = (product + half) / kRateUnit;
  if (converted > std::numeric_limits<int64_t>::max() || converted < std::numeric_limits<int64_t>::min()) {
    return std::nullopt;
  }
  return static_cast<int64_t>(converted);
}

std::string TidyEmail(std::string_view address) {
  std::string tidy(WithoutBlanks(address));
  absl::AsciiStrToLower(&tidy);
  return tidy;
}

bool IsTidyEmail(std::string_view address) {
  return std::none_of(address.begin(), address.end(), [](char c) { return absl::ascii_isupper(c); }) &&
         WithoutBlanks(address).size() == address.size();
}

bool LooksLikeEmail(std::string_view address) {
  const size_t at = address.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < address.size() &&
         std::none_of(address.begin(), address.end(), [](char c) { return c == ' ' || IsControl(c); });
}

std::optional<std::string> TidyPhone(std::string_view number) {
  number = WithoutBlanks(number);
  std::string tidy;
  for (const char c : number) {
    if (absl::ascii_isdigit(c) || (c == '+' && tidy.empty())) {
      tidy += c;
    } else if (std::string_view(" .-/()\t").find(c) == std::string_view::npos) {
      return std::nullopt;
    }
  }
  if (tidy.starts_with("00")) tidy.replace(0, 2, "+");
  const size_t digits = tidy.size() - (tidy.starts_with('+') ? 1 : 0);
  if (digits < 3 || digits > 15) return std::nullopt;
  return tidy;
}

void Inspection::Corrected(std::string_view name) {
  const auto& already = event_.corrected();
  if (std::find(already.begin(), already.end(), name) == already.end()) event_.add_corrected(name.data(), name.size());
}

bool Inspection::IsPlain(std::string_view id) {
  bool plain = true;
  for (const char c : id) plain &= static_cast<unsigned char>(c - 0x21) <= 0x7E - 0x21;
  return plain;
}

void Inspection::ExamineId(std::string_view name, std::string_view id) {
  if (id.size() > options_.max_id_bytes) {
    return Fail(RejectionCode::kIdTooLong, absl::StrCat(std::string(name), " is longer than ", options_.max_id_bytes,
                                                        " bytes: ", id.size(), " bytes, ", Quoted(id, 40)));
  }
  if (!IsUtf8(id)) return FailUtf8(name, id);
  if (std::any_of(id.begin(), id.end(), IsControl)) {
    return Fail(RejectionCode::kBadId, absl::StrCat(std::string(name), " has control characters in it: ", Quoted(id)));
  }
  if (WithoutBlanks(id).empty()) {
    Fail(RejectionCode::kBadId, absl::StrCat(std::string(name), " has nothing but blanks in it: ", Quoted(id)));
  }
}

void Inspection::FailUtf8(std::string_view name, std::string_view text) {
  Fail(RejectionCode::kInvalidUtf8, absl::StrCat(std::string(name), " is not valid UTF-8: ", Quoted(text)));
}

int64_t Inspection::RateOf(std::string_view name, std::string_view code) {
  std::string tidy(WithoutBlanks(code));
  absl::AsciiStrToUpper(&tidy);
  if (tidy == options_.home_currency || tidy.empty()) return kRateUnit;
  if (const auto rate = rates_.find(tidy); rate != rates_.end()) return rate->second;
  const bool is_code = tidy.size() == 3 && std::all_of(tidy.begin(), tidy.end(), absl::ascii_isalpha);
  Fail(RejectionCode::kUnknownCurrency,
       absl::StrCat(std::string(name),
                    is_code ? " has no rate to " + options_.home_currency : std::string(" is not three letters"), ": ",
                    Quoted(code)));
  return kRateUnit;
}

int64_t Inspection::UnusualAmount(std::string_view name, int64_t micros, int64_t rate) {
  if (micros < 0) {
    Fail(RejectionCode::kNegativeAmount, absl::StrCat(std::string(name), " is negative: ", micros, " millionths"));
    return micros;
  }
  const std::optional<int64_t> converted = Convert(micros, rate);
  if (!converted || *converted > options_.max_amount * 1'000'000) {
    Fail(RejectionCode::kAbsurdAmount, absl::StrCat(std::string(name), " is above ", options_.max_amount, " ",
                                                    options_.home_currency, ": ", micros, " millionths"));
    return micros;
  }
  return *converted;
}

void Inspection::Quantity(std::string_view name, int64_t quantity) {
  if (quantity >= 0 && quantity <= options_.max_quantity) return;
  Fail(RejectionCode::kBadQuantity,
       absl::StrCat(std::string(name), " is not from 0 to ", options_.max_quantity, ": ", quantity));
}

void Inspection::Score(std::string_view name, double score) {
  if (score >= 0 && score <= 1) return;  // false for NaN
  Fail(RejectionCode::kBadScore, absl::StrCat(std::string(name), " is not from 0 to 1: ", score));
}

}  // namespace portrait

#include "view/masking.h"

#include "re2/re2.h"

namespace portrait::view {
namespace {

constexpr std::string_view kHidden = "•••";

// The first character.
std::string_view First(std::string_view text) {
  size_t end = text.empty() ? 0 : 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return text.substr(0, end);
}

}  // namespace

bool IsPersonal(std::string_view feature) {
  return feature == "person.name" || feature == "person.email" || feature == "person.phone";
}

Json Masked(std::string_view feature, const Json& value) {
  if (!value.is_string()) return value.is_null() ? value : Json(std::string(kHidden));
  const auto& text = value.get_ref<const std::string&>();
  std::string out;
  if (feature == "person.email") {
    const size_t at = text.rfind('@');
    out.append(First(text.substr(0, at))).append(kHidden);
    if (at != std::string::npos) out.append(text.substr(at));
  } else if (feature == "person.phone") {
    constexpr size_t kShown = 2;
    out.append(kHidden);
    if (text.size() > 2 * kShown) out.append(text.substr(text.size() - kShown));
  } else {
    out.append(First(text)).append(kHidden);
  }
  return out;
}

std::string MaskedText(std::string text) {
  static const RE2 email(R"(([\pL\pN])[\pL\pN._%+-]*(@[\pL\pN-]+\.[\pL\pN.-]*[\pL\pN]))");
  // As dialled from abroad or within a country, or with an area in front. No date or time looks like these.
  static const RE2 phone(R"((^|[^\pL\pN+:.-])(?:\+|0|\(0)(?:[ ()/.-]{0,2}[0-9]){5,13}[ ()/.-]?([0-9]{2}))");
  static const RE2 with_area(R"((^|[^\pL\pN+:.-])\(?[0-9]{3}\)?[ .-][0-9]{3}[ .-][0-9]{2}([0-9]{2})\b)");
  const std::string shown = "\\1" + std::string(kHidden) + "\\2";
  for (const RE2* personal : {&email, &phone, &with_area}) RE2::GlobalReplace(&text, *personal, shown);
  return text;
}

v1::Reason Masked(const v1::Reason& reason) {
  v1::Reason out = reason;
  if (!IsPersonal(reason.feature())) {
    // What somebody wrote who pinned a tag.
    if (reason.feature() == "tags.held") out.set_text(MaskedText(reason.text()));
    return out;
  }
  out.mutable_value()->set_text(std::string(kHidden));
  out.mutable_threshold()->set_text(std::string(kHidden));
  out.set_text(reason.feature());
  return out;
}

}  // namespace portrait::view

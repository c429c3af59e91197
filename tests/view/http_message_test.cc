#include "view/http_message.h"

#include <catch2/catch_test_macros.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "view/masking.h"

namespace portrait::view {
namespace {

// "v1|customers|a/b ? limit=3"
std::string Shown(std::string_view target) {
  const auto parsed = HttpTarget::Parse(target);
  if (!parsed.ok()) return std::string(parsed.status().message());
  std::string out = absl::StrJoin(parsed->segments, "|");
  for (const auto& [name, value] : parsed->query) absl::StrAppend(&out, " ? ", name, "=", value);
  return out;
}

TEST_CASE("a target is taken apart before it is decoded, so that an id may hold slashes") {
  CHECK(Shown("/v1/customers/a%2Fb?limit=3&x") == "v1|customers|a/b ? limit=3 ? x=");
  CHECK(Shown("/v1/customers/a+b?q=a+b%2Bc") == "v1|customers|a+b ? q=a b+c");
  CHECK(Shown("/v1/customers/%F0%9F%98%80") == "v1|customers|😀");
  CHECK(Shown("/v1/customers/%2541") == "v1|customers|%41");
  CHECK(Shown("/v1/customers/") == "v1|customers|");
  CHECK(Shown("/") == "");
}

TEST_CASE("what cannot be a text is refused") {
  CHECK(Shown("/a%2") == "path: a percent sign needs two hexadecimal digits");
  CHECK(Shown("/a%zz") == "path: a percent sign needs two hexadecimal digits");
  CHECK(Shown("/%ff") == "path: must be UTF-8 without control characters");
  CHECK(Shown("/a%0Ab") == "path: must be UTF-8 without control characters");
  CHECK(Shown("/?a=%00") == "query: must be UTF-8 without control characters");
  CHECK(Shown("http://x/") == "the target must be a path");
  CHECK(Shown("") == "the target must be a path");
}

TEST_CASE("what is encoded is decoded to the same") {
  for (const std::string text : {"a/b?c&d=e f%+", "ünï😀", "~-._"}) {
    CHECK(PercentDecoded(PercentEncoded(text), false) == text);
  }
}

TEST_CASE("personal data is masked to its first letter or last digits") {
  CHECK(Masked("person.email", "anna@example.com") == "a•••@example.com");
  CHECK(Masked("person.email", "no address") == "n•••");
  CHECK(Masked("person.phone", "+33612345678") == "•••78");
  CHECK(Masked("person.phone", "112") == "•••");
  CHECK(Masked("person.name", "Élodie") == "É•••");
  CHECK(Masked("person.name", nullptr).is_null());
  CHECK(IsPersonal("person.name"));
  CHECK_FALSE(IsPersonal("person.city"));
}

TEST_CASE("in what people write, mail addresses and phone numbers are masked, and nothing else") {
  CHECK(MaskedText("asked by anna.k@example.com, then by b@x.org.") ==
        "asked by a•••@example.com, then by b•••@x.org.");
  CHECK(MaskedText("élodie+shop@exämple.fr") == "é•••@exämple.fr");
  CHECK(MaskedText("called +33 6 12 34 56 78 twice") == "called •••78 twice");
  CHECK(MaskedText("030/1234567, (0)30 1234567, (555) 123-4567, 555.123.4567") == "•••67, •••67, •••67, •••67");
  for (const std::string text :
       {"", "buys for a company", "on 2026-01-01 12:00:00 for 1 000 000, 20 % off", "order 12345678", "at @home",
        "vip is PINNED by kim until 2999-01-01 00:00:00: a friend", "0.5 of 10 000", "in 007"}) {
    CHECK(MaskedText(text) == text);
  }
  v1::Reason pinned;
  pinned.set_feature("tags.held");
  pinned.set_text("vip is PINNED by kim: wrote from anna@example.com");
  CHECK(Masked(pinned).text() == "vip is PINNED by kim: wrote from a•••@example.com");
  v1::Reason counted;
  counted.set_feature("purchases.spend");
  counted.set_text("purchases.spend 030 1234567");
  CHECK(Masked(counted).text() == counted.text());
}

}  // namespace
}  // namespace portrait::view

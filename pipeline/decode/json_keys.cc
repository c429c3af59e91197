#include "pipeline/decode/json_keys.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_split.h"

namespace portrait {
namespace {

struct NamesOfKey {
  Key key;
  std::string_view name;
  std::string_view others;  // with blanks between them
};

constexpr NamesOfKey kKeyNames[] = {
#define X(key, name, others) {Key::key, name, others},
    PORTRAIT_JSON_KEYS(X)
#undef X
};

using KeyMap = absl::flat_hash_map<std::string, Key>;

const KeyMap& KeysByPlainName() {
  static const KeyMap* const map = [] {
    auto* made = new KeyMap();
    for (const NamesOfKey& names : kKeyNames) {
      made->emplace(PlainName(names.name).view(), names.key);
      const absl::string_view others(names.others.data(), names.others.size());
      for (const absl::string_view other : absl::StrSplit(others, ' ', absl::SkipEmpty())) {
        made->emplace(PlainName({other.data(), other.size()}).view(), names.key);
      }
    }
    return made;
  }();
  return *map;
}

}  // namespace

PlainName::PlainName(std::string_view name) {
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    if (size_ == sizeof(buffer_)) {
      size_ = 0;
      return;
    }
    buffer_[size_++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
}

std::string_view KeyName(Key key) { return kKeyNames[static_cast<size_t>(key)].name; }

std::optional<Key> KeyNamed(std::string_view name) {
  static const KeyMap& map = KeysByPlainName();
  const PlainName plain(name);
  const auto found = map.find(absl::string_view(plain.view().data(), plain.view().size()));
  if (found == map.end()) return std::nullopt;
  return found->second;
}

}  // namespace portrait

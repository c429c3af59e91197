// What recovery.cc and recovery_replay.cc share: patience with the brokers, and words for errors.
#pragma once

#include <algorithm>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "pipeline/recovery.h"

namespace portrait {

constexpr Duration kRecoveryPatience = seconds(1);  // how long one call waits before it is made again

inline absl::Status Annotated(const absl::Status& status, const absl::string_view what) {
  return absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

// The range of this topic in an entry; null when it has none.
inline const v1::SourceRange* SourceOf(const v1::JournalEntry& entry, const std::string& topic) {
  const auto& sources = entry.sources();
  const auto it =
      std::find_if(sources.begin(), sources.end(), [&](const auto& source) { return source.topic() == topic; });
  return it == sources.end() ? nullptr : &*it;
}

template <class Call>
auto Recovery::Patiently(Call call) -> decltype(call(Duration())) {
  const Duration begin = ports_.clock.Monotonic();
  while (true) {
    auto answer = call(std::min(kRecoveryPatience, timeout_));
    absl::Status status;
    if constexpr (std::is_same_v<decltype(answer), absl::Status>) {
      status = answer;
    } else {
      status = answer.status();
    }
    if (!absl::IsUnavailable(status) || ports_.clock.Monotonic() - begin >= timeout_) return answer;
    EndPredecessorsTransaction();
  }
}

}  // namespace portrait

#include "pipeline/tools/dead_letters.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/result_text.h"

namespace portrait {

void LetterCounts::Add(const v1::DeadLetter& letter) {
  Group& group = groups_[{letter.code(), letter.topic()}];
  if (group.count++ == 0)
    group.example = absl::StrCat(letter.topic(), "/", letter.partition(), "@", letter.offset(), ": ", letter.text());
  group.first_us = std::min(group.first_us, letter.timestamp_us());
  group.last_us = std::max(group.last_us, letter.timestamp_us());
  ++total_;
}

std::string LetterCounts::Text() const {
  std::string text = absl::StrFormat("%12s dead letters\n", LongCount(total_));
  for (const auto& [name, group] : groups_) {
    absl::StrAppendFormat(&text, "%12s  %s, %s, records of %s to %s\n                %s\n", LongCount(group.count),
                          name.first, name.second, MinuteText(group.first_us), MinuteText(group.last_us),
                          group.example);
  }
  return text;
}

absl::Status LetterSender::Send(const v1::DeadLetter& letter) {
  NewRecord record{.topic = letter.topic(), .timestamp_us = letter.timestamp_us()};
  if (letter.has_key()) {
    record.key = letter.key();
  } else {
    record.partition = letter.partition();
  }
  if (!letter.tombstone()) record.value = letter.value();
  for (const v1::RecordHeader& header : letter.headers()) record.headers.push_back({header.name(), header.value()});
  Record original;  // keeps the bytes that the new record points to
  if (letter.truncated()) {
    auto fetched = FetchOriginal(letter);
    if (absl::IsNotFound(fetched.status())) {
      ++not_sent_["the letter was cut, and the original is no longer there"];
      return absl::OkStatus();
    }
    if (!fetched.ok()) return fetched.status();
    original = *std::move(fetched);
    record.value = original.value;
  }
  if (sink_ != nullptr) {
    if (absl::Status status = sink_->Write(record); !status.ok()) return status;
  }
  ++sent_;
  ++by_topic_[letter.topic()];
  return absl::OkStatus();
}

absl::StatusOr<Record> LetterSender::FetchOriginal(const v1::DeadLetter& letter) {
  absl::Status gone = absl::NotFoundError(absl::StrCat(letter.topic(), "/", letter.partition(), "@", letter.offset()));
  if (reader_ == nullptr) return gone;
  const auto range = reader_->Range(letter.topic(), letter.partition(), timeout_);
  if (!range.ok()) return range.status();
  if (letter.offset() < range->begin || letter.offset() >= range->end) return gone;
  auto cursor = reader_->Open(letter.topic(), letter.partition(), letter.offset(), letter.offset() + 1);
  if (!cursor.ok()) return cursor.status();
  auto record = (*cursor)->Next(timeout_);
  if (!record.ok()) return record.status();
  if (!record->has_value() || (*record)->offset != letter.offset()) return gone;
  return **std::move(record);
}

}  // namespace portrait

// Asks the processor for the pieces of memory of which a state is made, before they are needed. A row is some fifty
// pieces, and many rows lie in none of the processor's caches: looked at one after another, an event waits for most of
// them. So the rows of many events are asked for together, in rounds, each of which asks for what lies behind the
// addresses that the round before has brought; then the waits overlap (docs/decisions/2026-11-27-fetched-rows.md).
//
//   void Site::Fetch(const State& state, Fetcher& fetch) const {
//     fetch.Text(state.actions());
//     fetch.In(state.categories(), [&](const Ranking& ranking) { fetch.Text(ranking.entries()); });
//   }
//
// A hint: what is left out is only slower. Name what most events look at.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "google/protobuf/repeated_field.h"

namespace portrait {

// One round on one state.
class Fetcher {
 public:
  static constexpr int kRounds = 5;  // the state; then what lies behind it, up to four addresses deep

  explicit Fetcher(int round) : round_(round) {}

  // A message, and what `then` asks for behind it.
  template <class Message, class Then>
  void In(const Message& message, Then then) {
    if (depth_ == round_) return Lines(&message, sizeof message);
    if (depth_ > round_) return;
    ++depth_;
    then(message);
    --depth_;
  }
  template <class Message>
  void In(const Message& message) {
    In(message, [](const Message&) {});
  }

  // A field of text or bytes.
  void Text(const std::string& text) {
    In(text, [this](const std::string& there) {
      if (depth_ == round_) Lines(there.data(), there.size());
    });
  }

  // A repeated field of numbers.
  template <class Number>
  void Numbers(const google::protobuf::RepeatedField<Number>& numbers) {
    if (depth_ == round_) Lines(numbers.data(), static_cast<size_t>(numbers.size()) * sizeof(Number));
  }

  // A repeated field of messages, of each of which `then` asks for more.
  template <class Message, class Then>
  void Each(const google::protobuf::RepeatedPtrField<Message>& messages, Then then) {
    const int size = std::min(messages.size(), kMostOfEach);
    if (depth_ == round_) return Lines(messages.data(), static_cast<size_t>(size) * sizeof(Message*));
    if (depth_ > round_) return;
    ++depth_;
    for (int i = 0; i < size; ++i) In(messages.Get(i), then);
    --depth_;
  }
  template <class Message>
  void Each(const google::protobuf::RepeatedPtrField<Message>& messages) {
    Each(messages, [](const Message&) {});
  }

 private:
  static constexpr int kMostOfEach = 16;
  static constexpr size_t kLine = 64;
  static constexpr size_t kMostLines = 4;  // beyond that the processor has seen where it goes

  static void Lines(const void* from, size_t size) {
    const char* const begin = static_cast<const char*>(from);
    for (size_t at = 0; at < std::min(size, kMostLines * kLine); at += kLine) __builtin_prefetch(begin + at);
  }

  int round_;
  int depth_ = 0;
};

}  // namespace portrait

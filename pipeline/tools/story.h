// A customer told as a story: what they did, which tags came and went and why, which alerts were raised; in order of
// time and in words.
//
//   StoryBook book({"00042", "00099"});           // only these are remembered
//   book.Add(event); book.Add(change); book.Add(alert);
//   for (const std::string& customer : book.Choose(3)) std::cout << book.Tell(customer);
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "operators/event.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

// Not thread-safe. Events and results may come in any order between them; a result is told after the events of its
// time.
class StoryBook {
 public:
  explicit StoryBook(absl::flat_hash_set<std::string> watched) : watched_(std::move(watched)) {}

  void Add(const Event& event);
  void Add(const v1::TagChange& change);
  void Add(const v1::ChurnAlert& alert);

  // The customers whose stories are most worth telling, each for another reason where there are such: somebody who was
  // warned about and came back, somebody who is leaving, somebody loyal; then the richest stories. At most `count`.
  std::vector<std::string> Choose(size_t count) const;

  // With a headline; ends with a line break. Long stories leave out the middle. Empty for somebody unknown.
  std::string Tell(std::string_view customer, size_t lines_most = 32) const;

 private:
  struct Moment {
    int64_t time_us = 0;
    EventKind kind = Event::BODY_NOT_SET;  // not set: a result, told by `text`
    int64_t amount_micros = 0;
    std::string text;   // of a result or an order, without the time
    std::string group;  // tag changes of one moment with the same reason are told together
  };

  struct Life {
    std::vector<Moment> moments;
    int orders = 0;
    int tag_changes = 0;
    int alerts = 0, closed = 0;
    bool open = false;       // an alert is open at the end
    double probability = 0;  // of the last alert that is open
    int64_t value_at_risk_micros = 0;
    int64_t last_order_us = INT64_MIN, last_closed_us = INT64_MIN;
    int64_t complained_us = INT64_MIN, resolved_us = INT64_MIN;
    std::map<std::string, bool, std::less<>> tags;  // held or lost
  };

  Life* Find(const std::string& customer);
  static double Length(const Life& life);
  static double CameBack(const Life& life);
  static double Leaving(const Life& life);
  static double Loyal(const Life& life);
  static std::string Headline(const Life& life);

  absl::flat_hash_set<std::string> watched_;
  absl::flat_hash_map<std::string, Life> lives_;
};

}  // namespace portrait

// What came out of a run, by name: tags and who holds them, alerts by band, dead letters by code.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

// One thread.
class ResultTally {
 public:
  void Add(const v1::TagChange& change);
  void Add(const v1::ChurnAlert& alert);
  void Add(const v1::DeadLetter& letter);

  uint64_t results() const { return results_; }
  uint64_t dead_letters() const;

  // Tables for people; each ends with a line break.
  std::string TagsText() const;    // by name: how many hold it, how often it came and went
  std::string AlertsText() const;  // by band: opened, open now, value at risk
  std::string LettersText() const;

 private:
  struct Tag {
    int64_t came = 0, went = 0;
  };
  struct Open {
    v1::ChurnAlert::Band band = v1::ChurnAlert::NONE;
    int64_t value_micros = 0;
  };

  uint64_t results_ = 0;
  std::map<std::string, Tag> tags_;
  std::map<std::string, uint64_t> letters_;
  std::map<v1::ChurnAlert::Band, uint64_t> opened_, worsened_, closed_;
  absl::flat_hash_map<std::string, Open> open_;  // by customer
  std::string currency_;
};

}  // namespace portrait

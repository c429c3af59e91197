// Quantiles of a stream of numbers in little memory, with an error that is known.
//
//   QuantileSketch spend;
//   for (const Customer& one : customers) spend.Add(one.spend);
//   double median = spend.Quantile(0.5);   // half of the customers spent that or less
//
// M. Greenwald and S. Khanna, Space-Efficient Online Computation of Quantile Summaries, SIGMOD 2001, with one change:
// each value that is held knows how many were seen of it at least, so equal numbers, however many, take one place and
// leave no doubt. As long as no more than `exact_values` different numbers have come, nothing is dropped, and quantiles
// are exact, ties included. From then on values are merged while the doubt about any rank stays within `error`.
//
// Invariants. Held values rise: v₀ < v₁ < …; R(v) is how many numbers up to v have come, S(v) how many below it.
//   1. g₀ + … + gᵢ ≤ R(vᵢ) ≤ g₀ + … + gᵢ + Δᵢ
//   2. S(vᵢ) ≤ g₀ + … + gᵢ + Δᵢ − wᵢ
//   3. Δᵢ ≤ gᵢ + Δᵢ − wᵢ ≤ error · count
// Once it merges, some 20 / error values are held at most: so in tests with eight kinds of streams; it is not proven,
// since the bands of the paper are left out. Deterministic: no chance is used. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace portrait {

class QuantileSketch {
 public:
  struct Options {
    double error = 0.0005;        // of ranks, as a share of the numbers that have come
    size_t exact_values = 65536;  // different numbers that are held before any is dropped
  };

  QuantileSketch() : QuantileSketch(Options()) {}
  explicit QuantileSketch(const Options& options) : options_(options), merge_at_(options.exact_values) {}

  // NaN is taken for the lowest number of all.
  void Add(double value);

  // The lowest number v of those that came so that a share of at least `share` is v or less; by at most `error` of the
  // numbers another one: at least share − error are up to v, fewer than share + error are below it. NaN: none has come.
  double Quantile(double share) const;

  uint64_t count() const { return count_; }
  size_t held() const { return held_.size(); }  // different values in memory
  bool exact() const { return !merged_; }

 private:
  struct Held {
    uint64_t covers = 0;    // g: numbers above the value before, up to this one
    uint64_t doubt = 0;     // Δ: how many more may be up to this one
    uint64_t at_least = 0;  // w: of this very value
  };

  void Merge();

  Options options_;
  size_t merge_at_;
  uint64_t count_ = 0;
  bool merged_ = false;
  std::map<double, Held> held_;
};

}  // namespace portrait

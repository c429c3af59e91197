// Seeded random draws for made-up data. The distributions of <random> differ between standard libraries; these don't,
// so one seed makes one population everywhere.
//
//   Draws draws(DrawSeed(seed, customer));
//   double days = draws.Exponential(14);
//
// The state is one number: a generator for each customer and purpose costs 8 bytes. Generator: SplitMix64 (Steele, Lea,
// Flood, OOPSLA 2014); gamma: Marsaglia and Tsang, ACM TOMS 26 (2000). Not for secrets. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace portrait {

// A seed for one of many: different parts give unrelated seeds.
uint64_t DrawSeed(uint64_t seed, uint64_t part, uint64_t purpose = 0);

class Draws {
 public:
  explicit Draws(uint64_t seed) : state_(seed) {}

  uint64_t Bits();
  double Uniform();                         // in [0, 1)
  double Uniform(double low, double high);  // in [low, high)
  uint64_t Below(uint64_t n);               // in [0, n); n at least 1
  bool Chance(double probability);
  double Exponential(double mean);
  double Normal();
  double LogNormal(double median, double sigma);
  double Gamma(double shape, double scale);  // both above 0
  double Beta(double a, double b);
  size_t Weighted(std::span<const double> weights);  // an index; the weights need not add up to 1

  uint64_t state() const { return state_; }  // Draws(state()) goes on from here

 private:
  uint64_t state_;
};

}  // namespace portrait

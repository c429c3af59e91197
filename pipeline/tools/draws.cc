#include "pipeline/tools/draws.h"

#include <cmath>
#include <numbers>

namespace portrait {

namespace {

uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t DrawSeed(uint64_t seed, uint64_t part, uint64_t purpose) {
  return Mix(Mix(Mix(seed + 0x9e3779b97f4a7c15u) ^ (part + 1)) + purpose * 0xd1342543de82ef95u);
}

uint64_t Draws::Bits() { return Mix(state_ += 0x9e3779b97f4a7c15u); }

double Draws::Uniform() { return static_cast<double>(Bits() >> 11) * 0x1.0p-53; }

double Draws::Uniform(double low, double high) { return low + (high - low) * Uniform(); }

uint64_t Draws::Below(uint64_t n) {
  // Multiply-shift; its bias is below n / 2^32 for the small n used here.
  return n <= UINT32_MAX ? ((Bits() >> 32) * n) >> 32 : Bits() % n;
}

bool Draws::Chance(double probability) { return Uniform() < probability; }

double Draws::Exponential(double mean) { return -mean * std::log1p(-Uniform()); }

double Draws::Normal() {
  const double radius = std::sqrt(-2 * std::log1p(-Uniform()));
  return radius * std::cos(2 * std::numbers::pi * Uniform());
}

double Draws::LogNormal(double median, double sigma) { return median * std::exp(sigma * Normal()); }

double Draws::Gamma(double shape, double scale) {
  if (shape < 1) {  // boost by one, then correct (section 6 of the paper)
    const double boosted = Gamma(shape + 1, scale);
    return boosted * std::pow(1 - Uniform(), 1 / shape);
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = Normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log1p(-Uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v * scale;
  }
}

double Draws::Beta(double a, double b) {
  const double x = Gamma(a, 1), y = Gamma(b, 1);
  return x + y > 0 ? x / (x + y) : 0.5;
}

size_t Draws::Weighted(std::span<const double> weights) {
  double sum = 0;
  for (double weight : weights) sum += weight;
  double left = Uniform() * sum;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (left < weights[i]) return i;
    left -= weights[i];
  }
  return weights.empty() ? 0 : weights.size() - 1;
}

}  // namespace portrait

#include "operators/models/rfm.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <vector>

#include "tests/operators/simulated_rfm.h"

namespace portrait {
namespace {

// By counting: a boundary is the lowest value that at least so many fifths of the customers do not exceed.
template <class Of>
RfmBoundaries::Four ExactBoundaries(const std::vector<Rfm>& customers, Of of) {
  std::vector<double> values;
  for (const Rfm& one : customers) values.push_back(of(one));
  std::ranges::sort(values);
  RfmBoundaries::Four out{};
  for (size_t fifth = 1; fifth <= 4; ++fifth) out[fifth - 1] = values[(fifth * values.size() + 4) / 5 - 1];
  return out;
}

RfmBoundaries Exact(const std::vector<Rfm>& customers) {
  return {ExactBoundaries(customers, [](const Rfm& one) { return static_cast<double>(one.silent_days); }),
          ExactBoundaries(customers, [](const Rfm& one) { return static_cast<double>(one.purchase_days); }),
          ExactBoundaries(customers, [](const Rfm& one) { return one.spend; })};
}

TEST_CASE("fifths by the sketch are the exact ones, but for one customer in fifty at most", "[rfm]") {
  for (const int size : {50, 51, 777, 20'000, 300'000}) {
    const auto customers = SimulatedRfm(size, 7);
    const auto fitted = FitRfm(customers);
    REQUIRE(fitted.ok());
    const RfmBoundaries exact = Exact(customers);
    int equal = 0;
    for (const Rfm& one : customers) {
      equal += fitted->Recency(one) == exact.Recency(one) && fitted->Frequency(one) == exact.Frequency(one) &&
                       fitted->Monetary(one) == exact.Monetary(one)
                   ? 1
                   : 0;
    }
    INFO(size << " customers, " << equal << " in the same three fifths");
    CHECK(equal >= size * 0.98);
    if (size <= 20'000) CHECK(equal == size);  // all values are held
  }
}

TEST_CASE("each fifth holds a fifth of the customers where there are no ties", "[rfm]") {
  std::vector<Rfm> customers;
  for (int i = 0; i < 1000; ++i) customers.push_back(MakeRfm(i, 1 + i, i * 1.5));
  const auto fitted = FitRfm(customers);
  REQUIRE(fitted.ok());
  std::map<int, int> recency, frequency, monetary;
  for (const Rfm& one : customers) {
    ++recency[fitted->Recency(one)], ++frequency[fitted->Frequency(one)], ++monetary[fitted->Monetary(one)];
  }
  const std::map<int, int> even = {{1, 200}, {2, 200}, {3, 200}, {4, 200}, {5, 200}};
  CHECK(recency == even);
  CHECK(frequency == even);
  CHECK(monetary == even);
  CHECK(fitted->Recency(customers.front()) == 5);
  CHECK(fitted->Frequency(customers.front()) == 1);
  CHECK(fitted->Monetary(customers.back()) == 5);
}

TEST_CASE("equal customers are in one fifth, of those that they fill the more recent or the lower one", "[rfm]") {
  std::vector<Rfm> customers(60, MakeRfm(30, 1, 10));
  for (int i = 0; i < 40; ++i) customers.push_back(MakeRfm(i < 20 ? 5 : 50, i < 20 ? 2 : 3, 20 + i));
  const auto fitted = FitRfm(customers);
  REQUIRE(fitted.ok());
  CHECK(fitted->Frequency(MakeRfm(30, 1, 10)) == 1);
  CHECK(fitted->Frequency(MakeRfm(30, 2, 10)) == 4);
  CHECK(fitted->Frequency(MakeRfm(30, 3, 10)) == 5);
  CHECK(fitted->Recency(MakeRfm(5, 1, 10)) == 5);
  CHECK(fitted->Recency(MakeRfm(30, 1, 10)) == 4);
  CHECK(fitted->Recency(MakeRfm(31, 1, 10)) == 1);
  CHECK(fitted->Monetary(MakeRfm(30, 1, 10)) == 1);
}

TEST_CASE("the silence that changes the fifth of recency is known beforehand", "[rfm]") {
  for (const RfmBoundaries& boundaries : {RfmBoundaries(), RfmBoundaries{.silent_days = {0, 0, 3, 3}}}) {
    int32_t silent = 0;
    int fifth = boundaries.Recency(MakeRfm(0, 1, 1));
    while (const auto next = boundaries.NextSilence(silent)) {
      REQUIRE(*next > silent);
      CHECK(boundaries.Recency(MakeRfm(*next - 1, 1, 1)) == fifth);
      CHECK(boundaries.Recency(MakeRfm(*next, 1, 1)) < fifth);
      silent = *next;
      fifth = boundaries.Recency(MakeRfm(silent, 1, 1));
    }
    CHECK(fifth == 1);
  }
}

TEST_CASE("sums that differ by how they were added up are equal", "[rfm]") {
  CHECK(MakeRfm(0, 1, 0.1 + 0.2).spend == MakeRfm(0, 1, 0.3).spend);
  CHECK(MakeRfm(-1, 0, -5).silent_days == 0);
  CHECK(MakeRfm(-1, 0, -5).purchase_days == 1);
  CHECK(MakeRfm(-1, 0, -5).spend == 0);
}

TEST_CASE("too few customers have no fifths, and it is said why", "[rfm]") {
  CHECK(FitRfm(std::vector<Rfm>(49)).status().message() == "too few customers for fifths; at least 50: 49");
  CHECK(FitRfm(std::vector<Rfm>(50)).ok());
}

}  // namespace
}  // namespace portrait

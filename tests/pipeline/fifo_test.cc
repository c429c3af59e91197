#include "pipeline/fifo.h"

#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <memory>
#include <random>

namespace portrait {
namespace {

TEST_CASE("a fifo gives back what was pushed, in order, however it grows and shrinks") {
  Fifo<std::unique_ptr<int>> fifo;
  std::deque<int> expected;
  std::mt19937 random(7);
  int next = 0;
  for (int round = 0; round < 200; ++round) {
    for (auto n = random() % 500; n > 0; --n) {
      fifo.push_back(std::make_unique<int>(next));
      expected.push_back(next++);
    }
    for (auto n = random() % 500; n > 0 && !expected.empty(); --n) {
      REQUIRE(*fifo.front() == expected.front());
      fifo.pop_front();
      expected.pop_front();
    }
    REQUIRE(fifo.size() == expected.size());
    REQUIRE(fifo.empty() == expected.empty());
  }
  REQUIRE(next > 10'000);
}

TEST_CASE("a fifo that never runs empty does not keep what was popped for ever") {
  Fifo<std::shared_ptr<int>> fifo;
  const auto watched = std::make_shared<int>(1);
  fifo.push_back(std::shared_ptr<int>(watched));
  for (int i = 0; i < 10'000; ++i) {
    fifo.push_back(nullptr);
    if (i > 0) fifo.pop_front();
  }
  CHECK(fifo.size() == 2);
  CHECK(watched.use_count() == 1);
}

}  // namespace
}  // namespace portrait

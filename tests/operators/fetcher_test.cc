#include "operators/fetcher.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "portrait/v1/state/clean.pb.h"
#include "portrait/v1/state/site.pb.h"
#include "portrait/v1/state/tags.pb.h"

namespace portrait {
namespace {

// In which rounds what lies behind a message is asked about.
template <class Visit>
std::vector<int> Rounds(Visit visit) {
  std::vector<int> rounds;
  for (int round = 0; round < Fetcher::kRounds; ++round) {
    Fetcher fetch(round);
    bool asked = false;
    visit(fetch, asked);
    if (asked) rounds.push_back(round);
  }
  return rounds;
}

// An address is read only once the rounds before have brought the memory in which it lies.
TEST_CASE("each round goes one address deeper") {
  v1::state::Site site;
  site.mutable_sessions()->mutable_last()->set_exit_page("/shoes/42, a long way down");
  using std::vector;
  CHECK(Rounds([&](Fetcher& fetch, bool& asked) { fetch.In(site, [&](const auto&) { asked = true; }); }) ==
        vector{1, 2, 3, 4});
  CHECK(Rounds([&](Fetcher& fetch, bool& asked) {
          fetch.In(site, [&](const auto& there) {
            fetch.In(there.sessions(), [&](const auto& sessions) {
              fetch.In(sessions.last(), [&](const auto& last) {
                fetch.Text(last.exit_page());
                asked = true;
              });
            });
          });
        }) == vector{3, 4});
}

TEST_CASE("the elements of a list are asked for once their addresses are there, and no more than sixteen") {
  v1::state::Tags tags;
  for (int i = 0; i < 40; ++i) tags.add_held()->set_name(std::string(40, 'x'));
  int elements = 0;
  CHECK(Rounds([&](Fetcher& fetch, bool& asked) {
          fetch.In(tags, [&](const auto& there) {
            fetch.Each(there.held(), [&](const auto& tag) {
              fetch.Text(tag.name());
              asked = true;
              ++elements;
            });
          });
        }) == std::vector{3, 4});
  CHECK(elements == 2 * 16);
}

TEST_CASE("what is not there is passed over") {
  const v1::state::Site site;
  const v1::state::Tags tags;
  const v1::state::CleanState ids;
  for (int round = 0; round < Fetcher::kRounds; ++round) {
    Fetcher fetch(round);
    fetch.In(site, [&](const auto& there) {
      fetch.Text(there.actions());
      fetch.In(there.sessions(), [&](const auto& sessions) { fetch.In(sessions.last()); });
    });
    fetch.In(tags, [&](const auto& there) { fetch.Each(there.held(), [](const auto&) { FAIL("there is none"); }); });
    fetch.In(ids, [&](const auto& there) { fetch.Numbers(there.event_ids()); });
  }
}

}  // namespace
}  // namespace portrait

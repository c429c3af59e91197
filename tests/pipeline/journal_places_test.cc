#include "pipeline/journal_places.h"

#include <catch2/catch_test_macros.hpp>

namespace portrait {
namespace {

TEST_CASE("nothing is cut before the first entry") {
  const JournalPlaces places;
  CHECK(places.NeededFrom() == 0);
  CHECK(places.floor() == 0);
}

TEST_CASE("the entry that holds the floor stays whole") {
  JournalPlaces places;
  places.Add(10, 1, 100);
  places.Add(20, 1, 102);
  CHECK(places.NeededFrom() == 100);
  places.Add(30, 10, 104);  // step 10 is the last of the first entry
  CHECK(places.NeededFrom() == 100);
  places.Add(40, 11, 106);
  CHECK(places.NeededFrom() == 102);
  places.Add(50, 25, 108);  // in the middle of the third
  CHECK(places.NeededFrom() == 104);
  CHECK(places.floor() == 25);
}

TEST_CASE("the last entry stays even when its rows are all written") {
  JournalPlaces places;
  places.Add(10, 1, 100);
  places.Add(20, 21, 102);
  CHECK(places.NeededFrom() == 102);
  places.Add(20, 21, 104);  // images only, no step
  CHECK(places.NeededFrom() == 104);
}

TEST_CASE("an offset that is not known stands for that of the entry before") {
  JournalPlaces places;
  places.Add(10, 1, 100);
  places.Add(20, 1, -1);
  places.Add(30, 15, 104);
  CHECK(places.NeededFrom() == 100);
  JournalPlaces unknown;
  unknown.Add(10, 11, -1);
  CHECK(unknown.NeededFrom() == 0);
}

}  // namespace
}  // namespace portrait

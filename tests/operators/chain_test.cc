#include "operators/chain.h"

#include <catch2/catch_test_macros.hpp>

#include "operators/testing/harness.h"
#include "portrait/v1/journal.pb.h"
#include "portrait/v1/result.pb.h"

namespace portrait {
namespace {

// Counts page views; warns after a day of silence, once more a day later. Any message serves as its state.
class Silence final : public Operator<v1::TaskState> {
 public:
  static void Describe(Description& about) {
    about.Name("silence").Reads({Event::kPageViewed}).Writes<v1::TagChange>("tag-changes", "a tag comes or goes");
    about.Feature<v1::TaskState>("views", "views", "Views so far",
                                 [](const v1::TaskState& s) { return s.highest_time_us(); });
  }
  void OnEvent(const Event&, v1::TaskState& state, Context& context) const override {
    state.set_highest_time_us(state.highest_time_us() + 1);
    context.SetTimer(1, context.now() + days(1));
  }
  void OnTimer(const Timer& timer, v1::TaskState&, Context& context) const override {
    v1::TagChange change;
    change.set_tag(timer.id == 1 ? "silent" : "lost");
    context.Emit(change);
    if (timer.id == 1) context.SetTimer(2, timer.time);  // not in the future: moved to the next microsecond
  }
};

// A second state in the row.
class Echo final : public Operator<v1::TaskState> {
 public:
  static void Describe(Description& about) { about.Name("echo").Reads({Event::kPageViewed}); }
  void OnEvent(const Event&, v1::TaskState& state, Context&) const override { state.set_last_tick_us(5); }
};

class Misnamed final : public Operator<v1::TaskState> {
 public:
  static void Describe(Description& about) {
    about.Name("misnamed").Reads({Event::kPageViewed});
    about.Feature<v1::TaskState>("views", "views", "Views so far",
                                 [](const v1::TaskState& s) { return s.highest_time_us(); });
    about.TimersLeave({"views", "view"});
  }
  void OnEvent(const Event&, v1::TaskState&, Context&) const override {}
};

class NoResults final : public OutputSink {
 public:
  void Add(size_t, std::string_view, const google::protobuf::Message&) override {}
};

Event View(std::string_view customer, std::string_view time) {
  Event event = EventFor(customer, At(time));
  event.mutable_page_viewed();
  return event;
}

std::string Told(const OperatorHarness& harness) {
  std::string out;
  for (const auto& change : harness.Results<v1::TagChange>()) {
    out += change.info().customer_id() + " " + change.tag() + " " + ToText(FromMicros(change.info().event_time_us())) +
           "\n";
  }
  return out;
}

TEST_CASE("a timer fires once the time has passed, and one set meanwhile fires too") {
  OperatorHarness harness(std::move(ChainBuilder().Add<Silence>()));
  harness.Send(View("anna", "2026-01-01"));
  harness.Send(View("bert", "2026-01-01 12:00"));
  harness.AdvanceTo("2026-01-02");
  CHECK(Told(harness) == "anna silent 2026-01-02 00:00:00\n");
  harness.AdvanceTo("2026-01-03");
  CHECK(Told(harness) ==
        "anna silent 2026-01-02 00:00:00\n"
        "anna lost 2026-01-02 00:00:00\n"
        "bert silent 2026-01-02 12:00:00\n"
        "bert lost 2026-01-02 12:00:00\n");
}

TEST_CASE("the row's own timers fire before a later event") {
  OperatorHarness harness(std::move(ChainBuilder().Add<Silence>()));
  harness.Send(View("anna", "2026-01-01"));
  harness.Send(View("anna", "2026-01-05"));
  CHECK(Told(harness) == "anna silent 2026-01-02 00:00:00\nanna lost 2026-01-02 00:00:00\n");
  CHECK(harness.Feature("anna", "silence.views") == "2");
}

TEST_CASE("an erased row is as if it had never been, and a later event starts anew") {
  const auto chain = std::move(ChainBuilder().Add<Silence>()).Build("v").value();
  NoResults none;
  RowState row = chain->EmptyRow();
  chain->OnEvent(View("anna", "2026-01-01"), {}, false, "anna", row, Calendar(), none);
  Event erasure = EventFor("anna", At("2026-01-01 12:00"));
  erasure.mutable_customer_erased();
  chain->OnEvent(erasure, {}, false, "anna", row, Calendar(), none);
  CHECK(row.gone);
  CHECK(row.timers.empty());
  std::string bytes;
  chain->Encode(7, row, bytes);
  v1::Row stored;
  REQUIRE(stored.ParseFromString(bytes));
  CHECK(stored.ShortDebugString() == "number: 7 gone: true");
  RowState read;
  CHECK(chain->Decode(bytes, read).value() == 7);
  CHECK(read.gone);
  RowState never = chain->EmptyRow();
  for (RowState* either : {&read, &never}) {
    chain->OnEvent(View("anna", "2026-02-01"), {}, false, "anna", *either, Calendar(), none);
  }
  std::string again, anew;
  chain->Encode(8, read, again);
  chain->Encode(8, never, anew);
  CHECK(again == anew);
}

TEST_CASE("a result says who, what caused it, and has an id of its own that is the same in another run") {
  auto run = [] {
    OperatorHarness harness(std::move(ChainBuilder().Add<Silence>()));
    Event event = View("anna", "2026-01-01");
    event.set_event_id("e1");
    harness.Send(event);
    harness.AdvanceTo("2026-03-01");
    return harness.Results<v1::TagChange>();
  };
  const auto a = run(), b = run();
  REQUIRE(a.size() == 2);
  CHECK(a[0].info().customer_id() == "anna");
  CHECK(a[0].info().cause().timer() == "silence/1");
  CHECK(a[0].info().origin() == v1::TIMER);
  CHECK(a[0].info().id().size() == 32);
  CHECK(a[0].info().id() != a[1].info().id());
  CHECK(a[0].SerializeAsString() == b[0].SerializeAsString());
}

TEST_CASE("a chain with two operators of one name is refused") {
  auto chain = std::move(ChainBuilder().Add<Silence>().Add<Silence>()).Build("v");
  REQUIRE_FALSE(chain.ok());
  CHECK(chain.status().message() == "two operators of one name: silence");
}

TEST_CASE("a chain is refused when an operator says that no timer changes what is no feature of it") {
  const auto chain = std::move(ChainBuilder().Add<Misnamed>()).Build("v");
  REQUIRE_FALSE(chain.ok());
  CHECK(chain.status().message() == "operator misnamed: no timer changes what is no feature: view");
}

TEST_CASE("a feature that does not exist is named, with what comes near") {
  auto chain = std::move(ChainBuilder().Add<Silence>()).Build("v");
  REQUIRE(chain.ok());
  CHECK((*chain)->features().Find("silence.view").status().message() ==
        "no such feature: silence.view; did you mean silence.views");
}

TEST_CASE("the state of an operator that left the chain is kept") {
  auto with = std::move(ChainBuilder().Add<Silence>()).Build("v");
  auto without = std::move(ChainBuilder()).Build("v");
  RowState row = (*with)->EmptyRow();
  row.states.Change(1, v1::TaskState::default_instance());
  row.timers.Set(1, 1, At("2026-01-01"));
  std::string bytes, again;
  (*with)->Encode(3, row, bytes);
  RowState other;
  REQUIRE((*without)->Decode(bytes, other).ok());
  (*without)->Encode(3, other, again);
  RowState back;
  REQUIRE((*with)->Decode(again, back).value() == 3);
  CHECK(back.timers.next() == At("2026-01-01"));
}

TEST_CASE("a row at rest is its bytes, and only what is asked for is decoded") {
  const auto chain = std::move(ChainBuilder().Add<Silence>().Add<Echo>()).Build("v").value();
  NoResults none;
  RowState row = chain->EmptyRow();
  chain->OnEvent(View("anna", "2026-01-01"), {}, false, "anna", row, Calendar(), none);
  std::string bytes, again;
  chain->Encode(7, row, bytes);
  const auto decoded = [&] {
    int count = 0;
    row.states.ForDecoded([&](Slot, const google::protobuf::Message&) { ++count; });
    return count;
  };
  CHECK(decoded() == 3);  // the cleaning stage has one, too
  chain->Rest(bytes, row);
  CHECK(decoded() == 0);
  CHECK(row.states.stored() == bytes);
  CHECK(row.timers.next() == At("2026-01-02"));
  chain->Encode(7, row, again);
  CHECK(again == bytes);
  CHECK(row.states.As<v1::TaskState>(1).highest_time_us() == 1);
  CHECK(decoded() == 1);
  chain->Encode(7, row, again);
  CHECK(again == bytes);
  chain->OnEvent(View("anna", "2026-01-01 01:00"), {}, false, "anna", row, Calendar(), none);
  CHECK(row.states.As<v1::TaskState>(1).highest_time_us() == 2);
}

TEST_CASE("a state that is no message of its operator is told once it is asked for") {
  const auto chain = std::move(ChainBuilder().Add<Silence>()).Build("v").value();
  v1::Row stored;
  stored.set_number(3);
  stored.add_operators()->set_operator_("silence");
  stored.mutable_operators(0)->set_state("\xff\xff");
  RowState row;
  REQUIRE(chain->Decode(stored.SerializeAsString(), row).value() == 3);
  CHECK(chain->Damage(row).ok());
  NoResults none;
  chain->OnEvent(View("anna", "2026-01-01"), {}, false, "anna", row, Calendar(), none);
  CHECK(chain->Damage(row).ToString() == "DATA_LOSS: the state of an operator cannot be parsed: silence");
}

TEST_CASE("bytes that are no row are refused, wherever they end") {
  const auto chain = std::move(ChainBuilder().Add<Silence>()).Build("v").value();
  NoResults none;
  RowState row = chain->EmptyRow();
  chain->OnEvent(View("anna", "2026-01-01"), {}, false, "anna", row, Calendar(), none);
  std::string bytes;
  chain->Encode(7, row, bytes);
  v1::Row whole;
  REQUIRE(whole.ParseFromString(bytes));
  for (size_t size = 0; size < bytes.size(); ++size) {
    INFO("of " << bytes.size() << " bytes, the first " << size);
    v1::Row part;
    RowState read;
    CHECK(chain->Decode(std::string_view(bytes).substr(0, size), read).ok() ==
          part.ParseFromString(bytes.substr(0, size)));
  }
}

}  // namespace
}  // namespace portrait

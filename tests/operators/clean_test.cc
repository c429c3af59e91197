#include "operators/clean.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <string>

#include "operators/inspection.h"
#include "operators/testing/harness.h"

namespace portrait {
namespace {

const Timestamp kNow = At("2026-01-31 12:00");

Event Made(std::string_view customer = "anna", Timestamp time = kNow) {
  Event event;
  event.set_event_id("e1");
  event.set_customer_id(std::string(customer));
  event.set_event_time_us(ToMicros(time));
  return event;
}

Event View() {
  Event event = Made();
  event.mutable_page_viewed()->set_path("/");
  return event;
}

Event Order(int64_t total_micros, std::string currency = "") {
  Event event = Made();
  event.mutable_order_completed()->set_order_id("o1");
  event.mutable_order_completed()->set_total_micros(total_micros);
  event.mutable_order_completed()->set_currency(std::move(currency));
  return event;
}

CleanOptions Options() {
  CleanOptions options;
  options.rates = {{"USD", 0.92}, {"JPY", 0.0061234}};
  return options;
}

// "clean", "code: text", or "corrected field field".
std::string Checked(Event& event, Timestamp record_time = kNow) {
  const auto rejection = Clean(Options()).Check(event, {record_time});
  if (rejection) return rejection->code + ": " + rejection->text;
  if (event.corrected().empty()) return "clean";
  std::string out = "corrected";
  for (const std::string& name : event.corrected()) out += " " + name;
  return out;
}
std::string Checked(Event&& event, Timestamp record_time = kNow) { return Checked(event, record_time); }

TEST_CASE("an ordinary event passes unchanged") {
  Event event = Order(29'330'000, "EUR");
  const std::string before = event.ShortDebugString();
  CHECK(Checked(event) == "clean");
  CHECK(event.ShortDebugString() == before);
}

TEST_CASE("every kind of event passes with an empty body, but for those that then say nothing") {
  const auto* bodies = Event::descriptor()->FindOneofByName("body");
  std::string said;
  for (int i = 0; i < bodies->field_count(); ++i) {
    Event event = Made();
    Event::GetReflection()->MutableMessage(&event, bodies->field(i));
    if (const std::string result = Checked(event); result != "clean")
      said += bodies->field(i)->name() + " " + result + "\n";
  }
  CHECK(said ==
        "order_refunded missing_field: a refund needs an amount above 0: total\n"
        "order_cancelled missing_field: a cancellation must say of which order: order_id\n"
        "tag_pinned missing_field: a pin must say why: reason\n"
        "tag_unpinned missing_field: a pin must say of which tag: tag\n");
  CHECK(Checked(Made()) == "no_body: the event has no body");
}

TEST_CASE("ids must be there, short and printable") {
  Event event = View();
  event.clear_customer_id();
  CHECK(Checked(event) == "missing_customer_id: neither a customer id nor an anonymous id");
  event.set_anonymous_id("a-1");
  CHECK(Checked(event) == "clean");

  const auto with_id = [](std::string id) {
    Event made = View();
    made.set_customer_id(std::move(id));
    return made;
  };
  CHECK(Checked(with_id(std::string(256, 'x'))) == "clean");
  CHECK(Checked(with_id(std::string(10'240, 'x'))) ==
        "id_too_long: customer_id is longer than 256 bytes: 10240 bytes, \"" + std::string(40, 'x') + "...\"");
  CHECK(Checked(with_id("an\tna")) == "bad_id: customer_id has control characters in it: \"an\\tna\"");
  CHECK(Checked(with_id(std::string("an\0na", 5))) ==
        "bad_id: customer_id has control characters in it: \"an\\x00na\"");
  CHECK(Checked(with_id("  ")) == "bad_id: customer_id has nothing but blanks in it: \"  \"");
  CHECK(Checked(with_id("anna meier")) == "clean");
  CHECK(Checked(with_id("änne")) == "clean");
  CHECK(Checked(with_id("\xE4nne")) == "invalid_utf8: customer_id is not valid UTF-8: \"\\xe4nne\"");

  Event order = Order(1);
  order.mutable_order_completed()->add_products()->set_product_id(std::string(300, 'p'));
  CHECK(Checked(order).starts_with("id_too_long: product_id"));
}

TEST_CASE("times of 1970, negative times and those of 2100 are rejected") {
  CHECK(Checked(Order(1)) == "clean");
  const auto at = [](int64_t us) {
    Event event = View();
    event.set_event_time_us(us);
    return event;
  };
  CHECK(Checked(at(0)) == "time_too_early: the event's time lies before 1990-01-01T00:00:00Z: 1970-01-01T00:00:00Z");
  CHECK(Checked(at(1'700'000'000)) ==
        "time_too_early: the event's time lies before 1990-01-01T00:00:00Z: 1970-01-01T00:28:20Z");
  CHECK(Checked(at(-1)).starts_with("time_too_early"));
  CHECK(Checked(at(std::numeric_limits<int64_t>::min())).starts_with("time_too_early"));
  CHECK(Checked(at(ToMicros(At("2100-01-01")))) ==
        "time_in_future: the event's time lies more than 5m beyond that of its record, 2026-01-31T12:00:00Z: "
        "2100-01-01T00:00:00Z");
  CHECK(Checked(at(std::numeric_limits<int64_t>::max())).starts_with("time_in_future"));
  CHECK(Checked(at(ToMicros(At("1997-01-01")))) == "clean");
  CHECK(Checked(at(ToMicros(kNow + minutes(5)))) == "clean");
  CHECK(Checked(at(ToMicros(kNow + minutes(5)) + 1)).starts_with("time_in_future"));
}

TEST_CASE("where Kafka kept no time, the collector's clock bounds the event's time") {
  Event event = View();
  CHECK(Checked(event, FromMicros(-1000)) == "missing_time: the record has no timestamp to judge the event's time by");
  event.set_received_time_us(ToMicros(kNow));
  CHECK(Checked(event, FromMicros(-1000)) == "clean");
  event.set_event_time_us(ToMicros(At("2100-01-01")));
  CHECK(Checked(event, FromMicros(-1000)).starts_with("time_in_future"));
}

TEST_CASE("a wrong clock is put right by when the event was received, once") {
  Event event = View();
  event.set_event_time_us(ToMicros(At("1970-01-01 00:00:07")));  // a clock that was never set
  event.set_sent_time_us(ToMicros(At("1970-01-01 00:00:10")));
  event.set_received_time_us(ToMicros(At("2026-01-31 11:59:50")));
  CHECK(Checked(event) == "corrected event_time");
  CHECK(ToText(EventTime(event)) == "2026-01-31 11:59:47");
  CHECK(Checked(event) == "corrected event_time");
  CHECK(ToText(EventTime(event)) == "2026-01-31 11:59:47");
}

TEST_CASE("a clock that is right within a minute is left alone") {
  Event event = View();
  event.set_sent_time_us(ToMicros(kNow));
  event.set_received_time_us(ToMicros(kNow + minutes(1)));
  CHECK(Checked(event) == "clean");
  event.set_received_time_us(ToMicros(kNow + minutes(1)) + 1);
  CHECK(Checked(event, kNow + minutes(1)) == "corrected event_time");
}

TEST_CASE("clocks beyond all measure do no harm") {
  for (const int64_t sent : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), int64_t{-1}}) {
    for (const int64_t received :
         {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), int64_t{1}}) {
      for (const int64_t time :
           {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), int64_t{0}}) {
        Event event = View();
        event.set_sent_time_us(sent);
        event.set_received_time_us(received);
        event.set_event_time_us(time);
        CHECK(Checked(event).starts_with("time_"));
      }
    }
  }
}

TEST_CASE("negative and absurd amounts are rejected") {
  CHECK(Checked(Order(-1)) == "negative_amount: total is negative: -1 millionths");
  CHECK(Checked(Order(0)) == "clean");
  CHECK(Checked(Order(1'000'000'000'000'000)) == "clean");
  CHECK(Checked(Order(1'000'000'000'000'001)) ==
        "absurd_amount: total is above 1000000000 EUR: 1000000000000001 millionths");
  CHECK(Checked(Order(std::numeric_limits<int64_t>::max(), "USD")).starts_with("absurd_amount"));
  CHECK(Checked(Order(std::numeric_limits<int64_t>::min(), "USD")).starts_with("negative_amount"));
  Event event = Order(1);
  event.mutable_order_completed()->add_products()->set_price_micros(-5);
  CHECK(Checked(event).starts_with("negative_amount: price"));
}

TEST_CASE("a quantity is rejected when negative or absurd") {
  Event event = Order(1);
  v1::Product& product = *event.mutable_order_completed()->add_products();
  product.set_quantity(1'000'000);
  CHECK(Checked(event) == "clean");
  product.set_quantity(-1);
  CHECK(Checked(event) == "bad_quantity: quantity is not from 0 to 1000000: -1");
  product.set_quantity(std::numeric_limits<int64_t>::max());
  CHECK(Checked(event).starts_with("bad_quantity"));
}

TEST_CASE("a score must be a number from 0 to 1") {
  const auto rated = [](double score) {
    Event event = Made();
    event.mutable_satisfaction_rated()->set_score(score);
    return Checked(event);
  };
  CHECK(rated(0) == "clean");
  CHECK(rated(1) == "clean");
  CHECK(rated(1.5) == "bad_score: score is not from 0 to 1: 1.5");
  CHECK(rated(-0.1).starts_with("bad_score"));
  CHECK(rated(std::numeric_limits<double>::quiet_NaN()).starts_with("bad_score"));
  CHECK(rated(std::numeric_limits<double>::infinity()).starts_with("bad_score"));

  Event feedback = Made();
  feedback.mutable_feedback_submitted()->set_score(-1);  // none given
  CHECK(Checked(feedback) == "clean");
  feedback.mutable_feedback_submitted()->set_score(std::numeric_limits<double>::quiet_NaN());
  CHECK(Checked(feedback).starts_with("bad_score"));
}

TEST_CASE("currencies are tidied, and converted to the home currency") {
  Event tidy = Order(1'000'000, " eur ");
  CHECK(Checked(tidy) == "corrected currency");
  CHECK(tidy.order_completed().ShortDebugString() == "order_id: \"o1\" total_micros: 1000000 currency: \"EUR\"");

  Event other = Order(30'500'000, "usd");
  other.mutable_order_completed()->add_products()->set_price_micros(10'000'000);
  CHECK(Checked(other) == "corrected currency");
  CHECK(other.order_completed().ShortDebugString() ==
        "order_id: \"o1\" total_micros: 28060000 currency: \"EUR\" products { price_micros: 9200000 }");

  CHECK(Checked(Order(1, "CHF")) == "unknown_currency: currency has no rate to EUR: \"CHF\"");
  CHECK(Checked(Order(1, "euro")) == "unknown_currency: currency is not three letters: \"euro\"");
  CHECK(Checked(Order(1, "\xFF")) == "unknown_currency: currency is not three letters: \"\\xff\"");
}

TEST_CASE("a conversion rounds to the nearest millionth, halves away from zero") {
  constexpr int64_t kHalf = kRateUnit / 2;
  CHECK(Convert(1, kHalf) == 1);
  CHECK(Convert(-1, kHalf) == -1);
  CHECK(Convert(1, kHalf - 1) == 0);
  CHECK(Convert(3, kHalf) == 2);
  CHECK(Convert(29'330'000, 920'000'000'000) == 26'983'600);
  CHECK(Convert(std::numeric_limits<int64_t>::max(), kRateUnit) == std::numeric_limits<int64_t>::max());
  CHECK(Convert(std::numeric_limits<int64_t>::max(), 2 * kRateUnit) == std::nullopt);
}

TEST_CASE("a text that is too long is cut between two characters") {
  Event event = View();
  std::string title(4095, 'x');
  event.mutable_page_viewed()->set_title(title + "ü");
  event.mutable_page_viewed()->set_url(std::string(4096, 'u'));
  event.mutable_page_viewed()->set_category(std::string(300, 'c'));
  CHECK(Checked(event) == "corrected title category");
  CHECK(event.page_viewed().title() == title);
  CHECK(event.page_viewed().url().size() == 4096);
  CHECK(event.page_viewed().category().size() == 256);
  event.mutable_page_viewed()->set_title("\xC3");
  CHECK(Checked(event) == "invalid_utf8: title is not valid UTF-8: \"\\xc3\"");
}

TEST_CASE("email addresses lose blanks and capitals") {
  Event event = Made();
  event.mutable_email_opened()->set_recipient("\tAnna.Ade@Example.COM ");
  CHECK(Checked(event) == "corrected recipient");
  CHECK(event.email_opened().recipient() == "anna.ade@example.com");
  CHECK(Checked(event) == "corrected recipient");  // not twice
  event = Made();
  event.mutable_email_opened()->set_recipient("anna@example.com");
  CHECK(Checked(event) == "clean");
  event.mutable_email_opened()->set_recipient(" " + std::string(300, 'A'));
  CHECK(Checked(event) == "corrected recipient");
  CHECK(event.email_opened().recipient() == std::string(256, 'a'));
}

TEST_CASE("phone numbers become digits") {
  CHECK(TidyPhone("+49 (30) 123-456") == "+4930123456");
  CHECK(TidyPhone("0049/30.123456") == "+4930123456");
  CHECK(TidyPhone(" 030 123456 ") == "030123456");
  CHECK(TidyPhone("call me") == std::nullopt);
  CHECK(TidyPhone("12") == std::nullopt);
  CHECK(TidyPhone("1234567890123456") == std::nullopt);
  CHECK(TidyPhone("12+34") == std::nullopt);
  CHECK(TidyPhone("+") == std::nullopt);
}

TEST_CASE("facts about a person that cannot be are dropped, the others stay") {
  Event event = Made();
  v1::Person& person = *event.mutable_identified();
  person.set_name("Anna");
  person.set_age(200);
  person.set_birth_year(2027);
  person.set_email("none");
  person.set_phone("n/a");
  CHECK(Checked(event) == "corrected phone age birth_year email");
  CHECK(event.identified().ShortDebugString() == "name: \"Anna\"");
  event.mutable_identified()->set_birth_year(1895);
  CHECK(Checked(event) == "corrected phone age birth_year email");
  CHECK(event.identified().birth_year() == 0);
  event.mutable_identified()->set_birth_year(1990);
  event.mutable_identified()->set_age(-3);
  CHECK(Checked(event) == "corrected phone age birth_year email");
  CHECK(event.identified().ShortDebugString() == "name: \"Anna\" birth_year: 1990");
}

TEST_CASE("a negative length of time counts as unknown") {
  Event event = View();
  event.mutable_page_viewed()->set_dwell_us(-5);
  CHECK(Checked(event) == "corrected dwell");
  CHECK(event.page_viewed().dwell_us() == 0);
}

TEST_CASE("identifiers are tidied by their kind") {
  Event event = View();
  const auto add = [&](v1::Identifier::Kind kind, const char* value) {
    auto* identifier = event.add_identifiers();
    identifier->set_kind(kind);
    identifier->set_value(value);
  };
  add(v1::Identifier::EMAIL, "Anna@Example.com");
  add(v1::Identifier::PHONE, "0049 30 123456");
  add(v1::Identifier::COOKIE, "Ab C");
  CHECK(Checked(event) == "corrected identifiers");
  CHECK(event.identifiers(0).value() + "|" + event.identifiers(1).value() + "|" + event.identifiers(2).value() ==
        "anna@example.com|+4930123456|Ab C");
  add(v1::Identifier::EMAIL, "a\nb@example.com");
  CHECK(Checked(event).starts_with("bad_id: identifiers"));
}

// Duplicates

// "new" or "duplicate" for each event, one row.
class Memory {
 public:
  explicit Memory(CleanOptions options = {}) : clean_(std::move(options)) {}
  std::string Seen(const Event& event) { return clean_.IsDuplicate(event, state_) ? "duplicate" : "new"; }
  v1::state::CleanState state_;

 private:
  Clean clean_;
};

Event WithId(Event event, std::string id) {
  event.set_event_id(std::move(id));
  return event;
}

TEST_CASE("an event with an id that was seen before is a duplicate, and changes nothing") {
  Memory memory;
  CHECK(memory.Seen(WithId(View(), "e1")) == "new");
  CHECK(memory.Seen(WithId(View(), "e2")) == "new");
  const std::string before = memory.state_.SerializeAsString();
  CHECK(memory.Seen(WithId(View(), "e1")) == "duplicate");
  CHECK(memory.state_.SerializeAsString() == before);
}

TEST_CASE("an id that decoding made up is not remembered") {
  Memory memory;
  Event event = View();
  event.add_imputed("event_id");
  CHECK(memory.Seen(event) == "new");
  CHECK(memory.state_.event_ids_size() == 0);
}

TEST_CASE("the window of event ids is bounded") {
  CleanOptions options;
  options.remembered_events = 3;
  Memory memory(options);
  for (const char* id : {"1", "2", "3", "4"}) CHECK(memory.Seen(WithId(View(), id)) == "new");
  CHECK(memory.Seen(WithId(View(), "2")) == "duplicate");
  CHECK(memory.Seen(WithId(View(), "1")) == "new");  // forgotten
  CHECK(memory.state_.event_ids_size() == 3);
}

TEST_CASE("an order counts once, however often it is sent under new ids") {
  Memory memory;
  CHECK(memory.Seen(WithId(Order(100), "e1")) == "new");
  CHECK(memory.Seen(WithId(Order(100), "e2")) == "duplicate");
  CHECK(memory.Seen(WithId(Order(200), "e3")) == "duplicate");
  Event other = WithId(Order(100), "e4");
  other.mutable_order_completed()->set_order_id("o2");
  CHECK(memory.Seen(other) == "new");
  Event cancelled = WithId(Made(), "e5");
  cancelled.mutable_order_cancelled()->set_order_id("o1");
  CHECK(memory.Seen(cancelled) == "new");
  CHECK(memory.Seen(WithId(cancelled, "e6")) == "duplicate");
}

TEST_CASE("orders without an order id are told apart by their event ids alone") {
  Memory memory;
  Event order = Order(100);
  order.mutable_order_completed()->clear_order_id();
  CHECK(memory.Seen(WithId(order, "e1")) == "new");
  CHECK(memory.Seen(WithId(order, "e2")) == "new");
  CHECK(memory.state_.business_keys_size() == 0);
}

TEST_CASE("an order may be refunded in parts, also in equal ones, but the same refund counts once") {
  Memory memory;
  const auto refund = [](std::string id, int64_t total, Timestamp time) {
    Event event = WithId(Made("anna", time), std::move(id));
    event.mutable_order_refunded()->set_order_id("o1");
    event.mutable_order_refunded()->set_total_micros(total);
    return event;
  };
  CHECK(memory.Seen(refund("e1", 10, kNow)) == "new");
  CHECK(memory.Seen(refund("e2", 20, kNow)) == "new");
  CHECK(memory.Seen(refund("e3", 10, kNow + hours(1))) == "new");
  CHECK(memory.Seen(refund("e4", 10, kNow)) == "duplicate");
}

TEST_CASE("a mail counts once for each kind, recipient and link") {
  Memory memory;
  int sent = 0;
  const auto mail = [&](bool click, const char* recipient, const char* link) {
    Event event = WithId(Made(), "e" + std::to_string(++sent));
    v1::Email& body = click ? *event.mutable_email_link_clicked() : *event.mutable_email_opened();
    body.set_mail_id("m1");
    body.set_recipient(recipient);
    body.set_link(link);
    return memory.Seen(event);
  };
  CHECK(mail(false, "a@x.de", "") == "new");
  CHECK(mail(false, "a@x.de", "") == "duplicate");
  CHECK(mail(false, "b@x.de", "") == "new");
  CHECK(mail(true, "a@x.de", "") == "new");
  CHECK(mail(true, "a@x.de", "/1") == "new");
  CHECK(mail(true, "a@x.de", "/2") == "new");
  CHECK(mail(true, "a@x.de", "/1") == "duplicate");
}

TEST_CASE("the hashes that rows keep never change") {
  // Rows on disk hold them: another hash would make every duplicate look new after an upgrade.
  Memory memory;
  memory.Seen(WithId(Order(100), "e1"));
  CHECK(memory.state_.ShortDebugString() == "event_ids: 2269290854245001967 business_keys: 13287943565982062789");
}

TEST_CASE("the window survives storing and loading, within the chain") {
  OperatorHarness harness(std::move(ChainBuilder().Cleaning(std::make_unique<Clean>())));
  CHECK(harness.Send(WithId(View(), "e1")) == Chain::Verdict::kApplied);
  CHECK(harness.Send(WithId(View(), "e1")) == Chain::Verdict::kDuplicate);
  Event bad = WithId(View(), "e2");
  bad.mutable_page_viewed()->set_product_id("\x01");
  harness.Send(bad);
  REQUIRE(harness.rejections().size() == 1);
  CHECK(harness.rejections()[0].code == "bad_id");
}

TEST_CASE("options that cannot be are refused by name") {
  CHECK(CheckOptions(Options()).ok());
  CleanOptions options;
  options.home_currency = "euro";
  CHECK(CheckOptions(options).message() == "home currency is not three capitals: euro");
  options = Options();
  options.rates["GBP"] = -1;
  CHECK(CheckOptions(options).message() == "the rate of GBP is not from 0.000000001 to 1000000: -1");
  options = Options();
  options.rates["gbp"] = 1;
  CHECK(CheckOptions(options).message() == "a currency is not three capitals: gbp");
  options = Options();
  options.max_amount = 0;
  CHECK_FALSE(CheckOptions(options).ok());
  options = Options();
  options.remembered_events = 0;
  CHECK_FALSE(CheckOptions(options).ok());
}

}  // namespace
}  // namespace portrait

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "pipeline/decode/json_decoder.h"

namespace portrait {
namespace {

std::string Decoded(std::string_view json) {
  JsonDecoder decoder;
  Event event;
  bool has_time = false;
  if (const auto rejection = decoder.Decode(json, event, has_time)) return rejection->code + ": " + rejection->text;
  return event.ShortDebugString();
}

// A track event with these properties; shows the body alone.
std::string Track(const std::string& name, const std::string& properties) {
  const std::string all = Decoded(R"({"event":")" + name + R"(","userId":"a","properties":)" + properties + "}");
  const std::string before = "customer_id: \"a\" ";
  return all.starts_with(before) ? all.substr(before.size()) : all;
}

TEST_CASE("JSON that is broken is malformed") {
  CHECK(Decoded("") == "malformed_json: the value is empty");
  CHECK(Decoded("\xEF\xBB\xBF") == "malformed_json: the value is empty");
  CHECK(Decoded("{").starts_with("malformed_json: the value is no JSON ("));  // then simdjson's own words
  CHECK(Decoded("{").ends_with("): \"{\""));
  for (const char* text :
       {" ", "{", "{\"a\":}", "{\"a\":1,}", "{'a':1}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":1e400}", "{}{}",
        "{} x", "{\"a\":\"\n\"}", "{\"a\":\"\\ud800\"}", "{\"a\":01}", "nul", "\"open", "[1,", "{\"a\" 1}"}) {
    INFO(text);
    CHECK(Decoded(text).starts_with("malformed_json"));
  }
  CHECK(Decoded(std::string(500'000, '[')).starts_with("malformed_json"));
  CHECK(Decoded(std::string_view("{\"a\":1}\0", 8)).starts_with("malformed_json"));
  CHECK(Decoded(R"({"event":"Page Viewed","userId":"a","properties":{"x":)" + std::string(5000, '[') +
                std::string(5000, ']') + "}}")
            .starts_with("malformed_json"));
}

TEST_CASE("JSON that is no object is rejected as such") {
  for (const char* text : {"5", "null", "\"text\"", "[]", R"([{"type":"page"}])", "true"}) {
    INFO(text);
    CHECK(Decoded(text).starts_with("not_an_object"));
  }
}

TEST_CASE("a text that is not UTF-8 is rejected, wherever it stands") {
  CHECK(Decoded("{\"event\":\"Page Viewed\",\"userId\":\"\xE4nne\"}") == "invalid_utf8: the text is not valid UTF-8");
  CHECK(Decoded("{\"event\":\"Page Viewed\",\"userId\":\"a\",\"never read\":\"\xFF\"}") ==
        "invalid_utf8: the text is not valid UTF-8");
}

TEST_CASE("a byte order mark is no error") {
  CHECK(Decoded("\xEF\xBB\xBF{\"event\":\"Page Viewed\",\"userId\":\"a\"}") == "customer_id: \"a\" page_viewed { }");
}

TEST_CASE("kinds that are not known are named") {
  CHECK(Decoded("{}") == "unknown_event: nothing says what kind of event it is: neither type nor event");
  CHECK(Decoded(R"({"event":"Moon Landed"})") == "unknown_event: no such event: \"Moon Landed\"");
  CHECK(Decoded(R"({"event":")" + std::string(9000, 'x') + "\"}") ==
        "unknown_event: no such event: \"" + std::string(80, 'x') + "...\"");
  CHECK(Decoded(R"({"type":"delete"})") == "unknown_event: no such type of event: \"delete\"");
  CHECK(Decoded(R"({"type":"track"})") == "unknown_event: the event has no name: event");
  CHECK(Decoded(R"({"type":{},"event":"Page Viewed"})") == "bad_field: type is not a text: \"{}\"");
}

TEST_CASE("kinds that are known but not processed say what to do") {
  CHECK(Decoded(R"({"type":"group","userId":"a","groupId":"g"})").starts_with("unsupported_event"));
  CHECK(Decoded(R"({"type":"alias","userId":"a","previousId":"b"})").starts_with("unsupported_event"));
  CHECK(Decoded(R"({"batch":[]})") == "unsupported_event: send the events of a batch one by one: batch");
  CHECK(Decoded(R"({"event":"Order Updated"})") ==
        "unsupported_event: an order is not changed afterwards; send Order Refunded or Order Cancelled: \"Order "
        "Updated\"");
}

TEST_CASE("names are matched in any spelling") {
  for (const char* name :
       {"Order Completed", "order_completed", "ORDER COMPLETED", "orderCompleted", "order-completed"}) {
    CHECK(Track(name, R"({"orderId":"o","total":1})") == "order_completed { order_id: \"o\" total_micros: 1000000 }");
  }
  const std::string expected =
      "event_id: \"m\" customer_id: \"a\" anonymous_id: \"b\" event_time_us: 1000000 sent_time_us: 2000000 "
      "received_time_us: 3000000 session_id: \"s\" page_viewed { }";
  CHECK(
      Decoded(
          R"({"type":"Page","messageId":"m","userId":"a","anonymousId":"b","originalTimestamp":1,"sentAt":2,"receivedAt":3,
                    "context":{"sessionId":"s"}})") == expected);
  CHECK(Decoded(R"({"TYPE":"PAGE","message_id":"m","user_id":"a","anonymous_id":"b","original_timestamp":1,"sent_at":2,
                    "received_at":3,"context":{"session_id":"s"}})") == expected);
}

TEST_CASE("null everywhere is as good as nothing") {
  CHECK(
      Decoded(
          R"({"type":"page","userId":"a","messageId":null,"timestamp":null,"context":null,"properties":null,"traits":null,
                    "name":null,"sentAt":null})") == "customer_id: \"a\" page_viewed { }");
  CHECK(Decoded(R"({"type":"page","userId":"a","context":{"page":null,"campaign":null,"traits":null,"consent":null,
                    "externalIds":null,"device":null,"app":null},"properties":{"path":null,"dwell":null}})") ==
        "customer_id: \"a\" page_viewed { }");
  CHECK(Track("Order Completed", R"({"total":1,"products":[null,{"price":null,"quantity":null,"name":null}]})") ==
        "order_completed { total_micros: 1000000 products { } }");
}

TEST_CASE("of a name that comes twice the last value counts, but for null") {
  CHECK(Decoded(R"({"type":"page","userId":"a","userId":"b"})") == "customer_id: \"b\" page_viewed { }");
  CHECK(Decoded(R"({"type":"page","user_id":"b","userId":null})") == "customer_id: \"b\" page_viewed { }");
}

TEST_CASE("a wrong type is a bad field, named with its value") {
  CHECK(Decoded(R"({"type":"page","userId":["a"]})") == R"(bad_field: user_id is not a text: "[\"a\"]")");
  CHECK(Decoded(R"({"type":"page","userId":true})") == "bad_field: user_id is not a text: \"true\"");
  CHECK(Decoded(R"({"type":"page","userId":1.5})") == "bad_field: user_id is not a text: \"1.5\"");
  CHECK(Decoded(R"({"type":"page","userId":"a","context":[]})") == "bad_field: context is not an object: \"[]\"");
  CHECK(Decoded(R"({"type":"page","userId":"a","properties":"x"})") ==
        R"(bad_field: properties is not an object: "\"x\"")");
  CHECK(Decoded(R"({"type":"page","userId":"a","timestamp":{}})") == "bad_field: timestamp is not a time: \"{}\"");
  CHECK(Track("Order Completed", R"({"total":true})") == "bad_field: total is not an amount: \"true\"");
  CHECK(Track("Order Completed", R"({"total":1,"products":{}})") == "bad_field: products is not an array: \"{}\"");
  CHECK(Track("Order Completed", R"({"total":1,"products":[1]})") == "bad_field: products is not an object: \"1\"");
  CHECK(Track("Order Completed", R"({"total":1,"products":[{"quantity":1.5}]})") ==
        "bad_field: quantity is not a whole number: \"1.5\"");
  CHECK(Track("Phone Call", R"({"direction":"up"})") == "bad_field: direction is not inbound or outbound: \"up\"");
  CHECK(Track("Phone Call", R"({"duration":"long"})") == R"(bad_field: duration is not a number: "\"long\"")");
  CHECK(Track("Phone Call", R"({"duration":1e300})") == "bad_field: duration is too long: 1e+300");
  CHECK(Track("Consent Changed", R"({"marketing":"perhaps"})") ==
        R"(bad_field: marketing is not granted or denied: "\"perhaps\"")");
}

TEST_CASE("parts of the context that have another shape are left alone") {
  CHECK(
      Decoded(
          R"({"type":"page","userId":"a","context":{"page":"x","app":5,"device":[],"campaign":false,"traits":"t"}})") ==
      "customer_id: \"a\" page_viewed { }");
}

TEST_CASE("ids may be whole numbers, numbers may be texts") {
  CHECK(Decoded(R"({"type":"page","userId":4711,"messageId":-9223372036854775808})") ==
        "event_id: \"-9223372036854775808\" customer_id: \"4711\" page_viewed { }");
  CHECK(Track("Product Added", R"({"product_id":7,"price":"18.99","quantity":"2"})") ==
        "product_added { product { product_id: \"7\" price_micros: 18990000 quantity: 2 } }");
  CHECK(Track("Products Searched", R"({"results":3.0})") == "products_searched { results: 3 }");
}

TEST_CASE("amounts are exact to the millionth") {
  const auto total = [](const char* amount) {
    return Track("Order Refunded", std::string("{\"total\":") + amount + "}");
  };
  CHECK(total("29.33") == "order_refunded { total_micros: 29330000 }");
  CHECK(total("\"29.33\"") == "order_refunded { total_micros: 29330000 }");
  CHECK(total("\" 29.33 \"") == "order_refunded { total_micros: 29330000 }");
  CHECK(total("0.000001") == "order_refunded { total_micros: 1 }");
  CHECK(total("0.0000005") == "order_refunded { total_micros: 1 }");
  CHECK(total("999999999.999999") == "order_refunded { total_micros: 999999999999999 }");
  CHECK(total("-5") == "order_refunded { total_micros: -5000000 }");  // cleaning rejects it
  CHECK(total("1e3") == "order_refunded { total_micros: 1000000000 }");
  for (const char* bad : {"\"NaN\"", "\"nan\"", "\"inf\"", "\"-Infinity\"", "\"12,50\"", "\"$5\"", "\"5 EUR\"",
                          "\"1e400\"", "\"--5\"", "\"0x10\""}) {
    INFO(bad);
    CHECK(total(bad) == "bad_amount: total is no number: " + std::string(bad));
  }
  CHECK(total("1e30") == "absurd_amount: total is too large: 1e+30");
  CHECK(total("9223372036854775807").starts_with("absurd_amount"));
  CHECK(total("18446744073709551615").starts_with("absurd_amount"));
}

TEST_CASE("every amount of cents up to a million is read exactly") {
  JsonDecoder decoder;
  for (int64_t cents = 0; cents < 100'000'000; cents += 997) {
    const std::string digits =
        std::to_string(cents / 100) + "." + (cents % 100 < 10 ? "0" : "") + std::to_string(cents % 100);
    Event event;
    bool has_time = false;
    decoder.Decode(R"({"event":"Order Completed","properties":{"total":)" + digits + "}}", event, has_time);
    if (event.order_completed().total_micros() != cents * 10'000) FAIL("differs: " << digits);
  }
}

TEST_CASE("an order without an amount is the sum of its products, if they have prices") {
  CHECK(
      Decoded(
          R"({"event":"Order Completed","userId":"a","properties":{"products":[{"price":2.5,"quantity":2},{"price":1}]}})") ==
      "customer_id: \"a\" imputed: \"total\" order_completed { total_micros: 6000000 products { price_micros: 2500000 "
      "quantity: 2 } "
      "products { price_micros: 1000000 } }");
  const std::string missing = "missing_field: the amount is not there and its products do not tell it: total";
  CHECK(Track("Order Completed", "{}") == missing);
  CHECK(Track("Order Refunded", "{}") == missing);
  CHECK(Track("Order Completed", R"({"products":[{"price":1},{"quantity":2}]})") == missing);
  CHECK(Track("Order Completed", R"({"products":[{"price":9000000000000,"quantity":9000000000000}]})") == missing);
  CHECK(Track("Order Cancelled", R"({"order_id":"o"})") == "order_cancelled { order_id: \"o\" }");
  CHECK(Track("Order Completed", R"({"total":0})") == "order_completed { }");
}

TEST_CASE("times are texts or numbers whose size tells the unit") {
  const auto time = [](const char* value) {
    const std::string all = Decoded(std::string(R"({"type":"page","timestamp":)") + value + "}");
    return all.substr(0, all.find(" page_viewed"));
  };
  const std::string noon = "event_time_us: 1769860800000000";
  for (const char* value : {"\"2026-01-31T12:00:00Z\"", "\" 2026-01-31T13:00:00+01:00 \"", "1769860800", "1769860800.0",
                            "1769860800000", "1769860800000000", "1769860800000000000", "1.7698608e12"}) {
    INFO(value);
    CHECK(time(value) == noon);
  }
  CHECK(time("1769860800.25") == "event_time_us: 1769860800250000");
  CHECK(time("-1") == "event_time_us: -1000000");
  CHECK(time("\"yesterday\"") == R"(bad_time: timestamp is no time: "\"yesterday\"")");
  CHECK(time("\"\"").starts_with("bad_time"));
  CHECK(time("1e300").starts_with("bad_time"));
  CHECK(time("18446744073709551615") == "event_time_us: 18446744073709552");
}

TEST_CASE("the sender's own time is taken where the clock can be put right, else the corrected one") {
  CHECK(Decoded(R"({"type":"page","originalTimestamp":100,"timestamp":200,"sentAt":110,"receivedAt":210})") ==
        "event_time_us: 100000000 sent_time_us: 110000000 received_time_us: 210000000 page_viewed { }");
  CHECK(Decoded(R"({"type":"page","originalTimestamp":100,"timestamp":200,"sentAt":110})") ==
        "event_time_us: 200000000 sent_time_us: 110000000 page_viewed { }");
  CHECK(Decoded(R"({"type":"page","originalTimestamp":100})") == "event_time_us: 100000000 page_viewed { }");
}

TEST_CASE("a score may come with its scale") {
  CHECK(Track("Satisfaction Rated", R"({"score":0.75})") == "satisfaction_rated { score: 0.75 }");
  CHECK(Track("Satisfaction Rated", R"({"rating":"3","scale":4})") == "satisfaction_rated { score: 0.75 }");
  CHECK(Track("Satisfaction Rated", R"({"score":3,"scale":0})") == "bad_score: scale is not above 0: 0");
  CHECK(Track("Satisfaction Rated", "{}") == "missing_field: a rating needs a score: score");
  CHECK(Track("Feedback Submitted", "{}") == "feedback_submitted { score: -1 }");
}

TEST_CASE("consent is read from the context in its two forms") {
  CHECK(Decoded(R"({"type":"page","context":{"consent":{"marketing":true,"analytics":"denied"}}})") ==
        "consent { marketing: GRANTED analytics: DENIED } page_viewed { }");
  CHECK(Decoded(R"({"type":"page","context":{"consent":{"categoryPreferences":{"Advertising":false}}}})") ==
        "consent { marketing: DENIED } page_viewed { }");
  CHECK(Track("Consent Changed", "{}") == "missing_field: nothing is said of consent: marketing, analytics");
}

TEST_CASE("numbers about a person that do not fit become impossible ones, for cleaning to drop") {
  CHECK(
      Decoded(R"({"type":"identify","traits":{"age":4294967300,"birthYear":-9000000000,"address":"Main Street 1"}})") ==
      "identified { birth_year: -1 age: -1 }");
}

TEST_CASE("further properties are ignored, however large and strange") {
  CHECK(
      Track(
          "Page Viewed",
          R"({"path":"/","x":{"path":"/no"},"y":[[[[]]]],"":1,"\u0000":2,"pathpathpathpathpathpathpathpathpathpathpathpathpath":3})") ==
      "page_viewed { path: \"/\" }");
}

}  // namespace
}  // namespace portrait

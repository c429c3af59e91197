#include "pipeline/tools/import.h"

#include <unistd.h>
#include <zlib.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "operators/value.h"
#include "pipeline/tools/cdnow.h"

namespace portrait {
namespace {

// A file that is gone at the end of the test.
class TestFile {
 public:
  explicit TestFile(const std::string& text, const std::string& name = "sales.csv")
      : folder_(std::filesystem::temp_directory_path() / absl::StrCat("portrait-import-", getpid(), "-", ++made_)) {
    std::filesystem::create_directories(folder_);
    std::ofstream(path_ = folder_ / name, std::ios::binary) << text;
  }
  ~TestFile() { std::filesystem::remove_all(folder_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  static inline int made_ = 0;
  std::filesystem::path folder_, path_;
};

constexpr const char* kSales = R"(
event: order_completed
customer: customer
time: {column: when, format: "%Y-%m-%d"}
fields: {total: amount}
)";

std::string Told(const Event& event) {
  std::string text = absl::StrCat(event.event_id(), " ", event.customer_id(), " ", ToText(EventTime(event)));
  if (event.has_order_completed()) {
    const v1::Order& order = event.order_completed();
    absl::StrAppend(&text, " order ", order.order_id(), " ", order.total_micros());
    if (!order.currency().empty()) absl::StrAppend(&text, " ", order.currency());
    for (const v1::Product& product : order.products()) {
      absl::StrAppend(&text, " ", product.quantity(), "x", product.product_id(),
                      product.name().empty() ? "" : "(" + product.name() + ")");
    }
  } else {
    const auto& body =
        Event::GetReflection()->GetMessage(event, Event::descriptor()->FindFieldByNumber(event.body_case()));
    absl::StrAppend(&text, " ", std::string(EventKindName(event.body_case())), " {", body.ShortDebugString(), "}");
  }
  return text + "\n";
}

struct Imported {
  absl::Status status;
  std::string events;
  ImportReport report;
  std::string rejects;
};

Imported Import(const Mapping& mapping, const std::vector<std::filesystem::path>& files, bool sort = false) {
  Imported imported;
  std::ostringstream rejects;
  Importer importer({.mapping = mapping, .sort = sort, .rejects = &rejects}, [&](const Event& event) {
    imported.events += Told(event);
    return absl::OkStatus();
  });
  for (const auto& file : files) imported.status.Update(importer.Add(file));
  if (imported.status.ok()) imported.status = importer.Finish();
  imported.report = importer.report();
  imported.rejects = rejects.str();
  return imported;
}

Imported Import(const std::string& yaml, const std::string& text, bool sort = false) {
  const auto mapping = ParseMapping(yaml, "mapping.yaml");
  INFO(mapping.status().ToString());
  REQUIRE(mapping.ok());
  const TestFile file(text);
  return Import(*mapping, {file.path()}, sort);
}

TEST_CASE("each row becomes an event that knows its file and line") {
  const Imported imported = Import(kSales, "customer,when,amount\nanna,2026-01-02,11.77\nbert,2026-01-03,5\n");
  CHECK(imported.status.ok());
  CHECK(imported.events ==
        "sales.csv:2 anna 2026-01-02 00:00:00 order sales.csv:2 11770000\n"
        "sales.csv:3 bert 2026-01-03 00:00:00 order sales.csv:3 5000000\n");
  CHECK(imported.report.rows == 2);
  CHECK(imported.report.events == 2);
}

TEST_CASE("CSV as it is found: byte order mark, CR LF, quotes, line breaks and commas in quotes, no last line break") {
  const Imported imported = Import(absl::StrCat(kSales, "table: {format: csv}\n"),
                                   "\xef\xbb\xbf"
                                   "customer,when,amount,note\r\n\"anna\",2026-01-02,\"1,234.50\",\"said "
                                   "\"\"hi\"\",\r\nand left\"\r\n\r\nbert,2026-01-03,5,");
  CHECK(imported.events ==
        "sales.csv:2 anna 2026-01-02 00:00:00 order sales.csv:2 1234500000\n"
        "sales.csv:5 bert 2026-01-03 00:00:00 order sales.csv:5 5000000\n");
  CHECK(imported.report.rejected_rows() == 0);
}

TEST_CASE("rows that are no rows are rejected with line and reason, and the others arrive") {
  const Imported imported = Import(kSales,
                                   "customer,when,amount\n"
                                   "anna,2026-01-02,11.77\n"
                                   "anna,2026-01-02\n"
                                   "anna,2026-01-02,1,2\n"
                                   ",2026-01-02,1\n"
                                   "anna,yesterday,1\n"
                                   "anna,2026-02-30,1\n"
                                   "anna,2026-01-02,much\n"
                                   "bert,2026-01-03,5\n");
  CHECK(imported.events ==
        "sales.csv:2 anna 2026-01-02 00:00:00 order sales.csv:2 11770000\n"
        "sales.csv:9 bert 2026-01-03 00:00:00 order sales.csv:9 5000000\n");
  CHECK(imported.rejects ==
        "sales.csv\t3\tragged\t2 fields in place of 3\tanna,2026-01-02\n"
        "sales.csv\t4\tragged\t4 fields in place of 3\tanna,2026-01-02,1,2\n"
        "sales.csv\t5\tmissing_customer\tcustomer is empty\t\n"
        "sales.csv\t6\tbad_time\twhen is no time as %Y-%m-%d: \"yesterday\"\t\n"
        "sales.csv\t7\tbad_time\twhen is no time as %Y-%m-%d: \"2026-02-30\"\t\n"
        "sales.csv\t8\tbad_amount\ttotal_micros is no number: \"much\"\t\n");
  CHECK(imported.report.Text() ==
        "           8 rows read\n"
        "           2 events sent\n"
        "           6 rejected\n"
        "           1   bad_amount\n"
        "                 sales.csv:8: total_micros is no number: \"much\"\n"
        "           2   bad_time\n"
        "                 sales.csv:6: when is no time as %Y-%m-%d: \"yesterday\"\n"
        "                 sales.csv:7: when is no time as %Y-%m-%d: \"2026-02-30\"\n"
        "           1   missing_customer\n"
        "                 sales.csv:5: customer is empty\n"
        "           2   ragged\n"
        "                 sales.csv:3: 2 fields in place of 3\n"
        "                 sales.csv:4: 4 fields in place of 3\n");
}

TEST_CASE("a quote that is never closed costs one row and is reported") {
  std::string text = "customer,when,amount\n\"anna,2026-01-02,1\n";
  for (int i = 0; i < 1200; ++i) text += "bert,2026-01-03,5\n";
  const Imported imported = Import(kSales, text);
  CHECK(imported.rejects.starts_with(
      "sales.csv\t2\topen_quote\ta quote is not closed within 1001 lines\t\"anna,2026-01-02,1 bert"));
  CHECK(imported.report.events == 200);
}

TEST_CASE("rows are left out by condition and counted by it") {
  const Imported imported =
      Import(absl::StrCat(kSales, "where: [amount > 0, customer does not start with X, note is empty]\n"),
             "customer,when,amount,note\n"
             "anna,2026-01-02,0,\n"
             "anna,2026-01-02,-3.5,\n"
             "X1,2026-01-02,3,\n"
             "anna,2026-01-02,3,test\n"
             "anna,2026-01-02,many,\n"
             "anna,2026-01-02,3,\n");
  CHECK(imported.events == "sales.csv:7 anna 2026-01-02 00:00:00 order sales.csv:7 3000000\n");
  CHECK(imported.report.Text() ==
        "           6 rows read\n"
        "           1 events sent\n"
        "           2 left out, because not: amount > 0\n"
        "           1 left out, because not: customer does not start with X\n"
        "           1 left out, because not: note is empty\n"
        "           1 rejected\n"
        "           1   bad_number\n"
        "                 sales.csv:6: amount is no number: \"many\"\n");
}

TEST_CASE("constants, products of columns, and columns for the parts of an event") {
  const Imported imported = Import(R"(
table: {delimiter: ";"}
decimal_mark: ","
event: order_completed
customer: kunde
time: {column: zeit, format: "%d.%m.%Y %H:%M", zone: Europe/Berlin}
event_id: beleg
fields:
  order_id: beleg
  total: {multiply: [menge, preis]}
  currency: {constant: EUR}
  products.product_id: artikel
  products.quantity: menge
)",
                                   "kunde;zeit;beleg;artikel;menge;preis\nanna;31.07.2026 14:30;B1;tee;3;2,55\n");
  CHECK(imported.events == "B1 anna 2026-07-31 12:30:00 order B1 7650000 EUR 3xtee\n");
}

TEST_CASE("rows of one group are one event") {
  const Imported imported = Import(R"(
event: order_completed
customer: customer
time: {column: when, format: "%Y-%m-%d"}
group: invoice
fields: {order_id: invoice, total: amount, products.product_id: article, products.quantity: {constant: 1}}
)",
                                   "invoice,customer,when,amount,article\n"
                                   "7,anna,2026-01-02,1.10,tea\n"
                                   "7,anna,2026-01-02,2.20,cup\n"
                                   "8,anna,2026-01-03,5,pot\n"
                                   "8,bert,2026-01-03,6,pot\n");
  CHECK(imported.events ==
        "sales.csv:2 anna 2026-01-02 00:00:00 order 7 3300000 1xtea 1xcup\n"
        "sales.csv:4 anna 2026-01-03 00:00:00 order 8 5000000 1xpot\n"
        "sales.csv:5 bert 2026-01-03 00:00:00 order 8 6000000 1xpot\n");
  CHECK(imported.report.joined == 1);
}

TEST_CASE("the kind of event may stand in a column, and sets the fields that it has") {
  const Imported imported =
      Import(R"(
table: {format: ndjson}
event: {column: what, names: {buy: order_completed, look: product_viewed}}
customer: user.id
time: {column: at, format: unix_ms}
fields: {total: price, product.product_id: sku, product.price: price}
)",
             "{\"what\":\"look\",\"user\":{\"id\":\"anna\"},\"at\":1767312000500,\"sku\":\"tea\",\"price\":2.5}\n"
             "{\"what\":\"buy\",\"user\":{\"id\":\"anna\"},\"at\":1767312001000,\"sku\":\"tea\",\"price\":2.5}\n"
             "{\"what\":\"sneeze\",\"user\":{\"id\":\"anna\"},\"at\":1767312001000}\n"
             "{\"what\":\"issue_resolved\",\"user\":{\"id\":7},\"at\":\"1767312002000\"}\n"
             "{broken\n"
             "[1]\n");
  CHECK(imported.events ==
        "sales.csv:1 anna 2026-01-02 00:00:00 product_viewed {product { product_id: \"tea\" price_micros: 2500000 }}\n"
        "sales.csv:2 anna 2026-01-02 00:00:01 order sales.csv:2 2500000\n"
        "sales.csv:4 7 2026-01-02 00:00:02 issue_resolved {}\n");
  CHECK(imported.report.rejected == std::map<std::string, uint64_t>{{"bad_json", 2}, {"unknown_event", 1}});
}

TEST_CASE("sorted import goes by time over all files, equal times in the order of the files") {
  const TestFile a("customer,when,amount\nanna,2026-01-05,1\nanna,2026-01-02,2\n", "a.csv");
  const TestFile b("customer,when,amount\nbert,2026-01-03,3\nbert,2026-01-02,4\n", "b.csv");
  const Imported imported = Import(*ParseMapping(kSales, "m"), {a.path(), b.path()}, true);
  CHECK(imported.events ==
        "a.csv:3 anna 2026-01-02 00:00:00 order a.csv:3 2000000\n"
        "b.csv:3 bert 2026-01-02 00:00:00 order b.csv:3 4000000\n"
        "b.csv:2 bert 2026-01-03 00:00:00 order b.csv:2 3000000\n"
        "a.csv:2 anna 2026-01-05 00:00:00 order a.csv:2 1000000\n");
}

TEST_CASE("compressed files are read as they are, and a cut one is an error after its rows") {
  std::string text = "customer,when,amount\n";
  for (int i = 0; i < 5000; ++i) absl::StrAppend(&text, "customer", i * 7919 % 5000, ",2026-01-02,", i, "\n");
  const TestFile file("", "sales.csv.gz");
  gzFile out = gzopen(file.path().c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
  const Mapping mapping = *ParseMapping(kSales, "m");
  CHECK(Import(mapping, {file.path()}).report.events == 5000);
  std::filesystem::resize_file(file.path(), std::filesystem::file_size(file.path()) / 2);
  const Imported cut = Import(mapping, {file.path()});
  CHECK(cut.status.code() == absl::StatusCode::kDataLoss);
  CHECK(cut.report.events > 0);
  CHECK(cut.report.events < 5000);
}

TEST_CASE("Latin-1 becomes UTF-8") {
  const Imported imported = Import(
      "table: {encoding: latin-1}\nevent: order_completed\ncustomer: c\ntime: {column: t}\nfields: {total: a, "
      "products.name: n}\n",
      "c,t,a,n\nanna,2026-01-02T10:00:00Z,1,caf\xe9\n");
  CHECK(imported.events == "sales.csv:2 anna 2026-01-02 10:00:00 order sales.csv:2 1000000 0x(caf\xc3\xa9)\n");
}

TEST_CASE("the shipped mapping reads CDNOW: equal lines are purchases of their own") {
  const auto mapping = LoadMapping(std::string(PORTRAIT_SOURCE_DIR) + "/deploy/examples/cdnow.yaml");
  INFO(mapping.status().ToString());
  REQUIRE(mapping.ok());
  const TestFile file(
      " customer_id  date number_of_cds  dollar_value\r\n"
      " 00001 19970101  1   11.77\r\n"
      " 00002 19970112  1   12.00\r\n"
      " 00002 19970112  5   77.00\r\n"
      " 00002 19970112  5   77.00\r\n",
      "CDNOW_master.txt");
  const Imported imported = Import(*mapping, {file.path()}, true);
  CHECK(imported.events ==
        "CDNOW_master.txt:2 00001 1997-01-01 00:00:00 order CDNOW_master.txt:2 11770000 USD 1x\n"
        "CDNOW_master.txt:3 00002 1997-01-12 00:00:00 order CDNOW_master.txt:3 12000000 USD 1x\n"
        "CDNOW_master.txt:4 00002 1997-01-12 00:00:00 order CDNOW_master.txt:4 77000000 USD 5x\n"
        "CDNOW_master.txt:5 00002 1997-01-12 00:00:00 order CDNOW_master.txt:5 77000000 USD 5x\n");
}

TEST_CASE("the demo's purchases are those of the shipped mapping, and a file that is not theirs is refused") {
  const std::string head = " customer_id  date number_of_cds  dollar_value\n";
  const TestFile good(head + " 00001 19970101  1   11.77\n 00002 19970112  5   77.00\n", "CDNOW_master.txt");
  const auto purchases = ReadCdnow(good.path());
  REQUIRE(purchases.ok());
  std::string told;
  for (const GivenPurchase& purchase : *purchases) {
    absl::StrAppend(&told, purchase.customer_id, " ", ToText(FromMicros(purchase.time_us)), " ", purchase.total_micros,
                    " ", purchase.quantity, " ", purchase.order_id, "\n");
  }
  CHECK(told ==
        "00001 1997-01-01 00:00:00 11770000 1 CDNOW_master.txt:2\n"
        "00002 1997-01-12 00:00:00 77000000 5 CDNOW_master.txt:3\n");
  const auto shipped = LoadMapping(std::string(PORTRAIT_SOURCE_DIR) + "/deploy/examples/cdnow.yaml");
  CHECK(Import(*shipped, {good.path()}).events == Import(CdnowMapping(), {good.path()}).events);
  const TestFile bad(head + " 00001 19970101  1\n", "CDNOW_master.txt");
  CHECK(ReadCdnow(bad.path()).status().message().find("ragged") != std::string::npos);
}

TEST_CASE("every shipped mapping is good") {
  int mappings = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(PORTRAIT_SOURCE_DIR) + "/deploy/examples")) {
    if (entry.path().extension() != ".yaml") continue;
    INFO(entry.path());
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.find("\ncustomer:") == std::string::npos) continue;  // another kind of example
    const auto mapping = LoadMapping(entry.path());
    CHECK(mapping.status().ToString() == "OK");
    ++mappings;
  }
  CHECK(mappings >= 2);
}

TEST_CASE("a mapping that is wrong is refused with every error and its line") {
  const auto mapping = ParseMapping(R"(event: order_compleated
customer: c
when: x
time: {column: t, zone: Mars/Olympus}
table: {format: parquet, delimiter: ";;"}
where: [amount]
)",
                                    "m.yaml");
  REQUIRE(!mapping.ok());
  CHECK(std::string(mapping.status().message()) ==
        "m.yaml:1: event: no such kind of event (see event.proto): order_compleated\n"
        "m.yaml:3: when: no such setting\n"
        "m.yaml:4: zone: no such time zone: Mars/Olympus\n"
        "m.yaml:5: format: is none of csv, whitespace, ndjson: parquet\n"
        "m.yaml:5: delimiter: needs one character, or tab: ;;\n"
        "m.yaml:6: where: no condition such as \"Quantity > 0\" (=, !=, <, <=, >, >=, starts with, does not start "
        "with, is empty, is not empty): amount");
}

TEST_CASE("a column or field that is not there is named") {
  CHECK(Import(kSales, "customer,date,amount\nanna,2026-01-02,1\n")
            .status.message()
            .find("no such column: when; there are: customer, date, amount") != std::string::npos);
  CHECK(Import(absl::StrCat(kSales, "event_id: when\n"), "")
            .status.message()
            .find("no line with the names of the columns") != std::string::npos);
  const auto mapping = ParseMapping("event: page_viewed\ncustomer: c\ntime: t\nfields: {total: a}\n", "m");
  const TestFile file("c,t,a\n");
  CHECK(Import(*mapping, {file.path()}).status.message() == "no page_viewed has this field (see event.proto): total");
  CHECK(Import(*ParseMapping(kSales, "m"), {"/no/such/file.csv"}).status.message().find("no such file") !=
        std::string::npos);
}

}  // namespace
}  // namespace portrait

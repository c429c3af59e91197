// Tables to events: reads files by a mapping, hands the events on, and counts every row: sent, left out, or rejected
// with its line and the reason.
//
//   Importer importer({.mapping = mapping, .sort = true}, [&](const Event& event) { return writer.Write(event); });
//   status = importer.Add("sales.csv");
//   status = importer.Finish();
//   std::cout << importer.report().Text();
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "operators/event.h"
#include "pipeline/tools/mapping.h"

namespace portrait {

// rows = sent rows + left out + rejected, always.
struct ImportReport {
  struct Reject {
    std::string file;
    int64_t line = 0;
    std::string reason;
    std::string detail;
    std::string text;  // the line, if it was no row
  };

  uint64_t rows = 0;
  uint64_t events = 0;
  uint64_t joined = 0;                       // rows that became part of the event of an earlier one
  std::map<std::string, uint64_t> left_out;  // by condition
  std::map<std::string, uint64_t> rejected;  // by reason
  std::vector<Reject> examples;              // the first of each reason

  uint64_t left_out_rows() const;
  uint64_t rejected_rows() const;
  // For people; ends with a line break.
  std::string Text() const;
};

struct ImportOptions {
  Mapping mapping;
  bool sort = false;                // by time, over all files; holds all events in memory (some 200 bytes each)
  size_t examples_each = 3;         // rejected rows shown for each reason
  std::ostream* rejects = nullptr;  // gets every rejected row: file, line, reason, detail, text, parted by tabs
  std::function<void(uint64_t rows, uint64_t bytes_read, uint64_t bytes_total)> progress;  // of the file; may be empty
};

// One thread.
class Importer {
 public:
  using Consumer = std::function<absl::Status(const Event&)>;

  Importer(ImportOptions options, Consumer consumer) : options_(std::move(options)), consumer_(std::move(consumer)) {}

  // One file: in ids it goes by its name without the folder. An error ends the import; what came before has been sent.
  absl::Status Add(const std::filesystem::path& path);

  // Sends what is held. Call it once at the end.
  absl::Status Finish();

  const ImportReport& report() const { return report_; }

 private:
  struct Held {
    int64_t time_us;
    std::string bytes;
  };

  absl::Status Take(Event& event, const std::string& group);
  absl::Status Flush();
  absl::Status Send(const Event& event);
  void Reject(ImportReport::Reject reject);

  ImportOptions options_;
  Consumer consumer_;
  ImportReport report_;
  Event open_;  // the event that further rows of its group may join
  std::string group_;
  bool has_open_ = false;
  std::vector<Held> held_;
};

}  // namespace portrait

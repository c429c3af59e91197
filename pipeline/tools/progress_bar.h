// A bar on the terminal for long work; nothing at all when the output is no terminal.
//
//   ProgressBar bar("importing", {.total = size});
//   while (...) bar.Update(done, "1.2 M events");
//   bar.Finish();
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "operators/time.h"
#include "pipeline/ports/clock.h"

namespace portrait {

struct ProgressOptions {
  uint64_t total = 0;              // 0: unknown, only the note is shown
  std::ostream* stream = nullptr;  // default: std::cerr
  int terminal = -1;               // 1 or 0: is one or is none; -1: looks whether standard error is one
  const Clock* clock = nullptr;    // default: the system's; must outlive the bar
};

// One thread. Draws ten times a second at most, so that Update may be called for every record.
class ProgressBar {
 public:
  ProgressBar(std::string label, ProgressOptions options);
  ~ProgressBar() { Finish(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Update(uint64_t done, std::string_view note = {});
  void Finish();  // draws the last state and ends the line

  bool shown() const { return shown_; }

  // The line as it is drawn: importing [=====>     ]  50 %  1.2 M events  0:12 left
  static std::string Line(std::string_view label, uint64_t done, uint64_t total, std::string_view note,
                          Duration elapsed);

 private:
  void Draw();

  std::string label_;
  uint64_t total_;
  std::ostream& stream_;
  bool shown_;
  const Clock& clock_;
  Duration began_;
  Duration drawn_{};
  uint64_t done_ = 0;
  std::string note_;
  bool open_ = false;  // a line has been begun
};

// 1234567 as 1.2 M; below ten thousand as it is.
std::string ShortCount(uint64_t count);

// 1234567 as 1 234 567.
std::string LongCount(uint64_t count);

}  // namespace portrait

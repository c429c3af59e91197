#include "pipeline/tools/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace portrait {

namespace {

constexpr Duration kBetweenDrawings = std::chrono::milliseconds(100);
constexpr int kWidth = 30;

const Clock& SystemTime() {
  static const SystemClock clock;
  return clock;
}

std::string MinutesAndSeconds(Duration duration) {
  const int64_t total = std::chrono::duration_cast<seconds>(duration).count();
  return absl::StrFormat("%d:%02d", total / 60, total % 60);
}

}  // namespace

ProgressBar::ProgressBar(std::string label, ProgressOptions options)
    : label_(std::move(label)),
      total_(options.total),
      stream_(options.stream != nullptr ? *options.stream : std::cerr),
      shown_(options.terminal >= 0 ? options.terminal == 1 : isatty(STDERR_FILENO) == 1),
      clock_(options.clock != nullptr ? *options.clock : SystemTime()),
      began_(clock_.Monotonic()) {}

void ProgressBar::Update(uint64_t done, std::string_view note) {
  done_ = done;
  if (!shown_) return;
  const Duration now = clock_.Monotonic();
  if (open_ && now - drawn_ < kBetweenDrawings) {
    note_ = note;
    return;
  }
  note_ = note;
  drawn_ = now;
  Draw();
}

void ProgressBar::Finish() {
  if (!shown_ || !open_) return;
  Draw();
  stream_ << '\n' << std::flush;
  open_ = false;
  shown_ = false;
}

void ProgressBar::Draw() {
  // Back to the start of the line, and away with what is left of a longer one.
  stream_ << '\r' << Line(label_, done_, total_, note_, clock_.Monotonic() - began_) << "\x1b[K" << std::flush;
  open_ = true;
}

std::string ProgressBar::Line(std::string_view label, uint64_t done, uint64_t total, std::string_view note,
                              Duration elapsed) {
  std::string line(label);
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const int filled = static_cast<int>(share * kWidth);
    line.append(" [").append(static_cast<size_t>(filled), '=');
    if (filled < kWidth) line.append(">").append(static_cast<size_t>(kWidth - filled - 1), ' ');
    line += absl::StrFormat("] %3d %%", static_cast<int>(share * 100));
  }
  if (!note.empty()) line.append("  ").append(note);
  if (total > 0 && done > 0 && done < total && elapsed >= seconds(2)) {
    const double left =
        static_cast<double>(elapsed.count()) * (static_cast<double>(total - done) / static_cast<double>(done));
    absl::StrAppend(&line, "  ", MinutesAndSeconds(Duration(static_cast<int64_t>(left))), " left");
  } else {
    absl::StrAppend(&line, "  ", MinutesAndSeconds(elapsed));
  }
  return line;
}

std::string ShortCount(uint64_t count) {
  if (count < 10'000) return absl::StrCat(count);
  if (count < 1'000'000) return absl::StrFormat("%.1f k", static_cast<double>(count) / 1e3);
  return absl::StrFormat("%.1f M", static_cast<double>(count) / 1e6);
}

std::string LongCount(uint64_t count) {
  const std::string digits = absl::StrCat(count);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ' ';
    text += digits[i];
  }
  return text;
}

}  // namespace portrait

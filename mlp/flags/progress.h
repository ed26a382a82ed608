// How far a long job is: one line on stderr with a bar, a rate and the time left. It redraws
// itself, and is gone when the job is done.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/string_view.h"
#include "mlp/base/timer.h"

namespace mlp::flags {

// kAuto draws only on a terminal.
enum class ProgressMode { kAuto, kAlways, kNever };

// From --progress's text: "auto", "always" or "never" (checked by Flags::Choice).
ProgressMode ToProgressMode(absl::string_view text);

class Progress {
 public:
  // `total` steps are to be done; 0 if that is not known. The label is text such as "epoch 3/5".
  Progress(std::string label, int64_t total, ProgressMode mode, std::FILE* stream = stderr);
  ~Progress() { Finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` steps are done so far; redraws at most ten times a second. The suffix is text such as
  // "loss 0.13".
  void Update(int64_t done, absl::string_view suffix = "");

  // Clears the line, to make room for other output; the next Update draws it again.
  void Clear();

  // Clears the line. Later calls do nothing.
  void Finish();

 private:
  const std::string label_;
  const int64_t total_;
  std::FILE* const stream_;
  bool active_;
  bool drawn_ = false;
  double next_redraw_s_ = 0;
  Timer timer_;
};

// The line itself, at most `columns` wide; where that is little, the bar is the first to shrink:
// "train [#####-----]  50 %  1.2k/s  0:07 left  loss 0.13".
std::string ProgressLine(absl::string_view label, int64_t done, int64_t total, double elapsed_s,
                         absl::string_view suffix, int columns);

}  // namespace mlp::flags

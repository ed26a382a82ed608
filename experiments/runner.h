// Runs experiments as programs of their own, one after the other, within a budget that they share.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mlp::experiments {

struct Entry {
  std::string name;
  double weight = 1;      // Its share of the budget.
  bool own_data = false;  // It is about data of its own, and takes no other.
};

// From "name=weight,name=weight=own_data".
std::vector<Entry> ParseEntries(absl::string_view text);

// The names in `only`, in the list's order; all where it is empty. InvalidArgument names one that
// is not there and those that are.
absl::StatusOr<std::vector<Entry>> Select(const std::vector<Entry>& entries,
                                          const std::vector<std::string>& only);

// The budget of the next one: its part, by weight, of the time that is left for `entries`.
double ShareOf(const std::vector<Entry>& entries, size_t next, double left_s);

// Starts argv[0] with this process's stderr, waits, and returns its exit code (128 + signal where
// one ended it) and what it wrote to stdout. Requests to end (flags/interrupt.h) are passed on to
// it, wherever they come from: Ctrl-C in a terminal reaches this process alone.
struct Finished {
  int exit_code = 0;
  std::string output;
};
absl::StatusOr<Finished> RunProgram(const std::vector<std::string>& argv);

// What an interrupted run of all has done, in a file: first the question that it was run for (one
// line: what was asked for, of which sources), then a line for each experiment: its name, how long
// it took in seconds, and whether it is done.
class DoneList {
 public:
  // Goes on with the list in the file if it is that of the same question, or begins anew.
  DoneList(std::string path, std::string question, bool resume);

  // Whether there was a list of another question, which is gone now.
  bool was_of_another() const { return was_of_another_; }

  bool Contains(absl::string_view name) const;
  // How long all of them took, those that are not done included.
  double Seconds() const;
  // How long one took that is not done.
  double SecondsOfBegun(absl::string_view name) const;
  // Kept even if this program is killed. A list that cannot be written is none: what it holds would
  // be run again.
  void Add(const std::string& name, double seconds, bool is_done);
  // All are done.
  void Remove() const;

 private:
  struct Line {
    std::string name;
    double seconds;
    bool is_done;
  };

  const std::string path_;
  const std::string question_;
  bool was_of_another_ = false;
  std::vector<Line> lines_;
};

struct Result {
  std::string name;
  int exit_code = 0;
  double seconds = 0;
  std::string record;  // Path; "" where there is none.
  std::string status() const;
};

// A row for each.
std::string ResultsText(const std::vector<Result>& results);

}  // namespace mlp::experiments

// Writes a record so that a kill loses no finished run and nothing written before is overwritten.
//
//   <out>/raw/<experiment>/<id>.partial.jsonl   while it runs: the head, then one run a line
//   <out>/raw/<experiment>/<id>.json            when it is done; the partial file is removed
//
//   MLP_ASSIGN_OR_RETURN(RecordWriter writer, RecordWriter::Open(out, NewRecord(...)));
//   for (...) if (!writer.IsFinished(run)) MLP_RETURN_IF_ERROR(writer.Append(run));
//   MLP_ASSIGN_OR_RETURN(const std::string path, writer.Commit());
#pragma once

#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mlp/io/file_descriptor.h"
#include "mlp/record/environment.h"
#include "mlp/record/record.h"

namespace mlp::record {

class RecordWriter {
 public:
  RecordWriter(RecordWriter&&) = default;
  RecordWriter& operator=(RecordWriter&&) = default;
  // Without a Commit the partial file stays for a later Resume, if there are runs in it.
  ~RecordWriter();

  // Begins a record. `head` is one without id and runs (see NewRecord).
  static absl::StatusOr<RecordWriter> Open(const std::string& out_dir, Record head);

  // Takes up the newest partial file of this experiment with the same config, commit, build and
  // machine that no other process is writing: its id, start, config and runs become this writer's.
  // One with runs goes before those without. Nothing if there is none. What keys::kChosen names may
  // be missing in the head.
  static absl::StatusOr<std::optional<RecordWriter>> Resume(const std::string& out_dir,
                                                            Record head);

  // Head and all runs so far.
  const Record& record() const { return record_; }

  // How many runs of the partial file were taken up.
  size_t resumed() const { return resumed_; }

  // Runs that are there already.
  const std::vector<RunRecord>& finished() const { return record_.runs; }

  // Whether a run with this group, variant, repetition and seed is there.
  bool IsFinished(const RunRecord& run) const { return keys_.contains(run.Key()); }

  // Adds a run; it is on disk on return. After an error (a full disk) the file is as it was before.
  // InvalidArgument: it does not fit the schema, or it is
  // there already. A message beyond the schema's bound is cut.
  absl::Status Append(RunRecord run);

  // Adds a remark for the reader, once.
  void AddNote(const std::string& note);

  // Writes the record, removes the partial file and returns the record's path. Call it once, last.
  absl::StatusOr<std::string> Commit();

 private:
  RecordWriter() = default;

  // Everything but the file.
  static absl::StatusOr<RecordWriter> Prepare(const std::string& out_dir, Record head);
  std::string PathWith(const char* suffix) const;
  absl::Status Create();

  std::string directory_;
  Record record_;
  std::set<decltype(std::declval<RunRecord>().Key())> keys_;
  io::FileDescriptor partial_;  // Locked, at its end.
  std::optional<CpuTimes> cpu_times_at_start_;
  size_t resumed_ = 0;
};

}  // namespace mlp::record

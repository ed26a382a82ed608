#include "mlp/record/writer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "mlp/base/check.h"
#include "mlp/base/status_macros.h"
#include "mlp/io/atomic_file.h"
#include "mlp/record/json.h"
#include "mlp/record/keys.h"
#include "mlp/record/partial.h"
#include "mlp/record/validate.h"

namespace mlp::record {
namespace {

constexpr size_t kMaxMessageBytes = 2000;

// One run with its head is valid by itself.
absl::Status ValidateAlone(const Record& record, const RunRecord* run) {
  Record alone = record;
  alone.runs.clear();
  if (run != nullptr) alone.runs.push_back(*run);
  return Validate(ToJson(alone), absl::StrCat("record of ", record.experiment));
}

// "20260131T120000Z-1a2b3c4-0123abcd"
std::string BaseId(const Record& record) {
  return absl::StrCat(absl::StrReplaceAll(record.started_utc, {{"-", ""}, {":", ""}}), "-",
                      record.commit.substr(0, 7), "-", record.machine.id);
}

// Whole lines for the head's members, one line a run: readable, and small in a diff.
std::string FileText(const Record& record) {
  Json json = ToJson(record);
  const Json runs = std::exchange(json[keys::kRuns], Json::array());
  std::string text = Dump(json, 1);
  const size_t tail = text.rfind("[]");
  MLP_CHECK_EQ(text.substr(tail), "[]\n}");
  text.resize(tail + 1);
  for (size_t i = 0; i < runs.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "\n  " : ",\n  ", Dump(runs[i]));
  }
  return absl::StrCat(text, "\n ]\n}\n");
}

// Whole, or not at all: a part of a line would spoil the next one.
absl::Status AppendLine(int fd, const std::string& path, const std::string& line) {
  // A limit on the size of files is an error of write, not the end of the process.
  signal(SIGXFSZ, SIG_IGN);
  const off_t begin = lseek(fd, 0, SEEK_END);
  if (begin < 0) return io::ErrnoError("find the end of", path, errno);
  if (const int error = io::WriteAll(fd, line + "\n")) {
    if (ftruncate(fd, begin) != 0) return io::ErrnoError("cut off its torn last line", path, errno);
    return io::ErrnoError("write", path, error);
  }
  if (fdatasync(fd) != 0) return io::ErrnoError("sync", path, errno);
  return absl::OkStatus();
}

}  // namespace

RecordWriter::~RecordWriter() {
  if (partial_.ok() && record_.runs.empty()) unlink(PathWith(kPartialSuffix).c_str());
}

std::string RecordWriter::PathWith(const char* suffix) const {
  return absl::StrCat(directory_, "/", record_.id, suffix);
}

absl::StatusOr<RecordWriter> RecordWriter::Prepare(const std::string& out_dir, Record head) {
  RecordWriter writer;
  writer.record_ = std::move(head);
  writer.record_.runs.clear();
  writer.record_.id = BaseId(writer.record_);
  MLP_RETURN_IF_ERROR(ValidateAlone(writer.record_, nullptr));
  writer.directory_ = absl::StrCat(out_dir, "/raw/", writer.record_.experiment);
  MLP_RETURN_IF_ERROR(io::CreateDirectories(writer.directory_));
  writer.cpu_times_at_start_ = ReadCpuTimes();
  return writer;
}

absl::StatusOr<RecordWriter> RecordWriter::Open(const std::string& out_dir, Record head) {
  MLP_ASSIGN_OR_RETURN(RecordWriter writer, Prepare(out_dir, std::move(head)));
  MLP_RETURN_IF_ERROR(writer.Create());
  return writer;
}

absl::StatusOr<std::optional<RecordWriter>> RecordWriter::Resume(const std::string& out_dir,
                                                                 Record head) {
  MLP_ASSIGN_OR_RETURN(RecordWriter writer, Prepare(out_dir, std::move(head)));
  MLP_ASSIGN_OR_RETURN(std::optional<Partial> partial,
                       FindPartial(writer.directory_, writer.record_));
  if (!partial) return std::nullopt;
  // How to show it is the program's word of today; what was run is the file's.
  partial->record.presentation = writer.record_.presentation;
  partial->record.question = writer.record_.question;
  const std::vector<std::string> notes = std::move(writer.record_.notes);
  writer.record_ = std::move(partial->record);
  writer.partial_ = std::move(partial->fd);
  for (const std::string& note : notes) writer.AddNote(note);
  for (const RunRecord& run : writer.record_.runs) writer.keys_.insert(run.Key());
  writer.resumed_ = writer.record_.runs.size();
  if (writer.resumed_ > 0) {
    writer.AddNote("resumed: steal_pct is that of the last session alone");
  }
  return writer;
}

// Claims an id by creating its partial file, which no other process may have.
absl::Status RecordWriter::Create() {
  const std::string base = record_.id;
  for (int n = 1;; ++n) {
    record_.id = n == 1 ? base : absl::StrCat(base, "-", n);
    const std::string path = PathWith(kPartialSuffix);
    io::FileDescriptor fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!fd.ok() && errno == EEXIST) continue;
    if (!fd.ok()) return io::ErrnoError("create", path, errno);
    // Only now: its owner may have finished between a look and the creation.
    if (std::filesystem::exists(PathWith(kRecordSuffix))) {
      unlink(path.c_str());
      continue;
    }
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return io::ErrnoError("lock", path, errno);
    partial_ = std::move(fd);
    return AppendLine(partial_.get(), path, Dump(ToJson(record_)));
  }
}

absl::Status RecordWriter::Append(RunRecord run) {
  MLP_CHECK(partial_.ok());
  if (run.message.size() > kMaxMessageBytes) run.message.resize(kMaxMessageBytes);
  MLP_RETURN_IF_ERROR(ValidateAlone(record_, &run));
  if (IsFinished(run)) {
    return absl::InvalidArgumentError(absl::StrCat("record of ", record_.experiment,
                                                   ": repetition ", run.repetition, " of \"",
                                                   run.variant, "\" is there already"));
  }
  MLP_RETURN_IF_ERROR(AppendLine(partial_.get(), PathWith(kPartialSuffix), Dump(ToJson(run))));
  keys_.insert(run.Key());
  record_.runs.push_back(std::move(run));
  return absl::OkStatus();
}

void RecordWriter::AddNote(const std::string& note) {
  std::vector<std::string>& notes = record_.notes;
  if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
}

absl::StatusOr<std::string> RecordWriter::Commit() {
  MLP_CHECK(partial_.ok());
  record_.machine.steal_pct = StealPct(cpu_times_at_start_, ReadCpuTimes());
  MLP_RETURN_IF_ERROR(ValidateAlone(record_, nullptr));
  const std::string path = PathWith(kRecordSuffix);
  MLP_RETURN_IF_ERROR(io::WriteFileAtomically(path, FileText(record_), io::IfExists::kFail));
  const std::string partial = PathWith(kPartialSuffix);
  if (unlink(partial.c_str()) != 0) return io::ErrnoError("remove", partial, errno);
  partial_.Close();
  return path;
}

}  // namespace mlp::record

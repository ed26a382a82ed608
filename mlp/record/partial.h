// The file of a run that is not done: the record's head on the first line, then one run a line.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mlp/io/file_descriptor.h"
#include "mlp/record/record.h"

namespace mlp::record {

inline constexpr char kPartialSuffix[] = ".partial.jsonl";
inline constexpr char kRecordSuffix[] = ".json";

struct Partial {
  io::FileDescriptor fd;  // Locked, at its end.
  Record record;
};

// Takes up the newest partial file in `directory` whose head asks for the same as `head`, of those
// with runs if there are any; a torn last line is cut off. Nothing if there is none. DataLoss: it
// is damaged elsewhere.
absl::StatusOr<std::optional<Partial>> FindPartial(const std::string& directory,
                                                   const Record& head);

// Whether runs of both may stand in one record: same experiment, config (of keys::kChosen as far as
// the head has it), sources, build, machine.
bool MayContinue(const Record& started, const Record& head);

}  // namespace mlp::record

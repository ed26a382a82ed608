// JSON of the parts of a record's head: where it ran, how it was built, how to show it.
#pragma once

#include "mlp/record/json.h"
#include "mlp/record/record.h"

namespace mlp::record {

Json ToJson(const Machine& machine);
Json ToJson(const Build& build);
Json ToJson(const Presentation& presentation);

// The JSON has passed the schema.
Machine MachineFromJson(const Json& json);
Build BuildFromJson(const Json& json);
Presentation PresentationFromJson(const Json& json);

}  // namespace mlp::record

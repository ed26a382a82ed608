#include "mlp/record/header.h"

#include "mlp/record/keys.h"

namespace mlp::record {
namespace {

template <class T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T>
std::optional<T> Optional(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return json.get<T>();
}

// Sets `target` if the member is there.
template <class T>
void Get(const Json& json, const char* key, T& target) {
  if (const auto member = json.find(key); member != json.end()) target = member->get<T>();
}

void PutText(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = text;
}

Json PlotToJson(const Plot& plot) {
  Json json = Json::object();
  json[keys::kKind] = plot.kind;
  PutText(json, keys::kTitle, plot.title);
  PutText(json, keys::kX, plot.x);
  PutText(json, keys::kY, plot.y);
  PutText(json, keys::kSeries, plot.series);
  if (plot.log_x) json[keys::kLogX] = true;
  if (plot.log_y) json[keys::kLogY] = true;
  if (plot.mark) json[keys::kMark] = *plot.mark;
  return json;
}

Plot PlotFromJson(const Json& json) {
  Plot plot;
  Get(json, keys::kKind, plot.kind);
  Get(json, keys::kTitle, plot.title);
  Get(json, keys::kX, plot.x);
  Get(json, keys::kY, plot.y);
  Get(json, keys::kSeries, plot.series);
  Get(json, keys::kLogX, plot.log_x);
  Get(json, keys::kLogY, plot.log_y);
  if (const auto mark = json.find(keys::kMark); mark != json.end()) plot.mark = mark->get<double>();
  return plot;
}

Json ClaimToJson(const Claim& claim) {
  Json json = {{keys::kKind, claim.kind}, {keys::kPath, claim.path}};
  if (claim.bound != 0) json[keys::kBound] = claim.bound;
  return json;
}

Claim ClaimFromJson(const Json& json) {
  Claim claim;
  Get(json, keys::kKind, claim.kind);
  Get(json, keys::kPath, claim.path);
  Get(json, keys::kBound, claim.bound);
  return claim;
}

Json ViewToJson(const View& view) {
  Json json = Json::object();
  PutText(json, keys::kName, view.name);
  PutText(json, keys::kTitle, view.title);
  if (!view.variants.empty()) json[keys::kVariants] = view.variants;
  PutText(json, keys::kBaseline, view.baseline);
  PutText(json, keys::kBaselineAgain, view.baseline_again);
  PutText(json, keys::kPrimary, view.primary);
  if (view.higher_is_better) json[keys::kHigherIsBetter] = *view.higher_is_better;
  if (!view.columns.empty()) json[keys::kColumns] = view.columns;
  for (const Plot& plot : view.plots) json[keys::kPlots].push_back(PlotToJson(plot));
  for (const Claim& claim : view.claims) json[keys::kClaims].push_back(ClaimToJson(claim));
  return json;
}

View ViewFromJson(const Json& json) {
  View view;
  Get(json, keys::kName, view.name);
  Get(json, keys::kTitle, view.title);
  Get(json, keys::kVariants, view.variants);
  Get(json, keys::kBaseline, view.baseline);
  Get(json, keys::kBaselineAgain, view.baseline_again);
  Get(json, keys::kPrimary, view.primary);
  if (json.contains(keys::kHigherIsBetter)) {
    view.higher_is_better = json[keys::kHigherIsBetter].get<bool>();
  }
  Get(json, keys::kColumns, view.columns);
  if (const auto plots = json.find(keys::kPlots); plots != json.end()) {
    for (const Json& plot : *plots) view.plots.push_back(PlotFromJson(plot));
  }
  if (const auto claims = json.find(keys::kClaims); claims != json.end()) {
    for (const Json& claim : *claims) view.claims.push_back(ClaimFromJson(claim));
  }
  return view;
}

Json GpuToJson(const Gpu& gpu) {
  return {{keys::kName, gpu.name},
          {keys::kComputeCapability, gpu.compute_capability},
          {keys::kMemoryBytes, gpu.memory_bytes},
          {keys::kDriver, gpu.driver},
          {keys::kRuntime, gpu.runtime}};
}

Gpu GpuFromJson(const Json& json) {
  Gpu gpu;
  Get(json, keys::kName, gpu.name);
  Get(json, keys::kComputeCapability, gpu.compute_capability);
  Get(json, keys::kMemoryBytes, gpu.memory_bytes);
  Get(json, keys::kDriver, gpu.driver);
  Get(json, keys::kRuntime, gpu.runtime);
  return gpu;
}

}  // namespace

View Presentation::ForGroup(absl::string_view name) const {
  View view = all;
  view.name = std::string(name);
  for (const View& group : groups) {
    if (group.name != name) continue;
    if (!group.title.empty()) view.title = group.title;
    if (!group.variants.empty()) view.variants = group.variants;
    if (!group.baseline.empty()) view.baseline = group.baseline;
    if (!group.baseline_again.empty()) view.baseline_again = group.baseline_again;
    if (!group.primary.empty()) view.primary = group.primary;
    if (group.higher_is_better) view.higher_is_better = group.higher_is_better;
    if (!group.columns.empty()) view.columns = group.columns;
    if (!group.plots.empty()) view.plots = group.plots;
    if (!group.claims.empty()) view.claims = group.claims;
  }
  return view;
}

Json ToJson(const Machine& machine) {
  Json json = Json::object();
  json[keys::kId] = machine.id;
  json[keys::kCpu] = machine.cpu;
  json[keys::kCores] = machine.cores;
  json[keys::kIsa] = machine.isa;
  json[keys::kCaches] = machine.caches;
  json[keys::kMemoryBytes] = machine.memory_bytes;
  json[keys::kGpu] = machine.gpu ? GpuToJson(*machine.gpu) : Json(nullptr);
  json[keys::kGovernor] = OrNull(machine.governor);
  json[keys::kCgroupCpuMax] = OrNull(machine.cgroup_cpu_max);
  json[keys::kLoadAverage] = OrNull(machine.load_average);
  json[keys::kStealPct] = OrNull(machine.steal_pct);
  return json;
}

Machine MachineFromJson(const Json& json) {
  Machine machine;
  Get(json, keys::kId, machine.id);
  Get(json, keys::kCpu, machine.cpu);
  Get(json, keys::kCores, machine.cores);
  Get(json, keys::kIsa, machine.isa);
  Get(json, keys::kCaches, machine.caches);
  Get(json, keys::kMemoryBytes, machine.memory_bytes);
  if (!json[keys::kGpu].is_null()) machine.gpu = GpuFromJson(json[keys::kGpu]);
  machine.governor = Optional<std::string>(json[keys::kGovernor]);
  machine.cgroup_cpu_max = Optional<std::string>(json[keys::kCgroupCpuMax]);
  machine.load_average = Optional<double>(json[keys::kLoadAverage]);
  machine.steal_pct = Optional<double>(json[keys::kStealPct]);
  return machine;
}

Json ToJson(const Build& build) {
  Json json = Json::object();
  json[keys::kCompiler] = build.compiler;
  json[keys::kMode] = build.mode;
  json[keys::kCopts] = build.copts;
  PutText(json, keys::kMath, build.math);
  return json;
}

Build BuildFromJson(const Json& json) {
  Build build;
  Get(json, keys::kCompiler, build.compiler);
  Get(json, keys::kMode, build.mode);
  Get(json, keys::kCopts, build.copts);
  Get(json, keys::kMath, build.math);
  return build;
}

Json ToJson(const Presentation& presentation) {
  Json json = ViewToJson(presentation.all);
  for (const View& group : presentation.groups) {
    json[keys::kGroups].push_back(ViewToJson(group));
  }
  return json;
}

Presentation PresentationFromJson(const Json& json) {
  Presentation presentation;
  presentation.all = ViewFromJson(json);
  if (const auto groups = json.find(keys::kGroups); groups != json.end()) {
    for (const Json& group : *groups) presentation.groups.push_back(ViewFromJson(group));
  }
  return presentation;
}

}  // namespace mlp::record

// Every key of a record's JSON, named once. record.schema.json says what each one holds; a test
// holds the two lists together.
#pragma once

namespace mlp::record::keys {

// MLP_RECORD_KEY(constant, "key")
#define MLP_RECORD_KEYS(MLP_RECORD_KEY)                                                     \
  /* The document. */                                                                       \
  MLP_RECORD_KEY(kSchemaVersion, "schema_version")                                          \
  MLP_RECORD_KEY(kExperiment, "experiment")                                                 \
  MLP_RECORD_KEY(kQuestion, "question")                                                     \
  MLP_RECORD_KEY(kId, "id") /* also machine.id */                                           \
  MLP_RECORD_KEY(kStartedUtc, "started_utc")                                                \
  MLP_RECORD_KEY(kCommit, "commit")                                                         \
  MLP_RECORD_KEY(kDirty, "dirty")                                                           \
  MLP_RECORD_KEY(kMachine, "machine")                                                       \
  MLP_RECORD_KEY(kBuild, "build")                                                           \
  MLP_RECORD_KEY(kConfig, "config") /* open: dataset, dataset_sha256, model, epochs, ... */ \
  MLP_RECORD_KEY(kDataset, "dataset")                                                       \
  MLP_RECORD_KEY(kNotes, "notes")                                                           \
  MLP_RECORD_KEY(kPresentation, "presentation")                                             \
  MLP_RECORD_KEY(kRuns, "runs")                                                             \
  /* machine */                                                                             \
  MLP_RECORD_KEY(kCpu, "cpu")                                                               \
  MLP_RECORD_KEY(kCores, "cores")                                                           \
  MLP_RECORD_KEY(kIsa, "isa")                                                               \
  MLP_RECORD_KEY(kCaches, "caches")            /* open: L1d_bytes, L2_bytes, ... */         \
  MLP_RECORD_KEY(kMemoryBytes, "memory_bytes") /* also machine.gpu.memory_bytes */          \
  MLP_RECORD_KEY(kGpu, "gpu")                                                               \
  MLP_RECORD_KEY(kGovernor, "governor")                                                     \
  MLP_RECORD_KEY(kCgroupCpuMax, "cgroup_cpu_max")                                           \
  MLP_RECORD_KEY(kLoadAverage, "load_average")                                              \
  MLP_RECORD_KEY(kStealPct, "steal_pct")                                                    \
  /* machine.gpu */                                                                         \
  MLP_RECORD_KEY(kName, "name") /* also presentation.groups[].name */                       \
  MLP_RECORD_KEY(kComputeCapability, "compute_capability")                                  \
  MLP_RECORD_KEY(kDriver, "driver")                                                         \
  MLP_RECORD_KEY(kRuntime, "runtime")                                                       \
  /* build */                                                                               \
  MLP_RECORD_KEY(kCompiler, "compiler")                                                     \
  MLP_RECORD_KEY(kMode, "mode")                                                             \
  MLP_RECORD_KEY(kCopts, "copts")                                                           \
  MLP_RECORD_KEY(kMath, "math")                                                             \
  /* presentation, and each of its groups */                                                \
  MLP_RECORD_KEY(kTitle, "title") /* also of a plot */                                      \
  MLP_RECORD_KEY(kVariants, "variants")                                                     \
  MLP_RECORD_KEY(kBaseline, "baseline")                                                     \
  MLP_RECORD_KEY(kBaselineAgain, "baseline_again")                                          \
  MLP_RECORD_KEY(kPrimary, "primary")                                                       \
  MLP_RECORD_KEY(kHigherIsBetter, "higher_is_better")                                       \
  MLP_RECORD_KEY(kColumns, "columns")                                                       \
  MLP_RECORD_KEY(kPlots, "plots")                                                           \
  MLP_RECORD_KEY(kClaims, "claims")                                                         \
  MLP_RECORD_KEY(kGroups, "groups")                                                         \
  /* presentation.claims[] */                                                               \
  MLP_RECORD_KEY(kPath, "path")                                                             \
  MLP_RECORD_KEY(kBound, "bound")                                                           \
  /* presentation.plots[] */                                                                \
  MLP_RECORD_KEY(kKind, "kind") /* also of a claim */                                       \
  MLP_RECORD_KEY(kX, "x")                                                                   \
  MLP_RECORD_KEY(kY, "y")                                                                   \
  MLP_RECORD_KEY(kSeries, "series")                                                         \
  MLP_RECORD_KEY(kLogX, "log_x")                                                            \
  MLP_RECORD_KEY(kLogY, "log_y")                                                            \
  MLP_RECORD_KEY(kMark, "mark")                                                             \
  /* runs[] */                                                                              \
  MLP_RECORD_KEY(kVariant, "variant")                                                       \
  MLP_RECORD_KEY(kParams, "params")     /* open: numbers, strings, booleans */              \
  MLP_RECORD_KEY(kResolved, "resolved") /* open: op -> implementation */                    \
  MLP_RECORD_KEY(kSeed, "seed")                                                             \
  MLP_RECORD_KEY(kRepetition, "repetition")                                                 \
  MLP_RECORD_KEY(kStatus, "status")                                                         \
  MLP_RECORD_KEY(kMessage, "message")                                                       \
  MLP_RECORD_KEY(kMetrics, "metrics") /* open: numbers */                                   \
  MLP_RECORD_KEY(kTimings, "timings") /* open: numbers or lists of them */                  \
  MLP_RECORD_KEY(kCurve, "curve")                                                           \
  MLP_RECORD_KEY(kEpoch, "epoch")

#define MLP_RECORD_DEFINE_KEY(constant, key) inline constexpr char constant[] = key;
MLP_RECORD_KEYS(MLP_RECORD_DEFINE_KEY)
#undef MLP_RECORD_DEFINE_KEY

// A number that is not finite stands as null, and "<key>_reason" beside it says which: nan, inf or
// -inf.
inline constexpr char kReasonSuffix[] = "_reason";

// Settings in config that a program may choose by measuring, the work of each run: a head without
// one of them goes on with what a partial file says.
inline constexpr const char* kChosen[] = {"work", "epochs", "train_samples"};

// The timing of a whole run: waiting for a free machine, setting up, measuring, checking.
inline constexpr char kRunSeconds[] = "run_s";

// The param that puts a variant into one of presentation.groups.
inline constexpr char kGroupParam[] = "group";

}  // namespace mlp::record::keys

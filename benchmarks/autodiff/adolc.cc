// The jobs in ADOL-C's idiom.
#include <adolc/adolc.h>

#include "benchmarks/autodiff/engines.h"

// Where the job finds it.
static adouble relu(const adouble& x) { return fmax(x, 0.0); }

namespace mlp::autodiff {
namespace {

// buffer: room for the whole record, so that none of it goes to files.
// Records and differentiates, or differentiates alone what was recorded once.
template <class Record>
std::vector<Engine> Engines(short tag, size_t buffer, const std::vector<double>& inputs,
                            Record record) {
  const auto gradient = std::make_shared<std::vector<double>>(inputs.size());
  const auto at = std::make_shared<std::vector<double>>(inputs);
  const auto value = std::make_shared<double>(0);
  const auto differentiate = [=] {
    ::gradient(tag, static_cast<int>(at->size()), at->data(), gradient->data());
    return *value;
  };
  const auto get = [gradient] { return *gradient; };
  const auto trace = [=] {
    trace_on(tag, 0, buffer, buffer, buffer, buffer);
    std::vector<adouble> x(at->size());
    for (size_t i = 0; i < x.size(); ++i) x[i] <<= (*at)[i];
    record(x) >>= *value;
    trace_off();
  };
  return {{.name = "ADOL-C",
           .run =
               [=] {
                 trace();
                 return differentiate();
               },
           .gradient = get},
          {.name = "ADOL-C, recorded once",
           .run =
               [=] {
                 if (*value == 0) trace();
                 return differentiate();
               },
           .gradient = get}};
}

}  // namespace

std::vector<Engine> AdolcSampleEngines(const std::shared_ptr<const SampleJob>& job) {
  return Engines(1, size_t{1} << 18, job->weights, [job](std::vector<adouble>& w) {
    return SampleLoss<adouble>(w, job->x, job->label);
  });
}

std::vector<Engine> AdolcDagEngines(const std::shared_ptr<const DagJob>& job) {
  return Engines(2, 16 * job->n, job->start,
                 [job](std::vector<adouble>& ring) { return DagValue(*job, ring); });
}

}  // namespace mlp::autodiff

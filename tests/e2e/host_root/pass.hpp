// A pass as the controller has it: probe, compare, correct a level, again. What carries the scripts
// is the caller's: a chroot, or SSH.
//
// Thread rule: one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/host/facts.hpp"
#include "core/host/resource.hpp"
#include "reconcilers/configure/correct.hpp"
#include "reconcilers/configure/gap.hpp"

namespace nimbus::test {

/// What a pass did: the loop that the controller has, without SSH.
struct Pass {
  std::size_t probes = 0, corrections = 0;
  std::vector<reconcilers::configure::Outcome> outcomes;
  std::vector<reconcilers::configure::Gap> gaps;  // that are left
  host::Facts facts;                              // as last shown
  bool lost = false;                              // the last correction: nobody knows what it did

  bool converged() const { return gaps.empty() && !lost; }
  const reconcilers::configure::Outcome* outcome(std::string_view id) const;
  /// For messages of a test.
  std::string text() const;
};

/// What became of a script. `lost`: nobody knows, the host went away.
struct Answer {
  std::string output, errors;
  bool lost = false;
};

class Passes {
 public:
  explicit Passes(std::function<Answer(std::string script)> run) : run_(std::move(run)) {}

  /// Fails the test if the host does not answer, or not as it should.
  host::Facts probe(const host::Configuration& wanted);
  /// To the end, or to the first correction that was lost on its way: then `gaps` and `facts` are
  /// those of before it.
  Pass converge(const host::Configuration& wanted);
  /// The first correction of a pass, not run.
  reconcilers::configure::Correction first_correction(const host::Configuration& wanted);

 private:
  std::function<Answer(std::string script)> run_;
  unsigned long tokens_ = 0;
  std::string next_token();
};

}  // namespace nimbus::test

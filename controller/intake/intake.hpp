// The intake: from a commit of the registry to what is in force for this provider.
//
// A broken object stalls alone on its last accepted version; so that a restart still
// knows that version, the files in force are kept as a commit of their own in the
// mirror (refs/nimbus/in-force). If the mirror was lost, a broken object is simply
// not known: nothing is done to it. Thread rule: one thread at a time.
#pragma once

#include <memory>
#include <string>

#include "controller/fleet/accepted.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"
#include "registry/git/repository.hpp"

namespace nimbus::registry {
class Snapshot;
}

namespace nimbus::controller {

class Intake {
 public:
  static constexpr const char* kInForce = "refs/nimbus/in-force";

  Intake(registry::GitRepository& mirror, const Clock& clock, std::string provider);
  ~Intake();

  /// Errors: Corrupt or Internal, when the commit cannot be read at all; faults in
  /// files are problems of the result.
  Result<std::shared_ptr<const AcceptedRegistry>> take(const std::string& commit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nimbus::controller

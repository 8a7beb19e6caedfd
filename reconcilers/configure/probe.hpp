// The probe: one POSIX shell script that tells all that a configuration needs to know of
// a host, in one round trip, and the reading of its answer.
//
// The answer is lines of fields separated by tabs, versioned, framed by a token that the
// asker chose: a host (or a login shell that chats) cannot end it early or add to it by
// accident. Facts of one kind are asked for together (one stat, one sha256sum, one
// dpkg-query, one systemctl …), so that a converged host costs a handful of processes
// whatever the number of resources. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/host/facts.hpp"
#include "core/host/resource.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "reconcilers/configure/needs.hpp"

namespace nimbus::reconcilers::configure {

/// `token`: letters and digits, new for each probe.
std::string probe_script(const ProbeNeeds& needs, std::string_view token);
inline std::string probe_script(const host::Configuration& wanted, std::string_view token) {
  return probe_script(needs_of(wanted), token);
}

/// Errors: Corrupt (cut off, no frame, more than the bounds, lines that make no sense).
/// What the script said that it could not tell is absent from the facts.
Result<host::Facts> read_probe(std::string_view output, const ProbeNeeds& needs, std::string_view token);
inline Result<host::Facts> read_probe(std::string_view output, const host::Configuration& wanted,
                                      std::string_view token) {
  return read_probe(output, needs_of(wanted), token);
}

/// Host minus controller in seconds, 0 if the host's clock lies within the round trip:
/// what lies between the two moments cannot be told apart from the way there and back.
double time_offset(double host_clock, WallTime sent, WallTime received);

}  // namespace nimbus::reconcilers::configure

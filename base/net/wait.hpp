// Waiting for one descriptor. Thread rule: safe from any thread.
#pragma once

#include "base/net/file_descriptor.hpp"
#include "core/call.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::base {

/// Until one of `events` (of poll.h) is possible, or the other side has gone. Errors: Timeout, Cancelled, Internal.
Result<> wait_ready(const FileDescriptor& descriptor, short events, const Call& call, const Clock& clock);

}  // namespace nimbus::base

// The serial console of a machine through its BMC (IPMI SOL).
// Thread rule: a session belongs to one thread; it may live beside other operations
// on the same Bmc, and ends before its BmcDriver.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/call.hpp"
#include "core/result.hpp"

namespace nimbus {

/// Of a console that several look on.
struct ConsolePiece {
  std::string bytes;
  std::int64_t next = 0;  // counts all bytes; to go on from
};

class ConsoleSession {
 public:
  virtual ~ConsoleSession() = default;
  /// Bytes that arrived; waits for at least one. Timeout: none came. Any other error
  /// ends the session.
  virtual Result<std::string> read(const Call& call) = 0;
  /// Returns when the BMC has acknowledged all of it. After a Timeout the part that was
  /// not acknowledged is forgotten; how much that is cannot be known.
  virtual Result<void> write(std::string_view bytes, const Call& call) = 0;
  virtual Result<void> send_break(const Call& call) = 0;
  virtual void close(const Call& call) noexcept = 0;
};

class BmcConsole {
 public:
  virtual ~BmcConsole() = default;
  /// Busy: somebody else holds the console.
  virtual Result<std::unique_ptr<ConsoleSession>> open_console(const Call& call) = 0;
};

}  // namespace nimbus

// Error: an expected failure, as a value.
//
// The code decides what the program does; the message is for people and says
// what, where and what to do. An error never holds a secret. Thread rule: a
// plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nimbus {

enum class Code : std::uint8_t {
  Unreachable,  // nobody answered: refused, no route, name unknown
  Timeout,      // the deadline passed; the effect of a write is unknown
  Cancelled,    // the caller's stop token was set
  Auth,         // user, password or privilege refused
  Untrusted,    // peer's certificate, host key or identity is not the expected one
  NotFound,
  Unsupported,  // the peer does not offer this
  Conflict,     // somebody else changed it first
  Invalid,      // what we were given breaks a rule
  RateLimited,  // the peer asks us to slow down
  Busy,         // the peer cannot right now; ask again later
  Corrupt,      // an answer that makes no sense
  Internal,     // a bug or the local machine (disk full, out of descriptors)
};

std::string_view to_string(Code code) noexcept;

/// Whether asking again, unchanged, may help.
bool is_transient(Code code) noexcept;

struct Error {
  Code code = Code::Internal;
  std::string message;
  std::vector<std::string> trace = {};  // "while …", innermost first

  /// Adds what was being done when this happened; innermost first.
  Error& with(std::string context) &;
  Error with(std::string context) &&;

  /// "message (while reading power of m017)": one line for people.
  std::string text() const;

  friend bool operator==(const Error&, const Error&) = default;
};

}  // namespace nimbus

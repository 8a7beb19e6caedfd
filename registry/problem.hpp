// Problem: one thing that is wrong with a registry, with its place and what to do.
// Codes are stable: pipelines and status documents name them. Thread rule: a plain
// value.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nimbus::registry {

enum class Severity : std::uint8_t { Error, Warning };

enum class ProblemCode : std::uint8_t {
  // the text of a file
  Syntax,
  NotUtf8,
  TooLarge,
  TooDeep,
  // keys and values
  UnknownKey,
  MisplacedKey,
  MissingKey,
  WrongType,
  NotAllowed,
  BadValue,
  OutOfRange,
  ControlCharacter,
  DuplicateItem,
  Conflict,
  WrongDriver,
  SecretLiteral,
  // the tree
  MissingFile,
  UnknownPath,
  ReservedPath,
  BadName,
  BadFile,
  CaseCollision,
  CrowdedFolder,
  Unreadable,
  // the registry as a whole
  BadFormat,
  TooNew,
  UnknownReference,
  Duplicate,
  NoIdentity,
  CredentialScope,
  CidrOverlap,
  OutsideNetwork,
  WrongRole,
  NotAdmitted,
  QuotaExceeded,
  ArchMismatch,
  TooSmall,
  LoosensLimit,
  Protected,
};

/// "unknown-key", …
std::string_view to_string(ProblemCode code) noexcept;
std::string_view to_string(Severity severity) noexcept;  // "error" | "warning"

/// What a code means, for reports that describe their rules.
struct Rule {
  ProblemCode code;
  std::string_view id;
  std::string_view summary;  // one sentence
};
/// In the order of ProblemCode.
std::span<const Rule> rules() noexcept;

struct Problem {
  ProblemCode code = ProblemCode::Syntax;
  Severity severity = Severity::Error;
  std::string file;          // path in the registry
  std::uint32_t line = 0;    // from 1; 0: the file as a whole
  std::uint32_t column = 0;  // from 1, in code points
  std::uint32_t length = 0;  // code points to mark; 0: not known
  std::string message;       // one line, printable, says what to do
  std::string related;       // another file that takes part ("the same address in …"); may be empty

  friend auto operator<=>(const Problem&, const Problem&) = default;
  friend bool operator==(const Problem&, const Problem&) = default;
};

/// By file, line, column; the same problem only once.
void sort_problems(std::vector<Problem>& problems);
bool has_errors(std::span<const Problem> problems) noexcept;
/// True if they keep a file from being read at all, so that nothing is known of what it says.
bool is_unreadable(std::span<const Problem> problems) noexcept;

}  // namespace nimbus::registry

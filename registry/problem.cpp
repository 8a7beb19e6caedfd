#include "registry/problem.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace nimbus::registry {
namespace {

using enum ProblemCode;

constexpr std::array kRules = {
    Rule{Syntax, "syntax", "The file is not valid TOML 1.0."},
    Rule{NotUtf8, "not-utf8", "The file is not valid UTF-8."},
    Rule{TooLarge, "too-large", "Registry files have at most 256 KiB."},
    Rule{TooDeep, "too-deep", "Tables, arrays or dotted keys lie too deep inside each other."},
    Rule{UnknownKey, "unknown-key", "The format has no such key; unknown keys are never ignored."},
    Rule{MisplacedKey, "misplaced-key", "The key exists, but not in this kind of file."},
    Rule{MissingKey, "missing-key", "A required key is absent."},
    Rule{WrongType, "wrong-type", "The value is of another TOML type than the key asks for."},
    Rule{NotAllowed, "not-allowed", "The value is not one of those that the key allows."},
    Rule{BadValue, "bad-value", "The value does not have the form that the key asks for."},
    Rule{OutOfRange, "out-of-range", "The number is too small or too large."},
    Rule{ControlCharacter, "control-character", "Text contains a control character."},
    Rule{DuplicateItem, "duplicate-item", "A list names the same thing twice."},
    Rule{Conflict, "conflict", "Keys that exclude each other, or that need each other, do not fit."},
    Rule{WrongDriver, "wrong-driver", "The key does not fit the machine's BMC driver."},
    Rule{SecretLiteral, "secret-literal", "A field that names a secret seems to hold the secret itself."},
    Rule{MissingFile, "missing-file", "A file that every registry or provider needs is absent."},
    Rule{UnknownPath, "unknown-path", "The format has no file of this path."},
    Rule{ReservedPath, "reserved-path", "The path is reserved for a later version of the format."},
    Rule{BadName, "bad-name", "Names of objects are DNS labels: lower-case letters, digits and inner dashes."},
    Rule{BadFile, "bad-file", "Only regular files of mode 100644 belong into a registry."},
    Rule{CaseCollision, "case-collision", "Two paths differ only in upper and lower case."},
    Rule{CrowdedFolder, "crowded-folder", "A folder has more than 1,000 files."},
    Rule{Unreadable, "unreadable", "The file could not be read."},
    Rule{BadFormat, "bad-format", "The registry has a format that this program does not know."},
    Rule{TooNew, "too-new", "The registry asks for a newer program."},
    Rule{UnknownReference, "unknown-reference", "A name refers to something that does not exist."},
    Rule{Duplicate, "duplicate", "A value that must be unique in the registry is used twice."},
    Rule{NoIdentity, "no-identity", "A machine needs a serial, UUID or BMC GUID of its own."},
    Rule{CredentialScope, "credential-scope", "A secret may not be named by this file."},
    Rule{CidrOverlap, "cidr-overlap", "Two networks of a provider overlap."},
    Rule{OutsideNetwork, "outside-network", "An address lies outside its network."},
    Rule{WrongRole, "wrong-role", "A network has the wrong role for this use."},
    Rule{NotAdmitted, "not-admitted", "Provider, network, machine or policy do not admit this tenant."},
    Rule{QuotaExceeded, "quota-exceeded", "The tenant's instances ask for more than its quota."},
    Rule{ArchMismatch, "arch-mismatch", "Image, requirements and machine have different architectures."},
    Rule{TooSmall, "too-small", "The pinned machine does not meet the requirements."},
    Rule{LoosensLimit, "loosens-limit", "A provider may only tighten the policy's limits."},
    Rule{Protected, "protected", "Reinstall, move and release need protected = false in an earlier commit."},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    if (static_cast<std::size_t>(kRules[i].code) != i) return false;
  }
  return kRules.size() == static_cast<std::size_t>(Protected) + 1;
}
static_assert(in_order());

}  // namespace

std::string_view to_string(ProblemCode code) noexcept { return kRules[static_cast<std::size_t>(code)].id; }
std::string_view to_string(Severity severity) noexcept { return severity == Severity::Error ? "error" : "warning"; }
std::span<const Rule> rules() noexcept { return kRules; }

void sort_problems(std::vector<Problem>& problems) {
  std::ranges::sort(problems, [](const Problem& a, const Problem& b) {
    return std::tie(a.file, a.line, a.column, a.code, a.message) <
           std::tie(b.file, b.line, b.column, b.code, b.message);
  });
  // Not std::ranges::unique: clang 14 cannot compile GCC 12's.
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
}

bool is_unreadable(std::span<const Problem> problems) noexcept {
  return std::ranges::any_of(problems, [](const Problem& problem) {
    using enum ProblemCode;
    return problem.code == Syntax || problem.code == NotUtf8 || problem.code == TooLarge || problem.code == TooDeep ||
           problem.code == Unreadable;
  });
}

bool has_errors(std::span<const Problem> problems) noexcept {
  return std::ranges::any_of(problems, [](const Problem& each) { return each.severity == Severity::Error; });
}

}  // namespace nimbus::registry

#include "core/identity.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace nimbus {
namespace {

char lower(char c) noexcept { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

}  // namespace

std::string normalize_serial(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\0' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::string normalize_uuid(std::string_view text) { return lower(normalize_serial(text)); }

bool is_placeholder_identity(std::string_view text) noexcept {
  static constexpr std::array<std::string_view, 15> kKnown = {
      "0123456789",
      "1234567890",
      "123456789",
      "to be filled by o.e.m.",
      "to be filled by oem",
      "default string",
      "system serial number",
      "not specified",
      "not available",
      "none",
      "n/a",
      "na",
      "null",
      "unknown",
      "03000200-0400-0500-0006-000700080009"};  // AMI's sample UUID
  std::string plain;
  try {
    plain = lower(normalize_serial(text));
  } catch (...) {
    return true;  // out of memory: trust nothing
  }
  if (plain.empty() || std::ranges::find(kKnown, plain) != kKnown.end()) return true;
  const auto only = [&](char wanted) {
    return std::ranges::all_of(plain, [&](char c) { return c == wanted || c == '-' || c == '.' || c == ' '; });
  };
  return only('0') || only('f') || only('x');
}

IdentityMatch match_identity(const Identity& declared, const Identity& read) {
  using Verdict = IdentityMatch::Verdict;
  struct Field {
    std::string_view name;
    std::string declared;
    std::string read;
  };
  const std::array<Field, 3> fields = {
      Field{"serial", normalize_serial(declared.serial), normalize_serial(read.serial)},
      Field{"uuid", normalize_uuid(declared.uuid), normalize_uuid(read.uuid)},
      Field{"bmc_guid", normalize_uuid(declared.bmc_guid), normalize_uuid(read.bmc_guid)}};

  IdentityMatch match;
  std::string unread;
  for (const auto& field : fields) {
    if (is_placeholder_identity(field.declared)) continue;
    if (is_placeholder_identity(field.read)) {
      unread += (unread.empty() ? "" : ", ") + std::string(field.name);
      continue;
    }
    if (field.declared != field.read) {
      return {Verdict::Differs, "the machine reports " + std::string(field.name) + " \"" + field.read +
                                    "\", the registry says \"" + field.declared + "\""};
    }
    match.verdict = Verdict::Matches;
    match.reason += (match.reason.empty() ? "" : ", ") + std::string(field.name);
  }
  if (match.verdict == Verdict::Matches) {
    match.reason += " as declared";
    return match;
  }
  match.reason =
      unread.empty() ? "the registry declares no usable identity" : "the machine does not report its " + unread;
  return match;
}

}  // namespace nimbus

// Small strict readers for the answer of a host. Pure; nothing here throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/host/facts.hpp"

namespace nimbus::reconcilers::configure {

inline constexpr std::uint64_t kMostKib = std::uint64_t{1} << 53;  // 8 ZiB
inline constexpr std::uint64_t kMostId = 0xffffffff;               // of users and groups

/// At least one field; at most 1,000, the last one then holds the rest.
std::vector<std::string_view> split(std::string_view line, char separator);

/// Fields between any number of blanks and tabs; at most 20.
std::vector<std::string_view> words(std::string_view line);

/// Decimal digits and nothing else.
std::optional<std::uint64_t> number(std::string_view text);
/// "1.25": finite, not negative, below 1e15.
std::optional<double> real(std::string_view text);

/// stat's %f: kind and mode. False: no hex number, or one of no file.
bool mode(std::string_view hex, host::PathFact& fact);

/// A line of sha256sum(1); a backslash in front says that the name is escaped.
struct DigestLine {
  std::string digest, path;
};
bool is_digest_line(std::string_view line);
DigestLine read_digest(std::string_view line);

/// "type base64" of a line of authorized_keys or of a public key; empty: it has options, or
/// is no key.
std::string plain_key(std::string_view line);

/// A field of /proc/mounts or fstab without its \ooo.
std::string unescape_field(std::string_view text);

}  // namespace nimbus::reconcilers::configure

// Secrets from files: secrets/<name>.toml, readable by the controller only.
//
//   username = "admin"
//   password = "…"
//   k_g      = ""                                    # IPMI BMC key, optional
//   allow    = ["10.1.0.17", "https://bmc-m017.example"]   # where it may be sent
//
// `allow` entries are addresses as written in machine files, or networks in CIDR
// form for numeric addresses, or "*.example.net" for host names below a domain.
// Read anew at each request, so that a rotated file is used at once. Thread rule:
// safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/ports/secrets.hpp"

namespace nimbus::base {

/// What such a file holds.
struct StoredSecret {
  Credential credential;
  std::vector<std::string> allow;
};

/// Errors: NotFound, Untrusted (others may read it), Invalid; none repeats what the file
/// holds.
Result<StoredSecret> read_secret_file(const std::string& path);
/// Replaces the file as a whole, mode 0400; makes its folders, mode 0700.
Result<> write_secret_file(const std::string& path, const StoredSecret& secret);

class FileSecrets final : public Secrets {
 public:
  explicit FileSecrets(std::string folder);
  Result<Credential> credential(std::string_view name, std::string_view destination) const override;

 private:
  const std::string folder_;
};

/// Host and port of an address as BMC endpoints write it ("host", "host:port",
/// "[::1]:623", "https://host:port/…"); the port is empty where none is written.
struct Destination {
  std::string scheme;  // "https" or empty
  std::string host;    // lower case, without brackets
  std::string port;
};
Destination parse_destination(std::string_view text);

/// Pure: whether `destination` is covered by one of `allow`. An entry without a
/// port covers every port of its host; one with scheme covers that scheme only.
bool is_allowed_destination(std::string_view destination, const std::vector<std::string>& allow);

}  // namespace nimbus::base

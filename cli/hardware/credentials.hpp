// Where a command's credentials come from: secrets of the controller, a file like one,
// or the person at the keyboard. Never the command line.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/secrets/file_secrets.hpp"
#include "cli/context.hpp"
#include "core/ports/secrets.hpp"

namespace nimbus::cli {

/// Thread rule: safe from any thread once made.
class CommandSecrets final : public Secrets {
 public:
  explicit CommandSecrets(std::string folder) : stored_(folder), folder_(std::move(folder)) {}

  /// Takes a source as --credentials writes it; returns the name under which
  /// credential() has it. Prompts at once. Errors: Invalid, those of reading a file.
  Result<std::string> add(const std::string& source);
  Result<Credential> credential(std::string_view name, std::string_view destination) const override;

  /// The file of a secret by name.
  std::string path_of(const std::string& name) const { return folder_ + "/" + name + ".toml"; }

 private:
  base::FileSecrets stored_;
  std::string folder_;
  std::map<std::string, base::StoredSecret, std::less<>>
      given_;  // without `allow`: asked for just now, for this address
};

/// Secrets with all of --credentials added; `names` gets their names in order.
Result<CommandSecrets> command_secrets(Context& context, std::vector<std::string>& names);

/// One line from the terminal without echo, or from standard input where that is no
/// terminal. Errors: Invalid (nothing came, too long).
Result<Secret> ask_password(const std::string& what);

/// User and password with which a vendor delivers BMCs.
struct FactoryLogin {
  std::string_view vendor, username, password;
};
/// Those that fit `vendor` (as prefix, whatever the case); all for "".
std::vector<FactoryLogin> factory_logins(std::string_view vendor);
/// The vendor whose factory login this is, or "".
std::string factory_vendor(const Credential& credential);

}  // namespace nimbus::cli

#include "base/secrets/file_secrets.hpp"

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/toml/reader.hpp"
#include "base/toml/toml.hpp"
#include "base/toml/write.hpp"
#include "core/names.hpp"

namespace nimbus::base {
namespace {

constexpr std::size_t kMostSecretBytes = 16 * 1024;

/// Faults name keys and places only: a message must not repeat what the file holds.
Result<StoredSecret> parse(const std::string& text, const std::string& path) {
  const auto table = toml::parse(text);
  if (!table) {
    return Error{Code::Invalid, fmt::format("{}:{}: not valid TOML", path, table.error().at.line)};
  }
  StoredSecret stored;
  std::vector<toml::Fault> faults;
  toml::TableReader top(*table, "", faults);
  top.require("username").require("password").require("allow");
  stored.credential.username = top.string("username").value_or("");
  stored.credential.password = Secret(top.string("password").value_or(""));
  stored.credential.k_g = Secret(top.string("k_g").value_or(""));
  stored.allow = top.strings("allow").value_or(std::vector<std::string>{});
  top.finish();
  if (!faults.empty()) {
    return Error{Code::Invalid, fmt::format("{}:{}:{}: {}", path, faults.front().at.line, faults.front().at.column,
                                            "needs username, password and allow (a list of addresses), may have k_g, "
                                            "and nothing else")};
  }
  return stored;
}

}  // namespace

Result<StoredSecret> read_secret_file(const std::string& path) {
  auto text = read_private_file(path, kMostSecretBytes);
  if (!text) return std::move(text.error());
  const Secret wiped_afterwards(std::move(*text));
  return parse(std::string(wiped_afterwards.reveal()), path);
}

Result<> write_secret_file(const std::string& path, const StoredSecret& secret) {
  constexpr unsigned kOwnerReads = 0400;
  constexpr unsigned kOwnerOnly = 0700;
  const auto& [name, username, password, k_g] = secret.credential;
  std::string text = "username = " + toml::quoted(username) + "\n";
  text += "password = " + toml::quoted(password.reveal()) + "\n";
  if (!k_g.empty()) text += "k_g = " + toml::quoted(k_g.reveal()) + "\n";
  toml::Array allow;
  for (const auto& entry : secret.allow) allow.emplace_back(entry);
  text += "allow = " + toml::inline_text(std::move(allow)) + "\n";
  const Secret wiped_afterwards(std::move(text));
  if (auto made = make_folders(path.substr(0, path.rfind('/')), kOwnerOnly); !made) return made;
  return write_file_atomically(path, wiped_afterwards.reveal(), kOwnerReads);
}

FileSecrets::FileSecrets(std::string folder) : folder_(std::move(folder)) {}

Result<Credential> FileSecrets::credential(std::string_view name, std::string_view destination) const {
  if (!is_secret_name(name)) return Error{Code::Invalid, fmt::format("\"{}\" is no name of a secret", name)};
  const std::string path = fmt::format("{}/{}.toml", folder_, name);
  auto stored = read_secret_file(path);
  if (!stored) {
    if (stored.error().code == Code::NotFound)
      return Error{Code::NotFound, fmt::format("no secret \"{}\": there is no {}; 'nimbusctl secret set {}' makes one",
                                               name, path, name)};
    return std::move(stored.error()).with(fmt::format("while reading the secret \"{}\"", name));
  }
  if (!is_allowed_destination(destination, stored->allow)) {
    return Error{Code::Untrusted,
                 fmt::format("the secret \"{}\" may not be sent to {}: its `allow` does not list that address", name,
                             destination)};
  }
  stored->credential.name = name;
  return std::move(stored->credential);
}

}  // namespace nimbus::base

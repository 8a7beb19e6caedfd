// Packages and where they come from, files, directories, links, secrets.
#include <fmt/core.h>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"
#include "registry/host/expansion.hpp"
#include "registry/host/secret_scope.hpp"

namespace nimbus::registry {
namespace {

host::Presence presence(RowState state) {
  return state == RowState::Absent ? host::Presence::Absent : host::Presence::Present;
}

}  // namespace

void Expansion::repositories() {
  for (const auto& row : in_.profile.repositories) {
    if (row.state == RowState::Absent || !row.key) continue;  // OwnedFiles removes it
    const auto where = place("repository", row.name);
    const auto key = content_of(row.key->content, row.key->source, false, place("repository.content", row.name));
    if (!key) continue;
    // APT tells the two forms of a key apart by the suffix.
    const bool armoured = key->find("-----BEGIN PGP PUBLIC KEY BLOCK-----") != std::string::npos;
    const auto key_path = fmt::format("/etc/apt/keyrings/nimbus-{}.{}", row.name, armoured ? "asc" : "gpg");
    add_folder("/etc/apt/keyrings", where);
    add_file(key_path, *key, where).notifies.emplace_back(kAptUpdate);
    std::string source =
        fmt::format("# Written by Nimbus.\nTypes: deb\nURIs: {}\nSuites: {}\n", row.url, words(row.suites));
    if (!row.components.empty()) source += fmt::format("Components: {}\n", words(row.components));
    source += fmt::format("Signed-By: {}\n", key_path);
    auto& file = add_file(fmt::format("/etc/apt/sources.list.d/nimbus-{}.sources", row.name), std::move(source), where);
    file.notifies.emplace_back(kAptUpdate);
    file.after.push_back("file:" + key_path);
  }
}

void Expansion::packages() {
  const auto& rows = in_.profile.packages;
  for (const auto& text : rows.present) {
    const auto equals = text.find('=');
    host::Package package;
    package.name = text.substr(0, equals);
    if (equals != std::string::npos) package.version = text.substr(equals + 1);
    const auto where = place("packages", package.name);
    add(std::move(package), where);
  }
  for (const auto& name : rows.hold) {
    const auto id = "package:" + name;
    auto* known = find(id);
    if (known == nullptr) known = &add(host::Package{.name = name}, place("packages", name));
    std::get<host::Package>(known->wanted).hold = true;
  }
  for (const auto& name : rows.absent) {
    add(host::Package{.name = name, .presence = host::Presence::Absent}, place("packages", name));
  }
}

void Expansion::ca_certificates() {
  for (const auto& row : in_.profile.ca_certificates) {
    if (row.state == RowState::Absent) continue;
    const auto where = place("ca_certificate", row.name);
    auto text = content_of(row.content, row.source, false, place("ca_certificate.content", row.name));
    if (!text) continue;
    if (text->find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
      fail(where, ProblemCode::BadValue, fmt::format("ca_certificate '{}' is no PEM certificate", row.name));
      continue;
    }
    if (text->find("PRIVATE KEY") != std::string::npos) {
      fail(where, ProblemCode::SecretLiteral, fmt::format("ca_certificate '{}' holds a private key", row.name));
      continue;
    }
    add_file(fmt::format("/usr/local/share/ca-certificates/nimbus-{}.crt", row.name), std::move(*text), where)
        .notifies.emplace_back(kUpdateCaCertificates);
  }
}

void Expansion::files() {
  for (const auto& row : in_.profile.directories) {
    add(host::Directory{row.path, presence(row.state), row.owner, row.group, row.mode}, place("directory", row.path));
  }
  for (const auto& row : in_.profile.links) {
    add(host::Link{row.path, presence(row.state), row.target}, place("link", row.path));
  }
  for (const auto& row : in_.profile.files) {
    const auto where = place("file", row.path);
    host::File file;
    file.path = row.path;
    file.presence = presence(row.state);
    file.owner = row.owner;
    file.group = row.group;
    file.mode = row.mode;
    file.validate = row.validate;
    if (row.state == RowState::Present) {
      auto text = content_of(row.content, row.source, row.is_template, place("file.content", row.path));
      if (!text) continue;
      file.sha256 = base::sha256_hex(*text);
      file.content = std::move(*text);
    }
    add(std::move(file), where);
  }
}

void Expansion::secret_files() {
  for (const auto& row : in_.profile.secret_files) {
    const auto where = place("secret_file", row.path);
    // Profiles were checked; what variables made of a name was not.
    if (!is_secret_of(row.secret, in_.instance.tenant)) {
      fail(where, ProblemCode::CredentialScope,
           fmt::format("'{}' is no secret of tenant '{}'", base::printable(row.secret, 120), in_.instance.tenant));
      continue;
    }
    if (row.mode.empty() || row.mode.back() != '0') {
      fail(where, ProblemCode::Conflict, fmt::format("mode {} lets everybody at a secret", row.mode));
      continue;
    }
    host::File file;
    file.path = row.path;
    file.owner = row.owner;
    file.group = row.group;
    file.mode = row.mode;
    file.is_secret = true;
    file.secret_name = row.secret;
    if (in_.sources.secret) {
      auto secret = in_.sources.secret(row.secret);
      if (!secret) {
        fail(where, ProblemCode::UnknownReference,
             fmt::format("secret '{}' cannot be had: {}", row.secret, secret.error().message));
        continue;
      }
      file.sha256 = base::sha256_hex(secret->reveal());
      file.secret = std::move(*secret);
    }
    add(std::move(file), where);
  }
}

/// What Nimbus put into folders that it shares with others, and nobody asks for any more;
/// and the actions that whatever changes there notifies.
void Expansion::upkeep() {
  struct Owned {
    std::string_view folder, prefix, notifies;
  };
  constexpr Owned kOwned[] = {
      {"/etc/apt/keyrings", "nimbus-", kAptUpdate},
      {"/etc/apt/sources.list.d", "nimbus-", kAptUpdate},
      {"/etc/modules-load.d", "90-nimbus", {}},
      {"/etc/nimbus-host", "firewall.", kFirewallAction},
      {"/etc/nimbus-host/network", "10-nimbus-", kNetworkAction},
      {"/etc/nimbus-host/network", "90-nimbus", kNetworkAction},
      {"/etc/nimbus-host/timers", "", {}},
      {"/etc/sudoers.d", "nimbus-", {}},
      {"/etc/sysctl.d", "90-nimbus", {}},
      {"/etc/systemd/system", "nimbus-firewall.", kDaemonReload},
      {"/etc/systemd/system", "nimbus-timer-", kDaemonReload},
      {"/etc/systemd/timesyncd.conf.d", "90-nimbus", {}},
      {"/usr/local/share/ca-certificates", "nimbus-", kUpdateCaCertificates},
  };
  for (const auto& row : kOwned) {
    host::OwnedFiles owned{std::string(row.folder), std::string(row.prefix), {}};
    for (const auto& [id, resource] : resources_) {
      const auto* file = std::get_if<host::File>(&resource.wanted);
      const auto prefix = fmt::format("{}/{}", row.folder, row.prefix);
      const bool ours = file != nullptr && file->presence == host::Presence::Present && file->path.starts_with(prefix);
      if (ours && file->path.find('/', prefix.size()) == std::string::npos) owned.keep.push_back(file->path);
    }
    // Made by hand where we were let in by hand: without it we may not become root.
    const auto& access = in_.sources.access;
    if (access && access->wanted && row.folder == "/etc/sudoers.d" && !access->own_account) {
      owned.keep.emplace_back("/etc/sudoers.d/nimbus-access");
    }
    auto& resource = add(std::move(owned), own_place());
    if (!row.notifies.empty()) resource.notifies.emplace_back(row.notifies);
  }
  add(host::Action{"apt-update", "apt-get -q update", {}}, own_place());
  add(host::Action{"update-ca-certificates", "update-ca-certificates --fresh", {}}, own_place());
  // A timer whose files are gone still runs, and is still wanted by a link to nowhere. It is stopped
  // before systemd reads anew, which would make it a failed unit that is not found.
  add(host::Action{"daemon-reload",
                   "systemctl list-units --all --plain --no-legend 'nimbus-timer-*.timer' nimbus-firewall.service |\n"
                   "  while read -r unit rest; do\n"
                   "  [ ! -e \"/etc/systemd/system/$unit\" ] || continue\n"
                   "  systemctl stop -- \"$unit\" || exit 1\n"
                   "  systemctl reset-failed -- \"$unit\" 2>/dev/null || :\n"
                   "done || exit 1\n"
                   "for link in /etc/systemd/system/*.wants/nimbus-*; do\n"
                   "  [ -e \"$link\" ] || rm -f -- \"$link\"\n"
                   "done\n"
                   "systemctl daemon-reload\n",
                   {}},
      own_place());
  add(firewall_action(!in_.profile.firewall.empty()), own_place());
  auto& network = add(network_action(!in_.profile.interfaces.empty()), own_place());
  if (find("unit:systemd-networkd.service") != nullptr) network.after.emplace_back("unit:systemd-networkd.service");
}

}  // namespace nimbus::registry

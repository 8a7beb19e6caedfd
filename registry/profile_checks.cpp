// Rules about one profile file that its field table cannot say: conflicts inside of one
// level, secrets, variables. What only the merged profiles of an instance show:
// host/complete.cpp.
#include <map>
#include <set>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "registry/checks.hpp"
#include "registry/host/secret_scope.hpp"
#include "registry/host/variables.hpp"
#include "registry/schema/field.hpp"

namespace nimbus::registry {
namespace {

using base::printable;
using base::toml::Table;

class ProfileChecker {
 public:
  ProfileChecker(const Entry<ProfileFile>& entry, Report& report)
      : entry_(entry), profile_(entry.value.profile), table_(entry.value.table), report_(report) {}

  void run() {
    twice();
    contents();
    packages();
    secrets();
    network();
    texts();
  }

 private:
  void add(ProblemCode code, std::string_view where, std::string message) {
    report_.add(code, span_at(table_, where), std::move(message));
  }

  /// The same thing declared twice, and two things on one path.
  void twice() {
    std::map<std::string, std::string_view> paths;
    for (const auto& row : spec_of(FileKind::Profile)->fields) {
      const auto identity = row.traits.identity;
      const auto* rows = identity.empty() ? nullptr : table_.find(row.key);
      if (rows == nullptr || rows->array() == nullptr) continue;
      std::set<std::string_view> seen;
      for (std::size_t i = 0; i < rows->array()->size(); ++i) {
        const auto* value = (*rows->array())[i].table()->find(identity);
        if (value == nullptr || value->string() == nullptr) continue;
        const auto& name = *value->string();
        const auto where = fmt::format("{}.{}.{}", row.key, i, identity);
        const bool is_path = identity == "path" && row.key != "mount";
        if (!seen.insert(name).second) {
          add(ProblemCode::DuplicateItem, where, fmt::format("{} '{}' is defined twice", row.key, printable(name, 80)));
        } else if (const auto other = paths.find(name); is_path && other != paths.end()) {
          add(ProblemCode::Conflict, where,
              fmt::format("'{}' is both a {} and a {}", printable(name, 80), other->second, row.key));
        }
        if (is_path) paths.emplace(name, row.key);
      }
    }
  }

  void contents() {
    const auto both = [&](const std::optional<std::string>& content, const std::string& source, std::string where) {
      if (!content || source.empty()) return;
      add(ProblemCode::Conflict, where, "'content' and 'source' exclude each other");
    };
    for (std::size_t i = 0; i < profile_.files.size(); ++i) {
      both(profile_.files[i].content, profile_.files[i].source, fmt::format("file.{}", i));
    }
    for (std::size_t i = 0; i < profile_.ca_certificates.size(); ++i) {
      const auto& each = profile_.ca_certificates[i];
      both(each.content, each.source, fmt::format("ca_certificate.{}", i));
      if (!each.content || each.content->find("PRIVATE KEY") == std::string::npos) continue;
      add(ProblemCode::SecretLiteral, fmt::format("ca_certificate.{}.content", i),
          "this holds a private key: remove it from the history and change it; only the certificate belongs here");
    }
    for (std::size_t i = 0; i < profile_.repositories.size(); ++i) {
      if (const auto& key = profile_.repositories[i].key)
        both(key->content, key->source, fmt::format("repository.{}.key", i));
    }
  }

  void packages() {
    std::set<std::string_view> present;
    const auto name_of = [](std::string_view text) { return text.substr(0, text.find('=')); };
    for (std::size_t i = 0; i < profile_.packages.present.size(); ++i) {
      const auto name = name_of(profile_.packages.present[i]);
      if (present.insert(name).second) continue;
      add(ProblemCode::DuplicateItem, fmt::format("packages.present.{}", i),
          fmt::format("package '{}' is named twice", printable(name, 80)));
    }
    const std::set<std::string_view> held(profile_.packages.hold.begin(), profile_.packages.hold.end());
    for (std::size_t i = 0; i < profile_.packages.absent.size(); ++i) {
      const auto& name = profile_.packages.absent[i];
      if (!present.contains(name) && !held.contains(name)) continue;
      add(ProblemCode::Conflict, fmt::format("packages.absent.{}", i),
          fmt::format("package '{}' is both {} and absent", printable(name, 80),
                      present.contains(name) ? "present" : "held"));
    }
  }

  void secrets() {
    for (std::size_t i = 0; i < profile_.secret_files.size(); ++i) {
      const auto& file = profile_.secret_files[i];
      if (auto message = secret_breach(file.secret, entry_.tenant)) {
        add(ProblemCode::CredentialScope, fmt::format("secret_file.{}.secret", i), std::move(*message));
      }
      if (file.mode.find("{{") == std::string::npos && file.mode.back() != '0') {
        add(ProblemCode::Conflict, fmt::format("secret_file.{}.mode", i),
            fmt::format("mode {} lets everybody at a secret: the last digit must be 0", file.mode));
      }
    }
  }

  void network() {
    for (std::size_t i = 0; i < profile_.firewall.size(); ++i) {
      const auto& rule = profile_.firewall[i];
      if ((rule.allow == Transport::Icmp) == !rule.port.has_value()) continue;
      add(ProblemCode::Conflict, fmt::format("firewall.{}", i),
          rule.port ? "icmp has no ports" : "a [[firewall]] rule for tcp or udp needs a 'port'");
    }
    for (std::size_t i = 0; i < profile_.interfaces.size(); ++i) {
      if (!profile_.interfaces[i].vlan || !profile_.interfaces[i].bond) continue;
      add(ProblemCode::Conflict, fmt::format("interface.{}", i), "'vlan' and 'bond' exclude each other");
    }
  }

  void texts() {
    for_each_text(table_, [&](const base::toml::Value& value) {
      std::vector<VariableFault> faults;
      replace_variables(*value.string(), nullptr, faults);
      for (const auto& fault : faults) report_fault(fault, value, report_);
    });
  }

  const Entry<ProfileFile>& entry_;
  const Profile& profile_;
  const Table& table_;
  Report& report_;
};

}  // namespace

void check(const Entry<ProfileFile>& entry, Report& report) { ProfileChecker(entry, report).run(); }

}  // namespace nimbus::registry

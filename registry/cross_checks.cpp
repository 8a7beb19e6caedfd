#include "registry/cross_checks.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "base/toml/toml.hpp"
#include "registry/address.hpp"
#include "registry/checks.hpp"
#include "registry/dependencies.hpp"

namespace nimbus::registry {

const base::toml::Table* CrossReport::table_of(const std::string& file) {
  if (cached_file_ == file) return cached_ ? &*cached_ : nullptr;
  cached_file_ = file;
  cached_.reset();
  const auto* entry = snapshot_.find_file(file);
  if (entry == nullptr) return nullptr;
  if (const auto text = source_.read(*entry)) {
    if (auto table = base::toml::parse(*text)) cached_ = std::move(*table);
  }
  return cached_ ? &*cached_ : nullptr;
}

void CrossReport::add(ProblemCode code, const std::string& file, std::string_view key, std::string message,
                      std::string related, Severity severity) {
  base::toml::Span span;
  if (const auto* table = key.empty() ? nullptr : table_of(file)) span = span_at(*table, key);
  Problem problem{code, severity, file, span.begin.line, span.begin.column, 0, std::move(message), std::move(related)};
  if (span.end.line == span.begin.line && span.end.column > span.begin.column) {
    problem.length = span.end.column - span.begin.column;
  }
  problems_.push_back(std::move(problem));
}

bool admits(const std::vector<std::string>& list, std::string_view name) noexcept {
  return std::ranges::any_of(list, [&](const std::string& each) { return each == "*" || each == name; });
}

namespace {

/// Valid, and no instance will be placed there: the same words as placement's.
void check_installable(CrossReport& report, const MachineEntry& entry) {
  const auto& machine = entry.value;
  const auto warn = [&](ProblemCode code, std::string_view key, std::string message) {
    report.add(code, entry.path, key, std::move(message), {}, Severity::Warning);
  };
  if (machine.boot.method != BootMethod::Pxe) {
    warn(ProblemCode::NotAllowed, "boot.method",
         fmt::format("boot.method = \"{}\" is not supported yet: no instance is installed on this machine",
                     name_of(machine.boot.method)));
  }
  const auto& identity = machine.identity;
  if (!identity.bmc_guid.empty() && identity.serial.empty() && identity.uuid.empty()) {
    warn(ProblemCode::NoIdentity, "identity.bmc_guid",
         "the installer cannot see a BMC GUID: without a serial or uuid no instance is installed on this machine");
  }
}

}  // namespace

void check_providers(CrossReport& report) {
  const auto& snapshot = report.snapshot();
  std::vector<std::string> tenants;
  for (const auto& tenant : snapshot.tenants) tenants.push_back(tenant->name);
  const auto known_tenants = [&](const std::vector<std::string>& names, const std::string& file, std::string_view key) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == "*" || find_tenant(snapshot, names[i]) != nullptr) continue;
      report.add(ProblemCode::UnknownReference, file, fmt::format("{}.{}", key, i),
                 fmt::format("there is no tenant '{}' (policy/tenants/{}.toml){}", names[i], names[i],
                             meant(names[i], tenants)));
    }
  };

  std::set<std::string> without;
  const auto has_provider_file = [&](const auto& entries) {
    std::string_view last;
    for (const auto& entry : entries) {
      if (entry->provider.empty() || entry->provider == last) continue;
      last = entry->provider;
      if (find_provider(snapshot, last) == nullptr) without.insert(entry->provider);
    }
  };
  has_provider_file(snapshot.machines);
  has_provider_file(snapshot.classes);
  has_provider_file(snapshot.networks);
  for (const auto& name : without) {
    report.add(ProblemCode::MissingFile, fmt::format("providers/{}/provider.toml", name), {},
               fmt::format("provider '{}' has no provider.toml: add one with a region", name));
  }

  for (const auto& entry : snapshot.providers) {
    const auto& provider = entry->value.provider;
    known_tenants(provider.tenants, entry->path, "tenants");
    if (snapshot.limits == nullptr) continue;
    const auto tighter = [&](const auto& own, const auto& limit, std::string_view key) {
      if (!own || !limit || *own <= *limit) return;
      report.add(ProblemCode::LoosensLimit, entry->path, fmt::format("disruption.{}", key),
                 fmt::format("'{}' is {}, but policy/limits.toml allows {}; a provider may only tighten it", key, *own,
                             *limit),
                 {});
    };
    const auto& limit = snapshot.limits->value.disruption;
    tighter(provider.disruption.machines_rebooting, limit.machines_rebooting, "machines_rebooting");
    tighter(provider.disruption.machines_installing, limit.machines_installing, "machines_installing");
  }
  for (const auto& entry : snapshot.machines) {
    if (!entry->value.reserved_for.empty()) known_tenants(entry->value.reserved_for, entry->path, "reserved_for");
    check_installable(report, *entry);
  }

  std::vector<std::pair<IpNetwork, const Entry<Network>*>> seen;
  for (const auto& entry : snapshot.networks) {
    known_tenants(entry->value.tenants, entry->path, "tenants");
    const auto cidr = parse_cidr(entry->value.cidr);
    if (!cidr) continue;
    if (!seen.empty() && seen.back().second->provider != entry->provider) seen.clear();
    for (const auto& [other, whose] : seen) {
      if (!cidr->overlaps(other)) continue;
      report.add(ProblemCode::CidrOverlap, entry->path, "cidr",
                 fmt::format("{} overlaps {} of network '{}'", entry->value.cidr, whose->value.cidr, whose->name),
                 whose->path);
    }
    seen.emplace_back(*cidr, entry.get());
  }
}

void check_policy(CrossReport& report) {
  const auto& snapshot = report.snapshot();
  if (snapshot.settings == nullptr) {
    report.add(ProblemCode::MissingFile, "registry.toml", {},
               "there is no registry.toml: add one with format = 1 and a name, or run nimbusctl init");
  }
  std::vector<std::string> providers;
  for (const auto& each : snapshot.providers) providers.push_back(each->name);
  for (const auto& entry : snapshot.tenants) {
    const auto& names = entry->value.providers;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == "*" || find_provider(snapshot, names[i]) != nullptr) continue;
      report.add(ProblemCode::UnknownReference, entry->path, fmt::format("providers.{}", i),
                 fmt::format("there is no provider '{}'{}", names[i], meant(names[i], providers)));
    }
  }
  if (snapshot.bindings == nullptr) return;
  const std::string& file = snapshot.bindings->path;
  std::vector<std::string> people;
  for (const auto& each : snapshot.people) people.push_back(each->name);
  std::vector<std::string> roles;
  if (snapshot.roles != nullptr) {
    for (const auto& [name, role] : snapshot.roles->value.roles) roles.push_back(name);
  }
  const auto& bindings = snapshot.bindings->value.bindings;
  for (std::size_t i = 0; i < bindings.size(); ++i) {
    const auto& binding = bindings[i];
    if (!binding.role.empty() && std::ranges::find(roles, binding.role) == roles.end()) {
      report.add(ProblemCode::UnknownReference, file, fmt::format("binding.{}.role", i),
                 fmt::format("policy/roles.toml has no role '{}'{}", binding.role, meant(binding.role, roles)));
    }
    for (std::size_t p = 0; p < binding.people.size(); ++p) {
      if (find_person(snapshot, binding.people[p]) != nullptr) continue;
      report.add(ProblemCode::UnknownReference, file, fmt::format("binding.{}.people.{}", i, p),
                 fmt::format("there is no person '{}' (policy/people/{}.toml){}", binding.people[p], binding.people[p],
                             meant(binding.people[p], people)));
    }
    if (!binding.scope.empty() && find_tenant(snapshot, binding.scope) == nullptr &&
        find_provider(snapshot, binding.scope) == nullptr) {
      report.add(ProblemCode::UnknownReference, file, fmt::format("binding.{}.scope", i),
                 fmt::format("'{}' is neither a tenant nor a provider", binding.scope));
    }
  }
}

namespace {

constexpr std::string_view kPersonPrefix = "person:";

void check_people(CrossReport& report, const std::string& file, std::string_view key,
                  const std::vector<std::string>& keys) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!keys[i].starts_with(kPersonPrefix)) continue;
    const auto person = keys[i].substr(kPersonPrefix.size());
    if (find_person(report.snapshot(), person) != nullptr) continue;
    std::vector<std::string> people;
    for (const auto& each : report.snapshot().people) people.push_back(each->name);
    report.add(ProblemCode::UnknownReference, file, fmt::format("{}.{}", key, i),
               fmt::format("there is no person '{}' (policy/people/{}.toml){}", person, person, meant(person, people)));
  }
}

}  // namespace

void check_content(CrossReport& report) {
  const auto& snapshot = report.snapshot();
  const auto must_exist = [&](const std::string& path, const std::string& tenant, const std::string& file,
                              std::string_view key) {
    if (path.empty() || find_content(snapshot, tenant, path) != nullptr) return;
    report.add(ProblemCode::UnknownReference, file, key,
               fmt::format("there is no file '{}'", base::printable(path, 200)));
  };
  for (const auto& entry : snapshot.images)
    must_exist(entry->value.template_file, entry->tenant, entry->path, "template");
  for (const auto& entry : snapshot.profiles) {
    const auto& profile = entry->value.profile;
    for (const auto& source : content_sources(profile)) must_exist(source.path, entry->tenant, entry->path, source.key);
    for (std::size_t i = 0; i < profile.users.size(); ++i) {
      check_people(report, entry->path, fmt::format("user.{}.ssh_keys", i), profile.users[i].ssh_keys);
    }
  }
  for (const auto& entry : snapshot.instances) {
    must_exist(entry->value.access.user_data, entry->tenant, entry->path, "access.user_data");
    check_people(report, entry->path, "access.ssh_keys", entry->value.access.ssh_keys);
  }
}

void cross_check(const Snapshot& snapshot, const TreeSource& source, std::vector<Problem>& problems) {
  CrossReport report(snapshot, source, problems);
  check_policy(report);
  check_providers(report);
  check_unique(report);
  check_content(report);
  check_instances(report);
  check_hosts(report);
}

}  // namespace nimbus::registry

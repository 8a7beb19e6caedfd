#include <charconv>
#include <set>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "registry/address.hpp"
#include "registry/checks.hpp"
#include "registry/load.hpp"

namespace nimbus::registry {

using base::printable;
using base::toml::Span;
using base::toml::Table;
using base::toml::Value;

Span span_at(const Table& root, std::string_view key_path) {
  Span span{{1, 1, 0}, {1, 1, 0}};
  const Table* table = &root;
  const base::toml::Array* array = nullptr;
  while (!key_path.empty()) {
    const auto dot = key_path.find('.');
    const auto part = key_path.substr(0, dot);
    key_path = dot == std::string_view::npos ? std::string_view() : key_path.substr(dot + 1);
    const Value* value = nullptr;
    if (array != nullptr) {
      std::size_t index = 0;
      std::from_chars(part.data(), part.data() + part.size(), index);
      if (index < array->size()) value = &(*array)[index];
    } else if (table != nullptr) {
      value = table->find(part);
    }
    if (value == nullptr) return span;
    span = value->span();
    table = value->table();
    array = value->array();
  }
  return span;
}

std::string meant(std::string_view word, const std::vector<std::string>& candidates) {
  const auto guess = base::did_you_mean(word, candidates);
  return guess ? fmt::format("; did you mean '{}'?", *guess) : std::string();
}

void check(const Entry<RegistrySettings>& entry, const Table& table, Report& report) {
  const auto& settings = entry.value;
  if (settings.format > 1) {
    report.add(ProblemCode::BadFormat, span_at(table, "format"),
               fmt::format("format {} is not known to this program; it reads format 1", settings.format));
  }
  int major = 0;
  int minor = 0;
  const auto& text = settings.requires_version;
  const auto dot = text.find('.');
  if (dot == std::string::npos) return;
  std::from_chars(text.data(), text.data() + dot, major);
  std::from_chars(text.data() + dot + 1, text.data() + text.size(), minor);
  if (std::pair(major, minor) > std::pair(kFormatMajor, kFormatMinor)) {
    report.add(ProblemCode::TooNew, span_at(table, "requires"),
               fmt::format("the registry asks for a program of at least {}; this one has {}.{}: update it", text,
                           kFormatMajor, kFormatMinor));
  }
}

void check(const Entry<Network>& entry, const Table& table, Report& report) {
  const auto& network = entry.value;
  const auto cidr = parse_cidr(network.cidr);
  const auto inside = [&](const std::string& address, std::string_view key) {
    const auto ip = parse_ip(address);
    if (!cidr || !ip || cidr->contains(*ip)) return;
    report.add(ProblemCode::OutsideNetwork, span_at(table, key),
               fmt::format("{} lies outside {}", address, network.cidr));
  };
  if (!network.gateway.empty()) inside(network.gateway, "gateway");
  for (std::size_t i = 0; i < network.range.size(); ++i) inside(network.range[i], fmt::format("range.{}", i));
  if (!network.range.empty()) {
    if (network.range.size() != 2) {
      report.add(ProblemCode::BadValue, span_at(table, "range"),
                 "'range' must hold two addresses: the first and the last");
    } else if (parse_ip(network.range[1]) < parse_ip(network.range[0])) {
      report.add(ProblemCode::Conflict, span_at(table, "range"), "the last address of 'range' lies before the first");
    }
  }
  if (network.dhcp == DhcpService::Server && network.range.empty()) {
    report.add(ProblemCode::MissingKey, span_at(table, "dhcp"), "dhcp = \"server\" needs a 'range' of addresses");
  }
  if (!network.tenants.empty() && network.role != NetworkRole::Tenant) {
    report.add(ProblemCode::Conflict, span_at(table, "tenants"), "'tenants' is for networks of role tenant");
  }
}

void check(const Entry<Image>& entry, const Table& table, Report& report) {
  const auto& image = entry.value;
  const bool disk = image.installer == Installer::DiskImage;
  const auto installer = name_of(image.installer);
  if (disk && !image.disk) {
    report.add(ProblemCode::MissingKey, span_at(table, "installer"), "installer = \"disk-image\" needs a [disk]");
  }
  if (disk && image.disk && image.disk->urls.empty()) {
    report.add(ProblemCode::MissingKey, span_at(table, "disk.urls"), "'urls' in [disk] names no place");
  }
  if (!disk && (!image.kernel || !image.initrd)) {
    report.add(ProblemCode::MissingKey, span_at(table, "installer"),
               fmt::format("installer = \"{}\" needs a [kernel] and an [initrd]", installer));
  }
  const auto misfit = [&](bool present, std::string_view key) {
    if (!present) return;
    report.add(ProblemCode::Conflict, span_at(table, key),
               fmt::format("'{}' does not fit installer = \"{}\"", key, installer));
  };
  misfit(!disk && image.disk.has_value(), "disk");
  misfit(disk && image.kernel.has_value(), "kernel");
  misfit(disk && image.initrd.has_value(), "initrd");
  misfit(disk && !image.template_file.empty(), "template");
  std::set<std::string_view> mounts;
  for (std::size_t i = 0; i < image.storage.size(); ++i) {
    const auto& mount = image.storage[i].mount;
    if (mount != "swap" && !mount.starts_with('/')) {
      report.add(ProblemCode::BadValue, span_at(table, fmt::format("storage.{}.mount", i)),
                 "'mount' in [storage] must be an absolute path or \"swap\"");
    }
    if (!mounts.insert(mount).second) {
      report.add(ProblemCode::DuplicateItem, span_at(table, fmt::format("storage.{}.mount", i)),
                 fmt::format("two [[storage]] tables mount {}", printable(mount, 80)));
    }
  }
}

namespace {

void check_windows(const std::vector<Window>& windows, const Table& table, Report& report) {
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (windows[i].from != windows[i].to || windows[i].from.empty()) continue;
    report.add(ProblemCode::Conflict, span_at(table, fmt::format("window.{}.to", i)),
               "'from' and 'to' of a window are the same; for the whole day leave the window out");
  }
}

}  // namespace

void check(const Entry<Instance>& entry, const Table& table, Report& report) {
  const auto& instance = entry.value;
  check_windows(instance.windows, table, report);
  if (instance.adopt && instance.requirements.machine.empty()) {
    report.add(ProblemCode::MissingKey, span_at(table, "adopt"),
               "[adopt] needs 'machine' in [requirements]: which machine runs it");
  }
  if (instance.requirements.spread != Spread::None && instance.requirements.group.empty()) {
    report.add(ProblemCode::MissingKey, span_at(table, "requirements.spread"),
               "'spread' needs a 'group' in [requirements]");
  }
  std::set<std::string_view> networks;
  for (std::size_t i = 0; i < instance.networks.size(); ++i) {
    if (networks.insert(instance.networks[i].name).second) continue;
    report.add(ProblemCode::DuplicateItem, span_at(table, fmt::format("network.{}.name", i)),
               fmt::format("network '{}' is attached twice", instance.networks[i].name));
  }
}

void check(const Entry<Limits>& entry, const Table& table, Report& report) {
  check_windows(entry.value.windows, table, report);
}

}  // namespace nimbus::registry

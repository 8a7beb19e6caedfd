// Packages. apt is proven on Debian; dnf, zypper and apk are rendered and were never run.
#include <algorithm>

#include <fmt/core.h>

#include "reconcilers/configure/compare.hpp"
#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

using host::PackageManager;
using host::Presence;

const host::PackageFact* fact_of(const host::Package& it, const host::Facts& shown) {
  const auto found = shown.packages.find(it.name);
  return found == shown.packages.end() ? nullptr : &found->second;
}

/// As wanted but for a hold.
bool installed_right(const host::Package& it, const host::PackageFact& fact) {
  if (it.presence == Presence::Absent) return fact.version.empty();
  return !fact.version.empty() && (it.version.empty() || it.version == fact.version);
}

std::string wanted_text(const host::Package& it) {
  if (it.presence == Presence::Absent) return "absent";
  return it.version.empty() ? "present" : "version " + it.version;
}

/// "name", "name=1.2" or "name-", as apt-get install takes them in one call.
std::string apt_word(const host::Package& it) {
  if (it.presence == Presence::Absent) return it.name + "-";
  return it.version.empty() ? it.name : it.name + "=" + it.version;
}

/// Options that are given only where this call needs them.
std::string apt_options(const std::vector<const host::Package*>& packages, const host::Facts& shown) {
  std::string out;
  bool pinned = false, held = false;
  for (const auto* it : packages) {
    const auto* fact = fact_of(*it, shown);
    pinned = pinned || !it->version.empty();
    held = held || (fact != nullptr && fact->held);
  }
  if (pinned) out += " --allow-downgrades";
  if (held) out += " --allow-change-held-packages";
  return out + " install --";
}

std::string other_manager(const host::Package& it, PackageManager manager) {
  const bool absent = it.presence == Presence::Absent;
  const auto with = [&](const char* separator) {
    return quote(it.version.empty() ? it.name : it.name + separator + it.version);
  };
  if (manager == PackageManager::Dnf) return absent ? "dnf -y remove " + quote(it.name) : "dnf -y install " + with("-");
  if (manager == PackageManager::Zypper) {
    return "zypper --non-interactive " + (absent ? "remove " + quote(it.name) : "install " + with("="));
  }
  return absent ? "apk del " + quote(it.name) : "apk add " + with("=");
}

}  // namespace

std::vector<std::string> unproven(const host::Configuration& wanted, const host::Facts& shown) {
  const auto name = [&]() -> std::string_view {
    switch (shown.manager) {
      case PackageManager::None:
      case PackageManager::Apt:
        return {};
      case PackageManager::Dnf:
        return "dnf";
      case PackageManager::Zypper:
        return "zypper";
      case PackageManager::Apk:
        return "apk";
    }
    return {};
  }();
  const bool packages = std::any_of(wanted.resources.begin(), wanted.resources.end(), [](const auto& resource) {
    return std::holds_alternative<host::Package>(resource.wanted);
  });
  if (name.empty() || !packages) return {};
  return {fmt::format("packages by {}: unproven, no test of Nimbus has ever run it (apt is proven)", name)};
}

void ask(const host::Package& it, ProbeNeeds& needs) { needs.packages.insert(it.name); }

void check(const host::Package& it, Check& check) {
  if (check.shown.manager == PackageManager::None) return check.unsupported("no package manager that Nimbus knows");
  const auto* fact = fact_of(it, check.shown);
  if (fact == nullptr) return check.unknown("the package manager did not answer");
  if (!installed_right(it, *fact)) {
    check.differs("version", wanted_text(it), fact->version.empty() ? "absent" : "version " + fact->version);
  }
  if (it.presence == Presence::Absent || it.hold == fact->held) return;
  if (check.shown.manager != PackageManager::Apt) return check.unsupported("holds are known for apt only");
  check.differs("hold", it.hold ? "held" : "not held", fact->held ? "held" : "not held");
}

std::string package_batch(const std::vector<const host::Package*>& packages, const host::Facts& shown) {
  if (shown.manager != PackageManager::Apt) return {};
  std::vector<const host::Package*> wrong;
  std::string words;
  for (const auto* it : packages) {
    const auto* fact = fact_of(*it, shown);
    if (fact != nullptr && installed_right(*it, *fact)) continue;
    wrong.push_back(it);
    words += " " + quote(apt_word(*it));
  }
  if (wrong.size() < 2) return {};
  return "batch=$( { (apt_install" + apt_options(wrong, shown) + words +
         ") 2>&1; printf '\\n%s' $?; } | tail -c 2000)\n";
}

void correct(const host::Package& it, Step& step) {
  const auto manager = step.shown.manager;
  if (manager != PackageManager::Apt) return step.line(other_manager(it, manager));
  const std::string state = it.presence == Presence::Absent ? "absent" : it.version.empty() ? "any" : it.version;
  const auto word = quote(apt_word(it)), name = quote(it.name);
  // One bad name fails the call for all: then each is tried alone.
  step.line(fmt::format("apt_is {} {} || {{", name, quote(state)));
  step.line("  [ \"$(last \"$batch\")\" != 75 ] || { printf '%s\\n' \"$batch\"; exit 75; }");
  step.line(fmt::format("  apt_install{} {} || exit\n}}", apt_options({&it}, step.shown), word));
  step.line(fmt::format("apt_is {} {} || fail 'apt-get did not do it'", name, quote(state)));
  const auto* fact = fact_of(it, step.shown);
  const bool held = fact != nullptr && fact->held;
  if (it.presence == Presence::Present && it.hold != held) {
    step.line(fmt::format("apt-mark {} {}", it.hold ? "hold" : "unhold", name));
  }
}

}  // namespace nimbus::reconcilers::configure

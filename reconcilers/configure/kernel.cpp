// Kernel parameters and modules, as they are now; files make them last.
#include <fmt/core.h>

#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/read_lines.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

/// With single blanks: the kernel separates by tabs.
std::string single_blanks(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const auto begin = value.find_first_not_of(" \t");
    if (begin == std::string_view::npos) break;
    value.remove_prefix(begin);
    const auto end = value.find_first_of(" \t");
    out += (out.empty() ? "" : " ") + std::string(value.substr(0, end));
    value.remove_prefix(end == std::string_view::npos ? value.size() : end);
  }
  return printable(out, 4096);
}

}  // namespace

void ask(const host::Sysctl& it, ProbeNeeds& needs) { needs.sysctls.insert(it.key); }

void check(const host::Sysctl& it, Check& check) {
  const auto found = check.shown.sysctls.find(it.key);
  const auto wanted = single_blanks(it.value);
  if (found == check.shown.sysctls.end()) return check.differs("value", wanted, "not known to this kernel");
  if (found->second != wanted) check.differs("value", wanted, found->second);
}

void correct(const host::Sysctl& it, Step& step) {
  const auto path = quote("/proc/sys/" + sysctl_path(it.key));
  step.line(fmt::format("[ -e {} ] || fail 'this kernel does not know it: is a module missing?'", path));
  step.line(fmt::format("printf '%s\\n' {} >{}", quote(it.value), path));
}

void ask(const host::KernelModule& it, ProbeNeeds& needs) { needs.modules.insert(it.name); }

void check(const host::KernelModule& it, Check& check) {
  const auto found = check.shown.modules.find(it.name);
  if (found == check.shown.modules.end()) return check.unknown("/sys/module could not be read");
  if (!found->second) check.differs("loaded", "loaded", "not loaded");
}

void correct(const host::KernelModule& it, Step& step) { step.line("modprobe -- " + quote(it.name)); }

}  // namespace nimbus::reconcilers::configure

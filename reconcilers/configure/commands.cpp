// One-shot commands: the escape hatch.
#include <fmt/core.h>

#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

std::string as_user(const std::string& user, const std::string& command) {
  if (user == "root") return "sh -c " + quote(command);
  return "su -s /bin/sh " + quote(user) + " -c " + quote(command);
}

}  // namespace

void ask(const host::Command& it, ProbeNeeds& needs) { needs.commands[host::id_of(it)] = it; }

void check(const host::Command& it, Check& check) {
  const auto found = check.shown.commands.find(host::id_of(it));
  if (found == check.shown.commands.end()) return check.unknown("the host did not tell whether it ran");
  if (!found->second) check.differs("done", "done", "to do");
}

void correct(const host::Command& it, Step& step) {
  if (!it.creates.empty() && it.unless.empty()) {
    step.line(fmt::format("[ ! -e {0} ] || exit 254", quote(it.creates)));
  }
  step.line("(cd / && " + as_user(it.user, it.run) + ")");
}

}  // namespace nimbus::reconcilers::configure

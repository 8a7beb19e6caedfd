// What runs when it was notified; guarded ones undo themselves unless they are confirmed.
#include <fmt/core.h>

#include "reconcilers/configure/correct.hpp"
#include "reconcilers/configure/prelude.hpp"
#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

/// The watchdog is on the host and detached before anything is tried: it needs neither this
/// script nor the network.
void correct_guarded(const host::Action& it, Step& step) {
  const auto name = state_name(step.id);
  const auto file = [&](const char* folder) { return quote(std::string(kStateFolder) + "/" + folder + "/" + name); };
  const auto undo = quote(std::string(kStateFolder) + "/undo/" + name + ".undo");
  const auto keep = "KEEP=" + quote(std::string(kStateFolder) + "/undo/" + name + "/keep");
  const auto watchdog = quote(std::string(kStateFolder) + "/watchdog");
  // Longer ago than any try lasts, or not yet by a clock that was set back since: its watchdog is dead, by a
  // restart of the host perhaps.
  step.line(
      fmt::format("if [ -e {0} ] && read -r x y at <{0} && ago=$(($(date +%s) - ${{at:-0}})) &&\n  "
                  "[ $ago -lt {1} ] && [ $ago -gt -{1} ]; then\n  "
                  "fail 'an earlier try is still running, or about to be undone'\nfi",
                  file("arming"), it.confirm_seconds + 300));
  step.line("state arming; state awaiting; state undone");
  // Confirmed, and killed before it was told: what was kept for it is too old now.
  step.line(fmt::format(
      "if [ -e \"$S\"/confirmed-{0} ]; then rm -rf \"$S\"/undo/{0} && rm -f \"$S\"/confirmed-{0} || exit 1; fi",
      quote(name)));
  step.line("state undo/" + quote(name));
  step.line(fmt::format("rm -f {} {}", file("undone"), file("awaiting")));
  step.line(fmt::format("(umask 077; {} >{} && {} >{}) || fail 'cannot write the undo: is the disk full?'",
                        print_command(keep + "\n" + it.undo + "\n"), undo, print_command(kWatchdog), watchdog));
  step.line(fmt::format("(umask 077; printf '%s %s %s\\n' {} {} \"$(date +%s)\" >{}) || exit 1", quote(step.token),
                        quote(step.trial), file("arming")));
  step.line("durable " + file("arming"));
  const auto arguments = fmt::format("{} {} {}", watchdog, quote(name), quote(step.token));
  step.line(fmt::format(
      "if [ -d /run/systemd/system ] && systemd-run --quiet --collect sh {0} {1} </dev/null >/dev/null 2>&1; then :\n"
      "elif have setsid; then setsid sh {0} {1} </dev/null >/dev/null 2>&1 &\n"
      "else (trap '' HUP; exec sh {0} {1}) </dev/null >/dev/null 2>&1 &\nfi",
      arguments, it.confirm_seconds));
  step.line("(cd / && " + keep + " sh -c " + quote(it.run) + ") || {\n  sh " + arguments +
            " now\n  fail 'it failed, and was undone'\n}");
  step.line(fmt::format("mv -f {} {}", file("arming"), file("awaiting")));
}

}  // namespace

// needs_of() asks for the markers of all.
void ask(const host::Action& it, ProbeNeeds& needs) {
  if (!it.unless.empty())
    needs.commands[host::id_of(it)] = {.name = it.name, .run = it.run, .creates = {}, .unless = it.unless};
}

void check(const host::Action& it, Check& check) {
  const auto& shown = check.shown;
  if (shown.undone.contains(check.id)) {
    check.gap.kind = Gap::Kind::Held;
    check.gap.problem = it.name + " was tried and undid itself; it waits until the configuration changes";
    return;
  }
  if (shown.awaiting.contains(check.id)) return;
  if (shown.pending.contains(check.id)) {
    check.gap.notified = true;
    check.differs("run", "done", "to do: what it depends on changed");
    return;
  }
  if (it.unless.empty()) return;
  const auto found = shown.commands.find(check.id);
  if (found == shown.commands.end()) return check.unknown("the host did not tell whether it is as it was left");
  if (!found->second) check.differs("state", "as it was left", "changed since then");
}

void correct(const host::Action& it, Step& step) {
  if (!it.undo.empty()) return correct_guarded(it, step);
  step.line("(cd / && sh -c " + quote(it.run) + ") || exit");
  step.line("settled " + quote(state_name(step.id)));
}

std::string confirm_script(const host::Facts& shown) {
  std::string out =
      "{\nexec </dev/null\nset -u\nS=/var/lib/nimbus r=0\nconfirm() {\n"
      "  read -r x y <\"$S/awaiting/$1\" && [ \"$x\" = \"$2\" ] && mv \"$S/awaiting/$1\" \"$S/confirmed-$1\" || { r=1; "
      "return; }\n"
      "  rm -rf \"$S/undo/$1\" \"$S/undo/$1.undo\" \"$S/pending/$1\" \"$S/confirmed-$1\"\n}\n";
  for (const auto& [id, text] : shown.awaiting) {
    out += fmt::format("confirm {} {}\n", quote(state_name(id)), quote(text.substr(0, text.find(' '))));
  }
  return out + "exit $r\n}\n";
}

}  // namespace nimbus::reconcilers::configure

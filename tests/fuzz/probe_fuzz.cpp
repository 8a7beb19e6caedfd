// The answers of hosts to a probe and to a correction: whatever they say, reading ends, what
// is told is printable and bounded, and comparing and correcting go on from it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "reconcilers/configure/compare.hpp"
#include "reconcilers/configure/correct.hpp"
#include "reconcilers/configure/order.hpp"
#include "reconcilers/configure/probe.hpp"

namespace {

using namespace nimbus;
using namespace nimbus::reconcilers::configure;

void require(bool holds) {
  if (!holds) std::abort();
}

void printable(const std::string& text) {
  require(text.size() <= 4096);
  for (const char c : text) require(c >= ' ' && c <= '~');
}

/// One of every kind.
host::Configuration wanted() {
  using namespace host;
  host::Configuration out;
  const auto add = [&](Wanted it, std::vector<std::string> notifies = {}) {
    const auto id = id_of(it);
    out.resources.push_back({id, "p", {}, std::move(notifies), std::move(it)});
  };
  File file;
  file.path = "/etc/a";
  file.sha256 = std::string(64, 'a');
  file.content = "x";
  add(Action{"net", "run", "undo", 60});
  add(Block{"/etc/hosts", "x", "line\n"});
  add(Command{"c", "run", "/c", "", "root"});
  add(Directory{"/etc/d"});
  add(file, {"action:net"});
  add(Group{"g"});
  add(Link{"/etc/l", Presence::Present, "t"});
  add(KernelModule{"m"});
  add(Mount{"/dev/x", "/m", "ext4"});
  add(OwnedFiles{"/etc/o", "n-", {}});
  add(Package{"p", Presence::Present, "1", true});
  add(Setting{SettingKind::Hostname, "h"});
  add(Setting{SettingKind::Locale, "C"});
  add(Setting{SettingKind::TimeZone, "UTC"});
  add(Swap{"/s", 1});
  add(Sysctl{"k.a", "1"});
  add(Unit{"u.service", true, true});
  add(User{"u", Presence::Present, {}, {"g"}, "", "", {}, true, true});
  return out;
}

void check(const host::Facts& facts) {
  for (const auto* text : {&facts.os, &facts.os_version, &facts.hostname, &facts.hostname_file, &facts.timezone,
                           &facts.locale, &facts.health.kernel}) {
    printable(*text);
  }
  for (const auto& [path, fact] : facts.paths) {
    printable(fact.owner);
    printable(fact.target);
    require(fact.mode.empty() || fact.mode.size() == 4);
  }
  for (const auto& [name, user] : facts.users) {
    printable(user.home);
    for (const auto& key : user.ssh_keys) require(key.size() <= 16 * 1024);
  }
  for (const auto& [name, unit] : facts.units) printable(unit.active);
  for (const auto& [name, mount] : facts.mounts) printable(mount.source);
  for (const auto& [id, token] : facts.awaiting) printable(token);
  if (facts.health.failed_units) {
    for (const auto& unit : *facts.health.failed_units) printable(unit);
  }
  require(facts.health.file_systems.size() <= 64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto configuration = wanted();
  static const auto order = order_of(configuration);
  const std::string body(reinterpret_cast<const char*>(data), size);
  (void)read_probe(body, configuration, "t");
  const auto framed = "nimbus-probe\t1\tt\tbegin\n" + body + "\nnimbus-probe\t1\tt\tend\n";
  if (const auto facts = read_probe(framed, configuration, "t")) {
    check(*facts);
    const auto gaps = compare(configuration, *facts);
    for (const auto& gap : gaps) {
      require(!gap.drifts.empty() || !gap.problem.empty());
      for (const auto& drift : gap.drifts) require(drift.observed.size() <= 8192);
    }
    const auto correction = next_correction(configuration, *order, gaps, *facts, {}, "t");
    require(correction.resources.empty() == correction.script.empty());
    (void)confirm_script(*facts);
  }
  Correction two;
  two.resources = {"a", "b"};
  const auto outcomes = read_outcomes(two, body, "t");
  require(outcomes.size() == 2);
  for (const auto& outcome : outcomes) printable(outcome.said);
  return 0;
}

// Services, timers, kernel, disks, names and time.
#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "base/text/text.hpp"
#include "registry/checks.hpp"
#include "registry/host/expansion.hpp"

namespace nimbus::registry {

void Expansion::services() {
  for (const auto& row : in_.profile.services) {
    const auto where = place("service", row.name);
    host::Unit unit;
    unit.name = unit_name(row.name);
    unit.enabled = row.enabled;
    unit.running = row.running;
    // A unit does one thing when it is told; where both are asked for an action does the other.
    const bool both = !row.restart_on.empty() && !row.reload_on.empty();
    if (row.restart_on.empty() && !row.reload_on.empty()) unit.on_change = host::Unit::OnChange::Reload;
    const auto id = "unit:" + unit.name;
    const auto reload = "reload-" + unit.name;
    if (both) unit.reload = "action:" + reload;
    const auto command = fmt::format("systemctl try-reload-or-restart -- {}", unit.name);
    add(std::move(unit), where);
    if (both) add(host::Action{reload, command, {}}, where).after.push_back(id);
    const auto told_by = [&](const std::vector<std::string>& paths, const std::string& told) {
      for (const auto& path : paths) {
        auto* file = find("file:" + path);
        if (file == nullptr) file = find("link:" + path);
        if (file == nullptr) {
          std::vector<std::string> known;
          for (const auto& each : in_.profile.files) known.push_back(each.path);
          fail(where, ProblemCode::UnknownReference,
               fmt::format("no profile of this host installs '{}'{}", base::printable(path, 120), meant(path, known)));
        } else if (std::ranges::find(file->notifies, told) == file->notifies.end()) {
          file->notifies.push_back(told);
        }
      }
    };
    told_by(row.restart_on, id);
    told_by(row.reload_on, both ? "action:" + reload : id);
  }
}

namespace {

/// In unit files '%' begins a specifier.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '%' ? 2 : 1, c);
  return out;
}

}  // namespace

void Expansion::timers() {
  const std::string scripts = fmt::format("{}/timers", kHostFolder);
  for (const auto& row : in_.profile.timers) {
    if (row.state == RowState::Absent) continue;
    const auto where = place("timer", row.name);
    const auto unit = "nimbus-timer-" + row.name;
    const auto script = fmt::format("{}/{}", scripts, row.name);
    add_folder(kHostFolder, where);
    add_folder(scripts, where);
    // In a file of its own the command needs none of systemd's quoting.
    add_file(script, fmt::format("#!/bin/sh\n# Written by Nimbus.\n{}\n", row.command), where, "0755");
    add_file(fmt::format("/etc/systemd/system/{}.service", unit),
             fmt::format("# Written by Nimbus.\n[Unit]\nDescription=Nimbus timer {}\n\n[Service]\nType=oneshot\n"
                         "User={}\nExecStart=/bin/sh {}\n",
                         row.name, row.user, script),
             where);
    auto& timer = add_file(fmt::format("/etc/systemd/system/{}.timer", unit),
                           fmt::format("# Written by Nimbus.\n[Unit]\nDescription=Nimbus timer {}\n\n[Timer]\n"
                                       "OnCalendar={}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n",
                                       row.name, escaped(row.calendar)),
                           where);
    timer.notifies.push_back(fmt::format("unit:{}.timer", unit));
    add(host::Unit{unit + ".timer", true, true}, where);
  }
}

void Expansion::kernel() {
  std::string modules;
  std::vector<std::string> loaded;
  for (const auto& name : in_.profile.modules) {
    add(host::KernelModule{name}, place("modules", name));
    loaded.push_back("module:" + name);
    modules += name + "\n";
  }
  if (!modules.empty()) {
    add_file("/etc/modules-load.d/90-nimbus.conf", "# Written by Nimbus.\n" + modules, place("modules"));
  }
  std::string lines;
  for (const auto& [key, value] : in_.profile.sysctl) {
    // Some parameters are there only once their module is.
    add(host::Sysctl{key, value}, place("sysctl", key)).after = loaded;
    lines += fmt::format("{} = {}\n", key, value);
  }
  if (!lines.empty()) add_file("/etc/sysctl.d/90-nimbus.conf", "# Written by Nimbus.\n" + lines, place("sysctl"));
}

void Expansion::disks() {
  const auto presence = [](RowState state) {
    return state == RowState::Absent ? host::Presence::Absent : host::Presence::Present;
  };
  for (const auto& row : in_.profile.mounts) {
    add(host::Mount{row.source, row.path, row.fs, row.options, presence(row.state)}, place("mount", row.path));
  }
  for (const auto& row : in_.profile.swaps) {
    add(host::Swap{row.path, row.size_mib.value_or(0), presence(row.state)}, place("swap", row.path));
  }
}

void Expansion::settings() {
  const auto set = [&](host::SettingKind kind, const std::string& value, std::string_view key) {
    if (!value.empty()) add(host::Setting{kind, value}, place(key));
  };
  set(host::SettingKind::Hostname, in_.profile.hostname, "hostname");
  set(host::SettingKind::TimeZone, in_.profile.timezone, "timezone");
  set(host::SettingKind::Locale, in_.profile.locale, "locale");

  std::string lines;
  for (const auto& row : in_.profile.hosts) lines += fmt::format("{} {}\n", row.address, words(row.names));
  const auto where = in_.profile.hosts.empty() ? own_place() : place("host");
  const bool names = !lines.empty();
  add(host::Block{"/etc/hosts", "hosts", std::move(lines)}, where);
  // Our own name among them is known before the host has it: sudo looks it up for each of our scripts.
  if (auto* hostname = find("hostname"); hostname != nullptr && names)
    hostname->after.push_back("block:/etc/hosts#hosts");

  const auto& servers = in_.profile.time.servers;
  if (servers.empty()) return;
  const auto time = place("time");
  constexpr std::string_view kUnit = "systemd-timesyncd.service";
  add_folder("/etc/systemd/timesyncd.conf.d", time);
  add_file("/etc/systemd/timesyncd.conf.d/90-nimbus.conf",
           fmt::format("# Written by Nimbus.\n[Time]\nNTP={}\n", words(servers)), time)
      .notifies.push_back(fmt::format("unit:{}", kUnit));
  if (find(fmt::format("unit:{}", kUnit)) == nullptr) add(host::Unit{std::string(kUnit), true, true}, time);
}

}  // namespace nimbus::registry

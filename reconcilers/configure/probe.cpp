#include "reconcilers/configure/probe.hpp"

#include <fmt/core.h>

#include "reconcilers/configure/prelude.hpp"
#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

// A command line may have 128 KiB on the smallest Linux; a call takes half of that.
constexpr std::size_t kMostArguments = 64 * 1024;

/// `before` + names + `after`, in as many lines as the names need.
template <class Names>
std::string calls(const std::string& before, const Names& names, const std::string& after) {
  std::string out, line;
  for (const auto& name : names) {
    line += " " + quote(name);
    if (line.size() < kMostArguments) continue;
    out += before + line + after + "\n";
    line.clear();
  }
  if (!line.empty()) out += before + line + after + "\n";
  return out;
}

std::string paths_part(const ProbeNeeds& needs) {
  std::string out;
  if (!needs.paths.empty()) {
    // stat ends with 1 if one of the paths is not there; anything else says nothing of them.
    out += "told=1\n" + calls("stat -c 'path\t%f\t%U\t%G\t%s\t%n' --", needs.paths, "; [ $? -le 1 ] || told=0") +
           "[ $told = 1 ] && printf 'told\\tpaths\\n'\n";
  }
  if (!needs.hashed.empty()) {
    // A file that is larger than any wanted one differs already: it is not read.
    out += calls("find", needs.hashed,
                 fmt::format(" -maxdepth 0 -type f -size -{}c -exec sha256sum {{}} +", needs.most_hashed + 1));
  }
  for (const auto& link : needs.links) {
    out += fmt::format("[ -L {0} ] && v=$(readlink {0}) && clean \"$v\" && printf 'link\\t%s\\t%s\\n' {0} \"$v\"\n",
                       quote(link));
  }
  for (const auto& [key, where] : needs.owned) {
    out += fmt::format(
        "[ $root = 1 ] && printf 'told\\towned\\t%s\\n' {0}\nfor f in {1}/{2}*; do [ -e \"$f\" ] || [ -L \"$f\" "
        "] || "
        "continue\n[ -d \"$f\" ] && [ ! -L \"$f\" ] && continue\nclean \"$f\" && printf 'owned\\t%s\\t%s\\n' {0} "
        "\"$f\"; done\n",
        quote(key), quote(where.first == "/" ? "" : where.first), quote(where.second));
  }
  return out;
}

std::string packages_part(const ProbeNeeds& needs) {
  if (needs.packages.empty()) return {};
  std::string out = "told=1\ncase $manager in\napt)\n";
  out += calls(
      "dpkg-query -W "
      "-f='package\\t${Package}\\t${Architecture}\\t${db:Status-Status}\\t${db:Status-Want}\\t${Version}\\n'",
      needs.packages, "; [ $? -le 1 ] || told=0");
  out += ";;\ndnf|zypper)\n";
  out += calls("rpm -q --qf 'package\\t%{NAME}\\t%{ARCH}\\tinstalled\\tinstall\\t%{VERSION}-%{RELEASE}\\n'",
               needs.packages, " | grep '^package\t'; [ $? -le 1 ] || told=0");
  out += ";;\napk) sed -n '/^P:/{N;s/^P:\\(.*\\)\\nV:\\(.*\\)/package\t\\1\tany\tinstalled\tinstall\t\\2/p;}' ";
  out += "/lib/apk/db/installed || told=0 ;;\n*) told=0 ;;\nesac\n[ $told = 1 ] && printf 'told\\tpackages\\n'\n";
  return out;
}

/// Accounts by getent where it is, so that accounts of a directory are seen too. By pipes: for a here-document some
/// shells need a place for temporary files, and without it there would be no accounts.
std::string accounts_part(const ProbeNeeds& needs) {
  std::string out;
  const auto lookup = [&](const char* base, const std::set<std::string>& names) {
    std::string patterns;
    for (const auto& name : names) patterns += " -e " + quote("^" + literal_pattern(name) + ":");
    out += fmt::format("if have getent; then\n{}else v=$(grep{} /etc/{}); s=$?; [ $s -le 1 ] || told=0; found=$v\nfi\n",
                       calls(fmt::format("v=$(getent {}", base), names,
                             "); s=$?; [ $s = 0 ] || [ $s = 2 ] || told=0; found=\"$found\n$v\""),
                       patterns, base);
  };
  if (!needs.users.empty()) {
    std::string keyed;
    for (const auto& name : needs.users_with_keys) keyed += (keyed.empty() ? "" : "|") + quote(name);
    out += "told=1 found=\n";
    lookup("passwd", needs.users);
    out +=
        "printf '%s\\n' \"$found\" | while IFS=: read -r n p u g c h s; do\n[ -n \"$n\" ] && clean \"$n$u$g$h$s\" || "
        "continue\n"
        "printf 'user\\t%s\\t%s\\t%s\\t%s\\t%s\\n' \"$n\" \"$u\" \"$g\" \"$h\" \"$s\"\n";
    if (!keyed.empty()) {
      // A link is not followed: whoever owns the home could point it anywhere.
      out += "case $n in " + keyed +
             ")\nk=$h/.ssh/authorized_keys\n"
             "if [ -L \"$k\" ] || [ -L \"$h/.ssh\" ]; then :\n"
             "elif [ -f \"$k\" ]; then v=$(head -c 65537 \"$k\" && echo .) && [ ${#v} -le 65537 ] &&\n"
             "v=$(printf %s \"${v%.}\" | sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' -e \"s/^/key\t$n\t/\") &&\n"
             "[ ${#v} -le 98304 ] && printf '%s\\ntold\\tkeys\\t%s\\n' \"$v\" \"$n\"\n"
             "elif [ ! -e \"$k\" ] && [ $root = 1 ]; then printf 'told\\tkeys\\t%s\\n' \"$n\"\nfi ;; esac\n";
    }
    out += "done\n[ $told = 1 ] && printf 'told\\tusers\\n'\n";
  }
  if (!needs.groups.empty()) {
    out += "told=1 found=\n";
    lookup("group", needs.groups);
    out +=
        "printf '%s\\n' \"$found\" | while IFS=: read -r n p g m; do\n[ -n \"$n\" ] && clean \"$n$g$m\" || continue\n"
        "printf 'group\\t%s\\t%s\\t%s\\n' \"$n\" \"$g\" \"$m\"\ndone\n"
        "[ $told = 1 ] && printf 'told\\tgroups\\n'\n";
  }
  return out;
}

std::string system_part(const ProbeNeeds& needs) {
  std::string out;
  if (!needs.units.empty()) {
    out += "if [ $systemd = 1 ]; then\n";
    out += calls("printf 'units\\n'; $limit systemctl show --no-pager -p Id,LoadState,ActiveState,UnitFileState --",
                 needs.units, "; printf 'units-end\\t%s\\n' $?");
    out += "fi\n";
  }
  if (!needs.sysctls.empty()) {
    // Such a file answers one read and no second one: a shell that reads by bytes sees the first.
    std::vector<std::string> files;
    for (const auto& key : needs.sysctls) files.push_back("/proc/sys/" + sysctl_path(key));
    out += calls("printf 'sysctls\\n'; grep -s -H -e '' --", files, "; printf 'sysctls-end\\n'");
  }
  if (!needs.modules.empty()) {
    out +=
        "first /proc/sys/kernel/osrelease; builtin=/lib/modules/$v/modules.builtin\nmodule() { if [ -d "
        "\"/sys/module/$2\" ] || grep -q \"/$3\\.ko\" \"$builtin\"; then v=1; else v=0; fi; printf "
        "'module\\t%s\\t%s\\n' \"$1\" $v; }\nif [ -d /sys/module ]; then\n";
    for (const auto& name : needs.modules) {
      std::string file, pattern;
      for (const char c : name) {
        file += c == '-' ? '_' : c;
        pattern += c == '-' || c == '_' ? "[-_]" : literal_pattern(std::string_view(&c, 1));
      }
      out += fmt::format("module {} {} {}\n", quote(name), quote(file), quote(pattern));
    }
    out += "fi\n";
  }
  return out;
}

/// Of what is mounted only the lines of declared places: whatever else is mounted there may be much.
std::string tables_part(const ProbeNeeds& needs) {
  if (needs.mounts.empty() && needs.swaps.empty()) return {};
  std::string mounted, named;
  for (const auto& path : needs.mounts) {
    mounted += " -e " + quote(" " + fstab_field(path) + " ");
    named += " -e " + quote(fstab_field(path));
  }
  for (const auto& path : needs.swaps) named += " -e " + quote(fstab_field(path));
  if (!mounted.empty()) mounted = "grep -s -H -F" + mounted + " -- /proc/self/mounts\n";
  return "printf 'tables\\n'\n" + mounted + "grep -s -H -F" + named +
         " -- /proc/swaps /etc/fstab\nprintf 'tables-end\\n'\n"
         "[ -r /proc/self/mounts ] && have grep && printf 'told\\ttables\\n'\n";
}

/// Whether what is mounted is the declared device, file or folder, whatever names the two go by. A device is told by
/// its number, a file by the loop device that it is behind. Without an answer nobody can tell.
constexpr const char* kMountSource =
    "mounted() { v=; while read -r a b c; do [ \"$b\" = \"$1\" ] && v=$a; done </proc/self/mounts; }\n"
    "number() { v=$(stat -L -c %t:%T -- \"$1\" 2>/dev/null); }\n"
    "mount_source() {\n"
    "mounted \"$3\"; m=$v d=$2 r=0; [ -n \"$m\" ] || return\n"
    "if [ $4 = bind ]; then [ \"$d\" -ef \"$1\" ] && r=1; else\n"
    "[ -b \"$m\" ] || return\n"
    "if [ $4 = tag ]; then have findfs || return; d=$(findfs \"$d\" 2>/dev/null); fi\n"
    "if [ -f \"$d\" ]; then [ -d \"/sys/class/block/${m##*/}\" ] || return\n"
    "first \"/sys/class/block/${m##*/}/loop/backing_file\"; [ -n \"$v\" ] && [ \"$v\" -ef \"$d\" ] && r=1\n"
    "elif [ -b \"$d\" ]; then number \"$d\"; n=$v; number \"$m\"; "
    "[ -n \"$n\" ] && [ -n \"$v\" ] || return; [ \"$n\" = \"$v\" ] && r=1; fi\n"
    "fi\nprintf 'mount\\t%s\\t%s\\n' \"$1\" $r\n}\n";

std::string mounts_part(const ProbeNeeds& needs) {
  if (needs.mount_sources.empty()) return {};
  std::string out = std::string(kMountSource) + "if [ $root = 1 ]; then\n";
  for (const auto& [path, mount] : needs.mount_sources) {
    const char* const how = is_bind(mount) ? "bind" : is_tag(mount.source) ? "tag" : "path";
    out += fmt::format("mount_source {} {} {} {}\n", quote(path), quote(mount.source), quote(fstab_field(path)), how);
  }
  return out + "fi\n";
}

std::string settings_part(const ProbeNeeds& needs) {
  std::string out;
  if (needs.hostname) {
    out +=
        "first /proc/sys/kernel/hostname || v=$(uname -n); clean \"$v\" && printf 'hostname\\tnow\\t%s\\n' "
        "\"$v\"\n"
        "first /etc/hostname && clean \"$v\" && printf 'hostname\\tfile\\t%s\\n' \"$v\"\n";
  }
  if (needs.timezone) {
    out += "v=$(readlink /etc/localtime) && clean \"$v\" && printf 'timezone\\t%s\\n' \"$v\"\n";
  }
  if (needs.locale) {
    out +=
        "for f in /etc/default/locale /etc/locale.conf; do [ -r $f ] || continue\n"
        "while IFS= read -r v || [ -n \"$v\" ]; do case $v in LANG=*) clean \"$v\" && printf 'locale\\t%s\\n' "
        "\"${v#LANG=}\"; break 2 ;; esac; done <$f\ndone\n";
  }
  std::map<std::string, std::string> files;
  std::size_t number = 0;
  for (const auto& [id, block] : needs.blocks) {
    const auto name = literal_pattern(block.name);
    files[block.path] +=
        " -e " + quote(fmt::format("/^# nimbus:{0} begin$/,/^# nimbus:{0} end$/s/^/block\t{1}\t/p", name, number++));
  }
  for (const auto& [path, expressions] : files) {
    out += fmt::format(
        "if [ ! -e {0} ] && [ $root = 1 ] || {{ [ -f {0} ] && sed -n{1} {0}; }}; then printf "
        "'told\\tblocks\\t%s\\n' {0}; fi\n",
        quote(path), expressions);
  }
  return out;
}

std::string commands_part(const ProbeNeeds& needs) {
  std::string out;
  for (const auto& [id, command] : needs.commands) {
    std::string done;
    if (!command.creates.empty()) done = fmt::format("{{ [ -e {0} ] || [ -L {0} ]; }}", quote(command.creates));
    if (!command.unless.empty()) {
      const std::string as = command.user == "root" ? "" : "su -s /bin/sh " + quote(command.user) + " -c ";
      const std::string shell = as.empty() ? "sh -c " + quote(command.unless) : as + quote(command.unless);
      done += (done.empty() ? "" : " && ") + ("(cd / && $limit " + shell + ") >/dev/null");
    }
    if (done.empty()) done = "false";
    // What took too long has not said that an action is to run: that may cut the host off. A command's own `unless` may
    // well end with that number.
    const bool action = id.starts_with("action:");
    out += fmt::format("{}; case $? in 0) v=1 ;; {}*) v=0 ;; esac; {}printf 'command\\t%s\\t%s\\n' {} $v\n", done,
                       action ? "124) v= ;; " : "", action ? "[ -z \"$v\" ] || " : "", quote(id));
  }
  return out;
}

}  // namespace

std::string probe_script(const ProbeNeeds& needs, std::string_view token) {
  std::string out = "{\n";
  out += kProbePrelude;
  out += "probe() {\n";
  out += kProbeHealth;
  out += paths_part(needs) + packages_part(needs) + accounts_part(needs) + system_part(needs);
  out += tables_part(needs) + mounts_part(needs) + settings_part(needs) + commands_part(needs);
  // One write at the end, and without the NUL bytes that a file may hold.
  out += fmt::format(
      "}}\nv=$(probe)\nprintf 'nimbus-probe\\t1\\t{0}\\tbegin\\n%s\\nnimbus-probe\\t1\\t{0}\\tend\\n' \"$v\"\n", token);
  return out + "exit 0\n}\n";
}

double time_offset(double host_clock, WallTime sent, WallTime received) {
  const auto seconds = [](WallTime at) { return std::chrono::duration<double>(at.time_since_epoch()).count(); };
  if (host_clock < seconds(sent)) return host_clock - seconds(sent);
  if (host_clock > seconds(received)) return host_clock - seconds(received);
  return 0;
}

}  // namespace nimbus::reconcilers::configure

// What a host should have, in primitive resources: profiles merged, variables and
// references replaced, convenience rows (a timer, a CA certificate, a repository, …)
// expanded to files, units and actions. Made by registry/host, compared and corrected by
// reconcilers/configure.
//
// Everything here was checked at the edge: paths are absolute and clean, names are names,
// nothing holds a control character but `content`. Thread rule: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/secret.hpp"

namespace nimbus::host {

enum class Presence : std::uint8_t { Present, Absent };

struct Package {
  std::string name;
  Presence presence = Presence::Present;
  std::string version;  // exactly this one; empty: any
  bool hold = false;    // upgrades leave it alone
  friend bool operator==(const Package&, const Package&) = default;
};

struct File {
  std::string path;
  Presence presence = Presence::Present;
  std::string owner = "root", group = "root", mode = "0644";
  std::string content;
  Secret secret;  // instead of content; never shown, never diffed
  bool is_secret = false;
  std::string sha256;  // hex, of what the file is to hold
  /// Must pass before the file goes live. With "{file}" in it: on the new file, before it
  /// is moved into place. Without: right after, and the old file comes back if it fails.
  std::string validate;
  std::string secret_name;  // of a secret: what the controller calls it, for people
  friend bool operator==(const File&, const File&) = default;
};

struct Directory {
  std::string path;
  Presence presence = Presence::Present;  // absent: only if it is empty
  std::string owner = "root", group = "root", mode = "0755";
  friend bool operator==(const Directory&, const Directory&) = default;
};

struct Link {
  std::string path;
  Presence presence = Presence::Present;
  std::string target;
  friend bool operator==(const Link&, const Link&) = default;
};

/// Files below `folder` whose names begin with `prefix` and that no File of this
/// configuration declares are removed: what Nimbus put there and nobody wants any more.
struct OwnedFiles {
  std::string folder;             // "/etc/sudoers.d"
  std::string prefix;             // "nimbus-"
  std::vector<std::string> keep;  // paths
  friend bool operator==(const OwnedFiles&, const OwnedFiles&) = default;
};

struct Group {
  std::string name;
  Presence presence = Presence::Present;
  std::optional<std::int64_t> gid;
  friend bool operator==(const Group&, const Group&) = default;
};

struct User {
  std::string name;
  Presence presence = Presence::Present;  // absent: the account goes, its home stays
  std::optional<std::int64_t> uid;
  std::vector<std::string> groups;  // supplementary; others are left alone
  std::string shell;                // empty: the host's default, left alone
  std::string home;                 // empty: the host's default, left alone
  std::vector<std::string> ssh_keys;
  bool exclusive_keys = false;  // other keys are removed
  bool manages_keys = false;    // false: authorized_keys is left alone
  friend bool operator==(const User&, const User&) = default;
};

/// A systemd unit, with its suffix.
struct Unit {
  std::string name;  // "nginx.service"
  std::optional<bool> enabled, running;
  enum class OnChange : std::uint8_t { Restart, Reload } on_change = OnChange::Restart;  // when notified
  std::string reload;  // id of the action that reloads it: needless once it was started anew; empty: there is none
  friend bool operator==(const Unit&, const Unit&) = default;
};

/// A kernel parameter as it is now; a File makes it last.
struct Sysctl {
  std::string key, value;
  friend bool operator==(const Sysctl&, const Sysctl&) = default;
};

/// A kernel module that is loaded; a File makes it last.
struct KernelModule {
  std::string name;
  friend bool operator==(const KernelModule&, const KernelModule&) = default;
};

struct Mount {
  std::string source, path, fs, options = "defaults";
  Presence presence = Presence::Present;  // absent: unmounted, and out of /etc/fstab
  friend bool operator==(const Mount&, const Mount&) = default;
};

struct Swap {
  std::string path;  // a file
  std::int64_t size_mib = 0;
  Presence presence = Presence::Present;
  friend bool operator==(const Swap&, const Swap&) = default;
};

enum class SettingKind : std::uint8_t { Hostname, TimeZone, Locale };
struct Setting {
  SettingKind kind = SettingKind::Hostname;
  std::string value;
  friend bool operator==(const Setting&, const Setting&) = default;
};

/// Lines between markers of ours in a file that others write too ("/etc/hosts").
/// No lines: the block goes.
struct Block {
  std::string path;
  std::string name;   // in the markers: "# nimbus:<name> begin"
  std::string lines;  // each ends with a line end
  friend bool operator==(const Block&, const Block&) = default;
};

/// A command that runs once: when `creates` does not exist, or `unless` fails. The escape hatch.
struct Command {
  std::string name;
  std::string run;      // for /bin/sh
  std::string creates;  // a path; empty: `unless` decides
  std::string unless;   // for /bin/sh, without side effects
  std::string user = "root";
  friend bool operator==(const Command&, const Command&) = default;
};

/// Runs after something that notifies it changed, and again until it has succeeded: a
/// marker on the host, written before the change, remembers it across a crash.
struct Action {
  std::string name;  // "apt-update", "network"
  std::string run;   // for /bin/sh
  /// Not empty: `run` may cut the host off. This undoes it; it runs by itself on the host
  /// unless the controller has logged in anew and confirmed within `confirm_seconds`.
  /// Before it runs, every File, Link and Block that notifies this action is put back as it
  /// was before the change: so "netplan apply" is a whole `undo` of "netplan apply". What
  /// else `run` changes it may keep for `undo` in the folder "$KEEP", if that is not there yet;
  /// the folder is gone after a confirmation and after an undo.
  std::string undo;
  int confirm_seconds = 60;
  /// Not empty: it runs too when this (for /bin/sh, without side effects) does not pass.
  std::string unless = {};
  friend bool operator==(const Action&, const Action&) = default;
};

using Wanted = std::variant<Package, File, Directory, Link, OwnedFiles, Group, User, Unit, Sysctl, KernelModule, Mount,
                            Swap, Setting, Block, Command, Action>;

struct Resource {
  std::string id;                     // "package:nginx", "file:/etc/motd"; unique in a configuration
  std::string origin;                 // the profile that it comes from: "profiles/web.toml"
  std::vector<std::string> after;     // ids of others that must be right first; unknown ids are ignored
  std::vector<std::string> notifies;  // ids of units and actions
  Wanted wanted;
  friend bool operator==(const Resource&, const Resource&) = default;
};

struct Configuration {
  std::vector<Resource> resources;  // sorted by id
  friend bool operator==(const Configuration&, const Configuration&) = default;
};

/// "package:nginx": kind and name.
std::string id_of(const Wanted& wanted);

}  // namespace nimbus::host

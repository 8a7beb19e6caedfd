// What a host showed: the answer to one probe. Only what was asked for is in it.
//
// A host is hostile input: every text was cut and made printable by the parser, counts are
// bounded. What is absent from a map was not answered, and is not known; "does not exist"
// is a value. Thread rule: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace nimbus::host {

enum class PathKind : std::uint8_t { Absent, File, Directory, Link, Other };

struct PathFact {
  PathKind kind = PathKind::Absent;
  std::string mode;  // octal, four digits: "0644"
  std::string owner, group;
  std::uint64_t size = 0;
  std::string sha256;  // of a file that was to be hashed
  std::string target;  // of a link
  friend bool operator==(const PathFact&, const PathFact&) = default;
};

struct PackageFact {
  std::string version;  // empty: not installed
  bool held = false;
  friend bool operator==(const PackageFact&, const PackageFact&) = default;
};

struct UserFact {
  bool exists = false;
  std::int64_t uid = 0;
  std::string home, shell;
  std::set<std::string> groups;       // supplementary
  std::vector<std::string> ssh_keys;  // "type base64", without comments and options
  bool foreign_lines = false;         // authorized_keys has lines that are no plain key
  bool keys_told = false;             // false: the keys are not known
  friend bool operator==(const UserFact&, const UserFact&) = default;
};

struct GroupFact {
  bool exists = false;
  std::int64_t gid = 0;
  friend bool operator==(const GroupFact&, const GroupFact&) = default;
};

struct UnitFact {
  bool exists = false;
  std::string active;   // "active", "inactive", "failed", …
  std::string enabled;  // "enabled", "disabled", "static", "masked", …
  friend bool operator==(const UnitFact&, const UnitFact&) = default;
};

struct MountFact {
  bool mounted = false;
  std::string source, fs;        // of what is mounted there
  std::string fstab;             // the line in /etc/fstab, single blanks; empty: none
  std::optional<bool> declared;  // whether it is what was asked about; nothing: cannot be told, or not asked
  friend bool operator==(const MountFact&, const MountFact&) = default;
};

struct SwapFact {
  bool active = false;
  std::int64_t size_mib = 0;
  bool in_fstab = false;
  friend bool operator==(const SwapFact&, const SwapFact&) = default;
};

enum class PackageManager : std::uint8_t { None, Apt, Dnf, Zypper, Apk };

/// For monitoring; nothing: not told.
struct Health {
  std::optional<double> load1, load5, load15;
  std::optional<std::uint64_t> memory_total, memory_available;  // bytes
  struct FileSystem {
    std::string path;
    std::uint64_t size = 0, available = 0;  // bytes
    friend bool operator==(const FileSystem&, const FileSystem&) = default;
  };
  std::vector<FileSystem> file_systems;
  std::optional<std::vector<std::string>> failed_units;
  std::optional<double> clock;                // the host's, in seconds since 1970, when it began to answer
  std::optional<double> time_offset_seconds;  // host minus controller, as exact as the round trip; see time_offset()
  std::optional<bool> reboot_required;
  std::string kernel;
  std::optional<std::uint64_t> uptime_seconds;
  friend bool operator==(const Health&, const Health&) = default;
};

struct Facts {
  PackageManager manager = PackageManager::None;
  bool systemd = false;        // it is what runs the host
  bool root = false;           // the probe could see what root sees
  std::string os, os_version;  // ID and VERSION_ID of os-release
  std::string hostname;        // the running one
  std::string hostname_file;   // what /etc/hostname says, for the next start
  std::string timezone, locale;
  std::map<std::string, PathFact> paths;
  std::map<std::string, std::set<std::string>> owned;  // folder/prefix -> paths found
  std::map<std::string, PackageFact> packages;
  std::map<std::string, UserFact> users;
  std::map<std::string, GroupFact> groups;
  std::map<std::string, UnitFact> units;
  std::map<std::string, std::string> sysctls;
  std::map<std::string, bool> modules;  // loaded, or built in
  std::map<std::string, MountFact> mounts;
  std::map<std::string, SwapFact> swaps;
  std::map<std::string, std::string> blocks;  // id of the Block -> the text between its markers; absent block: empty
  std::map<std::string, bool> commands;       // id of the Command -> done already
  std::set<std::string>
      pending;  // ids of what was begun and not finished: notified units and actions, files in validation
  std::set<std::string> undone;                 // ids of actions that undid just what is declared now
  std::map<std::string, std::string> awaiting;  // id of an action that waits to be confirmed -> its token
  Health health;
  friend bool operator==(const Facts&, const Facts&) = default;
};

}  // namespace nimbus::host

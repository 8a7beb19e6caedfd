// What differs between two declarations of one host, for people who review a change: per
// resource, and for files of text line by line. Secrets only differ. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "registry/host/host_configuration.hpp"

namespace nimbus::registry {

struct ResourceChange {
  enum class Kind {
    Added,
    Changed,
    Removed,    // from the host too: it lies in a folder of ours
    Forgotten,  // no longer declared: the host keeps it
  };
  struct Detail {
    std::string key, from, to;  // empty where absent
    friend bool operator==(const Detail&, const Detail&) = default;
  };
  Kind kind = Kind::Changed;
  std::string id;      // "file:/etc/motd"
  std::string origin;  // the profile; of what goes: the one that declared it
  std::vector<Detail> details;
  std::string diff;  // unified, of a file of text; bounded
  friend bool operator==(const ResourceChange&, const ResourceChange&) = default;
};

/// Most bytes of diffs: of one file, and of one host (then only digests are told).
inline constexpr std::size_t kMostFileDiff = std::size_t{16} * 1024, kMostHostDiff = std::size_t{64} * 1024;

/// Sorted by id. Resources that are only the workings of others (actions, upkeep of
/// folders) are left out: they follow from what is told.
std::vector<ResourceChange> host_changes(const host::Configuration& base, const host::Configuration& head);

}  // namespace nimbus::registry

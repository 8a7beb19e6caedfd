// A registry in memory, and helpers to load one.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

#include <fmt/core.h>

#include "base/crypto/crypto.hpp"
#include "registry/accept.hpp"
#include "registry/directory_source.hpp"
#include "registry/load.hpp"

namespace nimbus::registry::test {

class MemorySource final : public TreeSource {
 public:
  std::map<std::string, std::string> files;
  std::map<std::string, TreeEntry::Kind> kinds;  // other than File
  mutable std::set<std::string> read_files;

  Result<std::vector<TreeEntry>> list() const override {
    std::vector<TreeEntry> out;
    for (const auto& [path, content] : files) {
      const auto kind = kinds.find(path);
      out.push_back({path, kind == kinds.end() ? TreeEntry::Kind::File : kind->second, content.size(),
                     base::sha1_hex({"blob ", std::to_string(content.size()), std::string_view("\0", 1), content})});
    }
    return out;
  }
  Result<std::string> read(const TreeEntry& entry) const override {
    read_files.insert(entry.path);
    const auto file = files.find(entry.path);
    if (file == files.end()) return Error{Code::NotFound, "no such file"};
    return file->second;
  }

  /// Replaces the first occurrence of `from`.
  MemorySource& edit(const std::string& path, const std::string& from, const std::string& to) {
    auto& text = files.at(path);
    const auto at = text.find(from);
    REQUIRE_MESSAGE(at != std::string::npos, path << " does not hold " << from);
    text.replace(at, from.size(), to);
    return *this;
  }
};

/// The example registry, which is valid.
inline MemorySource example() {
  static const MemorySource loaded = [] {
    const DirectorySource folder(NIMBUS_SOURCE "/examples/registry-repo");
    MemorySource out;
    const auto entries = folder.list();
    REQUIRE(entries.has_value());
    for (const auto& entry : *entries) {
      auto text = folder.read(entry);
      REQUIRE(text.has_value());
      out.files[entry.path] = std::move(*text);
    }
    return out;
  }();
  return loaded;
}

inline std::string describe(const std::vector<Problem>& problems) {
  std::string out;
  for (const auto& each : problems) {
    out += fmt::format("\n{}:{}:{}: {} {}: {}", each.file, each.line, each.column, to_string(each.severity),
                       to_string(each.code), each.message);
  }
  return out;
}

inline LoadResult loaded(const TreeSource& source, const Snapshot* previous = nullptr) {
  auto result = load(source, previous);
  REQUIRE(result.has_value());
  return std::move(*result);
}

}  // namespace nimbus::registry::test

// Profiles of one host, merged in the order that its instance lists them: a later scalar
// wins, rows of the same name are merged key by key, lists add. A path that a later
// profile gives another kind (a file that was a link) is of that kind; a package that a
// later profile removes is removed. Pure.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/toml/value.hpp"
#include "core/desired/profile.hpp"

namespace nimbus::registry {

struct ProfileLayer {
  std::string file;
  base::toml::Table table;
};

/// Where something was said last.
struct Place {
  std::string file;
  base::toml::Span span;
};

class MergedProfile {
 public:
  void add(const ProfileLayer& layer);
  /// What all layers say together.
  Profile profile() const;
  /// Of a row ("file", "/etc/motd"), an element ("packages", "nginx"), a parameter
  /// ("sysctl", "vm.swappiness"), a key at the top ("hostname", ""), or what a row is
  /// filled with ("file.content", "/etc/motd"): whose files/ its source means.
  Place place(std::string_view key, std::string_view name = {}) const;

 private:
  void add_rows(std::string_view key, std::string_view identity, const base::toml::Array& rows,
                const std::string& file);
  void add_packages(const base::toml::Table& packages, const std::string& file);
  /// Rows of other kinds than `except` on these paths.
  void drop_paths(const std::set<std::string, std::less<>>& paths, std::string_view except);
  void note(std::string_view key, std::string_view name, const std::string& file, const base::toml::Span& span);

  base::toml::Table table_;
  std::map<std::string, Place, std::less<>> places_;
};

}  // namespace nimbus::registry

// Authors: who wrote the registry commits that are or were in force, for the audit log.
// Bounded: of old commits nobody asks. Thread rule: safe from any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>

namespace nimbus::controller {

class Authors {
 public:
  void remember(const std::string& commit, std::string author);
  /// Empty: not known.
  std::string of(const std::string& commit) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> authors_;
};

}  // namespace nimbus::controller

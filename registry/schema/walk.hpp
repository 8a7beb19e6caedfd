// Reads one table by its field table: finds every problem in one pass and binds
// whatever is good. Pure. Thread rule: safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/toml/value.hpp"
#include "registry/problem.hpp"
#include "registry/schema/field.hpp"

namespace nimbus::registry {

/// Problems of one file, with its name filled in.
class Report {
 public:
  Report(std::string_view file, std::vector<Problem>& problems) : file_(file), problems_(&problems) {}
  void add(ProblemCode code, const base::toml::Span& where, std::string message, std::string related = {});
  void warn(ProblemCode code, const base::toml::Span& where, std::string message);
  const std::string& file() const noexcept { return file_; }
  const std::vector<Problem>& problems() const noexcept { return *problems_; }

 private:
  std::string file_;
  std::vector<Problem>* problems_;
};

/// Reads `table` into `object`, which is of the type that the spec's rows bind.
/// Good keys are bound even if others are not. Keys outside `level` are problems.
void walk(const TableSpec& spec, const base::toml::Table& table, void* object, std::uint8_t level, Report& report);

/// The span of the value at a path of keys ("bmc", "address"): of its longest
/// existing beginning if the value itself is absent.
base::toml::Span span_of(const base::toml::Table& root, std::initializer_list<std::string_view> path);

}  // namespace nimbus::registry

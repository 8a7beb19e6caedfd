// Reads a program's own configuration table key by key and collects every fault:
// wrong types, values out of range, missing keys and, at finish(), unknown keys
// with a guess at what was meant. (Registry files have their field tables instead.)
//
//   std::vector<Fault> faults;
//   TableReader top(*root, "", faults);
//   config.port = top.integer("port", 1, 65535).value_or(8080);
//   if (auto tls = top.table("tls")) { … tls->finish(); }
//   top.finish();
//
// Thread rule: one thread; the table and the faults outlive the reader.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/toml/value.hpp"

namespace nimbus::base::toml {

struct Fault {
  Position at;
  std::string message;
};

class TableReader {
 public:
  /// `name` is how faults call this table, for example "tls"; empty: the top.
  /// `at` is where a missing key is reported.
  TableReader(const Table& table, std::string name, std::vector<Fault>& faults, Position at = {1, 1, 0});

  /// All return nothing if the key is absent, or wrong (then a fault was noted).
  std::optional<std::string> string(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least = INT64_MIN,
                                      std::int64_t most = INT64_MAX);
  std::optional<double> number(std::string_view key);  // integers too
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::vector<std::string>> strings(std::string_view key);
  /// One of `allowed`.
  std::optional<std::string> choice(std::string_view key, const std::vector<std::string>& allowed);
  std::optional<TableReader> table(std::string_view key);
  std::vector<TableReader> tables(std::string_view key);

  /// Notes a fault unless the key is there.
  TableReader& require(std::string_view key);
  /// A fault at the key's value (or at the table if the key is absent), in the caller's words.
  void fault(std::string_view key, std::string message);
  /// A key whose value the caller reads itself.
  const Value* value(std::string_view key);
  /// All keys, for tables whose keys are names.
  const Table& raw() const noexcept { return *table_; }

  /// Every key that nobody asked for is a fault.
  void finish();

 private:
  const Value* typed(std::string_view key, Kind kind);
  std::string where() const;

  const Table* table_;
  std::string name_;
  std::vector<Fault>* faults_;
  Position at_;
  std::vector<std::string> known_;
};

}  // namespace nimbus::base::toml

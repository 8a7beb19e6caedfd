// A small SQLite database in one file, for one process: write-ahead log, every
// commit synced to disk, checked when it is opened.
//
// Thread rule: one thread at a time per Database; the caller serialises.
//
// Errors: NotFound (no such folder), Busy (another process has it open), Corrupt (not
// a database, or damaged), Conflict (a constraint does not hold), Invalid (the
// statement is wrong), Internal (disk full, read-only, no permission, I/O error).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace nimbus::base::sqlite {

/// NULL, an integer, a real, a text (bytes, may hold anything).
using Value = std::variant<std::monostate, std::int64_t, double, std::string>;

/// One line of a result. Asking for another type than the column holds gives nothing.
class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
  std::optional<std::int64_t> integer(std::size_t column) const;
  std::optional<std::string> text(std::size_t column) const;
  bool is_null(std::size_t column) const;

 private:
  std::vector<Value> values_;
};

class Database {
 public:
  /// Opens or makes the file (mode 0600) and keeps it for this process alone until
  /// closed; a file that somebody else holds is Busy after a second.
  static Result<Database> open(const std::string& path);

  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  /// One statement with its values for '?'. Statements are prepared once and kept, so
  /// `sql` should be a constant text.
  Result<> run(const std::string& sql, const std::vector<Value>& values = {});
  Result<std::vector<Row>> query(const std::string& sql, const std::vector<Value>& values = {});

  /// Of the last row that run() inserted.
  std::int64_t last_id() const;
  /// Rows that the last run() inserted, changed or deleted.
  std::int64_t changes() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  Database(std::string path, sqlite3* raw);
  Result<> set_up();
  Result<sqlite3_stmt*> prepare(const std::string& sql, const std::vector<Value>& values);
  Error error(int code, const std::string& what) const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> raw_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;  // closed before raw_
};

/// All or nothing: undone unless commit() returned without an error.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  /// Durable on return.
  Result<> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace nimbus::base::sqlite

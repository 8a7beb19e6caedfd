#include "base/sqlite/sqlite.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/text/text.hpp"

namespace nimbus::base::sqlite {
namespace {

constexpr int kBusyMilliseconds = 1000;

Code code_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::Busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::Corrupt;
    case SQLITE_CONSTRAINT:
      return Code::Conflict;
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG:
      return Code::Invalid;
    default:
      return Code::Internal;
  }
}

int bind(sqlite3_stmt* statement, int index, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return sqlite3_bind_int64(statement, index, *integer);
  if (const auto* real = std::get_if<double>(&value)) return sqlite3_bind_double(statement, index, *real);
  if (const auto* text = std::get_if<std::string>(&value)) {
    return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  return sqlite3_bind_null(statement, index);
}

Value column(sqlite3_stmt* statement, int index) {
  switch (sqlite3_column_type(statement, index)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, index)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, index);
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, index));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, index));
      return bytes != nullptr ? std::string(bytes, size) : std::string();
    }
    default:
      return std::monostate{};
  }
}

/// Makes the file before SQLite does, for its mode: the log files take it over.
Result<> make_private_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    const Code code = errno == ENOENT || errno == ENOTDIR ? Code::NotFound : Code::Internal;
    return Error{code, "cannot open " + path + ": " + std::generic_category().message(errno)};
  }
  ::close(file);
  return {};
}

}  // namespace

std::optional<std::int64_t> Row::integer(std::size_t column) const {
  const auto* value = column < values_.size() ? std::get_if<std::int64_t>(&values_[column]) : nullptr;
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<std::string> Row::text(std::size_t column) const {
  const auto* value = column < values_.size() ? std::get_if<std::string>(&values_[column]) : nullptr;
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

bool Row::is_null(std::size_t column) const {
  return column >= values_.size() || std::holds_alternative<std::monostate>(values_[column]);
}

void Database::Close::operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
void Database::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Database::Database(std::string path, sqlite3* raw) : path_(std::move(path)), raw_(raw) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&& other) noexcept {
  statements_ = std::move(other.statements_);  // before the database that they belong to
  raw_ = std::move(other.raw_);
  path_ = std::move(other.path_);
  return *this;
}
Database::~Database() = default;

Error Database::error(int code, const std::string& what) const {
  const char* detail = raw_ ? sqlite3_errmsg(raw_.get()) : sqlite3_errstr(code);
  std::string message = "cannot " + what + " " + path_ + ": ";
  switch (code & 0xFF) {
    case SQLITE_FULL:
      message += "the disk is full";
      break;
    case SQLITE_READONLY:
      message += "it, its folder or the file system is read-only";
      break;
    case SQLITE_BUSY:
      message += "another process has it open";
      break;
    default:
      message += printable(detail != nullptr ? detail : "unknown error");
  }
  return Error{code_of(code), std::move(message)};
}

Result<Database> Database::open(const std::string& path) {
  if (auto ok = make_private_file(path); !ok) return std::move(ok.error());
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database(path, raw);
  if (code != SQLITE_OK) return database.error(code, "open");
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (auto ok = database.set_up(); !ok) return std::move(ok.error());
  return database;
}

Result<> Database::set_up() {
  for (const char* pragma : {"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = WAL",
                             "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON"}) {
    auto ok = query(pragma);
    if (!ok) return std::move(ok.error());
  }
  auto checked = query("PRAGMA integrity_check(1)");
  if (!checked) return std::move(checked.error());
  if (checked->size() != 1 || (*checked)[0].text(0) != "ok") {
    const auto detail = checked->empty() ? std::nullopt : (*checked)[0].text(0);
    return Error{Code::Corrupt, path_ + " is damaged: " + printable(detail.value_or("no answer"), 200)};
  }
  // An empty write takes the lock now rather than with the first real one.
  if (auto ok = run("BEGIN IMMEDIATE"); !ok) return ok;
  return run("COMMIT");
}

Result<sqlite3_stmt*> Database::prepare(const std::string& sql, const std::vector<Value>& values) {
  auto& kept = statements_[sql];
  if (!kept) {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v3(raw_.get(), sql.c_str(), static_cast<int>(sql.size()) + 1,
                                        SQLITE_PREPARE_PERSISTENT, &statement, &rest);
    kept.reset(statement);
    if (code != SQLITE_OK) return error(code, "prepare a statement for");
    if (statement == nullptr || !trim(rest).empty()) return Error{Code::Invalid, "not one SQL statement"};
  }
  auto* statement = kept.get();
  sqlite3_clear_bindings(statement);
  if (sqlite3_bind_parameter_count(statement) != static_cast<int>(values.size())) {
    return Error{Code::Invalid, "a SQL statement with a wrong number of values"};
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (const int code = bind(statement, static_cast<int>(i) + 1, values[i]); code != SQLITE_OK) {
      return error(code, "bind a value for");
    }
  }
  return statement;
}

Result<std::vector<Row>> Database::query(const std::string& sql, const std::vector<Value>& values) {
  auto statement = prepare(sql, values);
  if (!statement) return std::move(statement.error());
  std::vector<Row> rows;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(*statement)) == SQLITE_ROW) {
    std::vector<Value> row;
    const int columns = sqlite3_column_count(*statement);
    row.reserve(static_cast<std::size_t>(columns));
    for (int i = 0; i < columns; ++i) row.push_back(column(*statement, i));
    rows.emplace_back(std::move(row));
  }
  const bool failed = code != SQLITE_DONE;
  auto result = failed ? Result<std::vector<Row>>(error(code, "use")) : Result<std::vector<Row>>(std::move(rows));
  sqlite3_reset(*statement);
  return result;
}

Result<> Database::run(const std::string& sql, const std::vector<Value>& values) {
  auto rows = query(sql, values);
  if (!rows) return std::move(rows.error());
  return {};
}

std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(raw_.get()); }
std::int64_t Database::changes() const { return sqlite3_changes64(raw_.get()); }

Result<Transaction> Transaction::begin(Database& database) {
  if (auto ok = database.run("BEGIN IMMEDIATE"); !ok) return std::move(ok.error());
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // Undoing fails only if SQLite has undone it by itself already.
  if (database_ != nullptr) (void)database_->run("ROLLBACK");
}

Result<> Transaction::commit() {
  if (database_ == nullptr) return Error{Code::Invalid, "a transaction that was committed before"};
  auto ok = database_->run("COMMIT");
  if (ok) database_ = nullptr;
  return ok;
}

}  // namespace nimbus::base::sqlite

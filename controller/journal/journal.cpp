#include "controller/journal/journal.hpp"

#include <array>
#include <chrono>
#include <utility>

#include "base/text/text.hpp"

namespace nimbus::controller {
namespace {

using base::sqlite::Database;
using base::sqlite::Row;
using base::sqlite::Transaction;
using base::sqlite::Value;

constexpr std::int64_t kVersion = 2;
constexpr std::size_t kTextBytes = 1024;

constexpr std::array kTables = {
    "CREATE TABLE run (id INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, machine TEXT NOT NULL,"
    " action TEXT NOT NULL, reason TEXT NOT NULL, registry_commit TEXT NOT NULL, digest TEXT NOT NULL,"
    " started_ms INTEGER NOT NULL, finished_ms INTEGER, outcome TEXT NOT NULL, detail TEXT NOT NULL) STRICT",
    "CREATE INDEX run_by_machine ON run (provider, machine, id)",
    "CREATE INDEX run_open ON run (id) WHERE outcome = 'pending'",
    "CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
};
/// What version 2 added.
constexpr std::array kTables2 = {
    "CREATE TABLE destructive (id INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, machine TEXT NOT NULL,"
    " what TEXT NOT NULL, started_ms INTEGER NOT NULL) STRICT",
    "CREATE INDEX destructive_by_time ON destructive (provider, started_ms)",
    "CREATE INDEX run_by_action ON run (provider, action, started_ms)",
};

const std::string kColumns =
    "SELECT id, action, reason, registry_commit, digest, started_ms, finished_ms, outcome, detail, provider, machine"
    " FROM run ";

std::int64_t to_ms(WallTime time) { return time.time_since_epoch().count(); }
WallTime from_ms(std::int64_t time) { return WallTime{std::chrono::milliseconds{time}}; }

/// The enumerator of this name; nothing if a newer program wrote another one.
template <class Enum>
std::optional<Enum> parse(const std::optional<std::string>& text, std::initializer_list<Enum> all) {
  for (const Enum each : all) {
    if (text == to_string(each)) return each;
  }
  return std::nullopt;
}

Result<Run> run_of(const Row& row) {
  using enum PowerAction;
  const auto id = row.integer(0);
  const auto action = parse(row.text(1), {On, SoftOff, HardOff, Reset});
  const auto started = row.integer(5);
  const auto outcome =
      parse(row.text(7), {RunOutcome::Pending, RunOutcome::Done, RunOutcome::Failed, RunOutcome::Unknown});
  if (!id || !action || !started || !outcome) return Error{Code::Corrupt, "a run in the journal that makes no sense"};
  Run run;
  run.id = *id;
  run.action = *action;
  run.reason = row.text(2).value_or("");
  run.commit = row.text(3).value_or("");
  run.digest = row.text(4).value_or("");
  run.started = from_ms(*started);
  if (const auto finished = row.integer(6)) run.finished = from_ms(*finished);
  run.outcome = *outcome;
  run.detail = row.text(8).value_or("");
  return run;
}

Value text(std::string_view value) { return base::printable(value, kTextBytes); }

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const std::string& path) {
  auto database = Database::open(path);
  if (!database) return std::move(database.error()).with("while opening the journal");
  std::unique_ptr<Journal> journal(new Journal(std::move(*database)));
  if (auto ok = journal->set_up(); !ok) return std::move(ok.error()).with("while opening the journal " + path);
  return journal;
}

Result<> Journal::set_up() {
  auto rows = database_.query("PRAGMA user_version");
  if (!rows) return std::move(rows.error());
  const auto version = rows->empty() ? std::nullopt : (*rows)[0].integer(0);
  if (version == kVersion) return {};
  if (version != 0 && version != 1) return Error{Code::Unsupported, "a newer program wrote it"};
  auto transaction = Transaction::begin(database_);
  if (!transaction) return std::move(transaction.error());
  for (const char* statement : kTables) {
    if (version != 0) break;
    if (auto ok = database_.run(statement); !ok) return ok;
  }
  for (const char* statement : kTables2) {
    if (auto ok = database_.run(statement); !ok) return ok;
  }
  if (auto ok = database_.run("PRAGMA user_version = " + std::to_string(kVersion)); !ok) return ok;
  return transaction->commit();
}

Result<std::int64_t> Journal::begin(const MachineId& machine, const Run& run) {
  const std::lock_guard lock(mutex_);
  auto transaction = Transaction::begin(database_);
  if (!transaction) return std::move(transaction.error());
  auto ok = database_.run(
      "INSERT INTO run (provider, machine, action, reason, registry_commit, digest, started_ms, outcome, detail)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', '')",
      {machine.provider, machine.machine, std::string(to_string(run.action)), text(run.reason), text(run.commit),
       text(run.digest), to_ms(run.started)});
  if (!ok) return std::move(ok.error());
  const auto id = database_.last_id();
  ok = database_.run(
      "DELETE FROM run WHERE provider = ?1 AND machine = ?2 AND outcome <> 'pending' AND id NOT IN"
      " (SELECT id FROM run WHERE provider = ?1 AND machine = ?2 ORDER BY id DESC LIMIT " +
          std::to_string(kRunsKept) + ")",
      {machine.provider, machine.machine});
  if (!ok) return std::move(ok.error());
  if (ok = transaction->commit(); !ok) return std::move(ok.error());
  return id;
}

Result<> Journal::finish(std::int64_t id, RunOutcome outcome, const std::string& detail, WallTime at) {
  if (outcome == RunOutcome::Pending) return Error{Code::Invalid, "pending is no outcome"};
  const std::lock_guard lock(mutex_);
  auto ok =
      database_.run("UPDATE run SET outcome = ?, detail = ?, finished_ms = ? WHERE id = ? AND outcome = 'pending'",
                    {std::string(to_string(outcome)), text(detail), to_ms(at), id});
  if (!ok) return ok;
  if (database_.changes() == 1) return {};
  const auto found = database_.query("SELECT outcome FROM run WHERE id = ?", {id});
  if (!found) return found.error();
  if (found->empty()) return Error{Code::NotFound, "no run " + std::to_string(id) + " in the journal"};
  return Error{Code::Conflict, "run " + std::to_string(id) + " was finished before"};
}

Result<std::vector<Run>> Journal::last_runs(const MachineId& machine, std::size_t most) {
  const std::lock_guard lock(mutex_);
  auto rows = database_.query(kColumns + "WHERE provider = ? AND machine = ? ORDER BY id DESC LIMIT ?",
                              {machine.provider, machine.machine, static_cast<std::int64_t>(most)});
  if (!rows) return std::move(rows.error());
  std::vector<Run> runs;
  for (const auto& row : *rows) {
    auto run = run_of(row);
    if (!run) return std::move(run.error());
    runs.push_back(std::move(*run));
  }
  return runs;
}

Result<std::vector<PendingRun>> Journal::pending() {
  const std::lock_guard lock(mutex_);
  auto rows = database_.query(kColumns + "WHERE outcome = 'pending' ORDER BY id");
  if (!rows) return std::move(rows.error());
  std::vector<PendingRun> found;
  for (const auto& row : *rows) {
    auto run = run_of(row);
    if (!run) return std::move(run.error());
    found.push_back({{row.text(9).value_or(""), row.text(10).value_or("")}, std::move(*run)});
  }
  return found;
}

Result<> Journal::remember(const std::string& key, const std::string& value) {
  const std::lock_guard lock(mutex_);
  return database_.run(
      "INSERT INTO fact (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      {key, value});
}

Result<std::optional<std::string>> Journal::recall(const std::string& key) {
  const std::lock_guard lock(mutex_);
  auto rows = database_.query("SELECT value FROM fact WHERE key = ?", {key});
  if (!rows) return std::move(rows.error());
  if (rows->empty()) return std::optional<std::string>{};
  return (*rows)[0].text(0);
}

Result<std::map<std::string, std::string>> Journal::recall_all(const std::string& prefix) {
  const std::lock_guard lock(mutex_);
  auto rows = database_.query("SELECT key, value FROM fact WHERE substr(key, 1, length(?1)) = ?1", {prefix});
  if (!rows) return std::move(rows.error());
  std::map<std::string, std::string> facts;
  for (const auto& row : *rows) facts[row.text(0).value_or("")] = row.text(1).value_or("");
  return facts;
}

Result<std::vector<WallTime>> Journal::times(const std::string& query, const std::vector<Value>& values) {
  const std::lock_guard lock(mutex_);
  auto rows = database_.query(query, values);
  if (!rows) return std::move(rows.error());
  std::vector<WallTime> found;
  for (const auto& row : *rows) found.push_back(from_ms(row.integer(0).value_or(0)));
  return found;
}

Result<std::vector<WallTime>> Journal::started_since(const std::string& provider, PowerAction action, WallTime since) {
  return times("SELECT started_ms FROM run WHERE provider = ? AND action = ? AND started_ms >= ? ORDER BY started_ms",
               {provider, std::string(to_string(action)), to_ms(since)});
}

Result<> Journal::note_destructive(const MachineId& machine, const std::string& what, WallTime at) {
  const std::lock_guard lock(mutex_);
  return database_.run("INSERT INTO destructive (provider, machine, what, started_ms) VALUES (?, ?, ?, ?)",
                       {machine.provider, machine.machine, text(what), to_ms(at)});
}

Result<std::vector<WallTime>> Journal::destructive_since(const std::string& provider, WallTime since) {
  return times("SELECT started_ms FROM destructive WHERE provider = ? AND started_ms >= ? ORDER BY started_ms",
               {provider, to_ms(since)});
}

}  // namespace nimbus::controller

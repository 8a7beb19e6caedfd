#include "boot/store.hpp"

#include <array>
#include <utility>

namespace nimbus::boot {
namespace {

using base::sqlite::Database;
using base::sqlite::Row;
using base::sqlite::Transaction;

constexpr std::int64_t kVersion = 1;
constexpr std::array kTables = {
    "CREATE TABLE machine (mac TEXT PRIMARY KEY, wanted TEXT NOT NULL, heard TEXT NOT NULL, token TEXT NOT NULL) "
    "STRICT",
    // One row: the facts of the network, as an update without machines.
    "CREATE TABLE network (id INTEGER PRIMARY KEY CHECK (id = 1), facts TEXT NOT NULL) STRICT",
};

Result<KeptMachine> machine_of(const Row& row) {
  auto order = parse_machine_order(row.text(0).value_or(""));
  if (!order) return std::move(order.error());
  auto heard = parse_heard(row.text(1).value_or(""));
  if (!heard) return std::move(heard.error());
  return KeptMachine{std::move(*order), std::move(*heard), row.text(2).value_or("")};
}

Error corrupt(const Error& why) { return {Code::Corrupt, "what was kept makes no sense: " + why.text()}; }

}  // namespace

bool boots_installer(const KeptMachine& machine) {
  const auto& heard = machine.heard;
  return machine.order.run && !heard.plan_taken && !(heard.last && is_last_word(heard.last->stage));
}

Result<StateStore> StateStore::open(const std::string& path) {
  auto database = Database::open(path);
  if (!database) return std::move(database.error());
  StateStore store(std::move(*database));
  if (auto ready = store.set_up(); !ready) return std::move(ready.error()).with("while opening " + path);
  return store;
}

Result<> StateStore::set_up() {
  auto rows = database_.query("PRAGMA user_version");
  if (!rows) return std::move(rows.error());
  const auto version = rows->empty() ? std::nullopt : (*rows)[0].integer(0);
  if (version == kVersion) return {};
  if (version != 0) return Error{Code::Unsupported, "a newer program wrote it"};
  auto transaction = Transaction::begin(database_);
  if (!transaction) return std::move(transaction.error());
  for (const char* statement : kTables) {
    if (auto made = database_.run(statement); !made) return made;
  }
  if (auto set = database_.run("PRAGMA user_version = " + std::to_string(kVersion)); !set) return set;
  return transaction->commit();
}

Result<KeptState> StateStore::load() {
  KeptState state;
  auto network = database_.query("SELECT facts FROM network");
  if (!network) return std::move(network.error());
  for (const auto& row : *network) {
    auto facts = parse_orders_update(row.text(0).value_or(""));
    if (!facts) return corrupt(facts.error());
    state.network = std::move(facts->orders);
  }
  auto machines = database_.query("SELECT wanted, heard, token FROM machine");
  if (!machines) return std::move(machines.error());
  for (const auto& row : *machines) {
    auto machine = machine_of(row);
    if (!machine) return corrupt(machine.error());
    std::string mac = machine->order.mac;
    state.machines.emplace(std::move(mac), std::move(*machine));
  }
  return state;
}

Result<> StateStore::put(const KeptMachine& machine) {
  return database_.run("INSERT OR REPLACE INTO machine (mac, wanted, heard, token) VALUES (?, ?, ?, ?)",
                       {machine.order.mac, to_json(machine.order), to_json(machine.heard), machine.token});
}

Result<> StateStore::save(const KeptMachine& machine) {
  auto transaction = Transaction::begin(database_);
  if (!transaction) return std::move(transaction.error());
  if (auto done = put(machine); !done) return done;
  return transaction->commit();
}

Result<> StateStore::save(const Orders& network, const std::vector<const KeptMachine*>& changed,
                          const std::vector<std::string>& removed) {
  auto transaction = Transaction::begin(database_);
  if (!transaction) return std::move(transaction.error());
  const std::string facts = to_json(OrdersUpdate{.mark = {}, .orders = network, .removed = {}});
  if (auto done = database_.run("INSERT OR REPLACE INTO network (id, facts) VALUES (1, ?)", {facts}); !done)
    return done;
  for (const auto* machine : changed) {
    if (auto done = put(*machine); !done) return done;
  }
  for (const auto& mac : removed) {
    if (auto done = database_.run("DELETE FROM machine WHERE mac = ?", {mac}); !done) return done;
  }
  return transaction->commit();
}

}  // namespace nimbus::boot

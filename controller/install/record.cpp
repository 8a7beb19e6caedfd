#include "controller/install/record.hpp"

#include "base/json/json.hpp"
#include "boot/protocol/json_read.hpp"

namespace nimbus::controller {
namespace {

using base::Json;
using boot::JsonFields;

Json time_json(WallTime time) { return Json(static_cast<std::int64_t>(time.time_since_epoch().count())); }

void read_time(JsonFields& fields, std::string_view key, WallTime& out) {
  std::int64_t ms = 0;
  fields.number(key, ms);
  out = WallTime{std::chrono::milliseconds{ms}};
}

Json texts_json(const std::vector<std::string>& texts) {
  Json out = Json::array();
  for (const auto& text : texts) out.push(text);
  return out;
}

Json run_json(const RunRecordOfLife& run) {
  Json out = Json::object();
  if (run.reinstall) out.set("reinstall", *run.reinstall);
  return out.set("kind", std::string(name_of(run.state.kind)))
      .set("phase", std::string(name_of(run.state.phase)))
      .set("since", time_json(run.state.since))
      .set("attempt", run.state.attempt)
      .set("powered", time_json(run.state.powered))
      .set("held", run.state.held)
      .set("by_machine", run.state.by_machine)
      .set("image_since", time_json(run.state.image_since))
      .set("overdue", run.state.overdue)
      .set("id", run.id)
      .set("nonce", run.nonce)
      .set("plan", run.plan)
      .set("key", run.key)
      .set("commit", run.commit)
      .set("image_sha256", run.image_sha256)
      .set("started", time_json(run.started))
      .set("failures", run.failures)
      .set("error", run.error)
      .set("host_key", run.host_key)
      .set("disk", run.disk)
      .set("serviced", run.serviced)
      .set("admitted", run.admitted)
      .set("console", texts_json(run.console));
}

Result<RunRecordOfLife> read_run(const Json& json) {
  RunRecordOfLife run;
  JsonFields fields(json);
  fields.optional_number("reinstall", run.reinstall);
  std::int64_t attempt = 1;
  std::int64_t failures = 0;
  fields.choice("kind", run.state.kind);
  fields.choice("phase", run.state.phase);
  read_time(fields, "since", run.state.since);
  fields.number("attempt", attempt);
  read_time(fields, "powered", run.state.powered);
  fields.text("held", run.state.held);
  fields.flag("by_machine", run.state.by_machine);
  read_time(fields, "image_since", run.state.image_since);
  fields.flag("overdue", run.state.overdue);
  fields.text("id", run.id);
  fields.text("nonce", run.nonce);
  fields.text("plan", run.plan, std::size_t{1} << 20U);
  fields.text("key", run.key);
  fields.text("commit", run.commit);
  fields.text("image_sha256", run.image_sha256);
  read_time(fields, "started", run.started);
  fields.number("failures", failures);
  fields.text("error", run.error);
  fields.text("host_key", run.host_key);
  fields.text("disk", run.disk);
  fields.flag("serviced", run.serviced);
  // Written before this was noted: what has gone on from there was within the limits.
  run.admitted = attempt > 1 || run.state.phase > reconcilers::RunPhase::Prepare;
  fields.flag("admitted", run.admitted);
  fields.texts("console", run.console);
  if (run.id.empty() || run.nonce.empty()) fields.fail("run");
  run.state.attempt = static_cast<int>(attempt);
  run.failures = static_cast<int>(failures);
  if (auto read = fields.result(); !read) return std::move(read.error());
  return run;
}

Json installed_json(const registry::InstalledRecord& installed) {
  return Json::object()
      .set("disk", installed.disk)
      .set("image_sha256", installed.image_sha256)
      .set("nonce_sha256", installed.nonce_sha256)
      .set("reinstall", installed.reinstall);
}

Json erases_json(const std::vector<registry::EraseRecord>& erases) {
  Json out = Json::array();
  for (const auto& erase : erases) {
    out.push(Json::object()
                 .set("disk", erase.disk)
                 .set("level", erase.level)
                 .set("method", erase.method)
                 .set("verified", erase.verified)
                 .set("when", time_json(erase.when)));
  }
  return out;
}

Json last_run_json(const registry::RunRecord& run) {
  Json out = Json::object()
                 .set("action", run.action)
                 .set("commit", run.commit)
                 .set("started", time_json(run.started))
                 .set("done", run.outcome == registry::RunRecordOutcome::Done)
                 .set("message", run.message);
  if (run.finished) out.set("finished", time_json(*run.finished));
  return out;
}

Json baseline_json(const Baseline& baseline) {
  Json out = Json::object();
  if (baseline.accounts) {
    Json list = Json::array();
    for (const auto& account : *baseline.accounts) {
      list.push(Json::object()
                    .set("id", account.id)
                    .set("name", account.name)
                    .set("role", static_cast<std::int64_t>(account.role))
                    .set("enabled", account.enabled));
    }
    out.set("accounts", std::move(list));
  }
  if (baseline.firmware) {
    Json list = Json::array();
    for (const auto& one : *baseline.firmware) {
      list.push(Json::object().set("component", one.component).set("version", one.version));
    }
    out.set("firmware", std::move(list));
  }
  if (baseline.boot_order) {
    Json list = Json::array();
    for (const auto& one : *baseline.boot_order) list.push(Json::object().set("id", one.id).set("name", one.name));
    out.set("boot_order", std::move(list));
  }
  return out;
}

void read_account(JsonFields& each, Account& account) {
  std::int64_t role = 0;
  each.text("id", account.id);
  each.text("name", account.name);
  each.number("role", role);
  each.flag("enabled", account.enabled);
  account.role = static_cast<AccountRole>(role);
}

Result<> read_baseline(const Json& json, Baseline& out) {
  const auto read_version = [](JsonFields& each, FirmwareVersion& one) {
    each.text("component", one.component);
    each.text("version", one.version);
  };
  const auto read_entry = [](JsonFields& each, BootEntry& one) {
    each.text("id", one.id);
    each.text("name", one.name);
  };
  JsonFields fields(json);
  if (json["accounts"].is_array()) fields.list("accounts", out.accounts.emplace(), read_account);
  if (json["firmware"].is_array()) fields.list("firmware", out.firmware.emplace(), read_version);
  if (json["boot_order"].is_array()) fields.list("boot_order", out.boot_order.emplace(), read_entry);
  return fields.result();
}

Json checks_json(const std::vector<registry::CheckRecord>& checks) {
  Json out = Json::array();
  for (const auto& check : checks) {
    out.push(Json::object().set("what", check.what).set("result", check.result).set("detail", check.detail));
  }
  return out;
}

Json seen_json(const registry::RamdiskRecord& seen) {
  Json neighbours = Json::array();
  for (const auto& one : seen.neighbours) {
    neighbours.push(
        Json::object().set("nic", one.nic).set("system", one.system).set("chassis", one.chassis).set("port", one.port));
  }
  Json pci = Json::array();
  for (const auto& one : seen.pci) {
    pci.push(Json::object().set("address", one.address).set("class", one.kind).set("id", one.id));
  }
  Json disks = Json::array();
  for (const auto& one : seen.disks) {
    disks.push(Json::object().set("id", one.id).set("serial", one.serial).set("bytes", one.bytes));
  }
  return Json::object()
      .set("tpm", seen.tpm)
      .set("cpus", seen.cpus)
      .set("memory", seen.memory_bytes)
      .set("disks", std::move(disks))
      .set("macs", texts_json(seen.macs))
      .set("neighbours", std::move(neighbours))
      .set("pci", std::move(pci));
}

Result<> read_seen(const Json& json, registry::RamdiskRecord& seen) {
  const auto read_neighbour = [](JsonFields& each, registry::RamdiskRecord::Neighbour& one) {
    each.text("nic", one.nic);
    each.text("system", one.system);
    each.text("chassis", one.chassis);
    each.text("port", one.port);
  };
  const auto read_pci = [](JsonFields& each, registry::RamdiskRecord::Pci& one) {
    each.text("address", one.address);
    each.text("class", one.kind);
    each.text("id", one.id);
  };
  JsonFields fields(json);
  fields.text("tpm", seen.tpm);
  fields.number("cpus", seen.cpus);
  fields.number("memory", seen.memory_bytes);
  fields.list("disks", seen.disks, [](JsonFields& each, registry::RamdiskRecord::Disk& one) {
    each.text("id", one.id);
    each.text("serial", one.serial);
    each.number("bytes", one.bytes);
  });
  fields.texts("macs", seen.macs);
  fields.list("neighbours", seen.neighbours, read_neighbour);
  fields.list("pci", seen.pci, read_pci);
  return fields.result();
}

void read_erase(JsonFields& each, registry::EraseRecord& erase) {
  each.text("disk", erase.disk);
  each.text("level", erase.level);
  each.text("method", erase.method);
  each.flag("verified", erase.verified);
  read_time(each, "when", erase.when);
}

void read_check(JsonFields& each, registry::CheckRecord& check) {
  each.text("what", check.what);
  each.text("result", check.result);
  each.text("detail", check.detail);
}

Result<> read_rest(const Json& json, LifeRecord& record) {
  if (const Json& item = json["installed"]; item.is_object()) {
    record.installed.emplace();
    JsonFields fields(item);
    fields.text("disk", record.installed->disk);
    fields.text("image_sha256", record.installed->image_sha256);
    fields.text("nonce_sha256", record.installed->nonce_sha256);
    fields.number("reinstall", record.installed->reinstall);
    if (auto read = fields.result(); !read) return read;
  }
  JsonFields lists(json);
  lists.list("erases", record.erases, read_erase);
  lists.list("checks", record.checks, read_check);
  if (auto read = lists.result(); !read) return read;
  if (const Json& item = json["seen"]; item.is_object()) {
    if (auto read = read_seen(item, record.seen.emplace()); !read) return read;
  }
  if (const Json& item = json["baseline"]; item.is_object()) {
    if (auto read = read_baseline(item, record.baseline.emplace()); !read) return read;
  }
  for (const auto& item : json["destroyed"].items()) {
    record.destroyed.emplace_back(std::chrono::milliseconds{item.as_int().value_or(0)});
  }
  if (const Json& item = json["last_run"]; item.is_object()) {
    auto& run = record.last_run.emplace();
    JsonFields fields(item);
    bool done = false;
    fields.text("action", run.action);
    fields.text("commit", run.commit);
    fields.text("message", run.message);
    fields.flag("done", done);
    read_time(fields, "started", run.started);
    run.finished.emplace();
    read_time(fields, "finished", *run.finished);
    run.outcome = done ? registry::RunRecordOutcome::Done : registry::RunRecordOutcome::Failed;
    if (auto read = fields.result(); !read) return read;
  }
  return {};
}

}  // namespace

bool untouched(const LifeRecord& record) {
  using enum reconcilers::RunPhase;
  if (!record.run || record.installed) return false;
  const auto& state = record.run->state;
  return state.kind == reconcilers::RunKind::Install && !record.begun &&
         (state.phase == Intent || state.phase == Prepare);
}

void drop_claim(LifeRecord& record) {
  record.run.reset();
  record.instance.clear();
  record.address.clear();
  record.unprotected = false;
  record.begun = false;
  record.displaced.clear();
  record.serviced = false;
  record.baseline.reset();
}

void note_destruction(LifeRecord& record, WallTime now) {
  constexpr std::size_t kMost = 20;
  record.destroyed.push_back(now);
  if (record.destroyed.size() > kMost) record.destroyed.erase(record.destroyed.begin());
}

std::string to_json(const LifeRecord& record) {
  Json out = Json::object()
                 .set("instance", record.instance)
                 .set("claimed", time_json(record.claimed))
                 .set("address", record.address)
                 .set("unprotected", record.unprotected)
                 .set("unprotected_commit", record.unprotected_commit)
                 .set("begun", record.begun)
                 .set("displaced", record.displaced)
                 .set("serviced", record.serviced)
                 .set("host_key", record.host_key)
                 .set("installed_for", record.installed_for)
                 .set("erases", erases_json(record.erases))
                 .set("disks", texts_json(record.disks))
                 .set("checks", checks_json(record.checks));
  if (record.baseline) out.set("baseline", baseline_json(*record.baseline));
  if (record.seen) out.set("seen", seen_json(*record.seen));
  if (record.run) out.set("run", run_json(*record.run));
  if (record.installed) out.set("installed", installed_json(*record.installed));
  Json destroyed = Json::array();
  for (const WallTime at : record.destroyed) destroyed.push(time_json(at));
  out.set("destroyed", std::move(destroyed));
  if (record.last_run) out.set("last_run", last_run_json(*record.last_run));
  return out.text();
}

Result<LifeRecord> parse_life(std::string_view text) {
  auto json = base::parse_json(text, {.bytes = std::size_t{2} << 20U, .depth = 8, .values = 10'000});
  if (!json) return std::move(json.error()).with("while reading the journal");
  LifeRecord record;
  JsonFields fields(*json);
  fields.text("instance", record.instance);
  read_time(fields, "claimed", record.claimed);
  fields.text("address", record.address);
  fields.flag("unprotected", record.unprotected);
  fields.text("unprotected_commit", record.unprotected_commit);
  fields.text("displaced", record.displaced);
  fields.flag("serviced", record.serviced);
  fields.text("host_key", record.host_key);
  fields.text("installed_for", record.installed_for);
  fields.texts("disks", record.disks);
  if (auto read = fields.result(); !read) return std::move(read.error());
  if (const Json& run = fields.child("run"); run.is_object()) {
    auto read = read_run(run);
    if (!read) return std::move(read.error()).with("while reading the journal");
    // Written before this was noted.
    record.begun = read->state.attempt > 1 || read->state.phase > reconcilers::RunPhase::Prepare;
    record.run = std::move(*read);
  }
  fields.flag("begun", record.begun);
  if (auto read = fields.result(); !read) return std::move(read.error());
  if (auto read = read_rest(*json, record); !read) return std::move(read.error()).with("while reading the journal");
  // Written before this was noted: there was no way to be installed for another one.
  if (record.installed && json->find("installed_for") == nullptr) record.installed_for = record.instance;
  return record;
}

}  // namespace nimbus::controller

#include "controller/install/records.hpp"

#include <algorithm>
#include <vector>

#include "base/json/json.hpp"
#include "boot/protocol/json_read.hpp"

namespace nimbus::controller {
namespace {

using base::Json;

std::vector<std::string> marks_of(const Identity& identity) {
  std::vector<std::string> marks;
  const auto add = [&](std::string_view kind, const std::string& value) {
    if (!value.empty() && !is_placeholder_identity(value)) marks.push_back(std::string(kind) + "=" + value);
  };
  add("serial", identity.serial);
  add("uuid", identity.uuid);
  add("guid", identity.bmc_guid);
  return marks;
}

std::string name_mark(const std::string& machine) { return "machine=" + machine; }

bool matches(const Identity& a, const Identity& b) {
  return match_identity(a, b).verdict == IdentityMatch::Verdict::Matches;
}

std::string to_text(const std::string& machine, const Identity& identity, const LifeRecord& record) {
  return Json::object()
      .set("machine", machine)
      .set("serial", identity.serial)
      .set("uuid", identity.uuid)
      .set("guid", identity.bmc_guid)
      .set("record", to_json(record))
      .text();
}

}  // namespace

Result<> LifeRecords::open() {
  if (open_) return {};
  auto texts = store_.recall_all(prefix_);
  if (!texts) return std::move(texts.error());
  for (const auto& [key, text] : *texts) {
    auto json = base::parse_json(text, {.bytes = std::size_t{3} << 20U, .depth = 8, .values = 10'000});
    if (!json) return std::move(json.error()).with("while reading the journal's " + key);
    Entry entry;
    std::string inner = text;  // as it was kept at first: by name, and without an identity
    entry.machine = key.substr(prefix_.size());
    if (json->find("record") != nullptr) {
      boot::JsonFields fields(*json);
      fields.text("machine", entry.machine);
      fields.text("serial", entry.identity.serial);
      fields.text("uuid", entry.identity.uuid);
      fields.text("guid", entry.identity.bmc_guid);
      fields.text("record", inner, std::size_t{2} << 20U);
      if (auto read = fields.result(); !read) return std::move(read.error()).with("while reading the journal's " + key);
    }
    auto record = parse_life(inner);
    if (!record) return std::move(record.error()).with("while reading the record of " + entry.machine);
    entry.record = std::move(*record);
    index(key, entry);
    entries_[key] = std::move(entry);
  }
  open_ = true;
  return {};
}

void LifeRecords::index(const std::string& key, const Entry& entry) {
  for (auto& mark : marks_of(entry.identity)) by_mark_[std::move(mark)] = key;
  by_mark_[name_mark(entry.machine)] = key;
}

std::string LifeRecords::find(const std::string& machine, const Declared& declared) const {
  const Identity& identity = declared.at(machine);
  for (const auto& mark : marks_of(identity)) {
    const auto known = by_mark_.find(mark);
    if (known == by_mark_.end()) continue;
    if (matches(identity, entries_.at(known->second).identity)) return known->second;
  }
  // Nothing is known of this hardware. What was known of the file stays with it, unless
  // it is another machine's now.
  const auto known = by_mark_.find(name_mark(machine));
  if (known == by_mark_.end()) return {};
  const Entry& entry = entries_.at(known->second);
  if (entry.machine != machine) return {};
  const bool moved = std::any_of(declared.begin(), declared.end(), [&](const auto& other) {
    return other.first != machine && matches(other.second, entry.identity);
  });
  return moved ? std::string() : known->second;
}

std::string LifeRecords::new_key(const std::string& machine, const Identity& identity) const {
  const auto marks = marks_of(identity);
  std::string key = prefix_ + (marks.empty() ? name_mark(machine) : marks.front());
  while (entries_.contains(key)) key += "+";
  return key;
}

Result<std::string> LifeRecords::keep(const std::string& key, const std::string& machine, const Identity& identity,
                                      const LifeRecord& record) {
  const std::string at = key.empty() ? new_key(machine, identity) : key;
  if (auto kept = store_.remember(at, to_text(machine, identity, record)); !kept) return std::move(kept.error());
  Entry& entry = entries_[at];
  const bool same = entry.machine == machine && entry.identity == identity;
  entry = {machine, identity, record};
  if (!same) index(at, entry);
  return at;
}

Result<> LifeRecords::give(const std::string& key, const std::string& machine, const Identity& identity) {
  const Entry entry = entries_.at(key);
  if (entry.machine == machine && entry.identity == identity) return {};
  auto kept = keep(key, machine, identity, entry.record);
  if (!kept) return std::move(kept.error());
  return {};
}

std::map<std::string, LifeRecords::Absent> LifeRecords::absent(const std::set<std::string>& present) const {
  std::map<std::string, Absent> out;
  for (const auto& [key, entry] : entries_) {
    const auto& record = entry.record;
    if (!record.instance.empty() && record.displaced.empty() && !present.contains(key))
      out[record.instance] = {entry.machine, record.address};
  }
  return out;
}

Result<> LifeRecords::drop_untouched(const std::set<std::string>& present) {
  for (auto& [key, entry] : entries_) {
    if (present.contains(key) || !untouched(entry.record)) continue;
    LifeRecord freed = entry.record;
    drop_claim(freed);
    if (auto kept = keep(key, entry.machine, entry.identity, freed); !kept) return std::move(kept.error());
  }
  return {};
}

}  // namespace nimbus::controller

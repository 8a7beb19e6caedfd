#include "boot/protocol/report.hpp"

#include "base/json/json.hpp"
#include "boot/protocol/json_read.hpp"

namespace nimbus::boot {
namespace {

using base::Json;
constexpr std::size_t kMostItems = 256;

Json disk_json(const DiskReport& disk) {
  return Json::object()
      .set("id", disk.id)
      .set("serial", disk.serial)
      .set("wwn", disk.wwn)
      .set("model", disk.model)
      .set("path", disk.path)
      .set("bytes", disk.bytes);
}

Json inventory_json(const Inventory& inventory) {
  Json disks = Json::array();
  for (const auto& disk : inventory.disks) disks.push(disk_json(disk));
  Json macs = Json::array();
  for (const auto& mac : inventory.macs) macs.push(mac);
  Json neighbours = Json::array();
  for (const auto& one : inventory.neighbours) {
    neighbours.push(
        Json::object().set("nic", one.nic).set("chassis", one.chassis).set("port", one.port).set("system", one.system));
  }
  Json pci = Json::array();
  for (const auto& one : inventory.pci) {
    pci.push(Json::object().set("address", one.address).set("class", one.kind).set("id", one.id));
  }
  return Json::object()
      .set("serial", inventory.identity.serial)
      .set("uuid", inventory.identity.uuid)
      .set("cpus", inventory.cpus)
      .set("memory_bytes", inventory.memory_bytes)
      .set("disks", std::move(disks))
      .set("macs", std::move(macs))
      .set("tpm", inventory.tpm)
      .set("neighbours", std::move(neighbours))
      .set("pci", std::move(pci));
}

Json erase_json(const EraseReport& erased) {
  return Json::object()
      .set("disk", erased.disk)
      .set("level", erased.level)
      .set("method", erased.method)
      .set("verified", erased.verified)
      .set("error", erased.error);
}

void read_surroundings(JsonFields& fields, Inventory& inventory) {
  const auto read_neighbour = [](JsonFields& each, NeighbourReport& one) {
    each.text("nic", one.nic);
    each.text("chassis", one.chassis);
    each.text("port", one.port);
    each.text("system", one.system);
  };
  const auto read_pci = [](JsonFields& each, PciReport& one) {
    each.text("address", one.address);
    each.text("class", one.kind);
    each.text("id", one.id);
  };
  fields.list("neighbours", inventory.neighbours, read_neighbour, kMostItems);
  fields.list("pci", inventory.pci, read_pci, kMostItems);
}

Result<> read_inventory(const Json& json, Inventory& inventory) {
  if (json.is_null()) return {};
  JsonFields fields(json);
  fields.text("serial", inventory.identity.serial);
  fields.text("uuid", inventory.identity.uuid);
  fields.number("cpus", inventory.cpus);
  fields.number("memory_bytes", inventory.memory_bytes);
  fields.texts("macs", inventory.macs, kMostItems);
  fields.text("tpm", inventory.tpm);
  read_surroundings(fields, inventory);
  const auto read_disk = [](JsonFields& each, DiskReport& disk) {
    each.text("id", disk.id);
    each.text("serial", disk.serial);
    each.text("wwn", disk.wwn);
    each.text("model", disk.model);
    each.text("path", disk.path);
    each.number("bytes", disk.bytes);
  };
  fields.list("disks", inventory.disks, read_disk, kMostItems);
  return fields.result();
}

void read_erased(JsonFields& each, EraseReport& one) {
  each.text("disk", one.disk);
  each.text("level", one.level);
  each.text("method", one.method);
  each.flag("verified", one.verified);
  each.text("error", one.error);
}

}  // namespace

std::string to_json(const Report& report) {
  Json erased = Json::array();
  for (const auto& one : report.erased) erased.push(erase_json(one));
  return Json::object()
      .set("run", report.run)
      .set("nonce", report.nonce)
      .set("stage", std::string(name_of(report.stage)))
      .set("done_bytes", report.done_bytes)
      .set("all_bytes", report.all_bytes)
      .set("disk", report.disk)
      .set("host_key", report.host_key)
      .set("message", report.message)
      .set("inventory", inventory_json(report.inventory))
      .set("erased", std::move(erased))
      .text();
}

Result<Report> parse_report(std::string_view text) {
  auto json = base::parse_json(text, {.bytes = kMostReportBytes, .depth = 8, .values = 10'000});
  if (!json) return std::move(json.error()).with("while reading a report");
  Report report;
  JsonFields fields(*json);
  fields.text("run", report.run, 128);
  fields.text("nonce", report.nonce, 128);
  fields.choice("stage", report.stage);
  fields.number("done_bytes", report.done_bytes);
  fields.number("all_bytes", report.all_bytes);
  fields.text("disk", report.disk);
  fields.text("host_key", report.host_key);
  fields.text("message", report.message);
  if (json->find("stage") == nullptr) fields.fail("stage");
  if (auto read = fields.result(); !read) return std::move(read.error()).with("while reading a report");
  if (auto read = read_inventory(fields.child("inventory"), report.inventory); !read) return std::move(read.error());
  fields.list("erased", report.erased, read_erased, kMostItems);
  if (auto read = fields.result(); !read) return std::move(read.error());
  return report;
}

}  // namespace nimbus::boot

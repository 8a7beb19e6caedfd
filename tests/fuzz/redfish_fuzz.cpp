// Any bytes as what a BMC sends: documents, error bodies, links, headers. The first
// byte says which; promises that the driver relies on are checked.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "drivers/redfish/accounts.hpp"
#include "drivers/redfish/boot_document.hpp"
#include "drivers/redfish/boot_order.hpp"
#include "drivers/redfish/documents.hpp"
#include "drivers/redfish/error_body.hpp"
#include "drivers/redfish/event_log.hpp"
#include "drivers/redfish/hints.hpp"
#include "drivers/redfish/inventory_documents.hpp"
#include "drivers/redfish/media.hpp"
#include "drivers/redfish/origin.hpp"
#include "drivers/redfish/quirks.hpp"
#include "drivers/redfish/reset_types.hpp"
#include "drivers/redfish/sensors.hpp"
#include "drivers/redfish/settings.hpp"
#include "drivers/redfish/tasks.hpp"

using namespace nimbus;
using namespace nimbus::redfish;

namespace {

void require(bool ok) {
  if (!ok) std::abort();
}

bool is_one_line(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

void parts(const base::Json& json) {
  (void)read_processor(json);
  if (const auto module = read_memory_module(json)) require(module->size.has_value());
  if (const auto drive = read_drive(json)) require(drive->size || !drive->serial.empty());
  require(read_simple_devices(json).size() <= kMostMembers);
  if (const auto port = read_network_port(json)) require(port->mac.size() == 17);
  if (const auto version = read_firmware(json)) require(!version->version.empty());
  for (const auto& sensor : read_thermal(json)) require(!sensor.name.empty());
  for (const auto& sensor : read_power_readings(json)) require(!sensor.name.empty());
  (void)read_sensor(json);
  (void)read_log_entry(json);
  (void)rank_of_log(json);
}

void manageable(const base::Json& json) {
  require(is_one_line(read_task(json).message));
  (void)read_media(json);
  (void)read_account(json);
  const auto bios = read_bios(json);
  for (const auto& [name, now] : bios.attributes.members()) {
    // What is shown can be asked for, in the type that it has.
    const std::string text = attribute_text(now);
    if (text.empty()) continue;
    if (const auto value = attribute_value(name, text, now)) require(attribute_text(*value) == text);
  }
}

void documents(std::string_view text) {
  const auto json = parse_document(text);
  if (!json) return;
  const auto root = read_service_root(*json);
  const auto system = read_system(*json);
  require(system.serial.size() <= 1024 && root.vendor.size() <= 1024);
  require(read_members(*json).size() <= kMostMembers);
  require(system.managers.size() <= kMostMembers);
  (void)read_manager(*json);
  (void)read_own_link(*json);
  const auto order = read_boot_order(*json).order;
  if (!order.empty()) {
    const auto changed = reordered(order, {order.back()});
    require(changed && changed->front() == order.back() && changed->size() <= order.size());
  }
  require(read_event_service(*json).stream.size() <= 1024);
  (void)is_hint(text);
  (void)matches(BmcKind{.vendor = root.vendor,
                        .manufacturer = system.manufacturer,
                        .model = system.model,
                        .firmware = read_manager(*json).firmware_version},
                Effect::CdBootsPhysical);
  parts(*json);
  manageable(*json);
  const auto boot = read_boot(*json);
  const auto shown = shown_override(boot, {});
  (void)shown_override({}, boot);
  if (shown) {
    // What is shown can be asked for, if the BMC offers it: then nothing is left to do.
    const auto change = boot_change(*shown, boot, {}, Send::Changed, ModeToo::No);
    if (change && shown->device == BootDevice::Pxe) require(change->for_settings.is_null());
    (void)boot_change({.device = BootDevice::Cd}, boot, boot, Send::All, ModeToo::Yes);
  }
  for (const auto action : {PowerAction::On, PowerAction::SoftOff, PowerAction::HardOff, PowerAction::Reset}) {
    (void)choose_reset_type(action, read_reset_types(*json));
    if (system.reset) (void)choose_reset_type(action, system.reset->allowable);
  }
}

void errors(std::string_view text) {
  const auto body = parse_error_body(text);
  require(body.messages.size() <= 17);
  require(is_one_line(body.text()) && body.text().size() < 1000);
  for (const int status : {200, 302, 400, 401, 404, 409, 500, 503}) {
    const base::ClientResponse response{
        .status = status, .headers = {{"Retry-After", std::string(text.substr(0, 40))}}, .body = {}};
    require(is_one_line(refusal(response, body).message));
  }
}

void links(std::string_view text) {
  const auto origin = Origin::parse("https://bmc.example:8443");
  const auto target = origin->target(text);
  if (target) {
    require(target->starts_with('/') && !target->starts_with("//") && is_one_line(*target));
    require(target->find_first_of(" #") == std::string::npos);
  }
  if (const auto other = Origin::parse(text))
    require(other->text().starts_with("https://") && is_one_line(other->text()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      documents(text);
      break;
    case 1:
      errors(text);
      break;
    default:
      links(text);
      break;
  }
  return 0;
}

// What a BMC answers inside a session: sensor records and readings, event log, boot
// flags, device id, console, users, network settings. The first byte chooses which.
#include <cmath>
#include <cstdint>
#include <string>

#include "base/text/text.hpp"
#include "drivers/ipmi/accounts.hpp"
#include "drivers/ipmi/boot.hpp"
#include "drivers/ipmi/device.hpp"
#include "drivers/ipmi/event_log.hpp"
#include "drivers/ipmi/inventory.hpp"
#include "drivers/ipmi/sensors.hpp"
#include "drivers/ipmi/sol.hpp"

using namespace nimbus::ipmi;

namespace {

void check_text(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) __builtin_trap();
  }
  if (!nimbus::base::is_valid_utf8(text)) __builtin_trap();
}

/// A record, and readings of it from what follows the record.
void sensors(Bytes data) {
  const auto record = parse_sdr(data);
  if (!record) return;
  if (record->fru) check_text(record->fru->name);
  if (!record->sensor) return;
  const auto& sensor = *record->sensor;
  check_text(sensor.name);
  const std::size_t size = kSdrHeaderBytes + data[4];
  const auto reading = parse_reading(sensor, data.subspan(size));
  check_text(reading.name);
  check_text(reading.state);
  if (reading.value && !std::isfinite(*reading.value)) __builtin_trap();
  const SdrRepository::Contents contents{.sensors = {sensor}, .frus = {}};
  const auto entry = describe_event(data.subspan(size), &contents);
  check_text(entry.message);
  check_text(entry.sensor);
}

/// Payloads of a console: each a length and its bytes. Never more room than there is,
/// never two packets under way, and what was put comes out in order.
void console(Bytes data) {
  SolChannel channel(7);
  Reader in(data);
  std::size_t room = 64;
  channel.put("abcdefghijklmnopqrstuvwxyz");
  channel.put_break();
  while (in.left() != 0) {
    const std::size_t size = in.u8();
    const auto got = channel.receive(in.bytes(std::min(size, in.left())), room);
    if (!got) continue;
    if (got->characters.size() > room) __builtin_trap();
    room -= got->characters.size();
    const auto packet = channel.next();
    if (packet && packet->size() > kSolHeaderBytes + 7) __builtin_trap();
    if (packet && channel.next()) __builtin_trap();
    if (room < 8) room = 64;
  }
}

void users(Bytes data) {
  const auto access = parse_user_access(data);
  if (access.has_value() != (data.size() >= 4)) __builtin_trap();
  if (access && access->slots > 63) __builtin_trap();
  check_text(parse_user_name(data));
}

/// Six values, each a length and its bytes.
void network(Bytes data) {
  Reader in(data);
  const auto value = [&] {
    const std::size_t size = in.u8() % 8U;
    return in.bytes(std::min(size, in.left()));
  };
  LanValues values;
  for (auto* one : {&values.address, &values.source, &values.mac, &values.mask, &values.gateway, &values.vlan}) {
    *one = value();
  }
  const auto settings = describe_network(values);
  for (const auto* text : {&settings.address, &settings.mask, &settings.gateway}) {
    if (!text->empty() && (text->size() < 7 || text->size() > 15)) __builtin_trap();
  }
  if (!settings.mac.empty() && settings.mac.size() != 17) __builtin_trap();
  if (settings.vlan && *settings.vlan > 4095) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto rest = Bytes(data, size).subspan(1);
  switch (data[0] % 6) {
    case 0:
      sensors(rest);
      break;
    case 1: {
      const auto entry = describe_event(rest, nullptr);
      check_text(entry.message);
      check_text(entry.sensor);
      break;
    }
    case 2: {
      const auto flags = parse_boot_flags(rest);
      if (flags) (void)decode_boot_flags(*flags, {}).has_value();
      (void)parse_device_id(rest).has_value();
      if (const auto activation = parse_activation(rest)) {
        if (activation->most_characters == 0 || activation->most_characters > kMaxSolCharacters) __builtin_trap();
      }
      break;
    }
    case 4:
      users(rest);
      break;
    case 5:
      network(rest);
      break;
    default:
      console(rest);
      break;
  }
  return 0;
}

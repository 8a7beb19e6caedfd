// Transport commands: LAN and SOL configuration (IPMI 2.0, sections 23 and 26).
#include <algorithm>

#include "simulator/ipmi/commands.hpp"

namespace nimbus::simulator::ipmi {
namespace {

constexpr std::uint8_t kNetFn = 0x0c;
constexpr std::uint8_t kRevision = 0x11;
constexpr std::uint8_t kRevisionOnly = 0x80;

// LAN parameters (table 23-4).
constexpr std::uint8_t kAddress = 3, kAddressSource = 4, kMac = 5, kNetmask = 6, kGateway = 12;

template <std::size_t N>
void append(Buffer& out, const std::array<std::uint8_t, N>& bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

std::uint8_t get_lan(Exchange& x) {
  x.reply = {kRevision};
  if ((x.request[0] & kRevisionOnly) != 0) return kOk;
  const auto& lan = x.machine.lan;
  const auto put = [&](std::initializer_list<std::uint8_t> bytes) { x.reply.insert(x.reply.end(), bytes); };
  switch (x.request[1]) {
    case 0:
      put({0x00});
      return kOk;  // set in progress
    case 1:
      put({0x00});
      return kOk;  // IPMI 1.5 authentication types: none
    case 2:
      put({0, 0, 0, 0, 0});
      return kOk;
    case kAddress:
      append(x.reply, lan.address);
      return kOk;
    case kAddressSource:
      put({lan.address_source});
      return kOk;
    case kMac:
      append(x.reply, x.machine.identity.bmc_mac);
      return kOk;
    case kNetmask:
      append(x.reply, lan.netmask);
      return kOk;
    case 7:
      put({0x40, 0x40, 0x10});
      return kOk;  // TTL, flags, type of service
    case 8:
    case 9:
      put16(x.reply, x.machine.lan.port);
      return kOk;  // port 623
    case 10:
      put({0x00});
      return kOk;  // no gratuitous ARP
    case 11:
      put({0x00});
      return kOk;
    case kGateway:
      append(x.reply, lan.gateway);
      return kOk;
    case 13:
    case 15:
      put({0, 0, 0, 0, 0, 0});
      return kOk;
    case 14:
      put({0, 0, 0, 0});
      return kOk;
    case 16:
      x.reply.insert(x.reply.end(), 18, 0);
      return kOk;  // community string
    case 17:
      put({0x00});
      return kOk;  // alert destinations
    case 20:
      put({0, 0});
      return kOk;  // no VLAN
    case 21:
      put({0});
      return kOk;
    case 22:
      put({static_cast<std::uint8_t>(x.machine.quirks.has(Quirk::NoSuite17) ? 1 : 2)});
      return kOk;
    case 23:
      put({0x00, 3});
      if (!x.machine.quirks.has(Quirk::NoSuite17)) put({17});
      return kOk;
    case 24:
      put({0x00, 0x44, 0, 0, 0, 0, 0, 0, 0});
      return kOk;  // both suites up to administrator
    case 26:
      put({0, 0, 0, 0, 0, 0});
      return kOk;
    default:
      x.reply.clear();
      return kNotSupportedParameter;
  }
}

template <std::size_t N>
std::uint8_t store(std::array<std::uint8_t, N>& field, Bytes data) {
  if (data.size() < N) return kLengthInvalid;
  std::copy_n(data.begin(), N, field.begin());
  return kOk;
}

std::uint8_t set_lan(Exchange& x) {
  const Bytes data = x.request.subspan(2);
  auto& lan = x.machine.lan;
  switch (x.request[1]) {
    case 0:
      return kOk;
    case kAddress:
      return store(lan.address, data);
    case kAddressSource:
      if (data.empty()) return kLengthInvalid;
      lan.address_source = data[0] & 0x0f;
      return kOk;
    case kNetmask:
      return store(lan.netmask, data);
    case kGateway:
      return store(lan.gateway, data);
    case kMac:
    case 1:
    case 22:
    case 23:
      return 0x82;  // read-only
    default:
      return kNotSupportedParameter;
  }
}

std::uint8_t get_sol(Exchange& x) {
  x.reply = {kRevision};
  if ((x.request[0] & kRevisionOnly) != 0) return kOk;
  const auto put = [&](std::initializer_list<std::uint8_t> bytes) { x.reply.insert(x.reply.end(), bytes); };
  switch (x.request[1]) {
    case 0:
      put({0x00});
      return kOk;
    case 1:
      put({0x01});
      return kOk;  // enabled
    case 2:
      put({0x82});
      return kOk;  // encrypted, user privilege
    case 3:
      put({0x0c, 0x60});
      return kOk;  // accumulate interval, threshold
    case 4:
      put({0x07, 0x32});
      return kOk;  // 7 retries, 500 ms
    case 5:
    case 6:
      put({0x0a});
      return kOk;  // 115.2 kbps
    case 7:
      put({0x01});
      return kOk;  // channel
    case 8:
      put16(x.reply, x.machine.lan.port);
      return kOk;  // port 623
    default:
      x.reply.clear();
      return kNotSupportedParameter;
  }
}

using enum Effect;
constexpr Command kCommands[] = {
    {kNetFn, 0x01, "set-lan-configuration", Privilege::Administrator, 3, Writes, set_lan},
    {kNetFn, 0x02, "get-lan-configuration", Privilege::Operator, 4, Reads, get_lan},
    {kNetFn, 0x22, "get-sol-configuration", Privilege::User, 4, Reads, get_sol},
};

}  // namespace

std::span<const Command> transport_commands() noexcept { return kCommands; }

}  // namespace nimbus::simulator::ipmi

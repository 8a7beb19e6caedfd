// User commands (IPMI 2.0, sections 22.26 to 22.30 and 24.6).
#include <algorithm>
#include <string>

#include "simulator/ipmi/commands.hpp"

namespace nimbus::simulator::ipmi {
namespace {

constexpr std::uint8_t kNetFn = 0x06;
constexpr std::uint8_t kUserMask = 0x3f;

/// A fixed-size field: the text ends at the first zero byte.
std::string text_of(Bytes field) {
  const auto end = std::find(field.begin(), field.end(), std::uint8_t{0});
  return {field.begin(), end};
}

std::uint8_t set_access(Exchange& x) {
  Account* account = x.machine.accounts.slot(x.request[1] & kUserMask);
  if (account == nullptr) return kOutOfRange;
  const std::uint8_t limit = x.request[2] & 0x0f;
  account->privilege = limit > 4 ? Privilege::None : static_cast<Privilege>(limit);
  return kOk;
}

std::uint8_t get_access(Exchange& x) {
  const std::uint8_t id = x.request[1] & kUserMask;
  const Account* account = x.machine.accounts.slot(id);
  if (account == nullptr) return kOutOfRange;
  unsigned enabled = 0;
  for (std::uint8_t i = 1; i <= Accounts::kSlots; ++i) enabled += x.machine.accounts.slot(i)->enabled ? 1U : 0U;
  const unsigned limit = account->privilege == Privilege::None ? 0x0f : static_cast<unsigned>(account->privilege);
  x.reply = {Accounts::kSlots, static_cast<std::uint8_t>((account->enabled ? 0x40U : 0x80U) | enabled), 0x01,
             static_cast<std::uint8_t>((account->enabled ? 0x30U : 0x00U) | limit)};
  return kOk;
}

std::uint8_t set_name(Exchange& x) {
  const std::uint8_t id = x.request[0] & kUserMask;
  Account* account = x.machine.accounts.slot(id);
  if (account == nullptr || id == 1) return kOutOfRange;
  std::string name = text_of(x.request.subspan(1, Accounts::kMaxName));
  for (std::uint8_t i = 1; i <= Accounts::kSlots && !name.empty(); ++i) {
    if (i != id && x.machine.accounts.slot(i)->name == name) return kInvalidField;
  }
  account->name = std::move(name);
  return kOk;
}

std::uint8_t get_name(Exchange& x) {
  const Account* account = x.machine.accounts.slot(x.request[0] & kUserMask);
  if (account == nullptr) return kOutOfRange;
  x.reply.assign(account->name.begin(), account->name.end());
  x.reply.resize(Accounts::kMaxName, 0);
  return kOk;
}

std::uint8_t set_password(Exchange& x) {
  const std::uint8_t id = x.request[0] & kUserMask;
  const bool long_form = (x.request[0] & 0x80) != 0;
  Account* account = x.machine.accounts.slot(id);
  if (account == nullptr) return kOutOfRange;
  const std::size_t size = long_form ? 20 : 16;
  switch (x.request[1] & 0x03) {
    case 0:
      account->enabled = false;
      return kOk;
    case 1:
      account->enabled = true;
      return kOk;
    case 2:
      if (x.request.size() < 2 + size) return kLengthInvalid;
      account->password = Secret(text_of(x.request.subspan(2, size)));
      account->long_password = long_form;
      return kOk;
    default: {
      if (x.request.size() < 2 + size) return kLengthInvalid;
      if (long_form != account->long_password) return 0x81;  // wrong size
      return Secret(text_of(x.request.subspan(2, size))) == account->password ? kOk : std::uint8_t{0x80};
    }
  }
}

std::uint8_t set_payload_access(Exchange& x) {
  Account* account = x.machine.accounts.slot(x.request[1] & kUserMask);
  if (account == nullptr) return kOutOfRange;
  if ((x.request[2] & 0x02) != 0) account->sol_allowed = (x.request[1] & 0xc0) == 0;
  return kOk;
}

std::uint8_t get_payload_access(Exchange& x) {
  const Account* account = x.machine.accounts.slot(x.request[1] & kUserMask);
  if (account == nullptr) return kOutOfRange;
  x.reply = {static_cast<std::uint8_t>(account->sol_allowed ? 0x02 : 0x00), 0, 0, 0};
  return kOk;
}

using enum Effect;
constexpr Command kCommands[] = {
    {kNetFn, 0x43, "set-user-access", Privilege::Administrator, 3, Writes, set_access},
    {kNetFn, 0x44, "get-user-access", Privilege::Operator, 2, Reads, get_access},
    {kNetFn, 0x45, "set-user-name", Privilege::Administrator, 17, Writes, set_name},
    {kNetFn, 0x46, "get-user-name", Privilege::Operator, 1, Reads, get_name},
    {kNetFn, 0x47, "set-user-password", Privilege::Administrator, 2, Writes, set_password},
    {kNetFn, 0x4c, "set-user-payload-access", Privilege::Administrator, 6, Writes, set_payload_access},
    {kNetFn, 0x4d, "get-user-payload-access", Privilege::Operator, 2, Reads, get_payload_access},
};

}  // namespace

std::span<const Command> account_commands() noexcept { return kCommands; }

}  // namespace nimbus::simulator::ipmi

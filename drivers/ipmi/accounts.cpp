#include "drivers/ipmi/accounts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"
#include "drivers/ipmi/rakp.hpp"

namespace nimbus::ipmi {
namespace {

constexpr std::uint8_t kThisChannel = 0x0E;
constexpr std::uint8_t kFirstNamedUser = 2;  // 1 is the null user, whose name cannot change
constexpr std::size_t kShortPassword = 16;

enum class PasswordOperation : std::uint8_t { Disable = 0, Enable = 1, Set = 2, Test = 3 };

/// A slot as it is; the name is empty where nobody has it.
struct Slot {
  std::uint8_t id = 0;
  std::uint8_t slots = 0;  // how many the BMC has
  Account account;
};

std::uint8_t privilege_of(AccountRole role) noexcept {
  switch (role) {
    case AccountRole::ReadOnly:
      return 2;
    case AccountRole::Operator:
      return 3;
    case AccountRole::Administrator:
      return 4;
    case AccountRole::None:
    case AccountRole::Other:
      break;
  }
  return 0x0F;  // no access
}

AccountRole role_of(std::uint8_t privilege) noexcept {
  switch (privilege) {
    case 2:
      return AccountRole::ReadOnly;
    case 3:
      return AccountRole::Operator;
    case 4:
      return AccountRole::Administrator;
    case 0x0F:
      return AccountRole::None;
    default:
      return AccountRole::Other;
  }
}

/// Questions about users either may open a session, or must stay on the present one.
using Ask = std::function<Result<std::vector<std::uint8_t>>(const Request&)>;

Ask ask_on_present(Client& client, const Call& call) {
  return [&](const Request& request) -> Result<std::vector<std::uint8_t>> {
    auto reply = client.ask_present(request, call);
    if (!reply) return std::move(reply.error());
    if (reply->completion != kOk) return completion_error(request, reply->completion);
    return std::move(reply->data);
  };
}

Result<Slot> read_slot(const Ask& ask, std::uint8_t id) {
  const auto access =
      ask({.net_fn = NetFn::App, .command = 0x44, .data = {kThisChannel, id}, .name = "Get User Access"});
  if (!access) return access.error();
  const auto parsed = parse_user_access(*access);
  if (!parsed) return parsed.error();
  Slot slot{.id = id, .slots = parsed->slots, .account = {}};
  const auto name = ask({.net_fn = NetFn::App, .command = 0x46, .data = {id}, .name = "Get User Name"});
  if (name) {
    slot.account.name = parse_user_name(*name);
  } else if (name.error().code != Code::Unsupported && name.error().code != Code::NotFound) {
    return name.error();  // some BMCs say 0xCC or 0xCB for a slot without a name
  }
  slot.account.id = std::to_string(id);
  slot.account.role = parsed->role;
  slot.account.enabled = parsed->enabled;
  return slot;
}

Result<std::vector<Slot>> read_slots(const Ask& ask) {
  std::vector<Slot> out;
  for (std::uint8_t id = 1; out.empty() || id <= out.front().slots; ++id) {
    auto slot = read_slot(ask, id);
    if (!slot) return std::move(slot.error());
    out.push_back(std::move(*slot));
  }
  return out;
}

Result<> tell(Client& client, const Request& request, const Call& call) {
  // All of these say what shall be, so they may be repeated.
  const auto reply = client.tell(request, Repeat::WhileUnanswered, call);
  if (!reply) return reply.error();
  if (reply->completion != kOk) return completion_error(request, reply->completion);
  return {};
}

Request password_request(std::uint8_t id, PasswordOperation operation, const Secret* password = nullptr) {
  Request request{.net_fn = NetFn::App, .command = 0x47, .name = "Set User Password"};
  const bool is_long = password != nullptr && password->reveal().size() > kShortPassword;
  request.data = {static_cast<std::uint8_t>(id | (is_long ? 0x80U : 0U)), static_cast<std::uint8_t>(operation)};
  if (password == nullptr) return request;
  const auto bytes = base::as_bytes(password->reveal());
  request.data.reserve(2 + kMaxPasswordBytes);
  request.data.insert(request.data.end(), bytes.begin(), bytes.end());
  request.data.resize(2 + (is_long ? kMaxPasswordBytes : kShortPassword), 0);
  return request;
}

Result<> set_password(Client& client, std::uint8_t id, const Secret& password, const Call& call) {
  const auto request = password_request(id, PasswordOperation::Set, &password);
  const auto reply = client.tell(request, Repeat::WhileUnanswered, call);
  if (!reply) return reply.error();
  const bool length = reply->completion == kInvalidLength || reply->completion == kLengthLimitExceeded;
  if (length && password.reveal().size() > kShortPassword) {
    return Error{Code::Invalid, "this BMC keeps passwords of at most 16 bytes"};
  }
  if (reply->completion != kOk) return completion_error(request, reply->completion);
  // Asked back at once: some BMCs cut a password and say nothing.
  const auto test = password_request(id, PasswordOperation::Test, &password);
  const auto tested = client.ask_present(test, call);
  if (!tested) return tested.error();
  if (tested->completion == 0x80 || tested->completion == 0x81) {
    return Error{Code::Invalid, "the BMC took the password and does not accept it"};
  }
  return {};  // other refusals: it does not know the test
}

Result<> set_access(Client& client, std::uint8_t id, AccountRole role, const Call& call) {
  // 0x90: change these bits; messaging over the network allowed. The channel is the one
  // that this arrives on.
  const auto first = static_cast<std::uint8_t>(0x90U | kThisChannel);
  return tell(
      client,
      {.net_fn = NetFn::App, .command = 0x43, .data = {first, id, privilege_of(role), 0}, .name = "Set User Access"},
      call);
}

/// The slot of this name, else a free one.
Result<Slot> slot_for(const std::vector<Slot>& slots, const std::string& name) {
  const Slot* free = nullptr;
  for (const auto& slot : slots) {
    if (slot.account.name == name) return slot;
    if (free == nullptr && slot.id >= kFirstNamedUser && slot.account.name.empty()) free = &slot;
  }
  if (free == nullptr) return Error{Code::Busy, fmt::format("none of the BMC's {} user slots is free", slots.size())};
  return *free;
}

Result<> check(const std::string& name, const Secret& password) {
  if (name.empty() || name.size() > kMaxUsernameBytes) {
    return Error{Code::Invalid, "IPMI user names have 1 to 16 bytes"};
  }
  if (password.empty() || password.reveal().size() > kMaxPasswordBytes) {
    return Error{Code::Invalid, "IPMI passwords have 1 to 20 bytes"};
  }
  const auto printable = [](char c) { return c > ' ' && c < 0x7F; };
  if (!std::all_of(name.begin(), name.end(), printable)) {
    return Error{Code::Invalid, "an IPMI user name is ASCII without blanks"};
  }
  return {};
}

Result<std::uint8_t> slot_number(const Account& account) {
  unsigned id = 0;
  const auto* const end = account.id.data() + account.id.size();
  const auto parsed = std::from_chars(account.id.data(), end, id);
  if (parsed.ec != std::errc{} || parsed.ptr != end || id == 0 || id > 0x3F) {
    return Error{Code::Invalid, "not the number of an IPMI user slot: " + base::printable(account.id, 32)};
  }
  return static_cast<std::uint8_t>(id);
}

}  // namespace

Result<UserAccess> parse_user_access(Bytes data) {
  if (data.size() < 4) return Error{Code::Corrupt, "Get User Access: an answer that is too short"};
  // Bits 7:6 of byte 2: 01b enabled, 10b disabled; 00b: an older BMC that does not say.
  const unsigned status = data[1] >> 6U;
  return UserAccess{.slots = static_cast<std::uint8_t>(data[0] & 0x3FU),
                    .role = role_of(data[3] & 0x0FU),
                    .enabled = status == 0 ? (data[3] & 0x10U) != 0 : status == 1};
}

std::string parse_user_name(Bytes data) {
  const auto name = data.first(std::min(data.size(), kMaxUsernameBytes));
  return base::printable(std::string(name.begin(), std::find(name.begin(), name.end(), std::uint8_t{0})),
                         kMaxUsernameBytes * 4);
}

Result<std::vector<Account>> read_accounts(Client& client, const Call& call) {
  const auto slots = read_slots([&](const Request& request) { return client.ask_data(request, call); });
  if (!slots) return slots.error();
  std::vector<Account> out;
  for (const auto& slot : *slots) {
    if (!slot.account.name.empty()) out.push_back(slot.account);
  }
  return out;
}

Result<Account> put_account(Client& client, const std::string& name, const Secret& password, AccountRole role,
                            const Call& call) {
  if (auto good = check(name, password); !good) return std::move(good.error());
  if (role == AccountRole::Other) return Error{Code::Invalid, "not a role that an account can be given"};
  const auto ask = ask_on_present(client, call);
  const auto slots = read_slots(ask);
  if (!slots) return slots.error();
  const auto slot = slot_for(*slots, name);
  if (!slot) return slot.error();
  if (slot->account.name != name) {
    Request request{.net_fn = NetFn::App, .command = 0x45, .data = {slot->id}, .name = "Set User Name"};
    request.data.insert(request.data.end(), name.begin(), name.end());
    request.data.resize(1 + kMaxUsernameBytes, 0);
    if (auto done = tell(client, request, call); !done) return std::move(done.error());
  }
  // Enabled last: nobody gets in with half of it.
  if (auto done = set_password(client, slot->id, password, call); !done) return std::move(done.error());
  if (auto done = set_access(client, slot->id, role, call); !done) return std::move(done.error());
  if (auto done = tell(client, password_request(slot->id, PasswordOperation::Enable), call); !done) {
    return std::move(done.error());
  }
  const auto now = read_slot(ask, slot->id);
  if (!now) return now.error();
  if (now->account.name != name || now->account.role != role || !now->account.enabled) {
    return Error{Code::Unsupported, fmt::format("the BMC took account {} and does not show it", slot->id)};
  }
  return now->account;
}

Result<WriteOutcome> disable_account(Client& client, const Account& account, const Call& call) {
  const auto id = slot_number(account);
  if (!id) return id.error();
  const auto ask = ask_on_present(client, call);
  const auto before = read_slot(ask, *id);
  if (!before) return before.error();
  if (before->account.name != account.name) {
    return Error{Code::Conflict, fmt::format("user slot {} belongs to another name now", *id)};
  }
  if (!before->account.enabled) return WriteOutcome::AlreadySo;
  if (auto done = tell(client, password_request(*id, PasswordOperation::Disable), call); !done) {
    if (effect_unknown(done.error())) return WriteOutcome::Unknown;
    return std::move(done.error());
  }
  const auto after = read_slot(ask, *id);
  if (!after) return WriteOutcome::Unknown;
  if (after->account.enabled)
    return Error{Code::Unsupported, "the BMC took the request and the account is still enabled"};
  return WriteOutcome::Accepted;
}

}  // namespace nimbus::ipmi

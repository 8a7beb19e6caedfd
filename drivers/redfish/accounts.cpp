#include "drivers/redfish/accounts.hpp"

#include <algorithm>

#include "drivers/redfish/error_body.hpp"
#include "drivers/redfish/patch.hpp"
#include "drivers/redfish/walk.hpp"

namespace nimbus::redfish {
namespace {

using base::Json;

std::string_view role_id(AccountRole role) {
  switch (role) {
    case AccountRole::Administrator:
      return "Administrator";
    case AccountRole::Operator:
      return "Operator";
    case AccountRole::ReadOnly:
    case AccountRole::None:
    case AccountRole::Other:
      return "ReadOnly";
  }
  return "ReadOnly";
}

AccountRole role_of(std::string_view id) {
  if (id == "Administrator") return AccountRole::Administrator;
  if (id == "Operator") return AccountRole::Operator;
  if (id == "ReadOnly") return AccountRole::ReadOnly;
  return id.empty() || id == "None" || id == "NoAccess" ? AccountRole::None : AccountRole::Other;
}

const AccountResource* find(const std::vector<AccountResource>& accounts, const std::string& name) {
  const auto found = std::find_if(accounts.begin(), accounts.end(),
                                  [&](const AccountResource& one) { return one.account.name == name; });
  return found == accounts.end() ? nullptr : &*found;
}

Error lost() { return {Code::Timeout, "nobody knows whether the BMC wrote the account"}; }

Error refusal_of(const base::ClientResponse& response, const Secret& password) {
  const auto body = parse_error_body(response.body);
  Error error = refusal(response, body);
  if (body.has("CreateLimitReachedForResource")) error.code = Code::Busy;
  if (response.status == 409 && error.code == Code::Conflict) error.code = Code::Invalid;
  return without_secret(std::move(error), password);
}

}  // namespace

AccountResource read_account(const Json& json) {
  return {.account = {.id = text_of(json["Id"]),
                      .name = text_of(json["UserName"]),
                      .role = role_of(text_of(json["RoleId"])),
                      .enabled = json["Enabled"].as_bool().value_or(true)},
          .link = link_of(json),
          .etag = {}};
}

Result<AccountControl::Service> AccountControl::read_service(const Call& call) {
  const auto root = machine_.session().root(call);
  if (!root) return root.error();
  Walk walk(machine_, call);
  const auto service = walk.get(root->account_service);
  Service out;
  if (service) out.list = link_of((*service)["Accounts"]);
  const auto members = walk.members(out.list);
  if (walk.trouble()) return Error(*walk.trouble()).with("while reading accounts");
  if (!members) return Error{Code::Unsupported, "the BMC does not show its accounts"};
  constexpr std::int64_t kMost = 4096;
  const auto longest = (*service)["MaxPasswordLength"].as_int().value_or(0);
  if (longest > 0 && longest <= kMost) out.longest_password = static_cast<std::size_t>(longest);
  for (const auto& member : *members) out.accounts.push_back(read_account(member));
  return out;
}

Result<std::vector<Account>> AccountControl::accounts(const Call& call) {
  const auto service = read_service(call);
  if (!service) return service.error();
  std::vector<Account> out;
  for (const auto& one : service->accounts) {
    if (!one.account.name.empty()) out.push_back(one.account);
  }
  return out;
}

Result<AccountResource> AccountControl::read_again(const std::string& link, const Call& call) {
  const auto answer = machine_.session().get(link, call);
  if (!answer) return answer.error();
  const auto json = parse_document(answer->body);
  if (!json) return Error(json.error()).with("while reading an account");
  auto out = read_account(*json);
  out.link = link;
  out.etag = etag_of(*answer);
  return out;
}

Result<std::optional<base::ClientResponse>> AccountControl::patch(const AccountResource& account, const Json& body,
                                                                  const Call& call) {
  const auto fresh = read_again(account.link, call);
  if (!fresh) return fresh.error();
  if (fresh->account.name != account.account.name)
    return Error{Code::Conflict, "somebody else changes the accounts of this BMC"};
  const auto unchanged = [&]() -> Result<bool> {
    const auto now = read_again(account.link, call);
    if (!now) return now.error();
    return now->account == fresh->account;
  };
  return patch_resource(machine_, {.link = account.link, .etag = fresh->etag, .body = body.text()}, unchanged, call);
}

Result<> AccountControl::write_slot(const Service& service, const Wanted& wanted, const Call& call) {
  // The first two are the vendor's own on every BMC that has slots.
  const auto free = std::find_if(service.accounts.begin(), service.accounts.end(), [](const AccountResource& one) {
    return one.account.name.empty() && one.account.id != "1" && one.account.id != "2";
  });
  if (free == service.accounts.end()) return Error{Code::Busy, "the BMC has no free account slot"};
  const auto answer = patch(*free,
                            Json::object({{"UserName", wanted.name},
                                          {"Password", wanted.password.reveal()},
                                          {"RoleId", role_id(wanted.role)},
                                          {"Enabled", true}}),
                            call);
  if (!answer) return answer.error();
  if (!*answer) return lost();
  if (!is_success((*answer)->status)) return refusal_of(**answer, wanted.password);
  return {};
}

Result<> AccountControl::send(const Service& service, const Wanted& wanted, const Call& call) {
  if (const auto* known = find(service.accounts, wanted.name)) {
    const auto answer = patch(
        *known,
        Json::object({{"Password", wanted.password.reveal()}, {"RoleId", role_id(wanted.role)}, {"Enabled", true}}),
        call);
    if (!answer) return answer.error();
    if (!*answer) return lost();
    if (!is_success((*answer)->status)) return refusal_of(**answer, wanted.password);
    return {};
  }
  const bool has_free_slots = std::any_of(service.accounts.begin(), service.accounts.end(),
                                          [](const AccountResource& one) { return one.account.name.empty(); });
  if (has_free_slots && machine_.has(Effect::AccountSlots)) return write_slot(service, wanted, call);
  const auto body = Json::object({{"UserName", wanted.name},
                                  {"Password", wanted.password.reveal()},
                                  {"RoleId", role_id(wanted.role)},
                                  {"Enabled", true}});
  const auto answer = machine_.write({.link = service.list, .body = body.text()}, call);
  if (!answer) return answer.error();
  if (!*answer) return lost();
  if (is_success((*answer)->status)) return {};
  if ((*answer)->status == 405 && has_free_slots) {
    machine_.learn(Effect::AccountSlots);
    return write_slot(service, wanted, call);
  }
  return refusal_of(**answer, wanted.password);
}

Result<Account> AccountControl::put_account(const std::string& name, const Secret& password, AccountRole role,
                                            const Call& call) {
  if (auto writable = machine_.check_writable(call); !writable) return std::move(writable.error());
  if (name.empty() || password.empty()) return Error{Code::Invalid, "an account has a name and a password"};
  const auto service = read_service(call);
  if (!service) return service.error();
  if (service->longest_password != 0 && password.reveal().size() > service->longest_password)
    return Error{Code::Invalid,
                 "this BMC keeps passwords of at most " + std::to_string(service->longest_password) + " bytes"};
  if (auto sent = send(*service, {.name = name, .password = password, .role = role}, call); !sent)
    return std::move(sent.error()).with("while writing an account of the BMC");
  const auto now = read_service(call);
  if (!now) return now.error();
  const auto* written = find(now->accounts, name);
  if (written == nullptr) return Error{Code::Unsupported, "the BMC accepted the account and does not show it"};
  return written->account;
}

Result<WriteOutcome> AccountControl::disable_account(const Account& account, const Call& call) {
  if (auto writable = machine_.check_writable(call); !writable) return std::move(writable.error());
  const auto service = read_service(call);
  if (!service) return service.error();
  const auto* known = find(service->accounts, account.name);
  if (known == nullptr || !known->account.enabled) return WriteOutcome::AlreadySo;
  const auto answer = patch(*known, Json::object({{"Enabled", false}}), call);
  if (!answer) return answer.error();
  if (!*answer) return WriteOutcome::Unknown;
  if (!is_success((*answer)->status))
    return refusal(**answer, parse_error_body((*answer)->body)).with("while disabling an account of the BMC");
  const auto now = read_again(known->link, call);
  if (!now) return WriteOutcome::Unknown;
  if (!now->account.enabled) return WriteOutcome::Accepted;
  return Error{Code::Unsupported, "the BMC accepted that the account is disabled and does not show it"};
}

}  // namespace nimbus::redfish

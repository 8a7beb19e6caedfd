// AccountService, accounts and roles: the same slots as IPMI's users.
#include <fmt/format.h>

#include <charconv>

#include "simulator/redfish/routes.hpp"

namespace nimbus::simulator::redfish {
namespace {

constexpr std::string_view kService = "/redfish/v1/AccountService";
constexpr std::string_view kAccounts = "/redfish/v1/AccountService/Accounts";
constexpr std::string_view kRoles = "/redfish/v1/AccountService/Roles";

std::string_view role_of(Privilege privilege) {
  switch (privilege) {
    case Privilege::Administrator:
      return "Administrator";
    case Privilege::Operator:
      return "Operator";
    case Privilege::User:
    case Privilege::Callback:
    case Privilege::None:
      return "ReadOnly";
  }
  return "ReadOnly";
}

std::optional<Privilege> parse_role(std::string_view text) {
  if (text == "Administrator") return Privilege::Administrator;
  if (text == "Operator") return Privilege::Operator;
  if (text == "ReadOnly") return Privilege::User;
  return std::nullopt;
}

std::optional<Json> account_service(Call&) {
  Json out = document(kService, "#AccountService.v1_15_0.AccountService", "AccountService", "Account Service");
  out.set("ServiceEnabled", true);
  out.set("MinPasswordLength", 1);
  out.set("MaxPasswordLength", Accounts::kMaxPassword);
  out.set("AccountLockoutThreshold", 0);
  out.set("Accounts", link(kAccounts));
  out.set("Roles", link(kRoles));
  out.set("Status", status_ok());
  return out;
}

std::uint8_t id_of(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value <= Accounts::kSlots
             ? static_cast<std::uint8_t>(value)
             : std::uint8_t{0};
}

Account* find(Call& call) {
  Account* account = call.machine.accounts.slot(id_of(call.ids[0]));
  return account == nullptr || account->name.empty() ? nullptr : account;
}

std::optional<Json> account_list(Call& call) {
  std::vector<std::string> members;
  for (std::uint8_t id = 1; id <= Accounts::kSlots; ++id) {
    if (!call.machine.accounts.slot(id)->name.empty()) members.push_back(fmt::format("{}/{}", kAccounts, int{id}));
  }
  return collection(kAccounts, "#ManagerAccountCollection.ManagerAccountCollection", "Accounts", members);
}

Json account_document(const Account& account, std::uint8_t id) {
  const std::string text = std::to_string(int{id});
  Json out =
      document(fmt::format("{}/{}", kAccounts, text), "#ManagerAccount.v1_12_0.ManagerAccount", text, "User Account");
  out.set("UserName", account.name);
  out.set("Password", Json());
  out.set("RoleId", role_of(account.privilege));
  out.set("Enabled", account.enabled);
  out.set("Locked", false);
  out.set("AccountTypes", strings({"Redfish", "IPMI"}));
  out.set("Links", Json::object({{"Role", link(fmt::format("{}/{}", kRoles, role_of(account.privilege)))}}));
  return out;
}

std::optional<Json> one_account(Call& call) {
  const Account* account = find(call);
  if (account == nullptr) return std::nullopt;
  return account_document(*account, id_of(call.ids[0]));
}

std::optional<Response> write(Call& call, Account& account) {
  for (const auto& [name, value] : call.body.members()) {
    const auto text = value.as_string();
    if (name == "UserName") {
      if (!text || text->empty() || text->size() > Accounts::kMaxName)
        return call.refuse(400, "PropertyValueTypeError", {value.text(), name}, name);
      const Account* other = call.machine.accounts.find(*text);
      if (other != nullptr && other->name != account.name)
        return call.refuse(400, "ResourceAlreadyExists", {"ManagerAccount", "UserName", *text}, name);
      account.name = *text;
    } else if (name == "Password") {
      if (!text || text->empty() || text->size() > Accounts::kMaxPassword)
        return call.refuse(400, "PropertyValueTypeError", {"****", name}, name);
      account.password = Secret(std::string(*text));
      account.long_password = text->size() > 16;
    } else if (name == "RoleId") {
      const auto role = parse_role(text.value_or(""));
      if (!role) return call.refuse(400, "PropertyValueNotInList", {value.text(), name}, name);
      account.privilege = *role;
    } else if (name == "Enabled") {
      if (!value.as_bool()) return call.refuse(400, "PropertyValueTypeError", {value.text(), name}, name);
      account.enabled = *value.as_bool();
    } else {
      return call.refuse(400, "PropertyNotWritable", {name}, name);
    }
  }
  return std::nullopt;
}

Response patch_account(Call& call) {
  Account* account = find(call);
  if (account == nullptr) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  Account changed = *account;
  if (auto refusal = write(call, changed)) return std::move(*refusal);
  *account = std::move(changed);
  return with_document(call, one_account);
}

Response create_account(Call& call) {
  for (const char* name : {"UserName", "Password", "RoleId"}) {
    if (call.body.find(name) == nullptr) return call.refuse(400, "PropertyMissing", {name}, name);
  }
  const std::uint8_t id = call.machine.accounts.free_slot();
  if (id == 0) return call.refuse(400, "CreateLimitReachedForResource");
  if (call.machine.accounts.find(call.body["UserName"].as_string().value_or("")) != nullptr) {
    return call.refuse(400, "ResourceAlreadyExists",
                       {"ManagerAccount", "UserName", call.body["UserName"].as_string().value_or("")}, "UserName");
  }
  Account account;
  account.enabled = true;
  if (auto refusal = write(call, account)) return std::move(*refusal);
  Account& slot = *call.machine.accounts.slot(id);
  slot = std::move(account);
  Response out{.status = 201,
               .headers = {{"Content-Type", "application/json"},
                           {"OData-Version", "4.0"},
                           {"Location", fmt::format("{}/{}", kAccounts, int{id})}}};
  out.body = text_of(call.quirks(), account_document(slot, id));
  return out;
}

Response remove_account(Call& call) {
  Account* account = find(call);
  if (account == nullptr) return call.refuse(404, "ResourceMissingAtURI", {call.path});
  *account = Account{};
  return no_content();
}

std::optional<Json> role_list(Call&) {
  return collection(kRoles, "#RoleCollection.RoleCollection", "Roles",
                    {fmt::format("{}/Administrator", kRoles), fmt::format("{}/Operator", kRoles),
                     fmt::format("{}/ReadOnly", kRoles)});
}

std::optional<Json> role(Call& call) {
  const auto privilege = parse_role(call.ids[0]);
  if (!privilege) return std::nullopt;
  Json out = document(call.path, "#Role.v1_3_2.Role", call.ids[0], "User Role");
  out.set("RoleId", call.ids[0]);
  out.set("IsPredefined", true);
  Json privileges = strings({"Login", "ConfigureSelf"});
  if (*privilege >= Privilege::Operator) privileges.push("ConfigureComponents");
  if (*privilege >= Privilege::Administrator) {
    privileges.push("ConfigureManager");
    privileges.push("ConfigureUsers");
  }
  out.set("AssignedPrivileges", std::move(privileges));
  return out;
}

constexpr Route kRoutes[] = {
    {"/redfish/v1/AccountService", account_service},
    {.pattern = "/redfish/v1/AccountService/Accounts",
     .get = account_list,
     .post = create_account,
     .write = Privilege::Administrator},
    {.pattern = "/redfish/v1/AccountService/Accounts/{}",
     .get = one_account,
     .patch = patch_account,
     .remove = remove_account,
     .write = Privilege::Administrator},
    {"/redfish/v1/AccountService/Roles", role_list},
    {"/redfish/v1/AccountService/Roles/{}", role},
};

}  // namespace

std::span<const Route> account_routes() noexcept { return kRoutes; }

}  // namespace nimbus::simulator::redfish

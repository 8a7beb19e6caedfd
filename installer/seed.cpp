#include "installer/seed.hpp"

#include "base/json/json.hpp"

namespace nimbus::installer {
namespace {

using base::Json;

Json meta_data(const boot::InstallPlan& plan) {
  // A new id makes cloud-init treat the next boot as the first one.
  return Json::object().set("instance-id", plan.run).set("local-hostname", plan.hostname);
}

/// An account of the controller's own; its name for people says so, and by that it is known when it is to go.
Json controller_account(const boot::InstallPlan& plan) {
  return Json::object()
      .set("name", plan.controller_user)
      .set("gecos", "Nimbus controller")
      .set("lock_passwd", true)
      .set("shell", "/bin/sh")
      .set("ssh_authorized_keys", Json::array({plan.controller_key}))
      .set("sudo", "ALL=(ALL) NOPASSWD:ALL");
}

Json vendor_data(const boot::InstallPlan& plan, const base::Ed25519Key& host_key) {
  Json keys = Json::array();
  for (const auto& key : plan.ssh_keys) keys.push(key);
  const bool shared = plan.controller_user == plan.user;
  if (shared && !plan.controller_key.empty()) keys.push(plan.controller_key);
  Json user = Json::object()
                  .set("name", plan.user)
                  .set("lock_passwd", true)
                  .set("shell", "/bin/bash")
                  .set("ssh_authorized_keys", std::move(keys));
  if (plan.user != "root") user.set("sudo", "ALL=(ALL) NOPASSWD:ALL");
  Json users = Json::array({std::move(user)});
  if (!shared && !plan.controller_key.empty()) users.push(controller_account(plan));
  const std::string comment = "root@" + plan.hostname;
  Json out = Json::object()
                 .set("users", std::move(users))
                 .set("disable_root", plan.user != "root")
                 .set("ssh_pwauth", false)
                 .set("ssh_genkeytypes", Json::array({"ed25519"}))
                 .set("ssh_keys", Json::object()
                                      .set("ed25519_private", base::openssh_private(host_key, comment))
                                      .set("ed25519_public", base::openssh_public(host_key.public_key, comment)));
  return out;
}

Json network_config(const boot::InstallPlan& plan) {
  Json nic = Json::object()
                 .set("match", Json::object().set("macaddress", plan.mac))
                 .set("dhcp4", true)
                 .set("dhcp-identifier", "mac");
  Json vlans = Json::object();
  for (const auto& network : plan.networks) {
    Json& on = network.vlan == 0 ? nic : vlans;
    if (network.vlan == 0) {
      if (!network.address.empty()) on.set("addresses", Json::array({network.address}));
      continue;
    }
    Json one = Json::object().set("id", network.vlan).set("link", "boot");
    if (network.address.empty()) {
      one.set("dhcp4", true);
      // The route and name servers of the network that it booted from stay.
      one.set("dhcp4-overrides", Json::object().set("use-routes", false).set("use-dns", false));
    } else {
      one.set("addresses", Json::array({network.address}));
    }
    on.set("vlan" + std::to_string(network.vlan), std::move(one));
  }
  Json out = Json::object().set("version", 2).set("ethernets", Json::object().set("boot", std::move(nic)));
  if (vlans.size() > 0) out.set("vlans", std::move(vlans));
  return out;
}

}  // namespace

std::vector<SeedFile> make_seed(const boot::InstallPlan& plan, const base::Ed25519Key& host_key) {
  constexpr std::string_view kCloudConfig = "#cloud-config\n";
  return {{"meta-data", meta_data(plan).text() + "\n"},
          {"user-data", plan.user_data.empty() ? std::string(kCloudConfig) + "{}\n" : plan.user_data},
          {"vendor-data", std::string(kCloudConfig) + vendor_data(plan, host_key).text() + "\n"},
          {"network-config", network_config(plan).text() + "\n"}};
}

}  // namespace nimbus::installer

// Rows of registry.toml, provider and network files.
#include "core/desired/network.hpp"
#include "core/desired/provider.hpp"
#include "core/desired/registry.hpp"
#include "registry/schema/tables.hpp"

namespace nimbus::registry::tables {
namespace {

constexpr Field kStatusRows[] = {
    field<&RegistrySettings::Status::branch_prefix>(
        "branch_prefix", "Provider p writes its status to the branch <prefix>/p.",
        {.format = Format::BranchPrefix, .fallback = R"("nimbus/status")", .example = R"("nimbus/status")"}),
    field<&RegistrySettings::Status::repository>("repository", "Another repository for the status; empty: this one.",
                                                 {.example = R"("git@forge.example:acme/status.git")"}),
};
constexpr TableSpec kStatus{"status", "Where controllers write what they observe.", kStatusRows};

constexpr Field kRegistryRows[] = {
    field<&RegistrySettings::format>("format", "Version of the registry format.",
                                     {.need = Need::Required, .least = 1, .example = "1"}),
    field<&RegistrySettings::name>("name", "Name of the registry.",
                                   {.need = Need::Required, .format = Format::Label, .example = R"("acme-metal")"}),
    field<&RegistrySettings::requires_version>("requires", "Least version of the programs that may read this registry.",
                                               {.format = Format::Version, .example = R"("1.0")"}),
    field<&RegistrySettings::status>("status", kStatus.doc, {.table = &kStatus}),
};

constexpr Field kReleaseRows[] = {
    field<&Provider::Release::erase>("erase", "Least level of erasure between two tenants.",
                                     {.fallback = R"("secure")", .example = R"("secure")"}),
};
constexpr TableSpec kRelease{"release", "What happens to a machine between two tenants.", kReleaseRows};

constexpr Field kDisruptionRows[] = {
    field<&Provider::Disruption::machines_rebooting>("machines_rebooting", "Machines that may reboot at the same time.",
                                                     {.least = 1, .most = 100000, .example = "3"}),
    field<&Provider::Disruption::machines_installing>("machines_installing",
                                                      "Machines that may be installed at the same time.",
                                                      {.least = 1, .most = 100000, .example = "5"}),
    field<&Provider::Disruption::power_on_per_minute>("power_on_per_minute",
                                                      "Machines that may be switched on in a minute (inrush current).",
                                                      {.least = 1, .most = 100000, .example = "20"}),
};
constexpr TableSpec kDisruption{"disruption", "Limits of this provider; they may only tighten policy/limits.toml.",
                                kDisruptionRows};

constexpr Field defaults_row() {
  Field row;
  row.key = "defaults";
  row.doc =
      "Defaults for all machines of the provider: power, enforcement, [defaults.bmc], [defaults.boot], "
      "[defaults.bios], [defaults.lifecycle].";
  row.type = FieldType::Table;
  row.traits.table = &kDefaults;
  return row;
}

constexpr Field kProviderRows[] = {
    field<&Provider::region>("region", "Where the provider is; free text.",
                             {.need = Need::Required, .example = R"("eu-central")"}),
    field<&Provider::description>("description", "For people.", {.example = R"("Berlin, hall 1")"}),
    field<&Provider::labels>("labels", "Free labels.", {.example = R"({ tier = "gold" })"}),
    field<&Provider::tenants>(
        "tenants", "Consent: whose instances may be placed here; \"*\" for all, default none.",
        {.format = Format::LabelOrStar, .refers = Refers::Tenant, .fallback = "[]", .example = R"(["*"])"}),
    field<&Provider::controller_keys>(
        "controller_keys", "SSH public keys that may write this provider's status.",
        {.format = Format::SshKey, .example = R"(["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBx0 nimbusd@berlin-1"])"}),
    field<&Provider::api>("api", "Address of the controller's API, for people and nimbusctl.",
                          {.format = Format::HttpsUrl, .example = R"("https://nimbus.berlin-1.example:8443")"}),
    defaults_row(),
    field<&Provider::release>("release", kRelease.doc, {.table = &kRelease}),
    field<&Provider::disruption>("disruption", kDisruption.doc, {.table = &kDisruption}),
};

constexpr Field kNetworkRows[] = {
    field<&Network::cidr>("cidr", "Addresses of the network.",
                          {.need = Need::Required, .format = Format::Cidr, .example = R"("10.20.0.0/24")"}),
    field<&Network::role>("role", "What the network is for.", {.need = Need::Required, .example = R"("provisioning")"}),
    field<&Network::gateway>("gateway", "Default gateway, inside the network.",
                             {.format = Format::Ip, .example = R"("10.20.0.1")"}),
    field<&Network::dns>("dns", "Name servers.", {.format = Format::Ip, .example = R"(["10.20.0.1"])"}),
    field<&Network::vlan>("vlan", "VLAN id.", {.least = 1, .most = 4094, .example = "120"}),
    field<&Network::dhcp>("dhcp",
                          "What nimbus-boot does here: none, proxy (beside another server) or server (alone; refuses "
                          "to start beside another that answers).",
                          {.fallback = R"("none")", .example = R"("server")"}),
    field<&Network::range>("range", "First and last address that the DHCP server hands out.",
                           {.format = Format::Ip, .example = R"(["10.20.0.100", "10.20.0.199"])"}),
    field<&Network::tenants>("tenants", "Role tenant: whose instances may use it; \"*\" for all.",
                             {.format = Format::LabelOrStar, .refers = Refers::Tenant, .example = R"(["acme"])"}),
};

}  // namespace

const TableSpec kRegistry{"", "What the registry says of itself.", kRegistryRows};
const TableSpec kProvider{"", "A provider: one site with one owner, one BMC network and one active controller.",
                          kProviderRows};
const TableSpec kNetwork{"", "A network of a provider.", kNetworkRows};

}  // namespace nimbus::registry::tables

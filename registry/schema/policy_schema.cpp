// Rows of the files below policy/.
#include "core/desired/policy.hpp"
#include "registry/schema/tables.hpp"

namespace nimbus::registry::tables {
namespace {

constexpr Field kWindowRows[] = {
    field<&Window::days>("days", "Days on which the window begins; none: every day.",
                         {.format = Format::Weekday, .example = R"(["sat", "sun"])"}),
    field<&Window::from>("from", "Begin.",
                         {.need = Need::Required, .format = Format::ClockTime, .example = R"("22:00")"}),
    field<&Window::to>("to", "End; not after the begin: on the next day.",
                       {.need = Need::Required, .format = Format::ClockTime, .example = R"("06:00")"}),
    field<&Window::timezone>("timezone", "Time zone of the IANA database.",
                             {.format = Format::TimeZone, .fallback = R"("Etc/UTC")", .example = R"("Europe/Berlin")"}),
};

constexpr Field kDisruptionRows[] = {
    field<&Limits::Disruption::machines_rebooting>(
        "machines_rebooting", "Machines of a provider that may reboot at the same time; the rest queues.",
        {.least = 1, .most = 100000, .example = "5"}),
    field<&Limits::Disruption::machines_installing>("machines_installing",
                                                    "Machines of a provider that may be installed at the same time.",
                                                    {.least = 1, .most = 100000, .example = "10"}),
};
constexpr TableSpec kDisruption{"disruption", "Per provider, at the same time.", kDisruptionRows};

constexpr Field kDestructiveRows[] = {
    field<&Limits::Destructive::count>("count", "Machines whose data one period may destroy.",
                                       {.least = 0, .most = 100000, .fallback = "1", .example = "3"}),
    field<&Limits::Destructive::percent>(
        "percent", "The same in percent of the provider's machines; the smaller of the two counts, at least 1.",
        {.least = 0, .most = 100, .fallback = "10", .example = "10"}),
    field<&Limits::Destructive::per>("per", "Length of the period.", {.fallback = R"("24h")", .example = R"("24h")"}),
};
constexpr TableSpec kDestructive{"destructive",
                                 "Per provider: releases and reinstalls beyond it wait; a commit with which more "
                                 "machines leave is held until it is approved.",
                                 kDestructiveRows};

constexpr Field kLimitsRows[] = {
    field<&Limits::require_signatures>("require_signatures", "Whether only signed commits count.",
                                       {.fallback = "false", .example = "false"}),
    field<&Limits::disruption>("disruption", kDisruption.doc, {.table = &kDisruption}),
    field<&Limits::destructive>("destructive", kDestructive.doc, {.table = &kDestructive}),
    field<&Limits::windows>("window", "When disruptive work may start; none: always.", {.table = &kWindow}),
};

constexpr Field kQuotaRows[] = {
    field<&Tenant::Quota::instances>("instances", "Instances.", {.example = "20"}),
    field<&Tenant::Quota::cpu_cores>("cpu_cores", "Cores in all.", {.example = "512"}),
    field<&Tenant::Quota::memory_gib>("memory_gib", "Memory in all, in GiB.", {.example = "4096"}),
};
constexpr TableSpec kQuota{
    "quota", "What the tenant may use in all; it counts the placed machine, or the request while pending.", kQuotaRows};

constexpr Field kTenantRows[] = {
    field<&Tenant::quota>("quota", kQuota.doc, {.table = &kQuota}),
    field<&Tenant::providers>(
        "providers", "Providers that the tenant may use; \"*\" for all, default none.",
        {.format = Format::LabelOrStar, .refers = Refers::Provider, .fallback = "[]", .example = R"(["*"])"}),
};

constexpr Field kPersonRows[] = {
    field<&Person::name>("name", "The person's name.", {.example = R"("Alice Example")"}),
    field<&Person::ssh_keys>("ssh_keys", "SSH public keys: for logins and for signed commits.",
                             {.need = Need::Required,
                              .format = Format::SshKey,
                              .example = R"(["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1x alice"])"}),
};

constexpr Field kRoleRows[] = {
    field<&Role::change>(
        "change", "Paths that the role may change; {scope} stands for the binding's scope, ** for any depth.",
        {.need = Need::Required, .format = Format::ScopedPattern, .example = R"(["tenants/{scope}/**"])"}),
};
constexpr TableSpec kRole{"role", "A role.", kRoleRows};
constexpr Field kRolesRows[] = {field<&Roles::roles>("role", "Roles by name: [role.tenant-admin].", {.table = &kRole})};

constexpr Field kBindingRows[] = {
    field<&Binding::role>(
        "role", "Role, of policy/roles.toml.",
        {.need = Need::Required, .format = Format::Label, .refers = Refers::Role, .example = R"("tenant-admin")"}),
    field<&Binding::scope>("scope", "What {scope} stands for: a tenant or a provider.",
                           {.format = Format::Label, .example = R"("acme")"}),
    field<&Binding::people>(
        "people", "Who has the role.",
        {.need = Need::Required, .format = Format::Label, .refers = Refers::Person, .example = R"(["alice"])"}),
};
constexpr TableSpec kBinding{"binding", "People that have a role in a scope.", kBindingRows};
constexpr Field kBindingsRows[] = {field<&Bindings::bindings>("binding", kBinding.doc, {.table = &kBinding})};

constexpr Field kApprovalRows[] = {
    field<&Approval::reason>("reason", "Why, for people.",
                             {.need = Need::Required, .example = R"("Decommission rack b2")"}),
    field<&Approval::expires>("expires", "Until when the approval holds.",
                              {.need = Need::Required, .example = "2026-12-01T00:00:00Z"}),
};

}  // namespace

const TableSpec kWindow{"window", "A span of the week.", kWindowRows};
const TableSpec kLimits{"", "Budgets and windows of the whole registry.", kLimitsRows};
const TableSpec kTenant{"", "What a tenant may use. Not the tenant's to change.", kTenantRows};
const TableSpec kPerson{"", "A person.", kPersonRows};
const TableSpec kRoles{"", "Who may change which paths: the roles.", kRolesRows};
const TableSpec kBindings{"", "Who may change which paths: the people.", kBindingsRows};
const TableSpec kApproval{"", "The approval of a held plan, named by the plan's digest. nimbusctl approve writes it.",
                          kApprovalRows};

}  // namespace nimbus::registry::tables

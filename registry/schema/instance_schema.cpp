// Rows of instance files, and the table of all kinds.
#include "core/desired/instance.hpp"
#include "registry/schema/tables.hpp"

namespace nimbus::registry {
namespace tables {
namespace {

constexpr Field kDiskRows[] = {
    field<&Instance::DiskRequirement::size_gib>("size_gib", "At least this large, in GiB.",
                                                {.least = 1, .most = 1 << 20, .example = "200"}),
    field<&Instance::DiskRequirement::type>("type", "Kind of disk.", {.example = R"("ssd")"}),
};
constexpr TableSpec kDisk{"disk", "A disk that the machine must have.", kDiskRows};

constexpr Field kRequirementsRows[] = {
    field<&Instance::Requirements::machine>(
        "machine", "Pin: this machine of the provider and no other.",
        {.format = Format::Label, .refers = Refers::Machine, .example = R"("m017")"}),
    field<&Instance::Requirements::arch>("arch", "Processor architecture.", {.example = R"("x86_64")"}),
    field<&Instance::Requirements::cpu_cores>("cpu_cores", "At least so many cores.",
                                              {.least = 1, .most = 65536, .example = "16"}),
    field<&Instance::Requirements::memory_gib>("memory_gib", "At least so much memory, in GiB.",
                                               {.least = 1, .most = 1 << 20, .example = "64"}),
    field<&Instance::Requirements::labels>("labels", "Labels that the machine must have.",
                                           {.example = R"({ class = "general" })"}),
    field<&Instance::Requirements::spread>("spread", "Apart from instances of the same group.",
                                           {.fallback = R"("none")", .example = R"("rack")"}),
    field<&Instance::Requirements::group>("group", "Group that spread looks at.",
                                          {.format = Format::Label, .example = R"("web")"}),
    field<&Instance::Requirements::disks>("disk", kDisk.doc, {.table = &kDisk}),
};
constexpr TableSpec kRequirements{"requirements", "Which machine fits.", kRequirementsRows};

constexpr Field kAccessRows[] = {
    field<&Instance::Access::user>("user", "Account for logins; default: the image's.",
                                   {.format = Format::UserName, .example = R"("debian")"}),
    field<&Instance::Access::ssh_keys>(
        "ssh_keys", "SSH public keys, or person:<name>.",
        {.format = Format::SshKeyOrPerson, .refers = Refers::Person, .example = R"(["person:alice"])"}),
    field<&Instance::Access::manage>("manage", "sync: keys follow the registry. at-install: they are set once.",
                                     {.fallback = R"("sync")", .example = R"("sync")"}),
    field<&Instance::Access::user_data>(
        "user_data", "cloud-init user data, a file below the tenant's files/.",
        {.format = Format::ContentPath, .refers = Refers::Content, .example = R"("files/web-user-data.yaml")"}),
};
constexpr TableSpec kAccess{"access", "Who may log in.", kAccessRows};

constexpr Field kAttachmentRows[] = {
    field<&Instance::Attachment::name>(
        "name", "Network of the provider, role tenant or public, that admits this tenant.",
        {.need = Need::Required, .format = Format::Label, .refers = Refers::Network, .example = R"("tenant-acme")"}),
    field<&Instance::Attachment::address>(
        "address", "\"auto\", or an address of the network.",
        {.format = Format::IpOrAuto, .fallback = R"("auto")", .example = R"("auto")"}),
};
constexpr TableSpec kAttachment{"network", "A network that the instance is attached to.", kAttachmentRows};

constexpr Field kAdoptRows[] = {
    field<&Instance::Adopt::host_key>(
        "host_key", "The running system's SSH host key.",
        {.need = Need::Required, .format = Format::SshKey, .example = R"("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGh0")"}),
    field<&Instance::Adopt::address>("address", "Its address.",
                                     {.need = Need::Required, .format = Format::Ip, .example = R"("192.0.2.17")"}),
};
constexpr TableSpec kAdopt{"adopt", "A machine that already runs an operating system: nothing is written to its disks.",
                           kAdoptRows};

constexpr Field kInstanceRows[] = {
    field<&Instance::provider>(
        "provider", "Provider that runs it; nimbusctl chooses one by requirements.",
        {.need = Need::Required, .format = Format::Label, .refers = Refers::Provider, .example = R"("berlin-1")"}),
    field<&Instance::image>(
        "image", "Operating system. Another image is recorded and applied at the next reinstall.",
        {.need = Need::Required, .format = Format::Label, .refers = Refers::Image, .example = R"("debian-12")"}),
    field<&Instance::power>("power", "Wanted power.", {.fallback = R"("on")", .example = R"("on")"}),
    field<&Instance::restart>("restart", "Raise it for one power cycle.",
                              {.most = 1'000'000'000, .fallback = "0", .example = "1"}),
    field<&Instance::reinstall>(
        "reinstall",
        "Raise it to install again: the system disk is ERASED, other disks are kept. Lowering it does nothing.",
        {.most = 1'000'000'000, .fallback = "0", .example = "1"}),
    field<&Instance::is_protected>("protected",
                                   "Refuses reinstall, move and release; they need false in an earlier commit. true is "
                                   "a brake: it takes effect from the newest commit seen.",
                                   {.fallback = "true", .example = "true"}),
    field<&Instance::hostname>("hostname", "Host name; default: the instance's name.",
                               {.format = Format::Hostname, .example = R"("web-1")"}),
    field<&Instance::profiles>("profiles", "Host configuration, merged in this order.",
                               {.format = Format::Label, .refers = Refers::Profile, .example = R"(["base", "web"])"}),
    field<&Instance::configuration>("configuration",
                                    "What is done about the profiles: nothing, report drift, correct it.",
                                    {.fallback = R"("none")", .example = R"("enforce")"}),
    field<&Instance::on_machine_failure>(
        "on_machine_failure",
        "hold: wait for a person. replace: on another machine, only after the first is confirmed off, and protected = "
        "false was in force; the first one is kept aside with its data.",
        {.fallback = R"("hold")", .example = R"("hold")"}),
    field<&Instance::requirements>("requirements", kRequirements.doc, {.table = &kRequirements}),
    field<&Instance::access>("access", kAccess.doc, {.table = &kAccess}),
    field<&Instance::networks>("network", kAttachment.doc, {.table = &kAttachment}),
    field<&Instance::windows>("window", "When a reboot that Nimbus starts may happen.", {.table = &kWindow}),
    field<&Instance::adopt>("adopt", kAdopt.doc, {.table = &kAdopt}),
};

}  // namespace

const TableSpec kInstance{"", "An instance: a wanted machine with an operating system.", kInstanceRows};

}  // namespace tables

const TableSpec* spec_of(FileKind kind) noexcept {
  switch (kind) {
    case FileKind::Registry:
      return &tables::kRegistry;
    case FileKind::Limits:
      return &tables::kLimits;
    case FileKind::Roles:
      return &tables::kRoles;
    case FileKind::Bindings:
      return &tables::kBindings;
    case FileKind::Approval:
      return &tables::kApproval;
    case FileKind::Tenant:
      return &tables::kTenant;
    case FileKind::Person:
      return &tables::kPerson;
    case FileKind::Provider:
      return &tables::kProvider;
    case FileKind::Class:
      return &tables::kClass;
    case FileKind::Network:
      return &tables::kNetwork;
    case FileKind::Machine:
      return &tables::kMachine;
    case FileKind::Image:
      return &tables::kImage;
    case FileKind::Profile:
      return &tables::kProfile;
    case FileKind::Instance:
      return &tables::kInstance;
    case FileKind::Content:
      return nullptr;
  }
  return nullptr;
}

std::uint8_t level_of(FileKind kind) noexcept {
  if (kind == FileKind::Class) return kInClass;
  return kind == FileKind::Profile ? kInMachine | kWithVariables : kInMachine;
}

}  // namespace nimbus::registry

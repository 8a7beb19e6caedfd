// Rows of machine and class files and of a provider's [defaults]: one set of rows,
// with the levels at which each may stand.
#include "core/desired/machine.hpp"
#include "registry/schema/tables.hpp"

namespace nimbus::registry::tables {
namespace {

constexpr std::uint8_t kShared = kInMachine | kInClass;
constexpr std::string_view kDrivers[] = {"redfish", "ipmi"};

constexpr Field kTlsRows[] = {
    field<&TlsTrust::pins>(
        "pin",
        "Pins: the SHA-256 of the public key of the BMC's certificate. One match is enough; list the "
        "next key before it is rolled out.",
        {.format = Format::SpkiPin, .example = R"(["spki-sha256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="])"}),
    field<&TlsTrust::ca>("ca", "Name of a certificate authority that the controller knows.",
                         {.format = Format::Label, .example = R"("bmc-ca")"}),
};
constexpr TableSpec kTls{"tls", "How the BMC's certificate is trusted: a pin or a CA. Never unverified.", kTlsRows};

constexpr Field kBmcRows[] = {
    word<&BmcEndpoint::driver>("driver", "Protocol of the BMC. Required, here or in a class or default.", kDrivers,
                               {.example = R"("redfish")"}),
    field<&BmcEndpoint::address>(
        "address",
        "Where the BMC is. redfish: an https URL; ipmi: host or host:port. A change is marked as "
        "credential exposure in plans.",
        {.format = Format::BmcAddress, .levels = kInMachine, .example = R"("https://bmc-m017.berlin-1.example")"}),
    field<&BmcEndpoint::system>("system", "redfish: the id of the System where a BMC serves several.",
                                {.levels = kInMachine, .example = R"("1")"}),
    field<&BmcEndpoint::tls>("tls", "redfish: how the BMC's certificate is trusted.", {.table = &kTls}),
    field<&BmcEndpoint::credentials>(
        "credentials", "Names of secrets on the controller, tried in order, mindful of lock-outs.",
        {.format = Format::SecretName, .refers = Refers::Secret, .example = R"(["bmc/m017", "bmc/factory"])"}),
    field<&BmcEndpoint::cipher_suite>("cipher_suite", "ipmi: cipher suite of the session, 17 or 3.",
                                      {.least = 3, .most = 17, .fallback = "17", .example = "17"}),
    field<&BmcEndpoint::privilege>("privilege", "ipmi: privilege level of the session.",
                                   {.fallback = R"("operator")", .example = R"("operator")"}),
    field<&BmcEndpoint::quirks>(
        "quirks",
        "Quirks of the BMC that are forced, by id; for IPMI also authcap, intel20, nochecksumcheck, "
        "opensesspriv, supermicro20, sun20, integritycheckvalue (docs: explanation of IPMI).",
        {.format = Format::QuirkId, .example = R"(["IP-09"])"}),
};
constexpr TableSpec kBmc{"bmc", "The baseboard management controller.", kBmcRows};

constexpr Field kIdentityRows[] = {
    field<&Identity::serial>("serial",
                             "Serial number that the machine reports. Placeholders that boards ship with do not count.",
                             {.example = R"("CZ3A1B2")"}),
    field<&Identity::uuid>("uuid", "SMBIOS UUID of the system.",
                           {.format = Format::Uuid, .example = R"("4c4c4544-0033-4110-8041-b7c04f314232")"}),
    field<&Identity::bmc_guid>("bmc_guid", "GUID of the BMC (IPMI) or UUID of the Manager (Redfish).",
                               {.format = Format::Uuid, .example = R"("44454c4c-3300-1041-8041-b7c04f314232")"}),
};

constexpr Field kRootDiskRows[] = {
    field<&RootDiskHint::serial>("serial", "Serial number of the disk.", {.example = R"("S4YXNF0M")"}),
    field<&RootDiskHint::wwn>("wwn", "World-wide name of the disk.", {.example = R"("0x5000c500a0b1c2d3")"}),
    field<&RootDiskHint::by_path>("by_path", "Name below /dev/disk/by-path.",
                                  {.example = R"("pci-0000:00:1f.2-ata-1")"}),
    field<&RootDiskHint::model>("model", "Model of the disk.", {.example = R"("MZ7L3480")"}),
    field<&RootDiskHint::type>("type", "Kind of disk.", {.example = R"("nvme")"}),
    field<&RootDiskHint::min_size_gib>("min_size_gib", "At least this large, in GiB.",
                                       {.least = 1, .most = 1 << 20, .example = "200"}),
    field<&RootDiskHint::max_size_gib>("max_size_gib", "At most this large, in GiB.",
                                       {.least = 1, .most = 1 << 20, .example = "960"}),
};
constexpr TableSpec kRootDisk{"root_disk", "The system disk: all keys must match one disk; none or several: refused.",
                              kRootDiskRows};

constexpr Field kDiskRows[] = {
    field<&DiskDeclaration::size_gib>("size_gib", "Size in GiB.", {.least = 1, .most = 1 << 20, .example = "480"}),
    field<&DiskDeclaration::type>("type", "Kind of disk.", {.example = R"("nvme")"}),
    field<&DiskDeclaration::serial>("serial", "Serial number.", {.levels = kInMachine, .example = R"("S4YXNF0M")"}),
};
constexpr TableSpec kDisk{"disk", "One disk.", kDiskRows};

constexpr Field kNicRows[] = {
    field<&NicDeclaration::mac>("mac", "MAC address.",
                                {.format = Format::Mac, .levels = kInMachine, .example = R"("52:54:00:12:34:18")"}),
    field<&NicDeclaration::speed_gbps>("speed_gbps", "Speed in Gbit/s.", {.least = 1, .most = 1600, .example = "25"}),
    field<&NicDeclaration::switch_name>("switch", "Switch that it is plugged into.", {.example = R"("leaf-b2")"}),
    field<&NicDeclaration::port>("port", "Port of the switch.", {.example = R"("Ethernet17")"}),
};
constexpr TableSpec kNic{"nic", "One network card port.", kNicRows};

constexpr Field kHardwareRows[] = {
    field<&HardwareDeclaration::arch>("arch", "Processor architecture.", {.example = R"("x86_64")"}),
    field<&HardwareDeclaration::cpu_cores>("cpu_cores", "Physical cores.",
                                           {.least = 1, .most = 65536, .example = "32"}),
    field<&HardwareDeclaration::memory_gib>("memory_gib", "Memory in GiB.",
                                            {.least = 1, .most = 1 << 20, .example = "256"}),
    field<&HardwareDeclaration::root_disk>("root_disk", "Which disk is the system disk.", {.table = &kRootDisk}),
    field<&HardwareDeclaration::disks>("disk", "Disks that the machine has.", {.table = &kDisk}),
    field<&HardwareDeclaration::nics>("nic", "Network ports that the machine has.", {.table = &kNic}),
};
constexpr TableSpec kHardware{"hardware", "What the owner declares; inspection compares.", kHardwareRows};

constexpr Field kBootRows[] = {
    field<&BootPlan::method>("method",
                             "How the machine boots an installer. Only pxe is served: with another method it is not "
                             "claimed.",
                             {.fallback = R"("pxe")", .example = R"("pxe")"}),
    field<&BootPlan::mode>("mode", "Firmware mode.", {.fallback = R"("uefi")", .example = R"("uefi")"}),
    field<&BootPlan::secure_boot>("secure_boot", "Secure Boot; needs mode = \"uefi\".",
                                  {.fallback = "false", .example = "false"}),
    field<&BootPlan::network>("network", "Network of the provider that it boots from (role provisioning).",
                              {.format = Format::Label, .refers = Refers::Network, .example = R"("provisioning")"}),
    field<&BootPlan::handover>("handover", "How the boot script passes on to the disk.",
                               {.fallback = R"("exit")", .example = R"("exit")"}),
};
constexpr TableSpec kBoot{"boot", "How the machine boots from the network.", kBootRows};

constexpr Field kLifecycleRows[] = {
    field<&Lifecycle::state>("state",
                             "maintenance and retired take the machine out of use. maintenance is a brake: it takes "
                             "effect from the newest commit seen, even a refused one.",
                             {.fallback = R"("in-service")", .example = R"("in-service")"}),
    field<&Lifecycle::hands_off>("hands_off", "true: no write to this machine's BMC, host or disks. A brake, as above.",
                                 {.fallback = "false", .example = "true"}),
    field<&Lifecycle::existing_data>("existing_data",
                                     "keep: a machine that Nimbus did not erase is never placed on. erase: what "
                                     "it holds may be destroyed.",
                                     {.levels = kShared, .fallback = R"("keep")", .example = R"("keep")"}),
    field<&Lifecycle::reason>("reason", "Why, for people.", {.example = R"("fan replaced on Monday")"}),
};
constexpr TableSpec kLifecycle{"lifecycle", "Whether the machine may be used.", kLifecycleRows};

constexpr Field kLocationRows[] = {
    field<&Location::rack>("rack", "Rack; spread = \"rack\" compares it.", {.example = R"("b2")"}),
    field<&Location::unit>("unit", "Height unit.", {.least = 0, .most = 100, .example = "17"}),
    field<&Location::feeds>("feeds", "Power feeds; the inrush limit counts per feed.", {.example = R"(["A", "B"])"}),
};
constexpr TableSpec kLocation{"location", "Where the machine stands.", kLocationRows};

/// [identity] also holds the boot MAC, which DesiredMachine keeps beside it.
struct IdentityAndMac {
  static void* open(void* object, std::string_view) { return object; }
  static void serial(void* object, const base::toml::Value& value) {
    static_cast<DesiredMachine*>(object)->identity.serial = *value.string();
  }
  static void uuid(void* object, const base::toml::Value& value) {
    static_cast<DesiredMachine*>(object)->identity.uuid = *value.string();
  }
  static void guid(void* object, const base::toml::Value& value) {
    static_cast<DesiredMachine*>(object)->identity.bmc_guid = *value.string();
  }
};

constexpr Field rebound(Field row, void (*bind)(void*, const base::toml::Value&)) {
  row.bind = bind;
  return row;
}
constexpr Field kIdentityTableRows[] = {
    rebound(kIdentityRows[0], &IdentityAndMac::serial),
    rebound(kIdentityRows[1], &IdentityAndMac::uuid),
    rebound(kIdentityRows[2], &IdentityAndMac::guid),
    field<&DesiredMachine::mac>("mac", "MAC address of the port that boots from the network.",
                                {.format = Format::Mac, .example = R"("52:54:00:12:34:17")"}),
};
constexpr TableSpec kIdentity{"identity",
                              "Who the machine is: at least one of serial, uuid and bmc_guid. Nothing is written to "
                              "a machine that reports another identity.",
                              kIdentityTableRows};

constexpr Field identity_row() {
  Field row = field<&DesiredMachine::identity>("identity", kIdentity.doc,
                                               {.need = Need::Required, .levels = kInMachine, .table = &kIdentity});
  row.open = &IdentityAndMac::open;
  return row;
}

constexpr Field kMachineRows[] = {
    field<&DesiredMachine::class_name>(
        "class", "Class of hardware of the same provider; what this file says wins, key by key.",
        {.format = Format::Label, .levels = kInMachine, .refers = Refers::Class, .example = R"("r650")"}),
    field<&DesiredMachine::description>("description", "For people.",
                                        {.levels = kShared, .example = R"("rack b2 unit 17")"}),
    field<&DesiredMachine::labels>("labels", "Free labels; requirements of instances compare them.",
                                   {.levels = kShared, .example = R"({ owner = "hpc" })"}),
    field<&DesiredMachine::power>("power", "Wanted while no instance is placed here.",
                                  {.fallback = R"("unmanaged")", .example = R"("on")"}),
    field<&DesiredMachine::enforcement>("enforcement", "observe: drift is reported. enforce: drift is corrected.",
                                        {.fallback = R"("observe")", .example = R"("enforce")"}),
    field<&DesiredMachine::reserved_for>(
        "reserved_for", "Tenants that may use it; empty: any that the provider admits.",
        {.format = Format::Label, .levels = kShared, .refers = Refers::Tenant, .example = R"(["acme"])"}),
    field<&DesiredMachine::location>("location", kLocation.doc, {.levels = kShared, .table = &kLocation}),
    field<&DesiredMachine::bmc>("bmc", kBmc.doc, {.table = &kBmc}),
    identity_row(),
    field<&DesiredMachine::hardware>("hardware", kHardware.doc, {.levels = kShared, .table = &kHardware}),
    field<&DesiredMachine::boot>("boot", kBoot.doc, {.table = &kBoot}),
    scalars<&DesiredMachine::bios>(
        "bios", "Firmware attributes that are managed; everything else is left alone.",
        {.key_format = Format::AttributeKey, .example = R"({ ProcVirtualization = "Enabled" })"}),
    field<&DesiredMachine::lifecycle>("lifecycle", kLifecycle.doc, {.table = &kLifecycle}),
};

}  // namespace

const TableSpec kMachine{"",
                         "A machine: hardware of a provider. What is not said here comes from its class, then from the "
                         "provider's defaults.",
                         kMachineRows};
const TableSpec kClass{"", "A kind of hardware: any table of a machine except [identity] and addresses.", kMachineRows};
const TableSpec kDefaults{"defaults",
                          "Defaults for all machines of the provider: class and machine win, key by key. A default "
                          "that does not fit a machine's driver is dropped for that machine.",
                          kMachineRows};

}  // namespace nimbus::registry::tables

// Rows of profile files: services, kernel, disks, names, network, commands.
#include "core/desired/profile.hpp"
#include "registry/schema/profile_tables.hpp"

namespace nimbus::registry::tables {
namespace {

constexpr Field kTimeRows[] = {
    field<&Profile::Time::servers>("servers", "NTP servers of systemd-timesyncd.",
                                   {.format = Format::HostOrIp, .example = R"(["ntp.example"])"}),
};

constexpr Field kCaCertificateRows[] = {
    field<&Profile::CaCertificate::name>("name", "Name of its file.",
                                         {.need = Need::Required, .format = Format::Label, .example = R"("acme")"}),
    field<&Profile::CaCertificate::content>(
        "content", "The certificate as PEM; or source.",
        {.format = Format::Multiline, .example = R"("-----BEGIN CERTIFICATE-----\n")"}),
    field<&Profile::CaCertificate::source>(
        "source", "A file below files/ that holds the certificate.",
        {.format = Format::ContentPath, .refers = Refers::Content, .example = R"("files/acme-ca.pem")"}),
    state<&Profile::CaCertificate::state>(),
};

constexpr Field kServiceRows[] = {
    field<&Profile::Service::name>("name", "Unit; without a suffix: .service.",
                                   {.need = Need::Required, .format = Format::UnitName, .example = R"("nginx")"}),
    field<&Profile::Service::enabled>("enabled", "Whether it starts at boot; absent: left alone.", {.example = "true"}),
    field<&Profile::Service::running>("running", "Whether it runs; absent: left alone.", {.example = "true"}),
    field<&Profile::Service::restart_on>("restart_on", "Files of the host's profiles whose change restarts it.",
                                         {.format = Format::AbsolutePath, .example = R"(["/etc/nginx/nginx.conf"])"}),
    field<&Profile::Service::reload_on>(
        "reload_on", "Files of the host's profiles whose change makes it read them again.",
        {.format = Format::AbsolutePath, .example = R"(["/etc/nginx/conf.d/app.conf"])"}),
};

constexpr Field kTimerRows[] = {
    field<&Profile::Timer::name>("name", "Name of its unit: nimbus-timer-<name>.timer.",
                                 {.need = Need::Required, .format = Format::Label, .example = R"("backup")"}),
    field<&Profile::Timer::calendar>("calendar", "When, as systemd's OnCalendar.", {.example = R"("*-*-* 03:00:00")"}),
    field<&Profile::Timer::command>("command", "What runs, for /bin/sh.", {.example = R"("/usr/local/bin/backup")"}),
    field<&Profile::Timer::user>("user", "Account that it runs as.",
                                 {.format = Format::UserName, .fallback = R"("root")", .example = R"("backup")"}),
    state<&Profile::Timer::state>(),
};

constexpr Field kMountRows[] = {
    field<&Profile::Mount::source>(
        "source", "What is mounted.",
        {.format = Format::MountSource, .example = R"("UUID=0a1b2c3d-0000-4000-8000-00000000beef")"}),
    field<&Profile::Mount::path>("path", "Where.",
                                 {.need = Need::Required, .format = Format::AbsolutePath, .example = R"("/srv/data")"}),
    field<&Profile::Mount::fs>("fs", "File system.", {.format = Format::Label, .example = R"("ext4")"}),
    field<&Profile::Mount::options>(
        "options", "Mount options.",
        {.format = Format::MountOptions, .fallback = R"("defaults")", .example = R"("noatime,nofail")"}),
    word_state<&Profile::Mount::state>("absent: unmounted, and out of /etc/fstab."),
};

constexpr Field kSwapRows[] = {
    field<&Profile::Swap::path>("path", "Its file.",
                                {.need = Need::Required, .format = Format::AbsolutePath, .example = R"("/swapfile")"}),
    field<&Profile::Swap::size_mib>("size_mib", "Its size in MiB.", {.least = 1, .most = 1 << 24, .example = "2048"}),
    word_state<&Profile::Swap::state>("absent: switched off, and removed."),
};

constexpr Field kHostRows[] = {
    field<&Profile::Host::address>("address", "Address.",
                                   {.need = Need::Required, .format = Format::Ip, .example = R"("10.20.0.5")"}),
    field<&Profile::Host::names>("names", "Names that stand for it.",
                                 {.need = Need::Required, .format = Format::Hostname, .example = R"(["db.internal"])"}),
};

constexpr Field kFirewallRows[] = {
    field<&Profile::FirewallRule::allow>("allow", "Protocol.", {.need = Need::Required, .example = R"("tcp")"}),
    field<&Profile::FirewallRule::port>("port", "Port; not for icmp.", {.least = 1, .most = 65535, .example = "443"}),
    field<&Profile::FirewallRule::from>("from", "Networks that may connect; none: all.",
                                        {.format = Format::Cidr, .example = R"(["0.0.0.0/0"])"}),
};

constexpr Field kVlanRows[] = {
    field<&Profile::Vlan::id>("id", "VLAN id.", {.need = Need::Required, .least = 1, .most = 4094, .example = "120"}),
    field<&Profile::Vlan::link>("link", "Interface that it lies on.",
                                {.need = Need::Required, .format = Format::InterfaceName, .example = R"("eno1")"}),
};
constexpr TableSpec kVlan{"vlan", "The interface is a VLAN.", kVlanRows};

constexpr Field kBondRows[] = {
    field<&Profile::Bond::mode>("mode", "How the members are used.",
                                {.need = Need::Required, .example = R"("802.3ad")"}),
    field<&Profile::Bond::members>(
        "members", "Interfaces that it is made of.",
        {.need = Need::Required, .format = Format::InterfaceName, .example = R"(["eno1", "eno2"])"}),
};
constexpr TableSpec kBond{"bond", "The interface is a bond.", kBondRows};

constexpr Field kInterfaceRows[] = {
    field<&Profile::Interface::name>("name", "Interface.",
                                     {.need = Need::Required, .format = Format::InterfaceName, .example = R"("eno1")"}),
    field<&Profile::Interface::mac>("mac", "Its MAC address: says which one is meant instead of the name.",
                                    {.format = Format::Mac, .example = R"("52:54:00:12:34:17")"}),
    field<&Profile::Interface::dhcp>("dhcp", "Which addresses it asks for.",
                                     {.fallback = R"("none")", .example = R"("ipv4")"}),
    field<&Profile::Interface::addresses>("addresses", "Addresses with their prefix.",
                                          {.format = Format::InterfaceAddress, .example = R"(["10.20.0.5/24"])"}),
    field<&Profile::Interface::gateway>("gateway", "Default gateway.",
                                        {.format = Format::Ip, .example = R"("10.20.0.1")"}),
    field<&Profile::Interface::dns>("dns", "DNS servers.", {.format = Format::Ip, .example = R"(["10.20.0.1"])"}),
    field<&Profile::Interface::mtu>("mtu", "Largest packet in bytes.", {.least = 68, .most = 65535, .example = "9000"}),
    field<&Profile::Interface::vlan>("vlan", kVlan.doc, {.table = &kVlan}),
    field<&Profile::Interface::bond>("bond", kBond.doc, {.table = &kBond}),
};

constexpr Field kCommandRows[] = {
    field<&Profile::Command::name>("name", "Name.",
                                   {.need = Need::Required, .format = Format::Label, .example = R"("app-database")"}),
    field<&Profile::Command::run>("run", "What runs, for /bin/sh.", {.example = R"("/usr/local/bin/app init")"}),
    field<&Profile::Command::creates>("creates", "It has run if this exists.",
                                      {.format = Format::AbsolutePath, .example = R"("/var/lib/app/db")"}),
    field<&Profile::Command::unless>("unless", "It need not run if this passes; for /bin/sh, without side effects.",
                                     {.example = R"("/usr/local/bin/app is-ready")"}),
    field<&Profile::Command::user>("user", "Account that it runs as.",
                                   {.format = Format::UserName, .fallback = R"("root")", .example = R"("app")"}),
    field<&Profile::Command::after>("after", "What must be right first: kind:name.",
                                    {.format = Format::ResourceId, .example = R"(["package:nginx"])"}),
};

}  // namespace

const TableSpec kTime{"time", kTimeDoc, kTimeRows};
const TableSpec kCaCertificate{"ca_certificate", kCaCertificateDoc, kCaCertificateRows};
const TableSpec kService{"service", kServiceDoc, kServiceRows};
const TableSpec kTimer{"timer", kTimerDoc, kTimerRows};
const TableSpec kMount{"mount", kMountDoc, kMountRows};
const TableSpec kSwap{"swap", kSwapDoc, kSwapRows};
const TableSpec kHost{"host", kHostDoc, kHostRows};
const TableSpec kFirewall{"firewall", kFirewallDoc, kFirewallRows};
const TableSpec kInterface{"interface", kInterfaceDoc, kInterfaceRows};
const TableSpec kCommand{"command", kCommandDoc, kCommandRows};

}  // namespace nimbus::registry::tables

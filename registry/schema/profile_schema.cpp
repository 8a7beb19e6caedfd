// Rows of profile files: the top table, and what lies in files, packages and accounts. Services,
// kernel, network and commands: profile_system_schema.cpp.
#include "core/desired/profile.hpp"
#include "registry/schema/profile_tables.hpp"
#include "registry/schema/tables.hpp"

namespace nimbus::registry::tables {
namespace {

constexpr std::string_view kSudo[] = {"nopasswd", "password"};

constexpr Field kPackagesRows[] = {
    field<&Profile::Packages::present>("present", "Installed; name=version: exactly that one.",
                                       {.format = Format::Package, .example = R"(["nginx", "chrony=4.3-2"])"}),
    field<&Profile::Packages::absent>("absent", "Removed.",
                                      {.format = Format::PackageName, .example = R"(["telnet"])"}),
    field<&Profile::Packages::hold>("hold", "Installed, and left alone by upgrades.",
                                    {.format = Format::PackageName, .example = R"(["linux-image-amd64"])"}),
};
constexpr TableSpec kPackages{"packages", "Packages.", kPackagesRows};

constexpr Field kKeyRows[] = {
    field<&Profile::Content::content>(
        "content", "The armoured key itself; or source.",
        {.format = Format::Multiline, .example = R"("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")"}),
    field<&Profile::Content::source>(
        "source", "A file below files/ that holds the key.",
        {.format = Format::ContentPath, .refers = Refers::Content, .example = R"("files/example.asc")"}),
};
constexpr TableSpec kKey{"key", "The key that signs it; no other key is trusted for it.", kKeyRows};

constexpr Field kRepositoryRows[] = {
    field<&Profile::Repository::name>("name", "Name of its file below /etc/apt/sources.list.d.",
                                      {.need = Need::Required, .format = Format::Label, .example = R"("example")"}),
    field<&Profile::Repository::url>("url", "Where it is.",
                                     {.format = Format::Url, .example = R"("https://packages.example/debian")"}),
    field<&Profile::Repository::suites>("suites", "Suites.", {.format = Format::AptWord, .example = R"(["bookworm"])"}),
    field<&Profile::Repository::components>("components", "Components; none where a suite ends in '/'.",
                                            {.format = Format::AptWord, .example = R"(["main"])"}),
    field<&Profile::Repository::key>("key", kKey.doc, {.table = &kKey}),
    state<&Profile::Repository::state>(),
};
constexpr TableSpec kRepository{"repository", "A repository that packages come from (APT).", kRepositoryRows};

constexpr Field kFileRows[] = {
    field<&Profile::File::path>("path", "Where it is installed.",
                                {.need = Need::Required, .format = Format::AbsolutePath, .example = R"("/etc/motd")"}),
    field<&Profile::File::content>("content", "The content itself; or source.",
                                   {.format = Format::Multiline, .example = R"("Managed by Nimbus\n")"}),
    field<&Profile::File::source>(
        "source", "A file below files/ that holds the content.",
        {.format = Format::ContentPath, .refers = Refers::Content, .example = R"("files/motd")"}),
    field<&Profile::File::is_template>("template", "Whether {{variables}} in the content are replaced.",
                                       {.fallback = "false", .example = "true"}),
    field<&Profile::File::owner>("owner", "Owner.",
                                 {.format = Format::UserName, .fallback = R"("root")", .example = R"("root")"}),
    field<&Profile::File::group>("group", "Group.",
                                 {.format = Format::UserName, .fallback = R"("root")", .example = R"("root")"}),
    field<&Profile::File::mode>("mode", "Mode.",
                                {.format = Format::FileMode, .fallback = R"("0644")", .example = R"("0644")"}),
    field<&Profile::File::validate>(
        "validate",
        "A command that must pass before the file goes live: on the new file where it says {file}, else with the new "
        "file in place, and the old one comes back if it fails.",
        {.example = R"("nginx -t")"}),
    state<&Profile::File::state>(),
};
constexpr TableSpec kFile{"file", "A file on the host.", kFileRows};

constexpr Field kDirectoryRows[] = {
    field<&Profile::Directory::path>(
        "path", "Where it is.", {.need = Need::Required, .format = Format::AbsolutePath, .example = R"("/srv/www")"}),
    field<&Profile::Directory::owner>(
        "owner", "Owner.", {.format = Format::UserName, .fallback = R"("root")", .example = R"("www-data")"}),
    field<&Profile::Directory::group>(
        "group", "Group.", {.format = Format::UserName, .fallback = R"("root")", .example = R"("www-data")"}),
    field<&Profile::Directory::mode>("mode", "Mode.",
                                     {.format = Format::FileMode, .fallback = R"("0755")", .example = R"("0755")"}),
    word_state<&Profile::Directory::state>("absent: removed if it is empty."),
};
constexpr TableSpec kDirectory{"directory", "A directory on the host.", kDirectoryRows};

constexpr Field kLinkRows[] = {
    field<&Profile::Link::path>(
        "path", "Where it is.",
        {.need = Need::Required, .format = Format::AbsolutePath, .example = R"("/etc/nginx/sites-enabled/app")"}),
    field<&Profile::Link::target>("target", "What it points to.", {.example = R"("../sites-available/app")"}),
    state<&Profile::Link::state>(),
};
constexpr TableSpec kLink{"link", "A symbolic link on the host.", kLinkRows};

constexpr Field kGroupRows[] = {
    field<&Profile::Group::name>("name", "Group.",
                                 {.need = Need::Required, .format = Format::UserName, .example = R"("app")"}),
    field<&Profile::Group::gid>("gid", "Its number; absent: any.", {.least = 1, .most = 4294967293, .example = "2000"}),
    state<&Profile::Group::state>(),
};
constexpr TableSpec kGroup{"group", "A group of accounts on the host.", kGroupRows};

constexpr Field kUserRows[] = {
    field<&Profile::User::name>("name", "Account.",
                                {.need = Need::Required, .format = Format::UserName, .example = R"("deploy")"}),
    field<&Profile::User::uid>("uid", "Its number; absent: any.", {.least = 1, .most = 4294967293, .example = "2000"}),
    field<&Profile::User::groups>("groups", "Supplementary groups; others are left alone.",
                                  {.format = Format::UserName, .example = R"(["sudo"])"}),
    field<&Profile::User::shell>("shell", "Login shell; absent: the host's default.",
                                 {.format = Format::AbsolutePath, .example = R"("/bin/bash")"}),
    field<&Profile::User::home>("home", "Home directory; absent: the host's default.",
                                {.format = Format::AbsolutePath, .example = R"("/home/deploy")"}),
    field<&Profile::User::ssh_keys>(
        "ssh_keys", "SSH public keys, or person:<name>.",
        {.format = Format::SshKeyOrPerson, .refers = Refers::Person, .example = R"(["person:alice"])"}),
    field<&Profile::User::keys>("keys", "exclusive: other keys are removed.",
                                {.fallback = R"("additive")", .example = R"("exclusive")"}),
    word<&Profile::User::sudo>("sudo", "Whether the account may become root, and how.", kSudo,
                               {.example = R"("nopasswd")"}),
    word_state<&Profile::User::state>("absent: the account goes, its home stays."),
};
constexpr TableSpec kUser{"user", "An account on the host.", kUserRows};

constexpr Field kSudoersRows[] = {
    field<&Profile::Sudoers::name>("name", "Name of its file: /etc/sudoers.d/nimbus-<name>.",
                                   {.need = Need::Required, .format = Format::Label, .example = R"("app")"}),
    field<&Profile::Sudoers::rules>("rules", "Lines of sudoers; checked by visudo before they count.",
                                    {.example = R"(["deploy ALL=(root) NOPASSWD: /bin/systemctl restart app"])"}),
    state<&Profile::Sudoers::state>(),
};
constexpr TableSpec kSudoers{"sudoers", "Rules of sudo.", kSudoersRows};

constexpr Field kSecretFileRows[] = {
    field<&Profile::SecretFile::path>(
        "path", "Where it is installed.",
        {.need = Need::Required, .format = Format::AbsolutePath, .example = R"("/etc/app/token")"}),
    field<&Profile::SecretFile::secret>("secret",
                                        "Name of the controller's secret, of the instance's own tenant; shared "
                                        "profiles write tenant/{{tenant.name}}/….",
                                        {.need = Need::Required,
                                         .format = Format::SecretName,
                                         .refers = Refers::Secret,
                                         .example = R"("tenant/acme/app-token")"}),
    field<&Profile::SecretFile::owner>("owner", "Owner.",
                                       {.format = Format::UserName, .fallback = R"("root")", .example = R"("app")"}),
    field<&Profile::SecretFile::group>("group", "Group.",
                                       {.format = Format::UserName, .fallback = R"("root")", .example = R"("app")"}),
    field<&Profile::SecretFile::mode>("mode", "Mode; never readable for everybody.",
                                      {.format = Format::FileMode, .fallback = R"("0400")", .example = R"("0440")"}),
};
constexpr TableSpec kSecretFile{"secret_file", "A file rendered from a secret of the controller.", kSecretFileRows};

constexpr Field kProfileRows[] = {
    field<&Profile::hostname>("hostname", "Name of the host; absent: left alone.",
                              {.format = Format::Hostname, .example = R"("{{instance.hostname}}")"}),
    field<&Profile::timezone>("timezone", "Time zone of the host.",
                              {.format = Format::TimeZone, .example = R"("Etc/UTC")"}),
    field<&Profile::locale>("locale", "Language of the host.", {.format = Format::Locale, .example = R"("C.UTF-8")"}),
    field<&Profile::time>("time", kTimeDoc, {.table = &kTime}),
    field<&Profile::packages>("packages", kPackages.doc, {.table = &kPackages}),
    field<&Profile::repositories>("repository", kRepository.doc, {.table = &kRepository, .identity = "name"}),
    field<&Profile::ca_certificates>("ca_certificate", kCaCertificateDoc,
                                     {.table = &kCaCertificate, .identity = "name"}),
    field<&Profile::files>("file", kFile.doc, {.table = &kFile, .identity = "path"}),
    field<&Profile::directories>("directory", kDirectory.doc, {.table = &kDirectory, .identity = "path"}),
    field<&Profile::links>("link", kLink.doc, {.table = &kLink, .identity = "path"}),
    field<&Profile::secret_files>("secret_file", kSecretFile.doc, {.table = &kSecretFile, .identity = "path"}),
    field<&Profile::groups>("group", kGroup.doc, {.table = &kGroup, .identity = "name"}),
    field<&Profile::users>("user", kUser.doc, {.table = &kUser, .identity = "name"}),
    field<&Profile::sudoers>("sudoers", kSudoers.doc, {.table = &kSudoers, .identity = "name"}),
    field<&Profile::services>("service", kServiceDoc, {.table = &kService, .identity = "name"}),
    field<&Profile::timers>("timer", kTimerDoc, {.table = &kTimer, .identity = "name"}),
    scalars<&Profile::sysctl>("sysctl", "Kernel parameters.",
                              {.key_format = Format::SysctlKey, .example = R"({ "net.core.somaxconn" = 4096 })"}),
    field<&Profile::modules>("modules", "Kernel modules that are loaded.",
                             {.format = Format::ModuleName, .example = R"(["br_netfilter"])"}),
    field<&Profile::mounts>("mount", kMountDoc, {.table = &kMount, .identity = "path"}),
    field<&Profile::swaps>("swap", kSwapDoc, {.table = &kSwap, .identity = "path"}),
    field<&Profile::hosts>("host", kHostDoc, {.table = &kHost, .identity = "address"}),
    field<&Profile::firewall>("firewall", kFirewallDoc, {.table = &kFirewall}),
    field<&Profile::interfaces>("interface", kInterfaceDoc, {.table = &kInterface, .identity = "name"}),
    field<&Profile::commands>("command", kCommandDoc, {.table = &kCommand, .identity = "name"}),
};

}  // namespace

const TableSpec kProfile{"", "Host configuration; an instance's profiles are merged in the order that it lists.",
                         kProfileRows};

}  // namespace nimbus::registry::tables

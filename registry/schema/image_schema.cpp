// Rows of image and profile files.
#include "core/desired/image.hpp"
#include "core/desired/profile.hpp"
#include "registry/schema/tables.hpp"

namespace nimbus::registry::tables {
namespace {

constexpr std::string_view kFileSystems[] = {"ext4", "xfs", "btrfs", "swap", "vfat"};
constexpr std::string_view kSudo[] = {"nopasswd", "password"};

constexpr Field kImageDiskRows[] = {
    field<&Image::Disk::urls>(
        "urls", "Where the image is; tried in order. https, or http with the checksum as guard.",
        {.need = Need::Required, .format = Format::Url, .example = R"(["https://images.example/debian-12.raw.zst"])"}),
    field<&Image::Disk::sha256>("sha256", "SHA-256 of the file as downloaded.",
                                {.need = Need::Required,
                                 .format = Format::Sha256,
                                 .example = R"("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")"}),
    field<&Image::Disk::size_bytes>("size_bytes", "Size of the raw image in bytes.",
                                    {.need = Need::Required, .least = 1, .example = "2147483648"}),
};
constexpr TableSpec kImageDisk{"disk", "The image; installer = \"disk-image\" only.", kImageDiskRows};

constexpr Field kKernelRows[] = {
    field<&Image::Download::url>(
        "url", "Where the kernel is.",
        {.need = Need::Required, .format = Format::Url, .example = R"("https://images.example/linux")"}),
    field<&Image::Download::sha256>(
        "sha256", "SHA-256 of the file.",
        {.need = Need::Required,
         .format = Format::Sha256,
         .example = R"("60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752")"}),
    field<&Image::Download::cmdline>("cmdline", "Kernel command line.", {.example = R"("console=ttyS0")"}),
};
constexpr TableSpec kKernel{"kernel", "The installer's kernel; installers other than disk-image.", kKernelRows};
constexpr Field kInitrdRows[] = {kKernelRows[0], kKernelRows[1]};
constexpr TableSpec kInitrd{"initrd", "The installer's initial RAM disk; installers other than disk-image.",
                            kInitrdRows};

constexpr Field kStorageRows[] = {
    field<&Image::Storage::mount>("mount", "Mount point, or \"swap\".",
                                  {.need = Need::Required, .example = R"("/var")"}),
    field<&Image::Storage::size_gib>("size_gib", "Size in GiB; absent: what is left.",
                                     {.least = 1, .most = 1 << 20, .example = "50"}),
    word<&Image::Storage::fs>("fs", "File system.", kFileSystems, {.fallback = R"("ext4")", .example = R"("ext4")"}),
    field<&Image::Storage::lvm>("lvm", "Whether it is a logical volume.", {.fallback = "false", .example = "true"}),
};
constexpr TableSpec kStorage{"storage", "Layout of the system disk; default: the image's own, root grown to the disk.",
                             kStorageRows};

constexpr Field kImageRows[] = {
    field<&Image::os>("os", "Operating system.",
                      {.need = Need::Required, .format = Format::Label, .example = R"("debian")"}),
    field<&Image::version>("version", "Its version.", {.example = R"("12")"}),
    field<&Image::arch>("arch", "Processor architecture.", {.need = Need::Required, .example = R"("x86_64")"}),
    field<&Image::installer>("installer", "How it is installed.",
                             {.need = Need::Required, .example = R"("disk-image")"}),
    field<&Image::default_user>("default_user", "Account that the image logs in with.",
                                {.format = Format::UserName, .example = R"("debian")"}),
    field<&Image::template_file>(
        "template", "Template of the installer's answers; installers other than disk-image.",
        {.format = Format::ContentPath, .refers = Refers::Content, .example = R"("files/preseed/debian-12.cfg")"}),
    field<&Image::disk>("disk", kImageDisk.doc, {.table = &kImageDisk}),
    field<&Image::kernel>("kernel", kKernel.doc, {.table = &kKernel}),
    field<&Image::initrd>("initrd", kInitrd.doc, {.table = &kInitrd}),
    field<&Image::storage>("storage", kStorage.doc, {.table = &kStorage}),
};

constexpr Field kPackagesRows[] = {
    field<&Profile::Packages::present>("present", "Installed.", {.example = R"(["nginx", "chrony"])"}),
    field<&Profile::Packages::absent>("absent", "Removed.", {.example = R"(["telnet"])"}),
};
constexpr TableSpec kPackages{"packages", "Packages.", kPackagesRows};

constexpr Field kFileRows[] = {
    field<&Profile::File::path>("path", "Where it is installed.",
                                {.need = Need::Required, .format = Format::AbsolutePath, .example = R"("/etc/motd")"}),
    field<&Profile::File::content>("content", "The content itself; or source.",
                                   {.format = Format::Multiline, .example = R"("Managed by Nimbus\n")"}),
    field<&Profile::File::source>(
        "source", "A file below files/ that holds the content.",
        {.format = Format::ContentPath, .refers = Refers::Content, .example = R"("files/motd")"}),
    field<&Profile::File::owner>("owner", "Owner.",
                                 {.format = Format::UserName, .fallback = R"("root")", .example = R"("root")"}),
    field<&Profile::File::group>("group", "Group.",
                                 {.format = Format::UserName, .fallback = R"("root")", .example = R"("root")"}),
    field<&Profile::File::mode>("mode", "Mode.",
                                {.format = Format::FileMode, .fallback = R"("0644")", .example = R"("0644")"}),
    field<&Profile::File::validate>("validate", "A command that must pass before the file goes live.",
                                    {.example = R"("nginx -t")"}),
};
constexpr TableSpec kFile{"file", "A file on the host.", kFileRows};

constexpr Field kUserRows[] = {
    field<&Profile::User::name>("name", "Account.",
                                {.need = Need::Required, .format = Format::UserName, .example = R"("deploy")"}),
    field<&Profile::User::groups>("groups", "Supplementary groups.",
                                  {.format = Format::UserName, .example = R"(["sudo"])"}),
    field<&Profile::User::ssh_keys>(
        "ssh_keys", "SSH public keys, or person:<name>.",
        {.format = Format::SshKeyOrPerson, .refers = Refers::Person, .example = R"(["person:alice"])"}),
    field<&Profile::User::keys>("keys", "exclusive: other keys are removed.",
                                {.fallback = R"("additive")", .example = R"("exclusive")"}),
    word<&Profile::User::sudo>("sudo", "Whether the account may become root, and how.", kSudo,
                               {.example = R"("nopasswd")"}),
};
constexpr TableSpec kUser{"user", "An account on the host.", kUserRows};

constexpr Field kServiceRows[] = {
    field<&Profile::Service::name>("name", "Unit, without .service.",
                                   {.need = Need::Required, .example = R"("nginx")"}),
    field<&Profile::Service::enabled>("enabled", "Whether it starts at boot.", {.example = "true"}),
    field<&Profile::Service::running>("running", "Whether it runs.", {.example = "true"}),
    field<&Profile::Service::restart_on>("restart_on", "Files of this profile whose change restarts it.",
                                         {.format = Format::AbsolutePath, .example = R"(["/etc/nginx/nginx.conf"])"}),
};
constexpr TableSpec kService{"service", "A service on the host.", kServiceRows};

constexpr Field kMountRows[] = {
    field<&Profile::Mount::source>("source", "What is mounted.",
                                   {.need = Need::Required,
                                    .format = Format::MountSource,
                                    .example = R"("UUID=0a1b2c3d-0000-4000-8000-00000000beef")"}),
    field<&Profile::Mount::path>("path", "Where.",
                                 {.need = Need::Required, .format = Format::AbsolutePath, .example = R"("/srv/data")"}),
    field<&Profile::Mount::fs>("fs", "File system.",
                               {.need = Need::Required, .format = Format::Label, .example = R"("ext4")"}),
};
constexpr TableSpec kMount{"mount", "A mount on the host.", kMountRows};

constexpr Field kFirewallRows[] = {
    field<&Profile::FirewallRule::allow>("allow", "Protocol.", {.need = Need::Required, .example = R"("tcp")"}),
    field<&Profile::FirewallRule::port>("port", "Port; not for icmp.", {.least = 1, .most = 65535, .example = "443"}),
    field<&Profile::FirewallRule::from>("from", "Networks that may connect; none: all.",
                                        {.format = Format::Cidr, .example = R"(["0.0.0.0/0"])"}),
};
constexpr TableSpec kFirewall{"firewall", "A connection that is let in.", kFirewallRows};

constexpr Field kSecretFileRows[] = {
    field<&Profile::SecretFile::path>(
        "path", "Where it is installed, mode 0400.",
        {.need = Need::Required, .format = Format::AbsolutePath, .example = R"("/etc/app/token")"}),
    field<&Profile::SecretFile::secret>("secret", "Name of the controller's secret.",
                                        {.need = Need::Required,
                                         .format = Format::SecretName,
                                         .refers = Refers::Secret,
                                         .example = R"("tenant/acme/app-token")"}),
};
constexpr TableSpec kSecretFile{"secret_file", "A file rendered from a secret of the controller.", kSecretFileRows};

constexpr Field kProfileRows[] = {
    field<&Profile::timezone>("timezone", "Time zone of the host.",
                              {.format = Format::TimeZone, .example = R"("Etc/UTC")"}),
    field<&Profile::packages>("packages", kPackages.doc, {.table = &kPackages}),
    field<&Profile::files>("file", kFile.doc, {.table = &kFile}),
    field<&Profile::users>("user", kUser.doc, {.table = &kUser}),
    field<&Profile::services>("service", kService.doc, {.table = &kService}),
    scalars<&Profile::sysctl>("sysctl", "Kernel parameters.",
                              {.key_format = Format::AttributeKey, .example = R"({ "net.core.somaxconn" = 4096 })"}),
    field<&Profile::mounts>("mount", kMount.doc, {.table = &kMount}),
    field<&Profile::firewall>("firewall", kFirewall.doc, {.table = &kFirewall}),
    field<&Profile::secret_files>("secret_file", kSecretFile.doc, {.table = &kSecretFile}),
};

}  // namespace

const TableSpec kImage{"", "An operating system that can be installed.", kImageRows};
const TableSpec kProfile{"", "Host configuration; an instance's profiles are merged in the order that it lists.",
                         kProfileRows};

}  // namespace nimbus::registry::tables

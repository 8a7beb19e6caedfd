// Rows of image files.
#include "core/desired/image.hpp"
#include "registry/schema/tables.hpp"

namespace nimbus::registry::tables {
namespace {

constexpr std::string_view kFileSystems[] = {"ext4", "xfs", "btrfs", "swap", "vfat"};

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

}  // namespace

const TableSpec kImage{"", "An operating system that can be installed.", kImageRows};

}  // namespace nimbus::registry::tables

#include "installer/self_erase.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace nimbus::installer {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::milliseconds kEraseDeadline = 12h;
constexpr int kMostLooks = 6 * 3600;  // at an erasure under way, one a second or slower

std::uint32_t little(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= static_cast<std::uint32_t>(bytes[at + i]) << (8 * i);
  return value;
}

class NvmeErase {
 public:
  NvmeErase(Passthrough& disk, const std::function<void()>& pause) : disk_(disk), pause_(pause) {}

  Result<std::string> erase() {
    auto id = disk_.namespace_id();
    if (!id) return std::move(id.error());
    namespace_ = *id;
    if (auto read = identify(kController, 0, controller_); !read) return std::move(read.error());
    if (auto read = identify(kNamespace, namespace_, namespace_data_); !read) return std::move(read.error());
    std::array<std::uint8_t, kPage> list{};
    if (auto read = identify(kActiveList, 0, list); !read) return std::move(read.error());
    alone_ = little(list, 0, 4) == namespace_ && little(list, 4, 4) == 0;

    const bool can_format = (little(controller_, 256, 2) & 2U) != 0;  // OACS
    const std::uint8_t format = controller_[524];                     // FNA
    const bool all_go = (format & 3U) != 0;  // a format or its erasure concerns every namespace
    if (can_format && (alone_ || !all_go)) {
      const bool crypto = (format & 4U) != 0;
      auto done = run_format(crypto ? 2 : 1);
      if (done) return std::string(crypto ? "nvme-format-crypto" : "nvme-format");
      if (done.error().code != Code::Unsupported) return std::move(done.error());
    }
    return sanitize();
  }

 private:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::uint32_t kNamespace = 0, kController = 1, kActiveList = 2;

  Result<> identify(std::uint32_t what, std::uint32_t id, std::span<std::uint8_t> page) {
    return disk_.nvme({.opcode = 0x06, .namespace_id = id, .cdw10 = what, .transfer = Transfer::FromDisk}, page);
  }

  /// Keeps the block size and protection that the namespace has.
  Result<> run_format(std::uint32_t secure_erase) {
    const std::uint32_t blocks = namespace_data_[26];      // FLBAS
    const std::uint32_t protection = namespace_data_[29];  // DPS
    const std::uint32_t settings = (blocks & 0x0FU) | (blocks & 0x10U) | ((protection & 7U) << 5U) |
                                   ((protection & 8U) << 5U) | (secure_erase << 9U) | ((blocks & 0x60U) << 7U);
    return disk_.nvme({.opcode = 0x80, .namespace_id = namespace_, .cdw10 = settings, .deadline = kEraseDeadline}, {});
  }

  Result<std::string> sanitize() {
    const std::uint32_t can = little(controller_, 328, 4);  // SANICAP
    const bool crypto = (can & 1U) != 0;
    if (!alone_) return Error{Code::Unsupported, "the disk has other namespaces, which would be erased as well"};
    if ((can & 3U) == 0) return Error{Code::Unsupported, "the disk has neither format nor sanitize"};
    auto begun = disk_.nvme({.opcode = 0x84, .cdw10 = crypto ? 4U : 2U}, {});
    if (!begun) return std::move(begun.error());
    for (int look = 0; look < kMostLooks; ++look) {
      std::array<std::uint8_t, 512> log{};
      auto read = disk_.nvme({.opcode = 0x02,
                              .namespace_id = 0xFFFFFFFFU,
                              .cdw10 = 0x81U | ((512U / 4U - 1U) << 16U),
                              .transfer = Transfer::FromDisk},
                             log);
      if (!read) return Error{Code::Internal, "a sanitize was begun, and then: " + read.error().message};
      const auto state = little(log, 2, 2) & 7U;
      if (state == 1) return std::string(crypto ? "nvme-sanitize-crypto" : "nvme-sanitize-block");
      if (state != 2) return Error{Code::Internal, "the disk's sanitize failed"};
      pause_();
    }
    return Error{Code::Internal, "the disk's sanitize does not end"};
  }

  Passthrough& disk_;
  const std::function<void()>& pause_;
  std::uint32_t namespace_ = 0;
  bool alone_ = false;
  std::array<std::uint8_t, kPage> controller_{}, namespace_data_{};
};

class AtaErase {
 public:
  explicit AtaErase(Passthrough& disk) : disk_(disk) {}

  Result<std::string> erase() {
    auto security = read_security();
    if (!security) return std::move(security.error());
    if ((*security & kSupported) == 0) return Error{Code::Unsupported, "the disk has no security commands"};
    if ((*security & kLocked) != 0) return Error{Code::Busy, "the disk is locked with a password"};
    if ((*security & kFrozen) != 0) return Error{Code::Unsupported, "the firmware has frozen the disk's security"};
    if ((*security & kEnabled) != 0) return Error{Code::Busy, "the disk has a password that is not ours"};
    const bool enhanced = (*security & kEnhanced) != 0;
    if (auto set = with_password(kSetPassword, 0); !set) return std::move(set.error());
    // From here on the disk has a password: whatever happens, it must not stay.
    auto erased = disk_.ata({.command = kErasePrepare}, {});
    if (erased) erased = with_password(kEraseUnit, enhanced ? 2 : 0);
    auto after = read_security();
    if (after && (*after & kEnabled) != 0) {
      static_cast<void>(with_password(kDisablePassword, 0));
      after = read_security();
    }
    if (!after) return std::move(after.error());
    if ((*after & kEnabled) != 0) return Error{Code::Internal, "the disk keeps the password of the erasure"};
    if (!erased) return std::move(erased.error());
    return std::string(enhanced ? "ata-enhanced-secure-erase" : "ata-secure-erase");
  }

 private:
  // Word 128 of IDENTIFY DEVICE.
  static constexpr std::uint32_t kSupported = 1, kEnabled = 2, kLocked = 4, kFrozen = 8, kEnhanced = 32;
  static constexpr std::uint8_t kIdentify = 0xEC, kSetPassword = 0xF1, kErasePrepare = 0xF3, kEraseUnit = 0xF4,
                                kDisablePassword = 0xF6;

  Result<std::uint32_t> read_security() {
    std::array<std::uint8_t, 512> sector{};
    auto read = disk_.ata({.command = kIdentify, .transfer = Transfer::FromDisk}, sector);
    if (!read) return std::move(read.error());
    return little(sector, 2 * 128, 2);
  }

  /// Known on purpose: a disk that stays behind with it can be opened again.
  Result<> with_password(std::uint8_t command, std::uint8_t options) {
    constexpr std::string_view kPassword = "nimbus-erase";
    std::array<std::uint8_t, 512> sector{};
    sector[0] = options;
    std::copy(kPassword.begin(), kPassword.end(), sector.begin() + 2);
    return disk_.ata({.command = command,
                      .transfer = Transfer::ToDisk,
                      .deadline = command == kEraseUnit ? kEraseDeadline : std::chrono::milliseconds(30s)},
                     sector);
  }

  Passthrough& disk_;
};

}  // namespace

Result<std::string> self_erase(Passthrough& disk, const std::function<void()>& pause) {
  if (disk.commands() == CommandSet::Nvme) return NvmeErase(disk, pause).erase();
  return AtaErase(disk).erase();
}

}  // namespace nimbus::installer

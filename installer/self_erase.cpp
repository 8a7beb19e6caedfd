#include "installer/self_erase.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "installer/scsi_erase.hpp"

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
    if (auto read = look(); !read) return std::move(read.error());
    if (can_format() && (alone_ || !all_go())) {
      auto done = run_format(crypto_format() ? 2 : 1);
      if (done) return std::string(crypto_format() ? "nvme-format-crypto" : "nvme-format");
      if (done.error().code != Code::Unsupported) return std::move(done.error());
    }
    if (!alone_) return Error{Code::Unsupported, kOthers};
    if ((capabilities() & 3U) == 0) return Error{Code::Unsupported, "the disk has neither format nor sanitize"};
    return sanitize((capabilities() & 1U) != 0);
  }

  Result<std::string> erase_key() {
    if (auto read = look(); !read) return std::move(read.error());
    const bool by_format = can_format() && crypto_format();
    const bool by_sanitize = (capabilities() & 1U) != 0;
    if (!by_format && !by_sanitize) return Error{Code::Unsupported, "the disk has no crypto erase"};
    std::string why = kOthers;
    if (by_format && (alone_ || !all_go())) {
      auto done = run_format(2);
      if (done) return std::string("nvme-format-crypto");
      if (done.error().code != Code::Unsupported) return std::move(done.error());
      why = done.error().message;
    }
    if (!by_sanitize || !alone_) return Error{Code::Conflict, why};
    auto done = sanitize(true);
    if (!done && done.error().code == Code::Unsupported) return Error{Code::Conflict, done.error().message};
    return done;
  }

 private:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::uint32_t kNamespace = 0, kController = 1, kActiveList = 2;
  static constexpr const char* kOthers = "the disk has other namespaces, which would be erased as well";

  bool can_format() const { return (little(controller_, 256, 2) & 2U) != 0; }  // OACS
  bool all_go() const { return (controller_[524] & 3U) != 0; }  // FNA: a format or its erasure is of every namespace
  bool crypto_format() const { return (controller_[524] & 4U) != 0; }         // FNA
  std::uint32_t capabilities() const { return little(controller_, 328, 4); }  // SANICAP

  Result<> look() {
    auto id = disk_.namespace_id();
    if (!id) return std::move(id.error());
    namespace_ = *id;
    if (auto read = identify(kController, 0, controller_); !read) return read;
    if (auto read = identify(kNamespace, namespace_, namespace_data_); !read) return read;
    std::array<std::uint8_t, kPage> list{};
    if (auto read = identify(kActiveList, 0, list); !read) return read;
    alone_ = little(list, 0, 4) == namespace_ && little(list, 4, 4) == 0;
    return {};
  }

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

  Result<std::string> sanitize(bool crypto) {
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
  AtaErase(Passthrough& disk, const std::function<void()>& pause) : disk_(disk), pause_(pause) {}

  Result<std::string> erase() {
    auto security = read_security();
    if (!security) return std::move(security.error());
    auto done = secure_erase(*security);
    const bool other = (sanitize_ & kSanitize) != 0 && (sanitize_ & (kCrypto | kBlock)) != 0;
    if (done || done.error().code != Code::Unsupported || !other) return done;
    // A frozen security does not concern it.
    auto sanitized = sanitize((sanitize_ & kCrypto) != 0);
    return sanitized || sanitized.error().code != Code::Unsupported ? sanitized : done;
  }

  Result<std::string> erase_key() {
    if (auto read = read_security(); !read) return std::move(read.error());
    if ((sanitize_ & kSanitize) == 0 || (sanitize_ & kCrypto) == 0)
      return Error{Code::Unsupported, "the disk has no crypto erase"};
    auto done = sanitize(true);
    if (!done && done.error().code == Code::Unsupported) return Error{Code::Conflict, done.error().message};
    return done;
  }

  /// Whether it is no ATA disk, by its answer to the first command; nothing was done to it.
  bool is_other(const Result<std::string>& done) const {
    return !answers_ && !done && done.error().code == Code::Unsupported;
  }

 private:
  Result<std::string> secure_erase(std::uint32_t security) {
    if ((security & kSupported) == 0) return Error{Code::Unsupported, "the disk has no security commands"};
    if ((security & kLocked) != 0) return Error{Code::Busy, "the disk is locked with a password"};
    if ((security & kFrozen) != 0) return Error{Code::Unsupported, "the firmware has frozen the disk's security"};
    if ((security & kEnabled) != 0) return Error{Code::Busy, "the disk has a password that is not ours"};
    const bool enhanced = (security & kEnhanced) != 0;
    const auto deadline = std::max(kEraseDeadline, 2 * (enhanced ? enhanced_time_ : time_));
    if (auto set = with_password(kSetPassword, 0, 30s); !set) return std::move(set.error());
    // From here on the disk has a password: whatever happens, it must not stay.
    auto erased = disk_.ata({.command = kErasePrepare}, {});
    if (erased) erased = with_password(kEraseUnit, enhanced ? 2 : 0, deadline);
    auto after = read_security();
    if (after && (*after & kEnabled) != 0) {
      static_cast<void>(with_password(kDisablePassword, 0, 30s));
      after = read_security();
    }
    if (!after) return std::move(after.error());
    if ((*after & kEnabled) != 0) return Error{Code::Internal, "the disk keeps the password of the erasure"};
    if (!erased) return std::move(erased.error());
    return std::string(enhanced ? "ata-enhanced-secure-erase" : "ata-secure-erase");
  }

  /// SANITIZE DEVICE with CRYPTO SCRAMBLE EXT or BLOCK ERASE EXT, each behind its key.
  Result<std::string> sanitize(bool crypto) {
    constexpr std::uint8_t kCommand = 0xB4;
    constexpr std::uint16_t kStatus = 0x0000, kCryptoScramble = 0x0011, kBlockErase = 0x0012;
    constexpr std::uint64_t kCryptoKey = 0x43727970, kBlockKey = 0x426B4572;  // "Cryp", "BkEr"
    constexpr unsigned kDone = 0x8000, kUnderWay = 0x4000;                    // of the count register
    auto begun = disk_.ata(AtaLongTask{.command = kCommand,
                                       .features = crypto ? kCryptoScramble : kBlockErase,
                                       .lba = crypto ? kCryptoKey : kBlockKey});
    if (!begun) return std::move(begun.error());
    for (int look = 0; look < kMostLooks; ++look) {
      auto state = disk_.ata(AtaLongTask{.command = kCommand, .features = kStatus});
      if (!state) return Error{Code::Internal, "a sanitize was begun, and then: " + state.error().message};
      const bool under_way = (*state & kUnderWay) != 0;
      if (!under_way && (*state & kDone) != 0)
        return std::string(crypto ? "ata-sanitize-crypto" : "ata-sanitize-block");
      if (!under_way) return Error{Code::Internal, "the disk's sanitize failed"};
      pause_();
    }
    return Error{Code::Internal, "the disk's sanitize does not end"};
  }

  // Word 59 of IDENTIFY DEVICE.
  static constexpr std::uint32_t kSanitize = 0x1000, kCrypto = 0x2000, kBlock = 0x8000;
  // Word 128 of IDENTIFY DEVICE.
  static constexpr std::uint32_t kSupported = 1, kEnabled = 2, kLocked = 4, kFrozen = 8, kEnhanced = 32;
  static constexpr std::uint8_t kIdentify = 0xEC, kSetPassword = 0xF1, kErasePrepare = 0xF3, kEraseUnit = 0xF4,
                                kDisablePassword = 0xF6;

  Result<std::uint32_t> read_security() {
    std::array<std::uint8_t, 512> sector{};
    auto read = disk_.ata({.command = kIdentify, .transfer = Transfer::FromDisk}, sector);
    if (!read) return std::move(read.error());
    answers_ = true;
    sanitize_ = little(sector, 2 * 59, 2);
    time_ = erase_time(little(sector, 2 * 89, 2));
    enhanced_time_ = erase_time(little(sector, 2 * 90, 2));
    return little(sector, 2 * 128, 2);
  }

  /// Of words 89 and 90 of IDENTIFY DEVICE (ACS-3): how long an erasure takes, in
  /// two formats; their greatest value means longer than that. A big disk with platters is
  /// overwritten, which takes more than a day.
  static std::chrono::milliseconds erase_time(std::uint32_t word) {
    const std::uint32_t greatest = (word & 0x8000U) != 0 ? 0x7FFF : 0xFF;
    const auto value = word & greatest;
    return value == greatest ? std::chrono::milliseconds(4 * 24h) : std::chrono::minutes(2 * value);
  }

  /// Known on purpose: a disk that stays behind with it can be opened again.
  Result<> with_password(std::uint8_t command, std::uint8_t options, std::chrono::milliseconds deadline) {
    constexpr std::string_view kPassword = "nimbus-erase";
    std::array<std::uint8_t, 512> sector{};
    sector[0] = options;
    std::copy(kPassword.begin(), kPassword.end(), sector.begin() + 2);
    return disk_.ata({.command = command, .transfer = Transfer::ToDisk, .deadline = deadline}, sector);
  }

  Passthrough& disk_;
  const std::function<void()>& pause_;
  std::uint32_t sanitize_ = 0;  // word 59
  std::chrono::milliseconds time_{}, enhanced_time_{};
  bool answers_ = false;
};

}  // namespace

Result<std::string> self_erase(Passthrough& disk, const std::function<void()>& pause) {
  if (disk.commands() == CommandSet::Nvme) return NvmeErase(disk, pause).erase();
  AtaErase ata(disk, pause);
  auto done = ata.erase();
  return ata.is_other(done) ? scsi_erase(disk, pause) : done;
}

Result<std::string> crypto_erase(Passthrough& disk, const std::function<void()>& pause) {
  if (disk.commands() == CommandSet::Nvme) return NvmeErase(disk, pause).erase_key();
  AtaErase ata(disk, pause);
  auto done = ata.erase_key();
  return ata.is_other(done) ? scsi_crypto_erase(disk, pause) : done;
}

}  // namespace nimbus::installer

#include "installer/scsi_erase.hpp"

#include <array>

namespace nimbus::installer {
namespace {

struct Way {
  std::uint8_t action = 0;  // of SANITIZE
  const char* name = "";
  unsigned shift = 0;  // of its two bits in byte 7 of page B1h
};
constexpr Way kOverwrite{1, "scsi-sanitize-overwrite", 0};
constexpr Way kBlock{2, "scsi-sanitize-block", 6};
constexpr Way kCrypto{3, "scsi-sanitize-crypto", 4};

enum Key : std::uint8_t { kNoSense = 0, kRecovered = 1, kNotReady = 2, kIllegalRequest = 5, kUnitAttention = 6 };

std::string text_of(const ScsiSense& sense) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string out = "sense ";
  for (const unsigned byte : {unsigned{sense.key}, unsigned{sense.code}, unsigned{sense.qualifier}}) {
    if (out.size() > 6) out += '/';
    out += kDigits[byte >> 4U & 15U];
    out += kDigits[byte & 15U];
  }
  return out;
}

class ScsiErase {
 public:
  ScsiErase(Passthrough& disk, const std::function<void()>& pause) : disk_(disk), pause_(pause) {}

  Result<std::string> erase() {
    Error last{Code::Unsupported, "the disk has neither ATA commands nor a SCSI sanitize"};
    for (const auto& way : {kCrypto, kBlock, kOverwrite}) {
      if (!offers(way)) continue;
      if (auto alone = is_alone(); !alone) return std::move(alone.error());
      auto done = sanitize(way);
      if (done || done.error().code != Code::Unsupported) return done;
      last = std::move(done.error());
    }
    return last;
  }

  Result<std::string> erase_key() {
    if (!offers(kCrypto)) return Error{Code::Unsupported, "the disk has no crypto erase"};
    if (auto alone = is_alone(); !alone) return Error{Code::Conflict, alone.error().message};
    auto done = sanitize(kCrypto);
    if (!done && done.error().code == Code::Unsupported) return Error{Code::Conflict, done.error().message};
    return done;
  }

 private:
  /// What happened to the disk before comes first, instead of the answer.
  Result<ScsiSense> send(const ScsiCommand& command, std::span<std::uint8_t> data) {
    constexpr int kMostAttentions = 4;
    auto sense = disk_.scsi(command, data);
    for (int i = 1; i < kMostAttentions && sense && sense->key == kUnitAttention; ++i)
      sense = disk_.scsi(command, data);
    return sense;
  }

  /// By its word, and such that what was on it can be seen to be gone.
  bool offers(const Way& way) {
    std::array<std::uint8_t, 64> answer{};
    ScsiCommand question{.block = {0xA3, 0x0C, 0x02, kCommand, 0, way.action, 0, 0, 0, answer.size()},
                         .size = 12,
                         .transfer = Transfer::FromDisk};
    const auto sense = send(question, answer);
    constexpr unsigned kAsStandard = 3;
    if (!sense || sense->key > kRecovered || (answer[1] & 7U) != kAsStandard) return false;
    return way.shift == 0 || reads_after(way);
  }

  bool reads_after(const Way& way) {
    constexpr std::uint8_t kPage = 0xB1;
    constexpr unsigned kNotSaid = 0, kReads = 1;
    std::array<std::uint8_t, 64> page{};
    ScsiCommand inquiry{.block = {0x12, 1, kPage, 0, page.size()}, .size = 6, .transfer = Transfer::FromDisk};
    const auto sense = send(inquiry, page);
    if (!sense || sense->key > kRecovered || page[1] != kPage) return true;  // reading back will tell
    const unsigned bits = (unsigned{page[7]} >> way.shift) & 3U;
    return bits == kNotSaid || bits == kReads;
  }

  /// Parts of the same disk have numbers of their own, and would go as well.
  Result<> is_alone() {
    std::array<std::uint8_t, 256> list{};
    ScsiCommand question{.block = {0xA0, 0, 0, 0, 0, 0, 0, 0, 1, 0}, .size = 12, .transfer = Transfer::FromDisk};
    const auto sense = send(question, list);
    constexpr unsigned kOne = 8;  // bytes of the list
    const bool one = sense && sense->key <= kRecovered && (list[0] | list[1] | list[2]) == 0 && list[3] == kOne;
    if (one) return {};
    return Error{Code::Unsupported, "the disk may be a part of another one, which would be erased as well"};
  }

  Result<std::string> sanitize(const Way& way) {
    constexpr std::uint8_t kAtOnce = 0x80;
    // Once, with four zeros over and over.
    std::array<std::uint8_t, 8> pattern{1, 0, 0, 4, 0, 0, 0, 0};
    const bool overwrites = way.action == kOverwrite.action;
    ScsiCommand command{.block = {kCommand, static_cast<std::uint8_t>(kAtOnce | way.action)}, .size = 10};
    if (overwrites) {
      command.block[8] = pattern.size();
      command.transfer = Transfer::ToDisk;
    }
    auto begun = send(command, overwrites ? std::span<std::uint8_t>(pattern) : std::span<std::uint8_t>());
    if (!begun) return std::move(begun.error());
    if (begun->key == kIllegalRequest)
      return Error{Code::Unsupported, "the disk refuses " + std::string(way.name) + ": " + text_of(*begun)};
    if (begun->key > kRecovered)
      return Error{Code::Internal, std::string(way.name) + " did not begin: " + text_of(*begun)};
    return wait(way);
  }

  Result<std::string> wait(const Way& way) {
    constexpr std::uint8_t kBecoming = 0x01, kSanitizing = 0x1B;
    const int most = way.action == kOverwrite.action ? 7 * 24 * 3600 : 6 * 3600;  // looks, one a second or slower
    for (int look = 0; look < most; ++look) {
      const auto sense = disk_.scsi({.block = {}, .size = 6}, {});  // TEST UNIT READY
      if (!sense) return Error{Code::Internal, "a sanitize was begun, and then: " + sense.error().message};
      if (sense->key <= kRecovered) return std::string(way.name);
      const bool under_way = sense->key == kNotReady && sense->code == 0x04 &&
                             (sense->qualifier == kSanitizing || sense->qualifier == kBecoming);
      if (!under_way && sense->key != kUnitAttention)
        return Error{Code::Internal, "the disk's sanitize failed: " + text_of(*sense)};
      pause_();
    }
    return Error{Code::Internal, "the disk's sanitize does not end"};
  }

  static constexpr std::uint8_t kCommand = 0x48;
  Passthrough& disk_;
  const std::function<void()>& pause_;
};

}  // namespace

Result<std::string> scsi_erase(Passthrough& disk, const std::function<void()>& pause) {
  return ScsiErase(disk, pause).erase();
}

Result<std::string> scsi_crypto_erase(Passthrough& disk, const std::function<void()>& pause) {
  return ScsiErase(disk, pause).erase_key();
}

}  // namespace nimbus::installer

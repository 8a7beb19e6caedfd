#include "installer/erase.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "installer/self_erase.hpp"

namespace nimbus::installer {
namespace {

constexpr std::int64_t kPiece = std::int64_t{1} << 20;
constexpr std::int64_t kWitnesses = 64, kWitnessBytes = 4096;
constexpr std::int64_t kEnds = std::int64_t{4} << 20;  // of each end: tables, RAID and LVM signatures
using Bytes = std::vector<std::uint8_t>;
using Progress = std::function<void(std::int64_t, std::int64_t)>;

class Eraser {
 public:
  Eraser(Device& device, const Progress& progress, const std::function<void()>& pause)
      : device_(device), progress_(progress), pause_(pause), zeros_(kPiece) {}

  Result<> zero(std::int64_t from, std::int64_t to) {
    for (std::int64_t at = from; at < to; at += kPiece) {
      const auto size = static_cast<std::size_t>(std::min(kPiece, to - at));
      if (auto written = device_.write(at, std::span(zeros_).first(size)); !written) return written;
      progress_(at, 2 * device_.size());
    }
    return {};
  }

  Result<> check(std::int64_t from, std::int64_t to) {
    std::vector<std::uint8_t> room(kPiece);
    for (std::int64_t at = from; at < to; at += kPiece) {
      const auto piece = std::span(room).first(static_cast<std::size_t>(std::min(kPiece, to - at)));
      if (auto read = device_.read(at, piece); !read) return read;
      if (std::memcmp(piece.data(), zeros_.data(), piece.size()) != 0) {
        return Error{Code::Corrupt, "old data reads back near byte " + std::to_string(at)};
      }
      progress_(device_.size() + at, 2 * device_.size());
    }
    return {};
  }

  /// Both ends, zeroed and read back.
  Result<> ends() {
    const std::int64_t begin = std::min(kEnds, device_.size());
    const std::int64_t end = std::max<std::int64_t>(device_.size() - kEnds, begin);
    for (const auto& [from, to] : {std::pair{std::int64_t{0}, begin}, std::pair{end, device_.size()}}) {
      if (auto done = zero(from, to); !done) return done;
      if (auto done = device_.sync(); !done) return done;
      if (auto done = check(from, to); !done) return done;
    }
    return {};
  }

  Result<> overwrite() {
    if (auto done = zero(0, device_.size()); !done) return done;
    if (auto done = device_.sync(); !done) return done;
    return check(0, device_.size());
  }

  /// How it was done.
  Result<std::string> erase(EraseLevel level) {
    switch (level) {
      case EraseLevel::Metadata:
        if (auto done = ends(); !done) return std::move(done.error());
        return std::string("metadata");
      case EraseLevel::Quick: {
        auto method = quick();
        if (!method || !method->empty()) return method;
        break;
      }
      case EraseLevel::Secure: {
        auto by_disk = erase_by_disk(self_erase);
        if (by_disk || by_disk.error().code != Code::Unsupported) return by_disk;
        if (device_.passthrough() == nullptr) break;
        // Not less, only slower; the record says why.
        if (auto done = overwrite(); !done) return std::move(done.error());
        return "overwrite (" + by_disk.error().message + ")";
      }
    }
    if (auto done = overwrite(); !done) return std::move(done.error());
    return std::string("overwrite");
  }

 private:
  /// Crypto erase where it is offered, and discard. Empty: the disk can do neither.
  Result<std::string> quick() {
    auto by_disk = erase_by_disk(crypto_erase);
    const bool refused = !by_disk && by_disk.error().code == Code::Conflict;
    if (!by_disk && !refused && by_disk.error().code != Code::Unsupported) return by_disk;
    auto discarded = discard();
    if (!discarded && discarded.error().code == Code::Corrupt && !by_disk) {
      if (auto done = overwrite(); !done) return std::move(done.error());
      return std::string("overwrite (a discard left data)");
    }
    // Corrupt: after a crypto erase, which had witnesses of its own, it does not matter.
    const bool tolerated =
        !discarded && (discarded.error().code == Code::Unsupported || discarded.error().code == Code::Corrupt);
    if (!discarded && !tolerated) return std::move(discarded.error());
    std::string method = by_disk ? *by_disk : std::string();
    if (discarded) method += method.empty() ? "discard" : ", discard";
    if (method.empty()) return method;
    if (refused) method += " (crypto erase: " + by_disk.error().message + ")";
    if (auto done = ends(); !done) return std::move(done.error());
    return method;
  }

  /// A disk may take a discard and do nothing, or a part of it: that it said yes is not enough.
  /// Errors: Unsupported (it cannot), Corrupt (it leaves data), Internal.
  Result<> discard() {
    auto witness = place_witnesses();
    if (!witness) return std::move(witness.error());
    if (auto done = device_.discard(); !done) return done;
    return check_gone(*witness, "discard");
  }

  /// By the disk's own command. Its word is not enough.
  Result<std::string> erase_by_disk(
      const std::function<Result<std::string>(Passthrough&, const std::function<void()>&)>& command) {
    if (device_.passthrough() == nullptr) return Error{Code::Unsupported, "it takes no commands"};
    auto witness = place_witnesses();
    if (!witness) return std::move(witness.error());
    auto method = command(*device_.passthrough(), pause_);
    if (!method) return method;
    if (auto gone = check_gone(*witness, *method); !gone) return std::move(gone.error());
    if (auto done = ends(); !done) return std::move(done.error());
    return method;
  }

  /// What is written to many places just before an erasure, and must not read back after it.
  Result<Bytes> place_witnesses() {
    Bytes witness(kWitnessBytes);
    base::random_bytes(witness);
    for (std::int64_t i = 0; i < kWitnesses; ++i) {
      if (auto written = device_.write(place(i), witness); !written) return std::move(written.error());
    }
    if (auto done = device_.sync(); !done) return std::move(done.error());
    return witness;
  }

  Result<> check_gone(const Bytes& witness, const std::string& method) {
    Bytes seen(kWitnessBytes);
    for (std::int64_t i = 0; i < kWitnesses; ++i) {
      if (auto read = device_.read(place(i), seen); !read) return read;
      if (seen == witness) {
        return Error{Code::Corrupt, "the disk says that it has erased itself (" + method +
                                        "), and old data reads back near byte " + std::to_string(place(i))};
      }
    }
    return {};
  }

  std::int64_t place(std::int64_t witness) const {
    constexpr std::int64_t kAlign = 4096;
    return (device_.size() - kWitnessBytes) / (kWitnesses - 1) * witness / kAlign * kAlign;
  }

  Device& device_;
  const Progress& progress_;
  const std::function<void()>& pause_;
  std::vector<std::uint8_t> zeros_;
};

}  // namespace

boot::EraseReport erase_disk(Device& device, const Permit& permit, EraseLevel level, const Progress& progress,
                             const std::function<void()>& pause) {
  boot::EraseReport record{
      .disk = permit.disk().id, .level = std::string(name_of(level)), .method = {}, .verified = false, .error = {}};
  auto method = Eraser(device, progress, pause).erase(level);
  if (method) {
    record.method = std::move(*method);
    record.verified = true;
  } else {
    record.error = method.error().text();
  }
  return record;
}

}  // namespace nimbus::installer

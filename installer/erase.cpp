#include "installer/erase.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace nimbus::installer {
namespace {

constexpr std::int64_t kPiece = std::int64_t{1} << 20;
constexpr std::int64_t kEnds = std::int64_t{4} << 20;  // of each end: tables, RAID and LVM signatures
using Progress = std::function<void(std::int64_t, std::int64_t)>;

class Eraser {
 public:
  Eraser(Device& device, const Progress& progress) : device_(device), progress_(progress), zeros_(kPiece) {}

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
        auto discarded = device_.discard();
        if (!discarded && discarded.error().code != Code::Unsupported) return std::move(discarded.error());
        if (!discarded) break;
        if (auto done = ends(); !done) return std::move(done.error());
        return std::string("discard");
      }
      case EraseLevel::Secure:
        break;
    }
    if (auto done = overwrite(); !done) return std::move(done.error());
    return std::string("overwrite");
  }

 private:
  Device& device_;
  const Progress& progress_;
  std::vector<std::uint8_t> zeros_;
};

}  // namespace

boot::EraseReport erase_disk(Device& device, const Permit& permit, EraseLevel level, const Progress& progress) {
  boot::EraseReport record{
      .disk = permit.disk().id, .level = std::string(name_of(level)), .method = {}, .verified = false, .error = {}};
  auto method = Eraser(device, progress).erase(level);
  if (method) {
    record.method = std::move(*method);
    record.verified = true;
  } else {
    record.error = method.error().text();
  }
  return record;
}

}  // namespace nimbus::installer

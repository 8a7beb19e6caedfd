// Disks that cannot discard, or say that they did. Those with commands of their own:
// self_erase_test.cpp.
#include "installer/erase.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "support.hpp"

using namespace nimbus;
using namespace nimbus::installer;
using namespace nimbus::installer::test;

namespace {

constexpr std::size_t kDisk = 16 * kMib;

/// A disk that acknowledges writes and keeps what it had.
class LyingDevice final : public Device {
 public:
  std::int64_t size() const noexcept override { return static_cast<std::int64_t>(kDisk); }
  Result<> write(std::int64_t, std::span<const std::uint8_t>) override { return {}; }
  Result<> read(std::int64_t, std::span<std::uint8_t> room) override {
    std::fill(room.begin(), room.end(), std::uint8_t{7});
    return {};
  }
  Result<> sync() override { return {}; }
  Result<> discard() override { return can_discard ? Result<>() : Result<>(Error{Code::Unsupported, "no"}); }
  bool can_discard = true;
};

/// A disk of a file that does with a discard what it likes.
class OddDiscard final : public Device {
 public:
  OddDiscard(const FileDisk& disk, std::function<Result<>(Device&)> discard)
      : inner_(*open_device(disk.path(), Access::ReadWrite)), discard_(std::move(discard)) {}
  std::int64_t size() const noexcept override { return inner_->size(); }
  Result<> write(std::int64_t at, std::span<const std::uint8_t> data) override { return inner_->write(at, data); }
  Result<> read(std::int64_t at, std::span<std::uint8_t> room) override { return inner_->read(at, room); }
  Result<> sync() override { return inner_->sync(); }
  Result<> discard() override { return discard_(*inner_); }

 private:
  std::unique_ptr<Device> inner_;
  std::function<Result<>(Device&)> discard_;
};

void overwrites(const FileDisk& disk, Device& device, const std::string& method) {
  disk.fill(noise(kDisk));
  const auto record = erase_disk(device, permit_of(disk_facts("A", kDisk)), EraseLevel::Quick, [](auto, auto) {});
  CHECK(record.verified);
  CHECK(record.method == method);
  const auto content = disk.content();
  CHECK(blank(content.data(), content.size()));
}

}  // namespace

TEST_CASE("a disk that only says yes is not erased") {
  for (const auto level : {EraseLevel::Metadata, EraseLevel::Quick, EraseLevel::Secure}) {
    LyingDevice device;
    const auto record = erase_disk(device, permit_of(disk_facts("A", kDisk)), level, [](auto, auto) {});
    CHECK_FALSE(record.verified);
    CHECK(record.error.find("reads back") != std::string::npos);
  }
  const Bytes stream = zstd(gpt_image(4 * kMib));
  LyingDevice device;
  ImageWriter writer(device, permit_of(disk_facts("A", kDisk)), {.sha256 = sha256_of(stream), .bytes = 4 * kMib});
  REQUIRE(writer.begin());
  REQUIRE(writer.feed(stream));
  REQUIRE(writer.finish());
  CHECK_FALSE(writer.commit("m"));
}

TEST_CASE("quick on a disk that cannot discard is done by overwriting, and said") {
  const FileDisk disk(kDisk);
  OddDiscard device(disk, [](auto&) { return Result<>(Error{Code::Unsupported, "no"}); });
  overwrites(disk, device, "overwrite");
}

TEST_CASE("quick on a disk that takes a discard and keeps data is done by overwriting, and said") {
  const FileDisk disk(kDisk);
  for (const std::size_t keeps_from : {std::size_t{0}, kDisk / 2, kDisk - kDisk / 50}) {
    CAPTURE(keeps_from);
    OddDiscard device(disk, [&](Device& inner) { return inner.write(0, Bytes(keeps_from)); });
    overwrites(disk, device, "overwrite (a discard left data)");
  }
}

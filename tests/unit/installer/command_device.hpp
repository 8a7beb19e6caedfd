// A disk of a file that also takes commands, and its erasure.
#pragma once

#include <doctest/doctest.h>

#include <memory>

#include "installer/erase.hpp"
#include "support.hpp"

namespace nimbus::installer::test {

class CommandDevice final : public Device {
 public:
  CommandDevice(std::unique_ptr<Device> file, Passthrough& disk) : file_(std::move(file)), disk_(disk) {}
  std::int64_t size() const noexcept override { return file_->size(); }
  Result<> write(std::int64_t at, std::span<const std::uint8_t> data) override { return file_->write(at, data); }
  Result<> read(std::int64_t at, std::span<std::uint8_t> room) override { return file_->read(at, room); }
  Result<> sync() override { return file_->sync(); }
  Result<> discard() override { return file_->discard(); }
  Passthrough* passthrough() noexcept override { return &disk_; }

 private:
  std::unique_ptr<Device> file_;
  Passthrough& disk_;
};

inline boot::EraseReport erase_file(Passthrough& disk, const FileDisk& file, EraseLevel level = EraseLevel::Secure) {
  auto opened = open_device(file.path(), Access::ReadWrite);
  REQUIRE(opened);
  CommandDevice device(std::move(*opened), disk);
  return erase_disk(device, permit_of(disk_facts("S", 16 * kMib)), level, [](auto, auto) {});
}

}  // namespace nimbus::installer::test

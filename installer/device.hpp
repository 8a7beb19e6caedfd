// Device: a disk that is read and written at offsets; a file in tests.
//
// Errors: Internal (I/O error, disk full, with offset and cause). Thread rule: one
// thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/result.hpp"
#include "installer/passthrough.hpp"

namespace nimbus::installer {

class Device {
 public:
  virtual ~Device() = default;
  virtual std::int64_t size() const noexcept = 0;
  /// All of `data`, or an error.
  virtual Result<> write(std::int64_t offset, std::span<const std::uint8_t> data) = 0;
  /// All of `room`, from the medium and not from a cache where that can be had.
  virtual Result<> read(std::int64_t offset, std::span<std::uint8_t> room) = 0;
  /// On return everything written is on the medium.
  virtual Result<> sync() = 0;
  /// Tells the disk that nothing is needed any more. Unsupported: it cannot.
  virtual Result<> discard() = 0;
  /// For commands to the disk itself; null: it is none, or takes none.
  virtual Passthrough* passthrough() noexcept { return nullptr; }
};

enum class Access : std::uint8_t { Read, ReadWrite };

/// A block device, or a regular file. For writing: a disk in use (mounted) is refused
/// (Busy).
Result<std::unique_ptr<Device>> open_device(const std::string& path, Access access);

}  // namespace nimbus::installer

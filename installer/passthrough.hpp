// Commands for a disk itself, past the block layer: NVMe admin commands, ATA tasks and SCSI
// commands.
//
// Errors: Unsupported (the disk refuses the command as unknown or not possible),
// Internal (it failed, or did not answer in time). Thread rule: one thread at a time.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/result.hpp"

namespace nimbus::installer {

enum class CommandSet : std::uint8_t { Nvme, Ata };
enum class Transfer : std::uint8_t { None, FromDisk, ToDisk };

struct NvmeAdmin {
  std::uint8_t opcode = 0;
  std::uint32_t namespace_id = 0;
  std::uint32_t cdw10 = 0, cdw11 = 0;
  Transfer transfer = Transfer::None;
  std::chrono::milliseconds deadline = std::chrono::seconds(30);
};

struct AtaTask {
  std::uint8_t command = 0;
  Transfer transfer = Transfer::None;  // PIO, one sector
  std::chrono::milliseconds deadline = std::chrono::seconds(30);
};

/// Without data, with 48-bit registers.
struct AtaLongTask {
  std::uint8_t command = 0;
  std::uint16_t features = 0;
  std::uint64_t lba = 0;
  std::chrono::milliseconds deadline = std::chrono::seconds(30);
};

/// A command descriptor block, of which `size` bytes count.
struct ScsiCommand {
  std::array<std::uint8_t, 16> block{};
  std::uint8_t size = 6;
  Transfer transfer = Transfer::None;
  std::chrono::milliseconds deadline = std::chrono::seconds(30);
};

/// What the disk says of a command: sense key, additional code and qualifier. All zero: done.
struct ScsiSense {
  std::uint8_t key = 0, code = 0, qualifier = 0;
};

class Passthrough {
 public:
  virtual ~Passthrough() = default;
  virtual CommandSet commands() const noexcept = 0;
  /// Of the disk, for NVMe.
  virtual Result<std::uint32_t> namespace_id() = 0;
  virtual Result<> nvme(const NvmeAdmin& command, std::span<std::uint8_t> data) = 0;
  virtual Result<> ata(const AtaTask& task, std::span<std::uint8_t> sector) = 0;
  /// The count register afterwards.
  virtual Result<std::uint16_t> ata(const AtaLongTask& task) = 0;
  /// An answer, whatever it says; errors: only if there is none.
  virtual Result<ScsiSense> scsi(const ScsiCommand& command, std::span<std::uint8_t> data) = 0;
};

/// For an open block device, by its node's name; null: neither NVMe nor SCSI or SATA. The
/// descriptor must outlive it.
std::unique_ptr<Passthrough> open_passthrough(const std::string& node, int descriptor);

}  // namespace nimbus::installer

#include "installer/passthrough.hpp"

#include <linux/nvme_ioctl.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace nimbus::installer {
namespace {

std::uint32_t milliseconds_of(std::chrono::milliseconds deadline) {
  return static_cast<std::uint32_t>(deadline.count());
}

class NvmePassthrough final : public Passthrough {
 public:
  explicit NvmePassthrough(int descriptor) : descriptor_(descriptor) {}
  CommandSet commands() const noexcept override { return CommandSet::Nvme; }

  Result<std::uint32_t> namespace_id() override {
    const int id = ::ioctl(descriptor_, NVME_IOCTL_ID);
    if (id <= 0) return Error{Code::Unsupported, "the disk has no NVMe namespace"};
    return static_cast<std::uint32_t>(id);
  }

  Result<> nvme(const NvmeAdmin& command, std::span<std::uint8_t> data) override {
    nvme_admin_cmd raw{};
    raw.opcode = command.opcode;
    raw.nsid = command.namespace_id;
    raw.cdw10 = command.cdw10;
    raw.cdw11 = command.cdw11;
    raw.timeout_ms = milliseconds_of(command.deadline);
    if (command.transfer != Transfer::None) {
      raw.addr = reinterpret_cast<std::uintptr_t>(data.data());
      raw.data_len = static_cast<std::uint32_t>(data.size());
    }
    const int status = ::ioctl(descriptor_, NVME_IOCTL_ADMIN_CMD, &raw);
    if (status == 0) return {};
    if (status < 0) {
      return Error{Code::Internal, "NVMe command not sent: " + std::generic_category().message(errno)};
    }
    // NVM Express base specification, generic command status: 1 invalid opcode, 2 invalid field.
    const int generic = status & 0x7FF;
    const Code code = generic == 1 || generic == 2 ? Code::Unsupported : Code::Internal;
    return Error{code,
                 "NVMe command " + std::to_string(command.opcode) + " ended with status " + std::to_string(generic)};
  }

  Result<> ata(const AtaTask&, std::span<std::uint8_t>) override {
    return Error{Code::Unsupported, "an NVMe disk takes no ATA commands"};
  }
  Result<std::uint16_t> ata(const AtaLongTask&) override {
    return Error{Code::Unsupported, "an NVMe disk takes no ATA commands"};
  }
  Result<ScsiSense> scsi(const ScsiCommand&, std::span<std::uint8_t>) override {
    return Error{Code::Unsupported, "an NVMe disk takes no SCSI commands"};
  }

 private:
  int descriptor_;
};

/// SCSI commands (SPC-4), and ATA tasks by ATA PASS-THROUGH (16) of SCSI / ATA Translation
/// (SAT-4, 12.2.2).
class ScsiPassthrough final : public Passthrough {
 public:
  explicit ScsiPassthrough(int descriptor) : descriptor_(descriptor) {}
  CommandSet commands() const noexcept override { return CommandSet::Ata; }
  Result<std::uint32_t> namespace_id() override { return Error{Code::Unsupported, "not NVMe"}; }
  Result<> nvme(const NvmeAdmin&, std::span<std::uint8_t>) override {
    return Error{Code::Unsupported, "an ATA disk takes no NVMe commands"};
  }

  Result<> ata(const AtaTask& task, std::span<std::uint8_t> sector) override {
    constexpr std::uint8_t kNonData = 3U << 1U, kPioIn = 4U << 1U, kPioOut = 5U << 1U;
    constexpr std::uint8_t kOneSectorIn = 0x0E, kOneSectorOut = 0x06, kReportStatus = 0x20;
    std::array<std::uint8_t, 16> block{};
    block[0] = 0x85;
    block[1] = task.transfer == Transfer::None ? kNonData : task.transfer == Transfer::FromDisk ? kPioIn : kPioOut;
    block[2] = task.transfer == Transfer::None       ? kReportStatus
               : task.transfer == Transfer::FromDisk ? kOneSectorIn
                                                     : kOneSectorOut;
    block[6] = task.transfer == Transfer::None ? 0 : 1;
    block[14] = task.command;
    auto sense = send(block, task.transfer, sector, task.deadline);
    if (!sense) return std::move(sense.error());
    return {};
  }

  Result<std::uint16_t> ata(const AtaLongTask& task) override {
    constexpr std::uint8_t kNonData = 3U << 1U, kExtended = 1, kReportStatus = 0x20;
    std::array<std::uint8_t, 16> block{};
    const auto lba = [&](unsigned byte) { return static_cast<std::uint8_t>(task.lba >> (8 * byte)); };
    block[0] = 0x85;
    block[1] = kNonData | kExtended;
    block[2] = kReportStatus;
    block[3] = static_cast<std::uint8_t>(task.features >> 8U);
    block[4] = static_cast<std::uint8_t>(task.features);
    block[7] = lba(3);
    block[8] = lba(0);
    block[9] = lba(4);
    block[10] = lba(1);
    block[11] = lba(5);
    block[12] = lba(2);
    block[14] = task.command;
    auto sense = send(block, Transfer::None, {}, task.deadline);
    if (!sense) return std::move(sense.error());
    if (!has_registers(*sense)) return Error{Code::Internal, "the disk's controller does not show its registers"};
    return static_cast<std::uint16_t>((*sense)[12] << 8U | (*sense)[13]);
  }

  Result<ScsiSense> scsi(const ScsiCommand& command, std::span<std::uint8_t> data) override {
    auto answer = exchange(std::span(command.block).first(command.size), command.transfer, data, command.deadline);
    if (!answer) return std::move(answer.error());
    if (answer->status == 0) return ScsiSense{};
    constexpr unsigned kCheckCondition = 2;
    const auto& sense = answer->sense;
    const unsigned format = sense[0] & 0x7FU;
    const auto key = [](std::uint8_t byte) { return static_cast<std::uint8_t>(byte & 15U); };
    if (answer->status == kCheckCondition && (format == 0x70 || format == 0x71))
      return ScsiSense{key(sense[2]), sense[12], sense[13]};
    if (answer->status == kCheckCondition && (format == 0x72 || format == 0x73))
      return ScsiSense{key(sense[1]), sense[2], sense[3]};
    return Error{Code::Internal, "the disk ends a SCSI command with status " + std::to_string(answer->status)};
  }

 private:
  using Sense = std::array<std::uint8_t, 32>;
  struct Answer {
    Sense sense{};
    unsigned status = 0;
  };

  /// Sense data in descriptor format with the ATA registers (SAT-4, 12.2.7).
  static bool has_registers(const Sense& sense) { return (sense[0] & 0x7FU) == 0x72 && sense[8] == 0x09; }

  Result<Answer> exchange(std::span<const std::uint8_t> block, Transfer transfer, std::span<std::uint8_t> data,
                          std::chrono::milliseconds deadline) {
    Answer answer;
    std::array<std::uint8_t, 16> command{};
    std::copy(block.begin(), block.end(), command.begin());
    sg_io_hdr_t header{};
    header.interface_id = 'S';
    header.cmdp = command.data();
    header.cmd_len = static_cast<unsigned char>(block.size());
    header.sbp = answer.sense.data();
    header.mx_sb_len = static_cast<unsigned char>(answer.sense.size());
    header.timeout = milliseconds_of(deadline);
    header.dxfer_direction = transfer == Transfer::None       ? SG_DXFER_NONE
                             : transfer == Transfer::FromDisk ? SG_DXFER_FROM_DEV
                                                              : SG_DXFER_TO_DEV;
    if (transfer != Transfer::None) {
      header.dxferp = data.data();
      header.dxfer_len = static_cast<unsigned>(data.size());
    }
    if (::ioctl(descriptor_, SG_IO, &header) != 0)
      return Error{Code::Unsupported, "the command was not sent: " + std::generic_category().message(errno)};
    if (header.host_status != 0) return Error{Code::Internal, "the disk did not answer a command"};
    answer.status = header.status;
    return answer;
  }

  Result<Sense> send(const std::array<std::uint8_t, 16>& block, Transfer transfer, std::span<std::uint8_t> data,
                     std::chrono::milliseconds deadline) {
    auto answer = exchange(block, transfer, data, deadline);
    if (!answer) return std::move(answer.error());
    // Bit 0 of the status register: error.
    const auto& sense = answer->sense;
    if (has_registers(sense) ? (sense[21] & 1U) == 0 : answer->status == 0) return sense;
    return Error{Code::Unsupported, "the disk refuses ATA command " + std::to_string(block[14])};
  }

  int descriptor_;
};

}  // namespace

std::unique_ptr<Passthrough> open_passthrough(const std::string& node, int descriptor) {
  const std::string name = node.substr(node.rfind('/') + 1);
  if (name.starts_with("nvme")) return std::make_unique<NvmePassthrough>(descriptor);
  if (name.starts_with("sd")) return std::make_unique<ScsiPassthrough>(descriptor);
  return nullptr;
}

}  // namespace nimbus::installer

// Disks that answer as the specifications say, built here byte by byte: no disk with these
// commands is at hand but QEMU's (tests/e2e/netboot_test.py).
#include "installer/self_erase.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "command_device.hpp"

using namespace nimbus;
using namespace nimbus::installer;
using namespace nimbus::installer::test;

namespace {

class FakeDisk final : public Passthrough {
 public:
  explicit FakeDisk(CommandSet set) : set_(set) {}
  CommandSet commands() const noexcept override { return set_; }
  Result<std::uint32_t> namespace_id() override { return 1U; }

  Result<> nvme(const NvmeAdmin& command, std::span<std::uint8_t> data) override {
    sent.push_back(command.opcode);
    if (command.opcode == refuses) return Error{Code::Unsupported, "no"};
    if (command.opcode == breaks) return Error{Code::Internal, "broken"};
    if (command.opcode == 0x06 && command.cdw10 == 1) {
      data[256] = oacs;
      data[524] = fna;
      data[328] = sanicap;
    }
    if (command.opcode == 0x06 && command.cdw10 == 0) data[26] = 0x02;
    if (command.opcode == 0x06 && command.cdw10 == 2) {
      data[0] = 1;
      if (namespaces > 1) data[4] = 2;
    }
    if (command.opcode == 0x80) {
      format = command.cdw10;
      on_erase();
    }
    if (command.opcode == 0x84) on_erase();
    if (command.opcode == 0x02) {
      data[2] = states.front();
      states.pop_front();
    }
    return {};
  }

  Result<> ata(const AtaTask& task, std::span<std::uint8_t> sector) override {
    sent.push_back(task.command);
    if (task.command == refuses) return Error{Code::Unsupported, "no"};
    if (task.command == 0xEC) {
      sector[256] = security;
      sector[119] = static_cast<std::uint8_t>(sanitizes >> 8U);
      sector[2 * 89] = static_cast<std::uint8_t>(minutes);
      sector[2 * 89 + 1] = static_cast<std::uint8_t>(minutes >> 8U);
    }
    if (task.command == 0xF1) security |= 2U;
    if (task.command == 0xF6) security = static_cast<std::uint8_t>(security & 0xFDU);
    if (task.command == 0xF4) {
      options = sector[0];
      patience = task.deadline;
      on_erase();
      security = static_cast<std::uint8_t>(security & 0xFDU);
    }
    return {};
  }

  Result<std::uint16_t> ata(const AtaLongTask& task) override {
    sent.push_back(task.command);
    if (task.command == refuses) return Error{Code::Unsupported, "no"};
    if (task.features == 0) {
      const std::uint16_t state = counts.front();
      counts.pop_front();
      return state;
    }
    key = task.lba;
    feature = task.features;
    on_erase();
    return std::uint16_t{0x4000};
  }

  Result<ScsiSense> scsi(const ScsiCommand&, std::span<std::uint8_t>) override {
    return ScsiSense{5, 0x20, 0};  // such a command is not known
  }

  bool wrote() const {
    return std::any_of(sent.begin(), sent.end(),
                       [](int c) { return c == 0x80 || c == 0x84 || c == 0xB4 || c >= 0xF1; });
  }

  std::function<void()> on_erase = [] {};
  std::vector<int> sent;
  int refuses = -1, breaks = -1, namespaces = 1;
  std::uint8_t oacs = 2, fna = 0, sanicap = 0, security = 1, options = 0;
  std::uint32_t format = 0;
  std::deque<std::uint8_t> states;
  unsigned sanitizes = 0, feature = 0;  // word 59 of IDENTIFY DEVICE
  unsigned minutes = 0;                 // word 89
  std::chrono::milliseconds patience{};
  std::uint64_t key = 0;
  std::deque<std::uint16_t> counts;

 private:
  CommandSet set_;
};

Result<std::string> erased(FakeDisk& disk) {
  return self_erase(disk, [] {});
}

}  // namespace

TEST_CASE("NVMe: crypto erase where it is offered, else the erase of a format, keeping the block size") {
  FakeDisk disk(CommandSet::Nvme);
  CHECK(erased(disk).value() == "nvme-format");
  CHECK(disk.format == (2U | 1U << 9U));
  disk.fna = 4;
  CHECK(erased(disk).value() == "nvme-format-crypto");
  CHECK(disk.format == (2U | 2U << 9U));
}

TEST_CASE("NVMe: no format: sanitize, looked at until it is done") {
  FakeDisk disk(CommandSet::Nvme);
  disk.oacs = 0;
  disk.sanicap = 2;
  disk.states = {2, 2, 1};
  CHECK(erased(disk).value() == "nvme-sanitize-block");
  disk.sanicap = 3;
  disk.states = {1};
  CHECK(erased(disk).value() == "nvme-sanitize-crypto");
  disk.states = {2, 3};
  CHECK(erased(disk).error().code == Code::Internal);
  disk.sanicap = 0;
  CHECK(erased(disk).error().code == Code::Unsupported);
}

TEST_CASE("NVMe: a second namespace is not erased along with the first") {
  FakeDisk disk(CommandSet::Nvme);
  disk.namespaces = 2;
  disk.sanicap = 3;
  disk.fna = 1;
  CHECK(erased(disk).error().code == Code::Unsupported);
  CHECK_FALSE(disk.wrote());
  disk.fna = 0;  // the format is this namespace's own
  CHECK(erased(disk).value() == "nvme-format");
}

TEST_CASE("NVMe: a format that breaks off is no reason to try something else") {
  FakeDisk disk(CommandSet::Nvme);
  disk.breaks = 0x80;
  disk.sanicap = 3;
  CHECK(erased(disk).error().code == Code::Internal);
  CHECK(disk.sent.back() == 0x80);
}

TEST_CASE("ATA: set a password, prepare, erase; the password is gone afterwards") {
  FakeDisk disk(CommandSet::Ata);
  CHECK(erased(disk).value() == "ata-secure-erase");
  CHECK(disk.sent == std::vector<int>{0xEC, 0xF1, 0xF3, 0xF4, 0xEC});
  CHECK(disk.options == 0);
  disk.security = 1 | 32;
  CHECK(erased(disk).value() == "ata-enhanced-secure-erase");
  CHECK(disk.options == 2);
}

TEST_CASE("ATA: as much patience as twice what the disk says, and half a day at least") {
  using std::chrono::hours;
  for (const auto& [word, patience] : {std::pair<unsigned, std::chrono::minutes>{0U, hours(12)},
                                       {60U, hours(12)},
                                       {254U, hours(16) + std::chrono::minutes(56)},
                                       {255U, hours(8 * 24)},
                                       {0x8000U | 900U, hours(60)},
                                       {0xFFFFU, hours(8 * 24)}}) {
    CAPTURE(word);
    FakeDisk disk(CommandSet::Ata);
    disk.minutes = word;
    CHECK(erased(disk));
    CHECK(disk.patience == patience);
  }
}

TEST_CASE("ATA: frozen, locked, with a foreign password, without the commands: nothing is sent") {
  for (const auto& [security, code] : {std::pair{std::uint8_t{1 | 8}, Code::Unsupported},
                                       {std::uint8_t{1 | 2 | 4}, Code::Busy},
                                       {std::uint8_t{1 | 2}, Code::Busy},
                                       {std::uint8_t{0}, Code::Unsupported}}) {
    CAPTURE(int{security});
    FakeDisk disk(CommandSet::Ata);
    disk.security = security;
    CHECK(erased(disk).error().code == code);
    CHECK_FALSE(disk.wrote());
  }
}

TEST_CASE("ATA: an erase that is refused leaves no password behind") {
  FakeDisk disk(CommandSet::Ata);
  disk.refuses = 0xF4;
  CHECK_FALSE(erased(disk));
  CHECK((disk.security & 2U) == 0);
}

TEST_CASE("a disk that only says that it erased itself is not believed") {
  const FileDisk file(16 * kMib);
  file.fill(noise(16 * kMib));
  FakeDisk disk(CommandSet::Nvme);
  const auto lied = erase_file(disk, file);
  CHECK_FALSE(lied.verified);
  CHECK(lied.error.find("old data reads back") != std::string::npos);

  disk.on_erase = [&] { file.fill(Bytes(16 * kMib)); };
  const auto done = erase_file(disk, file);
  CHECK(done.verified);
  CHECK(done.method == "nvme-format");
  CHECK(blank(file.content().data(), 16 * kMib));
}

TEST_CASE("a disk whose command is not there is overwritten, and the record says why") {
  const FileDisk file(16 * kMib);
  file.fill(noise(16 * kMib));
  FakeDisk disk(CommandSet::Ata);
  disk.security = 1 | 8;
  const auto record = erase_file(disk, file);
  CHECK(record.verified);
  CHECK(record.method == "overwrite (the firmware has frozen the disk's security)");
  CHECK(blank(file.content().data(), 16 * kMib));
  disk.security = 1 | 2 | 4;
  CHECK_FALSE(erase_file(disk, file).verified);
}

TEST_CASE("ATA sanitize: by its key, looked at until it is done; also where the security is frozen") {
  FakeDisk disk(CommandSet::Ata);
  disk.sanitizes = 0x3000;
  disk.counts = {0x4001, 0x8000};
  CHECK(crypto_erase(disk, [] {}).value() == "ata-sanitize-crypto");
  CHECK(disk.feature == 0x0011);
  CHECK(disk.key == 0x43727970);
  disk.counts = {0};
  CHECK(crypto_erase(disk, [] {}).error().code == Code::Internal);
  disk.refuses = 0xB4;
  CHECK(crypto_erase(disk, [] {}).error().code == Code::Conflict);

  FakeDisk frozen(CommandSet::Ata);
  frozen.security = 1 | 8;
  frozen.sanitizes = 0x9000;
  frozen.counts = {0x8000};
  CHECK(erased(frozen).value() == "ata-sanitize-block");
  CHECK(frozen.feature == 0x0012);
  CHECK(frozen.key == 0x426B4572);
  frozen.refuses = 0xB4;
  CHECK(erased(frozen).error().message == "the firmware has frozen the disk's security");
}

TEST_CASE("crypto erase: offered, not offered, and not while others would lose their data") {
  FakeDisk disk(CommandSet::Nvme);
  CHECK(crypto_erase(disk, [] {}).error().code == Code::Unsupported);  // its format erases without a key
  CHECK_FALSE(disk.wrote());
  disk.fna = 4;
  CHECK(crypto_erase(disk, [] {}).value() == "nvme-format-crypto");
  CHECK(disk.format == (2U | 2U << 9U));
  disk.refuses = 0x80;
  CHECK(crypto_erase(disk, [] {}).error().code == Code::Conflict);
  disk.sanicap = 1;
  disk.states = {1};
  CHECK(crypto_erase(disk, [] {}).value() == "nvme-sanitize-crypto");
  disk.sanicap = 2;  // block erase only
  disk.oacs = 0;
  CHECK(crypto_erase(disk, [] {}).error().code == Code::Unsupported);

  FakeDisk shared(CommandSet::Nvme);
  shared.namespaces = 2;
  shared.fna = 5;
  shared.sanicap = 1;
  CHECK(crypto_erase(shared, [] {}).error().code == Code::Conflict);
  CHECK_FALSE(shared.wrote());
  FakeDisk ata(CommandSet::Ata);
  CHECK(crypto_erase(ata, [] {}).error().code == Code::Unsupported);
  CHECK_FALSE(ata.wrote());
}

TEST_CASE("quick: crypto erase where it is offered, discard, overwriting where there is neither; the record says") {
  const FileDisk file(16 * kMib);
  file.fill(noise(16 * kMib));
  FakeDisk disk(CommandSet::Nvme);
  disk.fna = 4;
  const auto lied = erase_file(disk, file, EraseLevel::Quick);
  CHECK_FALSE(lied.verified);
  CHECK(lied.error.find("old data reads back") != std::string::npos);

  disk.on_erase = [&] { file.fill(Bytes(16 * kMib)); };
  auto done = erase_file(disk, file, EraseLevel::Quick);
  CHECK(done.verified);
  CHECK(done.level == "quick");
  CHECK(done.method.starts_with("nvme-format-crypto"));
  CHECK(blank(file.content().data(), 16 * kMib));

  file.fill(noise(16 * kMib));
  disk.refuses = 0x80;
  done = erase_file(disk, file, EraseLevel::Quick);
  CHECK(done.verified);
  CHECK(done.method.find("nvme") == std::string::npos);
  CHECK(blank(file.content().data(), 16 * kMib));

  file.fill(noise(16 * kMib));
  disk.refuses = -1;
  disk.breaks = 0x80;
  CHECK_FALSE(erase_file(disk, file, EraseLevel::Quick).verified);
}

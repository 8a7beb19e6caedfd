// SAS disks that answer as SBC-4 and SPC-4 say, built here byte by byte: no disk with a SCSI
// sanitize is at hand.
#include "installer/scsi_erase.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <set>

#include "command_device.hpp"
#include "installer/self_erase.hpp"

using namespace nimbus;
using namespace nimbus::installer;
using namespace nimbus::installer::test;

namespace {

constexpr ScsiSense kUnknownCommand{5, 0x20, 0}, kBadField{5, 0x24, 0}, kSanitizing{2, 0x04, 0x1B},
    kSanitizeFailed{3, 0x31, 0x03}, kPowerOn{6, 0x29, 0x00}, kGone{4, 0x44, 0x00};

class FakeSas final : public Passthrough {
 public:
  CommandSet commands() const noexcept override { return CommandSet::Ata; }  // "sd…": nobody knows yet
  Result<std::uint32_t> namespace_id() override { return Error{Code::Unsupported, "not NVMe"}; }
  Result<> nvme(const NvmeAdmin&, std::span<std::uint8_t>) override { return Error{Code::Unsupported, "no"}; }
  Result<> ata(const AtaTask& task, std::span<std::uint8_t>) override {
    CHECK(task.command == 0xEC);  // nothing but the question who it is
    return Error{Code::Unsupported, "the disk refuses ATA command 236"};
  }
  Result<std::uint16_t> ata(const AtaLongTask&) override { return Error{Code::Unsupported, "no"}; }

  Result<ScsiSense> scsi(const ScsiCommand& command, std::span<std::uint8_t> data) override {
    const auto& block = command.block;
    if (!attentions.empty()) {
      const auto attention = attentions.front();
      attentions.pop_front();
      return attention;
    }
    switch (block[0]) {
      case 0x00:
        CHECK(command.size == 6);
        return states.empty() ? Result<ScsiSense>(ScsiSense{}) : take(states);
      case 0x12:
        CHECK(command.size == 6);
        CHECK(block[1] == 1);
        CHECK(block[2] == 0xB1);
        if (!has_page) return kBadField;
        data[1] = 0xB1;
        data[7] = after;
        return ScsiSense{};
      case 0xA0:
        CHECK(command.size == 12);
        data[2] = static_cast<std::uint8_t>(luns * 8 / 256);
        data[3] = static_cast<std::uint8_t>(luns * 8 % 256);
        return luns > 0 ? ScsiSense{} : kUnknownCommand;
      case 0xA3:
        CHECK(command.size == 12);
        CHECK(block[1] == 0x0C);
        CHECK(block[2] == 2);
        CHECK(block[3] == 0x48);
        CHECK(block[9] == data.size());
        if (!reports) return kUnknownCommand;
        data[1] = actions.contains(block[5]) ? support : 1;
        return ScsiSense{};
      case 0x48:
        return sanitize(command, data);
    }
    return kUnknownCommand;
  }

  std::function<void()> on_erase = [] {};
  std::set<unsigned> actions;  // of SANITIZE, that it has
  std::uint8_t support = 3, after = 0;
  bool reports = true, has_page = true;
  unsigned luns = 1;
  ScsiSense begins;
  std::deque<ScsiSense> attentions;
  std::deque<Result<ScsiSense>> states;
  std::vector<unsigned> begun;  // sanitizes that were asked for

 private:
  static Result<ScsiSense> take(std::deque<Result<ScsiSense>>& from) {
    auto first = from.front();
    from.pop_front();
    return first;
  }

  Result<ScsiSense> sanitize(const ScsiCommand& command, std::span<std::uint8_t> data) {
    const unsigned action = command.block[1] & 0x1FU;
    begun.push_back(action);
    CHECK(command.size == 10);
    CHECK((command.block[1] & 0xE0U) == 0x80);  // at once, and no unrestricted exit
    CHECK(command.block[7] == 0);
    CHECK(command.block[8] == data.size());
    CHECK((command.transfer == Transfer::ToDisk) == (action == 1));
    if (action == 1) CHECK(Bytes(data.begin(), data.end()) == Bytes{1, 0, 0, 4, 0, 0, 0, 0});
    if (begins.key == 0) on_erase();
    return begins;
  }
};

struct Looks {
  int count = 0;
  std::function<void()> pause = [this] { ++count; };
};

}  // namespace

TEST_CASE("SAS: the best of the sanitizes that the disk says it has, looked at until it is done") {
  for (const auto& [actions, method, action] : {std::tuple{std::set{1U, 2U, 3U}, "scsi-sanitize-crypto", 3U},
                                                {std::set{1U, 2U}, "scsi-sanitize-block", 2U},
                                                {std::set{1U}, "scsi-sanitize-overwrite", 1U}}) {
    CAPTURE(method);
    FakeSas disk;
    disk.actions = actions;
    disk.states = {kSanitizing, kSanitizing, kPowerOn};
    Looks looks;
    CHECK(self_erase(disk, looks.pause).value() == method);
    CHECK(disk.begun == std::vector{action});
    CHECK(looks.count == 3);
    CHECK(disk.states.empty());
  }
}

TEST_CASE("SAS: without the disk's word nothing is sent that erases") {
  const auto refused = [](FakeSas& disk) {
    const auto done = self_erase(disk, [] {});
    REQUIRE_FALSE(done);
    CHECK(disk.begun.empty());
    CHECK(done.error().code == Code::Unsupported);
    return done.error().message;
  };
  FakeSas none;
  CHECK(refused(none) == "the disk has neither ATA commands nor a SCSI sanitize");
  FakeSas silent;
  silent.actions = {1, 2, 3};
  silent.reports = false;
  refused(silent);
  FakeSas own_way;  // "supported in a vendor's manner"
  own_way.actions = {1, 2, 3};
  own_way.support = 5;
  refused(own_way);
  for (const unsigned luns : {0U, 2U, 40U}) {
    FakeSas shared;
    shared.actions = {1, 2, 3};
    shared.luns = luns;
    CHECK(refused(shared).find("a part of another one") != std::string::npos);
    CHECK(crypto_erase(shared, [] {}).error().code == Code::Conflict);
    CHECK(shared.begun.empty());
  }
}

TEST_CASE("SAS: what cannot be read after its erasure is erased in another way") {
  FakeSas disk;
  disk.actions = {1, 2, 3};
  disk.after = 2U << 4U;  // after a crypto erase it must be written first
  CHECK(self_erase(disk, [] {}).value() == "scsi-sanitize-block");
  disk.after = 2U << 6U | 2U << 4U;
  CHECK(self_erase(disk, [] {}).value() == "scsi-sanitize-overwrite");
  CHECK(crypto_erase(disk, [] {}).error().code == Code::Unsupported);
  disk.after = 1U << 6U | 1U << 4U;
  CHECK(self_erase(disk, [] {}).value() == "scsi-sanitize-crypto");
  disk.has_page = false;
  CHECK(self_erase(disk, [] {}).value() == "scsi-sanitize-crypto");
}

TEST_CASE("SAS: a sanitize that is refused is followed by the next one, one that breaks off by nothing") {
  FakeSas refusing;
  refusing.actions = {1, 2, 3};
  refusing.begins = kBadField;
  const auto refused = self_erase(refusing, [] {});
  CHECK(refusing.begun == std::vector{3U, 2U, 1U});
  CHECK(refused.error().code == Code::Unsupported);
  CHECK(refused.error().message == "the disk refuses scsi-sanitize-overwrite: sense 05/24/00");
  CHECK(crypto_erase(refusing, [] {}).error().code == Code::Conflict);

  for (const auto& sense : {kGone, kSanitizing}) {
    FakeSas breaking;
    breaking.actions = {1, 2, 3};
    breaking.begins = sense;
    CHECK(self_erase(breaking, [] {}).error().code == Code::Internal);
    CHECK(breaking.begun == std::vector{3U});
  }
  for (const Result<ScsiSense>& end :
       {Result<ScsiSense>(kSanitizeFailed), Result<ScsiSense>(kGone), Result<ScsiSense>(ScsiSense{2, 0x04, 0x03}),
        Result<ScsiSense>(Error{Code::Internal, "the disk did not answer a command"})}) {
    FakeSas failing;
    failing.actions = {2};
    failing.states = {kSanitizing, end};
    const auto failed = self_erase(failing, [] {});
    CHECK(failed.error().code == Code::Internal);
    CHECK(failing.begun == std::vector{2U});
    CHECK(failing.states.empty());
  }
}

TEST_CASE("SAS: what happened to the disk before is heard out, for a while") {
  FakeSas disk;
  disk.actions = {3};
  disk.attentions = {kPowerOn, kPowerOn};
  CHECK(self_erase(disk, [] {}).value() == "scsi-sanitize-crypto");
  disk.attentions.assign(100, kPowerOn);
  CHECK(self_erase(disk, [] {}).error().code == Code::Unsupported);
}

TEST_CASE("SAS: erased by itself, believed only if nothing reads back, else overwritten; the record says how") {
  const FileDisk file(16 * kMib);
  file.fill(noise(16 * kMib));
  FakeSas disk;
  disk.actions = {3};
  CHECK(erase_file(disk, file).error.find("old data reads back") != std::string::npos);
  disk.on_erase = [&] { file.fill(Bytes(16 * kMib)); };
  for (const auto level : {EraseLevel::Secure, EraseLevel::Quick}) {
    file.fill(noise(16 * kMib));
    const auto record = erase_file(disk, file, level);
    CHECK(record.verified);
    CHECK(record.method.starts_with("scsi-sanitize-crypto"));
    CHECK(blank(file.content().data(), 16 * kMib));
  }
  // Quick is a matter of seconds: no other sanitize.
  disk.actions = {1, 2};
  disk.begun.clear();
  file.fill(noise(16 * kMib));
  CHECK(erase_file(disk, file, EraseLevel::Quick).verified);
  CHECK(disk.begun.empty());
  CHECK(blank(file.content().data(), 16 * kMib));

  disk.actions.clear();
  file.fill(noise(16 * kMib));
  const auto record = erase_file(disk, file);
  CHECK(record.verified);
  CHECK(record.method == "overwrite (the disk has neither ATA commands nor a SCSI sanitize)");
  CHECK(blank(file.content().data(), 16 * kMib));
}

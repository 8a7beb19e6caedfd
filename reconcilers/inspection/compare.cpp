#include "reconcilers/inspection/compare.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

namespace nimbus::reconcilers {
namespace {

constexpr std::uint64_t kGib = std::uint64_t{1} << 30U;
constexpr std::uint64_t kGigabyte = 1'000'000'000;
constexpr const char* kPresent = "present";
constexpr const char* kMissing = "missing";

/// The sum over all parts; nothing if one of them does not tell.
template <class Part, class Number>
std::optional<std::uint64_t> sum(const std::optional<std::vector<Part>>& parts, std::optional<Number> Part::*member) {
  if (!parts || parts->empty()) return std::nullopt;
  std::uint64_t total = 0;
  for (const auto& part : *parts) {
    if (!(part.*member)) return std::nullopt;
    total += *(part.*member);
  }
  return total;
}

/// 256 GiB is shown as 251 by BMCs that count what firmware keeps for itself. One module
/// of 32 is 3.1 %.
bool is_about(std::uint64_t observed, std::uint64_t declared, std::uint64_t per_mille) {
  const std::uint64_t gap = observed > declared ? observed - declared : declared - observed;
  return gap <= declared / 1000 * per_mille;
}

/// A "480 GB" disk is called that whether somebody counts in powers of ten or of two.
bool is_size(std::uint64_t observed, std::int64_t declared_gib) {
  const auto size = static_cast<std::uint64_t>(declared_gib);
  return is_about(observed, size * kGib, 20) || is_about(observed, size * kGigabyte, 20);
}

bool is_kind(DriveKind observed, DiskType declared) {
  switch (observed) {
    case DriveKind::Unknown:
      return true;
    case DriveKind::Hdd:
      return declared == DiskType::Hdd;
    case DriveKind::Ssd:
      return declared == DiskType::Ssd;
    case DriveKind::Nvme:
      return declared == DiskType::Nvme;
  }
  return true;
}

class Comparison {
 public:
  Comparison(const DesiredMachine& desired, const Inventory& observed) : desired_(desired), observed_(observed) {}

  std::vector<Drift> make() {
    cpu();
    disks();
    memory();
    nics();
    std::stable_sort(out_.begin(), out_.end(), [](const Drift& a, const Drift& b) { return a.key < b.key; });
    return std::move(out_);
  }

 private:
  void add(std::string key, std::string desired, std::string observed) {
    out_.push_back(
        {.key = std::move(key), .desired = std::move(desired), .observed = std::move(observed), .pending = {}});
  }

  void cpu() {
    const auto& declared = desired_.hardware.cpu_cores;
    const auto cores = sum(observed_.processors, &Processor::cores);
    if (!declared || !cores || *cores == static_cast<std::uint64_t>(*declared)) return;
    add("hardware.cpu_cores", std::to_string(*declared), std::to_string(*cores));
  }

  void memory() {
    const auto& declared = desired_.hardware.memory_gib;
    // The modules are exact; the sum that a BMC states may leave out what firmware keeps.
    const auto modules = sum(observed_.modules, &MemoryModule::size);
    const auto bytes = modules ? modules : observed_.memory;
    if (!declared || !bytes) return;
    if (is_about(*bytes, static_cast<std::uint64_t>(*declared) * kGib, modules ? 0 : 25)) return;
    add("hardware.memory_gib", std::to_string(*declared), std::to_string((*bytes + kGib / 2) / kGib));
  }

  void disks() {
    if (!observed_.drives) return;
    std::vector<bool> taken(observed_.drives->size(), false);
    const bool serials = std::any_of(observed_.drives->begin(), observed_.drives->end(),
                                     [](const Drive& drive) { return !drive.serial.empty(); });
    // Those with a serial number first: they cannot be mistaken.
    for (const auto& declared : desired_.hardware.disks) {
      if (declared.serial.empty() || !serials) continue;
      if (take(taken, [&](const Drive& drive) { return drive.serial == declared.serial; })) continue;
      add("hardware.disk." + declared.serial, kPresent, kMissing);
    }
    std::size_t number = 0;
    for (const auto& declared : desired_.hardware.disks) {
      number += 1;
      if (!declared.serial.empty()) continue;
      if (take(taken, [&](const Drive& drive) { return fits(drive, declared); })) continue;
      add(fmt::format("hardware.disk[{}]", number), words(declared), kMissing);
    }
  }

  template <class Is>
  bool take(std::vector<bool>& taken, Is is) {
    for (std::size_t i = 0; i < taken.size(); ++i) {
      if (taken[i] || !is((*observed_.drives)[i])) continue;
      taken[i] = true;
      return true;
    }
    return false;
  }

  static bool fits(const Drive& drive, const DiskDeclaration& declared) {
    const bool size = !declared.size_gib || !drive.size || is_size(*drive.size, *declared.size_gib);
    return size && (!declared.type || is_kind(drive.kind, *declared.type));
  }

  static std::string words(const DiskDeclaration& declared) {
    std::string text = declared.size_gib ? fmt::format("{} GiB", *declared.size_gib) : std::string(kPresent);
    if (declared.type) text += " " + std::string(name_of(*declared.type));
    return text;
  }

  void nics() {
    if (!observed_.ports || observed_.ports->empty()) return;
    std::vector<std::string> declared;
    if (!desired_.mac.empty()) declared.push_back(desired_.mac);
    for (const auto& nic : desired_.hardware.nics) {
      if (!nic.mac.empty() && nic.mac != desired_.mac) declared.push_back(nic.mac);
    }
    std::string others;  // what may have come in place of one that is missing
    for (const auto& port : *observed_.ports) {
      const bool known = std::find(declared.begin(), declared.end(), port.mac) != declared.end();
      if (!known && !port.mac.empty()) others += (others.empty() ? "" : ", ") + port.mac;
    }
    for (const auto& mac : declared) {
      const bool there = std::any_of(observed_.ports->begin(), observed_.ports->end(),
                                     [&](const NetworkPort& port) { return port.mac == mac; });
      if (!there) add("hardware.nic." + mac, kPresent, others.empty() ? kMissing : "missing; not declared: " + others);
    }
  }

  const DesiredMachine& desired_;
  const Inventory& observed_;
  std::vector<Drift> out_;
};

}  // namespace

std::vector<Drift> compare_hardware(const DesiredMachine& desired, const Inventory& observed) {
  return Comparison(desired, observed).make();
}

}  // namespace nimbus::reconcilers

#include "base/time/time_zone.hpp"

#include <algorithm>
#include <optional>

#include "base/file/file.hpp"

namespace nimbus::base {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 10U;  // the largest of Debian's has 4 kB
constexpr std::size_t kHeader = 44;
constexpr std::uint32_t kMostTransitions = 4096;
constexpr std::int32_t kMostOffset = 26 * 3600;  // RFC 8536, section 3.2: less than 26 hours

Error corrupt() { return {Code::Corrupt, "this is no time zone of the IANA database"}; }

/// Big-endian numbers, one after the other; nothing is read beyond the end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool has(std::size_t count) const noexcept { return rest_.size() >= count; }
  void skip(std::size_t count) { rest_.remove_prefix(count); }
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8U | static_cast<std::uint8_t>(rest_[i]);
    rest_.remove_prefix(bytes);
    return value;
  }

 private:
  std::string_view rest_;
};

struct Counts {
  std::uint32_t utc = 0, std = 0, leap = 0, time = 0, type = 0, chars = 0;
  std::size_t body(std::size_t time_size) const noexcept {
    return std::size_t{time} * (time_size + 1) + std::size_t{type} * 6 + chars + std::size_t{leap} * (time_size + 4) +
           std + utc;
  }
};

std::optional<Counts> read_header(Reader& reader) {
  if (!reader.has(kHeader) || reader.number(4) != 0x545a6966) return std::nullopt;  // "TZif"
  const auto version = reader.number(1);
  if (version < '2') return std::nullopt;
  reader.skip(15);
  Counts counts;
  for (auto* each : {&counts.utc, &counts.std, &counts.leap, &counts.time, &counts.type, &counts.chars}) {
    *each = static_cast<std::uint32_t>(reader.number(4));
    if (*each > kMostTransitions) return std::nullopt;
  }
  return counts;
}

bool is_zone_name(std::string_view name) {
  const bool plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
           c == '-' || c == '+';
  });
  return plain && !name.empty() && name.size() <= 64 && name.front() != '/' &&
         name.find("//") == std::string_view::npos;
}

}  // namespace

Result<TimeZone> TimeZone::load(const std::string& name) {
  if (!is_zone_name(name)) return Error{Code::Invalid, "\"" + name + "\" is no name of a time zone"};
  auto bytes = read_file("/usr/share/zoneinfo/" + name, kMostBytes);
  if (!bytes) return std::move(bytes.error()).with("while reading the time zone " + name);
  auto zone = parse(*bytes);
  if (!zone) return std::move(zone.error()).with("while reading the time zone " + name);
  return zone;
}

Result<TimeZone> TimeZone::parse(std::string_view bytes) {
  Reader reader(bytes);
  // The first block has 32-bit times and is there for old readers only.
  const auto old = read_header(reader);
  if (!old || !reader.has(old->body(4))) return corrupt();
  reader.skip(old->body(4));
  const auto counts = read_header(reader);
  if (!counts || counts->type == 0 || !reader.has(counts->body(8))) return corrupt();

  TimeZone zone;
  for (std::uint32_t i = 0; i < counts->time; ++i) zone.from_.push_back(static_cast<std::int64_t>(reader.number(8)));
  std::vector<std::size_t> types;
  for (std::uint32_t i = 0; i < counts->time; ++i) types.push_back(static_cast<std::size_t>(reader.number(1)));
  std::vector<std::int32_t> offsets;
  for (std::uint32_t i = 0; i < counts->type; ++i) {
    offsets.push_back(static_cast<std::int32_t>(reader.number(4)));
    reader.skip(2);
    if (offsets.back() > kMostOffset || offsets.back() < -kMostOffset) return corrupt();
  }
  if (!std::ranges::is_sorted(zone.from_)) return corrupt();
  for (const auto type : types) {
    if (type >= offsets.size()) return corrupt();
    zone.offsets_.push_back(offsets[type]);
  }
  zone.first_ = offsets.front();
  return zone;
}

std::chrono::seconds TimeZone::offset_at(WallTime time) const noexcept {
  const auto at = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  const auto after = std::ranges::upper_bound(from_, at);
  if (after == from_.begin()) return std::chrono::seconds{first_};
  return std::chrono::seconds{offsets_[static_cast<std::size_t>(after - from_.begin()) - 1]};
}

}  // namespace nimbus::base

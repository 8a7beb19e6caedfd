#include "base/toml/value.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/core.h>

namespace nimbus::base::toml {

std::optional<WallTime> DateTime::instant() const {
  if (form != Form::Offset) return std::nullopt;
  using namespace std::chrono;
  const sys_days days{std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day}};
  return time_point_cast<milliseconds>(days) + hours{hour} + minutes{minute} + seconds{second} +
         duration_cast<milliseconds>(nanoseconds{nanosecond}) - minutes{offset_minutes};
}

DateTime DateTime::from(WallTime time) {
  using namespace std::chrono;
  const auto days = floor<std::chrono::days>(time);
  const year_month_day date{days};
  const hh_mm_ss clock{time - days};
  DateTime out;
  out.year = static_cast<std::uint16_t>(static_cast<int>(date.year()));
  out.month = static_cast<std::uint8_t>(static_cast<unsigned>(date.month()));
  out.day = static_cast<std::uint8_t>(static_cast<unsigned>(date.day()));
  out.hour = static_cast<std::uint8_t>(clock.hours().count());
  out.minute = static_cast<std::uint8_t>(clock.minutes().count());
  out.second = static_cast<std::uint8_t>(clock.seconds().count());
  out.nanosecond = static_cast<std::uint32_t>(duration_cast<nanoseconds>(clock.subseconds()).count());
  return out;
}

std::string DateTime::text() const {
  std::string out;
  if (form != Form::Time) out = fmt::format("{:04}-{:02}-{:02}", year, month, day);
  if (form == Form::Date) return out;
  if (form != Form::Time) out += 'T';
  out += fmt::format("{:02}:{:02}:{:02}", hour, minute, second);
  if (nanosecond != 0) {
    std::string fraction = fmt::format(".{:09}", nanosecond);
    while (fraction.back() == '0') fraction.pop_back();
    out += fraction;
  }
  if (form != Form::Offset) return out;
  if (offset_minutes == 0) return out + 'Z';
  const int minutes = std::abs(int{offset_minutes});
  return out + fmt::format("{}{:02}:{:02}", offset_minutes < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::string_view to_string(Kind kind) noexcept { return with_article(kind).substr(with_article(kind).find(' ') + 1); }

std::string_view with_article(Kind kind) noexcept {
  switch (kind) {
    case Kind::String:
      return "a string";
    case Kind::Integer:
      return "an integer";
    case Kind::Float:
      return "a float";
    case Kind::Boolean:
      return "a boolean";
    case Kind::DateTime:
      return "a date-time";
    case Kind::Array:
      return "an array";
    case Kind::Table:
      return "a table";
  }
  return "a value";
}

namespace {

// With compare(): clang 14 cannot use the <=> of libstdc++ 12's strings here.
auto lower_bound(auto& members, std::string_view key) {
  return std::lower_bound(members.begin(), members.end(), key,
                          [](const Member& member, std::string_view wanted) { return member.key.compare(wanted) < 0; });
}

}  // namespace

Table::Table() = default;
Table::Table(const Table& other) = default;
Table::Table(Table&& other) noexcept = default;
Table& Table::operator=(const Table& other) = default;
Table& Table::operator=(Table&& other) noexcept = default;
Table::~Table() = default;

bool Table::empty() const noexcept { return members_.empty(); }
std::size_t Table::size() const noexcept { return members_.size(); }

const Member* Table::member(std::string_view key) const noexcept {
  const auto at = lower_bound(members_, key);
  return at != members_.end() && at->key == key ? &*at : nullptr;
}

const Value* Table::find(std::string_view key) const noexcept {
  const Member* found = member(key);
  return found != nullptr ? &found->value : nullptr;
}

Value* Table::find(std::string_view key) noexcept {
  const auto at = lower_bound(members_, key);
  return at != members_.end() && at->key == key ? &at->value : nullptr;
}

Table& Table::set(std::string key, Value value) {
  const auto at = lower_bound(members_, key);
  if (at != members_.end() && at->key == key) {
    at->value = std::move(value);
  } else {
    members_.insert(at, Member{std::move(key), {}, std::move(value)});
  }
  return *this;
}

bool Table::erase(std::string_view key) {
  const auto at = lower_bound(members_, key);
  if (at == members_.end() || at->key != key) return false;
  members_.erase(at);
  return true;
}

Table Table::from_sorted(std::vector<Member> members) {
  Table out;
  out.members_ = std::move(members);
  return out;
}

bool operator==(const Table& a, const Table& b) noexcept {
  return std::equal(a.members_.begin(), a.members_.end(), b.members_.begin(), b.members_.end(),
                    [](const Member& x, const Member& y) { return x.key == y.key && x.value == y.value; });
}

Value::Value(std::string text) : data_(std::move(text)) {}
Value::Value(std::string_view text) : data_(std::string(text)) {}
Value::Value(const char* text) : data_(std::string(text)) {}
Value::Value(bool value) : data_(value) {}
Value::Value(double value) : data_(value) {}
Value::Value(DateTime value) : data_(value) {}
Value::Value(Array values) : data_(std::move(values)) {}
Value::Value(Table table) : data_(std::move(table)) {}
Value::Value(const Value& other) = default;
Value::Value(Value&& other) noexcept = default;
Value& Value::operator=(const Value& other) = default;
Value& Value::operator=(Value&& other) noexcept = default;
Value::~Value() = default;

bool operator==(const Value& a, const Value& b) noexcept {
  if (const double* x = a.floating(); x != nullptr && b.floating() != nullptr && std::isnan(*x)) {
    return std::isnan(*b.floating());
  }
  return a.data_ == b.data_;
}

}  // namespace nimbus::base::toml

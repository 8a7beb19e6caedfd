#include "base/json/json.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

const Json kNull;
const Json::Array kNoItems;
const Json::Object kNoMembers;

// The bounds of what a double can be without losing its integer value; beyond
// 2^63 the conversion itself would be undefined.
constexpr double kTwoTo63 = 9223372036854775808.0;

void append_escaped(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      std::size_t length = 2;
      while (length <= 4 && !is_valid_utf8(text.substr(i, length))) ++length;
      if (length <= 4 && i + length <= text.size()) {
        out += text.substr(i, length);
        i += length;
      } else {
        out += "\\ufffd";
        ++i;
      }
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20 || byte == 0x7f) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
        } else {
          out += c;
        }
    }
    ++i;
  }
  out += '"';
}

struct Printer {
  std::string out;
  JsonStyle style;

  void line(std::size_t depth) {
    if (style == JsonStyle::Compact) return;
    out += '\n';
    out.append(2 * depth, ' ');
  }

  template <class List, class Each>
  void list(const List& items, char open, char close, std::size_t depth, Each each) {
    out += open;
    bool first = true;
    for (const auto& item : items) {
      if (!first) out += ',';
      first = false;
      line(depth + 1);
      each(item);
    }
    if (!items.empty()) line(depth);
    out += close;
  }

  void value(const Json& json, std::size_t depth) {
    switch (json.kind()) {
      case Json::Kind::Null:
        out += "null";
        break;
      case Json::Kind::Bool:
        out += *json.as_bool() ? "true" : "false";
        break;
      case Json::Kind::Int:
        fmt::format_to(std::back_inserter(out), "{}", *json.as_int());
        break;
      case Json::Kind::Double:
        if (const double number = *json.as_double(); std::isfinite(number)) {
          const std::string digits = fmt::format("{}", number);
          out += digits;
          // Else 1.0 would read back as an integer and -0.0 as 0.
          if (digits.find_first_of(".e") == std::string::npos) out += ".0";
        } else {
          out += "null";
        }
        break;
      case Json::Kind::String:
        append_escaped(out, *json.as_string());
        break;
      case Json::Kind::Array:
        list(json.items(), '[', ']', depth, [&](const Json& item) { value(item, depth + 1); });
        break;
      case Json::Kind::Object:
        list(json.members(), '{', '}', depth, [&](const Json::Member& member) {
          append_escaped(out, member.key);
          out += style == JsonStyle::Compact ? ":" : ": ";
          value(member.value, depth + 1);
        });
        break;
    }
  }
};

}  // namespace

Json::Json() noexcept = default;
Json::Json(std::nullptr_t) noexcept {}
Json::Json(bool value) noexcept : value_(value) {}
Json::Json(int value) noexcept : value_(std::int64_t{value}) {}
Json::Json(unsigned value) noexcept : value_(std::int64_t{value}) {}
Json::Json(long value) noexcept : value_(std::int64_t{value}) {}
Json::Json(unsigned long value) noexcept {
  if (std::in_range<std::int64_t>(value)) {
    value_ = static_cast<std::int64_t>(value);
  } else {
    value_ = static_cast<double>(value);
  }
}
Json::Json(long long value) noexcept : value_(std::int64_t{value}) {}
Json::Json(unsigned long long value) noexcept : Json(static_cast<unsigned long>(value)) {}
Json::Json(double value) noexcept : value_(value) {}
Json::Json(std::string_view text) : value_(std::string(text)) {}
Json::Json(const char* text) : value_(std::string(text)) {}
Json::Json(std::string text) noexcept : value_(std::move(text)) {}
Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;

Json Json::array(std::initializer_list<Json> items) {
  Json json;
  json.value_.emplace<Array>(items);
  return json;
}

Json Json::object(std::initializer_list<Member> members) {
  Json json;
  json.value_.emplace<Object>();
  for (const auto& member : members) json.set(member.key, member.value);
  return json;
}

bool operator==(const Json& a, const Json& b) { return a.value_ == b.value_; }

std::optional<bool> Json::as_bool() const noexcept {
  const bool* value = std::get_if<bool>(&value_);
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<std::int64_t> Json::as_int() const noexcept {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  if (const auto* value = std::get_if<double>(&value_)) {
    if (*value >= -kTwoTo63 && *value < kTwoTo63 && std::trunc(*value) == *value)
      return static_cast<std::int64_t>(*value);
  }
  return std::nullopt;
}

std::optional<double> Json::as_double() const noexcept {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  const auto* value = std::get_if<double>(&value_);
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<std::string_view> Json::as_string() const noexcept {
  const auto* value = std::get_if<std::string>(&value_);
  return value ? std::optional<std::string_view>(*value) : std::nullopt;
}

const Json::Array& Json::items() const noexcept {
  const auto* list = std::get_if<Array>(&value_);
  return list ? *list : kNoItems;
}

const Json::Object& Json::members() const noexcept {
  const auto* list = std::get_if<Object>(&value_);
  return list ? *list : kNoMembers;
}

std::size_t Json::size() const noexcept { return items().size() + members().size(); }

const Json* Json::find(std::string_view key) const noexcept {
  for (const auto& member : members()) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

const Json& Json::operator[](std::string_view key) const noexcept {
  const Json* found = find(key);
  return found ? *found : kNull;
}

const Json& Json::at(std::size_t index) const noexcept { return index < items().size() ? items()[index] : kNull; }

Json& Json::set(std::string key, Json value) {
  if (is_null()) value_.emplace<Object>();
  auto* list = std::get_if<Object>(&value_);
  if (!list) throw std::logic_error("Json::set on a value that is no object");
  for (auto& member : *list) {
    if (member.key == key) {
      member.value = std::move(value);
      return *this;
    }
  }
  list->push_back({std::move(key), std::move(value)});
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) value_.emplace<Array>();
  auto* list = std::get_if<Array>(&value_);
  if (!list) throw std::logic_error("Json::push on a value that is no array");
  list->push_back(std::move(value));
  return *this;
}

void Json::adopt_items(Array items) noexcept { value_ = std::move(items); }
void Json::adopt_members(Object members) noexcept { value_ = std::move(members); }

std::string Json::text(JsonStyle style) const {
  Printer printer{.out = {}, .style = style};
  printer.value(*this, 0);
  return std::move(printer.out);
}

}  // namespace nimbus::base

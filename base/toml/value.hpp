// TOML 1.0 values with the place in the text that they came from. Built by
// parse() (toml.hpp) or by hand for write() (write.hpp). No third-party types.
// Thread rule: plain values.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/time.hpp"

namespace nimbus::base::toml {

/// Line and column count from 1, columns in code points as editors show them;
/// offset counts bytes from 0. Line 0: not from a text.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t offset = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

/// End is exclusive: text.substr(begin.offset, end.offset - begin.offset).
struct Span {
  Position begin;
  Position end;
  friend bool operator==(const Span&, const Span&) = default;
};

/// A date, a time, or both, as written.
struct DateTime {
  enum class Form : std::uint8_t { Offset, Local, Date, Time };
  Form form = Form::Offset;
  std::uint16_t year = 0;
  std::uint8_t month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::int16_t offset_minutes = 0;
  std::uint32_t nanosecond = 0;

  /// The instant meant; nothing unless the form is Offset.
  std::optional<WallTime> instant() const;
  static DateTime from(WallTime time);
  /// RFC 3339; without a fraction where there is none.
  std::string text() const;
  friend bool operator==(const DateTime&, const DateTime&) = default;
};

enum class Kind : std::uint8_t { String, Integer, Float, Boolean, DateTime, Array, Table };
/// "string", "integer", … with article: "a string", "an integer".
std::string_view to_string(Kind kind) noexcept;
std::string_view with_article(Kind kind) noexcept;

class Value;
struct Member;
using Array = std::vector<Value>;

/// Members sorted by key; no key twice.
class Table {
 public:
  // Defined where Member is complete: clang insists.
  Table();
  Table(const Table& other);
  Table(Table&& other) noexcept;
  Table& operator=(const Table& other);
  Table& operator=(Table&& other) noexcept;
  ~Table();
  const std::vector<Member>& members() const noexcept { return members_; }
  bool empty() const noexcept;
  std::size_t size() const noexcept;
  const Member* member(std::string_view key) const noexcept;
  /// Null if there is none.
  const Value* find(std::string_view key) const noexcept;
  Value* find(std::string_view key) noexcept;
  /// Adds or replaces.
  Table& set(std::string key, Value value);
  /// False if there was none.
  bool erase(std::string_view key);
  /// Appends; `members` must be sorted by key and free of duplicates.
  static Table from_sorted(std::vector<Member> members);
  friend bool operator==(const Table& a, const Table& b) noexcept;

 private:
  std::vector<Member> members_;
};

class Value {
 public:
  Value(std::string text);       // NOLINT(google-explicit-constructor): builders read better
  Value(std::string_view text);  // NOLINT
  Value(const char* text);       // NOLINT
  Value(bool value);             // NOLINT
  Value(double value);           // NOLINT
  template <std::integral T>
  requires(!std::same_as<T, bool>) Value(T value);  // NOLINT
  Value(DateTime value);                            // NOLINT
  Value(Array values);                              // NOLINT
  Value(Table table);                               // NOLINT
  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();

  Kind kind() const noexcept { return static_cast<Kind>(data_.index()); }
  /// Null unless the value is of that kind.
  const std::string* string() const noexcept { return std::get_if<std::string>(&data_); }
  const std::int64_t* integer() const noexcept { return std::get_if<std::int64_t>(&data_); }
  const double* floating() const noexcept { return std::get_if<double>(&data_); }
  const bool* boolean() const noexcept { return std::get_if<bool>(&data_); }
  const DateTime* datetime() const noexcept { return std::get_if<DateTime>(&data_); }
  const Array* array() const noexcept { return std::get_if<Array>(&data_); }
  const Table* table() const noexcept { return std::get_if<Table>(&data_); }
  Array* array() noexcept { return std::get_if<Array>(&data_); }
  Table* table() noexcept { return std::get_if<Table>(&data_); }

  /// Exact for strings, numbers, arrays in brackets and inline tables. Of other
  /// tables, and arrays of them, only the begin means something: the header, or the
  /// key that implies the table.
  const Span& span() const noexcept { return span_; }
  void set_span(const Span& span) noexcept { span_ = span; }
  /// A table written as { … }.
  bool is_inline() const noexcept { return inline_; }
  void set_inline(bool is_inline) noexcept { inline_ = is_inline; }

  /// Same kind and content, wherever it was written. NaN equals NaN.
  friend bool operator==(const Value& a, const Value& b) noexcept;

 private:
  std::variant<std::string, std::int64_t, double, bool, DateTime, Array, Table> data_;
  Span span_;
  bool inline_ = false;
};

struct Member {
  std::string key;
  Span key_span;  // of the last part of a dotted key or header
  Value value;
};

// Here, where Member is complete: the variant may have to destroy a Table.
template <std::integral T>
requires(!std::same_as<T, bool>) Value::Value(T value) : data_(static_cast<std::int64_t>(value)) {}

}  // namespace nimbus::base::toml

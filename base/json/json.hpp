// Json: a JSON document (RFC 8259) as a tree of values, read within limits and
// written with correct escapes.
//
//   Result<Json> body = parse_json(text);
//   if (auto power = (*body)["PowerState"].as_string()) …
//
// Reading is for hostile text: bytes, depth and number of values are capped, the
// parser does not recurse, text that is no UTF-8 is refused. A missing member is
// an empty pointer or the null value, never undefined behaviour; absent and null
// are told apart by find(). Members keep their order; find() is linear.
//
// Thread rule: a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.hpp"

namespace nimbus::base {

enum class DuplicateKeys : std::uint8_t {
  Refuse,     // a document that says two things is an error
  KeepFirst,  // for devices, some of which do it: the first one counts
};

struct JsonLimits {
  std::size_t bytes = std::size_t{1} << 20U;  // at most kMostJsonBytes
  std::size_t depth = 64;                     // at most kMostJsonDepth
  std::size_t values = 100'000;               // all scalars, arrays and objects together
  DuplicateKeys duplicates = DuplicateKeys::Refuse;
};
inline constexpr std::size_t kMostJsonBytes = std::size_t{16} << 20U;
inline constexpr std::size_t kMostJsonDepth = 256;

enum class JsonStyle : std::uint8_t { Compact, Pretty };

class Json {
 public:
  enum class Kind : std::uint8_t { Null, Bool, Int, Double, String, Array, Object };
  struct Member;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;

  Json() noexcept;                          // null
  Json(std::nullptr_t) noexcept;            // NOLINT
  Json(bool value) noexcept;                // NOLINT: a literal is a value
  Json(int value) noexcept;                 // NOLINT
  Json(unsigned value) noexcept;            // NOLINT
  Json(long value) noexcept;                // NOLINT
  Json(unsigned long value) noexcept;       // NOLINT
  Json(long long value) noexcept;           // NOLINT
  Json(unsigned long long value) noexcept;  // NOLINT
  Json(double value) noexcept;              // NOLINT
  Json(std::string_view text);              // NOLINT
  Json(const char* text);                   // NOLINT
  Json(std::string text) noexcept;          // NOLINT
  static Json array(std::initializer_list<Json> items = {});
  static Json object(std::initializer_list<Member> members = {});

  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();

  Kind kind() const noexcept { return static_cast<Kind>(value_.index()); }
  bool is_null() const noexcept { return kind() == Kind::Null; }
  bool is_object() const noexcept { return kind() == Kind::Object; }
  bool is_array() const noexcept { return kind() == Kind::Array; }

  /// Nothing if the value is of another kind. as_int also takes a number with a
  /// zero fraction that fits; as_double takes any number. An integer beyond 64 bit
  /// with sign is read as Double.
  std::optional<bool> as_bool() const noexcept;
  std::optional<std::int64_t> as_int() const noexcept;
  std::optional<double> as_double() const noexcept;
  std::optional<std::string_view> as_string() const noexcept;

  /// Member of an object; null pointer if absent or if this is no object.
  const Json* find(std::string_view key) const noexcept;
  /// The same, with the null value for what is absent: chains.
  const Json& operator[](std::string_view key) const noexcept;
  /// Item of an array, with the null value for what is absent.
  const Json& at(std::size_t index) const noexcept;
  /// Items or members; none if this is of another kind.
  const Array& items() const noexcept;
  const Object& members() const noexcept;
  /// Number of items or members.
  std::size_t size() const noexcept;

  /// Building. A null value becomes an object or an array first; on any other kind
  /// the call throws std::logic_error. `set` replaces a member of that name.
  Json& set(std::string key, Json value);
  Json& push(Json value);
  /// Takes a whole list; what this was before is gone. The keys of `members` must differ.
  void adopt_items(Array items) noexcept;
  void adopt_members(Object members) noexcept;

  /// As text. Bytes that are no UTF-8 become U+FFFD, NaN and infinities null, so
  /// that the text is always valid.
  std::string text(JsonStyle style = JsonStyle::Compact) const;

  friend bool operator==(const Json& a, const Json& b);

 private:
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> value_;
};

struct Json::Member {
  std::string key;
  Json value;
  friend bool operator==(const Member&, const Member&) = default;
};

/// Errors: Corrupt, with the place in bytes; Invalid for limits above the most.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

/// Checks `document` against a JSON Schema of Draft 4. Other drafts' keywords pass
/// silently ("const", "if", "$defs", numeric "exclusiveMinimum", "format").
/// Errors: Invalid (the first breach: where in the document, which keyword, where
/// in the schema), Internal (a schema that cannot be used).
Result<> validate_json_schema(const Json& schema, const Json& document);

}  // namespace nimbus::base

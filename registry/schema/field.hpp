// The field tables: one row per key of the registry's files. From the same rows
// come the parser (walk.hpp), the JSON Schemas (json_schema.hpp) and the texts of
// `nimbusctl explain` (explain.hpp), so they cannot disagree.
//
// A row binds a key to a member of a value of core/desired by type: the C++ type of
// the member decides the TOML type. Tables are constant; thread rule: safe from any
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/time/time.hpp"
#include "base/toml/value.hpp"
#include "core/choice.hpp"
#include "registry/path.hpp"
#include "registry/schema/format.hpp"

namespace nimbus::registry {

enum class FieldType : std::uint8_t {
  String,
  Choice,
  Integer,
  Boolean,
  Duration,     // a string such as "30s"
  Time,         // an RFC 3339 date-time with zone
  Strings,      // array of strings
  Table,        // one table with rows of its own
  Tables,       // array of such tables
  NamedTables,  // table of such tables, keyed by a name: [role.<name>]
  StringMap,    // free keys, string values: labels
  ScalarMap,    // free keys; strings, integers and booleans, kept as text: BIOS attributes
};

enum class Need : std::uint8_t { Optional, Required };

/// Which file of a machine's three a key may stand in.
enum Level : std::uint8_t { kInMachine = 1, kInClass = 2, kInDefaults = 4, kEverywhere = 7 };
/// Beside the levels: texts may hold {{variables}} (registry/host/variables.hpp); what
/// a row says of its text holds after they were replaced.
inline constexpr std::uint8_t kWithVariables = 8;

/// Which objects a name may refer to.
enum class Refers : std::uint8_t {
  Nothing,
  Provider,
  Class,
  Network,
  Machine,
  Image,
  Profile,
  Person,
  Tenant,
  Role,
  Secret,
  Content
};

struct TableSpec;

/// What a row says beyond name, type and meaning. All optional.
struct Traits {
  Need need = Need::Optional;
  Format format = Format::Text;
  Format key_format = Format::LabelKey;  // of StringMap and ScalarMap
  std::int64_t least = 0;
  std::int64_t most = INT64_MAX;
  std::uint8_t levels = kEverywhere;
  Refers refers = Refers::Nothing;
  std::string_view fallback = {};  // the default, as TOML, or in words
  std::string_view example = {};   // as TOML
  const TableSpec* table = nullptr;
  /// Of Tables: the key that says which one is meant where profiles are merged; empty:
  /// none does, and all of them count.
  std::string_view identity = {};

  /// A name of something in the registry must stand in the file itself: what an object
  /// depends on does not depend on where it runs. Secrets lie elsewhere.
  constexpr bool takes_variables() const noexcept { return refers == Refers::Nothing || refers == Refers::Secret; }
};

struct Field {
  std::string_view key;
  std::string_view doc;  // one or more sentences
  FieldType type = FieldType::String;
  Traits traits;
  std::span<const std::string_view> choices = {};
  /// Takes a value that was found good.
  void (*bind)(void* object, const base::toml::Value& value) = nullptr;
  /// The nested object of Table; a new one of Tables and NamedTables. Null for a
  /// table that the loader walks itself.
  void* (*open)(void* object, std::string_view name) = nullptr;
  /// Forgets what lower levels said: of Tables.
  void (*clear)(void* object) = nullptr;
};

struct TableSpec {
  std::string_view name;  // "bmc"
  std::string_view doc;
  std::span<const Field> fields;

  const Field* find(std::string_view key) const noexcept {
    for (const auto& field : fields) {
      if (field.key == key) return &field;
    }
    return nullptr;
  }
};

namespace detail {

template <class T>
struct MemberOf;
template <class C, class T>
struct MemberOf<T C::*> {
  using Class = C;
  using Type = T;
};

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsMap = false;
template <class T>
inline constexpr bool kIsMap<std::map<std::string, T>> = true;

template <class T>
struct Plain {
  using Type = T;
};
template <class T>
struct Plain<std::optional<T>> {
  using Type = T;
};

template <class T>
constexpr FieldType type_of() {
  using P = typename Plain<T>::Type;
  if constexpr (std::is_same_v<P, std::string>)
    return FieldType::String;
  else if constexpr (std::is_enum_v<P>)
    return FieldType::Choice;
  else if constexpr (std::is_same_v<P, bool>)
    return FieldType::Boolean;
  else if constexpr (std::is_integral_v<P>)
    return FieldType::Integer;
  else if constexpr (std::is_same_v<P, std::chrono::milliseconds>)
    return FieldType::Duration;
  else if constexpr (std::is_same_v<P, WallTime>)
    return FieldType::Time;
  else if constexpr (std::is_same_v<P, std::vector<std::string>>)
    return FieldType::Strings;
  else if constexpr (kIsVector<P>)
    return FieldType::Tables;
  else if constexpr (std::is_same_v<P, std::map<std::string, std::string>>)
    return FieldType::StringMap;
  else if constexpr (kIsMap<P>)
    return FieldType::NamedTables;
  else
    return FieldType::Table;
}

/// A string, integer or boolean as text.
std::string scalar_text(const base::toml::Value& value);

template <auto Member>
void bind(void* object, const base::toml::Value& value) {
  using M = MemberOf<decltype(Member)>;
  using P = typename Plain<typename M::Type>::Type;
  auto& target = static_cast<typename M::Class*>(object)->*Member;
  if constexpr (std::is_same_v<P, std::string>)
    target = *value.string();
  else if constexpr (std::is_enum_v<P>)
    target = choice_from<P>(*value.string()).value_or(P{});
  else if constexpr (std::is_same_v<P, bool>)
    target = *value.boolean();
  else if constexpr (std::is_integral_v<P>)
    target = static_cast<P>(*value.integer());
  else if constexpr (std::is_same_v<P, std::chrono::milliseconds>)
    target = base::parse_duration(*value.string()).value_or(P{});
  else if constexpr (std::is_same_v<P, WallTime>)
    target = value.datetime()->instant().value_or(P{});
  else if constexpr (std::is_same_v<P, std::vector<std::string>>) {
    target.clear();
    target.reserve(value.array()->size());
    for (const auto& item : *value.array()) target.push_back(*item.string());
  } else {
    for (const auto& member : value.table()->members()) target[member.key] = scalar_text(member.value);
  }
}

template <auto Member>
void* open(void* object, std::string_view name) {
  using M = MemberOf<decltype(Member)>;
  using T = typename M::Type;
  auto& target = static_cast<typename M::Class*>(object)->*Member;
  static_cast<void>(name);
  if constexpr (kIsOptional<T>) {
    if (!target) target = typename T::value_type{};  // not emplace(): clang 14 cannot tell that it may
    return &*target;
  } else if constexpr (kIsVector<T>) {
    return &target.emplace_back();
  } else if constexpr (kIsMap<T>) {
    return &target[std::string(name)];
  } else {
    return &target;
  }
}

template <auto Member>
void clear(void* object) {
  (static_cast<typename MemberOf<decltype(Member)>::Class*>(object)->*Member).clear();
}

}  // namespace detail

/// A row. `field<&Network::vlan>("vlan", "VLAN id …", {.least = 1, .most = 4094})`.
template <auto Member>
constexpr Field field(std::string_view key, std::string_view doc, const Traits& traits = {}) {
  using T = typename detail::MemberOf<decltype(Member)>::Type;
  using P = typename detail::Plain<T>::Type;
  Field out;
  out.key = key;
  out.doc = doc;
  out.type = detail::type_of<T>();
  out.traits = traits;
  if constexpr (std::is_enum_v<P>) out.choices = kChoiceNames<P>;
  constexpr FieldType type = detail::type_of<T>();
  if constexpr (type == FieldType::Table || type == FieldType::Tables || type == FieldType::NamedTables) {
    out.open = &detail::open<Member>;
    if constexpr (type == FieldType::Tables) out.clear = &detail::clear<Member>;
  } else {
    out.bind = &detail::bind<Member>;
  }
  return out;
}

/// The same, as a choice between fixed words that stays a string.
template <auto Member>
constexpr Field word(std::string_view key, std::string_view doc, std::span<const std::string_view> choices,
                     const Traits& traits = {}) {
  Field out = field<Member>(key, doc, traits);
  out.type = FieldType::Choice;
  out.choices = choices;
  return out;
}

/// The same, as a map whose values may also be integers and booleans.
template <auto Member>
constexpr Field scalars(std::string_view key, std::string_view doc, const Traits& traits = {}) {
  Field out = field<Member>(key, doc, traits);
  out.type = FieldType::ScalarMap;
  return out;
}

/// The top table of a kind of file; null for FileKind::Content.
const TableSpec* spec_of(FileKind kind) noexcept;
/// The rows that apply to a kind: kInClass for classes, all for others; profiles with variables.
std::uint8_t level_of(FileKind kind) noexcept;

}  // namespace nimbus::registry

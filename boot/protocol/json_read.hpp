// Reads members of a JSON object and remembers the first fault. For this folder's
// documents: absent means empty, another kind than expected is an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/json.hpp"
#include "core/choice.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

class JsonFields {
 public:
  static constexpr std::size_t kAnyNumber = static_cast<std::size_t>(-1);

  explicit JsonFields(const base::Json& object) : object_(object) {
    if (!object.is_object()) fail("the document");
  }

  void text(std::string_view key, std::string& out, std::size_t most = 4096) {
    const base::Json* member = object_.find(key);
    if (member == nullptr) return;
    const auto value = member->as_string();
    if (!value || value->size() > most || value->find('\0') != std::string_view::npos) return fail(key);
    out = *value;
  }
  void number(std::string_view key, std::int64_t& out) {
    const base::Json* member = object_.find(key);
    if (member == nullptr) return;
    const auto value = member->as_int();
    if (!value || *value < 0) return fail(key);
    out = *value;
  }
  void optional_number(std::string_view key, std::optional<std::int64_t>& out) {
    if (object_.find(key) == nullptr) return;
    std::int64_t value = 0;
    number(key, value);
    out = value;
  }
  void flag(std::string_view key, bool& out) {
    const base::Json* member = object_.find(key);
    if (member == nullptr) return;
    const auto value = member->as_bool();
    if (!value) return fail(key);
    out = *value;
  }
  void texts(std::string_view key, std::vector<std::string>& out, std::size_t most_items = 256) {
    const base::Json* member = object_.find(key);
    if (member == nullptr) return;
    if (!member->is_array() || member->size() > most_items) return fail(key);
    for (const auto& item : member->items()) {
      const auto value = item.as_string();
      if (!value || value->find('\0') != std::string_view::npos) return fail(key);
      out.emplace_back(*value);
    }
  }
  template <class E>
  void choice(std::string_view key, E& out) {
    std::string name;
    text(key, name);
    if (name.empty()) return;
    const auto value = choice_from<E>(name);
    if (!value) return fail(key);
    out = *value;
  }
  /// Appends what `read(fields of the item, one)` makes of each item.
  template <class T, class Read>
  void list(std::string_view key, std::vector<T>& out, Read read, std::size_t most_items = kAnyNumber) {
    const base::Json& items = child(key);
    if (items.size() > most_items) return fail(key);
    for (const auto& item : items.items()) {
      if (fault_) return;
      T one{};
      JsonFields fields(item);
      read(fields, one);
      fault_ = std::move(fields.fault_);
      if (!fault_) out.push_back(std::move(one));
    }
  }
  const base::Json& child(std::string_view key) const { return object_[key]; }
  void fail(std::string_view key) {
    if (!fault_) fault_ = Error{Code::Invalid, "member \"" + std::string(key) + "\" is missing or malformed"};
  }
  Result<> result() const {
    if (fault_) return *fault_;
    return {};
  }

 private:
  const base::Json& object_;
  std::optional<Error> fault_;
};

}  // namespace nimbus::boot

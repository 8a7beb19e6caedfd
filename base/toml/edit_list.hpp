// As edit.hpp, for elements of lists of tables: those written with [[…]] headers.
//
// Errors: those of edit.hpp; Conflict (the list is written on one line: it is set as a
// whole), NotFound (no such element). Pure. Thread rule: safe from any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/toml/edit.hpp"

namespace nimbus::base::toml {

struct ListElement {
  KeyPath list;
  std::size_t index = 0;  // from 0
  KeyPath key;            // in the element
};

/// An index one behind the last makes a new element.
Result<Edit> set_in_list(std::string_view text, const ListElement& at, const Value& value);

/// A key of an element, or with an empty key the element with all its sections.
Result<Edit> remove_from_list(std::string_view text, const ListElement& at);

}  // namespace nimbus::base::toml

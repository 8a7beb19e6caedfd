// Enumerations that have names in files: one list per enumeration, in the order of
// its enumerators, next to the enumeration.
//
//   enum class Arch : std::uint8_t { X86_64, Aarch64 };
//   template <> inline constexpr auto kChoiceNames<Arch> = choice_names("x86_64", "aarch64");
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace nimbus {

template <class... Names>
constexpr std::array<std::string_view, sizeof...(Names)> choice_names(Names... names) {
  return {std::string_view(names)...};
}

template <class E>
inline constexpr int kChoiceNames = 0;  // specialise

/// The name that files use.
template <class E>
constexpr std::string_view name_of(E value) noexcept {
  return kChoiceNames<E>[static_cast<std::size_t>(value)];
}

template <class E>
constexpr std::optional<E> choice_from(std::string_view text) noexcept {
  for (std::size_t i = 0; i < kChoiceNames<E>.size(); ++i) {
    if (kChoiceNames<E>[i] == text) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace nimbus

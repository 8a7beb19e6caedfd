// Observed<T>: what a device showed. Unknown is a value of its own: "could not
// read" is never off, empty or zero.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/time.hpp"

namespace nimbus {

template <class T>
class Observed {
 public:
  static Observed known(T value, WallTime at) {
    Observed o;
    o.value_ = std::move(value);
    o.at_ = at;
    return o;
  }
  /// `reason` is a sentence for people.
  static Observed unknown(std::string reason) {
    Observed o;
    o.reason_ = std::move(reason);
    return o;
  }
  static Observed unsupported() {
    Observed o;
    o.unsupported_ = true;
    o.reason_ = "the device does not offer this";
    return o;
  }

  bool is_known() const noexcept { return value_.has_value(); }
  bool is_unsupported() const noexcept { return unsupported_; }
  /// Only if is_known().
  const T& value() const { return value_.value(); }
  /// When it was read; only if is_known().
  WallTime at() const noexcept { return at_; }
  /// Why it is not known; empty if is_known().
  const std::string& reason() const noexcept { return reason_; }

  friend bool operator==(const Observed&, const Observed&) = default;

 private:
  Observed() = default;
  std::optional<T> value_;
  WallTime at_{};
  bool unsupported_ = false;
  std::string reason_;
};

}  // namespace nimbus

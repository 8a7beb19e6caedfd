// Result<T>: a value or an Error. tl::expected, made [[nodiscard]].
//
//   Result<PowerState> power = bmc.power(call);
//   if (!power) return std::move(power.error()).with("while reading power");
#pragma once

#include <tl/expected.hpp>

#include <utility>

#include "core/error.hpp"

namespace nimbus {

template <class T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Error error) : Base(tl::unexpect, std::move(error)) {}  // NOLINT: implicit on purpose
};

}  // namespace nimbus

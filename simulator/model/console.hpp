// Console: the machine's serial line: what it printed lately, and what was typed.
//
// Output positions count from the start of the machine, so that several readers can
// each keep their own place. Thread rule: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nimbus::simulator {

class Console {
 public:
  static constexpr std::size_t kHistory = 16 * 1024;

  void print(std::string_view text);
  /// Everything kept from `position` on; older output is gone.
  std::string_view since(std::uint64_t position) const noexcept;
  std::uint64_t end() const noexcept { return start_ + kept_.size(); }

 private:
  std::string kept_;
  std::uint64_t start_ = 0;
};

}  // namespace nimbus::simulator

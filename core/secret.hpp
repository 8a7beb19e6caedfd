// Secret: bytes that must not be seen. There is no way to print one; the memory
// is overwritten when it goes. Thread rule: a plain value.
#pragma once

#include <string>
#include <string_view>

namespace nimbus {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes);
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  bool empty() const noexcept { return bytes_.empty(); }
  /// The bytes themselves: for a wire or a hash, never for a message.
  std::string_view reveal() const noexcept { return bytes_; }

  /// Time taken does not depend on where they differ.
  friend bool operator==(const Secret& a, const Secret& b) noexcept;

 private:
  void wipe() noexcept;
  std::string bytes_;
};

}  // namespace nimbus

// Accounts: the users of one BMC, the same for IPMI and Redfish.
//
// Slots 1 to kSlots as IPMI numbers them; slot 1 is the nameless user and stays
// disabled. Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/secret.hpp"

namespace nimbus::simulator {

/// IPMI 2.0, section 6.8; the numbers are those of the wire.
enum class Privilege : std::uint8_t { None = 0, Callback = 1, User = 2, Operator = 3, Administrator = 4 };

struct Account {
  std::string name;
  Secret password;
  Privilege privilege = Privilege::None;
  bool enabled = false;
  bool sol_allowed = true;
  /// Passwords of 17 to 20 bytes were set with the 20-byte form (IPMI 2.0, 22.30).
  bool long_password = false;
};

class Accounts {
 public:
  static constexpr std::uint8_t kSlots = 10;
  static constexpr std::size_t kMaxName = 16;
  static constexpr std::size_t kMaxPassword = 20;

  Account* slot(std::uint8_t id) noexcept;
  const Account* slot(std::uint8_t id) const noexcept;
  /// The enabled account of that name, or null; an empty name finds none.
  const Account* find(std::string_view name) const noexcept;
  std::uint8_t id_of(const Account& account) const noexcept;
  /// The first free slot from 2 on, or 0.
  std::uint8_t free_slot() const noexcept;

 private:
  std::array<Account, kSlots> slots_;
};

}  // namespace nimbus::simulator

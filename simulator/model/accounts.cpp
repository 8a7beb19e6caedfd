#include "simulator/model/accounts.hpp"

namespace nimbus::simulator {

Account* Accounts::slot(std::uint8_t id) noexcept { return id >= 1 && id <= kSlots ? &slots_[id - 1U] : nullptr; }

const Account* Accounts::slot(std::uint8_t id) const noexcept {
  return id >= 1 && id <= kSlots ? &slots_[id - 1U] : nullptr;
}

const Account* Accounts::find(std::string_view name) const noexcept {
  if (name.empty()) return nullptr;
  for (const auto& account : slots_) {
    if (account.enabled && account.name == name) return &account;
  }
  return nullptr;
}

std::uint8_t Accounts::id_of(const Account& account) const noexcept {
  return static_cast<std::uint8_t>(&account - slots_.data() + 1);
}

std::uint8_t Accounts::free_slot() const noexcept {
  for (std::uint8_t id = 2; id <= kSlots; ++id) {
    if (slots_[id - 1U].name.empty()) return id;
  }
  return 0;
}

}  // namespace nimbus::simulator

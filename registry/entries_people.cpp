#include "registry/entries.hpp"

namespace nimbus::registry {

template std::shared_ptr<Entry<RegistrySettings>> new_entry();
template std::shared_ptr<Entry<RegistrySettings>> copy_of(const Entry<RegistrySettings>&);
template std::shared_ptr<Entry<Limits>> new_entry();
template std::shared_ptr<Entry<Limits>> copy_of(const Entry<Limits>&);
template std::shared_ptr<Entry<Roles>> new_entry();
template std::shared_ptr<Entry<Roles>> copy_of(const Entry<Roles>&);
template std::shared_ptr<Entry<Bindings>> new_entry();
template std::shared_ptr<Entry<Bindings>> copy_of(const Entry<Bindings>&);
template std::shared_ptr<Entry<Approval>> new_entry();
template std::shared_ptr<Entry<Approval>> copy_of(const Entry<Approval>&);
template std::shared_ptr<Entry<Tenant>> new_entry();
template std::shared_ptr<Entry<Tenant>> copy_of(const Entry<Tenant>&);
template std::shared_ptr<Entry<Person>> new_entry();
template std::shared_ptr<Entry<Person>> copy_of(const Entry<Person>&);

}  // namespace nimbus::registry

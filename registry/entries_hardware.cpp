#include "registry/entries.hpp"

namespace nimbus::registry {

template std::shared_ptr<Entry<ProviderFile>> new_entry();
template std::shared_ptr<Entry<ProviderFile>> copy_of(const Entry<ProviderFile>&);
template std::shared_ptr<Entry<MachineClass>> new_entry();
template std::shared_ptr<Entry<MachineClass>> copy_of(const Entry<MachineClass>&);
template std::shared_ptr<Entry<Network>> new_entry();
template std::shared_ptr<Entry<Network>> copy_of(const Entry<Network>&);
template std::shared_ptr<Entry<Image>> new_entry();
template std::shared_ptr<Entry<Image>> copy_of(const Entry<Image>&);
template std::shared_ptr<Entry<ProfileFile>> new_entry();
template std::shared_ptr<Entry<ProfileFile>> copy_of(const Entry<ProfileFile>&);
template std::shared_ptr<Entry<DesiredMachine>> new_entry();
template std::shared_ptr<Entry<DesiredMachine>> copy_of(const Entry<DesiredMachine>&);
template std::shared_ptr<Entry<Instance>> new_entry();
template std::shared_ptr<Entry<Instance>> copy_of(const Entry<Instance>&);

}  // namespace nimbus::registry

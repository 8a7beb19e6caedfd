// The bodies of new_entry() and copy_of(); only for the files that instantiate them.
#pragma once

#include "registry/snapshot.hpp"

namespace nimbus::registry {

template <class T>
std::shared_ptr<Entry<T>> new_entry() {
  return std::make_shared<Entry<T>>();
}

template <class T>
std::shared_ptr<Entry<T>> copy_of(const Entry<T>& entry) {
  return std::make_shared<Entry<T>>(entry);
}

}  // namespace nimbus::registry

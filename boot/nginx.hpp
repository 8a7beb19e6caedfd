// nginx's configuration for the files that machines get: kernel, ramdisk, and images of the
// cache. Pure.
#pragma once

#include <string>

#include "boot/config.hpp"

namespace nimbus::boot {

/// One process, this user's, on the provisioning address only; nothing but those files.
std::string nginx_configuration(const Config& config);

}  // namespace nimbus::boot

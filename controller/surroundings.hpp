// What a configuration names and this machine has to have: files, folders, people, an
// address to listen on. For `nimbusd --check-config`; a start finds the same out by
// itself, later and one at a time. Opens files for reading and changes nothing.
#pragma once

#include <string>
#include <vector>

#include "controller/config/config.hpp"

namespace nimbus::controller {

/// One line per fault, which names the key: "[registry] ssh_key: cannot open /k: …".
/// Judged as the user who asks: secrets must be that user's own.
std::vector<std::string> faults_of_surroundings(const Config& config);

/// What is no fault, and hardly what somebody wants: the registry, as far as this machine's mirror
/// knows it, asks for what the configuration leaves out. Nothing without a mirror.
std::vector<std::string> doubts_of_surroundings(const Config& config);

}  // namespace nimbus::controller

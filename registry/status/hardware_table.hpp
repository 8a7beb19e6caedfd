// The tables "hardware" and "ramdisk" of a machine's document, from a value and back. For
// the sources of this folder only.
#pragma once

#include "base/toml/reader.hpp"
#include "base/toml/value.hpp"
#include "registry/status/hardware_record.hpp"
#include "registry/status/ramdisk_record.hpp"

namespace nimbus::registry {

base::toml::Table hardware_table(const HardwareRecord& record);
HardwareRecord read_hardware(base::toml::TableReader& table);

base::toml::Table ramdisk_table(const RamdiskRecord& record);
RamdiskRecord read_ramdisk(base::toml::TableReader& table);

}  // namespace nimbus::registry

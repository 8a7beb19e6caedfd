// The top tables of all kinds, defined beside their rows. Internal to registry/schema.
#pragma once

#include "registry/schema/field.hpp"

namespace nimbus::registry::tables {

extern const TableSpec kRegistry, kLimits, kRoles, kBindings, kApproval, kTenant, kPerson, kProvider, kClass, kNetwork,
    kMachine, kImage, kProfile, kInstance;
/// Rows that several files share.
extern const TableSpec kWindow, kDefaults;
}  // namespace nimbus::registry::tables

// The GUID that a BMC tells (Get System GUID, IPMI v2.0 rev 1.1, section 22.14),
// and which SMBIOS UUID it means. Pure.
//
// The specification wants the bytes in reverse order of RFC 4122, SMBIOS stores
// the first three fields little-endian, and many BMCs send plain RFC 4122 order.
// Nothing in the answer says which. So:
//  - `wire` is the answer as it came, in UUID form: stable, and the same that this
//    program prints when it probes; the registry's bmc_guid is compared with it;
//  - `uuid` is given only if exactly one of the three orders gives a UUID with a
//    version (1 to 5) and variant that RFC 4122 knows. In doubt it is empty, which
//    reads as "not readable" and never as another machine.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace nimbus::ipmi {

using Guid = std::array<std::uint8_t, 16>;

struct GuidTexts {
  std::string wire;
  std::string uuid;
};
GuidTexts describe_guid(const Guid& guid);

/// "00112233-4455-6677-8899-aabbccddeeff" of bytes in this order.
std::string uuid_text(const Guid& guid);

}  // namespace nimbus::ipmi

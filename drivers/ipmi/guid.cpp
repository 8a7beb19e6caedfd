#include "drivers/ipmi/guid.hpp"

#include <algorithm>

namespace nimbus::ipmi {
namespace {

Guid from_smbios_order(Guid guid) {
  std::reverse(guid.begin(), guid.begin() + 4);
  std::reverse(guid.begin() + 4, guid.begin() + 6);
  std::reverse(guid.begin() + 6, guid.begin() + 8);
  return guid;
}

Guid from_ipmi_order(Guid guid) {
  std::reverse(guid.begin(), guid.end());
  return guid;
}

bool looks_like_rfc4122(const Guid& guid) noexcept {
  const unsigned version = guid[6] >> 4U;
  return version >= 1 && version <= 5 && (guid[8] & 0xC0U) == 0x80U;
}

}  // namespace

std::string uuid_text(const Guid& guid) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < guid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[guid[i] >> 4U];
    text += kHex[guid[i] & 0x0FU];
  }
  return text;
}

GuidTexts describe_guid(const Guid& guid) {
  GuidTexts out{.wire = uuid_text(guid), .uuid = {}};
  int plausible = 0;
  for (const auto& candidate : {guid, from_smbios_order(guid), from_ipmi_order(guid)}) {
    if (!looks_like_rfc4122(candidate)) continue;
    ++plausible;
    out.uuid = uuid_text(candidate);
  }
  if (plausible != 1) out.uuid.clear();
  return out;
}

}  // namespace nimbus::ipmi

// The version, from CMake's project(): NIMBUS_VERSION is set for this folder.
#pragma once

namespace nimbus::cli {

inline constexpr const char* kVersion = NIMBUS_VERSION;
inline constexpr const char* kReleaseDate = NIMBUS_RELEASE_DATE;  // for the man pages

}  // namespace nimbus::cli

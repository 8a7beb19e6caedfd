// Quirks: how a machine's BMC departs from the polite one. Each has an id, the one
// that the drivers' table of quirks uses, and a sentence of evidence; vendors are
// groups of quirks. Thread rule: plain values; the table is constant.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace nimbus::simulator {

enum class Quirk : std::uint8_t {
  CloseConnections,
  RefuseIdentityEncoding,
  DataSourcesUnavailable,
  ExtendedInfoIsObject,
  PlainTextErrors,
  ErrorCodeMissing,
  MessageIdWithoutRegistry,
  SessionWithoutLocation,
  NoSessionService,
  EightSessions,
  ShortSessions,
  WeakEtagRefused,
  IfMatchRefused,
  EmptyEtag,
  IfMatchRequired,
  IfMatchRefusedOnActions,
  BootOnlyInSettings,
  BootOrderInSettings,
  UnchangedEnabledRefused,
  RevertsToOnce,
  ModeFallsToLegacy,
  FullBootRequired,
  NoContinuous,
  NoWritesDuringPost,
  ModeNotWritable,
  NoUefiHttp,
  ActionInfoOnly,
  BootChangeIgnored,
  RefusesWhenAlreadySo,
  OnConflictAfterOff,
  InvalidStateAfterChange,
  RestartTurnsOn,
  PowerCycleIgnored,
  SoftOffIgnored,
  LimitedResetTypes,
  MediaUnderManager,
  DvdOnly,
  FirstSlotRefuses,
  MediaByPatchOnly,
  InsertedFlagRefused,
  TransferProtocolRequired,
  TransferMethodRequired,
  MediaUserRequired,
  InsertedStaysTrue,
  InsertFailsAfterEject,
  EjectNeedsBody,
  NoneImageText,
  ApplyTimeRequired,
  ApplyTimeRefused,
  PendingShowsAll,
  SettingsSilentlyDropped,
  ResetBiosNeedsBody,
  SecureBootNeedsLicense,
  SerialIsSku,
  NoNicsShown,
  NewSensorsOnly,
  TrailingSlashes,
  BusyWhenHurried,
  NoSuite17,
  NoFlagTimeoutControl,
  DiskIsCode24,
  ForgetsBootDevice,
  GrantsPrivilegeZero,
  DuplicatesReplies,
  ResetsBeforeAnswering,
  ThreeSessions,
  Rakp2LengthTooLarge,
  IntegrityValueTooLong,
  ShortRefusals,
  DeniesIpmi20,
  PaddedUserNames,
  WrongChecksums,
  HidesFlagsValid,
  Count,
};
inline constexpr std::size_t kQuirkCount = static_cast<std::size_t>(Quirk::Count);

class Quirks {
 public:
  bool has(Quirk quirk) const noexcept { return bits_[static_cast<std::size_t>(quirk)]; }
  void set(Quirk quirk, bool on = true) noexcept { bits_[static_cast<std::size_t>(quirk)] = on; }
  bool none() const noexcept { return bits_.none(); }
  std::size_t count() const noexcept { return bits_.count(); }

 private:
  std::bitset<kQuirkCount> bits_;
};

struct QuirkInfo {
  Quirk quirk;
  std::string_view id;        // "RF-40", or FreeIPMI's name of the workaround
  std::string_view evidence;  // who saw what
};
/// One entry for each quirk, in the order of the enumeration.
std::span<const QuirkInfo> quirk_table() noexcept;
std::optional<Quirk> find_quirk(std::string_view id) noexcept;

struct VendorProfile {
  std::string_view name;  // "idrac9"
  std::string_view manufacturer;
  std::string_view bmc_vendor;  // of ServiceRoot
  std::uint32_t enterprise;     // IANA number in IPMI's Get Device ID; 0: unspecified
  std::span<const Quirk> quirks;
  std::string_view system_id;  // of Redfish's resources
  std::string_view manager_id;
  std::string_view chassis_id;
};
/// "polite" comes first and has none.
std::span<const VendorProfile> vendor_profiles() noexcept;
const VendorProfile* find_profile(std::string_view name) noexcept;
Quirks quirks_of(const VendorProfile& profile) noexcept;

}  // namespace nimbus::simulator

#include "simulator/model/quirks.hpp"

#include <array>

namespace nimbus::simulator {
namespace {

using enum Quirk;

constexpr std::array kTable = {
    QuirkInfo{
        CloseConnections, "RF-01",
        "Some BMCs choke on long-lived connections, so sushy closes after every request; this one closes by itself."},
    QuirkInfo{RefuseIdentityEncoding, "RF-02", "HPE Gen10 Plus registries answer 406 to Accept-Encoding: identity."},
    QuirkInfo{DataSourcesUnavailable, "RF-07",
              "iDRAC 5.x answers 503 with SYS518 for up to 20 s while its data sources restart."},
    QuirkInfo{ExtendedInfoIsObject, "RF-20", "iDRAC sends @Message.ExtendedInfo as an object instead of a list."},
    QuirkInfo{PlainTextErrors, "RF-20b", "Some 400 bodies of sushy-tools are plain text labelled JSON."},
    QuirkInfo{ErrorCodeMissing, "RF-21", "error.code can be missing; sushy decides by MessageId and text."},
    QuirkInfo{MessageIdWithoutRegistry, "RF-22",
              "MessageId may lack its registry prefix; sushy then tries several registries."},
    QuirkInfo{SessionWithoutLocation, "RF-30",
              "A created session may lack Location, so sushy reads the URI from the body."},
    QuirkInfo{NoSessionService, "RF-32", "sushy-tools answers 401 to every login by session; only Basic works."},
    QuirkInfo{EightSessions, "RF-33",
              "iDRAC refuses the ninth session with 503 RAC0218 (check_redfish#198, badfish#447)."},
    QuirkInfo{ShortSessions, "RF-36", "A recorded AMI tree has a SessionTimeout of 30 s."},
    QuirkInfo{WeakEtagRefused, "RF-40",
              "412 to the weak ETag that the service itself sent; the strong form is accepted (sushy _etag_handler)."},
    QuirkInfo{IfMatchRefused, "RF-42",
              "412 to every If-Match on a PATCH, also to the tag just read; without one it works (sushy, gofish)."},
    QuirkInfo{EmptyEtag, "RF-41", "An empty ETag header, which causes 412 when echoed."},
    QuirkInfo{IfMatchRequired, "RF-44", "Lenovo and AMI answer 428 to a PATCH without If-Match (gofish#171)."},
    QuirkInfo{IfMatchRefusedOnActions, "RF-45", "iDRAC10 refuses If-Match on POSTs to actions (gofish)."},
    QuirkInfo{BootOnlyInSettings, "RF-50",
              "iDRAC10 has boot values read-only on System, writable in its settings object."},
    QuirkInfo{BootOrderInSettings, "RF-50b",
              "XCC's settings object has the boot order and nothing else; the override is written to System (sushy)."},
    QuirkInfo{UnchangedEnabledRefused, "RF-52",
              "Some reject BootSourceOverrideEnabled when it equals the current value (ironic)."},
    QuirkInfo{RevertsToOnce, "RF-53",
              "Supermicro goes back to Once unless Enabled is sent with every target (storyboard 2008547)."},
    QuirkInfo{ModeFallsToLegacy, "RF-53b",
              "Supermicro resets the boot mode to Legacy when a device is set (ironic re-syncs it)."},
    QuirkInfo{FullBootRequired, "RF-54", "AMI and ASRockRack need target, enabled and mode in every request (ironic)."},
    QuirkInfo{NoContinuous, "RF-55", "Continuous is rejected for UEFI; ironic re-arms Once before every boot."},
    QuirkInfo{NoWritesDuringPost, "RF-56", "iLO answers 400 UnableToModifyDuringSystemPOST while the host is in POST."},
    QuirkInfo{ModeNotWritable, "RF-57",
              "iLO refuses BootSourceOverrideMode with 400 (ansible community.general#3509)."},
    QuirkInfo{NoUefiHttp, "RF-58", "XCC and OpenBMC list no UefiHttp target."},
    QuirkInfo{ActionInfoOnly, "RF-61", "AMI and OpenBMC give reset types by @Redfish.ActionInfo only."},
    QuirkInfo{BootChangeIgnored, "RF-62",
              "Supermicro AS-1015CS answers 200, then GET shows Legacy and Disabled (bmclib#459)."},
    QuirkInfo{RefusesWhenAlreadySo, "PW-06", "A power action towards the present state answers 400 or 409 (ironic)."},
    QuirkInfo{
        OnConflictAfterOff, "PW-07",
        "iDRAC10 answers On with 409 ActionParameterValueConflict for up to 60 s after off (ironic bug 2162995)."},
    QuirkInfo{InvalidStateAfterChange, "PW-16",
              "iLO answers 400 InvalidOperationForSystemState right after a power change (sushy)."},
    QuirkInfo{RestartTurnsOn, "PW-13",
              "ForceRestart of a machine that is off switches it on (sushy-tools' fake driver)."},
    QuirkInfo{PowerCycleIgnored, "PW-14", "sushy-tools with libvirt answers PowerCycle with 204 and does nothing."},
    QuirkInfo{SoftOffIgnored, "PW-15",
              "GracefulShutdown without an operating system that listens: 204, and the machine stays on."},
    QuirkInfo{LimitedResetTypes, "PW-02",
              "Cray EX offers On, ForceOff and Off only; iLO5 has no PowerCycle and no ForceOn."},
    QuirkInfo{MediaUnderManager, "VM-01",
              "VirtualMedia stands below Managers, as before the schema moved it to Systems."},
    QuirkInfo{DvdOnly, "VM-02", "Cisco UCS lists DVD and no CD."},
    QuirkInfo{FirstSlotRefuses, "VM-03",
              "OpenBMC and Cisco have slots that answer InsertMedia with 405; the next one works."},
    QuirkInfo{MediaByPatchOnly, "VM-04",
              "Lenovo XCC has no InsertMedia action; PATCH of Image and Inserted is the way (sushy)."},
    QuirkInfo{InsertedFlagRefused, "VM-05",
              "Supermicro X11 and X12 refuse Inserted and WriteProtected in InsertMedia."},
    QuirkInfo{TransferProtocolRequired, "VM-06", "Nokia and AMI want TransferProtocolType (ActionParameterMissing)."},
    QuirkInfo{TransferMethodRequired, "VM-06b", "InsertMedia wants TransferMethod (ActionParameterMissing; sushy)."},
    QuirkInfo{MediaUserRequired, "VM-06c", "NVIDIA DGX wants UserName and Password with InsertMedia (ironic)."},
    QuirkInfo{InsertedStaysTrue, "VM-07", "iDRAC reports a medium as inserted after it was ejected."},
    QuirkInfo{InsertFailsAfterEject, "VM-08",
              "A 5xx on insert while the last eject is still in progress; sushy tries three times."},
    QuirkInfo{EjectNeedsBody, "VM-09", "HPE answers EjectMedia without a body with 415; {} works."},
    QuirkInfo{NoneImageText, "VM-14", "AMI shows an empty slot as the text \"None\"."},
    QuirkInfo{ApplyTimeRequired, "BM-01",
              "iDRAC only stages BIOS settings unless @Redfish.SettingsApplyTime is sent (storyboard 2008163)."},
    QuirkInfo{ApplyTimeRefused, "BM-03", "Others reject @Redfish.SettingsApplyTime where they list no apply times."},
    QuirkInfo{PendingShowsAll, "BM-04", "HPE and Lenovo show all writable attributes in the settings object, always."},
    QuirkInfo{SettingsSilentlyDropped, "BM-06",
              "Lenovo accepts and stages a setting and drops it at boot (operating mode)."},
    QuirkInfo{ResetBiosNeedsBody, "BM-07", "iDRAC 2.75 wants a body with ResetBios."},
    QuirkInfo{SecureBootNeedsLicense, "BM-09", "Supermicro answers 403 OemLicenseNotPassed to SecureBoot."},
    QuirkInfo{SerialIsSku, "IV-03", "Dell's service tag is SKU; SerialNumber is the board's."},
    QuirkInfo{NoNicsShown, "IV-04", "Cisco UCS shows no EthernetInterfaces."},
    QuirkInfo{NewSensorsOnly, "IV-09", "GH200 and GB300 have ThermalSubsystem and Sensors only, no Thermal and Power."},
    QuirkInfo{TrailingSlashes, "RF-11", "iLO's ids end in a slash and its links are in lower case."},
    QuirkInfo{BusyWhenHurried, "IP-01",
              "Some BMCs answer node busy when commands come too fast (ironic waits 5 s between them)."},
    QuirkInfo{NoSuite17, "IP-04", "Cipher suite 17 is refused with no matching cipher suite; 3 works."},
    QuirkInfo{NoFlagTimeoutControl, "IP-09",
              "OpenBMC fails boot option parameter 3 and clients give up (ironic has a per-node opt-out)."},
    QuirkInfo{DiskIsCode24, "IP-10", "Supermicro's UEFI disk is device 0x24 with its extra bit."},
    QuirkInfo{ForgetsBootDevice, "IP-12",
              "The boot device is forgotten at power on unless sent again (ipmi_force_boot_device)."},
    QuirkInfo{GrantsPrivilegeZero, "opensesspriv",
              "ipmi_sim echoes privilege 0 in the Open Session Response; FreeIPMI then refuses."},
    QuirkInfo{DuplicatesReplies, "IP-20", "Replies that arrive twice make libfreeipmi fail a session open."},
    QuirkInfo{ResetsBeforeAnswering, "IP-21", "Many BMCs restart before they answer a cold reset."},
    QuirkInfo{ThreeSessions, "IP-22",
              "Small BMCs have three or four session slots; one more is refused for insufficient resources."},
    QuirkInfo{Rakp2LengthTooLarge, "supermicro20",
              "The length of RAKP 2 is one too large (Supermicro H8QME with SIMSO)."},
    QuirkInfo{IntegrityValueTooLong, "integritycheckvalue", "RAKP 4 has more bytes than its integrity check value."},
    QuirkInfo{ShortRefusals, "sun20", "Refusals of session setup end after the status (Sun Fire 4100 and others)."},
    QuirkInfo{DeniesIpmi20, "authcap",
              "Get Channel Authentication Capabilities denies IPMI 2.0, which works (several boards)."},
    QuirkInfo{PaddedUserNames, "intel20", "User names must be padded to 16 bytes (Intel SE7520AF2, SR1520ML)."},
    QuirkInfo{WrongChecksums, "nochecksumcheck", "The checksum of replies is wrong (Supermicro X8DTG and others)."},
    QuirkInfo{HidesFlagsValid, "bootflagsvalid", "Boot flags that count read back without their valid bit (ipmi_sim)."},
};
static_assert(kTable.size() == kQuirkCount);

constexpr std::array kIdrac9 = {DataSourcesUnavailable, ExtendedInfoIsObject, EightSessions,      InsertedStaysTrue,
                                InsertFailsAfterEject,  ApplyTimeRequired,    ResetBiosNeedsBody, SerialIsSku};
constexpr std::array kIdrac10 = {IfMatchRefusedOnActions, BootOnlyInSettings, OnConflictAfterOff,
                                 EightSessions,           ApplyTimeRequired,  SerialIsSku};
constexpr std::array kIlo5 = {RefuseIdentityEncoding,  NoWritesDuringPost, ModeNotWritable,
                              InvalidStateAfterChange, LimitedResetTypes,  MediaUnderManager,
                              EjectNeedsBody,          PendingShowsAll,    TrailingSlashes};
constexpr std::array kIlo6 = {NoWritesDuringPost, ModeNotWritable, InvalidStateAfterChange, LimitedResetTypes,
                              MediaUnderManager,  EjectNeedsBody,  PendingShowsAll,         TrailingSlashes};
constexpr std::array kXcc = {IfMatchRequired,   BootOrderInSettings, NoContinuous,    NoUefiHttp,
                             MediaUnderManager, MediaByPatchOnly,    PendingShowsAll, SettingsSilentlyDropped};
constexpr std::array kSupermicro = {RevertsToOnce,          ModeFallsToLegacy, MediaUnderManager, InsertedFlagRefused,
                                    SecureBootNeedsLicense, ApplyTimeRefused,  DiskIsCode24};
constexpr std::array kOpenBmc = {NoUefiHttp,       ActionInfoOnly,       MediaUnderManager,
                                 FirstSlotRefuses, NoFlagTimeoutControl, ApplyTimeRefused};
constexpr std::array kAmi = {ShortSessions,     IfMatchRequired,          FullBootRequired, ActionInfoOnly,
                             MediaUnderManager, TransferProtocolRequired, NoneImageText};
constexpr std::array kCisco = {DvdOnly, FirstSlotRefuses, NoNicsShown, MediaUnderManager};

constexpr std::array kProfiles = {
    VendorProfile{"polite", "", "", 0, {}, "1", "1", "1"},
    VendorProfile{"idrac9", "Dell Inc.", "Dell", 674, kIdrac9, "System.Embedded.1", "iDRAC.Embedded.1",
                  "System.Embedded.1"},
    VendorProfile{"idrac10", "Dell Inc.", "Dell", 674, kIdrac10, "System.Embedded.1", "iDRAC.Embedded.1",
                  "System.Embedded.1"},
    VendorProfile{"ilo5", "HPE", "HPE", 47196, kIlo5, "1", "1", "1"},
    VendorProfile{"ilo6", "HPE", "HPE", 47196, kIlo6, "1", "1", "1"},
    VendorProfile{"xcc", "Lenovo", "Lenovo", 19046, kXcc, "1", "1", "1"},
    VendorProfile{"supermicro", "Supermicro", "Supermicro", 10876, kSupermicro, "1", "1", "1"},
    VendorProfile{"openbmc", "OpenBMC", "OpenBMC", 49622, kOpenBmc, "system", "bmc", "chassis"},
    VendorProfile{"ami", "American Megatrends International", "AMI", 10368, kAmi, "Self", "Self", "Self"},
    VendorProfile{"cisco", "Cisco Systems Inc", "Cisco", 5771, kCisco, "WZP1", "CIMC", "1"},
};

}  // namespace

std::span<const QuirkInfo> quirk_table() noexcept { return kTable; }

std::optional<Quirk> find_quirk(std::string_view id) noexcept {
  for (const auto& info : kTable) {
    if (info.id == id) return info.quirk;
  }
  return std::nullopt;
}

std::span<const VendorProfile> vendor_profiles() noexcept { return kProfiles; }

const VendorProfile* find_profile(std::string_view name) noexcept {
  for (const auto& profile : kProfiles) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

Quirks quirks_of(const VendorProfile& profile) noexcept {
  Quirks out;
  for (const Quirk quirk : profile.quirks) out.set(quirk);
  return out;
}

}  // namespace nimbus::simulator

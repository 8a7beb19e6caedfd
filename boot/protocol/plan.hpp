// What the installer on a machine is to do: made and signed by nimbusd, carried by
// nimbus-boot, done by nimbus-installer.
//
// The plan travels as an envelope {"payload": "<base64 of JSON>", "signature":
// "<base64>"}; the signature (Ed25519) is over the payload's bytes with the prefix
// kPlanDomain. Errors of reading: Untrusted (signature), Invalid (anything else).
// Thread rule: plain values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto/ed25519.hpp"
#include "core/choice.hpp"
#include "core/desired/machine.hpp"
#include "core/desired/provider.hpp"
#include "core/identity.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

inline constexpr std::string_view kPlanDomain = "nimbus-plan-1\n";
inline constexpr std::size_t kMostPlanBytes = std::size_t{512} << 10U;

enum class PlanAction : std::uint8_t { Install, Erase, Inspect };

/// Why what is on the disk may be destroyed (registry format, "Proof before
/// destruction", 2). The installer holds the disk's own testimony against it.
enum class Proof : std::uint8_t {
  None,
  ErasedByUs,     // then the disk must be blank
  OwnerConsents,  // existing_data = "erase"
  SameInstance,   // asks for its own system disk again: the disk is named
  Release,        // the instance that was installed here is gone: the disks are ours
};

/// A network that an instance is attached to, beside the one that its machine boots from.
struct PlanNetwork {
  std::string name;
  std::int64_t vlan = 0;  // 0: untagged, on the NIC that boots
  std::string address;    // "10.1.0.5/24"; empty: by DHCP
  friend bool operator==(const PlanNetwork&, const PlanNetwork&) = default;
};

struct InstallPlan {
  PlanAction action = PlanAction::Inspect;
  std::string run;      // id of the run
  std::string nonce;    // returned with every report
  std::string machine;  // "berlin-1/m017"
  std::string mac;
  Identity identity;  // as declared; must match what the machine's firmware says
  Proof proof = Proof::None;
  std::vector<std::string> erased;  // ids of disks with a record of ours; ErasedByUs: no other may be written

  RootDiskHint root_disk;
  std::string disk;  // id of the disk; not empty: this one and no other. To erase: it must be there

  std::string image_cache;  // where nimbus-boot has the image; empty: it has not. Tried before the sources
  std::vector<std::string> image_urls;
  std::vector<std::string> image_sources;  // beginnings of URLs that a redirect may lead to
  std::vector<std::string> image_never;    // networks that no image comes from: "10.20.0.0/24"
  std::string image_sha256;                // of the file as downloaded
  std::int64_t image_bytes = 0;            // raw

  std::string instance;  // "acme/web-1"
  std::string hostname;
  std::string user;
  std::vector<std::string> ssh_keys;
  /// Of the controller, if it is to configure the host; empty: it is not. The same account as `user`: one more key of
  /// it.
  std::string controller_user, controller_key;
  std::string user_data;  // cloud-init's; empty: none
  std::vector<PlanNetwork> networks;

  EraseLevel erase = EraseLevel::Secure;

  friend bool operator==(const InstallPlan&, const InstallPlan&) = default;
};

std::string to_json(const InstallPlan& plan);
Result<InstallPlan> parse_plan(std::string_view json);

std::string seal_plan(const InstallPlan& plan, const base::Ed25519Key& key);
Result<InstallPlan> open_plan(std::string_view envelope, const base::Ed25519Public& key);

}  // namespace nimbus::boot

template <>
inline constexpr auto nimbus::kChoiceNames<nimbus::boot::PlanAction> = nimbus::choice_names("install", "erase",
                                                                                            "inspect");
template <>
inline constexpr auto nimbus::kChoiceNames<nimbus::boot::Proof> = nimbus::choice_names("none", "erased-by-us",
                                                                                       "owner-consents",
                                                                                       "same-instance", "release");

// The key exchange of RMCP+ (RAKP; IPMI v2.0 rev 1.1, sections 13.17 to 13.24 and
// 13.31 to 13.33): messages and codes. Pure; knows no order of messages.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "core/endpoint.hpp"
#include "core/secret.hpp"
#include "drivers/ipmi/packet.hpp"

namespace nimbus::ipmi {

/// Table 22-20. Only suites with authentication, integrity and confidentiality:
/// 0 would let anybody in, 1 and 2 would show the commands.
enum class CipherSuite : std::uint8_t { Suite3 = 3, Suite17 = 17 };

/// The three algorithm numbers of a suite (tables 13-17 to 13-19) and their sizes.
struct SuiteAlgorithms {
  std::uint8_t authentication;
  std::uint8_t integrity;
  std::uint8_t confidentiality;
  base::Hash hash;
  std::size_t auth_code_size;  // of packets and of RAKP 4: the hash, cut
};
SuiteAlgorithms algorithms_of(CipherSuite suite) noexcept;

/// Bytes of K_uid: a password, padded with zeros (section 13.31).
inline constexpr std::size_t kMaxPasswordBytes = 20;
inline constexpr std::size_t kMaxUsernameBytes = 16;

/// Section 13.24, table 13-15.
enum class SetupStatus : std::uint8_t {
  Ok = 0x00,
  NoResources = 0x01,
  BadAuthentication = 0x04,
  BadIntegrity = 0x05,
  InvalidRole = 0x09,
  UnauthorizedRole = 0x0A,
  NoResourcesAtRole = 0x0B,
  UnauthorizedName = 0x0D,
  BadIntegrityCheck = 0x0F,
  BadConfidentiality = 0x10,
  NoSuiteMatch = 0x11,
};
std::string_view text_of(std::uint8_t status) noexcept;

std::uint8_t privilege_number(IpmiPrivilege privilege) noexcept;  // 3 or 4, section 6.8

/// What both sides know after RAKP 2; the codes are computed over these.
struct Exchange {
  CipherSuite suite = CipherSuite::Suite17;
  std::uint32_t console_session = 0;
  std::uint32_t bmc_session = 0;
  std::array<std::uint8_t, 16> console_random{};
  std::array<std::uint8_t, 16> bmc_random{};
  std::array<std::uint8_t, 16> bmc_guid{};
  std::uint8_t role = 0;      // requested privilege with the name-only bit
  std::string username = {};  // as on the wire, padded where a quirk asks for it
};

Packet encode_open_session(std::uint8_t tag, const Exchange& exchange, IpmiPrivilege privilege);
Packet encode_rakp1(std::uint8_t tag, const Exchange& exchange);
Packet encode_rakp3(std::uint8_t tag, const Exchange& exchange, const Secret& password);

/// Replies; a refusal has the status and nothing else.
struct OpenSessionReply {
  std::uint8_t tag = 0;
  std::uint8_t status = 0;
  std::uint32_t console_session = 0;
  std::uint32_t bmc_session = 0;
  std::array<std::uint8_t, 3> algorithms{};  // authentication, integrity, confidentiality
};
std::optional<OpenSessionReply> parse_open_session(Bytes payload);

struct RakpReply {
  std::uint8_t tag = 0;
  std::uint8_t status = 0;
  std::uint32_t console_session = 0;
  std::array<std::uint8_t, 16> bmc_random{};  // RAKP 2
  std::array<std::uint8_t, 16> bmc_guid{};    // RAKP 2
  Bytes code;                                 // may be followed by foreign bytes
};
std::optional<RakpReply> parse_rakp2(Bytes payload);
std::optional<RakpReply> parse_rakp4(Bytes payload);

/// The BMC proves with this that it knows the password.
bool rakp2_code_matches(const Exchange& exchange, const Secret& password, Bytes code);

/// Keys of one session; overwritten when they go.
struct SessionKeys {
  std::array<std::uint8_t, 32> integrity{};   // K1, `size` bytes
  std::array<std::uint8_t, 32> encryption{};  // K2, the first 16 are used
  std::size_t size = 0;

  SessionKeys() = default;
  SessionKeys(const SessionKeys&) = default;
  SessionKeys& operator=(const SessionKeys&) = default;
  ~SessionKeys();
};

/// Derives the session integrity key, checks RAKP 4 with it, and derives K1 and K2.
/// Nothing if the code does not match.
std::optional<SessionKeys> finish_exchange(const Exchange& exchange, const Secret& password, const Secret& k_g,
                                           Bytes rakp4_code);

}  // namespace nimbus::ipmi

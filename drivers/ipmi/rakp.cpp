#include "drivers/ipmi/rakp.hpp"

#include <string.h>  // explicit_bzero

#include <algorithm>

namespace nimbus::ipmi {
namespace {

constexpr std::size_t kConstantBytes = 20;  // section 13.32, for every hash

using Digest = std::array<std::uint8_t, 32>;

/// A password or K_g, padded with zeros; overwritten when it goes.
struct PaddedKey {
  std::array<std::uint8_t, kMaxPasswordBytes> bytes{};

  explicit PaddedKey(const Secret& secret) {
    const auto from = secret.reveal();
    std::copy_n(from.begin(), std::min(from.size(), bytes.size()), bytes.begin());
  }
  PaddedKey(const PaddedKey&) = delete;
  PaddedKey& operator=(const PaddedKey&) = delete;
  ~PaddedKey() { explicit_bzero(bytes.data(), bytes.size()); }
};

std::array<std::uint8_t, 4> le32(std::uint32_t value) noexcept {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8U),
          static_cast<std::uint8_t>(value >> 16U), static_cast<std::uint8_t>(value >> 24U)};
}

std::array<std::uint8_t, 2> role_and_length(const Exchange& exchange) noexcept {
  return {exchange.role, static_cast<std::uint8_t>(exchange.username.size())};
}

void write_algorithm(Writer& out, unsigned kind, unsigned algorithm) {
  out.u8(kind);
  out.u16(0);
  out.u8(8);  // length of this block
  out.u8(algorithm);
  out.u8(0);
  out.u16(0);
}

std::uint8_t read_algorithm(Reader& in) noexcept {
  in.bytes(4);
  const std::uint8_t algorithm = in.u8() & 0x3FU;
  in.bytes(3);
  return algorithm;
}

/// Tag, status, reserved and the console's session id, which all replies begin
/// with. A refusal may end after the status (quirk "sun20").
template <class T>
std::optional<T> parse_head(Reader& in) {
  T reply;
  reply.tag = in.u8();
  reply.status = in.u8();
  if (!in.ok()) return std::nullopt;
  in.bytes(2);
  reply.console_session = in.u32();
  if (!in.ok() && reply.status == 0) return std::nullopt;
  return reply;
}

}  // namespace

SuiteAlgorithms algorithms_of(CipherSuite suite) noexcept {
  switch (suite) {
    case CipherSuite::Suite3:
      return {0x01, 0x01, 0x01, base::Hash::Sha1, 12};
    case CipherSuite::Suite17:
      return {0x03, 0x04, 0x01, base::Hash::Sha256, 16};
  }
  return {0x03, 0x04, 0x01, base::Hash::Sha256, 16};
}

std::string_view text_of(std::uint8_t status) noexcept {
  switch (status) {
    case 0x01:
      return "no free session";
    case 0x02:
      return "invalid session ID";
    case 0x03:
      return "invalid payload type";
    case 0x04:
      return "authentication algorithm not offered";
    case 0x05:
      return "integrity algorithm not offered";
    case 0x06:
      return "no matching authentication payload";
    case 0x07:
      return "no matching integrity payload";
    case 0x08:
      return "inactive session ID";
    case 0x09:
      return "invalid role";
    case 0x0A:
      return "privilege level not allowed for this user";
    case 0x0B:
      return "no free session at this privilege level";
    case 0x0C:
      return "invalid length of the user name";
    case 0x0D:
      return "unknown user";
    case 0x0E:
      return "unauthorized GUID";
    case 0x0F:
      return "invalid integrity check value";
    case 0x10:
      return "confidentiality algorithm not offered";
    case 0x11:
      return "cipher suite not offered";
    case 0x12:
      return "illegal parameter";
    default:
      return "unknown status";
  }
}

std::uint8_t privilege_number(IpmiPrivilege privilege) noexcept {
  return privilege == IpmiPrivilege::Administrator ? 4 : 3;
}

Packet encode_open_session(std::uint8_t tag, const Exchange& exchange, IpmiPrivilege privilege) {
  const auto algorithms = algorithms_of(exchange.suite);
  Packet payload;
  Writer out(payload);
  out.u8(tag);
  out.u8(privilege_number(privilege));
  out.u16(0);
  out.u32(exchange.console_session);
  write_algorithm(out, 0, algorithms.authentication);
  write_algorithm(out, 1, algorithms.integrity);
  write_algorithm(out, 2, algorithms.confidentiality);
  return encode_setup(PayloadType::OpenSessionRequest, payload);
}

Packet encode_rakp1(std::uint8_t tag, const Exchange& exchange) {
  Packet payload;
  Writer out(payload);
  out.u8(tag);
  out.fill(3, 0);
  out.u32(exchange.bmc_session);
  out.bytes(exchange.console_random);
  out.u8(exchange.role);
  out.u16(0);
  out.u8(static_cast<unsigned>(exchange.username.size()));
  out.bytes(base::as_bytes(exchange.username));
  return encode_setup(PayloadType::Rakp1, payload);
}

Packet encode_rakp3(std::uint8_t tag, const Exchange& exchange, const Secret& password) {
  const PaddedKey key(password);
  const auto code = base::hmac(algorithms_of(exchange.suite).hash, key.bytes,
                               {exchange.bmc_random, le32(exchange.console_session), role_and_length(exchange),
                                base::as_bytes(exchange.username)});
  Packet payload;
  Writer out(payload);
  out.u8(tag);
  out.fill(3, 0);
  out.u32(exchange.bmc_session);
  out.bytes(code);
  return encode_setup(PayloadType::Rakp3, payload);
}

std::optional<OpenSessionReply> parse_open_session(Bytes payload) {
  Reader in(payload);
  auto reply = parse_head<OpenSessionReply>(in);
  if (!reply || reply->status != 0) return reply;
  reply->bmc_session = in.u32();
  for (auto& algorithm : reply->algorithms) algorithm = read_algorithm(in);
  if (!in.ok()) return std::nullopt;
  return reply;
}

std::optional<RakpReply> parse_rakp2(Bytes payload) {
  Reader in(payload);
  auto reply = parse_head<RakpReply>(in);
  if (!reply || reply->status != 0) return reply;
  in.copy(reply->bmc_random);
  in.copy(reply->bmc_guid);
  reply->code = in.rest();
  if (!in.ok()) return std::nullopt;
  return reply;
}

std::optional<RakpReply> parse_rakp4(Bytes payload) {
  Reader in(payload);
  auto reply = parse_head<RakpReply>(in);
  if (reply) reply->code = in.rest();
  return reply;
}

bool rakp2_code_matches(const Exchange& exchange, const Secret& password, Bytes code) {
  const auto hash = algorithms_of(exchange.suite).hash;
  const std::size_t size = base::digest_size(hash);
  if (code.size() < size) return false;
  const PaddedKey key(password);
  const auto expected = base::hmac(
      hash, key.bytes,
      {le32(exchange.console_session), le32(exchange.bmc_session), exchange.console_random, exchange.bmc_random,
       exchange.bmc_guid, role_and_length(exchange), base::as_bytes(exchange.username)});
  return base::equal_constant_time(expected, code.first(size));
}

SessionKeys::~SessionKeys() {
  explicit_bzero(integrity.data(), integrity.size());
  explicit_bzero(encryption.data(), encryption.size());
}

std::optional<SessionKeys> finish_exchange(const Exchange& exchange, const Secret& password, const Secret& k_g,
                                           Bytes rakp4_code) {
  const auto algorithms = algorithms_of(exchange.suite);
  const std::size_t size = base::digest_size(algorithms.hash);
  const PaddedKey key(k_g.empty() ? password : k_g);
  Digest sik{};
  base::Hmac(algorithms.hash, key.bytes)
      .compute(
          {exchange.console_random, exchange.bmc_random, role_and_length(exchange), base::as_bytes(exchange.username)},
          sik);
  base::Hmac with_sik(algorithms.hash, Bytes(sik).first(size));
  Digest expected{};
  with_sik.compute({exchange.console_random, le32(exchange.bmc_session), exchange.bmc_guid}, expected);
  std::optional<SessionKeys> keys;
  if (rakp4_code.size() >= algorithms.auth_code_size &&
      base::equal_constant_time(Bytes(expected).first(algorithms.auth_code_size),
                                rakp4_code.first(algorithms.auth_code_size))) {
    std::array<std::uint8_t, kConstantBytes> constant{};
    keys.emplace();
    keys->size = size;
    constant.fill(1);
    with_sik.compute({constant}, keys->integrity);
    constant.fill(2);
    with_sik.compute({constant}, keys->encryption);
  }
  explicit_bzero(sik.data(), sik.size());
  return keys;
}

}  // namespace nimbus::ipmi

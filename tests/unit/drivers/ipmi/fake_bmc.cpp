#include "fake_bmc.hpp"

#include <algorithm>

#include "base/crypto/crypto.hpp"

namespace nimbus::ipmi::test {
namespace {

Data part(const Data& data, std::size_t from, std::size_t count) {
  Data out(count, 0);
  for (std::size_t i = 0; i < count && from + i < data.size(); ++i) out[i] = data[from + i];
  return out;
}

Data join(std::initializer_list<Data> parts) {
  Data out;
  for (const auto& one : parts) out.insert(out.end(), one.begin(), one.end());
  return out;
}

std::uint8_t checksum(const Data& data, std::size_t from, std::size_t to) {
  unsigned sum = 0;
  for (std::size_t i = from; i < to; ++i) sum += data[i];
  return static_cast<std::uint8_t>((0x100U - (sum & 0xFFU)) & 0xFFU);
}

Data setup_packet(std::uint8_t type, const Data& payload, unsigned length_error = 0) {
  const auto size = payload.size() + length_error;
  return join({{0x06, 0, 0xFF, 0x07, 0x06, type, 0, 0, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(size & 0xFFU),
                static_cast<std::uint8_t>(size >> 8U)},
               payload});
}

}  // namespace

Data FakeBmc::mac(const Data& key, const Data& data) const {
  return base::hmac(settings_.suite == 17 ? base::Hash::Sha256 : base::Hash::Sha1, key, {data});
}

Data FakeBmc::user_key() const {
  Data key(settings_.password.begin(), settings_.password.end());
  key.resize(20, 0);
  return key;
}

std::optional<Data> FakeBmc::receive(const Data& packet) {
  if (packet.size() < 16) return std::nullopt;
  if (packet[4] == 0x00) return answer_sessionless(packet);
  const std::uint8_t type = packet[5];
  const Data payload = part(packet, 16, packet.size() - 16);
  switch (type) {
    case 0x10:
      return answer_open_session(payload);
    case 0x12:
      return answer_rakp1(payload);
    case 0x14:
      return answer_rakp3(payload);
    case 0xC0:
      return open_ ? answer_in_session(packet) : std::nullopt;
    default:
      return std::nullopt;
  }
}

Data FakeBmc::answer_sessionless(const Data& packet) {
  const std::uint8_t sequence = packet[18] >> 2U;
  const std::uint8_t plus = settings_.rmcp_plus ? 0x02 : 0x01;
  const std::uint8_t status = settings_.says_k_g ? 0x24 : 0x04;
  const Data message = reply_message(0x07, sequence, 0x38, {0x00, 0x01, 0x80, status, plus, 0, 0, 0, 0});
  return join({{0x06, 0, 0xFF, 0x07, 0, 0, 0, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(message.size())}, message});
}

Data FakeBmc::answer_open_session(const Data& payload) {
  open_ = false;
  console_id_ = part(payload, 4, 4);
  if (settings_.open_status != 0) {
    Data refusal = {payload[0], settings_.open_status};
    if (!settings_.short_refusals) refusal = join({refusal, {0, 0}, console_id_});
    return setup_packet(0x11, refusal);
  }
  const int suite = settings_.answer_suite != 0 ? settings_.answer_suite : settings_.suite;
  const std::uint8_t authentication = suite == 17 ? 3 : 1;
  const std::uint8_t integrity = suite == 17 ? 4 : 1;
  // 0 asks for the highest there is.
  const std::uint8_t asked = payload[1] == 0 ? 4 : payload[1];
  const std::uint8_t granted = settings_.says_privilege_zero ? 0 : asked;
  return setup_packet(0x11, join({{payload[0], 0, granted, 0},
                                  console_id_,
                                  bmc_id_,
                                  {0, 0, 0, 8, authentication, 0, 0, 0},
                                  {1, 0, 0, 8, integrity, 0, 0, 0},
                                  {2, 0, 0, 8, 1, 0, 0, 0}}));
}

Data FakeBmc::answer_rakp1(const Data& payload) {
  if (settings_.rakp2_status != 0) {
    Data refusal = {payload[0], settings_.rakp2_status};
    if (!settings_.short_refusals) refusal = join({refusal, {0, 0}, console_id_});
    return setup_packet(0x13, refusal);
  }
  console_random_ = part(payload, 8, 16);
  const std::size_t name_size = payload[27];
  role_name_ = join({{payload[24], payload[27]}, part(payload, 28, name_size)});
  const Data guid(kFakeGuid.begin(), kFakeGuid.end());
  Data code = mac(user_key(), join({console_id_, bmc_id_, console_random_, bmc_random_, guid, role_name_}));
  if (settings_.wrong_rakp2_codes > 0) {
    --settings_.wrong_rakp2_codes;
    code[3] ^= 0x40;
  }
  return setup_packet(0x13, join({{payload[0], 0, 0, 0}, console_id_, bmc_random_, guid, code}),
                      settings_.rakp2_length_error);
}

Data FakeBmc::answer_rakp3(const Data& payload) {
  const auto refuse = [&](std::uint8_t status) {
    return setup_packet(0x15, join({{payload[0], status, 0, 0}, console_id_}));
  };
  if (settings_.rakp4_status != 0) return refuse(settings_.rakp4_status);
  const Data expected = mac(user_key(), join({bmc_random_, console_id_, role_name_}));
  if (part(payload, 8, payload.size() - 8) != expected) return refuse(0x0F);
  Data k_g = user_key();
  if (!settings_.k_g.empty()) {
    k_g.assign(settings_.k_g.begin(), settings_.k_g.end());
    k_g.resize(20, 0);
  }
  const Data sik = mac(k_g, join({console_random_, bmc_random_, role_name_}));
  k1_ = mac(sik, Data(20, 0x01));
  k2_ = mac(sik, Data(20, 0x02));
  Data check = mac(sik, join({console_random_, bmc_id_, Data(kFakeGuid.begin(), kFakeGuid.end())}));
  check.resize(cut());
  open_ = true;
  ++sessions_;
  next_sequence = 1;
  sequences_seen_.clear();
  return setup_packet(0x15, join({{payload[0], 0, 0, 0}, console_id_, check, settings_.rakp4_tail}));
}

Data FakeBmc::reply_message(std::uint8_t net_fn, std::uint8_t sequence, std::uint8_t command, const Data& rest) {
  Data message = {0x81, static_cast<std::uint8_t>(net_fn << 2U)};
  message.push_back(checksum(message, 0, 2));
  message = join({message, {0x20, static_cast<std::uint8_t>(sequence << 2U), command}, rest});
  message.push_back(checksum(message, 3, message.size()));
  return message;
}

Data FakeBmc::seal(const Data& message, std::uint32_t sequence) const {
  Data text = message;
  const std::size_t pad = (16 - (text.size() + 1) % 16) % 16;
  for (std::size_t i = 1; i <= pad; ++i) text.push_back(static_cast<std::uint8_t>(i));
  text.push_back(static_cast<std::uint8_t>(pad));
  const std::array<std::uint8_t, 16> iv = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6};
  std::array<std::uint8_t, 16> key{};
  std::copy_n(k2_.begin(), 16, key.begin());
  base::Aes128Cbc(base::Aes128Cbc::Direction::Encrypt, key).run(iv, text, text);
  const Data body = join({Data(iv.begin(), iv.end()), text});
  Data region = {0x06, 0xC0};
  region = join({region,
                 console_id_,
                 {static_cast<std::uint8_t>(sequence), static_cast<std::uint8_t>(sequence >> 8U),
                  static_cast<std::uint8_t>(sequence >> 16U), static_cast<std::uint8_t>(sequence >> 24U)},
                 {static_cast<std::uint8_t>(body.size()), static_cast<std::uint8_t>(body.size() >> 8U)},
                 body});
  std::uint8_t filler = 0;
  while ((region.size() + 2) % 4 != 0) {
    region.push_back(0xFF);
    ++filler;
  }
  region = join({region, {filler, 0x07}});
  Data code = mac(k1_, region);
  code.resize(cut());
  return join({{0x06, 0, 0xFF, 0x07}, region, code});
}

std::optional<Data> FakeBmc::answer_in_session(const Data& packet) {
  if (part(packet, 6, 4) != bmc_id_) return std::nullopt;
  const Data region(packet.begin() + 4, packet.end() - static_cast<std::ptrdiff_t>(cut()));
  Data code = mac(k1_, region);
  code.resize(cut());
  if (part(packet, packet.size() - cut(), cut()) != code) return std::nullopt;
  sequences_seen_.push_back(packet[10] | (static_cast<std::uint32_t>(packet[11]) << 8U));
  const std::size_t size = packet[14] | (static_cast<std::size_t>(packet[15]) << 8U);
  const Data iv = part(packet, 16, 16);
  Data text = part(packet, 32, size - 16);
  std::array<std::uint8_t, 16> key{};
  std::copy_n(k2_.begin(), 16, key.begin());
  base::Aes128Cbc(base::Aes128Cbc::Direction::Decrypt, key)
      .run(std::span<const std::uint8_t>(iv).first<16>(), text, text);
  text.resize(text.size() - text.back() - 1U);
  const auto reply = answer_message(text);
  if (!reply) return std::nullopt;
  return seal(*reply, next_sequence++);
}

std::optional<Data> FakeBmc::answer_message(const Data& message) {
  const std::uint8_t net_fn = message[1] >> 2U;
  const std::uint8_t sequence = message[4] >> 2U;
  const std::uint8_t command = message[5];
  requests_seen_.emplace_back(net_fn, command);
  const auto reply_with = [&](const Data& rest) {
    return reply_message(static_cast<std::uint8_t>(net_fn + 1), sequence, command, rest);
  };
  if (net_fn == 0x06 && command == 0x3B) return reply_with({settings_.privilege_completion, message[6]});
  if (net_fn == 0x06 && command == 0x3C) {
    open_ = false;
    return reply_with({0x00});
  }
  const auto found = handlers_.find({net_fn, command});
  if (found == handlers_.end()) return reply_with({0xC1});
  const auto rest = found->second(message);
  if (!rest) return std::nullopt;
  return reply_with(*rest);
}

}  // namespace nimbus::ipmi::test

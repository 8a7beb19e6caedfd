#include "base/ssh_key/exchange.hpp"

#include <algorithm>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

// RFC 4253, sections 4.2 and 6.1: what every implementation must be able to take.
constexpr std::size_t kMostLine = 255;
constexpr std::size_t kMostGreeting = 8 * 1024;  // lines before the version
constexpr std::size_t kMostPacket = 35'000;
constexpr int kMostPackets = 16;
constexpr std::size_t kBlock = 8;  // before encryption
constexpr const char* kMyLine = "SSH-2.0-Nimbus";

// RFC 4250, section 4.1.2; RFC 5656, section 7.1.
enum Message : char { Disconnect = 1, KexInit = 20, EcdhInit = 30, EcdhReply = 31 };

constexpr std::string_view kKeyExchanges = "curve25519-sha256,curve25519-sha256@libssh.org";
constexpr std::string_view kHostKeys = "ssh-ed25519";
// Never used, but a server ends the connection if it shares none of them.
constexpr std::string_view kCiphers =
    "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes256-ctr";
constexpr std::string_view kMacs =
    "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512";

Error no_ssh(const char* why) { return {Code::Corrupt, std::string("the answer is no SSH: ") + why}; }

void put_u32(std::string& out, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>((value >> shift) & 0xFFU));
}
void put_string(std::string& out, std::string_view text) {
  put_u32(out, text.size());
  out.append(text);
}
/// A number that is not negative, from its bytes, highest first (RFC 4251, section 5, mpint).
void put_number(std::string& out, std::string_view bytes) {
  while (!bytes.empty() && bytes.front() == 0) bytes.remove_prefix(1);
  const bool sign = !bytes.empty() && (static_cast<unsigned char>(bytes.front()) & 0x80U) != 0;
  put_u32(out, bytes.size() + (sign ? 1U : 0U));
  if (sign) out.push_back(0);
  out.append(bytes);
}
template <std::size_t N>
std::string_view view(const std::array<std::uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads what put_string wrote; once it fails it stays failed.
class Reader {
 public:
  explicit Reader(std::string_view data) : data_(data) {}
  std::size_t u32() {
    const auto bytes = take(4);
    std::size_t value = 0;
    for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
    return value;
  }
  std::string_view text() { return take(u32()); }
  std::string_view take(std::size_t size) {
    if (failed_ || size > data_.size()) {
      failed_ = true;
      return {};
    }
    const auto out = data_.substr(0, size);
    data_.remove_prefix(size);
    return out;
  }
  /// Of exactly this size.
  template <std::size_t N>
  std::array<std::uint8_t, N> bytes() {
    const auto from = text();
    std::array<std::uint8_t, N> out{};
    if (from.size() == N)
      std::copy(from.begin(), from.end(), out.begin());
    else
      failed_ = true;
    return out;
  }
  bool whole() const { return !failed_ && data_.empty(); }
  bool failed() const { return failed_; }

 private:
  std::string_view data_;
  bool failed_ = false;
};

bool lists(std::string_view list, std::string_view wanted) {
  const auto names = split(list, ',');
  return std::find(names.begin(), names.end(), wanted) != names.end();
}

std::string offer(const std::array<std::uint8_t, 16>& cookie) {
  std::string out(1, KexInit);
  out.append(view(cookie));
  for (const auto list : {kKeyExchanges, kHostKeys, kCiphers, kCiphers, kMacs, kMacs}) put_string(out, list);
  for (const auto* list : {"none", "none", "", ""}) put_string(out, list);  // compression, languages
  out.push_back(0);                                                         // no guess follows
  put_u32(out, 0);
  return out;
}

}  // namespace

HostKeyExchange::HostKeyExchange(const X25519Bytes& secret, const std::array<std::uint8_t, 16>& cookie)
    : secret_(secret), public_(x25519_public(secret)), my_offer_(offer(cookie)) {
  output_ = std::string(kMyLine) + "\r\n";
  send_packet(my_offer_);
}

std::string HostKeyExchange::take_output() { return std::exchange(output_, {}); }

void HostKeyExchange::send_packet(std::string_view payload) {
  std::size_t padding = kBlock - (payload.size() + 5) % kBlock;
  if (padding < 4) padding += kBlock;
  put_u32(output_, 1 + payload.size() + padding);
  output_.push_back(static_cast<char>(padding));
  output_.append(payload).append(padding, '\0');
}

Result<std::optional<Ed25519Public>> HostKeyExchange::feed(std::string_view bytes) {
  input_.append(bytes);
  if (their_line_.empty()) {
    auto read = read_greeting();
    if (!read) return std::move(read.error());
    if (!*read) return std::optional<Ed25519Public>{};
  }
  while (true) {
    auto packet = next_packet();
    if (!packet) return std::move(packet.error());
    if (!*packet) return std::optional<Ed25519Public>{};
    const std::string& payload = **packet;
    switch (payload.front()) {
      case Disconnect:
        return Error{Code::Unreachable, "the SSH server ended the connection"};
      case KexInit:
        if (auto read = read_offer(payload); !read) return std::move(read.error());
        break;
      case EcdhReply: {
        auto key = read_proof(payload);
        if (!key) return std::move(key.error());
        return std::optional(*key);
      }
      default:
        break;  // remarks (RFC 4253, section 11)
    }
  }
}

/// The server's version line; what it says before that is for people.
Result<bool> HostKeyExchange::read_greeting() {
  while (true) {
    const auto end = input_.find('\n');
    if (end == std::string::npos) {
      if (input_.size() > kMostLine) return no_ssh("a line is too long");
      return false;
    }
    std::string line = input_.substr(0, end);
    input_.erase(0, end + 1);
    greeting_bytes_ += end + 1;
    if (greeting_bytes_ > kMostGreeting || line.size() > kMostLine) return no_ssh("too much text");
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.starts_with("SSH-")) continue;
    if (!line.starts_with("SSH-2.0-") && !line.starts_with("SSH-1.99-")) return no_ssh("another version");
    their_line_ = std::move(line);
    return true;
  }
}

/// The payload of the next packet, at least one byte; nothing: it is not whole yet.
Result<std::optional<std::string>> HostKeyExchange::next_packet() {
  Reader reader(input_);
  const std::size_t length = reader.u32();
  if (reader.failed()) return std::optional<std::string>{};
  if (length < 6 || length > kMostPacket || (length + 4) % kBlock != 0) return no_ssh("a packet of a wrong size");
  if (input_.size() < 4 + length) return std::optional<std::string>{};
  if (++packets_ > kMostPackets) return no_ssh("too many packets");
  const auto padding = static_cast<unsigned char>(input_[4]);
  if (padding < 4 || padding + 2U > length) return no_ssh("padding of a wrong size");
  std::string payload = input_.substr(5, length - padding - 1);
  input_.erase(0, 4 + length);
  return std::optional(std::move(payload));
}

Result<> HostKeyExchange::read_offer(const std::string& payload) {
  if (!their_offer_.empty()) return no_ssh("two offers");
  Reader reader(std::string_view(payload).substr(1));
  reader.take(16);
  const auto exchanges = reader.text();
  const auto keys = reader.text();
  if (reader.failed()) return no_ssh("a malformed offer");
  const auto mine = split(kKeyExchanges, ',');
  const bool agreed = std::any_of(mine.begin(), mine.end(), [&](auto name) { return lists(exchanges, name); });
  if (!agreed || !lists(keys, kHostKeys)) {
    return Error{Code::Unsupported, "the SSH server offers no curve25519-sha256 with an ssh-ed25519 key"};
  }
  their_offer_ = payload;
  std::string init(1, EcdhInit);
  put_string(init, view(public_));
  send_packet(init);
  return {};
}

/// The server has signed all that was said (RFC 8731, section 3; RFC 5656, section 4).
Result<Ed25519Public> HostKeyExchange::read_proof(const std::string& payload) const {
  if (their_offer_.empty()) return no_ssh("an answer before the offer");
  Reader reader(std::string_view(payload).substr(1));
  const auto key_blob = reader.text();
  const auto theirs = reader.bytes<32>();
  const auto signature_blob = reader.text();
  Reader key_reader(key_blob);
  const bool named = key_reader.text() == kHostKeys;
  const Ed25519Public key = key_reader.bytes<32>();
  Reader signature_reader(signature_blob);
  const bool signed_so = signature_reader.text() == kHostKeys;
  const Ed25519Signature signature = signature_reader.bytes<64>();
  if (!reader.whole() || !key_reader.whole() || !signature_reader.whole() || !named || !signed_so) {
    return no_ssh("a malformed proof");
  }
  const auto agreed = x25519_shared(secret_, theirs);
  if (!agreed) return no_ssh("a worthless key");
  std::string said;
  for (const auto part : {std::string_view(kMyLine), std::string_view(their_line_), std::string_view(my_offer_),
                          std::string_view(their_offer_), key_blob, view(public_), view(theirs)}) {
    put_string(said, part);
  }
  put_number(said, view(*agreed));
  const auto hash = sha256(said);
  if (!ed25519_verify(key, view(hash), signature)) {
    return Error{Code::Corrupt, "the SSH server's signature does not belong to its host key"};
  }
  return key;
}

}  // namespace nimbus::base

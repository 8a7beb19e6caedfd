#include "base/ssh_key/host_key.hpp"

#include <poll.h>

#include <array>

#include "base/crypto/crypto.hpp"
#include "base/net/socket.hpp"
#include "base/net/wait.hpp"
#include "base/ssh_key/exchange.hpp"
#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

Result<FileDescriptor> connect(const HostPort& where, const Call& call, const Clock& clock) {
  const auto address = SocketAddress::numeric(where);
  if (!address) return address.error();
  auto socket = connect_tcp(*address);
  if (!socket) return socket;
  if (auto waited = wait_ready(*socket, POLLOUT, call, clock); !waited) return std::move(waited.error());
  if (auto connected = connect_result(*socket); !connected) return std::move(connected.error());
  return socket;
}

Result<> send_all(const FileDescriptor& socket, std::string_view text, const Call& call, const Clock& clock) {
  while (!text.empty()) {
    auto sent = send_some(socket, as_bytes(text));
    if (!sent) return std::move(sent.error());
    if (*sent) {
      text.remove_prefix(**sent);
    } else if (auto waited = wait_ready(socket, POLLOUT, call, clock); !waited) {
      return waited;
    }
  }
  return {};
}

}  // namespace

Result<Ed25519Public> ssh_host_key(const HostPort& where, const Call& call, const Clock& clock) {
  auto socket = connect(where, call, clock);
  if (!socket) return std::move(socket.error());
  X25519Bytes secret{};
  std::array<std::uint8_t, 16> cookie{};
  random_bytes(secret);
  random_bytes(cookie);
  HostKeyExchange exchange(secret, cookie);
  std::array<std::uint8_t, 4096> piece{};
  while (true) {
    if (auto sent = send_all(*socket, exchange.take_output(), call, clock); !sent) return std::move(sent.error());
    if (auto waited = wait_ready(*socket, POLLIN, call, clock); !waited) return std::move(waited.error());
    auto got = receive_some(*socket, piece);
    if (!got) return std::move(got.error());
    if (!*got) continue;
    if (**got == 0) return Error{Code::Unreachable, "the SSH server ended the connection"};
    auto key = exchange.feed({reinterpret_cast<const char*>(piece.data()), **got});
    if (!key) return std::move(key.error());
    if (*key) return **key;
  }
}

Result<Ed25519Public> parse_openssh_public(std::string_view line) {
  const Error bad{Code::Invalid, "not an ssh-ed25519 public key"};
  const auto words = split(line, ' ');
  if (words.size() < 2 || words[0] != "ssh-ed25519") return bad;
  const auto blob = from_base64(words[1]);
  constexpr std::string_view kHead("\0\0\0\x0bssh-ed25519\0\0\0\x20", 19);
  Ed25519Public key{};
  if (!blob || blob->size() != kHead.size() + key.size()) return bad;
  const std::string_view bytes(reinterpret_cast<const char*>(blob->data()), blob->size());
  if (!bytes.starts_with(kHead)) return bad;
  std::copy(blob->begin() + kHead.size(), blob->end(), key.begin());
  return key;
}

}  // namespace nimbus::base

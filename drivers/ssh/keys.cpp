#include "drivers/ssh/keys.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <libssh/libssh.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "core/secret.hpp"

namespace nimbus::ssh {
namespace {

constexpr std::size_t kMostKeyBytes = 16 * 1024;

struct KnownType {
  std::string_view name;
  const char* algorithms;
};
/// RSA keys sign with SHA-2 only (RFC 8332).
constexpr std::array<KnownType, 5> kTypes{{{"ssh-ed25519", "ssh-ed25519"},
                                           {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
                                           {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
                                           {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
                                           {"ssh-rsa", "rsa-sha2-512,rsa-sha2-256"}}};

/// The next string of an encoded key (RFC 4251, section 5), taken off `rest`.
std::optional<std::string_view> next_string(std::string_view& rest) {
  if (rest.size() < 4) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size = size << 8U | static_cast<unsigned char>(rest[i]);
  if (rest.size() - 4 < size) return std::nullopt;
  const std::string_view text = rest.substr(4, size);
  rest.remove_prefix(4 + size);
  return text;
}

std::string_view as_text(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The first string in the encoded key names its type as well (RFC 4253, section 6.6).
bool encodes(const std::vector<std::uint8_t>& blob, std::string_view type) {
  std::string_view rest = as_text(blob);
  return next_string(rest) == type;
}

/// Type, nonce, and the key that it certifies (OpenSSH, PROTOCOL.certkeys); a plain key has no nonce.
/// libssh takes a certificate of any key.
bool certifies(const ssh_key certificate, const Key& own) {
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(certificate, &text) != SSH_OK) return false;
  const auto blob = base::from_base64(text);
  ssh_string_free_char(text);
  const auto plain = public_base64(own);
  const auto own_blob = plain ? base::from_base64(*plain) : std::nullopt;
  if (!blob || !own_blob) return false;
  std::string_view theirs = as_text(*blob);
  std::string_view ours = as_text(*own_blob);
  if (!next_string(theirs) || !next_string(theirs) || !next_string(ours)) return false;
  const auto certified = next_string(theirs);
  return certified && certified == next_string(ours);
}

}  // namespace

void KeyFree::operator()(ssh_key_struct* key) const noexcept { ssh_key_free(key); }

Result<HostKey> parse_host_key(const std::string& text) {
  const auto words = base::split(base::trim(text), ' ');
  if (words.size() < 2) return Error{Code::Invalid, "a host key is \"<type> <base64>\""};
  for (const auto& known : kTypes) {
    if (words[0] != known.name) continue;
    const auto blob = base::from_base64(words[1]);
    if (!blob || !encodes(*blob, known.name)) {
      return Error{Code::Invalid, "the host key is damaged: what follows its type is no such key"};
    }
    return HostKey{std::string(words[0]), std::string(words[1]), known.algorithms};
  }
  return Error{Code::Invalid, "host keys of type \"" + base::printable(words[0], 40) + "\" are not supported"};
}

Result<Key> read_own_key(const SshOptions& options) {
  auto text = base::read_private_file(options.key, kMostKeyBytes);
  if (!text) return std::move(text.error()).with("while reading the SSH key for hosts");
  const Secret wiped_afterwards(std::move(*text));
  ssh_key raw = nullptr;
  // An empty passphrase, not none: libssh would ask for one on the terminal.
  if (ssh_pki_import_privkey_base64(std::string(wiped_afterwards.reveal()).c_str(), "", nullptr, nullptr, &raw) !=
      SSH_OK) {
    return Error{Code::Invalid, options.key + " holds no private key in OpenSSH's format, or has a passphrase"};
  }
  Key key(raw);
  if (ssh_key_type(raw) != SSH_KEYTYPE_ED25519) return Error{Code::Invalid, options.key + " is no ed25519 key"};
  if (options.certificate.empty()) return key;
  ssh_key certificate = nullptr;
  if (ssh_pki_import_cert_file(options.certificate.c_str(), &certificate) != SSH_OK) {
    return Error{Code::Invalid, options.certificate + " cannot be read as an OpenSSH certificate"};
  }
  const Key owned(certificate);
  if (!certifies(certificate, key) || ssh_pki_copy_cert_to_privkey(certificate, raw) != SSH_OK) {
    return Error{Code::Invalid, options.certificate + " is no certificate of " + options.key};
  }
  return key;
}

Result<std::string> public_base64(const Key& key) {
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(key.get(), &text) != SSH_OK) {
    return Error{Code::Internal, "the public half of an SSH key cannot be exported"};
  }
  std::string out(text);
  ssh_string_free_char(text);
  return out;
}

Result<std::string> public_key_of(const std::string& path) {
  auto key = read_own_key({.key = path, .certificate = {}});
  if (!key) return std::move(key.error());
  auto text = public_base64(*key);
  if (!text) return text;
  return "ssh-ed25519 " + *text;
}

}  // namespace nimbus::ssh

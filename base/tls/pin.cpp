#include "base/tls/pin.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

#include "base/crypto/crypto.hpp"
#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

constexpr std::string_view kPrefix = "spki-sha256:";
constexpr std::size_t kMostCertificateBytes = 64 * 1024;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO_free>>;

/// A certificate in PEM may ask for a passphrase; nobody is there to give one.
int no_passphrase(char* /*room*/, int /*size*/, int /*writing*/, void* /*data*/) { return -1; }

Certificate read(std::string_view bytes) {
  if (bytes.find("-----BEGIN") != std::string_view::npos) {
    const Memory memory(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
    return Certificate(memory ? PEM_read_bio_X509(memory.get(), nullptr, no_passphrase, nullptr) : nullptr);
  }
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  return Certificate(d2i_X509(nullptr, &at, static_cast<long>(bytes.size())));
}

}  // namespace

Result<SpkiPin> SpkiPin::parse(std::string_view text) {
  const auto bytes = text.starts_with(kPrefix) ? from_base64(text.substr(kPrefix.size())) : std::nullopt;
  SpkiPin pin;
  if (!bytes || bytes->size() != pin.digest_.size()) {
    return Error{Code::Invalid, "'" + printable(text, 100) +
                                    "' is no pin; expected spki-sha256: and the base64 of 32 bytes (44 characters)"};
  }
  std::copy(bytes->begin(), bytes->end(), pin.digest_.begin());
  return pin;
}

Result<SpkiPin> SpkiPin::of_certificate(std::string_view certificate) {
  if (certificate.size() > kMostCertificateBytes) return Error{Code::Corrupt, "certificate larger than 64 KiB"};
  const Certificate parsed = read(certificate);
  unsigned char* key = nullptr;
  const int size = parsed ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(parsed.get()), &key) : -1;
  ERR_clear_error();
  if (size <= 0) return Error{Code::Corrupt, "not a certificate in PEM or DER"};
  SpkiPin pin;
  pin.digest_ = sha256({reinterpret_cast<const char*>(key), static_cast<std::size_t>(size)});
  OPENSSL_free(key);
  return pin;
}

Result<std::string> certificate_fingerprint(std::string_view certificate) {
  if (certificate.size() > kMostCertificateBytes) return Error{Code::Corrupt, "certificate larger than 64 KiB"};
  const Certificate parsed = read(certificate);
  unsigned char* der = nullptr;
  const int size = parsed ? i2d_X509(parsed.get(), &der) : -1;
  ERR_clear_error();
  if (size <= 0) return Error{Code::Corrupt, "not a certificate in PEM or DER"};
  const auto digest = sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const auto byte : digest) {
    if (!out.empty()) out += ':';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 0x0FU];
  }
  return out;
}

std::string SpkiPin::base64() const { return to_base64(digest_); }

}  // namespace nimbus::base

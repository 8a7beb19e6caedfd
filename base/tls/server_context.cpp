#include "base/tls/server_context.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <array>
#include <utility>

#include "base/text/text.hpp"

namespace nimbus::base {
namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;

constexpr long kSecondsPerDay = 86'400;
constexpr long kLifeDays = 3'650;

SSL_CTX* context_of(void* p) noexcept { return static_cast<SSL_CTX*>(p); }
SSL* ssl_of(void* p) noexcept { return static_cast<SSL*>(p); }

Error tls_error(Code code, const char* what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return {code, std::string(what) + ": " + text.data()};
}

bool is_address(const std::string& name) {
  std::array<std::uint8_t, 16> room{};
  return inet_pton(AF_INET, name.c_str(), room.data()) == 1 || inet_pton(AF_INET6, name.c_str(), room.data()) == 1;
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key, const std::string& common_name, const std::string& names) {
  X509_set_version(certificate, 2);
  ASN1_INTEGER* number = X509_get_serialNumber(certificate);
  BIGNUM* big = BN_new();
  const bool numbered = big != nullptr && BN_rand(big, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
                        BN_to_ASN1_INTEGER(big, number) != nullptr;
  BN_free(big);
  if (!numbered) return false;
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kSecondsPerDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kLifeDays * kSecondsPerDay);
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, static_cast<int>(common_name.size()), -1, 0) != 1)
    return false;
  return X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         add_extension(certificate, NID_subject_alt_name, names) &&
         add_extension(certificate, NID_subject_key_identifier, "hash") &&
         X509_sign(certificate, key, EVP_sha256()) != 0;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Certificate read_certificate(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
}

}  // namespace

Result<TlsIdentity> make_self_signed(const std::string& common_name, const std::vector<std::string>& names) {
  if (names.empty()) return Error{Code::Invalid, "a certificate needs at least one name"};
  std::string alternatives;
  for (const auto& name : names) {
    if (!alternatives.empty()) alternatives += ',';
    alternatives += (is_address(name) ? "IP:" : "DNS:") + name;
  }
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  if (!key || !certificate || !fill(certificate.get(), key.get(), common_name, alternatives)) {
    return tls_error(Code::Internal, "cannot make a certificate");
  }
  const Bio certificate_text(BIO_new(BIO_s_mem()));
  const Bio key_text(BIO_new(BIO_s_mem()));
  if (!certificate_text || !key_text || PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
      PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return tls_error(Code::Internal, "cannot write a certificate");
  }
  return TlsIdentity{text_of(certificate_text.get()), text_of(key_text.get())};
}

Result<std::string> public_key_pin(const std::string& certificate_pem) {
  const Certificate certificate = read_certificate(certificate_pem);
  if (!certificate) return tls_error(Code::Corrupt, "no PEM certificate");
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &der);
  if (size <= 0) return tls_error(Code::Corrupt, "no public key");
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(der, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(der);
  return "spki-sha256:" + to_base64(digest);
}

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::create(const TlsIdentity& identity) {
  const Certificate certificate = read_certificate(identity.certificate);
  const Bio key_text(BIO_new_mem_buf(identity.private_key.data(), static_cast<int>(identity.private_key.size())));
  const Key key(key_text ? PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate || !key) return tls_error(Code::Corrupt, "no PEM certificate and key");
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return tls_error(Code::Internal, "no TLS context");
  std::shared_ptr<TlsServerContext> out(new TlsServerContext(context, identity));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // Thousands of kept connections: buffers go back while a connection is idle.
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  if (SSL_CTX_use_certificate(context, certificate.get()) != 1 || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return tls_error(Code::Corrupt, "key and certificate do not belong together");
  }
  return out;
}

TlsServerContext::~TlsServerContext() { SSL_CTX_free(context_of(context_)); }

TlsServerStream::TlsServerStream(const TlsServerContext& context, int fd)
    : stream_(SSL_new(context_of(context.context_))) {
  if (stream_ == nullptr) return;
  SSL_set_fd(ssl_of(stream_), fd);
  SSL_set_accept_state(ssl_of(stream_));
}

TlsServerStream::~TlsServerStream() { SSL_free(ssl_of(stream_)); }

TlsProgress TlsServerStream::progress(int result) {
  using Outcome = TlsProgress::Outcome;
  if (result > 0) return {Outcome::Moved, static_cast<std::size_t>(result)};
  const int reason = SSL_get_error(ssl_of(stream_), result);
  switch (reason) {
    case SSL_ERROR_WANT_READ:
      return {Outcome::WantRead};
    case SSL_ERROR_WANT_WRITE:
      return {Outcome::WantWrite};
    case SSL_ERROR_ZERO_RETURN:
      return {Outcome::Closed};
    default:
      ERR_clear_error();
      return {Outcome::Failed};
  }
}

TlsProgress TlsServerStream::read(std::span<std::uint8_t> room) {
  if (stream_ == nullptr || room.empty()) return {};
  ERR_clear_error();
  return progress(SSL_read(ssl_of(stream_), room.data(), static_cast<int>(room.size())));
}

TlsProgress TlsServerStream::write(std::span<const std::uint8_t> data) {
  if (stream_ == nullptr || data.empty()) return {};
  ERR_clear_error();
  return progress(SSL_write(ssl_of(stream_), data.data(), static_cast<int>(data.size())));
}

void TlsServerStream::shutdown() {
  if (stream_ == nullptr || SSL_is_init_finished(ssl_of(stream_)) != 1) return;
  SSL_shutdown(ssl_of(stream_));
  ERR_clear_error();
}

}  // namespace nimbus::base

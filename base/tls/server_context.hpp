// TlsServerContext: what a TLS server is known by: a certificate and its key.
// TlsServerStream: one TLS connection over a non-blocking socket, for an event loop.
//
// TLS 1.2 and 1.3. Nobody's certificate is asked for. Writing to a closed connection
// raises SIGPIPE unless the program ignores it: ignore it. Thread rule: a context may
// be shared by threads, a stream belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace nimbus::base {

/// A certificate and its private key, both PEM.
struct TlsIdentity {
  std::string certificate;
  std::string private_key;
};

/// A new P-256 key with a certificate that it signs itself, for the given DNS names and
/// IP addresses, valid for ten years from yesterday. Errors: Invalid (no names), Internal.
Result<TlsIdentity> make_self_signed(const std::string& common_name, const std::vector<std::string>& names);

/// "spki-sha256:<base64>" of a PEM certificate. Errors: Corrupt.
Result<std::string> public_key_pin(const std::string& certificate_pem);

class TlsServerContext {
 public:
  /// Errors: Corrupt (not PEM, key does not belong to the certificate), Internal.
  static Result<std::shared_ptr<TlsServerContext>> create(const TlsIdentity& identity);
  ~TlsServerContext();
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  const TlsIdentity& identity() const noexcept { return identity_; }

 private:
  friend class TlsServerStream;
  TlsServerContext(void* context, TlsIdentity identity) : context_(context), identity_(std::move(identity)) {}
  void* context_;
  TlsIdentity identity_;
};

/// What a call on a stream came to. Moved: `bytes` is how many. WantRead and WantWrite:
/// call again with the same arguments when the socket is ready for that.
struct TlsProgress {
  enum class Outcome : std::uint8_t { Moved, WantRead, WantWrite, Closed, Failed } outcome = Outcome::Failed;
  std::size_t bytes = 0;
};

class TlsServerStream {
 public:
  /// Does not own `fd`, which stays open until after this is gone. The context may go
  /// before the stream.
  TlsServerStream(const TlsServerContext& context, int fd);
  ~TlsServerStream();
  TlsServerStream(const TlsServerStream&) = delete;
  TlsServerStream& operator=(const TlsServerStream&) = delete;

  /// The handshake is part of the first reads.
  TlsProgress read(std::span<std::uint8_t> room);
  TlsProgress write(std::span<const std::uint8_t> data);
  /// Says goodbye; does not wait for an answer.
  void shutdown();

 private:
  TlsProgress progress(int result);
  void* stream_;
};

}  // namespace nimbus::base

// The daemon: sockets and children around Service.
//
//   provisioning network: GET /ipxe/<mac>, GET /v1/plan, POST /v1/report
//   UNIX socket:          PUT /v1/orders (all), POST /v1/orders (what changed), GET /v1/heard/<mac>,
//                         PUT /v1/images (an image that will be needed), GET /healthz
//   children:             dnsmasq (DHCP, TFTP), nginx (kernel, ramdisk, images of the cache)
#pragma once

#include <memory>

#include "boot/config.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

class Daemon {
 public:
  /// Checks the installer's files against SHA256SUMS, reads the state, listens, starts
  /// the children. Errors: whatever of that fails.
  static Result<std::unique_ptr<Daemon>> start(const Config& config);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

 private:
  class Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nimbus::boot

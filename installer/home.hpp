// Home: nimbus-boot, as the installer sees it. The plan is asked for once; reports
// carry run and nonce. The token is in every question and in no message.
//
// Thread rule: one thread.
#pragma once

#include <string>

#include "base/crypto/ed25519.hpp"
#include "boot/protocol/plan.hpp"
#include "boot/protocol/report.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::installer {

/// As given on the kernel's command line by the boot script.
struct BootFacts {
  std::string url;            // nimbus.url=http://10.20.0.1:8080
  std::string run;            // nimbus.run
  std::string nonce;          // nimbus.nonce
  std::string token;          // nimbus.token: once, for this boot
  base::Ed25519Public key{};  // nimbus.key: whose plans count
};

/// Errors: Invalid (what is missing or malformed).
Result<BootFacts> read_boot_facts(std::string_view command_line);

class Home {
 public:
  virtual ~Home() = default;
  /// Errors: Auth (the token is used up or not for this run), Untrusted (signature), …
  virtual Result<boot::InstallPlan> plan() = 0;
  virtual Result<> report(const boot::Report& report) = 0;
};

class HttpHome final : public Home {
 public:
  HttpHome(BootFacts facts, const Clock& clock) : facts_(std::move(facts)), clock_(clock) {}
  Result<boot::InstallPlan> plan() override;
  Result<> report(const boot::Report& report) override;

 private:
  BootFacts facts_;
  const Clock& clock_;
};

}  // namespace nimbus::installer

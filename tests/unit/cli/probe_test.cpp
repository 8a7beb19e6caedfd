#include "cli/hardware/probe.hpp"

#include <doctest/doctest.h>

#include <map>

#include "core/ports/bmc_manage.hpp"
#include "support/fake_bmc.hpp"

using namespace nimbus;

namespace {

/// Power and identity as a FakeBmc; firmware settings and virtual media refuse.
class RefusingBmc final : public Bmc, private BmcSettings, private BmcMedia {
 public:
  BmcPower* power() noexcept override { return inner_.power(); }
  BmcIdentity* identity() noexcept override { return inner_.identity(); }
  BmcSettings* settings() noexcept override { return this; }
  BmcMedia* media() noexcept override { return this; }
  void close(const Call& call) noexcept override { inner_.close(call); }

  Error bios_error{Code::Auth, "403"};
  Error secure_boot_error{Code::Unsupported, "the BMC answered 403: [SMC.1.0.OemLicenseNotPassed]"};
  std::vector<MediaSlot> media_slots;
  testing::FakeMachine machine;

 private:
  Result<BiosState> bios(const Call&) override { return bios_error; }
  Result<WriteOutcome> stage_bios(const BiosAttributes&, const Call&) override { throw "a probe writes nothing"; }
  Result<SecureBootState> secure_boot(const Call&) override { return secure_boot_error; }
  Result<WriteOutcome> set_secure_boot(bool, const Call&) override { throw "a probe writes nothing"; }
  Result<std::vector<MediaSlot>> slots(const Call&) override { return media_slots; }
  Result<WriteOutcome> insert_cd(const std::string&, const Call&) override { throw "a probe writes nothing"; }
  Result<WriteOutcome> eject_cd(const Call&) override { throw "a probe writes nothing"; }

  testing::FakeBmc inner_{machine};
};

std::map<std::string, std::string> states_of(Bmc& bmc) {
  const auto report = cli::probe(bmc, {.deadline = MonoTime::max()});
  REQUIRE(report);
  std::map<std::string, std::string> out;
  for (const auto& one : report->aspects) out[one.aspect] = one.state;
  return out;
}

}  // namespace

TEST_CASE("probe: what works, and why the rest does not") {
  RefusingBmc bmc;
  auto states = states_of(bmc);
  CHECK(states["power"] == "works");
  CHECK(states["BIOS settings"] == "denied");
  CHECK(states["secure boot"] == "no licence");
  CHECK(states["virtual media"] == "not offered");
  CHECK(states["accounts"] == "not offered");
  CHECK(states["serial console"] == "not offered");
  bmc.bios_error = Error{Code::Timeout, "no answer"};
  bmc.media_slots = {{.id = "1", .cd = true}};
  states = states_of(bmc);
  CHECK(states["BIOS settings"] == "failed");
  CHECK(states["virtual media"] == "works");
  CHECK(bmc.machine.received.empty());
}

TEST_CASE("probe: without an identity nothing else is asked") {
  RefusingBmc bmc;
  bmc.machine.fail_identity = [] { return Error{Code::Auth, "wrong password"}; };
  bmc.machine.fail_power = [] { return Error{Code::Internal, "was asked"}; };
  const auto report = cli::probe(bmc, {.deadline = MonoTime::max()});
  REQUIRE(!report);
  CHECK(report.error().code == Code::Auth);
}

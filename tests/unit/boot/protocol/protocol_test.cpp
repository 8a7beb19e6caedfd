#include <doctest/doctest.h>

#include "boot/protocol/plan.hpp"
#include "boot/protocol/report.hpp"

using namespace nimbus;
using namespace nimbus::boot;

namespace {

InstallPlan full_plan() {
  InstallPlan plan;
  plan.action = PlanAction::Install;
  plan.run = "berlin-1/m017/7";
  plan.nonce = std::string(32, 'a');
  plan.machine = "berlin-1/m017";
  plan.mac = "52:54:00:12:34:17";
  plan.identity.serial = "CZ3A1B2";
  plan.proof = Proof::OwnerConsents;
  plan.root_disk = {.serial = "S1", .type = DiskType::Ssd, .min_size_gib = 4};
  plan.disk = "serial.S1";
  plan.image_cache = "http://10.20.0.1:8081/images/a";
  plan.image_urls = {"http://images.example/a.zst", "http://b.example/a.zst"};
  plan.image_sha256 = std::string(64, '0');
  plan.image_bytes = 1 << 30;
  plan.instance = "acme/web-1";
  plan.hostname = "web-1";
  plan.user = "debian";
  plan.ssh_keys = {"ssh-ed25519 AAAA alice", "quote \" and \n line"};
  plan.controller_user = "nimbus";
  plan.controller_key = "ssh-ed25519 AAAA controller";
  plan.user_data = "#cloud-config\n";
  plan.erase = EraseLevel::Quick;
  return plan;
}

}  // namespace

TEST_CASE("a plan survives its text, and its seal only as it was sealed") {
  const auto key = base::make_ed25519_key();
  const auto sealed = seal_plan(full_plan(), key);
  auto opened = open_plan(sealed, key.public_key);
  REQUIRE(opened);
  CHECK(*opened == full_plan());

  SUBCASE("another key") {
    auto other = open_plan(sealed, base::make_ed25519_key().public_key);
    REQUIRE_FALSE(other);
    CHECK(other.error().code == Code::Untrusted);
  }
  SUBCASE("every changed character is noticed") {
    std::size_t tried = 0;
    for (std::size_t at = 0; at < sealed.size(); at += 7) {
      auto forged = sealed;
      forged[at] = forged[at] == 'A' ? 'B' : 'A';
      if (forged == sealed) continue;
      CHECK_FALSE(open_plan(forged, key.public_key));
      ++tried;
    }
    CHECK(tried > 50);
  }
  SUBCASE("a signature over the payload alone, without the domain, does not count") {
    const auto payload = to_json(full_plan());
    CHECK_FALSE(base::ed25519_verify(key.public_key, payload, base::ed25519_sign(key, "x" + payload)));
  }
}

TEST_CASE("plans that lack what binds them are refused") {
  auto plan = full_plan();
  plan.nonce = "short";
  CHECK_FALSE(parse_plan(to_json(plan)));
  plan = full_plan();
  plan.run.clear();
  CHECK_FALSE(parse_plan(to_json(plan)));
  for (const auto* text : {"", "[]", "{}", "{\"run\":7}", "{\"proof\":\"because\"}", "null"})
    CHECK_FALSE(parse_plan(text));
}

TEST_CASE("a report survives its text") {
  Report report;
  report.run = "r";
  report.nonce = "n";
  report.stage = Stage::Erased;
  report.done_bytes = 7;
  report.inventory.identity.serial = "S";
  report.inventory.macs = {"52:54:00:00:00:01"};
  report.inventory.disks = {{.id = "serial.S", .serial = "S", .bytes = 1024}};
  report.erased = {{.disk = "serial.S", .level = "quick", .method = "discard", .verified = true}};
  auto back = parse_report(to_json(report));
  REQUIRE(back);
  CHECK(*back == report);
  for (const auto* text : {"", "{}", "[]", "{\"stage\":\"gone\"}", "{\"stage\":\"erased\",\"erased\":[1]}",
                           "{\"stage\":\"erased\",\"done_bytes\":-1}"}) {
    CHECK_FALSE(parse_report(text));
  }
}

TEST_CASE("host keys are in OpenSSH's forms") {
  const auto key = base::ed25519_key_of({});
  // The public half of the all-zero seed, as ssh-keygen and RFC 8032 libraries show it.
  CHECK(base::openssh_public(key.public_key, "c").starts_with("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtqJ7zO"));
  const auto file = base::openssh_private(key, "root@web-1");
  CHECK(file.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA"));
  CHECK(file.ends_with("-----END OPENSSH PRIVATE KEY-----\n"));
}
